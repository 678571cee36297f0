"""``planton versions|sizes|regions``: what a cloud offers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from planton import credentials, errors, kinds
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

    usual = contexts.choose("", os.environ).credentials
    config: Any = credentials.from_environment(provider, os.environ, usual)
    if not config.api_token:
        raise errors.PlantonError(
            f"no credentials for {provider}",
            code=errors.Code.MISSING,
            reason=errors.Reason.CREDENTIAL_MISSING,
            hint=f'set {provider.upper()}_TOKEN, or try it without an account: eval "$(planton sandbox env)"',
        )
    return clouds.of(config)


def _show(rows: Sequence[dict[str, Any]], header: tuple[str, ...], form: str) -> None:
    if form == "json":
        render.echo_json(rows)
        return
    render.echo_lines(render.table([header, *(tuple(map(_text, row.values())) for row in rows)]))


def _text(value: object) -> str:
    return {True: "yes", False: "", None: ""}.get(value, str(value)) if isinstance(value, bool | None) else str(value)
