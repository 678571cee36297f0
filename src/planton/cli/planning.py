"""The steps that ``apply``, ``plan``, ``destroy`` and ``import`` share: plan from options, show, confirm, approve."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import planton
from planton.cli import consent_options, options, output, plans, render

if TYPE_CHECKING:
    from collections.abc import Iterable

    from planton.cli import progress
    from planton.deploy import accounts as run_accounts
    from planton.manifest import policies, selection


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """The options of a command that makes a plan.

    Attributes:
        selected: The manifests.
        display: What the command shows of the run.
        consents: The options by which the user consents.
        rules: Policies of the user.
    """

    selected: selection.Selection
    display: progress.Display
    consents: consent_options.Consents
    rules: tuple[policies.Rule, ...] = ()


def make(request: Request, *, refresh: bool, preview: bool) -> planton.Plan:
    """Returns the plan of an apply.

    Args:
        request: The options.
        refresh: Whether to read the cloud first.
        preview: Whether no apply follows.

    Raises:
        InvalidError: The manifests are invalid.
        PlantonError: The plan cannot be made.
    """
    selected, consents = request.selected, request.consents
    resources = selected.read(none=consents.prune)
    selection = planton.Pruning(tuple(selected.folders()), selected.includes) if consents.prune else None
    chosen = planton.Options(consents.allow_unsupported, refresh, preview, selection)
    display = request.display
    with display.planning():
        return planton.plan(
            resources, settings=display.settings, options=chosen, rules=request.rules, on_progress=display.listener
        )


def show(planned: planton.Plan, form: str, *, show_all: bool = False) -> None:
    """Prints a plan as text, with what a user must know before consent; in other forms, only the notes on standard error.

    Args:
        planned: The plan.
        form: The output format.
        show_all: Whether to show all properties of new resources.
    """
    for violation in planned.violations:
        output.show_violation(violation, err=True)
    if form == "text":
        render.echo_accounts(planned.accounts)
        plans.echo(planned.all_steps, planned.cost, show_all=show_all, autoscalers=planned.autoscalers)
    for note in planned.notes:
        output.warn(note)


def approve(planned: planton.Plan, consent: planton.Consent, *, verb: str, yes: bool) -> planton.Approved:
    """Returns an approved plan. Asks for the consent that is missing, unless it must be given by option.

    Args:
        planned: The plan.
        consent: The consent of the options and of a saved plan.
        verb: The operation, for the question.
        yes: Whether the user consented by an option.

    Raises:
        PlantonError: ``CONSENT_REQUIRED``; ``REPLACE_REFUSED``; ``TAKE_OVER_REFUSED``; ``PLAN_STALE``.
    """
    missing = planton.missing_consent(planned, consent)
    render.echo_users(planned.users)
    if missing.changes or missing.deletions:
        is_grave = missing.deletions or any(step.losses for step in planned.all_steps)
        options.confirm(question(verb, planned.accounts), yes=yes, is_grave=is_grave)
    return planton.approve(planned, dataclasses.replace(consent, changes=True, deletions=True))


def question(verb: str, accounts: Iterable[run_accounts.Account]) -> str:
    """Returns a question for consent that names the accounts, e.g. ``Destroy (account: civo, …)?``."""
    listed = "; ".join(map(str, accounts))
    return f"{verb} (account: {listed})?" if listed else f"{verb}?"
