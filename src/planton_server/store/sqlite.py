"""SQLite: one file, concurrent readers and one writer (WAL). Each commit is on disk before it is acknowledged.

Statements run where they are called: they take microseconds. What can wait runs in a thread: the begin of a transaction, which waits for
writers in other processes, and its commit, which waits for the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pathlib
import sqlite3
from typing import TYPE_CHECKING, Any, Final

from planton_server.store import database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

#: Seconds that a writer waits for writers in other processes.
_TIMEOUT_SECONDS: Final = 10.0
#: The error codes of a write to a full, broken or read-only disk.
_NO_ROOM: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY})
#: A disk with fewer free bytes counts as full. It is about the size of one transaction of a large resource.
_ROOM: Final = 1024 * 1024


def connect(path: str) -> SQLite:
    """Returns the database in a file. Creates a missing file, readable by its owner only.

    Raises:
        UnavailableError: The file cannot be opened.
    """
    with _translated():
        pathlib.Path(path).touch(mode=0o600)
        return SQLite(path)


class SQLite:
    """A database in a file. See :class:`planton_server.store.database.Database`."""

    name = "sqlite"

    def __init__(self, path: str) -> None:
        self._reader = _open(path)
        self._writer = _open(path)
        self._writing = asyncio.Lock()
        self._folder = pathlib.Path(path).absolute().parent
        self._has_failed = False

    async def rows(self, statement: database.Statement, **values: Any) -> Sequence[database.Row]:
        """Runs one statement that reads."""
        with _translated():
            return self._reader.execute(*statement.compiled(self.name, values)).fetchall()

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[database.Transaction]:
        """Returns a context of one transaction; transactions of one process run in order of arrival."""
        async with self._writing:
            try:
                with _translated():
                    await _finished(self._writer.execute, "BEGIN IMMEDIATE")
                yield _Transaction(self._writer)
                with _translated():
                    await _finished(self._writer.commit)
                self._has_failed = False
            except database.UnavailableError as error:
                cause = error.__cause__
                self._has_failed = isinstance(cause, sqlite3.Error) and _primary(cause) in _NO_ROOM
                raise
            finally:
                # A failure, even of the commit itself, must not leave a transaction open.
                self._writer.rollback()

    #: Statements that write run one at a time in any case.
    unit = transaction

    def watch(self, changed: Callable[[], None]) -> None:
        """Does nothing: SQLite delivers no notifications."""

    async def notify(self) -> None:
        """Does nothing: SQLite delivers no notifications."""

    def connections(self) -> tuple[int, int]:
        """Returns the connections in use, 1 during a write and else 0, and their number, 2."""
        return int(self._writing.locked()), 2

    def is_writable(self) -> bool:
        """Returns whether the disk has space, and the last write did not fail for lack of it."""
        try:
            room = os.statvfs(self._folder)
        except OSError:
            return False
        return not self._has_failed and room.f_bavail * room.f_frsize >= _ROOM

    async def close(self) -> None:
        """Waits for the writer and closes both connections."""
        async with self._writing:
            self._writer.close()
            self._reader.close()


class _Transaction:
    name = SQLite.name

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def rows(self, statement: database.Statement, **values: Any) -> Sequence[database.Row]:
        with _translated():
            return self._connection.execute(*statement.compiled("sqlite", values)).fetchall()

    async def many(self, statement: database.Statement, values: Sequence[Mapping[str, Any]]) -> None:
        with _translated():
            for one in values:
                self._connection.execute(*statement.compiled("sqlite", one))


async def _finished(function: Any, *arguments: Any) -> None:  # a method of sqlite3
    """Runs a function in a thread to its end, even if the caller is cancelled, so that a commit's result is always known."""
    task = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


def _primary(error: sqlite3.Error) -> int:
    """Returns SQLite's primary code of an error, without the extended part."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _open(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {setting}")
    return connection


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError as error:
        if error.sqlite_errorcode in {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}:
            raise database.DuplicateError from error
        raise
    except (sqlite3.OperationalError, sqlite3.DatabaseError, OSError) as error:
        raise database.UnavailableError(str(error)) from error
