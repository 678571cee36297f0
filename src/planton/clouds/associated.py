"""Cloud resources that a cluster's workloads own: volumes, their snapshots and load balancers.

Deleting the cluster leaves them behind. The client of a cloud lists them (``leftovers``), and deletes chosen ones by id with the
cluster or after it (``deleting_leftovers``).
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from planton import errors

if TYPE_CHECKING:
    from collections.abc import Iterable

VOLUME, SNAPSHOT, LOAD_BALANCER = "volume", "volume snapshot", "load balancer"


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Item:
    """A volume, a snapshot of one or a load balancer.

    Attributes:
        sort: ``volume``, ``volume snapshot`` or ``load balancer``.
        name: Its name.
        id: The cloud's id.
    """

    sort: str
    name: str
    id: str

    def __str__(self) -> str:
        """Returns the item as text."""
        return f"{self.sort} {self.name} ({self.id})"


def item(sort: str, entry: Any) -> Item:  # JSON data
    """Returns the item of an entry of a cloud's list."""
    return Item(sort, str(entry.get("name") or ""), str(entry["id"]))


def not_deleted(items: Iterable[Item], why: str, *, code: errors.Code, reason: errors.Reason) -> errors.PlantonError:
    """Returns the error for items that could not be deleted with their cluster."""
    return errors.PlantonError(
        f"the cloud keeps and bills {', '.join(map(str, items))}, which were to be deleted with their cluster: {why}",
        code=code,
        reason=reason,
        hint="delete them in the cloud's dashboard or with its own command line, by id",
    )
