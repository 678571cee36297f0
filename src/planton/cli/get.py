"""``planton get``: lists applied resources with their condition in the cloud."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click

import planton
from planton.cli import columns, complete, details, jsonpath, options, output, render, watching
from planton.manifest import stack_input
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planton.config import settings as engine_settings

#: The age of the data in manifests with outputs.
AS_RECORDED = "as of the last apply or refresh; planton drift reads the cloud"


@click.command()
@click.argument("selector", metavar="[KIND[/NAME]|all]", default="all", shell_complete=complete.resource)
@options.engine
@click.option("--env", default=None, metavar="ENV", help="Only this environment.")
@options.stack
@options.labels
@output.template_option("table", "wide", "yaml", "json", "name")
@click.option("--sort-by", "by", default="", metavar="COLUMN|PATH", help="Sort by a column, or by a JSONPath.")
@click.option("--offline", is_flag=True, help="Read no cloud: show what was applied.")
@watching.option
def get(
    *,
    selector: str,
    settings: engine_settings.Settings,
    env: str | None,
    stack: str,
    labels: tuple[tuple[str, str], ...],
    form: str,
    by: str,
    offline: bool,
    watch: bool,
    interval: float,
) -> None:
    r"""List applied resources, or show everything about one.

    KIND is a kind in singular or plural and any case, or a short name:
    clusters, pools, networks, firewalls. The cloud is read once per account
    and kind; if it cannot be read, the status is Unknown. DRIFT counts the
    properties that differ: planton drift shows them.

    \b
      planton get pools -l team=shop --sort-by nodes
      planton get clusters -o jsonpath='{.items[*].observed.version}'

    Exit codes: 0 listed, 1 not applied, 2 usage.
    """
    if "/" in selector:
        resource = planton.find(selector, env=options.env_of(settings, env), stack=stack, settings=settings)
        read = functools.partial(_inspect, resource, offline=offline, settings=settings)
    else:
        wanted = () if selector == "all" else kinds.match(selector)
        listed = planton.Filter(kinds=wanted, env=env, labels=labels, stack=stack)
        read = functools.partial(planton.overview, listed, offline=offline, settings=settings)
    if watch:
        render.echo_each(watching.rows(watching.repeat(read, interval), wide=form == "wide"))
        return
    overviews = columns.sort(read(), by)
    warn(overviews)
    if "/" in selector and form == "table":
        render.echo_lines(details.lines(overviews[0]))
    else:
        _show(overviews, form, is_one="/" in selector)


def _inspect(resource: planton.Applied, *, offline: bool, settings: engine_settings.Settings) -> list[planton.Overview]:
    return [planton.inspect(resource, offline=offline, settings=settings)]


def warn(overviews: Sequence[planton.Overview]) -> None:
    """Prints a warning for each reason why clouds could not be read."""
    problems = {each.problem.message: each.problem.hint for each in overviews if each.problem is not None}
    for message, hint in problems.items():
        output.warn(f"{message}; shown as of the last apply" + (f" ({hint})" if hint else ""))


def _show(overviews: Sequence[planton.Overview], form: str, *, is_one: bool) -> None:
    if form in ("table", "wide"):
        render.echo_lines(columns.table(overviews, wide=form == "wide") if overviews else ["nothing has been applied"])
    elif form == "name":
        render.echo_lines([f"{each.key.kind}/{each.key.name}" for each in overviews])
    elif form == "yaml":
        items = [stack_input.as_dict(each.applied.manifest) for each in overviews]
        click.echo(f"# {AS_RECORDED}")
        render.echo_yaml([items[0] if is_one else {"source": "state", "items": items}])
    else:
        items = [columns.item(each) for each in overviews]
        data: Any = items[0] if is_one else {"source": "state", "items": items}
        if form == "json":
            render.echo_json(data)
        else:
            output.echo_document(jsonpath.render(form.removeprefix(output.JSONPATH), data) + "\n")
