"""``planton server backup`` and ``restore``: what was in the database is in it again, or nothing is changed."""

from __future__ import annotations

import contextlib
import pathlib
import sqlite3
import subprocess
from collections.abc import Callable

import psycopg
import pytest
import sqlalchemy as sa

from planton import cli
from planton_server.store import database, engines, schema, tables
from support import api, postgres, rows, serving, waiting


@pytest.fixture
def backed_up(new_url, engine: str, tmp_path, monkeypatch):
    """A database with a pool and two events, and its backup."""
    if engine == "postgresql":
        # Those of the server's own version.
        monkeypatch.setenv("PATH", str(postgres.programs()), prepend=":")
    url, file = new_url(engine), tmp_path / "backup"
    opened = engines.blocking(url)
    rows.node_pool(opened, rows.cluster(opened), resync_at="2999", name="kept")
    rows.event(opened)
    rows.event(opened, transaction_id=10**15, type="nodepool.deleted")
    opened.dispose()
    assert cli.main(["server", "backup", str(file), "--database-url", url]) == 0
    return url, file


def read(url: str) -> tuple[list[str], int]:
    """Return the names of pools and the number of events."""
    opened = engines.blocking(url)
    with opened.connect() as connection:
        names = list(connection.execute(sa.select(tables.NODE_POOLS.c.name)).scalars())
        events = connection.execute(sa.select(sa.func.count()).select_from(tables.EVENTS)).scalar_one()
    opened.dispose()
    return names, events


def empty(engine: str, tmp_path: pathlib.Path, request: pytest.FixtureRequest) -> str:
    if engine == "sqlite":
        return f"sqlite:///{tmp_path / 'other' / 'server.db'}"
    cluster = request.getfixturevalue("cluster")
    return cluster.url(cluster.create())


def test_a_backup_becomes_the_same_database(backed_up, engine: str, tmp_path, request) -> None:
    """In an empty one; only its owner can read the file."""
    _, file = backed_up
    assert file.stat().st_mode & 0o777 == 0o600
    other = empty(engine, tmp_path, request)
    assert cli.main(["server", "restore", str(file), "--database-url", other]) == 0
    assert read(other) == (["kept"], 2)
    opened = engines.blocking(other)
    with opened.connect() as connection:
        # What is wanted is told again: whatever happened since the backup is not known any more.
        assert connection.execute(sa.select(tables.NODE_POOLS.c.resync_at)).scalar_one() < "2999"
        # And no event is hidden behind transactions of another server.
        assert (
            connection.execute(sa.select(sa.func.max(tables.EVENTS.c.transaction_id))).scalar_one() < 10**15 or engine == "sqlite"
        )
        assert connection.execute(sa.select(sa.func.sum(tables.TALLIES.c.number))).scalar_one() == 2
    opened.dispose()


def test_a_database_that_holds_something_is_kept(backed_up, capsys) -> None:
    """Unless it is said that it may be lost."""
    url, file = backed_up
    opened = engines.blocking(url)
    rows.cluster(opened)
    rows.event(opened)
    opened.dispose()
    assert cli.main(["server", "restore", str(file), "--database-url", url]) == 5
    assert "--overwrite" in capsys.readouterr().err
    assert read(url) == (["kept"], 3)
    assert cli.main(["server", "restore", str(file), "--database-url", url, "--overwrite"]) == 0
    assert read(url) == (["kept"], 2)


def test_a_file_that_is_there_is_kept(backed_up) -> None:
    """Unless it is said that it may be replaced."""
    url, file = backed_up
    before = file.read_bytes()
    assert cli.main(["server", "backup", str(file), "--database-url", url]) == 5
    assert file.read_bytes() == before
    assert cli.main(["server", "backup", str(file), "--database-url", url, "--overwrite"]) == 0


def test_events_after_a_restore_come_after_all_that_were_read(new_url, backed_up, engine: str) -> None:
    """A consumer whose cursor is newer than the backup misses nothing."""
    if engine != "sqlite":
        pytest.skip("transactions of one PostgreSQL server go on; those of another one make consumers start anew")
    url, file = backed_up
    opened = engines.blocking(url)
    for _ in range(5):
        rows.event(opened)
    last = rows.events(opened)[-1]["number"]
    opened.dispose()
    assert cli.main(["server", "restore", str(file), "--database-url", url, "--overwrite"]) == 0
    opened = engines.blocking(url)
    rows.event(opened)
    assert rows.events(opened)[-1]["number"] > last
    opened.dispose()


