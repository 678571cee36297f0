"""``planton get``: lists applied resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

import planton
from planton.cli import options, output, render, times
from planton.manifest import stack_input
from planton.schema import kinds

if TYPE_CHECKING:
    from planton.config import settings as engine_settings

#: The age of the data that `planton get` and `planton outputs` show.
AS_RECORDED = "as of the last apply or refresh; planton drift reads the cloud"
_HEADER = ("KIND", "NAME", "ENV", "ID", "AS OF")


@click.command()
@click.argument("selector", metavar="[KIND[/NAME]|all]", default="all")
@options.engine
@click.option("--env", default=None, metavar="ENV", help="Only this environment.")
@options.stack
@output.output_option("table", "yaml", "json")
def get(*, selector: str, settings: engine_settings.Settings, env: str | None, stack: str, form: str) -> None:
    """List applied resources, or show one with its outputs.

    KIND may be singular or plural, in any case. Shows the results of the last
    apply or refresh; planton drift reads the cloud. Some clouds use
    the name of a node pool as its id.

    Exit codes: 0 listed, 1 not applied, 2 usage.
    """
    if "/" in selector:
        resources = [planton.find(selector, env=options.env_of(settings, env), stack=stack, settings=settings)]
    else:
        kind = None if selector == "all" else kinds.parse(selector).name
        listed = planton.applied(settings, stack=stack)
        resources = [each for each in listed if kind in (None, each.key.kind) and env in (None, each.key.env)]
    if form == "table":
        render.echo_lines(render.table([_HEADER, *map(row, resources)]) if resources else ["nothing has been applied"])
        if resources and output.is_terminal():
            render.progress(AS_RECORDED)
        return
    items = [stack_input.as_dict(each.manifest) for each in resources]
    data: Any = items[0] if "/" in selector else {"source": "state", "items": items}
    if form == "json":
        render.echo_json(data)
    else:
        click.echo(f"# {AS_RECORDED}")
        render.echo_yaml([data])


def row(applied: planton.Applied) -> tuple[str, ...]:
    """Returns the cells of an applied resource."""
    key = applied.key
    return (key.kind, key.name, key.env or "-", applied.identity or "(incomplete)", times.utc(applied.updated))
