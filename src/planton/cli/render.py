"""What plans, steps and progress look like: for people on a terminal or in a log, and as one JSON document."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import yaml

from planton.base import terminal
from planton.cli import output
from planton.manifest import stack_input
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pulumi.automation import events

    from planton.deploy import accounts as run_accounts
    from planton.deploy import steps as deploy_steps
    from planton.engine import plans
    from planton.schema import references

_SIGNS = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "replace": ("±", "red"),
    "delete": ("-", "red"),
    "import": ("=", "cyan"),
    "forget": ("-", "yellow"),
}
_DOING = {
    "create": ("creating", "created"),
    "update": ("updating", "updated"),
    "delete": ("deleting", "deleted"),
    "replace": ("replacing", "replaced"),
    "create-replacement": ("creating the new", "created the new"),
    "delete-replaced": ("deleting the old", "deleted the old"),
    "import": ("importing", "imported"),
    "refresh": ("reading", "read"),
}


def progress(line: str) -> None:
    """Prints a line of progress, which is no result, on stderr."""
    # On a terminal, this line replaces the line of the running step, or the ^C.
    output.echo((terminal.CLEAR_LINE if sys.stderr.isatty() else "") + terminal.style(line, "dim"), err=True)


class Reporter:
    """Prints the engine's events as lines with durations. On a terminal it also shows the running step that began last."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._lock = threading.Lock()
        self._began: dict[str, float] = {}
        self._live = sys.stderr.isatty() and not quiet

    def __call__(self, key: references.Key, event: events.EngineEvent) -> None:
        """Prints one event of one resource."""
        if self._quiet:
            return
        with self._lock:
            self._print(key, event)

    def _print(self, key: references.Key, event: events.EngineEvent) -> None:
        if event.resource_pre_event is not None:
            self._begin(key, event.resource_pre_event.metadata)
        elif event.res_outputs_event is not None:
            self._end(key, event.res_outputs_event.metadata, failed=False)
        elif event.res_op_failed_event is not None:
            self._end(key, event.res_op_failed_event.metadata, failed=True)

    def _begin(self, key: references.Key, metadata: events.StepEventMetadata) -> None:
        words = self._words(metadata)
        if words and metadata.urn not in self._began:
            self._began[metadata.urn] = time.monotonic()
            if self._live:
                more = f" (and {len(self._began) - 1} more)" if len(self._began) > 1 else ""
                name = terminal.one_line(key.name)
                output.echo(f"{terminal.CLEAR_LINE}  {name}: {words[0]} {_name(metadata)} …{more}", nl=False, err=True)

    def _end(self, key: references.Key, metadata: events.StepEventMetadata, *, failed: bool) -> None:
        words = self._words(metadata)
        began = self._began.pop(metadata.urn, None)
        if not words or began is None:
            return
        if self._live:
            output.echo(terminal.CLEAR_LINE, nl=False, err=True)
        outcome = f"{'failed ' + words[0] if failed else words[1]} {_name(metadata)}"
        if failed and words[0].startswith("deleting"):
            # The resource may be deleted nevertheless. The cloud is read next, and the next line reports the result.
            outcome = f"{words[0]} {_name(metadata)} was not seen to end"
        line = f"  {terminal.one_line(key.name)}: {outcome} ({time.monotonic() - began:.1f} s)"
        output.echo(terminal.style(line, "red" if failed else None), err=True)

    @staticmethod
    def _words(metadata: events.StepEventMetadata) -> tuple[str, str] | None:
        if metadata.type.startswith(("pulumi:", "planton:")):
            return None
        return _DOING.get(str(getattr(metadata.op, "value", metadata.op)))


def _name(metadata: events.StepEventMetadata) -> str:
    return terminal.one_line(metadata.urn.rsplit("::", 1)[-1])


def plan_lines(steps: Iterable[deploy_steps.Step]) -> list[str]:
    """Returns what a plan says, a line each, coloured."""
    lines = []
    for step in steps:
        lines.append(terminal.style(terminal.one_line(str(step.key)), "bold") + f"  [{step.stack}]")
        if step.owner:
            lines.append(terminal.style(f"  ! it was applied from another folder: {step.owner}", "yellow"))
        lines += [terminal.style(f"  ! {warning}", "yellow") for warning in step.plan.warnings]
        if step.skipped and step.error is not None:
            lines.append(terminal.style(f"  ✗ {step.error.message}", "yellow"))
        elif step.error is not None:
            lines.append(terminal.style(f"  ✗ {step.error.reason}", "red"))
        elif step.plan.empty:
            lines.append("  no changes")
        for change in step.plan.changes:
            lines += change_lines(change)
    return lines


def echo_plan(steps: Sequence[deploy_steps.Step]) -> None:
    """Prints a plan with its summary, and its problems on standard error."""
    echo_lines([*plan_lines(steps), "", "Plan: " + summary(steps, done=False)])
    echo_errors(steps)


def accounts_of(steps: Iterable[deploy_steps.Step]) -> list[run_accounts.Account]:
    """Returns the accounts of steps, each once, sorted."""
    return sorted({step.account for step in steps if step.account is not None})


def echo_accounts(accounts: Iterable[run_accounts.Account]) -> None:
    """Prints the accounts that an operation uses, one per line."""
    echo_lines(f"Account: {account}" for account in accounts)


def echo_users(users: Mapping[references.Key, Sequence[references.Key]]) -> None:
    """Prints what happens to the dependants of resources that are deleted, if they are not deleted themselves."""
    for key, dependants in users.items():
        pools = [user for user in dependants if kinds.is_deleted_with(user.kind, key.kind)]
        remaining = [user for user in dependants if user not in pools]
        if pools:
            progress(f"! {', '.join(map(str, pools))} refer to {key} and go with it; what is known of them stays")
        if remaining:
            progress(f"! {', '.join(map(str, remaining))} refer to {key} and are kept")


