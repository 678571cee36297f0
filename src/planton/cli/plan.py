"""``planton plan``: shows the changes of an apply."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import planton
from planton import errors
from planton.cli import consent_options, markdown, options, output, plan_data, planning, plans, policing, progress, render

if TYPE_CHECKING:
    from planton.config import settings as engine_settings
    from planton.manifest import selection


@click.command()
@options.sources
@options.engine
@consent_options.options
@policing.option
@options.refresh
@options.show_all
@click.option("--out", default="", type=click.Path(), metavar="FILE", help="Save the plan, for: planton apply FILE.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 4 when there are changes.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print Markdown, for a comment on a pull request.")
@output.output_option("text", "json")
def plan(
    *,
    selected: selection.Selection,
    settings: engine_settings.Settings,
    consents: consent_options.Consents,
    policy_files: tuple[str, ...],
    refresh: bool,
    show_all: bool,
    out: str,
    detailed_exitcode: bool,
    as_markdown: bool,
    form: str,
) -> None:
    """Show what an apply would do; the cloud is not changed.

    Values that do not exist yet are shown as (known after apply). A plan saved
    with --out is applied exactly as shown, or not at all. The file holds
    manifests and no credentials. The cloud is read first, so that drift is in
    the plan. It is read again before a saved plan is applied. With
    --refresh=false the plan uses the last apply. No state is changed.

    With --markdown, the first line marks the comment, so that a workflow can find
    and update it: docs/use/ci.md has recipes.

    Exit codes: 0 planned, 1 invalid, 2 usage, 4 changes (with
    --detailed-exitcode), 5 refused, 6 the cloud failed.
    """
    form = "markdown" if as_markdown else form
    display = progress.of(settings, quiet=form == "json")
    request = planning.Request(selected, display, consents, policing.load(policy_files))
    try:
        planned = planning.make(request, refresh=refresh, preview=True)
    except errors.PlantonError as error:
        if as_markdown:
            output.echo(markdown.of_error(error))
        raise
    planning.show(planned, form, show_all=show_all)
    _echo(planned, form, show_all=show_all)
    if any(step.error is not None for step in planned.all_steps):
        raise SystemExit(plans.worst(planned.all_steps))
    render.echo_users(planned.users)
    if out:
        planton.save(planned, out, consents.consent())
        render.progress(f"saved in {out}; to do exactly this: planton apply {out}")
    if detailed_exitcode and planned.has_changes:
        raise SystemExit(int(errors.Code.CHANGES))


def _echo(planned: planton.Plan, form: str, *, show_all: bool) -> None:
    steps, accounts, cost = planned.all_steps, planned.accounts, planned.cost
    if form == "json":
        scaled = planned.autoscalers
        render.echo_json(plan_data.of_steps("plan", steps, accounts=accounts, cost=cost, autoscalers=scaled))
    elif form == "markdown":
        output.echo(markdown.of_plan(steps, accounts=accounts, cost=cost, show_all=show_all, autoscalers=planned.autoscalers))
        plans.echo_errors(steps)
