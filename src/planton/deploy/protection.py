"""Deletion protection. A protected node pool also protects its cluster, because deleting a cluster deletes its pools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planton import errors
from planton.deploy import graph
from planton.manifest import origins
from planton.schema import deletion, kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from planton.manifest import load
    from planton.schema import references
    from planton.state import inventory


def refusal(
    applied: inventory.Applied,
    verb: str,
    *,
    manifests: Mapping[references.Key, load.Resource],
    everything: Callable[[], Iterable[inventory.Applied]],
) -> errors.PlantonError | None:
    """Returns why a resource must not be deleted, or None.

    A resource is protected by its applied manifest or by its current manifest. So an annotation that is not applied yet, or that
    was just removed, protects it too. Of a resource of the NodePool API, only the current manifest counts: the API decides about
    protection when it deletes the object, and a removed protection may never have been applied.

    Args:
        applied: The resource.
        verb: What would happen to it: ``delete`` or ``replace``.
        manifests: The manifests of the command.
        everything: Returns all applied resources.
    """
    for each in [applied, *_pools_of(applied, everything)]:
        if _is_protected(each, manifests.get(each.key)):
            own = f"{applied.key} is protected against deletion, and this would {verb} it"
            pool = f"{applied.key} has the node pool {each.key}, which is protected against deletion, and this would {verb} both"
            return errors.PlantonError(
                own if each is applied else pool,
                subject=str(applied.key),
                reason=errors.Reason.PROTECTED,
                hint=f"remove the annotation {deletion.PROTECTION_ANNOTATION} from its manifest, apply that, then try again",
            )
    return None


def _is_protected(applied: inventory.Applied, entry: load.Resource | None) -> bool:
    if entry is None:
        return applied.protected
    is_current = deletion.is_protected(entry.manifest)
    return is_current if entry.origin == applied.origin == origins.NODE_POOL_API else is_current or applied.protected


def _pools_of(applied: inventory.Applied, everything: Callable[[], Iterable[inventory.Applied]]) -> list[inventory.Applied]:
    if not (applied.identity and graph.is_cluster(applied.key)):
        return []
    return [
        each
        for each in everything()
        if each.cluster == applied.identity and kinds.is_deleted_with(each.key.kind, applied.key.kind)
    ]
