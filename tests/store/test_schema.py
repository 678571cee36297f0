"""The schema: migrations create the declared tables, once, and two releases can share one database."""

import pathlib
import subprocess
import sys

import alembic.autogenerate
import alembic.migration
import alembic.script
import pytest
import sqlalchemy as sa

from planton_server.store import database, schema, tables


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request, tmp_path):
    """The URL of a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'server.db'}"
    cluster = request.getfixturevalue("cluster")
    return cluster.url(cluster.create())


def test_migrations_create_the_declared_tables(engine):
    """Alembic finds no difference."""
    with engine.connect() as connection:
        context = alembic.migration.MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert alembic.autogenerate.compare_metadata(context, tables.METADATA) == []


def test_names_of_migrations_start_with_their_revision():
    """The list of supported revisions equals Alembic's."""
    folder = pathlib.Path(schema.__file__).with_name("migrations")
    scripts = alembic.script.ScriptDirectory(str(folder)).walk_revisions()
    assert list(schema.supported_revisions()) == [script.revision for script in scripts][::-1]


def test_a_migration_runs_once(empty_url):
    """The first run migrates to the newest revision, the second changes nothing."""
    before, now = schema.migrate(empty_url)
    assert (before, bool(now)) == ("", True)
    assert schema.migrate(empty_url) == (now, now)


def test_concurrent_servers_migrate_once(empty_url):
    """One of them migrates, the others wait for it."""
    program = "import sys; from planton_server.store import schema; print(*schema.migrate(sys.argv[1]), sep=',')"
    command = [sys.executable, "-c", program, empty_url]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    results = [process.communicate(timeout=60)[0].strip().split(",") for process in running]
    _, now = schema.migrate(empty_url)
    assert sorted(results) == [["", now], [now, now]]


def test_the_schema_of_a_newer_release_is_not_changed(url, engine):
    """An old server may start during a rolling update."""
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'from-the-future'"))
    assert schema.migrate(url) == ("from-the-future", "from-the-future")


def test_an_unreachable_database_is_an_error(tmp_path):
    """Examples are a stopped server and a missing folder."""
    for url in (f"postgresql://postgres@/nothing?host={tmp_path}", f"sqlite:///{tmp_path}/nowhere/server.db"):
        with pytest.raises(database.UnavailableError):
            schema.migrate(url)


def test_only_the_user_can_read_the_database_file(tmp_path):
    """Other users of the machine have no access."""
    schema.migrate(f"sqlite:///{tmp_path / 'server.db'}")
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:///a.db", "sqlite"),
        ("sqlite:////a/b.db", "sqlite"),
        ("postgresql://h/d", "postgresql"),
        ("postgres://h/d", "postgresql"),
    ],
)
def test_urls_of_both_engines_are_valid(url, name):
    """PostgreSQL has two URL schemes."""
    assert database.check(url) == name


@pytest.mark.parametrize("url", ["", "a.db", "sqlite://", "sqlite:///", "mysql://h/d", "http://h"])
def test_other_urls_are_refused(url):
    """The message names the valid schemes."""
    with pytest.raises(ValueError, match="must be sqlite"):
        database.check(url)


@pytest.mark.parametrize(
    ("url", "path"), [("sqlite:///a.db", "a.db"), ("sqlite:////a/b.db", "/a/b.db"), ("sqlite:///a%20b.db", "a b.db")]
)
def test_a_sqlite_url_contains_a_path(url, path):
    """The path is absolute after a fourth slash."""
    assert database.path(url) == path
