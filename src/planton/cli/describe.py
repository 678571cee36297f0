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
    found = planton.describe(named.find(), settings=named.settings)
    get.warn([found.overview])
    if form == "json":
        render.echo_json(_data(found))
    else:
        render.echo_lines(lines(found))


def lines(found: planton.Description) -> list[str]:
    """Returns the lines of a description."""
    cost = "" if found.cost is None else f"{money.amount(found.cost.after)}/month list price"
    return [
        *details.lines(found.overview),
        *details.section("Uses", list(map(str, found.uses))),
        *details.section("Used by", list(map(str, found.users))),
        *details.section("Nodes", node_lines(found.nodes)),
        *details.section("Nodes", [] if found.nodes_problem is None else [f"not read: {found.nodes_problem.message}"]),
        *details.section("Upgrades offered", list(found.upgrades)),
        *details.section("Cost", [cost] if cost else []),
        *details.section("History", _history(found)),
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


def _history(found: planton.Description) -> list[str]:
    return [
        "  ".join(filter(None, (entry.started, entry.user, entry.operation, entry.result, ", ".join(entry.changes))))
        for entry in found.operations
    ]


def _data(found: planton.Description) -> dict[str, Any]:
    return {
        **columns.item(found.overview),
        "uses": [dataclasses.asdict(key) for key in found.uses],
        "usedBy": [dataclasses.asdict(key) for key in found.users],
        "nodes": [node_data(node) for node in found.nodes],
        "nodesProblem": None if found.nodes_problem is None else found.nodes_problem.as_dict(),
        "upgrades": list(found.upgrades),
        "cost": None if found.cost is None else found.cost.as_dict(),
        "history": [dataclasses.asdict(entry) for entry in found.operations],
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
