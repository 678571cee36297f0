"""``planton explain``: describes a kind and its fields, from the built-in schema."""

from __future__ import annotations

import textwrap
from typing import Any

import click

from planton import errors
from planton.base import terminal
from planton.cli import output, render
from planton.schema import describe, kinds

_WIDTH = 100
#: More names than this are listed only where the field itself is explained.
_FEW = 12


def _complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    above, dot, _ = incomplete.rpartition(".")
    if not dot:
        names = [kind.name.lower() for kind in kinds.all_kinds()]
    else:
        try:
            names = [f"{above}.{field.name}" for field in describe.find(above).fields]
        except errors.PlantonError:
            return []
    return [name for name in names if name.startswith(incomplete)]


@click.command()
@click.argument("path", metavar="[KIND[.FIELD]...]", default="", shell_complete=_complete)
@click.option("--recursive", is_flag=True, help="Show the fields of the fields too.")
@output.output_option("text", "json")
def explain(*, path: str, recursive: bool, form: str) -> None:
    r"""Describe a kind or a field: type, rules, defaults, outputs.

    KIND may be singular or plural, in any case; without it the kinds are listed.
    Outputs are under status.outputs. No cloud is called.

    \b
    planton explain civokubernetesnodepool
    planton explain civokubernetesnodepool.spec.taints
    planton explain civovpc.status.outputs

    Exit codes: 0 shown, 1 unknown kind, 2 unknown field.
    """
    if not path:
        _show_kinds(form)
        return
    node = describe.find(path)
    if form == "json":
        top = {"kind": node.kind.name, "apiVersion": node.kind.api_version}
        render.echo_json(top | _data(node, depth=None if recursive else 1))
    else:
        render.echo_lines(_lines(node, recursive=recursive))


def _show_kinds(form: str) -> None:
    nodes = [describe.find(kind.name) for kind in kinds.all_kinds()]
    if form == "json":
        listed = [
            {"kind": node.kind.name, "apiVersion": node.kind.api_version, "description": node.description} for node in nodes
        ]
        render.echo_json(listed)
        return
    rows = [(node.kind.name, node.kind.api_version, node.description) for node in nodes]
    render.echo_lines(render.table([("KIND", "APIVERSION", "DESCRIPTION"), *rows]))


def _lines(node: describe.Node, *, recursive: bool) -> list[str]:
    lines = [f"{_title('KIND:')}     {node.kind.name}", f"{_title('VERSION:')}  {node.kind.api_version}"]
    if node.path:
        lines.append(f"{_title('FIELD:')}    {node.path} {_type(node)}")
    lines += ["", _title("DESCRIPTION:"), *_wrapped(node.description, 2)]
    if node.about not in ("", node.description):
        lines += ["", *_wrapped(node.about, 2)]
    facts = _facts(node)
    if facts:
        lines += ["", *facts]
    rules = [*node.rules, *node.message_rules]
    if rules:
        lines += ["", _title("RULES:"), *_listed(rules, 2)]
    if node.values:
        lines += ["", _title("VALUES:")]
        for name, text in node.values:
            lines += _wrapped(f"{name}: {text}" if text else name, 2)
    if node.fields:
        lines += ["", _title("FIELDS:"), *(_tree(node, 2, ()) if recursive else _fields(node))]
    return lines


def _fields(node: describe.Node) -> list[str]:
    lines: list[str] = []
    for field in node.fields:
        lines += [
            *([""] if lines else []),
            f"  {terminal.style(field.name, 'bold')} {_type(field)}",
            *_wrapped(field.description, 4),
        ]
        lines += [f"    {fact}" for fact in _facts(field)]
        if 0 < len(field.values) <= _FEW:
            lines += _wrapped(f"Values: {', '.join(name for name, _ in field.values)}", 4)
        elif field.values:
            lines.append(f"    Values: {len(field.values)}; planton explain {field.kind.name}.{field.path} lists them")
        lines += _listed([rule for rule in field.rules if rule.id != "required"], 4)
    return lines


def _tree(node: describe.Node, indent: int, above: tuple[str, ...]) -> list[str]:
    lines = []
    for field in node.fields:
        lines.append(f"{' ' * indent}{field.name} {_type(field)}")
        name = field.message.full_name if field.message is not None else ""
        if name not in above:  # a type may contain itself
            lines += _tree(field, indent + 2, (*above, name))
    return lines


def _title(text: str) -> str:
    return terminal.style(text, "bold")


def _type(node: describe.Node) -> str:
    return terminal.style(f"<{node.type}>", "cyan") + (terminal.style(" -required-", "red") if node.required else "")


def _facts(node: describe.Node) -> list[str]:
    facts = [f"Default: {node.default}"] if node.default else []
    facts += [f"Recommended: {node.recommended} (never applied by itself)"] if node.recommended else []
    if node.default_kind:
        facts.append(f"Refers to: {node.default_kind}, field {node.default_path} (unless valueFrom says otherwise)")
    return facts


def _listed(rules: list[describe.Rule], indent: int) -> list[str]:
    return [line for rule in rules for line in _wrapped(f"- {rule.text} [{rule.id}]", indent, hanging=2)]


def _wrapped(text: str, indent: int, *, hanging: int = 0) -> list[str]:
    first = " " * indent
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=first + " " * hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _data(node: describe.Node, *, depth: int | None, above: tuple[str, ...] = ()) -> dict[str, Any]:
    name = node.message.full_name if node.message is not None else ""
    data: dict[str, Any] = {
        "path": node.path,
        "name": node.name,
        "type": node.type,
        "required": node.required,
        "description": node.description,
        "typeDescription": node.about,
        "default": node.default or None,
        "recommendedDefault": node.recommended or None,
        "reference": {"kind": node.default_kind, "fieldPath": node.default_path} if node.default_kind else None,
        "values": [{"name": value, "description": text} for value, text in node.values],
        "rules": [{"id": rule.id, "message": rule.text} for rule in (*node.rules, *node.message_rules)],
    }
    if depth != 0 and name not in above:
        below = None if depth is None else depth - 1
        data["fields"] = [_data(field, depth=below, above=(*above, name)) for field in node.fields]
    return data
