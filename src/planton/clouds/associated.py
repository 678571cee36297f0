"""Cloud resources that a cluster's workloads own: volumes, their snapshots, load balancers and reserved addresses.

Deleting the cluster leaves them behind. The client of a cloud lists them (``leftovers``), and deletes chosen ones by id with the
cluster or after it (``deleting_leftovers``).
"""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING, Any

from planton import errors

if TYPE_CHECKING:
    from collections.abc import Iterable


class Leftover(enum.StrEnum):
    """A sort of resource that a cluster leaves behind."""

    VOLUME = "volume"
    SNAPSHOT = "volume snapshot"
    LOAD_BALANCER = "load balancer"
    ADDRESS = "reserved address"


VOLUME, SNAPSHOT, LOAD_BALANCER, ADDRESS = Leftover.VOLUME, Leftover.SNAPSHOT, Leftover.LOAD_BALANCER, Leftover.ADDRESS


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Item:
    """A volume, a snapshot of one, a load balancer or a reserved address.

    Attributes:
        sort: What it is.
        name: Its name.
        id: The cloud's id.
        monthly: Its list price in US dollars per month; None if it is unknown.
    """

    sort: Leftover
    name: str
    id: str
    monthly: float | None = dataclasses.field(default=None, compare=False)

    def __str__(self) -> str:
        """Returns the item as text."""
        return f"{self.sort} {self.name} ({self.id})"


def item(sort: Leftover, entry: Any, monthly: float | None = None) -> Item:  # JSON data
    """Returns the item of an entry of a cloud's list, with its list price."""
    return Item(sort, str(entry.get("name") or ""), str(entry["id"]), monthly)


def not_deleted(items: Iterable[Item], why: str, *, reason: errors.Reason) -> errors.PlantonError:
    """Returns the error for items that could not be deleted with their cluster."""
    return errors.PlantonError(
        f"the cloud keeps and bills {', '.join(map(str, items))}, which were to be deleted with their cluster: {why}",
        reason=reason,
        hint="delete them in the cloud's dashboard or with its own command line, by id",
    )
