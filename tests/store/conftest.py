"""Fixtures of the store's tests: one empty, migrated database of each sort."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from planton.store import schema
from support import postgres


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    """A PostgreSQL of this worker's."""
    made = postgres.Cluster()
    yield made
    made.remove()


@pytest.fixture(scope="session")
def template(cluster: postgres.Cluster) -> str:
    """The name of a migrated database, to be copied."""
    name = cluster.create()
    schema.migrate(cluster.url(name))
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> str:
    """The URL of an empty, migrated database."""
    if request.param == "sqlite":
        made = f"sqlite:///{tmp_path / 'server.db'}"
        schema.migrate(made)
        return made
    cluster = request.getfixturevalue("cluster")
    return cluster.url(cluster.create(request.getfixturevalue("template")))


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    """The blocking engine of the database."""
    made = schema.engine(url)
    yield made
    made.dispose()
