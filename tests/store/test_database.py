"""Transactions on each database: they commit or roll back, even if the caller is cancelled."""

import asyncio
import contextlib
import sqlite3

import pytest
import sqlalchemy as sa

from planton_server.store import access, database, events, schema

TOKEN = {"subject": "s", "role": "user", "created_at": "2026-01-01T00:00:00.000000Z", "expires_at": None}


async def write(store, *digests, error=None):
    """Stores tokens in one transaction, which may end with an error."""
    async with store.transaction() as transaction:
        for digest in digests:
            await access.put_token(transaction, TOKEN | {"digest": digest})
        if error:
            raise error


async def tokens(store):
    """Returns the digests of the stored tokens."""
    return [row["digest"] for row in await access.list_tokens(store)]


def test_a_transaction_is_visible_after_its_commit(loop, store):
    """Other readers do not see its rows earlier."""

    async def run():
        async with store.transaction() as transaction:
            await access.put_token(transaction, TOKEN | {"digest": "a"})
            before = await tokens(store)
        return before, await tokens(store)

    assert loop.run(run()) == ([], ["a"])


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError])
def test_a_transaction_that_ends_with_an_error_is_rolled_back(loop, store, error):
    """The next transaction works."""

    async def run():
        with pytest.raises(error):
            await write(store, "a", error=error)
        await write(store, "b")
        return await tokens(store)

    assert loop.run(run()) == ["b"]


def test_a_duplicate_key_is_an_error_and_rolls_back(loop, store):
    """The error is the same for both engines."""

    async def run():
        with pytest.raises(database.DuplicateError):
            await write(store, "a", "a")
        return await tokens(store)

    assert loop.run(run()) == []


def test_a_statement_with_several_rows_is_atomic(loop, store):
    """All rows are written, or none."""
    statement = database.Statement(
        sa.text("INSERT INTO tokens (digest, subject, role, created_at) VALUES (:digest, 's', 'user', 't')")
    )

    async def run(*digests):
        async with store.transaction() as transaction:
            await transaction.many(statement, [{"digest": digest} for digest in digests])

    loop.run(run())
    with pytest.raises(database.DuplicateError):
        loop.run(run("a", "b", "a"))
    loop.run(run("c", "d"))
    assert loop.run(tokens(store)) == ["c", "d"]


def test_a_cancelled_caller_leaves_no_open_transaction(loop, store):
    """The caller is cancelled at each step of its transaction. Later transactions work."""

    async def run():
        for steps in range(12):
            task = asyncio.ensure_future(write(store, f"cancelled-{steps}"))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            await write(store, f"later-{steps}")
        return await tokens(store)

    digests = loop.run(run())
    assert {f"later-{steps}" for steps in range(12)} <= set(digests)
    assert store.connections()[0] == 0


def test_a_failed_commit_leaves_no_open_transaction(loop, tmp_path):
    """A commit may fail, for example on a full disk. The change is rolled back, and later transactions work."""
    url = f"sqlite:///{tmp_path / 'server.db'}"
    schema.migrate(url)
    with contextlib.closing(sqlite3.connect(tmp_path / "server.db")) as connection:
        # A deferred constraint fails in the commit, not in the statement.
        connection.execute("CREATE TABLE child (id REFERENCES tokens(digest) DEFERRABLE INITIALLY DEFERRED)")
        connection.execute(
            "CREATE TRIGGER bad AFTER INSERT ON tokens WHEN new.digest = 'a' BEGIN INSERT INTO child VALUES ('nobody'); END"
        )

    async def run():
        store = await database.connect(url)
        with pytest.raises(sqlite3.IntegrityError):
            await write(store, "a")
        await write(store, "b")
        digests = await tokens(store)
        await store.close()
        return digests

    assert loop.run(run()) == ["b"]


async def append(transaction, name, identifier):
    """Appends an event."""
    event = {
        "id": identifier, "type": "nodepool.updated", "kind": "NodePool", "resource_id": "r", "cluster_id": "c", "name": "n", "owner": "o",
        "generation": 1, "actor": "a", "time": "2026-01-01T00:00:00.000000Z", "replacement": "",
    }  # fmt: skip
    await events.append(transaction, name, [event])


async def read(store, after=events.Cursor()):  # noqa: B008 - a constant
    """Returns the ids of the events after a cursor."""
    return [row["id"] for row in await events.read(store, after, limit=100)]


#: In SQLite one transaction writes at a time.
ON_POSTGRESQL = pytest.mark.parametrize("url", ["postgresql"], indirect=True)


@ON_POSTGRESQL
def test_an_event_is_readable_when_no_older_transaction_runs(loop, store):
    """An event waits for older transactions, so that a reader's cursor never skips one."""

    async def run():
        pages = []
        async with store.transaction() as older:
            await append(older, store.name, "older")
            async with store.transaction() as newer:
                await append(newer, store.name, "newer")
            pages.append(await read(store))
        pages.append(await read(store))
        return pages

    assert loop.run(run()) == [[], ["older", "newer"]]


@ON_POSTGRESQL
def test_the_event_of_a_waiting_transaction_follows_that_of_the_lock_holder(loop, store):
    """The older transaction waits for a row lock of the newer one, so its change comes later."""
    if store.name == "sqlite":
        pytest.skip("one transaction writes at a time")
    lock = database.Statement(sa.text("SELECT digest FROM tokens WHERE digest = :digest FOR UPDATE"))

    async def run():
        async with store.transaction() as transaction:
            for digest in ("first", "second"):
                await access.put_token(transaction, TOKEN | {"digest": digest})
        async with store.transaction() as older:
            await older.rows(lock, digest="first")  # the transaction has an id from here on
            async with store.transaction() as newer:
                await newer.rows(lock, digest="second")
                await append(newer, store.name, "newer")
            await older.rows(lock, digest="second")
            await append(older, store.name, "older")
        return await read(store)

    assert loop.run(run()) == ["newer", "older"]


def test_a_cursor_selects_the_events_after_it(loop, store):
    """The cursor of the last event is the end of the stream."""

    async def run():
        for identifier in "abc":
            async with store.transaction() as transaction:
                await append(transaction, store.name, identifier)
        rows = await events.read(store, events.Cursor(), limit=100)
        cursors = [events.Cursor(row["transaction_id"], row["number"]) for row in rows]
        return [await read(store, events.cursor(str(cursor))) for cursor in cursors]

    assert loop.run(run()) == [["b", "c"], ["c"], []]