def echo_errors(steps: Iterable[deploy_steps.Step]) -> None:
    """Prints the errors of steps on standard error; one that is a consequence of another is left out."""
    for step in steps:
        if step.own_error is not None:
            output.show_error(step.own_error, of=str(step.key))


def change_lines(change: plans.Change) -> list[str]:
    """Returns what happens to one resource, a line each, coloured."""
    sign, colour = _SIGNS[str(change.action)]
    note = f": {change.note}" if change.note else ""
    lines = [terminal.style(f"  {sign} {change.action} {terminal.one_line(change.name)}", colour) + f"  ({change.noun}){note}"]
    lines += [f"      {each.path}: {_shown(each.old)} → {_shown(each.new)}" for each in change.differences]
    return lines


def _shown(value: Any) -> str:  # JSON data
    return "(unset)" if value is None else terminal.one_line(str(value))


def summary(steps: Sequence[deploy_steps.Step], *, done: bool) -> str:
    """Returns one line that counts what changes, or with ``done`` what has changed, failed or was skipped."""
    actions = ("create", "update", "replace", "delete", "import", "forget")
    counts = {name: sum(step.plan.count(name) for step in steps if step.error is None) for name in actions}
    parts = [f"{count} to {name}" if not done else f"{count} {_past(name)}" for name, count in counts.items() if count]
    failed = sum(step.own_error is not None for step in steps)
    skipped = sum(step.skipped for step in steps)
    parts += [f"{failed} failed"] if failed else []
    parts += [f"{skipped} skipped"] if skipped else []
    return ", ".join(parts) or "no changes"


def _past(name: str) -> str:
    return {"forget": "forgotten"}.get(name, name + ("d" if name.endswith("e") else "ed"))


def steps_data(
    operation: str, steps: Sequence[deploy_steps.Step], *, accounts: Iterable[run_accounts.Account] = ()
) -> dict[str, Any]:
    """Returns steps as JSON data, with the accounts that they use; secrets are redacted."""
    return {
        "operation": operation,
        "accounts": [account.as_dict() for account in accounts],
        "resources": [step_data(step) for step in steps],
        "summary": {
            "changed": sum(not step.plan.empty and step.error is None for step in steps),
            "unchanged": sum(step.plan.empty and step.error is None for step in steps),
            "failed": sum(step.own_error is not None for step in steps),
            "skipped": sum(step.skipped for step in steps),
        },
    }


def step_data(step: deploy_steps.Step) -> dict[str, Any]:
    """Returns one step as JSON data; secrets are redacted."""
    return {
        "kind": step.key.kind,
        "name": step.key.name,
        "env": step.key.env,
        "stack": step.stack,
        "changes": [
            {
                "resource": change.name,
                "type": change.type,
                "action": str(change.action),
                "differences": [{"path": each.path, "old": each.old, "new": each.new} for each in change.differences],
                **({"note": change.note} if change.note else {}),
            }
            for change in step.plan.changes
        ],
        "warnings": list(step.plan.warnings),
        "checked": step.is_checked,
        "owner": step.owner,
        "outputs": None if step.outputs is None else stack_input.as_dict(step.outputs),
        "error": None if step.error is None else step.error.as_dict(),
        "skipped": step.skipped,
    }


def result_lines(steps: Iterable[deploy_steps.Step]) -> list[str]:
    """Returns the outputs and errors of steps that have ended, a line each, coloured."""
    lines = []
    for step in steps:
        if step.error is not None:
            lines.append(terminal.style(f"{step.key}: {step.error.message}", "yellow" if step.skipped else "red"))
            lines += [f"  → {step.error.hint}"] if step.error.hint else []
        elif step.outputs is not None:
            as_of = "" if step.is_checked or not step.up_to_date else "  (as of the last apply)"
            lines.append(terminal.style(terminal.one_line(str(step.key)), "bold") + as_of)
            lines += [f"  {name}: {_output(value)}" for name, value in stack_input.as_dict(step.outputs).items()]
    return lines


def _output(value: Any) -> str:
    return terminal.one_line(", ".join(map(str, value)) if isinstance(value, list) else str(value))


def worst(steps: Iterable[deploy_steps.Step]) -> int:
    """Returns the exit code of steps: that of the first error that is no consequence of another, else 0."""
    return next((int(step.own_error.code) for step in steps if step.own_error is not None), 0)


def echo_json(data: object) -> None:
    """Prints JSON data as one document on stdout."""
    output.echo(stack_input.dumps(data))


def echo_yaml(documents: Sequence[object]) -> None:
    """Prints JSON data as documents of one YAML stream on stdout."""
    output.echo_document(yaml_text(documents))


def yaml_text(documents: Sequence[object]) -> str:
    """Returns JSON data as documents of one YAML stream, with YAML's own escapes for control characters."""
    text = str(yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True))
    return text if terminal.is_safe(text) else str(yaml.safe_dump_all(documents, sort_keys=False))


def echo_lines(lines: Iterable[str]) -> None:
    """Prints lines on stdout; colours only on a terminal."""
    for line in lines:
        output.echo(line)


def echo_each(lines: Iterable[str]) -> None:
    """Prints lines on stdout, each at once."""
    for line in lines:
        output.echo(line)
        sys.stdout.flush()


def table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Returns rows as lines with aligned columns; the first row is the header. Each cell is one line."""
    rows = [tuple(map(terminal.one_line, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [aligned(row, widths) for row in rows]


def aligned(cells: Iterable[str], widths: Iterable[int]) -> str:
    """Returns cells as a line, each as wide as its column at least."""
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
