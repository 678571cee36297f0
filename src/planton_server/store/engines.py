"""Blocking engines, for migrations and timed work. They import no migrations, which a server that runs does not need."""

from __future__ import annotations

import pathlib

import sqlalchemy as sa

from planton_server.store import database


def blocking(url: str) -> sa.Engine:
    """Returns a blocking engine for a database.

    Raises:
        OSError: The file of a SQLite database cannot be created.
        ValueError: The URL is neither SQLite's nor PostgreSQL's.
    """
    if database.check(url) == "sqlite":
        path = pathlib.Path(database.path(url))
        path.touch(mode=0o600)
        return sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 10})
    driver_url = sa.make_url(url).set(drivername="postgresql+psycopg")
    return sa.create_engine(driver_url, pool_size=2, pool_pre_ping=True, connect_args={"connect_timeout": 5})
