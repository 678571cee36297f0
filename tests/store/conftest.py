"""Fixtures of the store's tests: one empty, migrated database of each sort."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from planton_server.store import schema


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> str:
    """The URL of an empty, migrated database."""
    if request.param == "sqlite":
        made = f"sqlite:///{tmp_path / 'server.db'}"
        schema.migrate(made)
        return made
    cluster = request.getfixturevalue("cluster")
    return cluster.url(cluster.create(request.getfixturevalue("migrated")))


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    """The blocking engine of the database."""
    made = schema.engine(url)
    yield made
    made.dispose()
