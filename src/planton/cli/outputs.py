"""``planton outputs``: prints the outputs of an applied resource."""

from __future__ import annotations

import click

import planton
from planton import errors
from planton.base import suggestions
from planton.cli import options, output, render, times
from planton.manifest import stack_input
from planton.schema import kinds


@click.command()
@options.named
@click.option("--field", default="", metavar="F", help="Print only this output, e.g. clusterId.")
@click.option("--show-secrets", is_flag=True, help="Print secrets too.")
@output.output_option("text", "json")
def outputs(*, named: options.Named, field: str, show_secrets: bool, form: str) -> None:
    """Print the outputs of an applied resource.

    Shows the outputs of the last apply or refresh; planton drift reads the
    cloud. Some clouds use the name of a node pool as its id.

    Exit codes: 0 printed, 1 not applied, 2 usage.
    """
    applied = named.find()
    data = stack_input.as_dict(planton.outputs(applied, settings=named.settings), show_secrets=show_secrets)
    if field:
        _print_field(kinds.get(applied.key.kind), data, field, form)
    elif form == "json":
        render.echo_json(data)
    else:
        render.echo_lines(f"{key}: {_text(value, separator=', ')}" for key, value in data.items())
        if output.is_terminal():
            render.progress(f"as of the last apply or refresh ({times.utc(applied.updated)}); planton drift reads the cloud")


def _print_field(kind: kinds.Kind, data: dict[str, object], field: str, form: str) -> None:
    fields = kind.stack_outputs.DESCRIPTOR.fields
    output_field = next((each for each in fields if field in (each.name, each.json_name)), None)
    if output_field is None:
        names = [each.json_name for each in fields]
        raise errors.usage(
            f"{kind.name} has no output {field!r}; it has: {', '.join(names)}",
            hint=suggestions.suggest(field, names),
        )
    value = data.get(output_field.json_name, "")
    if form == "json":
        render.echo_json(value)
    else:
        render.echo_lines([_text(value)])


def _text(value: object, *, separator: str = "\n") -> str:
    return separator.join(map(str, value)) if isinstance(value, list) else str(value)
