"""``planton versions|sizes|regions``: what a cloud offers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from planton import credentials, errors
from planton.cli import output, render

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planton.engine import civo_cloud


def _provider_option(function: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--provider", type=click.Choice(["civo"]), default="civo", show_default=True, help="The cloud to ask.")(
        function
    )


@click.command()
@_provider_option
@output.output_option("table", "json")
def versions(*, provider: str, form: str) -> None:
    """List the Kubernetes versions that the cloud offers."""
    rows = _cloud(provider).get("/v2/kubernetes/versions") or []
    _show(rows, {"VERSION": "version", "TYPE": "clusterType", "CHANNEL": "type", "DEFAULT": "default"}, form)


@click.command()
@_provider_option
@output.output_option("table", "json")
def sizes(*, provider: str, form: str) -> None:
    """List the machine sizes that the cloud offers for nodes."""
    rows = [row for row in _cloud(provider).get("/v2/sizes") or [] if ".kube." in str(row.get("name"))]
    _show(rows, {"SIZE": "name", "CPUS": "cpu_cores", "MEMORY (MiB)": "ram_mb", "DISK (GiB)": "disk_gb"}, form)


@click.command()
@_provider_option
@output.output_option("table", "json")
def regions(*, provider: str, form: str) -> None:
    """List the regions of the cloud."""
    rows = _cloud(provider).get("/v2/regions") or []
    _show(rows, {"REGION": "code", "NAME": "name", "COUNTRY": "country_name", "FULL": "out_of_capacity"}, form)


def _cloud(provider: str) -> civo_cloud.Cloud:
    from planton.engine import civo_cloud  # `--help` must not wait for it

    config: Any = credentials.from_environment(provider, os.environ)
    if not config.api_token:
        raise errors.PlantonError(
            f"no credentials for {provider}",
            code=errors.Code.MISSING,
            reason=errors.Reason.CREDENTIAL_MISSING,
            hint='set CIVO_TOKEN, or try it without an account: eval "$(planton sandbox env)"',
        )
    return civo_cloud.of(config)


def _show(rows: Sequence[dict[str, Any]], columns: dict[str, str], form: str) -> None:
    if form == "json":
        render.echo_json([{name.lower().split(" ")[0]: row.get(field) for name, field in columns.items()} for row in rows])
        return
    cells = [tuple(_text(row.get(field)) for field in columns.values()) for row in rows]
    render.echo_lines(render.table([tuple(columns), *cells]))


def _text(value: object) -> str:
    return {True: "yes", False: "", None: ""}.get(value, str(value)) if isinstance(value, bool | None) else str(value)
