"""Machines that share a backend and nothing else: each has folders, and where the system allows it a name, of its own."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
from typing import Any

from support import planton as planton_support

#: Runs a program under another name of the machine.
_NAMED = ("unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"')


def _has_names() -> bool:
    """Return whether a process here can have another name of the machine."""
    try:
        return subprocess.run([*_NAMED, "other", "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@dataclasses.dataclass(frozen=True, slots=True)
class Machine:
    """A machine.

    Attributes:
        name: Its name.
        user: The user, whose sandbox and manifests it uses.
    """

    name: str
    user: planton_support.Planton

    @property
    def data(self) -> pathlib.Path:
        """Its folder for state, records and locks. Programs are installed once for all machines."""
        return self.user.folder / self.name / "data"

    @property
    def environ(self) -> dict[str, str]:
        """The environment of its shells. The Pulumi backend and its passphrase are those of all machines."""
        backend = self.user.folder / "backend"
        backend.mkdir(exist_ok=True)
        return {
            **self.user.environ,
            "PLANTON_DATA_DIR": str(self.data),
            "PULUMI_BACKEND_URL": backend.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "of all machines",
        }

    def start(self, *arguments: str, stderr: Any = subprocess.PIPE, **environ: str) -> subprocess.Popen[str]:
        """Start a command in a process group of its own."""
        command = [sys.executable, "-m", "planton", *arguments]
        return subprocess.Popen(
            [*_NAMED, self.name, *command] if _has_names() else command,
            cwd=self.user.folder,
            env=self.environ | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command and check its exit code."""
        running = self.start(*arguments)
        stdout, stderr = running.communicate(timeout=planton_support.SECONDS)
        assert running.returncode == code, f"{arguments}: exit {running.returncode}\n{stdout}\n{stderr}"
        return subprocess.CompletedProcess(arguments, running.returncode, stdout, stderr)


def fail(machine: Machine, running: subprocess.Popen[str]) -> None:
    """End a command and all its engines and plugins at once, as a machine that loses its power does."""
    os.killpg(running.pid, signal.SIGKILL)
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if f"PLANTON_DATA_DIR={machine.data}".encode() in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)
        except OSError:
            continue
    running.communicate()
