"""The questions of ``planton init`` on a terminal."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from typing import TYPE_CHECKING, Any

import click

import planton
from planton import errors
from planton.base import suggestions
from planton.cli import money, render
from planton.manifest import templates
from planton.schema import providers

if TYPE_CHECKING:
    from collections.abc import Sequence

#: The most sizes that are shown.
_MOST_SIZES = 12


def is_possible() -> bool:
    """Returns whether a user can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def choices(provider: str, options: templates.Choices, *, with_pools: bool) -> templates.Choices:
    """Asks for what is not given: region, size, number of nodes, and version.

    The lists come from the cloud, with prices. Without an account the template's own values are offered.

    Args:
        provider: The cloud.
        options: What the options say already.
        with_pools: Whether there are nodes.
    """
    region = options.region or _region(provider)
    if not with_pools:
        return dataclasses.replace(options, region=region)
    size = options.size or _size(provider, region)
    count = options.count or click.prompt("Number of nodes", type=click.IntRange(1, 100), default=2, err=True)
    version = options.version or _version(provider)
    return templates.Choices(region=region, size=size, count=count, version=version)


def provider() -> str:
    """Asks for the cloud."""
    return _chosen("Cloud", list(providers.names()), providers.default().name)


def _region(provider: str) -> str:
    names, usual = templates.regions(provider), providers.get(provider).sample_region
    # The schema of a cloud may accept any region.
    return _chosen("Region", names, usual) if names else _free("Region", usual)


def _size(provider: str, region: str) -> str:
    rows = [row for row in _offered(provider, "sizes", region) if not row["regions"] or region in row["regions"]]
    rows.sort(key=lambda row: (row["price"] is None, row["price"] or 0, row["memory"]))
    usual = templates.usual_size(provider)
    if not rows:
        return _free("Size of the nodes", usual)
    names = [str(row["size"]) for row in rows]
    shown = rows[:_MOST_SIZES]
    header = ("SIZE", "CPUS", "MEMORY (MiB)", "USD/MONTH")
    cells = [(row["size"], str(row["cpus"]), str(row["memory"]), money.amount(row["price"])) for row in shown]
    for line in render.table([header, *cells]):
        render.progress(line)
    more = len(names) - len(shown)
    if more:
        render.progress(f"… and {more} more: planton sizes --provider {provider}")
    return _chosen("Size of the nodes", names, usual if usual in names else names[0], listed=False)


def _version(provider: str) -> str:
    names = [str(row["version"]) for row in _offered(provider, "versions") if row["channel"] == "stable"]
    if not names:
        return _free("Kubernetes version", providers.get(provider).sample_version)
    usual = providers.get(provider).sample_version
    return _chosen("Kubernetes version", names, usual if usual in names else names[0])


def _offered(provider: str, list_name: str, region: str = "") -> list[dict[str, Any]]:
    with contextlib.suppress(errors.PlantonError):
        rows: list[dict[str, Any]] = getattr(planton.open_cloud(provider, region=region).account, list_name)()
        return rows
    render.progress(f"The {list_name} of the cloud cannot be listed without an account (planton doctor).")
    return []


def _free(question: str, usual: str) -> str:
    return str(click.prompt(question, default=usual, err=True)).strip()


def _chosen(question: str, names: Sequence[str], usual: str, *, listed: bool = True) -> str:
    def checked(text: str) -> str:
        name = next((each for each in names if each.lower() == text.strip().lower()), "")
        if not name:
            raise click.BadParameter(suggestions.suggest(text[:40], names) or f"one of: {', '.join(names[:_MOST_SIZES])}")
        return name

    if listed:
        question = f"{question} ({', '.join(names)})"
    return str(click.prompt(question, default=usual, value_proc=checked, err=True))
