"""The guarded operations on one stack, as one value that a caller can pass on."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from planton.recovery import destroying, drifting, managed, previewing, refreshing, resuming, updating

if TYPE_CHECKING:
    from collections.abc import Callable

    from planton.engine import plans


@dataclasses.dataclass(frozen=True, slots=True)
class Operations:
    """The guarded operations on one stack. Tests replace them by their own.

    Attributes:
        manage: Returns the stack of a stack input.
        recover: Recovers a stack whose last operation did not end cleanly.
        preview: Returns the changes of an apply.
        differs: Returns whether the cloud's lists differ from the state.
        update: Applies a plan.
        refresh: Reads the cloud into the state.
        drift: Returns how the cloud differs from the last apply.
        deletions: Returns the changes of a destroy.
        destroy: Deletes the resources and the stack.
    """

    manage: Callable[..., managed.Managed] = managed.of
    recover: Callable[..., resuming.Recovery] = resuming.recover
    preview: Callable[..., plans.Plan] = previewing.preview
    differs: Callable[..., bool] = previewing.differs
    update: Callable[..., updating.Updated] = updating.update
    refresh: Callable[..., plans.Plan] = refreshing.refresh
    drift: Callable[..., tuple[plans.Change, ...]] = drifting.drift
    deletions: Callable[..., plans.Plan] = destroying.planned
    destroy: Callable[..., plans.Plan] = destroying.destroy
