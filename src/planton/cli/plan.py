"""``planton plan``: shows what an apply would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from planton import errors, runs
from planton.cli import options, output, render

if TYPE_CHECKING:
    from planton.engine import settings as engine_settings


@click.command()
@options.sources
@options.engine
@click.option("--allow-unsupported", multiple=True, metavar="FIELD", help="Accept that a field has no effect.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 4 when there are changes.")
@output.output_option("text", "json")
def plan(
    *,
    given: options.Sources,
    settings: engine_settings.Settings,
    allow_unsupported: tuple[str, ...],
    detailed_exitcode: bool,
    form: str,
) -> None:
    """Show what an apply would do; nothing is changed.

    What does not exist yet is shown as (known after apply).

    Exit codes: 0 planned, 1 invalid, 2 usage, 4 changes (with
    --detailed-exitcode), 5 refused, 6 the cloud failed.
    """
    run = runs.Run(given.read(), settings, options.tools(settings), allow_unsupported=allow_unsupported)
    planned = run.plan(recover=False)
    if form == "json":
        render.echo_json(render.steps_data("plan", planned))
    else:
        render.echo_lines([*render.plan_lines(planned), "", "Plan: " + render.summary(planned, done=False)])
    if any(step.error is not None for step in planned):
        raise SystemExit(render.worst(planned))
    if detailed_exitcode and any(not step.plan.empty for step in planned):
        raise SystemExit(int(errors.Code.CHANGES))
