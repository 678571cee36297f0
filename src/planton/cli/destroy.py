"""``planton destroy``: deletes what was applied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from planton.cli import options, output, render
from planton.clouds import associated
from planton.deploy import accounts, leftovers
from planton.deploy.run import Run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planton.config import settings as engine_settings
    from planton.deploy.steps import Step
    from planton.schema import references


@click.command()
@options.applied_resources
@options.take_over
@click.option("--with-volumes", is_flag=True, help="Also delete the volumes of a deleted cluster.")
@click.option("--with-snapshots", is_flag=True, help="Also delete the snapshots of these volumes.")
@click.option("--with-load-balancers", is_flag=True, help="Also delete the load balancers of a deleted cluster.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@output.output_option("text", "json")
def destroy(
    *,
    resources: tuple[str, ...],
    given: options.Sources,
    settings: engine_settings.Settings,
    take_over: tuple[str, ...],
    with_volumes: bool,
    with_snapshots: bool,
    with_load_balancers: bool,
    yes: bool,
    form: str,
) -> None:
    """Delete resources from the cloud, dependants first.

    Lists the resources and asks; without a terminal it needs --yes. Exactly the
    listed resources are deleted. Name them by manifests (-f) or by KIND/NAME.
    To delete a resource that another folder applied, add --take-over.

    The clouds keep and bill the volumes, volume snapshots and load balancers of
    a deleted cluster. They are listed before the question. To delete exactly
    the listed items too, add --with-volumes, --with-snapshots or
    --with-load-balancers.

    Exit codes: 0 done, 1 invalid or not applied, 2 usage, 5 refused, 6 the
    cloud failed.
    """
    tools = options.tools(settings)
    wanted = options.applied(resources, settings=settings, tools=tools, given=given)
    run = Run(wanted, settings, tools, on_event=render.Reporter(quiet=form == "json"))
    planned = run.plan_destroy()
    left = run.left_behind(planned, sorts=_sorts(volumes=with_volumes, snapshots=with_snapshots, balancers=with_load_balancers))
    planned = leftovers.warned(planned, left)
    if form == "text":
        render.echo_accounts(run.used_accounts())
        render.echo_lines([*render.plan_lines(planned), "", "Destroy: " + render.summary(planned, done=False)])
        render.echo_errors(planned)
    if any(step.error is not None for step in planned):
        if form == "json":
            render.echo_json(_data(run, planned, left))
        raise SystemExit(render.worst(planned))
    render.echo_users(run.users_outside(step.key for step in planned))
    options.take_overs_allowed(planned, take_over)
    if planned:
        options.consent(accounts.question("Destroy", run.used_accounts()), yes=yes)
    done = run.destroy(planned, left=left)
    if form == "json":
        render.echo_json(_data(run, done, left))
    else:
        render.echo_lines([*render.result_lines(done), "Destroy: " + render.summary(done, done=True)])
    raise SystemExit(render.worst(done))


def _sorts(*, volumes: bool, snapshots: bool, balancers: bool) -> list[str]:
    chosen = {associated.VOLUME: volumes, associated.SNAPSHOT: snapshots, associated.LOAD_BALANCER: balancers}
    return [sort for sort, is_deleted in chosen.items() if is_deleted]


def _data(run: Run, steps: Sequence[Step], left: Mapping[references.Key, leftovers.Leftovers]) -> dict[str, Any]:
    return render.steps_data("destroy", steps, accounts=run.used_accounts()) | {
        "leftovers": [each.as_dict() for each in left.values()]
    }
