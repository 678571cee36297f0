"""``planton describe``: shows everything about one applied resource."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click

import planton
from planton.cli import columns, details, get, money, options, output, render, times

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NODES = ("NAME", "POOL", "STATUS", "VERSION", "AGE")


@click.command()
@options.named
@output.output_option("text", "json")
def describe(*, named: options.Named, form: str) -> None:
    """Show everything about an applied resource.

    Adds to planton get KIND/NAME: references in both directions, nodes with
    conditions, drift, the newest operations, offered upgrades, and cost.

    Exit codes: 0 shown, 1 not applied, 2 usage.
    """
    description = planton.describe(named.find(), settings=named.settings)
    get.warn([description.overview])
    if form == "json":
        render.echo_json(_data(description))
    else:
        render.echo_lines(lines(description))


def lines(description: planton.Description) -> list[str]:
    """Returns the lines of a description."""
    cost = "" if description.cost is None else f"{money.amount(description.cost.after)}/month list price"
    return [
        *details.lines(description.overview),
        *details.section("Uses", list(map(str, description.uses))),
        *details.section("Used by", list(map(str, description.users))),
        *details.section("Nodes", node_lines(description.nodes)),
        *details.section(
            "Nodes", [] if description.nodes_problem is None else [f"not read: {description.nodes_problem.message}"]
        ),
        *details.section("Upgrades offered", list(description.upgrades)),
        *details.section("Cost", [cost] if cost else []),
        *details.section("History", _history(description)),
    ]


def node_lines(nodes: Sequence[planton.Node]) -> list[str]:
    """Returns a table of nodes, with what is not as it should be under each; no lines without nodes."""
    if not nodes:
        return []
    header, *rows = render.table([NODES, *map(node_row, nodes)])
    return [header, *(line for node, row in zip(nodes, rows, strict=True) for line in (row, *_problems(node.problems)))]


def node_row(node: planton.Node) -> tuple[str, ...]:
    """Returns the cells of a node."""
    return (node.name, node.pool or "-", node.status, node.version or "-", times.age(node.created))


def _problems(problems: Iterable[str]) -> list[str]:
    return [f"  ! {problem}" for problem in problems]


def _history(description: planton.Description) -> list[str]:
    return [
        "  ".join(filter(None, (entry.started, entry.user, entry.operation, entry.result, ", ".join(entry.changes))))
        for entry in description.operations
    ]


def _data(description: planton.Description) -> dict[str, Any]:
    return {
        **columns.item(description.overview),
        "uses": [dataclasses.asdict(key) for key in description.uses],
        "usedBy": [dataclasses.asdict(key) for key in description.users],
        "nodes": [node_data(node) for node in description.nodes],
        "nodesProblem": None if description.nodes_problem is None else description.nodes_problem.as_dict(),
        "upgrades": list(description.upgrades),
        "cost": None if description.cost is None else description.cost.as_dict(),
        "history": [dataclasses.asdict(entry) for entry in description.operations],
    }


def node_data(node: planton.Node) -> dict[str, Any]:
    """Returns a node as JSON data."""
    return {
        "name": node.name,
        "pool": node.pool,
        "status": node.status,
        "ready": node.is_ready,
        "cordoned": node.is_cordoned,
        "version": node.version,
        "created": node.created,
        "conditions": [dataclasses.asdict(condition) for condition in node.conditions],
    }