@pytest.mark.parametrize("content", [b"", b"no database", None])
def test_what_is_no_backup_changes_nothing(new_url, tmp_path, content: bytes | None) -> None:
    """Neither an empty file nor another one, nor another program's database."""
    url, file = new_url("sqlite"), tmp_path / "file"
    opened = engines.blocking(url)
    rows.cluster(opened)
    opened.dispose()
    if content is None:
        with sqlite3.connect(file) as other:
            other.execute("CREATE TABLE t (x)")
        other.close()
    else:
        file.write_bytes(content)
    before = pathlib.Path(url.removeprefix("sqlite:///")).stat().st_size
    assert cli.main(["server", "restore", str(file), "--database-url", url, "--overwrite"]) == 2
    assert read(url) == ([], 0)
    assert pathlib.Path(url.removeprefix("sqlite:///")).stat().st_size >= before


def _only_revision(file: pathlib.Path) -> None:
    file.unlink()
    with contextlib.closing(sqlite3.connect(file)) as made:
        made.executescript("CREATE TABLE alembic_version (version_num); INSERT INTO alembic_version VALUES ('0001')")


def _changed(statement: str) -> Callable[[pathlib.Path], None]:
    def change(file: pathlib.Path) -> None:
        with contextlib.closing(sqlite3.connect(file)) as made:
            made.executescript(statement)

    return change


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_only_revision, "there is no column"),
        (_changed("DELETE FROM alembic_version"), "revision none"),
        (_changed("UPDATE alembic_version SET version_num = 'from-the-future'"), "revision from-the-future"),
        (_changed("DROP INDEX ix_events_time"), "there is no index ix_events_time"),
        (_changed("CREATE TRIGGER t AFTER UPDATE ON clusters BEGIN DELETE FROM tokens; END"), "triggers"),
        (_changed("DROP TRIGGER tally_insert"), "triggers"),
        (_changed("DROP TABLE reports; CREATE VIEW reports AS SELECT 1"), "there is no column reports"),
    ],
)
def test_another_database_changes_nothing(new_url, tmp_path, capsys, spoil: Callable[[pathlib.Path], None], said: str) -> None:
    """Although it has what tells a server's: it is looked at before it takes the place of the good one."""
    url, file = new_url("sqlite"), tmp_path / "file"
    opened = engines.blocking(url)
    rows.node_pool(opened, rows.cluster(opened), name="kept")
    opened.dispose()
    assert cli.main(["server", "backup", str(file), "--database-url", url]) == 0
    spoil(file)
    assert cli.main(["server", "restore", str(file), "--database-url", url, "--overwrite"]) == 2
    assert said in capsys.readouterr().err
    assert read(url) == (["kept"], 0)
    path = pathlib.Path(url.removeprefix("sqlite:///"))
    assert {one.name for one in path.parent.iterdir()} <= {path.name, f"{path.name}-wal", f"{path.name}-shm"}


def _sql(statement: str) -> Callable[[str, pathlib.Path], None]:
    """Returns what changes a database, and dumps it then."""

    def spoil(url: str, file: pathlib.Path) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(statement)
        _dump(url, file)

    return spoil


def _dump(url: str, file: pathlib.Path, *options: str) -> None:
    subprocess.run(["pg_dump", f"--dbname={url}", "--format=custom", f"--file={file}", *options], check=True)


def _cut(url: str, file: pathlib.Path) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO tokens SELECT g, repeat(md5(g::text), 20), 'user', 't' FROM generate_series(1, 2000) AS g"
        )
    _dump(url, file, "--compress=0")
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])


_EVIL = "CREATE FUNCTION evil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM tokens; RETURN NULL; END $$;"


