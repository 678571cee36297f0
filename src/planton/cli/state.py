"""``planton state``: shows and changes states. These commands neither read nor change the cloud."""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import TYPE_CHECKING, Any

import click

import planton
from planton.base import terminal
from planton.cli import options, output, render, state_changes, state_migrate, state_options, times, writing

if TYPE_CHECKING:
    from planton.config import settings as engine_settings
    from planton.state import deployments

_HEADER = ("STACK", "KIND", "NAME", "ENV", "RESOURCES", "UPDATED", "LAST OPERATION", "LOCK")


@click.group()
def state() -> None:
    """Show, export, move and repair states.

    A state is the engine's record of the cloud resources of a stack. These
    commands neither read nor change the cloud.
    """


@state.command("list")
@options.engine
@output.output_option("table", "json")
def list_(*, settings: engine_settings.Settings, form: str) -> None:
    """List the stacks of the backend, including those of other programs.

    Stacks without a resource or an operation are not listed. LAST OPERATION says
    whether the last operation finished, according to the state and to this machine.
    LOCK is shown only for backends in a folder.
    """
    with planton.states(settings) as states:
        stacks = [each for each in states.all() if not each.empty]
    if form == "json":
        render.echo_json([_data(each) for each in stacks])
    else:
        render.echo_lines(render.table([_HEADER, *map(_row, stacks)]) if stacks else ["no stacks"])
    for each in stacks:
        if each.problem and form != "json":
            output.warn(f"{each.name}: {each.problem}")


def _row(each: deployments.Stored) -> tuple[str, ...]:
    key = ("-", "-", "-") if each.key is None else (each.key.kind, each.key.name, each.key.env or "-")
    ended = "unreadable" if each.problem else "ended" if each.clean else "did not end"
    return (str(each.name), *key, str(each.resources), times.utc(each.updated), ended, ", ".join(each.holders) or "-")


def _data(each: deployments.Stored) -> dict[str, Any]:
    key = each.key
    return {
        "stack": str(each.name),
        "kind": key.kind if key else None,
        "name": key.name if key else None,
        "env": key.env if key else None,
        "resources": each.resources,
        "updated": each.updated or None,
        "lastOperationEnded": each.clean,
        "lockedBy": list(each.holders),
        "problem": each.problem or None,
    }


@state.command()
@state_options.stack
@output.output_option("text", "json")
def show(*, states: planton.Stores, find_stack: state_options.Find, form: str) -> None:
    """Show the resources of a state; secrets are redacted.

    Exit codes: 0 shown, 1 there is no such stack, 2 usage.
    """
    name = find_stack()
    data = [dataclasses.asdict(each) for each in states.resources(name)]
    if form == "json":
        render.echo_json({"stack": str(name), "resources": data})
    else:
        render.echo_lines(line for each in data for line in _lines(each))


def _lines(resource: dict[str, Any]) -> list[str]:
    lines = [terminal.style(terminal.one_line(resource["name"]), "bold") + f"  ({resource['type']})"]
    lines += [f"  {part}: {resource[part] or '-'}" for part in ("id", "urn")]
    for part in ("inputs", "outputs"):
        lines += [f"  {part}:", *(f"    {key}: {_text(value)}" for key, value in sorted(resource[part].items()))]
    return lines


def _text(value: Any) -> str:  # JSON data
    return terminal.one_line(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@state.command()
@state_options.stack
@click.option(
    "--out",
    default="",
    type=click.Path(),
    metavar="FILE",
    help="Write it to this file, with mode 0600.  [default: standard output]",
)
def export(*, states: planton.Stores, find_stack: state_options.Find, out: str) -> None:
    """Print a state as Pulumi's JSON; its secrets stay encrypted.

    Exit codes: 0 done, 1 there is no such stack, 2 usage.
    """
    text = states.text(find_stack())
    if out:
        writing.write(pathlib.Path(out), text.encode(), mode=0o600)
        render.progress(f"written to {out}")
    else:
        output.echo_document(text)


for command in (state_changes.import_, state_changes.forget, state_changes.move, state_changes.unlock, state_migrate.migrate):
    state.add_command(command)
