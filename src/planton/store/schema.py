"""The schema's state: which migrations a database has had, and running those that it lacks.

A migration only adds (expand); what an older server needs goes in a later release (contract). So servers of two releases work
side by side while they roll, and a server accepts a database that is newer than itself.
"""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Final

import alembic.command
import alembic.config
import alembic.migration
import alembic.script
import sqlalchemy as sa

from planton.store import database

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The key of PostgreSQL's advisory lock under which one server migrates and others wait: "planton" in ASCII.
_LOCK: Final = 0x706C616E746F6E


def engine(url: str) -> sa.Engine:
    """Returns a blocking engine for a database, for migrations and timed work.

    Raises:
        ValueError: The URL is neither SQLite's nor PostgreSQL's.
    """
    if database.check(url) == "sqlite":
        path = pathlib.Path(database.path(url))
        path.touch(mode=0o600)
        return sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 10}, poolclass=sa.NullPool)
    made = sa.make_url(url).set(drivername="postgresql+psycopg")
    return sa.create_engine(made, pool_size=2, pool_pre_ping=True, connect_args={"connect_timeout": 5})


def migrate(url: str) -> tuple[str, str]:
    """Runs what migrations a database lacks; servers that start at once wait for the first.

    Returns:
        The revision before, empty for a new database, and the one now.

    Raises:
        UnavailableError: The database cannot be reached.
    """
    try:
        made = engine(url)
    except OSError as error:
        raise database.UnavailableError(str(error)) from error
    try:
        with made.connect() as connection:
            if made.dialect.name == "sqlite":
                # Readers and the writer do not wait for each other from the first statement on.
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.execute(sa.select(sa.func.pg_advisory_lock(_LOCK)))
                connection.commit()
            before = _revision(connection)
            if before in (None, *_known()):
                alembic.command.upgrade(_config(connection), "head")
                connection.commit()
            now = _revision(connection)
            connection.commit()
            if made.dialect.name != "sqlite":
                connection.execute(sa.select(sa.func.pg_advisory_unlock(_LOCK)))
                connection.commit()
            return before or "", now or ""
    except sa.exc.OperationalError as error:
        raise database.UnavailableError(str(error.orig)) from error
    finally:
        made.dispose()


def _known() -> Iterator[str]:
    for script in alembic.script.ScriptDirectory(str(_FOLDER)).walk_revisions():
        yield script.revision


def _revision(connection: sa.Connection) -> str | None:
    return alembic.migration.MigrationContext.configure(connection).get_current_revision()


def _config(connection: sa.Connection) -> alembic.config.Config:
    config = alembic.config.Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


_FOLDER: Final = pathlib.Path(__file__).with_name("migrations")
