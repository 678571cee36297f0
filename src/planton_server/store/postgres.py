"""PostgreSQL, through asyncpg: a pool of connections that reconnect, and one connection that marks the database and listens."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

import asyncpg

from planton_server.store import database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence

#: Seconds that a request waits for a connection, and a statement for its result.
_TIMEOUT_SECONDS: Final = 5.0
_STATEMENT: Final = 30.0
#: The channel of notifications.
_CHANNEL: Final = "planton_changes"


async def connect(url: str, *, connections: int, look: float) -> Postgres:
    """Returns the database at a URL, which connects on demand. Waits while the database is being restored.

    Args:
        url: The URL.
        connections: How many there may be at once.
        look: Seconds between two checks of the connection that marks the database as in use and listens.
    """
    pool = asyncpg.create_pool(
        url,
        min_size=0,
        max_size=connections,
        connection_class=_Connection,
        command_timeout=_STATEMENT,
        timeout=_TIMEOUT_SECONDS,
        server_settings={"application_name": "planton"},
    )
    own = _Own(url, look)
    await own.begin()
    return Postgres(await pool, own)


class _Connection(asyncpg.Connection):  # type: ignore[misc]
    """A connection without a reset between two users: transactions always end, and sessions have no other state."""

    def get_reset_query(self) -> str:
        """Returns no reset query, which saves each request a round trip."""
        return ""


class Postgres:
    """A database on a server. See :class:`planton_server.store.database.Database`."""

    name = "postgresql"

    def __init__(self, pool: asyncpg.Pool, own: _Own) -> None:
        self._pool = pool
        self._own = own
        self._has_failed = False

    async def rows(self, statement: database.Statement, **values: Any) -> Sequence[database.Row]:
        """Runs one statement that reads."""
        text, ordered = statement.compiled(self.name, values)
        with _translated():
            async with self._pool.acquire(timeout=_TIMEOUT_SECONDS) as connection:
                return await connection.fetch(text, *ordered)  # type: ignore[no-any-return]

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[database.Transaction]:
        """Returns a context of one transaction."""
        with self._noted(), _translated():
            async with self._pool.acquire(timeout=_TIMEOUT_SECONDS) as connection, connection.transaction():
                yield _Transaction(connection)

    @contextlib.asynccontextmanager
    async def unit(self) -> AsyncIterator[database.Transaction]:
        """Returns a context of statements that are each atomic by themselves."""
        with self._noted(), _translated():
            async with self._pool.acquire(timeout=_TIMEOUT_SECONDS) as connection:
                yield _Transaction(connection)

    def watch(self, changed: Callable[[], None]) -> None:
        """Calls a function when any server has called :meth:`notify`, and when such a call may have been lost."""
        self._own.watchers.append(changed)

    async def notify(self) -> None:
        """Notifies all servers of a change, after its commit: PostgreSQL commits transactions that notify one by one."""
        with _translated():
            async with self._pool.acquire(timeout=_TIMEOUT_SECONDS) as connection:
                await connection.execute(f"NOTIFY {_CHANNEL}")

    def connections(self) -> tuple[int, int]:
        """Returns how many connections are in use, and how many there may be."""
        return self._pool.get_size() - self._pool.get_idle_size(), self._pool.get_max_size()

    def is_writable(self) -> bool:
        """Returns whether no write since the last success failed for lack of space."""
        return not self._has_failed

    @contextlib.contextmanager
    def _noted(self) -> Iterator[None]:
        """Records whether a write succeeded."""
        try:
            yield
            self._has_failed = False
        except database.UnavailableError as error:
            self._has_failed = isinstance(_cause(error), asyncpg.DiskFullError | asyncpg.ReadOnlySQLTransactionError)
            raise

    async def close(self) -> None:
        """Waits for running statements and closes the connections."""
        await self._pool.close()
        await self._own.end()


class _Own:
    """Holds the shared lock on the database and listens for notifications, on a connection of its own that reconnects.

    Attributes:
        watchers: Are called after a notification, and after a new connection, because notifications may have been lost before.
    """

    def __init__(self, url: str, look: float) -> None:
        self.watchers: list[Callable[[], None]] = []
        self._url = url
        self._look = look
        self._connection: asyncpg.Connection | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Takes the lock, or keeps trying in the background if the database cannot be reached."""
        await self._take()
        self._keeping = asyncio.create_task(self._keep())

    async def end(self) -> None:
        """Releases the lock."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
        self._drop()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._look)
            try:
                if self._connection is not None:
                    await self._connection.execute("SELECT 1", timeout=_TIMEOUT_SECONDS)
                    continue
            except Exception:  # noqa: BLE001 - reconnect after any error
                self._drop()
            await self._take()

    async def _take(self) -> None:
        with contextlib.suppress(Exception):
            self._connection = await asyncpg.connect(
                self._url, timeout=_TIMEOUT_SECONDS, server_settings={"application_name": "planton in use"}
            )
            try:
                await self._connection.execute(f"SELECT pg_advisory_lock_shared({database.IN_USE})")
                await self._connection.add_listener(_CHANNEL, self._notified)
            except BaseException:
                self._drop()
                raise
            self._notified()

    def _notified(self, *_notification: object) -> None:
        for changed in self.watchers:
            changed()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


class _Transaction:
    name = Postgres.name

    def __init__(self, connection: asyncpg.pool.PoolConnectionProxy) -> None:
        self._connection = connection

    async def rows(self, statement: database.Statement, **values: Any) -> Sequence[database.Row]:
        text, ordered = statement.compiled("postgresql", values)
        with _translated():
            return await self._connection.fetch(text, *ordered)  # type: ignore[no-any-return]

    async def many(self, statement: database.Statement, values: Sequence[Mapping[str, Any]]) -> None:
        compiled = [statement.compiled("postgresql", one) for one in values]
        if compiled:
            with _translated():
                await self._connection.executemany(compiled[0][0], [ordered for _, ordered in compiled])


def _cause(error: BaseException) -> BaseException | None:
    """Returns the driver's own error."""
    cause = error.__cause__
    return _cause(cause) if isinstance(cause, database.UnavailableError) else cause


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except asyncpg.UniqueViolationError as error:
        raise database.DuplicateError from error
    except (
        asyncpg.PostgresConnectionError,
        asyncpg.CannotConnectNowError,
        asyncpg.InterfaceError,
        # The errors of a connection that breaks between two messages.
        asyncpg.InternalClientError,
        asyncpg.InsufficientResourcesError,
        # During a failover, the address can lead to a read-only replica.
        asyncpg.ReadOnlySQLTransactionError,
        asyncpg.DeadlockDetectedError,
        asyncpg.OperatorInterventionError,
        asyncpg.InvalidAuthorizationSpecificationError,
        asyncpg.InvalidCatalogNameError,
        asyncpg.TransactionRollbackError,
        OSError,
        TimeoutError,
    ) as error:
        raise database.UnavailableError(str(error)) from error