@pytest.mark.parametrize("engine", ["postgresql"])
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        pytest.param(lambda _url, file: file.write_bytes(b""), "no database of a server", id="an empty file"),
        pytest.param(lambda _url, file: file.write_bytes(b"no dump" * 1000), "no database of a server", id="no dump"),
        pytest.param(
            lambda _url, file: file.write_text("-- PostgreSQL database dump\n" * 99),
            "no database of a server",
            id="a dump of text",
        ),
        pytest.param(
            lambda _url, file: sqlite3.connect(file).execute("CREATE TABLE t (x)"),
            "no database of a server",
            id="another engine's",
        ),
        pytest.param(_sql("DROP TABLE alembic_version"), "there is no table alembic_version", id="another program's"),
        pytest.param(_sql("DELETE FROM alembic_version"), "revision none", id="no revision"),
        pytest.param(
            _sql("UPDATE alembic_version SET version_num = 'from-the-future'"), "revision from-the-future", id="a newer release"
        ),
        pytest.param(_sql("INSERT INTO alembic_version VALUES ('0001')"), "revision", id="two revisions"),
        pytest.param(
            _sql("UPDATE alembic_version SET version_num = '0001'"),
            "there is no index ix_clusters_created_at_id",
            id="another revision",
        ),
        pytest.param(_sql("DROP TABLE reports"), "there is no table reports", id="a table less"),
        pytest.param(_sql("DROP INDEX ix_events_time"), "there is no index ix_events_time", id="an index less"),
        pytest.param(_sql("ALTER TABLE reports DROP COLUMN metadata"), "there is no column reports.metadata", id="a column less"),
        pytest.param(
            _sql("ALTER TABLE node_pools DROP CONSTRAINT node_pools_cluster_id_fkey"),
            "there is no fk constraint",
            id="a key less",
        ),
        pytest.param(
            _sql("DROP TRIGGER tally_insert ON node_pools"), "there is no trigger node_pools tally_insert", id="a trigger less"
        ),
        pytest.param(
            _sql(f"{_EVIL} CREATE TRIGGER t AFTER UPDATE ON clusters FOR EACH ROW EXECUTE FUNCTION evil()"),
            "triggers",
            id="a foreign trigger",
        ),
        pytest.param(_sql(_EVIL), "triggers", id="a foreign function"),
        pytest.param(
            _sql(_EVIL.replace("CREATE FUNCTION evil()", "CREATE OR REPLACE FUNCTION tally_insert()")),
            "tally_insert is another one",
            id="another function",
        ),
        pytest.param(_sql("CREATE RULE r AS ON INSERT TO tokens DO ALSO DELETE FROM reports"), "triggers", id="a foreign rule"),
        pytest.param(_sql("CREATE POLICY p ON tokens"), "triggers", id="a foreign policy"),
        pytest.param(
            _sql("DROP TABLE reports; CREATE VIEW reports AS SELECT 1"), "there is no table reports", id="a view for a table"
        ),
        pytest.param(lambda url, file: _dump(url, file, "--schema-only"), "revision none is unknown", id="tables without rows"),
        pytest.param(
            lambda url, file: _dump(url, file, "--exclude-table-data=tokens"),
            "there is no table data tokens",
            id="a table without rows",
        ),
        pytest.param(_cut, "no database of a server", id="half a file"),
    ],
)
def test_another_dump_changes_nothing(backed_up, new_url, tmp_path, capsys, spoil, said: str) -> None:
    """As for SQLite: it is refused with the same exit code, and nothing of it has been run."""
    url, _ = backed_up
    other, file = new_url("postgresql"), tmp_path / "spoilt"
    opened = engines.blocking(other)
    rows.node_pool(opened, rows.cluster(opened), name="not restored")
    opened.dispose()
    spoil(other, file)
    assert cli.main(["server", "restore", str(file), "--database-url", url, "--overwrite"]) == 2
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.out == ""
    assert read(url) == (["kept"], 2)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_proc WHERE proname = 'evil'").fetchone() == (0,)


