"""Waits for a cloud to finish operations that a plugin only starts: upgrades, and the scaling of a default pool."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any

from planton import clouds, errors
from planton.engine import explain
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from planton.config import settings
    from planton.engine import plans

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
#: The longest pause in seconds between two checks for an interruption by the user.
_SLICE_SECONDS = 0.5
#: Seconds that an apply waits for the applications of a cluster, because the cloud does not report failed ones.
APPLICATION_SECONDS = 180.0
#: The properties of a cluster whose updates take time. All others are done when the cloud answers.
_SLOW = ("version", "kubernetesVersion", "pools.", "nodePool.")


@dataclasses.dataclass(frozen=True, slots=True)
class Timing:
    """The clock and the sleep of a wait. Tests pass their own.

    Attributes:
        clock: Returns seconds.
        sleep: Waits so many seconds.
    """

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


def takes_time(change: plans.Change) -> bool:
    """Returns whether a change of a cluster continues in the cloud after the plugin has returned."""
    slow = any(each.path.startswith(_SLOW) for each in change.differences)
    return kinds.has_role(change.type, kinds.Role.CLUSTER) and change.action.value == "update" and slow


def uninstalled(cluster: Mapping[str, Any], applications: Iterable[str]) -> list[str]:
    """Returns the applications of a manifest that the cloud has not installed, in the cloud's spelling."""
    requested = {application.partition(":")[0].lower() for application in applications if not application.startswith("-")}
    entries = [entry for entry in cluster.get("installed_applications") or () if not entry.get("installed")]
    names = [str(entry.get("name") or entry.get("application") or "") for entry in entries]
    return sorted(name for name in names if name.lower() in requested)


def until_installed(
    look: Callable[[], Mapping[str, Any] | None],
    chosen: settings.Settings,
    target: Any,  # the manifest of a cluster
    *,
    timing: Timing | None = None,
) -> list[str]:
    """Waits a few minutes for the applications of a manifest, and returns those that are not installed.

    Args:
        look: Returns the cluster in the form of the cloud's API, or None if it is missing.
        chosen: The settings: receiver of progress, and the user's interruption.
        target: The manifest.
        timing: How to wait.

    Raises:
        PlantonError: ``INTERRUPTED``; the cloud could not be read.
    """
    timing = timing or Timing()
    interruptions = chosen.interruption.times
    deadline = timing.clock() + min(APPLICATION_SECONDS, chosen.timeout)
    pause, reported = _FIRST_PAUSE_SECONDS, ""
    while missing := uninstalled(look() or {}, target.spec.applications):
        listed = ", ".join(missing)
        if timing.clock() > deadline:
            return missing
        if listed != reported:
            reported = listed
            chosen.progress(f"  {target.metadata.name}: the cloud is installing {listed}")
        pause = _wait(pause, chosen, interruptions, timing, reported)
    return []


def _wait(pause: float, chosen: settings.Settings, interruptions: int, timing: Timing, activity: str) -> float:
    remaining = pause
    while remaining > 0:
        if chosen.interruption.times > interruptions:
            raise _interrupted(activity)
        timing.sleep(min(remaining, _SLICE_SECONDS))
        remaining -= _SLICE_SECONDS
    return min(pause * 2, _LONGEST_PAUSE_SECONDS)


def until_settled(
    look: Callable[[], Mapping[str, Any] | None],
    chosen: settings.Settings,
    target: Any,  # a manifest of any kind
    *,
    timing: Timing | None = None,
) -> None:
    """Waits until no operation is in progress in a cluster, and reports each change of its condition.

    Args:
        look: Returns the cluster in the form of the cloud's API, or None if it is missing.
        chosen: The settings: timeout, receiver of progress, and the user's interruption.
        target: The manifest, for errors.
        timing: How to wait.

    Raises:
        PlantonError: ``CLOUD_STUCK``; ``INTERRUPTED``; the cloud could not be read.
    """
    timing = timing or Timing()
    interruptions = chosen.interruption.times
    deadline = timing.clock() + chosen.timeout
    pause, reported = _FIRST_PAUSE_SECONDS, ""
    while (cluster := look()) is not None:
        seen = clouds.views_of(kinds.get(target.kind).cloud).condition(cluster)
        if seen.settled:
            return
        if str(seen) != reported:
            reported = str(seen)
            chosen.progress(f"  {target.metadata.name}: {reported}; waiting for the cloud")
        if timing.clock() > deadline:
            raise explain.stuck("apply", chosen.timeout, target)
        pause = _wait(pause, chosen, interruptions, timing, reported)


def _interrupted(condition_: str) -> errors.PlantonError:
    return errors.interrupted(
        f"apply was interrupted while the cloud was still at work ({condition_}); what was done is saved",
        hint="the cloud continues by itself; run the same command again, which waits for its end",
    )
