"""Kubernetes upgrades: the allowed versions, for any cloud.

Kubernetes cannot go back, and a control plane moves one minor version at a time
(https://kubernetes.io/releases/version-skew-policy/).
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from planton import errors

if TYPE_CHECKING:
    from collections.abc import Iterable


def spelling(version: str) -> str:
    """Returns a version in the clouds' spelling: ``v1.29.0+k3s1`` becomes ``1.29.0-k3s1``."""
    return version.strip().removeprefix("v").replace("+", "-")


def numbers(version: str) -> tuple[int, ...]:
    """Returns the numbers of a version in their order, for comparing and sorting: ``1.33.1-do.0`` is ``(1, 33, 1, 0)``."""
    # The 3 of k3s is part of a name.
    return tuple(int(digits) for digits in re.findall(r"\d+", version.replace("k3s", ".")))


def distribution(version: str) -> str:
    """Returns the Kubernetes distribution of a version: ``talos``, or else ``k3s``."""
    return "talos" if version.startswith("talos") else "k3s"


@dataclasses.dataclass(frozen=True, slots=True)
class Upgrade:
    """The version in a manifest, and the version that its cluster runs.

    Attributes:
        running: The version that the cluster runs; empty for a new cluster.
        written: The version in the manifest.
        is_automatic: Whether the cloud installs newer patch versions by itself.
        patch_first: Whether a minor upgrade must start from the newest patch version.
    """

    running: str
    written: str
    is_automatic: bool = False
    patch_first: bool = False

    @property
    def version(self) -> str:
        """The version in the manifest, in the clouds' spelling."""
        return spelling(self.written)

    @property
    def is_ahead(self) -> bool:
        """Whether the cloud has installed a newer patch version than the manifest's. It never installs a minor version."""
        old, new = numbers(self.running), numbers(self.version)
        return bool(self.is_automatic and self.running and old > new and old[:2] == new[:2])

    @property
    def keeps_version(self) -> bool:
        """Whether the cluster keeps its version. It may, even after the cloud has stopped offering it."""
        return self.version == self.running or self.is_ahead

    def refusal(self, offered: Iterable[str], *, targets: Iterable[str] | None = None) -> Refusal | None:
        """Returns why the cluster cannot be upgraded; None if it can, or if nothing changes.

        Args:
            offered: The versions that the cloud offers.
            targets: The versions that the cloud allows for this cluster; None if it does not report them.
        """
        return refusal(self.running, self.version, offered, patch_first=self.patch_first, targets=targets)

    def check(self, offered: Iterable[str], *, path: str) -> str:
        """Returns a note on the kind of the upgrade; empty if nothing changes.

        Args:
            offered: The versions that the cloud offers.
            path: The manifest's field.

        Raises:
            PlantonError: ``UPGRADE_REFUSED``.
        """
        return check(self.running, self.version, offered, path=path, patch_first=self.patch_first)


def of_distribution(running: str, type_: str) -> str:
    """Returns the version that a cluster runs; empty if it has another distribution, for the cluster is replaced then.

    Args:
        running: The version.
        type_: The distribution in the manifest; empty for a cloud with only one.
    """
    return "" if type_ and distribution(running) != type_ else running


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """The reason why a change of version is refused.

    Attributes:
        text: The reason, with both versions.
        hint: The version to write instead.
    """

    text: str
    hint: str


