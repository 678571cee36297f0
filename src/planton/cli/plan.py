"""``planton plan``: shows what an apply would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from planton import errors
from planton.cli import options, output, policing, render
from planton.deploy import accounts, leftovers
from planton.deploy.run import Run

if TYPE_CHECKING:
    from planton.config import settings as engine_settings


@click.command()
@options.sources
@options.engine
@options.consents
@policing.option
@options.refresh
@click.option("--out", default="", metavar="FILE", help="Save the plan, for: planton apply FILE.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 4 when there are changes.")
@output.output_option("text", "json")
def plan(
    *,
    given: options.Sources,
    settings: engine_settings.Settings,
    consents: options.Consents,
    policy_files: tuple[str, ...],
    refresh: bool,
    out: str,
    detailed_exitcode: bool,
    form: str,
) -> None:
    """Show what an apply would do; the cloud is not changed.

    Values that do not exist yet are shown as (known after apply). A plan saved
    with --out is applied exactly as shown, or not at all. The file holds
    manifests and no credentials. The cloud is read first, so that drift is in
    the plan. It is read again before a saved plan is applied. With
    --refresh=false the plan uses the last apply. No state is changed.

    Exit codes: 0 planned, 1 invalid, 2 usage, 4 changes (with
    --detailed-exitcode), 5 refused, 6 the cloud failed.
    """
    rules = policing.load(policy_files)
    tools = options.tools(settings)
    wanted = given.read(none=consents.prune)
    policing.enforce(rules, wanted)
    run = Run(wanted, settings, tools, allow_unsupported=consents.allow_unsupported)
    pruning = run.pruning(given.folders(), given.means) if consents.prune else None
    going = [] if pruning is None else pruning.order
    planned = run.plan(recover=False, aside=True, going=going, refresh=refresh)
    pruned = [] if pruning is None else pruning.plan_destroy(recover=False)
    planned, pruned = leftovers.of_plan(run, planned), [] if pruning is None else leftovers.of_plan(pruning, pruned)
    used = accounts.of_runs(run, pruning)
    if form == "json":
        render.echo_json(render.steps_data("plan", [*planned, *pruned], accounts=used))
    else:
        render.echo_accounts(used)
        render.echo_plan([*planned, *pruned])
    if any(step.error is not None for step in [*planned, *pruned]):
        raise SystemExit(render.worst([*planned, *pruned]))
    if pruning is not None:
        render.echo_users(pruning.users_outside(step.key for step in pruned))
    if out:
        from planton.deploy import saved  # few plans are saved

        saved.write(
            out,
            wanted,
            planned,
            pruned,
            allow_replace=consents.allow_replace,
            allow_unsupported=consents.allow_unsupported,
            take_over=consents.take_over,
            origins={} if pruning is None else pruning.origins(),
            refresh=refresh,
            key=saved.signing_key(settings.data),
        )
        render.progress(f"saved in {out}; to do exactly this: planton apply {out}")
    if detailed_exitcode and any(not step.plan.empty for step in [*planned, *pruned]):
        raise SystemExit(int(errors.Code.CHANGES))
