"""``planton controller``: what the NodePool API promises, the clouds get."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import logging
import os
import pathlib
import signal
import socket
import sys
import threading
import uuid
from typing import TYPE_CHECKING, Any, Final

import click

import planton
from planton import errors
from planton.cli import controller_watching
from planton.controllers import logs

if TYPE_CHECKING:
    from collections.abc import Callable

    from planton import client
    from planton.config import settings as engine_settings
    from planton.controllers import lease, queue, reconcile, runner

_EMAIL: Final = "planton@system.local"
#: Seconds after which a heartbeat without an answer is repeated over another connection.
_HEARTBEAT_DEADLINE: Final = 2.0


@click.group()
def controller() -> None:
    """Run the controllers of the NodePool API.

    They create, change, repair and delete clusters and node pools in the
    clouds, and report their status.
    """


@controller.command()
@click.option(
    "--server",
    envvar="PLANTON_API_URL",
    show_envvar=True,
    default="http://127.0.0.1:8080",
    show_default=True,
    metavar="URL",
    help="The URL of the API.",
)
@click.option(
    "--user",
    envvar="PLANTON_CONTROLLER_USER",
    show_envvar=True,
    default=_EMAIL,
    show_default=True,
    metavar="EMAIL",
    help="The name of the controller, if the server trusts it.",
)
@click.option(
    "--token-file",
    envvar="PLANTON_API_TOKEN_FILE",
    show_envvar=True,
    type=click.Path(dir_okay=False, path_type=pathlib.Path),
    help="The file of a bearer token of the role controller. PLANTON_API_TOKEN can contain the token instead.",
)
@click.option(
    "--platform",
    "platforms",
    default="",
    metavar="CLOUD,…",
    help="The clouds to serve. Default: all that this version supports.",
)
@click.option(
    "--parallel", type=click.IntRange(1, 500), default=None, help="Resources to work on at the same time. Default: by memory."
)
@click.option(
    "--interval",
    type=click.FloatRange(1, 3600),
    envvar="PLANTON_CONTROLLER_INTERVAL",
    show_envvar=True,
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="The longest time between two looks at a resource.",
)
@click.option("--context", "context", default="", metavar="NAME", help="The context with backend and accounts.")
@click.option("--backend", default="", metavar="URL", help="The Pulumi backend of the states. All controllers share one.")
@click.option("--stop-with-stdin", is_flag=True, help="Stop when standard input is closed, for programs that start this command.")
@click.option(
    "--metrics-port",
    envvar="PLANTON_CONTROLLER_METRICS_PORT",
    show_envvar=True,
    type=click.IntRange(0, 65535),
    default=0,
    metavar="PORT",
    help="Serve metrics for Prometheus on this port. Default: none.",
)
@click.option(
    "--metrics-host",
    envvar="PLANTON_CONTROLLER_METRICS_HOST",
    show_envvar=True,
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="The address to serve metrics on.",
)
@click.option(
    "--otlp-endpoint",
    envvar="PLANTON_CONTROLLER_OTLP_ENDPOINT",
    show_envvar=True,
    default="",
    metavar="URL",
    help="Send traces there (OTLP over gRPC). Default: no traces.",
)
@click.option(
    "--log-level",
    default="info",
    show_default=True,
    type=click.Choice(["debug", "info", "warning", "error"]),
    help="The lowest level to log.",
)
def run(
    *,
    server: str,
    user: str,
    token_file: pathlib.Path | None,
    platforms: str,
    parallel: int | None,
    interval: float,
    context: str,
    backend: str,
    stop_with_stdin: bool,
    log_level: str,
    **watching: Any,
) -> None:
    """Run controllers until SIGTERM or SIGINT.

    Any number of processes can run, on any number of machines. Accounts come
    from the credentials file and the environment, as for apply. A stop hands
    the running work back to the queue.

    Exit codes: 0 stopped, 2 usage, 5 the server is older than this version,
    6 the address for metrics is unavailable, 8 a program or a credential is
    missing.
    """
    from planton import client  # noqa: PLC0415  # the extra `client`; httpx takes 60 ms of each `--help`

    logs.to_stderr(log_level)
    # httpx logs each request at this level.
    logging.getLogger("httpx").setLevel("WARNING")
    served = _platforms(platforms)
    token = _token(token_file)
    settings = planton.configure(context=context, backend=backend)
    email = "" if token else user
    connect = functools.partial(client.Client, server, email=email, token=token)
    connect_heartbeats = functools.partial(connect, deadline=_HEARTBEAT_DEADLINE)
    process = f"{socket.gethostname()[:40]}-{uuid.uuid4().hex[:12]}"
    options = _Options(process, served, parallel or settings.parallel, interval, stop_with_stdin)
    with controller_watching.watching(options.parallel, **watching) as watched:
        _until_stopped(options, connect, connect_heartbeats, settings, watched)


@dataclasses.dataclass(frozen=True, slots=True)
class _Options:
    process: str
    platforms: tuple[str, ...]
    parallel: int
    interval: float
    stop_with_stdin: bool


def _until_stopped(
    options: _Options,
    connect: Callable[[], client.Client],
    connect_heartbeats: Callable[[], client.Client],
    settings: engine_settings.Settings,
    watched: controller_watching.Watched,
) -> None:
    from planton.controllers import lease, metering, observe, queue, reconcile, runner, watchdog  # noqa: PLC0415  # Pulumi takes 100 ms of each `--help`
    from planton.deploy import runtime  # noqa: PLC0415  # Pulumi takes 100 ms of each `--help`

    environ = {**settings.environ, watchdog.VARIABLE: options.process}
    settings = dataclasses.replace(settings, environ=environ, progress=logging.getLogger("planton.run").info, is_exclusive=True)
    with runtime.working(settings) as working, connect() as api, connect() as claims, connect_heartbeats() as beats:
        dog = watchdog.Watchdog(options.process)
        held = lease.Lease(dog.tell)
        interval = datetime.timedelta(seconds=options.interval)
        observer = observe.Observer.every(working, interval)
        reconciler = reconcile.Reconciler(api, observer, interval=interval, meter=watched.meter, process=options.process)
        jobs, heartbeats = (
            queue.ApiQueue(each, options.process, planton.__version__, options.platforms) for each in (claims, beats)
        )
        _check_server(jobs)
        work = metering.measured(watched.traced(functools.partial(_reconcile, reconciler, settings)), watched.meter)
        running = runner.Runner(jobs, heartbeats, work, parallel=options.parallel, held=held)
        _stop_on_signals(running, stop_with_stdin=options.stop_with_stdin)
        click.echo(
            f"planton controller {options.process}: serves {', '.join(options.platforms)} for {api.transport.url}.", err=True
        )
        try:
            running.run()
        finally:
            dog.close()


def _check_server(jobs: queue.ApiQueue) -> None:
    try:
        jobs.check()
    except errors.PlantonError as error:
        # One that does not answer yet is checked before the first claim.
        if error.reason is errors.Reason.API_OUTDATED:
            raise


def _reconcile(
    reconciler: reconcile.Reconciler, settings: engine_settings.Settings, work: queue.Work, interruption: lease.Interruption
) -> reconcile.Done:
    return reconciler.run(work, dataclasses.replace(settings, interruption=interruption))


def _stop_on_signals(running: runner.Runner, *, stop_with_stdin: bool) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: running.stop())
    if stop_with_stdin:

        def wait() -> None:
            sys.stdin.buffer.read()
            running.stop()

        threading.Thread(target=wait, daemon=True).start()


def _platforms(text: str) -> tuple[str, ...]:
    from planton.controllers import manifests  # noqa: PLC0415  # 130 ms of each `--help`

    supported = manifests.platforms()
    listed = tuple(dict.fromkeys(each.strip().lower() for each in text.split(",") if each.strip())) or supported
    if unknown := [each for each in listed if each not in supported]:
        raise click.UsageError(f"--platform {unknown[0]}: the clouds are: {', '.join(supported)}")
    return listed


def _token(file: pathlib.Path | None) -> str:
    try:
        return file.read_text("utf-8").strip() if file else os.environ.get("PLANTON_API_TOKEN", "")
    except (OSError, UnicodeDecodeError) as error:
        raise errors.credential_missing(
            f"cannot read the token file: {error}",
            hint="pass a file with a token of the role controller: planton server token create",
        ) from error
