"""Progress: what a run does at the moment, as events for a listener. Nothing here prints."""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING

from planton import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from planton.deploy import running, steps
    from planton.schema import references


class Moment(enum.StrEnum):
    """What happens in an event."""

    STARTED = "started"
    """Work on a manifest starts."""
    STAGE = "stage"
    """The work is in another stage."""
    RESOURCE_STARTED = "resource started"
    """The engine begins with one resource of the stack."""
    RESOURCE_ENDED = "resource ended"
    """The engine has finished it."""
    RESOURCE_FAILED = "resource failed"
    """The engine has failed to finish it. The cloud may finish it nevertheless."""
    ENDED = "ended"
    """Work on the manifest has ended."""


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """Something that happens to one resource.

    Attributes:
        key: The resource.
        operation: ``plan``, ``apply``, ``import`` or ``destroy``.
        moment: What happens.
        text: The stage, e.g. ``reading the cloud`` or ``nodes 2/3``; empty for other moments.
        resource: The resource of the stack, e.g. ``cluster``; empty if the event is not about one.
        action: What the engine does with it, e.g. ``create``; empty likewise.
        expected: The usual seconds of that; None if it takes no time or is unknown.
        error: Why the work failed; None on success.
    """

    key: references.Key
    operation: str
    moment: Moment
    text: str = ""
    resource: str = ""
    action: str = ""
    expected: float | None = None
    error: errors.PlantonError | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Listener:
    """Who receives the progress of a run.

    Attributes:
        tell: Receives events, from several threads. It must not block.
        pause: Seconds between two looks at a cluster or a node pool in the cloud, for stages such as ``nodes 2/3``; 0 for no looks.
    """

    tell: Callable[[Event], None]
    pause: float = 0.0

    def __call__(self, event: Event) -> None:
        """Receives an event."""
        self.tell(event)


def _drop(_event: Event) -> None:
    pass


#: Drops all events.
IGNORED = Listener(_drop)


def announced(stage: running.Stage, listener: Listener, operation: str) -> running.Stage:
    """Returns a stage that reports its start and its end."""

    def run(step: steps.Step, done: running.Done) -> steps.Step:
        listener(Event(step.key, operation, Moment.STARTED))
        try:
            ended = stage(step, done)
        except errors.PlantonError as error:
            listener(Event(step.key, operation, Moment.ENDED, error=error))
            raise
        listener(Event(step.key, operation, Moment.ENDED, error=ended.error))
        return ended

    return run
