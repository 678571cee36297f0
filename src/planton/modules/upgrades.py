"""Kubernetes upgrades: which way may be gone, for any cloud.

Kubernetes cannot go back, and a control plane moves one minor version at a time
(https://kubernetes.io/releases/version-skew-policy/).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from planton import errors

if TYPE_CHECKING:
    from collections.abc import Iterable


def numbers(version: str) -> tuple[int, ...]:
    """Returns the numbers of a version in their order, for comparing and sorting: ``1.33.1-do.0`` is ``(1, 33, 1, 0)``."""
    # The 3 of k3s is a name's, not a version's.
    return tuple(int(digits) for digits in re.findall(r"\d+", version.replace("k3s", ".")))


def check(running: str, wanted: str, offered: Iterable[str], *, path: str) -> str:
    """Returns a note on what kind of upgrade a change of version is; empty where nothing changes.

    Args:
        running: The version that the cluster runs; empty for a new cluster.
        wanted: The version that the manifest says.
        offered: The versions that the cloud offers.
        path: The manifest's field.

    Raises:
        PlantonError: ``UPGRADE_REFUSED``: it goes back, or skips a minor version.
    """
    if not running or running == wanted:
        return ""
    old, new = numbers(running), numbers(wanted)
    if new < old:
        raise _refused(
            f"{path}: {wanted} is older than {running}, which the cluster runs; Kubernetes cannot go back",
            hint=f"write {running}, or make a new cluster with another name",
        )
    if new[0] != old[0] or new[1] - old[1] > 1:
        between = [version for version in offered if old[:2] < numbers(version)[:2] <= (old[0], old[1] + 1)]
        step = max(between, key=numbers, default=f"{old[0]}.{old[1] + 1}")
        raise _refused(
            f"{path}: from {running} to {wanted} skips a minor version, and a control plane moves one at a time",
            hint=f"upgrade to {step} first",
        )
    if new[1] > old[1]:
        return f"{path}: {running} → {wanted} is a minor upgrade: removed APIs stop working; nodes are replaced or restarted"
    return f"{path}: {running} → {wanted} is a patch upgrade: nodes are replaced or restarted"


def not_offered(wanted: str, offered: Iterable[str], *, where: str, path: str, provider: str) -> errors.PlantonError:
    """Returns the error for a version that the cloud does not offer, with those that it does, newest first."""
    names = sorted(offered, key=numbers, reverse=True)
    return errors.PlantonError(
        f"Kubernetes version {wanted!r} is not offered {where}; offered: {', '.join(names) or 'none'}",
        code=errors.Code.REFUSED,
        reason=errors.Reason.NOT_OFFERED,
        hint=f"write one of the versions offered in {path} (planton versions --provider {provider})",
        metadata={"version": wanted, "offered": ",".join(names)},
    )


def _refused(message: str, *, hint: str) -> errors.PlantonError:
    return errors.PlantonError(message, code=errors.Code.REFUSED, reason=errors.Reason.UPGRADE_REFUSED, hint=hint)
