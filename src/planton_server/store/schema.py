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

from planton_server.store import database, tables

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
            if before in (None, *known()):
                upgrade(connection)
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


def fault(url: str) -> str:
    """Returns what keeps a SQLite file from being a server's database, in words; empty where it is what the migrations make.

    Tables that are not ours may stand beside them, as those of the schedules do; triggers may not, for they would run with our statements.

    Raises:
        DatabaseError: SQLAlchemy's; the file cannot be read.
    """
    made, fresh = engine(url), sa.create_engine("sqlite://")
    try:
        with made.connect() as connection, fresh.connect() as wanted:
            revisions = list(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars())
            if len(revisions) != 1 or revisions[0] not in known():
                return f"revision {', '.join(map(str, revisions)) or 'none'} is not one that this release knows"
            upgrade(wanted, revisions[0])
            lacking = sorted(_parts(wanted) - _parts(connection))
            if lacking:
                return f"there is no {lacking[0]}"
            return "" if _triggers(wanted) == _triggers(connection) else "its triggers are not those of a server"
    finally:
        made.dispose()
        fresh.dispose()


def _parts(connection: sa.Connection) -> set[str]:
    return set(connection.execute(sa.text(_PARTS)).scalars())


def _triggers(connection: sa.Connection) -> set[str]:
    found = connection.execute(sa.text("SELECT sql FROM sqlite_master WHERE type = 'trigger'")).scalars()
    return {" ".join(one.split()) for one in found}


def upgrade(connection: sa.Connection, revision: str = "head") -> None:
    """Runs migrations on a connection, in its transaction if it has one."""
    alembic.command.upgrade(_config(connection), revision)


def drop(connection: sa.Connection) -> None:
    """Drops a server's tables and trigger functions in PostgreSQL, after any running migration."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    names = ", ".join([*tables.METADATA.tables, "alembic_version"])
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {names}")
    connection.exec_driver_sql("DROP FUNCTION IF EXISTS tally_insert(), tally_update(), tally_delete()")


def known() -> Iterator[str]:
    """Yields the revisions that this release supports."""
    for script in alembic.script.ScriptDirectory(str(_FOLDER)).walk_revisions():
        yield script.revision


def _revision(connection: sa.Connection) -> str | None:
    return alembic.migration.MigrationContext.configure(connection).get_current_revision()


def _config(connection: sa.Connection) -> alembic.config.Config:
    config = alembic.config.Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


#: The text of a table's definition depends on what wrote it; its columns do not.
_PARTS: Final = """
SELECT type || ' ' || name FROM sqlite_master WHERE type IN ('table', 'index')
UNION SELECT 'column ' || t.name || '.' || c.name || ' ' || c.type FROM sqlite_master AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table'
"""
_FOLDER: Final = pathlib.Path(__file__).with_name("migrations")
