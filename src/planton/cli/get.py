"""``planton get``: lists applied resources with their condition in the cloud."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

import planton
from planton.cli import columns, complete, details, jsonpath, nodepools_options, options, output, owners, render, watching
from planton.manifest import stack_input
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planton import client
    from planton.config import settings as engine_settings

#: The age of the data in manifests with outputs.
AS_RECORDED = "as of the last apply or refresh; planton drift reads the cloud"
F = TypeVar("F", bound=Callable[..., Any])


def _filters(function: F) -> F:
    """Adds the options that choose resources, as the argument ``listed``."""

    @click.option("--env", default=None, metavar="ENV", help="Only this environment.")
    @options.stack
    @options.labels
    @functools.wraps(function)
    def wrapped(*, env: str | None, stack: str, labels: tuple[tuple[str, str], ...], **arguments: Any) -> Any:
        return function(listed=planton.Filter(env=env, labels=labels, stack=stack), **arguments)

    return wrapped  # type: ignore[return-value]  # click's options have changed its parameters


@click.command()
@click.argument("selector", metavar="[KIND[/NAME]|all]", default="all", shell_complete=complete.resource)
@options.engine
@_filters
@output.template_option("table", "wide", "yaml", "json", "name")
@click.option("--sort-by", "by", default="", metavar="COLUMN|PATH", help="Sort by a column, or by a JSONPath.")
@click.option("--offline", is_flag=True, help="Read no cloud: show what was applied.")
@watching.option
@click.option("--all", "with_api", is_flag=True, help="Include the objects of the NodePool API, and show owners.")
@nodepools_options.server_for("with_api")
def get(
    *,
    selector: str,
    settings: engine_settings.Settings,
    listed: planton.Filter,
    form: str,
    by: str,
    offline: bool,
    watch: bool,
    interval: float,
    with_api: bool,
    api: client.Transport | None,
) -> None:
    r"""List applied resources, or show everything about one.

    KIND is a kind in singular or plural and any case, or a short name:
    clusters, pools, networks, firewalls. The cloud is read once per account
    and kind; if it cannot be read, the status is Unknown. DRIFT counts the
    properties that differ: planton drift shows them.

    With --all the list includes clusters and node pools of the NodePool API,
    also those without a stack in this backend. OWNER is api, or manifest.

    \b
      planton get pools -l team=shop --sort-by nodes
      planton get clusters -o jsonpath='{.items[*].observed.version}'

    Exit codes: 0 listed, 1 not applied, 2 usage; with --all: 6 the API cannot be
    reached, 8 no user or token.
    """
    if with_api and ("/" in selector or watch):
        raise click.UsageError("--all lists all owners once: it takes neither KIND/NAME nor --watch")
    if "/" in selector:
        resource = planton.find(selector, env=options.env_of(settings, listed.env), stack=listed.stack, settings=settings)
        read = functools.partial(_inspect, resource, offline=offline, settings=settings)
    else:
        listed = dataclasses.replace(listed, kinds=() if selector == "all" else kinds.match(selector))
        if api is not None:
            _show_owners(owners.read(listed, api, offline=offline, settings=settings), form, by)
            return
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
    else:
        if form == "yaml":
            click.echo(f"# {AS_RECORDED}")
            items = [stack_input.as_dict(each.applied.manifest) for each in overviews]
        else:
            items = [columns.item(each) for each in overviews]
        _echo_data(items[0] if is_one else {"source": "state", "items": items}, form)


def _show_owners(entries: Sequence[owners.Entry], form: str, by: str) -> None:
    ordered = columns.sort_by(entries, by, owners.SHAPE)
    warn([each.overview for each in ordered if each.overview is not None])
    if form in ("table", "wide"):
        render.echo_lines(owners.table(ordered, wide=form == "wide") if ordered else ["nothing has been applied or created"])
    elif form == "name":
        render.echo_lines([f"{each.kind}/{each.name}" for each in ordered])
    else:
        _echo_data({"source": "all", "items": [each.item() for each in ordered]}, form)


def _echo_data(data: Any, form: str) -> None:  # JSON data
    if form == "json":
        render.echo_json(data)
    elif form == "yaml":
        render.echo_yaml([data])
    else:
        output.echo_document(jsonpath.render(form.removeprefix(output.JSONPATH), data) + "\n")
