"""Starts, finds and stops the sandbox's process, for the command line and for tests.

It does not import the server, so that a status query is fast.
"""

from __future__ import annotations

import contextlib
import dataclasses
import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Any

from planton_sandbox import clock, files, variables

START_SECONDS = 30.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.05
CALL_SECONDS = 10.0


class LaunchError(Exception):
    """The sandbox cannot be started, reached or stopped; the text has the reason."""


class OutdatedError(LaunchError):
    """The running sandbox is of a version without a cloud of this one."""


@dataclasses.dataclass(frozen=True, slots=True)
class Info:
    """A running sandbox, as described in its information file.

    Attributes:
        pid: The process id.
        version: The version of the sandbox.
        latency: ``instant`` or ``realistic``.
        control: The URL of the control endpoint.
        clouds: The URL of each cloud's API by name.
        providers: The port of each stand-in plugin by name.
        tokens: The default token of each cloud by name.
        files: The configuration files of the clouds' command lines by cloud.
    """

    pid: int
    version: str
    latency: str
    control: str
    clouds: dict[str, str] = dataclasses.field(default_factory=dict)
    providers: dict[str, int] = dataclasses.field(default_factory=dict)
    tokens: dict[str, str] = dataclasses.field(default_factory=dict)
    files: dict[str, str] = dataclasses.field(default_factory=dict)


def status(home: pathlib.Path) -> Info | None:
    """Returns the sandbox that is running in ``home``, or ``None``."""
    try:
        saved = files.read_json(home / files.INFO)
        if saved is None:
            return None
        # Another version may have written more, or less.
        info = Info(**{field.name: saved[field.name] for field in dataclasses.fields(Info) if field.name in saved})
        health = call(info, "GET", "/sandbox/health")
    except (LaunchError, OSError, ValueError, TypeError):
        return None
    return dataclasses.replace(info, latency=health["latency"]) if health.get("pid") == info.pid else None


def start(home: pathlib.Path, latency: str | None = None, *, timeout: float = START_SECONDS) -> Info:
    """Starts a sandbox in ``home`` unless one is running, and waits until it answers.

    Args:
        home: The folder of its state; created if missing.
        latency: The pace, also of a sandbox that is already running. ``None`` keeps the pace of a running sandbox and means
            instant for a new one.
        timeout: How many seconds to wait.

    Raises:
        LaunchError: when it does not answer in time; the text ends with its log.
        OutdatedError: when the running one lacks a cloud.
    """
    files.prepare(home)
    with files.lock(home / files.START_LOCK, wait=True):
        running = status(home)
        if running is not None:
            require_clouds(running)
            if latency in (None, running.latency):
                return running
            call(running, "POST", "/sandbox/clock", {"latency": latency})
            return dataclasses.replace(running, latency=str(latency))
        return _spawn(home, latency or clock.INSTANT, timeout=timeout)


def require_clouds(info: Info) -> None:
    """Checks that a running sandbox simulates the clouds of this version.

    Raises:
        OutdatedError: when it lacks one.
    """
    complete = info.clouds.keys() & info.tokens.keys() & info.files.keys()
    missing = [name for name in variables.CLOUDS if name not in complete]
    if missing:
        message = f"the running sandbox (process {info.pid}, version {info.version}) does not simulate {', '.join(missing)}"
        raise OutdatedError(message)


def stop(home: pathlib.Path, *, timeout: float = STOP_SECONDS) -> bool:
    """Stops the sandbox in ``home``, waits for its process to end, and returns whether one was running. Its state is kept.

    A sandbox counts as running while its process holds the lock, so an unresponsive one is stopped, too.

    Raises:
        LaunchError: when the process does not end in time, even after SIGKILL, or its id is unknown.
    """
    pid = _process(home)
    if pid is None:
        (home / files.INFO).unlink(missing_ok=True)
        return False
    for number, seconds in ((signal.SIGTERM, timeout), (signal.SIGKILL, POLL_SECONDS * 40)):
        _signal(pid, number)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not _runs(home):
                _collect(pid)
                (home / files.INFO).unlink(missing_ok=True)
                return True
            time.sleep(POLL_SECONDS)
    message = f"the sandbox (process {pid}) is still running after SIGKILL"
    raise LaunchError(message)


def reset(home: pathlib.Path) -> None:
    """Deletes all resources, whether the sandbox is running or not.

    Raises:
        LaunchError: when it is running and does not answer.
    """
    info = status(home)
    if info is not None:
        call(info, "POST", "/sandbox/reset")
    elif _runs(home):
        message = "the sandbox is running but does not answer; stop it first"
        raise LaunchError(message)
    else:
        (home / files.STATE).unlink(missing_ok=True)


def call(info: Info, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """Calls the control endpoint and returns its answer.

    Raises:
        LaunchError: when it refuses or does not answer.
    """
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(info.control + path, data=data, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=CALL_SECONDS) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
        message = f"{method} {path}: {error.code} {text}"
        raise LaunchError(message) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        message = f"{method} {path}: {error}"
        raise LaunchError(message) from error


def _spawn(home: pathlib.Path, latency: str, *, timeout: float) -> Info:
    log = home / files.LOG
    (home / files.INFO).unlink(missing_ok=True)
    command = [sys.executable, "-m", "planton_sandbox", "serve", "--home", str(home.resolve()), "--latency", latency]
    log.touch(mode=0o600)
    begun = log.stat().st_size
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_child_environment(),
            start_new_session=True,
        )
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if process.poll() is not None:
            message = f"the sandbox ended with code {process.returncode}:\n{_tail(log, begun)}"
            raise LaunchError(message)
        info = status(home)
        if info is not None:
            return info
        time.sleep(POLL_SECONDS)
    process.kill()
    message = f"the sandbox did not answer within {timeout:g} seconds:\n{_tail(log, begun)}"
    raise LaunchError(message)


def _child_environment() -> dict[str, str]:
    """Returns an environment in which the child imports the same package as this process."""
    root = str(pathlib.Path(__file__).resolve().parents[1])
    present = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": os.pathsep.join(part for part in (root, present) if part)}


def _tail(log: pathlib.Path, begun: int, *, lines: int = 15) -> str:
    text = log.read_bytes()[begun:].decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:])


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _collect(pid: int) -> None:
    """Reaps an ended process; a child of this process stays a zombie until then."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _runs(home: pathlib.Path) -> bool:
    """Returns whether a process serves ``home``. The system releases its lock however the process ends."""
    if not home.is_dir():
        return False
    with files.lock(home / files.LOCK, wait=False) as free:
        return not free


def _process(home: pathlib.Path) -> int | None:
    """Returns the id of the process that serves ``home``, or ``None``.

    Raises:
        LaunchError: when the process has not written its id yet.
    """
    if not _runs(home):
        return None
    try:
        return int((home / files.LOCK).read_text(encoding="ascii"))
    except ValueError as error:
        message = f"a sandbox is running in {home}, but its process is not known; try again, or end the process yourself"
        raise LaunchError(message) from error
