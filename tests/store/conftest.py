"""Fixtures for the tests of the store: an empty, migrated database of each engine."""

from __future__ import annotations

import pathlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from planton_server.store import database, engines
from support import api, sqlite_file


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> str:
    """The URL of an empty, migrated database."""
    if request.param == "sqlite":
        return sqlite_file.create(tmp_path / "server.db")
    cluster = request.getfixturevalue("cluster")
    return cluster.url(cluster.create(request.getfixturevalue("migrated")))


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    """The blocking engine of the database."""
    blocking = engines.blocking(url)
    yield blocking
    blocking.dispose()


@pytest.fixture(scope="session")
def loop() -> Iterator[api.Loop]:
    """An event loop in a thread."""
    running = api.Loop()
    yield running
    running.close()


@pytest.fixture
def store(loop: api.Loop, url: str) -> Iterator[database.Database]:
    """The database as the server uses it."""
    connected = loop.run(database.connect(url, connections=4))
    yield connected
    loop.run(connected.close())


class Explained(database.Statement):
    """A statement whose rows are its query plan."""

    def compiled(self, database: str, values: Any) -> tuple[str, list[Any]]:
        text, ordered = super().compiled(database, values)
        return f"{'EXPLAIN QUERY PLAN' if database == 'sqlite' else 'EXPLAIN'} {text}", ordered


class Explaining:
    """A database that plans statements without running them."""

    def __init__(self, inner: database.Database) -> None:
        self.name = inner.name
        self._inner = inner

    async def rows(self, statement: database.Statement, **values: Any) -> Sequence[database.Row]:
        rows = await self._inner.rows(Explained(statement.clause), **values)
        return [str(row[-1]) for row in rows]


@pytest.fixture
def plan(loop: api.Loop, store: database.Database) -> Callable[[Callable[[Any], Awaitable[Any]]], str]:
    """Returns a function that returns the query plan of the statement that a callable runs."""
    return lambda run: "\n".join(loop.run(run(Explaining(store))))
