"""``planton destroy``: deletes applied resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

import planton
from planton.cli import consent_options, options, output, plan_data, planning, plans, progress, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planton.config import settings as engine_settings
    from planton.deploy import steps as deploy_steps
    from planton.manifest import selection


@click.command()
@options.applied_resources
@consent_options.take_over
@consent_options.leftovers
@click.option("--yes", "-y", is_flag=True, help="Skip the confirmation.")
@output.output_option("text", "json")
def destroy(
    *,
    resources: tuple[str, ...],
    selected: selection.Selection,
    settings: engine_settings.Settings,
    take_over: tuple[str, ...],
    leftovers: list[planton.Leftover],
    yes: bool,
    form: str,
) -> None:
    """Delete resources from the cloud, dependants first.

    Lists the resources and asks; without a terminal it needs --yes. Exactly the
    listed resources are deleted. Name them by manifests (-f) or by KIND/NAME.
    To delete a resource that another folder applied, add --take-over.

    The clouds keep and bill the volumes, volume snapshots, load balancers and
    reserved addresses of a deleted cluster. They are listed before the
    question. To delete exactly the listed items too, add --with-volumes,
    --with-snapshots, --with-load-balancers or --with-reserved-addresses.

    Exit codes: 0 done, 1 invalid or not applied, 2 usage, 5 refused, 6 the
    cloud failed.
    """
    display = progress.of(settings, quiet=form == "json")
    with display.planning():
        planned = planton.plan_destroy(
            options.applied(resources, selected, display.settings),
            settings=display.settings,
            leftovers=leftovers,
            on_progress=display.listener,
        )
    if form == "text":
        render.echo_accounts(planned.accounts)
        plans.echo(planned.steps, planned.cost, title="Destroy", autoscalers=planned.autoscalers)
    if any(step.error is not None for step in planned.steps):
        if form == "json":
            render.echo_json(_data(planned, planned.steps))
        raise SystemExit(plans.worst(planned.steps))
    approved = planning.approve(planned, planton.Consent(take_over=take_over), verb="Destroy", yes=yes)
    with display.working("Destroying") as lasted:
        result = planton.destroy(approved, check=False)
    if form == "json":
        render.echo_json(_data(planned, result.steps))
    else:
        render.echo_lines([*plans.result_lines(result.steps), f"Destroy: {plans.summary(result.steps, done=True)}{lasted()}"])
    raise SystemExit(plans.worst(result.steps))


def _data(planned: planton.Plan, steps: Sequence[deploy_steps.Step]) -> dict[str, Any]:
    accounts, cost, autoscalers = planned.accounts, planned.cost, planned.autoscalers
    data = plan_data.of_steps("destroy", steps, accounts=accounts, cost=cost, autoscalers=autoscalers)
    return data | {"leftovers": [each.as_dict() for each in planned.leftovers.values()]}
