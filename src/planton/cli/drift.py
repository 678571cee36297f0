"""``planton drift``: shows how the cloud differs from what was applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import planton
from planton import errors
from planton.cli import options, output, plan_data, plans, render

if TYPE_CHECKING:
    from planton.config import settings as engine_settings
    from planton.manifest import selection


@click.command()
@options.applied_resources
@output.output_option("text", "json")
def drift(*, resources: tuple[str, ...], selected: selection.Selection, settings: engine_settings.Settings, form: str) -> None:
    """Show how the cloud differs from what was applied; nothing is changed.

    Exit codes: 0 no drift, 1 not applied, 2 usage, 3 drift, 6 the cloud failed.
    """
    steps = planton.drift(options.applied(resources, selected, settings), settings=settings)
    drifted = any(not step.plan.empty for step in steps)
    if form == "json":
        render.echo_json(plan_data.of_steps("drift", steps, accounts=render.accounts_of(steps)))
    else:
        for step in steps:
            if step.error is not None:
                continue
            render.echo_lines([f"{step.key}: " + ("drift (applied → now)" if step.plan.changes else "no drift")])
            for change in step.plan.changes:
                render.echo_lines(plans.change_lines(change))
        if drifted:
            render.progress("to repair: planton apply -f FILE; to accept: change the manifest")
    plans.echo_errors(steps)
    if plans.worst(steps):
        raise SystemExit(plans.worst(steps))
    if drifted:
        raise SystemExit(int(errors.Code.DRIFT))
