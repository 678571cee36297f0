"""Controllers beside a server on one machine: ``planton server start --with-controllers``."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from planton_server import settings

_TOKENS: Final = ("PLANTON_API_TOKEN", "PLANTON_API_TOKEN_FILE")
_ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  # compared, not bound
#: Seconds in which controllers hand back their work.
_SECONDS: Final = 30.0


def measured(configured: settings.Settings) -> settings.Settings:
    """Returns settings with a free port for the metrics of controllers, which the server adds to its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return dataclasses.replace(configured, controllers_port=free.getsockname()[1])


@contextlib.contextmanager
def running(configured: settings.Settings) -> Iterator[Callable[[], None]]:
    """Runs controllers as a process beside a server. They end with it, also if it is killed.

    Yields a function that stops them. The server calls it before it stops, so that they can hand back their work.

    Raises:
        click.UsageError: The server needs tokens, and none is given.
    """
    if not configured.trusted_header and not any(os.environ.get(name) for name in _TOKENS):
        raise click.UsageError(
            f"--with-controllers needs a token of the role controller in {' or '.join(_TOKENS)}, because the server needs tokens"
        )
    if configured.port == 0:
        raise click.UsageError("--with-controllers needs a fixed --port")
    host = _ANY.get(configured.host, configured.host)
    url = f"http://[{host}]:{configured.port}" if ":" in host else f"http://{host}:{configured.port}"
    port = str(configured.controllers_port)
    command = [sys.executable, "-m", "planton", "controller", "run", "--server", url, "--stop-with-stdin", "--metrics-port", port]
    if configured.otlp_endpoint:
        command += ["--otlp-endpoint", configured.otlp_endpoint]
    # The pipe closes with this process, however it ends.
    process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    stop = functools.partial(_stop, process)
    try:
        yield stop
    finally:
        stop()


def _stop(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None, "it was started with a pipe"
    process.stdin.close()
    try:
        process.wait(_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
