"""``planton drift``: shows how the cloud differs from what was applied."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Any

import click

import planton
from planton import errors
from planton.cli import options, output, plan_data, plans, progress, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planton.config import settings as engine_settings
    from planton.deploy import steps as deploy_steps
    from planton.manifest import selection


@click.command()
@options.applied_resources
@click.option("--full", is_flag=True, help="Let the engine read everything, also properties that are in no list.")
@output.output_option("text", "json")
def drift(
    *, resources: tuple[str, ...], selected: selection.Selection, settings: engine_settings.Settings, full: bool, form: str
) -> None:
    """Show how the cloud differs from what was applied; nothing is changed.

    Without manifests and KIND/NAME, everything that was applied is
    compared. One list per account and kind is read; the engine reads only
    what differs. In JSON, "method" is list or engine.

    Exit codes: 0 no drift, 1 not applied, 2 usage, 3 drift, 6 the cloud failed.
    """
    display = progress.of(settings, quiet=form == "json")
    with display.reading():
        chosen = options.applied(resources, selected, display.settings, or_all=True)
        steps = planton.drift(chosen, full=full, settings=display.settings)
    drifted = any(not step.plan.empty for step in steps)
    if form == "json":
        render.echo_json(_data(steps))
    elif not steps:
        render.echo_lines(["nothing has been applied"])
    else:
        counts = collections.Counter(step.key for step in steps)
        for step in steps:
            if step.error is not None:
                continue
            stack = f" [stack {step.stack}]" if counts[step.key] > 1 else ""
            render.echo_lines([f"{step.key}{stack}: " + ("drift (applied → now)" if step.plan.changes else "no drift")])
            for change in step.plan.changes:
                render.echo_lines(line.styled() for line in plans.change_lines(change))
        if drifted:
            render.progress("to repair: planton apply -f FILE; to accept: change the manifest")
    plans.echo_errors(steps)
    if plans.worst(steps):
        raise SystemExit(plans.worst(steps))
    if drifted:
        raise SystemExit(int(errors.Code.DRIFT))


def _data(steps: Sequence[deploy_steps.Step]) -> dict[str, Any]:
    data = plan_data.of_steps("drift", steps, accounts=render.accounts_of(steps))
    for each, step in zip(data["resources"], steps, strict=True):
        each["method"] = "engine" if step.is_read_by_engine else "list"
    read = sum(step.is_read_by_engine for step in steps)
    data["summary"] |= {"byList": len(steps) - read, "byEngine": read}
    return data
