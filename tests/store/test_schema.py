"""The schema: the migrations make what the tables say, once, and servers of two releases live on one database."""

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


def test_migrations_make_the_tables(engine):
    """What Alembic would still change is nothing."""
    with engine.connect() as connection:
        context = alembic.migration.MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert alembic.autogenerate.compare_metadata(context, tables.METADATA) == []


def test_names_of_migrations_begin_with_their_revision():
    """The supported revisions are those that Alembic finds."""
    folder = pathlib.Path(schema.__file__).with_name("migrations")
    scripts = alembic.script.ScriptDirectory(str(folder)).walk_revisions()
    assert list(schema.supported_revisions()) == [script.revision for script in scripts][::-1]


def test_migration_is_done_once(empty_url):
    """The first run goes from nothing to the newest revision, the next one finds it there."""
    before, now = schema.migrate(empty_url)
    assert (before, bool(now)) == ("", True)
    assert schema.migrate(empty_url) == (now, now)


def test_servers_that_start_at_once(empty_url):
    """Of several that migrate at the same time one does it, and all find it done."""
    program = "import sys; from planton_server.store import schema; print(*schema.migrate(sys.argv[1]), sep=',')"
    command = [sys.executable, "-c", program, empty_url]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    results = [process.communicate(timeout=60)[0].strip().split(",") for process in running]
    _, now = schema.migrate(empty_url)
    assert sorted(results) == [["", now], [now, now]]


def test_database_of_a_newer_release_is_left_alone(url, engine):
    """An old server that starts during a roll changes nothing."""
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'from-the-future'"))
    assert schema.migrate(url) == ("from-the-future", "from-the-future")


def test_database_that_cannot_be_reached(tmp_path):
    """A server that is not there, or a folder that is not, is told as such."""
    for url in (f"postgresql://postgres@/nothing?host={tmp_path}", f"sqlite:///{tmp_path}/nowhere/server.db"):
        with pytest.raises(database.UnavailableError):
            schema.migrate(url)


def test_file_is_its_owners(tmp_path):
    """Nobody else on the machine reads the file."""
    schema.migrate(f"sqlite:///{tmp_path / 'server.db'}")
    assert {found.stat().st_mode & 0o077 for found in tmp_path.iterdir()} == {0}


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:///a.db", "sqlite"),
        ("sqlite:////a/b.db", "sqlite"),
        ("postgresql://h/d", "postgresql"),
        ("postgres://h/d", "postgresql"),
    ],
)
def test_urls(url, name):
    """Two forms of URLs are known."""
    assert database.check(url) == name


@pytest.mark.parametrize("url", ["", "a.db", "sqlite://", "sqlite:///", "mysql://h/d", "http://h"])
def test_bad_urls(url):
    """Others are told as such."""
    with pytest.raises(ValueError, match="must be sqlite"):
        database.check(url)


@pytest.mark.parametrize(
    ("url", "path"), [("sqlite:///a.db", "a.db"), ("sqlite:////a/b.db", "/a/b.db"), ("sqlite:///a%20b.db", "a b.db")]
)
def test_path(url, path):
    """A URL of SQLite names a path, absolute after a fourth slash."""
    assert database.path(url) == path