def refusal(
    running: str,
    version: str,
    offered: Iterable[str],
    *,
    patch_first: bool = False,
    targets: Iterable[str] | None = None,
) -> Refusal | None:
    """Returns why a cluster cannot be upgraded to a version; None if it can, or if nothing changes.

    Args:
        running: The version that the cluster runs; empty for a new cluster.
        version: The version in the manifest.
        offered: The versions that the cloud offers.
        patch_first: Whether a minor upgrade must start from the newest patch version.
        targets: The versions that the cloud allows for this cluster; None if it does not report them.
    """
    if not running or running == version:
        return None
    old, new = numbers(running), numbers(version)
    if new < old:
        return Refusal(
            f"{version} is older than {running}, which the cluster runs; Kubernetes cannot go back",
            f"write {running}, or create a new cluster with another name",
        )
    allowed = None if targets is None else list(targets)
    step = _step(old, list(offered), patch_first=patch_first) if allowed is None else max(allowed, key=numbers, default="")
    hint = f"upgrade to {step} first" if step else f"write {running}; the cloud offers no upgrade for this cluster now"
    if new[0] != old[0] or new[1] - old[1] > 1:
        return Refusal(
            f"from {running} to {version} skips a minor version, and Kubernetes upgrades one minor version at a time", hint
        )
    if allowed is not None:
        return None if version in allowed else Refusal(_not_allowed(running, version, allowed), hint)
    if new[:2] != old[:2] and step and numbers(step)[:2] == old[:2]:
        return Refusal(
            f"{running} is not the newest patch of its minor version, and the cloud requires that before an upgrade to {version}",
            hint,
        )
    return None


def targets(running: str, offered: Iterable[str], *, patch_first: bool = False) -> list[str]:
    """Returns the versions to which a cluster can be upgraded now, newest first.

    Args:
        running: The version that the cluster runs.
        offered: The versions that the cloud offers.
        patch_first: Whether a minor upgrade must start from the newest patch version.
    """
    listed = list(offered)
    newer = [version for version in listed if numbers(version) > numbers(running)]
    allowed = [version for version in newer if refusal(running, version, listed, patch_first=patch_first) is None]
    return sorted(allowed, key=numbers, reverse=True)


def _step(old: tuple[int, ...], offered: list[str], *, patch_first: bool) -> str:
    patches = [version for version in offered if numbers(version)[:2] == old[:2] and numbers(version) > old]
    between = [version for version in offered if old[:2] < numbers(version)[:2] <= (old[0], old[1] + 1)]
    following = patches if patch_first and patches else between
    return max(following, key=numbers, default=f"{old[0]}.{old[1] + 1}")


def _not_allowed(running: str, version: str, allowed: list[str]) -> str:
    names = ", ".join(sorted(allowed, key=numbers, reverse=True)) or "none"
    return f"the cloud does not allow an upgrade from {running} to {version}; allowed now: {names}"


def check(running: str, version: str, offered: Iterable[str], *, path: str, patch_first: bool = False) -> str:
    """Returns a note on the kind of an upgrade; empty if nothing changes.

    Args:
        running: The version that the cluster runs; empty for a new cluster.
        version: The version in the manifest.
        offered: The versions that the cloud offers.
        path: The manifest's field.
        patch_first: Whether a minor upgrade must start from the newest patch version.

    Raises:
        PlantonError: ``UPGRADE_REFUSED``: it goes back, skips a minor version, or comes before the newest patch.
    """
    refused = refusal(running, version, offered, patch_first=patch_first)
    if refused is not None:
        raise errors.PlantonError(f"{path}: {refused.text}", reason=errors.Reason.UPGRADE_REFUSED, hint=refused.hint)
    if not running or running == version:
        return ""
    if numbers(version)[:2] != numbers(running)[:2]:
        return f"{path}: {running} → {version} is a minor upgrade: removed APIs stop working; nodes are replaced or restarted"
    return f"{path}: {running} → {version} is a patch upgrade: nodes are replaced or restarted"


def not_offered(version: str, offered: Iterable[str], *, where: str, path: str, provider: str) -> errors.PlantonError:
    """Returns the error for a version that the cloud does not offer, with those that it does, newest first."""
    names = sorted(offered, key=numbers, reverse=True)
    return errors.not_offered(
        f"Kubernetes version {version!r} is not offered {where}; offered: {', '.join(names) or 'none'}",
        hint=f"write one of the versions offered in {path} (planton versions --provider {provider})",
        metadata={"version": version, "offered": ",".join(names)},
    )
