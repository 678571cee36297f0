"""What happens, or has happened, to one resource of a run."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from planton import errors
from planton.engine import plans

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf import message

    from planton.schema import references


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """What happens, or has happened, to one resource of a run.

    Attributes:
        key: The resource.
        stack: Its stack's name; empty where it has none.
        plan: The changes.
        up_to_date: Whether nothing changes, in the cloud or in the stack.
        is_checked: Whether the cloud was read, so that the step is not only as of the last apply.
        owner: The folder that the stack was applied from, if it is not the manifest's; otherwise empty.
        outputs: The outputs after an apply; None otherwise.
        error: Why it failed or was not tried; None on success.
        skipped: Whether it was not tried, because a dependency failed or the user ended the run.
    """

    key: references.Key
    stack: str
    plan: plans.Plan = dataclasses.field(default_factory=plans.Plan)
    up_to_date: bool = False
    is_checked: bool = False
    owner: str = ""
    outputs: message.Message | None = None
    error: errors.PlantonError | None = None
    skipped: bool = False


def blocked(step: Step, blockers: Iterable[references.Key], *, why: str) -> Step:
    """Returns a step that is not tried because of others.

    Args:
        step: What would have happened.
        blockers: The others.
        why: What became of them, e.g. ``failed``.
    """
    error = errors.PlantonError(
        f"{step.key} was not tried, because {', '.join(map(str, sorted(blockers)))} {why}",
        code=errors.Code.FAILED,
        reason=errors.Reason.DEPENDENCY_FAILED,
        hint="the same command goes on from here",
    )
    return dataclasses.replace(step, error=error, skipped=True)
