"""What a database is to the store: it runs compiled statements, alone or in a transaction, and says clearly what went wrong."""

from __future__ import annotations

import functools
import urllib.parse
from typing import TYPE_CHECKING, Any, Final, Protocol

from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.dialects.sqlite import pysqlite

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable, Mapping, Sequence

    import sqlalchemy as sa

#: Database → how its driver wants statements written.
_DIALECTS: Final[Mapping[str, Callable[[], sa.Dialect]]] = {
    "postgresql": asyncpg.dialect,
    "sqlite": functools.partial(pysqlite.dialect, paramstyle="qmark"),
}
#: Seconds between two checks of the connection that marks a PostgreSQL database as in use and listens.
LOOK_SECONDS: Final = 2.0
#: The key of PostgreSQL's advisory lock that servers share while they use a database, and that who replaces it must have alone.
IN_USE: Final = 0x706C616E746F6F
#: A row: values by position and by column name.
Row = Any


class UnavailableError(Exception):
    """The database cannot be reached, or has no connection free: later it may."""


class DuplicateError(Exception):
    """A row with this key exists already."""


class Statement:
    """A statement, compiled once for each database.

    Attributes:
        clause: The statement, with ``bindparam`` where values go.
    """

    def __init__(self, clause: sa.ClauseElement) -> None:
        self.clause = clause
        self._compiled: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {}

    def compiled(self, database: str, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
        """Returns the text for a database and the values in its order.

        Args:
            database: ``postgresql`` or ``sqlite``.
            values: Of the parameters, by name; what the statement holds itself needs none.

        Raises:
            KeyError: A parameter has no value.
        """
        if database not in self._compiled:
            compiled = self.clause.compile(dialect=_DIALECTS[database](), compile_kwargs={"render_postcompile": True})
            own = {name: value for name, value in compiled.params.items() if value is not None}
            names: tuple[str, ...] = tuple(getattr(compiled, "positiontup", None) or ())
            self._compiled[database] = (str(compiled), names, own)
        text, names, own = self._compiled[database]
        return text, [values[name] if name in values else own[name] for name in names]


class Transaction(Protocol):
    """Statements that happen together or not at all.

    Attributes:
        name: Of the database, ``postgresql`` or ``sqlite``.
    """

    name: str

    async def rows(self, statement: Statement, **values: Any) -> Sequence[Row]:
        """Runs a statement and returns its rows.

        Raises:
            DuplicateError: A key exists already.
            UnavailableError: The database cannot be reached.
        """
        ...

    async def many(self, statement: Statement, values: Sequence[Mapping[str, Any]]) -> None:
        """Runs a statement once for each set of values.

        Raises:
            DuplicateError: A key exists already.
            UnavailableError: The database cannot be reached.
        """
        ...


class Database(Protocol):
    """Where the API's rows are.

    Attributes:
        name: ``postgresql`` or ``sqlite``.
    """

    name: str

    async def rows(self, statement: Statement, **values: Any) -> Sequence[Row]:
        """Runs one statement that reads and returns its rows.

        Raises:
            UnavailableError: The database cannot be reached.
        """
        ...

    def transaction(self) -> contextlib.AbstractAsyncContextManager[Transaction]:
        """Returns a context that commits at its end and rolls back where it is left by an error.

        Raises:
            UnavailableError: The database cannot be reached.
        """
        ...

    def unit(self) -> contextlib.AbstractAsyncContextManager[Transaction]:
        """Returns a context for reads followed by one statement that writes.

        In PostgreSQL a single statement is atomic without the round trips of a transaction. Others may write after the reads,
        so the statement must check its expectations. SQLite makes a transaction of it.

        Raises:
            UnavailableError: The database cannot be reached.
        """
        ...

    def watch(self, changed: Callable[[], None]) -> None:
        """Calls a function when any server has called :meth:`notify`, and when such a call may have been lost.

        Only PostgreSQL delivers notifications. Those who wait for a change of a SQLite database must also poll.
        """
        ...

    async def notify(self) -> None:
        """Notifies all servers of a change.

        Raises:
            UnavailableError: The database cannot be reached.
        """
        ...

    def connections(self) -> tuple[int, int]:
        """Returns how many connections are in use and how many there may be."""
        ...

    def is_writable(self) -> bool:
        """Returns whether this process knows of no lack of disk space: by free space, or by the result of the last write."""
        ...

    async def close(self) -> None:
        """Waits for running statements and closes the connections."""
        ...


async def connect(url: str, *, connections: int = 10, look: float = LOOK_SECONDS) -> Database:
    """Returns the database at a URL.

    Args:
        url: ``sqlite:///PATH`` or ``postgresql://…``, as :func:`check` accepts it.
        connections: How many there may be at once.
        look: Seconds between two checks of the connection that marks a PostgreSQL database as in use.

    Raises:
        UnavailableError: SQLite cannot open the file. An unreachable PostgreSQL is no error here: the first statement reports it.
        ValueError: The URL is neither.
    """
    if check(url) == "sqlite":
        from planton_server.store import sqlite  # noqa: PLC0415  # memory: a server uses one of the two

        return sqlite.connect(path(url))
    from planton_server.store import postgres  # noqa: PLC0415  # memory: a server uses one of the two

    return await postgres.connect(url, connections=connections, look=look)


def check(url: str) -> str:
    """Returns the database type of a URL, ``postgresql`` or ``sqlite``.

    Raises:
        ValueError: Neither.
    """
    scheme = urllib.parse.urlsplit(url).scheme
    if scheme == "sqlite" and path(url):
        return "sqlite"
    if scheme in {"postgresql", "postgres"}:
        return "postgresql"
    raise ValueError("must be sqlite:///PATH or postgresql://[user[:password]@]host[:port]/database")


def path(url: str) -> str:
    """Returns the file of a SQLite URL; ``sqlite:////a`` is ``/a``, ``sqlite:///a`` is relative."""
    return urllib.parse.unquote(urllib.parse.urlsplit(url).path).removeprefix("/")
