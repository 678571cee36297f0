"""``planton sandbox``: simulated clouds on this machine, to try things without an account.

A thin layer over `planton_sandbox.launch`; it contains no simulation.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import os
import pathlib
import shlex
import subprocess
from collections.abc import Callable
from typing import Any, TypeVar

import click
import platformdirs

import planton
from planton import errors
from planton_sandbox import clock, launch, variables

F = TypeVar("F", bound=Callable[..., Any])
NOT_RUNNING = "no sandbox is running; start one with: planton sandbox start"
NOT_FOUND = 127
#: The variables that ``planton sandbox env`` sets.
_VARIABLES = (*variables.NAMES, "PLANTON_CONTEXT", "PLANTON_SANDBOX", "PULUMI_DEBUG_PROVIDERS")


def _home(_context: click.Context, _parameter: click.Parameter, value: pathlib.Path | None) -> pathlib.Path:
    return value or pathlib.Path(platformdirs.user_data_dir("planton")) / "sandbox"


def _home_option(function: F) -> F:
    return click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=pathlib.Path),
        envvar="PLANTON_SANDBOX_HOME",
        callback=_home,
        show_envvar=True,
        help="Folder of the sandbox's state.  [default: planton/sandbox in the user's data folder]",
    )(function)


def _latency_option(function: F) -> F:
    return click.option(
        "--latency",
        type=click.Choice(clock.LATENCIES),
        help="How long changes take: no time, or as long as in the cloud.  [default: unchanged; instant at the first start]",
    )(function)


def _output_option(function: F) -> F:
    return click.option(
        "-o",
        "--output",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Output format.",
    )(function)


@click.group()
def sandbox() -> None:
    """Run simulated clouds on this machine.

    The sandbox answers like the clouds' APIs, serves a Kubernetes API for each
    cluster, and keeps its state over restarts. Point every tool at it with

        eval "$(planton sandbox env)"
    """


@sandbox.command()
@_home_option
@_latency_option
@_output_option
def start(home: pathlib.Path, latency: str | None, output: str) -> None:
    """Start the sandbox in the background, unless it is running."""
    _show(_start(home, latency), home=home, output=output)


@sandbox.command()
@_home_option
def stop(home: pathlib.Path) -> None:
    """Stop the sandbox. Its resources are kept for the next start."""
    try:
        stopped = launch.stop(home)
    except (launch.LaunchError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo("The sandbox has stopped." if stopped else "No sandbox was running.")


@sandbox.command()
@_home_option
@_output_option
@click.pass_context
def status(context: click.Context, home: pathlib.Path, output: str) -> None:
    """Show whether the sandbox is running, and where. Exit with 3 if it is not."""
    info = launch.status(home)
    if info is None:
        click.echo(json.dumps({"running": False, "home": str(home)}) if output == "json" else NOT_RUNNING)
        context.exit(3)
    _show(info, home=home, output=output)


@sandbox.command()
@_home_option
def reset(home: pathlib.Path) -> None:
    """Delete everything in the sandbox: all accounts, networks, clusters and faults."""
    try:
        launch.reset(home)
    except (launch.LaunchError, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo("The sandbox is empty.")


@sandbox.command()
@_home_option
@click.option("--unset", is_flag=True, help="Print the commands that unset the variables.")
def env(home: pathlib.Path, *, unset: bool) -> None:
    r"""Print the shell commands that point tools at the sandbox.

    They set the variables of planton, pulumi and its plugins, and of the clouds'
    own command lines. A shell with these variables uses no context, so that the
    backend and the credentials of your context stay out of the sandbox.

    \b
    eval "$(planton sandbox env)"
    eval "$(planton sandbox env --unset)"     # back to the real clouds
    """
    if unset:
        click.echo(f"unset {' '.join(_VARIABLES)}")
        return
    info = launch.status(home)
    if info is None:
        raise click.ClickException(NOT_RUNNING)
    _require_clouds(info)
    for name, value in _environment(info).items():
        click.echo(f"export {name}={_quoted(value)}")


@sandbox.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@_home_option
@_latency_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def run(context: click.Context, home: pathlib.Path, latency: str | None, command: tuple[str, ...]) -> None:
    """Run a command against the sandbox. Start the sandbox first if it is not running.

    The exit code is the command's. It is 127 if the command does not exist.

        planton sandbox run -- kubectl version
    """
    info = _start(home, latency)
    try:
        finished = subprocess.run(command, env={**os.environ, **_environment(info)}, check=False)
    except (FileNotFoundError, PermissionError) as error:
        click.echo(f"Error: {shlex.join(command)}: {error.strerror}", err=True)
        context.exit(NOT_FOUND)
    # A shell reports a command that a signal has ended as 128 plus the signal's number.
    code = finished.returncode
    context.exit(code if code >= 0 else 128 - code)


def _start(home: pathlib.Path, latency: str | None) -> launch.Info:
    _check_extra()
    try:
        return launch.start(home, latency)
    except launch.OutdatedError as error:
        raise _outdated(error) from None
    except (launch.LaunchError, OSError) as error:
        raise click.ClickException(str(error)) from error


def _require_clouds(info: launch.Info) -> None:
    try:
        launch.require_clouds(info)
    except launch.OutdatedError as error:
        raise _outdated(error) from None


def _outdated(error: launch.OutdatedError) -> errors.PlantonError:
    hint = "run: planton sandbox stop, then: planton sandbox start; its resources are kept"
    return errors.PlantonError(str(error), reason=errors.Reason.SANDBOX_OUTDATED, hint=hint)


def _check_extra() -> None:
    missing = [
        package for package in ("aiohttp", "grpc", "pulumi", "re2", "trustme") if importlib.util.find_spec(package) is None
    ]
    if missing:
        raise errors.extra_missing(
            f"the sandbox needs the extra 'sandbox': {', '.join(missing)} not installed",
            hint="install project-planton[sandbox], for example: pipx install 'project-planton[sandbox]'",
            metadata={"extra": "sandbox", "package": missing[0]},
        )


def _environment(info: launch.Info) -> dict[str, str]:
    # An installed official plugin needs no stand-in.
    installed = planton.installed_plugins(os.environ)
    attached = [entry for entry in variables.debug_providers(info).split(",") if entry.split(":")[0] not in installed]
    # A context's backend holds states of a real cloud, and its credentials
    # must not reach the sandbox.
    environment = variables.environment(info) | {"PLANTON_CONTEXT": "default", "PLANTON_SANDBOX": "1"}
    return environment | {"PULUMI_DEBUG_PROVIDERS": ",".join(attached)} if any(attached) else environment


def _quoted(value: str) -> str:
    escaped = value.replace("'", "'\\''")
    return f"'{escaped}'"


def _show(info: launch.Info, *, home: pathlib.Path, output: str) -> None:
    if output == "json":
        facts = {key: value for key, value in dataclasses.asdict(info).items() if key != "tokens"}
        click.echo(json.dumps({"running": True, "home": str(home), **facts}, indent=2))
        return
    click.echo(f"The sandbox is running: process {info.pid}, latency {info.latency}.")
    for name, url in info.clouds.items():
        click.echo(f"  {name:<12} {url}")
    click.echo(f"  {'control':<12} {info.control}")
    for name, port in info.providers.items():
        click.echo(f"  {'provider':<12} {name} on port {port}")
    for name, path in info.files.items():
        click.echo(f"  {'client file':<12} {path} (for the command line of {name})")
    click.echo(f"  {'state':<12} {home}")