@pytest.mark.parametrize("statement", ["UPDATE node_pools SET cluster_id = 'none'", "UPDATE node_pools SET generation = NULL"])
@pytest.mark.parametrize("engine", ["postgresql"])
def test_rows_that_contradict_the_tables_change_nothing(backed_up, new_url, tmp_path, statement: str) -> None:
    """The last of them as little as the first one."""
    url, _ = backed_up
    other, file = new_url("postgresql"), tmp_path / "spoilt"
    opened = engines.blocking(other)
    rows.node_pool(opened, rows.cluster(opened))
    opened.dispose()
    with psycopg.connect(other, autocommit=True) as connection:
        connection.execute("ALTER TABLE node_pools DROP CONSTRAINT node_pools_cluster_id_fkey")
        connection.execute("ALTER TABLE node_pools ALTER generation DROP NOT NULL")
        connection.execute(statement)
        connection.execute(
            "ALTER TABLE node_pools ADD CONSTRAINT node_pools_cluster_id_fkey FOREIGN KEY (cluster_id) REFERENCES clusters (id) NOT VALID"
        )
    _dump(other, file)
    assert cli.main(["server", "restore", str(file), "--database-url", url, "--overwrite"]) == 2
    assert read(url) == (["kept"], 2)


def test_a_backup_of_an_older_release_is_brought_up_to_date(engine: str, tmp_path, request, monkeypatch) -> None:
    """With the tables that it did not have."""
    if engine == "postgresql":
        monkeypatch.setenv("PATH", str(postgres.programs()), prepend=":")
    file = tmp_path / "backup"
    old, new = (empty(engine, tmp_path / name, request) for name in ("old", "new"))
    for url in (old, new):
        if engine == "sqlite":
            pathlib.Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True)
    opened = engines.blocking(old)
    with opened.begin() as connection:
        schema.upgrade(connection, "0001")
    rows.node_pool(opened, rows.cluster(opened), name="old")
    opened.dispose()
    assert cli.main(["server", "backup", str(file), "--database-url", old]) == 0
    assert cli.main(["server", "restore", str(file), "--database-url", new]) == 0
    assert read(new) == (["old"], 0)
    assert schema.migrate(new)[0] == schema.migrate(new)[1]


@pytest.mark.parametrize("engine", ["postgresql"])
def test_numbers_of_events_go_on_after_a_restore(backed_up, engine: str, tmp_path, request) -> None:
    """Also those of events that have gone."""
    url, file = backed_up
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT setval(pg_get_serial_sequence('events', 'number'), 1000)")
    other = empty(engine, tmp_path, request)
    assert cli.main(["server", "backup", str(file), "--database-url", url, "--overwrite"]) == 0
    assert cli.main(["server", "restore", str(file), "--database-url", other]) == 0
    opened = engines.blocking(other)
    rows.event(opened)
    assert rows.events(opened)[-1]["number"] == 1001
    opened.dispose()


def test_what_a_killed_server_left_is_not_played_into_the_restored_database(tmp_path, capsys) -> None:
    """Its journal is another database's; it may hold what the file that is gone did not."""
    path, file = tmp_path / "server.db", tmp_path / "backup"
    url = f"sqlite:///{path}"
    with serving.running(tmp_path, "--tick", "0") as server:
        server.pool()
        assert cli.main(["server", "backup", str(file), "--database-url", url]) == 0
        server.call("POST", "/clusters", serving.CLUSTER | {"name": "later"})
        server.process.kill()
        server.process.wait()
    path.unlink()
    assert path.with_name("server.db-wal").stat().st_size
    assert cli.main(["server", "restore", str(file), "--database-url", url]) == 5
    assert "--overwrite" in capsys.readouterr().err
    assert cli.main(["server", "restore", str(file), "--database-url", url, "--overwrite"]) == 0
    assert read(url)[0] == ["pool-1"]
    with contextlib.closing(sqlite3.connect(path)) as restored:
        assert restored.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_server_that_runs_is_backed_up_and_not_restored(tmp_path, capsys) -> None:
    """It would go on with the file that was replaced."""
    url, file = f"sqlite:///{tmp_path / 'server.db'}", tmp_path / "backup"
    with serving.running(tmp_path) as server:
        server.pool()
        assert cli.main(["server", "backup", str(file), "--database-url", url]) == 0
        assert cli.main(["server", "restore", str(file), "--database-url", url, "--overwrite"]) == 5
        assert "stop the server first" in capsys.readouterr().err
        assert server.call("GET", "/nodepools")["total"] == 1
    assert cli.main(["server", "restore", str(file), "--database-url", url, "--overwrite"]) == 0
    with serving.running(tmp_path) as server:
        assert [pool["name"] for pool in server.call("GET", "/nodepools")["nodepools"]] == ["pool-1"]


