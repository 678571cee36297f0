"""What the store promises of each database: transactions that happen or not, whatever becomes of who asked for them."""

import asyncio
import contextlib
import sqlite3

import pytest
import sqlalchemy as sa

from planton_server.store import access, database, events, schema

PUT = {"subject": "s", "role": "user", "created_at": "2026-01-01T00:00:00.000000Z", "expires_at": None}


async def write(store, *digests, error=None):
    """Puts tokens in one transaction, which an error ends."""
    async with store.transaction() as transaction:
        for digest in digests:
            await access.put_token(transaction, PUT | {"digest": digest})
        if error:
            raise error


async def tokens(store):
    return [row["digest"] for row in await access.list_tokens(store)]


def test_transaction_is_kept_at_its_end(loop, store):
    """What a transaction wrote is there for others when it has ended, and not before."""

    async def run():
        async with store.transaction() as transaction:
            await access.put_token(transaction, PUT | {"digest": "a"})
            before = await tokens(store)
        return before, await tokens(store)

    assert loop.run(run()) == ([], ["a"])


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError])
def test_transaction_that_is_left_by_an_error_is_undone(loop, store, error):
    """Nothing of it stays, and the next one works."""

    async def run():
        with pytest.raises(error):
            await write(store, "a", error=error)
        await write(store, "b")
        return await tokens(store)

    assert loop.run(run()) == ["b"]


def test_key_that_is_there(loop, store):
    """A key that is there already is told as such, and the transaction is over."""

    async def run():
        with pytest.raises(database.DuplicateError):
            await write(store, "a", "a")
        return await tokens(store)

    assert loop.run(run()) == []


def test_many_happen_together(loop, store):
    """Of several sets of values all are written or none."""
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


def test_callers_that_go_away_leave_nothing_open(loop, store):
    """Whenever a caller is cancelled, at each step of its transaction, the next ones work."""

    async def run():
        for steps in range(12):
            task = asyncio.ensure_future(write(store, f"cancelled-{steps}"))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            await write(store, f"kept-{steps}")
        return await tokens(store)

    found = loop.run(run())
    assert {f"kept-{steps}" for steps in range(12)} <= set(found)
    assert store.connections()[0] == 0


def test_commit_that_fails_leaves_nothing_open(loop, tmp_path):
    """Where a commit itself fails, as on a full disk, the change is undone and later ones work."""
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
        found = await tokens(store)
        await store.close()
        return found

    assert loop.run(run()) == ["b"]


async def tell(transaction, name, identifier):
    told = {
        "id": identifier, "type": "nodepool.updated", "kind": "NodePool", "resource_id": "r", "cluster_id": "c", "name": "n", "owner": "o",
        "generation": 1, "actor": "a", "time": "2026-01-01T00:00:00.000000Z", "replacement": "",
    }  # fmt: skip
    await events.append(transaction, name, [told])


async def read(store, after=events.Cursor()):  # noqa: B008 - a constant
    return [row["id"] for row in await events.read(store, after, limit=100)]


#: In SQLite one transaction writes at a time.
ON_POSTGRESQL = pytest.mark.parametrize("url", ["postgresql"], indirect=True)


@ON_POSTGRESQL
def test_event_is_read_when_no_older_transaction_runs(loop, store):
    """An event waits for the transactions that began before it, so that a cursor that has passed it has missed none."""

    async def run():
        seen = []
        async with store.transaction() as older:
            await tell(older, store.name, "older")
            async with store.transaction() as newer:
                await tell(newer, store.name, "newer")
            seen.append(await read(store))
        seen.append(await read(store))
        return seen

    assert loop.run(run()) == [[], ["older", "newer"]]


@ON_POSTGRESQL
def test_event_of_who_waited_for_a_row_comes_after_that_of_who_held_it(loop, store):
    """A transaction that is older and waits for a newer one tells of the resource after it, as it changed it after it."""
    if store.name == "sqlite":
        pytest.skip("one transaction writes at a time")
    lock = database.Statement(sa.text("SELECT digest FROM tokens WHERE digest = :digest FOR UPDATE"))

    async def run():
        async with store.transaction() as transaction:
            for digest in ("first", "second"):
                await access.put_token(transaction, PUT | {"digest": digest})
        async with store.transaction() as older:
            await older.rows(lock, digest="first")  # it has an id from here on
            async with store.transaction() as newer:
                await newer.rows(lock, digest="second")
                await tell(newer, store.name, "newer")
            await older.rows(lock, digest="second")
            await tell(older, store.name, "older")
        return await read(store)

    assert loop.run(run()) == ["newer", "older"]


def test_cursor_of_an_event(loop, store):
    """From the cursor of each event on come those after it; the last one's is the stream's end."""

    async def run():
        for identifier in "abc":
            async with store.transaction() as transaction:
                await tell(transaction, store.name, identifier)
        rows = await events.read(store, events.Cursor(), limit=100)
        cursors = [events.Cursor(row["transaction_id"], row["number"]) for row in rows]
        rest = [await read(store, events.cursor(str(cursor))) for cursor in cursors]
        return rest, await events.last(store) == cursors[-1]

    assert loop.run(run()) == ([["b", "c"], ["c"], []], True)
