"""Backups of the whole database in one file, and atomic restores.

SQLite is copied through its own backup interface, while servers write. PostgreSQL's own programs write and read its files; they
get the password in their environment. No SQL of a file is run: of a PostgreSQL dump, only the rows are read
(:mod:`planton_server.store.dumps`).
"""

from __future__ import annotations

import contextlib
import datetime
import os
import pathlib
import shutil
import sqlite3
import subprocess
import urllib.parse
from typing import TYPE_CHECKING, Any, Final

import psycopg
import sqlalchemy as sa

from planton import errors
from planton_server.store import database, dumps, engines, schema, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The gap in event numbers after a restore. It exceeds the number of events that a consumer can have read since the backup.
_GAP: Final = 1_000_000_000
_SECONDS: Final = 24 * 3600


def backup(url: str, target: pathlib.Path, *, overwrite: bool) -> int:
    """Writes a database into a file that only its owner can read; returns the file's size in bytes.

    Args:
        url: The database.
        target: The file.
        overwrite: Whether an existing file may be replaced.

    Raises:
        PlantonError: The file exists, the database cannot be reached, or a program is missing or failed.
    """
    if target.exists() and not overwrite:
        raise _refused(f"{target} exists already")
    with _replacing(target) as temporary:
        if database.check(url) == "sqlite":
            _copy(pathlib.Path(database.path(url)), temporary, missing="there is no database")
        else:
            # Earlier releases stored their schedules in the schema dbos.
            _run(
                "pg_dump", url, "--format=custom", f"--file={temporary}", "--no-owner", "--no-privileges", "--exclude-schema=dbos"
            )
    return target.stat().st_size


def restore(url: str, source: pathlib.Path, *, overwrite: bool, now: str) -> None:
    """Restores a database from a backup, and schedules a resync of all desired state.

    Args:
        url: The database. No server may use it meanwhile.
        source: The file.
        overwrite: Whether the current contents may be deleted.
        now: RFC 3339.

    Raises:
        PlantonError: The file is not a backup, the database is not empty or in use, or a program is missing or failed.
    """
    if not source.is_file():
        raise _usage(f"{source} does not exist")
    if database.check(url) == "sqlite":
        _restore_sqlite(pathlib.Path(database.path(url)), source, overwrite=overwrite, now=now)
    else:
        with _alone(url) as holds:
            if holds and not overwrite:
                raise _refused("the database is not empty")
            try:
                _restore_postgresql(url, dumps.Dump(_program_path("pg_restore"), source), now)
            except dumps.DumpError as error:
                raise _usage(f"{source} is no database of a server: {error}") from error


def _restore_postgresql(url: str, dump: dumps.Dump, now: str) -> None:
    """Creates the tables and loads their rows from a dump, in one transaction.

    Raises:
        DumpError: The dump is not a complete database of a server.
    """
    revision = dump.revision()
    if revision not in schema.supported_revisions():
        raise dumps.DumpError(f"revision {revision} is unknown to this release")
    made = engines.blocking(url)
    try:
        with made.begin() as connection:
            schema.drop(connection)
            before = dumps.parts(connection)
            schema.upgrade(connection, revision)
            dump.check(dumps.parts(connection).without(before))
            _load(connection, dump)
            schema.upgrade(connection)
            _renew(connection, now)
    except (psycopg.DataError, psycopg.IntegrityError, sa.exc.DataError, sa.exc.IntegrityError) as error:
        detail = str(getattr(error, "orig", error)).partition("\n")[0]
        raise dumps.DumpError(detail) from error
    except (psycopg.Error, sa.exc.DBAPIError) as error:
        detail = str(getattr(error, "orig", error)).partition("\n")[0]
        raise errors.database_unreachable(
            "the database cannot be restored; it is unchanged",
            hint=f"the error of PostgreSQL: {detail}",
        ) from error
    finally:
        made.dispose()


def _load(connection: sa.Connection, dump: dumps.Dump) -> None:
    """Loads the rows of all tables from a dump. Triggers are off, because the dump includes what they maintain."""
    cursor: Any = connection.connection.cursor()
    present = set(sa.inspect(connection).get_table_names())
    resources = (tables.CLUSTERS.name, tables.NODE_POOLS.name)
    for name in resources:
        connection.exec_driver_sql(f"ALTER TABLE {name} DISABLE TRIGGER USER")
    for table in tables.METADATA.sorted_tables:
        if table.name in present:
            dump.load(connection, table, cursor.copy)
    for name in resources:
        connection.exec_driver_sql(f"ALTER TABLE {name} ENABLE TRIGGER USER")
    number, is_used = dump.number("events_number_seq") or (1, False)
    sequence = sa.func.pg_get_serial_sequence("events", "number")
    connection.execute(sa.select(sa.func.setval(sequence, number, is_used)))


