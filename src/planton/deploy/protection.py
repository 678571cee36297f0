"""Deletion protection. A protected node pool also protects its cluster, because deleting a cluster deletes its pools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planton import errors
from planton.deploy import graph
from planton.schema import kinds
from planton.state import inventory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from planton.manifest import load
    from planton.schema import references


def refusal(
    applied: inventory.Applied,
    what: str,
    *,
    manifests: Mapping[references.Key, load.Resource],
    everything: Callable[[], Iterable[inventory.Applied]],
) -> errors.PlantonError | None:
    """Returns why a resource may not be deleted; None where it may.

    Protected is what was applied as protected, and what its manifest says to be. So neither the one that is not applied yet
    nor the one that has just lost the annotation is overruled.

    Args:
        applied: The resource.
        what: What would happen to it: ``delete``, ``replace``.
        manifests: The manifests of the command.
        everything: Gives all that has been applied.
    """
    for each in [applied, *_pools_of(applied, everything)]:
        entry = manifests.get(each.key)
        if each.protected or (entry is not None and inventory.is_protected(entry.manifest)):
            own = f"{each.key} is protected against deletion, and this would {what} it"
            pool = f"{applied.key} has the node pool {each.key}, which is protected against deletion, and this would {what} both"
            return errors.PlantonError(
                own if each is applied else pool,
                reason=errors.Reason.PROTECTED,
                hint=f"remove the annotation {inventory.PROTECTION_ANNOTATION} from its manifest, apply that, then try again",
            )
    return None


def _pools_of(applied: inventory.Applied, everything: Callable[[], Iterable[inventory.Applied]]) -> list[inventory.Applied]:
    if not (applied.identity and graph.is_cluster(applied.key)):
        return []
    return [
        each
        for each in everything()
        if each.cluster == applied.identity and kinds.is_deleted_with(each.key.kind, applied.key.kind)
    ]
