"""``planton apply``: changes the cloud to what manifests say."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import click

import planton
from planton import errors
from planton.cli import consent_options, options, output, plan_data, planning, plans, policing, progress, render

if TYPE_CHECKING:
    from planton.config import settings as engine_settings
    from planton.manifest import selection


@click.command()
@click.argument("plan", default="", metavar="[PLAN]")
@options.sources
@options.engine
@consent_options.options
@policing.option
@click.option("--yes", "-y", is_flag=True, help="Skip the confirmation.")
@options.refresh
@options.show_all
@output.output_option("text", "json")
def apply(
    *,
    plan: str,
    selected: selection.Selection,
    settings: engine_settings.Settings,
    consents: consent_options.Consents,
    policy_files: tuple[str, ...],
    yes: bool,
    refresh: bool,
    show_all: bool,
    form: str,
) -> None:
    """Create and update resources to match the manifests.

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
    display = progress.of(settings, quiet=form == "json")
    request = planning.Request(selected, display, consents, policing.load(policy_files))
    planned, consent = _from_file(plan, request) if plan else _from_manifests(request, refresh=refresh)
    planning.show(planned, form, show_all=show_all)
    _require_success(planned, form)
    approved = planning.approve(planned, consent, verb="Apply", yes=yes)
    with display.working("Applying") as lasted:
        result = planton.apply(approved, check=False)
    if form == "json":
        render.echo_json(
            plan_data.of_steps(
                "apply", result.steps, accounts=planned.accounts, cost=planned.cost, autoscalers=planned.autoscalers
            )
        )
    else:
        total = f"Apply: {plans.summary(result.steps, done=True)}{lasted()}"
        render.echo_lines(["", *plans.result_lines(result.steps), "", total])
    raise SystemExit(plans.worst(result.steps))


def _from_manifests(request: planning.Request, *, refresh: bool) -> tuple[planton.Plan, planton.Consent]:
    return planning.make(request, refresh=refresh, preview=False), request.consents.consent()


def _from_file(path: str, request: planning.Request) -> tuple[planton.Plan, planton.Consent]:
    selected = request.selected
    if selected.paths or selected.inputs or selected.kustomize_dir or selected.overrides:
        raise errors.usage(
            "a saved plan contains its manifests: remove -f, -i, --kustomize-dir and --set",
            hint=f"planton apply {path}; to apply a manifest: planton apply -f FILE",
        )
    display = request.display
    before = planton.read_saved(path, settings=display.settings)
    if not before.is_signed:
        # Another user may have edited the consents in the file.
        output.warn(f"{path} was created elsewhere, or was edited since: its plan needs consent again")
    resources = tuple(dataclasses.replace(each, config=selected.config_of(each.manifest)) for each in before.resources)
    with display.planning():
        planned = planton.plan_saved(
            dataclasses.replace(before, resources=resources),
            settings=display.settings,
            rules=request.rules,
            options=planton.Options(allow_unsupported=request.consents.allow_unsupported),
            on_progress=display.listener,
        )
    return planned, request.consents.consent().with_saved(before)


def _require_success(planned: planton.Plan, form: str) -> None:
    if planned.error is None:
        return
    if form == "json":
        render.echo_json(plan_data.of_steps("plan", planned.all_steps, accounts=planned.accounts, cost=planned.cost))
    raise SystemExit(plans.worst(planned.all_steps))
