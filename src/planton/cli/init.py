"""``planton init``: manifests to start from."""

from __future__ import annotations

import functools
import pathlib
import shlex
from collections.abc import Callable
from typing import Any, TypeVar

import click

from planton import errors
from planton.base import terminal
from planton.cli import asking, complete, output, render, writing
from planton.manifest import templates
from planton.schema import providers

F = TypeVar("F", bound=Callable[..., Any])
_PARTS = ("cluster", "nodepool", "network", "environment")
_TEMPLATES = ("dev", "staging", "prod")
_EVERYTHING, _NETWORK = "environment", "network"
_STDOUT = "-"
#: The clouds that there are templates for → their usual region.
_REGIONS = {provider.name: provider.sample_region for provider in providers.all_providers().values() if provider.sample_region}


def _choices_options(function: F) -> F:
    """Adds the options about what a user may choose, as the argument ``choices``."""

    @click.option(
        "--region",
        default="",
        metavar="REGION",
        help=f"The region.  [default: {' or '.join(_REGIONS.values())}]",
        shell_complete=complete.region,
    )
    @click.option(
        "--size", default="", metavar="SIZE", shell_complete=complete.size, help="The size of the nodes of the first pool."
    )
    @click.option("--nodes", "count", type=click.IntRange(1), metavar="N", help="The number of nodes of the first pool.")
    @click.option(
        "--kubernetes-version",
        "version",
        default="",
        metavar="VERSION",
        shell_complete=complete.version,
        help="The Kubernetes version.",
    )
    @functools.wraps(function)
    def wrapped(*args: object, region: str, size: str, count: int | None, version: str, **arguments: object) -> object:
        return function(*args, choices=templates.Choices(region, size, count or 0, version), **arguments)

    return wrapped  # type: ignore[return-value]  # click decorates functions of any signature


@click.command()
@click.argument("part", type=click.Choice(_PARTS), required=False)
@click.option("--provider", type=click.Choice(list(_REGIONS)), help="The cloud.")
@click.option("--template", type=click.Choice(_TEMPLATES), default="dev", show_default=True, help="Size of the setup.")
@click.option("--name", default="", metavar="NAME", help="The prefix of all names.  [default: the environment]")
@click.option("--env", default="", metavar="ENV", help="The environment.  [default: that of the template]")
@_choices_options
@click.option(
    "-o", "--out", default=".", metavar="DIR", help="The folder to write to, or - for standard output.  [default: this one]"
)
@click.option("--force", is_flag=True, help="Replace existing files.")
@click.pass_context
def init(  # click passes each option as an argument
    context: click.Context,
    *,
    part: str | None,
    provider: str | None,
    template: str,
    name: str,
    env: str,
    choices: templates.Choices,
    out: str,
    force: bool,
) -> None:
    r"""Write commented manifests to start from, one file for each resource.

    On a terminal, without PART or --provider, it asks for cloud, region, size, number of nodes and version.

    \b
    network      the network and, where the cloud has it, a firewall
    cluster      a cluster and its node pools; refers to the network
    nodepool     node pools; refer to the cluster
    environment  all of it

    The template dev is small, and staging has two pools. The template prod has several pools with taints, labels and bounds. It
    protects the cluster from deletion, restricts access to its API server, and is highly available if the cloud supports it.
    Look for REPLACE in the files.

    \b
    planton init
    planton init environment --provider civo --template dev -o dev
    planton apply -f dev

    Exit codes: 0 written, 2 usage, 5 a file exists.
    """
    if not (part and provider):
        _require_terminal(context, part, provider)
        part, provider = part or _EVERYTHING, provider or asking.provider()
        choices = asking.choices(provider, choices, with_pools=part != _NETWORK)
    files = templates.make(part, provider, template, name=name, env=env, choices=choices)
    if out == _STDOUT:
        output.echo_document("---\n".join(files.values()))
        return
    _write(pathlib.Path(out), files, force=force)
    render.progress(f"next: planton plan -f {shlex.quote(out)}")


def _require_terminal(context: click.Context, part: str | None, provider: str | None) -> None:
    missing = {"part": part, "provider": provider}
    for parameter in context.command.params if not asking.is_possible() else ():
        if parameter.name in missing and not missing[parameter.name]:
            raise click.MissingParameter(ctx=context, param=parameter)


def _write(folder: pathlib.Path, texts: dict[str, str], *, force: bool) -> None:
    files = {folder / file: text for file, text in texts.items()}
    existing = [str(path) for path in files if path.exists() or path.is_symlink()]
    if existing and not force:
        raise errors.consent_required(
            f"nothing was written: {', '.join(existing)} {'is' if len(existing) == 1 else 'are'} there already",
            hint="write to another folder with -o DIR, or replace them with --force",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise errors.manifest_unreadable(f"cannot create the folder {folder}: {error.strerror}", folder) from None
    for path, text in files.items():
        writing.write(path, text.encode())
        output.echo(terminal.one_line(str(path)))
