"""``planton import``: adopts an existing cloud resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import planton
from planton.cli import consent_options, options, output, plan_data, planning, plans, progress, render

if TYPE_CHECKING:
    from planton.config import settings as engine_settings
    from planton.manifest import selection


@click.command("import")
@click.argument("resource", metavar="KIND/NAME")
@click.argument("id_", metavar="ID")
@options.sources
@options.engine
@consent_options.allow_replace
@consent_options.take_over
@click.option("--yes", "-y", is_flag=True, help="Skip the confirmation.")
@output.output_option("text", "json")
def import_(
    *,
    resource: str,
    id_: str,
    selected: selection.Selection,
    settings: engine_settings.Settings,
    allow_replace: tuple[str, ...],
    take_over: tuple[str, ...],
    yes: bool,
    form: str,
) -> None:
    """Adopt an existing cloud resource under a manifest.

    KIND/NAME is the resource in the manifests of -f; ID is its id in
    the cloud. The id of a node pool is CLUSTER-ID:POOL, or the pool's id or name
    alone if the manifest names the cluster. Importing a cluster also imports
    its existing additional pools, and the firewall that planton created for it,
    if the cloud has firewalls: CLUSTER-NAME-firewall, in the same network.

    Exit codes: 0 done, 1 invalid, 2 usage, 5 refused, 6 the cloud failed.
    """
    display = progress.of(settings, quiet=form == "json")
    resources = selected.read()
    with display.planning():
        planned = planton.plan_import(resources, resource, id_, settings=display.settings, on_progress=display.listener)
    consent = planton.Consent(replace=allow_replace, take_over=take_over)
    planning.show(planned, form)
    [step] = planned.steps
    verb = f"Import {', '.join(step.resumption.imports.values())} as {step.key}, and change it to what the manifest says"
    approved = planning.approve(planned, consent, verb=verb, yes=yes)
    with display.working("Importing") as lasted:
        result = planton.apply(approved, check=False)
    if form == "json":
        render.echo_json(plan_data.of_steps("import", result.steps, accounts=planned.accounts, cost=planned.cost))
    else:
        render.echo_lines([*plans.result_lines(result.steps), f"Import: {plans.summary(result.steps, done=True)}{lasted()}"])
    raise SystemExit(plans.worst(result.steps))
