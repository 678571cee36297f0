"""``planton apply``: makes the cloud what the manifests say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from planton import runs
from planton.cli import options, output, render

if TYPE_CHECKING:
    from planton.engine import settings as engine_settings


@click.command()
@options.sources
@options.engine
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--refresh", is_flag=True, help="Read the cloud first, so that drift is repaired.")
@click.option("--allow-replace", multiple=True, metavar="KIND/NAME", help="Consent to replacing or deleting a cluster or pool.")
@click.option("--allow-unsupported", multiple=True, metavar="FIELD", help="Accept that a field has no effect.")
@output.output_option("text", "json")
def apply(
    *,
    given: options.Sources,
    settings: engine_settings.Settings,
    yes: bool,
    refresh: bool,
    allow_replace: tuple[str, ...],
    allow_unsupported: tuple[str, ...],
    form: str,
) -> None:
    """Create and change resources until they are as the manifests say.

    Shows the plan first and asks; without a terminal it needs --yes. Resources
    that refer to each other are ordered by that. A plan that would replace or
    delete a cluster or a node pool also needs --allow-replace.

    Exit codes: 0 done, 1 invalid, 2 usage, 5 refused, 6 the cloud failed.
    """
    run = runs.Run(
        given.read(),
        settings,
        options.tools(settings),
        allow_unsupported=allow_unsupported,
        on_event=render.Reporter(quiet=form == "json"),
    )
    if refresh:
        run.refresh()
    planned = run.plan(recover=True)
    if form == "text":
        render.echo_lines([*render.plan_lines(planned), "", "Plan: " + render.summary(planned, done=False)])
    if any(step.error is not None for step in planned):
        render.echo_json(render.steps_data("plan", planned)) if form == "json" else None
        raise SystemExit(render.worst(planned))
    options.losses_allowed(planned, allow_replace, run)
    if not all(step.up_to_date for step in planned):
        options.consent("Apply?", yes=yes or all(step.plan.empty for step in planned))
    done = run.apply(planned)
    if form == "json":
        render.echo_json(render.steps_data("apply", done))
    else:
        render.echo_lines(["", *render.result_lines(done), "", "Apply: " + render.summary(done, done=True)])
    raise SystemExit(render.worst(done))
