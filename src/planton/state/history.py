"""History: who did what to a stack, when, and how it ended. Pulumi stores it, with the changes in the message of the update."""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
import socket
from typing import TYPE_CHECKING, Any

from planton.state import journal

if TYPE_CHECKING:
    import pathlib

    from planton.engine import plans, stored
    from planton.schema import references

_MESSAGE = re.compile(r"(?P<user>\S+@\S+): planton (?P<operation>[a-z]+) (?P<resource>\S+/\S+): (?P<changes>.*)", re.DOTALL)
#: Object stores and the service accept longer messages.
_LONGEST = 1000
_LONGEST_VALUE = 60
_NOTHING = "no changes"
#: The result of an operation whose entry cannot be read.
DAMAGED = "damaged"


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One operation that has ended.

    Attributes:
        version: Its number, as the backend counts; 0 where it does not.
        user: ``user@host``; empty where an operation of another program, or of an older release, does not say.
        operation: ``apply``, ``refresh``, ``destroy``, or what Pulumi calls it.
        started: RFC 3339.
        ended: RFC 3339; empty while it runs.
        result: ``succeeded``, ``failed``, ``in-progress`` or `DAMAGED`.
        changes: What it was to change.
        counts: How many resources were created, updated and so on; none where what was written is the manifest alone.
    """

    version: int
    user: str
    operation: str
    started: str
    ended: str
    result: str
    changes: tuple[str, ...]
    counts: dict[str, int]


def message(operation: str, key: references.Key, plan: plans.Plan | None) -> str:
    """Returns what the history is to say of an operation.

    Args:
        operation: What the user does.
        key: To what.
        plan: What changes, whose secrets are redacted by the engine; None if they are unknown.
    """
    changes = [] if plan is None else [_spoken(change) for change in plan.changes]
    # The end of a line is the end of a change.
    summary = "\n".join(changes) or ("" if plan is None else _NOTHING)
    text = f"{journal.user()}@{socket.gethostname()}: planton {operation} {key.kind}/{key.name}: {summary}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 2]} …"


def _spoken(change: plans.Change) -> str:
    differences = ", ".join(f"{each.path}: {_value(each.old)} → {_value(each.new)}" for each in change.differences)
    return f"{change.action} {change.name}" + (f" ({differences})" if differences else "")


def _value(value: Any) -> str:  # JSON data
    text = "(unset)" if value is None else " ".join(str(value).split())
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def read(stack: stored.StoredStack, number: int) -> list[Entry]:
    """Returns the newest operations on a stack, newest first. One that cannot be read has the result `DAMAGED`.

    Raises:
        PlantonError: ``STACK_NOT_FOUND``; the backend failed.
    """
    files = _files(stack)
    if files is not None:
        return [_of_file(path) for path in files[:number]]
    text = stack.ask("stack", "history", "--json", "--page-size", str(number), "--page", "1")
    try:
        updates = list(json.loads(text))
    except (ValueError, TypeError):
        return [_damaged("the backend's answer is no list")]
    return [parse(update) for update in updates]


def _files(stack: stored.StoredStack) -> list[pathlib.Path] | None:
    """Returns the files of the operations in a backend that is a folder, newest first; None where only Pulumi can read them."""
    state = stack.state_file
    if state is None or not state.exists():
        return None
    folder = state.parents[2] / "history" / stack.name.project / stack.name.stack
    files = list(folder.glob("*.history.json*"))
    if any(path.suffix == ".gz" for path in files):
        return None
    # The names end with the time in nanoseconds.
    return sorted((path for path in files if path.suffix == ".json"), key=lambda path: path.name, reverse=True)


def _of_file(path: pathlib.Path) -> Entry:
    try:
        return parse(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as error:
        return _damaged(f"{path} cannot be read: {error}")


def _damaged(why: str) -> Entry:
    return Entry(0, "", "", "", "", DAMAGED, (why,), {})


def parse(update: Any) -> Entry:  # JSON data
    """Returns what an entry of Pulumi's history says; one with the result `DAMAGED` for anything else."""
    try:
        return _parsed(update)
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        return _damaged(f"the entry is damaged: {error}")


def _parsed(update: dict[str, Any]) -> Entry:
    match = _MESSAGE.fullmatch(update.get("message") or "")
    counts = {str(name): int(count) for name, count in (update.get("resourceChanges") or {}).items() if name != "same"}
    operation = match["operation"] if match else str(update.get("kind") or "")
    changes: tuple[str, ...]
    if match and update.get("kind") == "refresh" != operation:
        # Other operations look at the cloud first where the state may be old.
        operation, changes = "refresh", (f"before {operation}",)
    elif match and match["changes"] == _NOTHING:
        # The only change then is planton's record of the manifest.
        changes, counts = (), {}
    elif match:
        changes = tuple(filter(None, match["changes"].splitlines()))
    else:
        changes = tuple(filter(None, [" ".join((update.get("message") or "").split())]))
    return Entry(
        version=int(update.get("version") or 0),
        user=match["user"] if match else "",
        operation=operation,
        started=_time(update.get("startTime")),
        ended=_time(update.get("endTime")),
        result=str(update.get("result") or ""),
        changes=changes,
        counts=counts,
    )


def _time(moment: object) -> str:
    if isinstance(moment, int):
        return datetime.datetime.fromtimestamp(moment, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""
    # The backend counts whole seconds and writes thousandths.
    return re.sub(r"\.0+Z$", "Z", str(moment or ""))
