"""What a run does at the moment, from its progress events: the state that terminals and logs show. Nothing here prints."""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING, Final

import planton
from planton.base import terminal
from planton.cli import times

if TYPE_CHECKING:
    from planton.deploy import progress
    from planton.schema import references

#: The engine's operation → its words while it lasts, and after it.
WORDS: Final = {
    "create": ("creating", "created"),
    "update": ("updating", "updated"),
    "delete": ("deleting", "deleted"),
    "replace": ("replacing", "replaced"),
    "create-replacement": ("creating the new", "created the new"),
    "delete-replaced": ("deleting the old", "deleted the old"),
    "import": ("importing", "imported"),
}


@dataclasses.dataclass
class Work:
    """The work on one resource.

    Attributes:
        key: The resource.
        operation: ``plan``, ``apply``, ``import`` or ``destroy``.
        since: When it started, in seconds of the clock.
        stage: Its stage, e.g. ``nodes 2/3``; empty if it is unknown.
        begun: Resource of the stack that the engine works on → its action, when it started, and its usual seconds.
        done: What has been done, e.g. ``created firewall``.
        mentioned: When a log last mentioned it.
    """

    key: references.Key
    operation: str
    since: float
    stage: str = ""
    begun: dict[str, tuple[str, float, float | None]] = dataclasses.field(default_factory=dict)
    done: list[str] = dataclasses.field(default_factory=list)
    mentioned: float = 0.0

    @property
    def name(self) -> str:
        """The name of the resource."""
        return terminal.one_line(str(self.key))

    @property
    def doing(self) -> str:
        """What happens now, e.g. ``creating cluster: nodes 1/3``."""
        listed = ", ".join(f"{WORDS[action][0]} {name}" for name, (action, _, _) in self.begun.items())
        if not listed:
            idle = "finishing" if self.done else "planning" if self.operation == "plan" else "starting"
            return self.stage or idle
        return f"{listed}: {self.stage}" if self.stage else listed

    def remaining(self, now: float) -> str:
        """Returns how long it lasts, and how long it usually does, e.g. ``42 s of about 1 m 40 s``."""
        started = min((began for _, began, _ in self.begun.values()), default=self.since)
        expected = max((seconds or 0.0 for _, _, seconds in self.begun.values()), default=0.0)
        text = times.whole(now - started)
        return f"{text} of about {times.whole(expected)}" if expected else text


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """A line about something that has happened.

    Attributes:
        text: The line.
        moment: What has happened.
        work: The work that it is about.
    """

    text: str
    moment: progress.Moment
    work: Work


class Board:
    """The work in progress. Thread-safe."""

    def __init__(self) -> None:
        """Has no work yet."""
        self._lock = threading.Lock()
        self._working: dict[references.Key, Work] = {}

    def working(self) -> list[Work]:
        """Returns the work in progress, oldest first."""
        with self._lock:
            return [dataclasses.replace(work, begun=dict(work.begun), done=list(work.done)) for work in self._working.values()]

    def mention(self, key: references.Key, now: float) -> None:
        """Records that a log has mentioned the work on a resource."""
        with self._lock:
            if key in self._working:
                self._working[key].mentioned = now

    def take(self, event: progress.Event, now: float) -> Line:
        """Takes an event and returns the line about it; empty if there is nothing to say."""
        with self._lock:
            work = self._working.setdefault(event.key, Work(event.key, event.operation, now, mentioned=now))
            text = self._taken(work, event, now)
            if event.moment is planton.Moment.ENDED:
                del self._working[event.key]
            elif text:
                work.mentioned = now
            return Line(text, event.moment, dataclasses.replace(work, begun=dict(work.begun), done=list(work.done)))

    def _taken(self, work: Work, event: progress.Event, now: float) -> str:
        if event.moment is planton.Moment.STAGE:
            work.stage = event.text
            return ""
        if event.moment is planton.Moment.ENDED:
            return _ended(work, event, now)
        if not event.resource or event.action not in WORDS:
            return ""
        if event.moment is planton.Moment.RESOURCE_STARTED:
            work.stage = ""
            work.begun[event.resource] = (event.action, now, event.expected)
            usual = f" (usually {times.whole(event.expected)})" if event.expected else ""
            return f"{work.name}: {WORDS[event.action][0]} {terminal.one_line(event.resource)}{usual}"
        return _resource_ended(work, event, now)


def _resource_ended(work: Work, event: progress.Event, now: float) -> str:
    resource = terminal.one_line(event.resource)
    doing, done = WORDS[event.action]
    _, began, _ = work.begun.pop(event.resource, ("", now, None))
    work.stage = ""
    lasted = times.duration(now - began)
    if event.moment is planton.Moment.RESOURCE_ENDED:
        work.done.append(f"{done} {resource}")
        return f"{work.name}: {done} {resource} in {lasted}"
    if doing.startswith("deleting"):
        # The resource may be deleted nevertheless. The cloud is read next, and the next line reports the result.
        return f"{work.name}: {doing} {resource} was not seen to end after {lasted}"
    return f"{work.name}: failed {doing} {resource} after {lasted}"


def _ended(work: Work, event: progress.Event, now: float) -> str:
    lasted = times.duration(now - work.since)
    if event.error is not None:
        return f"{work.name}: {terminal.one_line(event.error.message)}"
    return f"{work.name}: {', '.join(work.done) or 'done'} in {lasted}"
