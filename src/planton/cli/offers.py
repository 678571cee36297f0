"""``planton versions|sizes|regions``: what a cloud offers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from planton import credentials, kinds
from planton.cli import output, render

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planton.engine import clouds


def _provider_option(function: Callable[..., Any]) -> Callable[..., Any]:
    choice = click.Choice(list(kinds.PROVIDERS))
    return click.option("--provider", type=choice, default="civo", show_default=True, help="The cloud to ask.")(function)


@click.command()
@_provider_option
@output.output_option("table", "json")
def versions(*, provider: str, form: str) -> None:
    """List the Kubernetes versions that the cloud offers."""
    _show(_cloud(provider).versions(), ("VERSION", "TYPE", "CHANNEL", "DEFAULT"), form)


@click.command()
@_provider_option
@output.output_option("table", "json")
def sizes(*, provider: str, form: str) -> None:
    """List the machine sizes that the cloud offers for nodes."""
    _show(_cloud(provider).sizes(), ("SIZE", "CPUS", "MEMORY (MiB)", "DISK (GiB)"), form)


@click.command()
@_provider_option
@output.output_option("table", "json")
def regions(*, provider: str, form: str) -> None:
    """List the regions of the cloud."""
    _show(_cloud(provider).regions(), ("REGION", "NAME", "COUNTRY", "FULL"), form)


def _cloud(provider: str) -> clouds.Cloud:
    from planton.engine import clouds, contexts  # `--help` must not wait for it

    chosen = contexts.choose("", os.environ)
    config: Any = credentials.from_environment(provider, os.environ, chosen.credentials)
    if not config.api_token:
        raise credentials.missing(provider)
    ignored = credentials.overruled(provider, os.environ, chosen.credentials)
    if ignored:
        render.progress(f"{ignored} is ignored: the context {chosen.name} uses the credential {chosen.credentials[provider]}")
    return clouds.of(config)


def _show(rows: Sequence[dict[str, Any]], header: tuple[str, ...], form: str) -> None:
    if form == "json":
        render.echo_json(rows)
        return
    render.echo_lines(render.table([header, *(tuple(map(_text, row.values())) for row in rows)]))


def _text(value: object) -> str:
    return {True: "yes", False: "", None: ""}.get(value, str(value)) if isinstance(value, bool | None) else str(value)