def _renew(connection: sa.Connection, now: str) -> None:
    """Schedules a resync of all desired state, with event numbers above any that consumers have read."""
    for table in (tables.CLUSTERS, tables.NODE_POOLS):
        connection.execute(sa.update(table).where(table.c.resync_at.is_not(None)).values(resync_at=now))
    # Clock steps, leases and processes of the source server do not apply here.
    connection.execute(sa.delete(tables.LEASES))
    connection.execute(sa.delete(tables.PROCESSES))
    moment = int(datetime.datetime.fromisoformat(now).timestamp() * 1000)
    connection.execute(sa.update(tables.WORK).values(due=moment, process=None, since=None, touched=False))
    connection.execute(sa.update(tables.ACCOUNTS).values(at=moment))
    if connection.dialect.name == "sqlite":
        later = f"UPDATE sqlite_sequence SET seq = seq + {_GAP} WHERE name = 'events'"  # noqa: S608 - a constant
        connection.exec_driver_sql(later)
    else:
        # Events of another server may have higher transaction ids than this one's, and would stay hidden.
        own: sa.ColumnElement[int] = sa.literal_column("pg_current_xact_id()::text::bigint")
        connection.execute(sa.update(tables.EVENTS).where(tables.EVENTS.c.transaction_id >= own).values(transaction_id=0))


def _restore_sqlite(path: pathlib.Path, source: pathlib.Path, *, overwrite: bool, now: str) -> None:
    if any(one.exists() and one.stat().st_size for one in (path, *_journals(path))):
        if not overwrite:
            raise _refused(f"{path} contains a database already")
        if path.exists():
            _close_for_others(path)
    with _replacing(path) as temporary:
        _copy(source, temporary, missing="there is no file")
        _make_ready(temporary, source, now)
        # Journals of a killed server: SQLite would apply them to the new file.
        for journal in _journals(path):
            journal.unlink(missing_ok=True)


def _make_ready(path: pathlib.Path, source: pathlib.Path, now: str) -> None:
    """Checks and migrates a copy, before it replaces the database."""
    url = f"sqlite:///{urllib.parse.quote(str(path))}"
    try:
        if wrong := schema.fault(url):
            raise _usage(f"{source} is no database of a server: {wrong}")
        schema.migrate(url)
        made = engines.blocking(url)
        try:
            with made.begin() as connection:
                _renew(connection, now)
        finally:
            made.dispose()
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    except (sa.exc.DatabaseError, sqlite3.DatabaseError, database.UnavailableError) as error:
        raise _usage(f"{source} is no database of a server: {getattr(error, 'orig', error)}") from error


def _journals(path: pathlib.Path) -> list[pathlib.Path]:
    return [path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", "-journal")]


def _close_for_others(path: pathlib.Path) -> None:
    """Checks that no other process has a database open: only a single user can change the journal mode."""
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=0)) as connection:
            mode = connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
    except sqlite3.DatabaseError as error:
        if "locked" not in str(error):
            # The file is not a database, so there is nothing to lose.
            return
        mode = "locked"
    if mode != "delete":
        raise _in_use(str(path))


def _copy(source: pathlib.Path, target: pathlib.Path, *, missing: str) -> None:
    """Copies a database that may be in use into a new file, and checks the copy."""
    try:
        uri = f"file:{urllib.parse.quote(str(source))}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as old, contextlib.closing(sqlite3.connect(target)) as new:
            old.backup(new)
            new.execute("PRAGMA journal_mode = DELETE")
            verdict = new.execute("PRAGMA integrity_check").fetchone()[0]
            new.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        if not source.exists():
            raise _usage(f"{source}: {missing}") from error
        raise _usage(f"{source} is no database of a server: {error}") from error
    if verdict != "ok":
        raise _usage(f"{source} is damaged: {verdict}")


@contextlib.contextmanager
def _replacing(target: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yields a new file that replaces the target when the block succeeds."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        raise _usage(f"cannot write {target}: {error.strerror}") from error
    finally:
        for temporary_file in (temporary, *_journals(temporary)):
            temporary_file.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(url: str) -> Iterator[bool]:
    """Locks a PostgreSQL database against servers. Yields whether it has tables of a server."""
    made = engines.blocking(url)
    try:
        with made.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not connection.execute(sa.select(sa.func.pg_try_advisory_lock(database.IN_USE))).scalar_one():
                raise _in_use("the database")
            yield sa.inspect(connection).has_table("alembic_version")
    except sa.exc.OperationalError as error:
        raise errors.database_unreachable("the database cannot be reached") from error
    finally:
        made.dispose()


def _run(program: str, url: str, *arguments: str) -> None:
    """Runs one of PostgreSQL's programs on a database."""
    path = _program_path(program)
    made = sa.make_url(url)
    password = str(made.password or made.query.get("password", ""))
    shown = made._replace(drivername="postgresql", password=None).difference_update_query(["password"])
    environment = os.environ | ({"PGPASSWORD": password} if password else {})
    command = [path, *arguments[:-1], f"--dbname={shown.render_as_string()}", *arguments[-1:]]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error:" in line] or done.stderr.splitlines() or ["nothing"]
        raise errors.database_unreachable(
            f"{program} failed",
            hint=f"its error: {lines[0].partition('error: ')[2] or lines[0]}",
        )


def _program_path(program: str) -> str:
    """Returns the path of one of PostgreSQL's programs."""
    path = shutil.which(program)
    if path is None:
        raise errors.toolchain_missing(
            f"{program} is not on PATH",
            hint="install PostgreSQL's client programs, of the server's version or a newer one",
        )
    return path


def _in_use(what: str) -> errors.PlantonError:
    return errors.consent_required(
        f"{what} is in use",
        hint="stop the server first",
    )


def _refused(message: str) -> errors.PlantonError:
    hint = "add --overwrite to replace it"
    return errors.consent_required(message, hint=hint)


def _usage(message: str) -> errors.PlantonError:
    return errors.usage(message)
