"""``planton graph``: how manifests depend on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import planton
from planton.base import terminal
from planton.cli import options, output, render
from planton.schema import references

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planton.manifest import selection

    Graph = Mapping[references.Key, list[tuple[references.Key, str]]]


@click.command()
@options.sources
@output.output_option("text", "dot", "mermaid", "json")
def graph(*, selected: selection.Selection, form: str) -> None:
    r"""Show how resources depend on each other, in the order of an apply.

    No cloud and no state is read. Dependencies that are not among the manifests
    are marked.

    \b
    planton graph -f envs/dev
    planton graph -f envs/dev -o dot | dot -Tsvg > dev.svg

    Exit codes: 0 shown, 1 invalid, 2 usage.
    """
    dependency_graph = planton.graph(selected.read())
    uses = {key: references.uses(dependency_graph.resources[key].manifest) for key in dependency_graph.order}
    if form == "json":
        render.echo_json(_data(uses))
    else:
        render.echo_lines({"text": _text, "dot": _dot, "mermaid": _mermaid}[form](uses))


def _data(graph: Graph) -> dict[str, object]:
    def named(key: references.Key) -> dict[str, str]:
        return {"kind": key.kind, "env": key.env, "name": key.name}

    return {
        "resources": [{**named(key), "given": True} for key in graph]
        + [{**named(key), "given": False} for key in _missing_targets(graph)],
        "dependencies": [
            {"from": named(key), "to": named(target), "path": path} for key, uses in graph.items() for target, path in uses
        ],
    }


def _missing_targets(graph: Graph) -> list[references.Key]:
    return sorted({target for uses in graph.values() for target, _ in uses if target not in graph})


def _text(graph: Graph) -> list[str]:
    lines = []
    for key, uses in graph.items():
        lines.append(terminal.style(terminal.one_line(str(key)), "bold"))
        for target, path in uses:
            lines.append(f"  {path} → {target}" + ("" if target in graph else terminal.style("  (not given)", "yellow")))
    return lines


def _dot(graph: Graph) -> list[str]:
    lines = ["digraph planton {", "  rankdir=LR;", "  node [shape=box];"]
    lines += [f'  "{key}";' for key in graph]
    lines += [f'  "{key}" [style=dashed];' for key in _missing_targets(graph)]
    lines += [f'  "{key}" -> "{target}" [label="{path}"];' for key, uses in graph.items() for target, path in uses]
    return [*lines, "}"]


def _mermaid(graph: Graph) -> list[str]:
    numbers = {key: f"r{number}" for number, key in enumerate([*graph, *_missing_targets(graph)])}
    lines = ["flowchart LR"]
    lines += [f'  {number}["{key}"]' for key, number in numbers.items()]
    lines += [f"  {numbers[key]} -->|{path}| {numbers[target]}" for key, uses in graph.items() for target, path in uses]
    return lines
