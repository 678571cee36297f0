"""A plan as Markdown, for a comment on a pull request or a merge request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from planton import errors
from planton.base import terminal
from planton.cli import money, plans

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from planton.deploy import accounts as run_accounts
    from planton.deploy import autoscalers as run_autoscalers
    from planton.deploy import costs
    from planton.deploy import steps as deploy_steps

#: The first line, by which a workflow finds the comment that it updates.
MARKER: Final = "<!-- planton plan -->"
#: GitHub accepts comments of up to 65,536 characters.
_MOST_CHARACTERS: Final = 60_000
_DIFF_SIGNS: Final = {"+": "+", "=": "+", "-": "-", "~": "!", "±": "!", "!": "!", "✗": "!"}


def of_plan(
    steps: Sequence[deploy_steps.Step],
    *,
    accounts: Iterable[run_accounts.Account],
    cost: costs.Cost,
    show_all: bool,
    autoscalers: Iterable[run_autoscalers.Change] = (),
) -> str:
    """Returns a plan as Markdown.

    Args:
        steps: The steps.
        accounts: The accounts that they use.
        cost: What they change in the monthly list price.
        show_all: Whether to show all properties of new resources.
        autoscalers: The changes of autoscalers in clusters.
    """
    changes = list(autoscalers)
    head = [
        MARKER,
        f"### Plan: {plans.total(steps, cost, changes)}",
        "",
        *(f"Account: {code(str(account))}  " for account in accounts),
        "",
        "| resource | changes | cost |",
        "|---|---|---|",
    ]
    head += [_row(step) for step in steps]
    scaled = [f"- {code(str(change))}" for change in changes]
    head += ["", *scaled] if scaled else []
    details = [_diff_line(line) for line in plans.lines(steps, show_all=show_all)]
    details += [line for step in steps if step.own_error is not None for line in _error_lines(step.own_error)]
    return _with_details("\n".join(head), details)


def of_error(error: errors.PlantonError) -> str:
    """Returns the error that prevented a plan as Markdown."""
    return _with_details(f"{MARKER}\n### Plan: failed", _error_lines(error))


def code(text: str) -> str:
    """Returns a text as a code span in a table, where no character of it has a meaning."""
    text = terminal.one_line(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{padding}{text}{padding}{fence}".replace("|", "\\|")


def _row(step: deploy_steps.Step) -> str:
    if step.error is not None:
        changes = "skipped" if step.skipped else f"**failed**: {step.error.reason}"
    else:
        changes = ", ".join(f"{change.action} {code(change.name)}" for change in step.plan.changes) or "no changes"
    if step.losses:
        changes += f" ⚠️ needs {code(step.losses[0].consent)}"
    return f"| {code(str(step.key))} | {changes} | {'' if step.cost is None else money.change(step.cost)} |"


def _diff_line(line: plans.Line) -> str:
    text = terminal.escape(f"{line.text}{line.note}")
    if line.depth == 1 and line.sign:
        return f"{_DIFF_SIGNS[line.sign]} {text}"
    # A detail has the colour of the context, also with a sign.
    return ("  " if line.depth else "") + (f"{line.sign} " if line.sign else "") + text


def _error_lines(error: errors.PlantonError) -> list[str]:
    listed = [f"! {line}" for line in terminal.escape(error.message).splitlines()]
    if isinstance(error, errors.InvalidError):
        listed = [f"! {terminal.one_line(str(violation))}" for violation in error.violations]
    return [*listed, *([f"  {terminal.one_line(error.hint)}"] if error.hint else [])]


def _with_details(head: str, details: list[str]) -> str:
    room = _MOST_CHARACTERS - len(head)
    shown: list[str] = []
    for line in details:
        room -= len(line) + 1
        if room < 0:
            shown.append(f"… {len(details) - len(shown)} more lines: see the log of the job")
            break
        shown.append(line)
    text = "\n".join(shown)
    fence = "`" * max(3, max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{head}\n\n<details><summary>Details</summary>\n\n{fence}diff\n{text}\n{fence}\n\n</details>"
