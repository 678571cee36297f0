"""The modules that a server loads: a part that is not in use costs no memory."""

import subprocess
import sys

import pytest

from planton_server.store import schema

#: Starts an application in a new process, and prints which of some modules it has loaded.
_PROGRAM = """
import asyncio, sys
from planton_server import server, settings
from planton_server.store import schema
url, *options = sys.argv[1:]
schema.migrate(url)
chosen = {name: (int(value) if value.isdigit() else value) for name, value in (option.split("=") for option in options)}
application = server.Application(settings.Settings(url, tick=0, **chosen))
asyncio.run(application.start())
print(*(name for name in ("alembic", "asyncpg", "cryptography", "grpc", "jwt", "opentelemetry", "psycopg") if name in sys.modules))
"""


def loaded(url, *options):
    command = [sys.executable, "-c", _PROGRAM, url, *options]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize(
    ("options", "modules"),
    [
        ((), set()),
        (("grpc_port=0", "jwks_url=http://127.0.0.1:9/keys"), {"jwt", "cryptography"}),
    ],
)
def test_sqlite(tmp_path, options, modules):
    """A server on SQLite loads no driver of PostgreSQL, and other libraries only for its settings."""
    url = f"sqlite:///{tmp_path / 'server.db'}"
    schema.migrate(url)
    assert loaded(url, *options) == modules


def test_postgresql(new_url):
    """A server on PostgreSQL loads the drivers of its requests and of its timed work."""
    assert loaded(new_url("postgresql")) == {"asyncpg", "psycopg"}
