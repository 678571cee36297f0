"""Pulumi's command line as a process that can be stopped: on Ctrl-C, and when the cloud takes too long.

The Automation API's own runner cannot be interrupted without leaving its child behind.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import pathlib
import signal
import subprocess
import threading
import time
import urllib.parse
from typing import TYPE_CHECKING, Any

import semver
from pulumi import automation
from pulumi.automation.errors import create_command_error

from planton.base import telemetry
from planton.engine import environment, installing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import IO

    from planton.base import interruption
    from planton.engine import toolchain

_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.5
_GRACE_SECONDS = 20.0
_PRIVATE_UMASK = 0o077
#: The number of interruptions after which the process is killed.
_AT_ONCE = 2
#: The words of a command that name it, as in ``stack export``.
_NAMING = 2
_LONG = ("up", "preview", "refresh", "destroy", "import")


class PulumiCommand(automation.PulumiCommand):
    """Runs the ``pulumi`` of a toolchain.

    Attributes:
        interrupted: The user asked to stop.
        timed_out: The operation was stopped because it took longer than the timeout.
        killed: The last command was ended by a signal.
    """

    def __init__(
        self,
        tools: toolchain.Toolchain,
        *,
        timeout: float,
        interruption: interruption.Interruption,
        environ: Mapping[str, str] | None = None,
        is_private: bool = False,
    ) -> None:
        """Starts nothing yet.

        Args:
            tools: The command line.
            timeout: Seconds after which an operation is stopped.
            interruption: How the user interrupts an operation.
            environ: The user's environment, of which selected variables reach Pulumi; None for that of the process.
            is_private: Whether only the user may read the files that it writes. Other users may share a backend in a folder.
        """
        # The base class would start a program to learn a version that the toolchain has made sure of.
        self.command = str(tools.pulumi)
        self.version = semver.VersionInfo(*installing.VERSION)
        self._launcher_folder = tools.launcher_folder
        self._environ = environment.for_engine(os.environ if environ is None else environ)
        self._umask = _PRIVATE_UMASK if is_private else -1
        self._timeout = timeout
        self._interruption = interruption
        self.interrupted = False
        self.timed_out = False
        self.killed = False

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
        *,
        text: str | None = None,
    ) -> automation.CommandResult:
        """Runs a command to its end and returns its output.

        Args:
            args: What follows ``pulumi``.
            cwd: The folder to run in.
            additional_env: Variables in addition to the selected ones of the user's environment.
            on_output: Receives each line of its output.
            on_error: Receives each line of its standard error.
            text: Its standard input; None for none. It is neither logged nor written to disk.

        Raises:
            pulumi.automation.errors.CommandError: It ended with another code than 0.
        """
        words = itertools.takewhile(lambda word: not word.startswith("-"), args[:_NAMING])
        with telemetry.span(" ".join(["pulumi", *words]), is_request=True) as span:
            traced = _traced(span.traceparent)
            return self._run(args, cwd, {**additional_env, **traced}, (on_output, on_error), text)

    def _run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        receivers: tuple[Callable[[str], Any] | None, Callable[[str], Any] | None],
        text: str | None,
    ) -> automation.CommandResult:
        operation = next((word for word in args if word in _LONG), "")
        began = time.monotonic()
        heard = self._interruption.times
        _LOG.debug("run: pulumi %s", " ".join(args))
        process = self._start(args, cwd, additional_env, has_input=text is not None)
        chunks: tuple[list[str], list[str]] = ([], [])
        # What other commands print is data, mostly states: they would fill the log.
        logged = ("out" if operation else "", "err")
        pipes = zip((process.stdout, process.stderr), receivers, chunks, logged, strict=True)
        readers = [_reader(*pipe) for pipe in pipes]
        if text is not None:
            _feed(process, text)
        self._wait(process, readers, self._timeout if operation else None, heard=heard)
        seconds = time.monotonic() - began
        telemetry.observer().engine_ran(operation or "other", process.returncode, seconds)
        _LOG.debug("ended: pulumi %s: code %d after %.1f s", args[0], process.returncode, seconds)
        result = automation.CommandResult("\n".join(chunks[0]), "\n".join(chunks[1]), process.returncode)
        self.killed = process.returncode < 0
        if process.returncode:
            raise create_command_error(result)
        return result

    def _start(self, args: list[str], cwd: str, variables: Mapping[str, str], *, has_input: bool) -> subprocess.Popen[str]:
        folders = [str(pathlib.Path(self.command).parent), str(self._launcher_folder), self._environ.get("PATH", "")]
        return subprocess.Popen(
            [self.command, "--non-interactive", *[arg for arg in args if arg != "--non-interactive"]],
            stdin=subprocess.PIPE if has_input else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env={**self._environ, **variables, "PULUMI_AUTOMATION_API": "true", "PATH": os.pathsep.join(folders)},
            encoding="utf-8",
            # If a reader fails, the program would block forever on a full pipe.
            errors="replace",
            # A Ctrl-C on the terminal comes to us alone; we pass it on once.
            start_new_session=True,
            umask=self._umask,
        )

    def _wait(
        self, process: subprocess.Popen[str], readers: list[threading.Thread], timeout: float | None, *, heard: int
    ) -> None:
        # A process that has ended has closed its output. To wait for that costs nothing, while many others wait too.
        began = time.monotonic()
        stopping = None
        before = heard
        while True:
            try:
                reading = next((reader for reader in readers if reader.is_alive()), None)
                if reading is None:
                    process.wait()
                    return
                reading.join(_POLL_SECONDS)
            except KeyboardInterrupt:
                # Only the main thread gets here; a run with threads interrupts them itself.
                self._interruption.ask()
            waited = time.monotonic() - began
            if self._interruption.times > heard:
                heard = self._interruption.times
                # Two interruptions may arrive between two looks.
                is_second = self.interrupted or heard - before >= _AT_ONCE
                process.send_signal(signal.SIGKILL if is_second else signal.SIGINT)
                self.interrupted = True
            if timeout is not None and waited >= timeout and not self.timed_out:
                self.timed_out = True
                stopping = waited
                process.send_signal(signal.SIGINT)
            if stopping is not None and waited >= stopping + _GRACE_SECONDS:
                # A plugin that waits for the cloud may ignore the polite request; the pending operation stays in the state.
                process.kill()


def _traced(traceparent: str) -> dict[str, str]:
    """Returns the variables with which Pulumi and its plugins continue a trace; none if the run is not traced."""
    if not traceparent:
        return {}
    place = urllib.parse.urlsplit(telemetry.endpoint())
    scheme = "grpcs" if place.scheme == "https" else "grpc"
    return {"TRACEPARENT": traceparent, "PULUMI_OPTION_OTEL_TRACES": f"{scheme}://{place.netloc}"}


def _feed(process: subprocess.Popen[str], text: str) -> None:
    assert process.stdin is not None, "the caller has asked for a pipe"
    # A process that ends before it has read everything says why on its standard error.
    with contextlib.suppress(BrokenPipeError), process.stdin as stream:
        stream.write(text)


def _reader(stream: IO[str] | None, callback: Callable[[str], Any] | None, lines: list[str], name: str) -> threading.Thread:
    """Returns a started thread that reads a pipe; its log lines have the name of the current thread."""
    whose = threading.current_thread().name
    reader = threading.Thread(target=_read, args=(stream, callback, lines, name), name=whose, daemon=True)
    reader.start()
    return reader


def _read(stream: IO[str], callback: Callable[[str], Any] | None, lines: list[str], name: str) -> None:
    for line in stream:
        lines.append(line.rstrip())
        if name:
            _LOG.debug("%s: %s", name, lines[-1])
        if callback:
            callback(lines[-1])
    stream.close()
