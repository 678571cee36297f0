"""The migrations of a database: the current revision, and running the missing ones.

A migration only adds (expand). What an older server needs is removed in a later release (contract). So servers of two releases work
on one database during a rolling upgrade, and a server accepts a database that is newer than itself.
"""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from planton_server.store import database, engines, tables

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The key of PostgreSQL's advisory lock of a running migration: "planton" in ASCII.
_LOCK: Final = 0x706C616E746F6E


def migrate(url: str) -> tuple[str, str]:
    """Runs the migrations that a database lacks. Servers that start at the same time wait for the first one.

    Returns:
        The revision before, empty for a new database, and the revision now.

    Raises:
        UnavailableError: The database cannot be reached.
    """
    try:
        engine = engines.blocking(url)
    except OSError as error:
        raise database.UnavailableError(str(error)) from error
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                # With a write-ahead log, readers and the writer do not wait for each other.
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                return _migrate(connection)
            connection.execute(sa.select(sa.func.pg_advisory_lock(_LOCK)))
            connection.commit()
            revisions = _migrate(connection)
            connection.execute(sa.select(sa.func.pg_advisory_unlock(_LOCK)))
            connection.commit()
            return revisions
    except sa.exc.OperationalError as error:
        raise database.UnavailableError(str(error.orig)) from error
    finally:
        engine.dispose()


def _migrate(connection: sa.Connection) -> tuple[str, str]:
    """Runs the missing migrations; returns the revisions before and now."""
    before = _revision(connection)
    if not before or before in supported_revisions()[:-1]:
        upgrade(connection)
        connection.commit()
    now = _revision(connection)
    connection.commit()
    return before, now


def fault(url: str) -> str:
    """Returns why a SQLite file is not a server's database; empty if it is one.

    Other tables may exist, such as those of an earlier release's schedules. Other triggers may not: they would run with our statements.

    Raises:
        DatabaseError: SQLAlchemy's; the file cannot be read.
    """
    engine, reference = engines.blocking(url), sa.create_engine("sqlite://")
    try:
        with engine.connect() as connection, reference.connect() as expected:
            revisions = list(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars())
            if len(revisions) != 1 or revisions[0] not in supported_revisions():
                return f"revision {', '.join(map(str, revisions)) or 'none'} is unknown to this release"
            upgrade(expected, revisions[0])
            missing = sorted(_parts(expected) - _parts(connection))
            if missing:
                return f"there is no {missing[0]}"
            return "" if _triggers(expected) == _triggers(connection) else "its triggers are not those of a server"
    finally:
        engine.dispose()
        reference.dispose()


def _parts(connection: sa.Connection) -> set[str]:
    return set(connection.execute(sa.text(_PARTS)).scalars())


def _triggers(connection: sa.Connection) -> set[str]:
    definitions = connection.execute(sa.text("SELECT sql FROM sqlite_master WHERE type = 'trigger'")).scalars()
    return {" ".join(definition.split()) for definition in definitions}


def upgrade(connection: sa.Connection, revision: str = "head") -> None:
    """Runs migrations on a connection, in its transaction if it has one."""
    import alembic.command  # noqa: PLC0415  # 8 MB, only for a database that is not up to date

    alembic.command.upgrade(_config(connection), revision)


def drop(connection: sa.Connection) -> None:
    """Drops a server's tables and trigger functions in PostgreSQL, after any running migration."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    names = ", ".join([*tables.METADATA.tables, _REVISIONS])
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {names}")
    functions = ", ".join(f"{name}()" for name in _FUNCTIONS)
    connection.exec_driver_sql(f"DROP FUNCTION IF EXISTS {functions}")


def supported_revisions() -> Sequence[str]:
    """Returns the revisions that this release supports, the oldest first. The name of a migration's file begins with its revision."""
    return sorted(path.name.partition("_")[0] for path in (_FOLDER / "versions").glob("[0-9]*_*.py"))


def _revision(connection: sa.Connection) -> str:
    """Returns a database's revision; empty for a new database."""
    if not sa.inspect(connection).has_table(_REVISIONS):
        return ""
    return str(connection.execute(sa.text(f"SELECT version_num FROM {_REVISIONS}")).scalar() or "")  # noqa: S608 - a constant


def _config(connection: sa.Connection) -> Any:  # Alembic's configuration
    import alembic.config  # noqa: PLC0415  # 8 MB, only for a database that is not up to date

    config = alembic.config.Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


_REVISIONS: Final = "alembic_version"
#: The functions of triggers.
_FUNCTIONS: Final = (
    "tally_insert", "tally_update", "tally_delete", "work_clusters_insert", "work_clusters_update", "work_clusters_move",
    "work_node_pools_insert", "work_node_pools_update", "work_delete",
)  # fmt: skip
#: The text of a table's definition depends on what wrote it; its columns do not.
_PARTS: Final = """
SELECT type || ' ' || name FROM sqlite_master WHERE type IN ('table', 'index')
UNION SELECT 'column ' || t.name || '.' || c.name || ' ' || c.type FROM sqlite_master AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table'
"""
_FOLDER: Final = pathlib.Path(__file__).with_name("migrations")
