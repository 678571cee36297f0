"""``planton apply``: makes the cloud what the manifests say."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

from planton import errors
from planton.cli import options, output, policing, render
from planton.deploy import accounts, leftovers
from planton.deploy.run import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planton.config import settings as engine_settings
    from planton.deploy import saved
    from planton.deploy.steps import Step
    from planton.manifest import load


@click.command()
@click.argument("plan", default="", metavar="[PLAN]")
@options.sources
@options.engine
@options.consents
@policing.option
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@options.refresh
@output.output_option("text", "json")
def apply(
    *,
    plan: str,
    given: options.Sources,
    settings: engine_settings.Settings,
    consents: options.Consents,
    policy_files: tuple[str, ...],
    yes: bool,
    refresh: bool,
    form: str,
) -> None:
    """Create and change resources until they are as the manifests say.

    Shows the plan first and asks; without a terminal it needs --yes. The order
    follows the references; independent resources run in parallel. The cloud is
    read first, so that drift is repaired. To replace or delete a cluster or a
    node pool, or to recreate a cluster that is missing from the cloud, add
    --allow-replace. To take over a resource that another folder applied, add
    --take-over. With --prune, resources that were applied from the given folders
    and are no longer in them are destroyed at the end.

    PLAN is a file written by planton plan --out. Apply does exactly what it says,
    or nothing if anything has changed since. A resource found missing during
    apply is recreated only if the plan says so. A file that was edited, or was
    written on another machine, needs consent again, and --allow-replace too.

    Exit codes: 0 done, 1 invalid, 2 usage, 5 refused, 6 the cloud failed.
    """
    rules = policing.load(policy_files)
    before, wanted, consents = _planned_before(plan, given, consents, settings)
    policing.enforce(rules, wanted)
    report = render.Reporter(quiet=form == "json")
    tools = options.tools(settings)
    run = Run(wanted, settings, tools, allow_unsupported=consents.allow_unsupported, on_event=report)
    pruning = _pruning(run, given, consents, before)
    read = refresh if before is None else before.refresh
    planned = run.plan(recover=True, going=[] if pruning is None else pruning.order, refresh=read)
    pruned = [] if pruning is None else pruning.plan_destroy()
    planned, pruned = leftovers.of_plan(run, planned), [] if pruning is None else leftovers.of_plan(pruning, pruned)
    used = accounts.of_runs(run, pruning)
    _check(run, planned, pruned, before, consents, form, used)
    if pruning is not None:
        render.echo_users(pruning.users_outside(step.key for step in pruned))
    if not all(step.up_to_date for step in planned) or pruned:
        unchanged = all(step.plan.empty for step in [*planned, *pruned])
        agreed = unchanged or (before is not None and before.is_signed)
        options.consent(accounts.question("Apply", used), yes=yes or agreed)
    done = run.apply(planned, exact=before is not None)
    if pruning is not None and not any(step.error is not None for step in done):
        done += pruning.destroy(pruned)
    elif pruned:
        render.progress(
            f"nothing was pruned, because something failed; still there: {', '.join(str(step.key) for step in pruned)}"
        )
    if form == "json":
        render.echo_json(render.steps_data("apply", done, accounts=used))
    else:
        render.echo_lines(["", *render.result_lines(done), "", "Apply: " + render.summary(done, done=True)])
    raise SystemExit(render.worst(done))


def _planned_before(
    plan: str, given: options.Sources, consents: options.Consents, settings: engine_settings.Settings
) -> tuple[saved.Saved | None, Sequence[load.Resource], options.Consents]:
    if not plan:
        return None, given.read(none=consents.prune), consents
    if given.paths or given.inputs or given.kustomize_dir or given.overrides:
        raise errors.PlantonError(
            "a saved plan says everything; manifests cannot be given beside it",
            code=errors.Code.USAGE,
            reason=errors.Reason.USAGE,
            hint=f"planton apply {plan}; to apply a manifest: planton apply -f FILE",
        )
    from planton.deploy import saved  # most plans are made and applied in one go

    before = saved.read(plan, key=saved.signing_key(settings.data))
    if not before.is_signed:
        # Another user may have edited the consents in the file.
        render.progress(f"! {plan} was created elsewhere, or was edited since: its plan needs consent again")
    wanted = [dataclasses.replace(entry, config=given.config_of(entry.manifest)) for entry in before.wanted]
    allowed = dataclasses.replace(
        consents,
        prune=bool(before.pruned),
        allow_replace=(*consents.allow_replace, *(before.allow_replace if before.is_signed else ())),
        allow_unsupported=(*consents.allow_unsupported, *(before.allow_unsupported if before.is_signed else ())),
        take_over=(*consents.take_over, *(before.take_over if before.is_signed else ())),
    )
    return before, wanted, allowed


def _pruning(run: Run, given: options.Sources, consents: options.Consents, before: saved.Saved | None) -> Run | None:
    if not consents.prune:
        return None
    if before is not None:
        return run.destroying(before.origins)
    return run.pruning(given.folders(), given.means)


def _check(
    run: Run,
    planned: Sequence[Step],
    pruned: Sequence[Step],
    before: saved.Saved | None,
    consents: options.Consents,
    form: str,
    used: Sequence[accounts.Account],
) -> None:
    if form == "text":
        render.echo_accounts(used)
        render.echo_plan([*planned, *pruned])
    wrong = render.worst([*planned, *pruned])
    if wrong:
        if form == "json":
            render.echo_json(render.steps_data("plan", [*planned, *pruned], accounts=used))
        raise SystemExit(wrong)
    if before is not None:
        from planton.deploy import saved  # as above

        saved.check(before, planned, pruned)
    options.losses_allowed(planned, consents.allow_replace, run)
    options.take_overs_allowed(planned, consents.take_over)
