"""``planton destroy``: deletes what was applied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from planton import runs
from planton.cli import options, output, render

if TYPE_CHECKING:
    from planton.engine import settings as engine_settings


@click.command()
@options.applied_resources
@options.take_over
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@output.output_option("text", "json")
def destroy(
    *,
    resources: tuple[str, ...],
    given: options.Sources,
    settings: engine_settings.Settings,
    take_over: tuple[str, ...],
    yes: bool,
    form: str,
) -> None:
    """Delete resources from the cloud, dependants first.

    Lists what goes and asks; without a terminal it needs --yes. What is listed
    is deleted, and nothing else. Resources are given by manifests (-f) or by
    KIND/NAME; what another folder applied needs --take-over.

    Exit codes: 0 done, 1 invalid or not applied, 2 usage, 5 refused, 6 the
    cloud failed.
    """
    tools = options.tools(settings)
    wanted = options.applied(resources, settings=settings, tools=tools, given=given)
    run = runs.Run(wanted, settings, tools, on_event=render.Reporter(quiet=form == "json"))
    planned = run.plan_destroy()
    if form == "text":
        render.echo_lines([*render.plan_lines(planned), "", "Destroy: " + render.summary(planned, done=False)])
        render.echo_errors(planned)
    if any(step.error is not None for step in planned):
        if form == "json":
            render.echo_json(render.steps_data("destroy", planned))
        raise SystemExit(render.worst(planned))
    if any(change.noun == "KubernetesCluster" for step in planned for change in step.plan.changes):
        render.progress("! with a cluster go all its node pools, workloads and volumes, and the addresses of its load balancers")
    render.echo_users(run.users_outside(step.key for step in planned))
    options.take_overs_allowed(planned, take_over)
    if planned:
        options.consent("Destroy?", yes=yes)
    done = run.destroy(planned)
    if form == "json":
        render.echo_json(render.steps_data("destroy", done))
    else:
        render.echo_lines([*render.result_lines(done), "Destroy: " + render.summary(done, done=True)])
    raise SystemExit(render.worst(done))