def _holders(url: str) -> list[int]:
    """Return the connections that show that a database is in use."""
    query = "SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE locktype = 'advisory' AND granted AND datname = current_database()"
    with psycopg.connect(url, autocommit=True) as connection:
        return [row[0] for row in connection.execute(query)]


@pytest.mark.parametrize("engine", ["postgresql"])
def test_a_database_that_servers_use_is_not_restored(backed_up, loop, engine: str, capsys) -> None:
    """Also after the connection that shows the use was lost; when they have stopped it is."""
    url, file = backed_up
    server = api.Server(loop, url, look=0.01)
    assert cli.main(["server", "restore", str(file), "--database-url", url, "--overwrite"]) == 5
    assert "stop the server first" in capsys.readouterr().err
    with psycopg.connect(url, autocommit=True) as connection:
        # Often enough to break it between any two messages.
        for _ in range(20):
            [holder] = waiting.until(lambda: _holders(url), "a connection")
            connection.execute("SELECT pg_terminate_backend(%s)", [holder])
    waiting.until(lambda: _holders(url) not in ([], [holder]), "another connection")
    assert cli.main(["server", "restore", str(file), "--database-url", url, "--overwrite"]) == 5
    server.close()
    assert cli.main(["server", "restore", str(file), "--database-url", url, "--overwrite"]) == 0


def test_a_server_starts_when_the_restore_is_done(new_url, loop) -> None:
    """What it wrote meanwhile would be lost."""
    url = new_url("postgresql")
    with psycopg.connect(url, autocommit=True) as restoring:
        restoring.execute("SELECT pg_advisory_lock(%s)", [database.IN_USE])
        starting = loop.begin(database.connect(url))
        waiting.until(lambda: not _granted(url), "the server to wait")
        assert not starting.done()
    loop.run(starting.result(waiting.TIMEOUT_SECONDS).close())


def _granted(url: str) -> bool:
    """Return whether nobody waits for a lock of a database."""
    with psycopg.connect(url, autocommit=True) as connection:
        waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'"
        return connection.execute(waits).fetchone() == (0,)


def test_passwords_go_to_programs_in_their_environment(tmp_path, monkeypatch, capsys) -> None:
    """Others on the machine see the arguments of a program."""
    saw = tmp_path / "saw"
    program = tmp_path / "pg_dump"
    program.write_text(f'#!/bin/sh\necho "$@" "[$PGPASSWORD]" > {saw}\necho "pg_dump: error: no such server" >&2\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    url = "postgresql://user:s3cret@host/db?sslmode=require&password=s3cret"
    assert cli.main(["server", "backup", str(tmp_path / "backup"), "--database-url", url]) == 6
    assert "[s3cret]" in saw.read_text()
    assert saw.read_text().count("s3cret") == 1
    assert "--dbname=postgresql://user@host/db?sslmode=require" in saw.read_text()
    assert "no such server" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pg_dump", "saw"]


def test_a_missing_program_is_named(tmp_path, monkeypatch, capsys) -> None:
    """Exit code 8, with what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert cli.main(["server", "backup", str(tmp_path / "backup"), "--database-url", "postgresql://host/db"]) == 8
    assert "pg_dump is not on PATH" in capsys.readouterr().err


def test_the_commands_say_what_they_did(new_url, tmp_path, capsys) -> None:
    """With the size, so that an empty backup is seen."""
    file = tmp_path / "backup"
    assert cli.main(["server", "backup", str(file), "--database-url", new_url("sqlite")]) == 0
    assert f"{file} ({file.stat().st_size} bytes)" in capsys.readouterr().out
    assert cli.main(["server", "restore", str(file), "--database-url", f"sqlite:///{tmp_path / 'new.db'}"]) == 0
    assert str(file) in capsys.readouterr().out
