"""Fixtures of several folders of tests."""

import pytest

from support import postgres


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL of this worker's, which starts with the first test that needs it."""
    made = postgres.Cluster()
    yield made
    made.remove()


@pytest.fixture(scope="session")
def migrated(cluster):
    """The name of a database with all tables and no rows, to be copied."""
    from planton.store import schema

    name = cluster.create()
    schema.migrate(cluster.url(name))
    return name
