"""``planton versions|sizes|regions``: the offers of a cloud."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

import planton
from planton import errors
from planton.cli import complete, output, render
from planton.schema import kinds, providers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from planton import clouds


def _provider_option(function: Callable[..., Any]) -> Callable[..., Any]:
    choice = click.Choice(list(providers.names()))
    return click.option("--provider", type=choice, default=providers.default().name, show_default=True, help="The cloud.")(
        function
    )


@click.command()
@_provider_option
@output.output_option("table", "json")
def versions(*, provider: str, form: str) -> None:
    """List the Kubernetes versions that the cloud offers."""
    _show(_cloud(provider).versions(), ("VERSION", "TYPE", "CHANNEL", "DEFAULT"), form)


@click.command()
@_provider_option
@click.option(
    "--region", default="", metavar="REGION", shell_complete=complete.region, help="Only the sizes offered in this region."
)
@output.output_option("table", "json")
def sizes(*, provider: str, region: str, form: str) -> None:
    """List the machine sizes for nodes, with list prices and regions.

    Prices are in US dollars per month. Where the cloud's API has none, they come
    from a table of this version, and sizes that it lacks are unknown. Where they
    differ by region, they are those of --region, else of the account's region.

    Some clouds do not report where a size is offered: REGIONS is then empty,
    and --region has no effect.
    """
    # The account without a region, where it has the same sizes in all of them.
    cloud = _cloud(provider, region).account
    rows = cloud.sizes()
    if region:
        _check_region(region, cloud, provider)
        rows = [row for row in rows if row["regions"] is None or region.lower() in row["regions"]]
    if form == "table":
        rows = [row | {"price": _price(row["price"])} for row in rows]
    header = ("SIZE", "CPUS", "MEMORY (MiB)", "DISK (GiB)", "USD/MONTH", "REGIONS")
    columns = ("size", "cpus", "memory", "disk", "price", "regions")
    _show([{name: row[name] for name in columns} for row in rows], header, form)
    if form == "table":
        _note_prices(provider)


@click.command()
@_provider_option
@output.output_option("table", "json")
def regions(*, provider: str, form: str) -> None:
    """List the regions of the cloud that a manifest can name."""
    rows = _cloud(provider).regions()
    # A schema without a list of regions accepts all.
    accepted = kinds.regions(provider) or {str(row["region"]).lower() for row in rows}
    unnamed = sorted(str(row["region"]) for row in rows if str(row["region"]).lower() not in accepted)
    _show([row for row in rows if str(row["region"]).lower() in accepted], ("REGION", "NAME", "COUNTRY", "FULL"), form)
    if unnamed:
        render.progress(f"the cloud has more regions, which manifests of this version cannot name: {', '.join(unnamed)}")


def _price(price: float | None) -> str:
    return "unknown" if price is None else f"{price:,.2f}"


def _note_prices(provider: str) -> None:
    prices = providers.get(provider).prices
    if prices is not None and prices.read:
        render.progress(f"list prices: {prices.source}, read on {prices.read}")


def _check_region(region: str, cloud: clouds.Cloud, provider: str) -> None:
    names = [str(row["region"]) for row in cloud.regions()]
    if region.lower() not in (name.lower() for name in names):
        raise errors.usage(
            f"{provider} has no region {region!r}; it has: {', '.join(sorted(names))}",
            hint=f"use one of them: planton sizes --provider {provider} --region REGION",
        )


def _cloud(provider: str, region: str = "") -> clouds.Cloud:
    return planton.open_cloud(provider, region=region, settings=planton.configure(progress=render.progress))


def _show(rows: Sequence[dict[str, Any]], header: tuple[str, ...], form: str) -> None:
    if form == "json":
        render.echo_json(rows)
        return
    render.echo_lines(render.table([header, *(tuple(map(_text, row.values())) for row in rows)]))


def _text(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return {True: "yes", False: "", None: ""}.get(value, str(value)) if isinstance(value, bool | None) else str(value)
