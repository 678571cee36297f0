"""Cloud resources that a cluster's workloads own: volumes, their snapshots and load balancers; listed and deleted by id.

Deleting the cluster leaves them behind. At DigitalOcean the request to delete the cluster can name items to delete too. Civo has
no such request: they are deleted one by one after the cluster.
"""

from __future__ import annotations

import contextlib
import dataclasses
import urllib.parse
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.clouds import api
from planton.clouds.civo import client as civo
from planton.clouds.digitalocean import client as digitalocean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from planton import clouds

VOLUME, SNAPSHOT, LOAD_BALANCER = "volume", "volume snapshot", "load balancer"
#: Sort → its name in DigitalOcean's answers and requests.
_DIGITALOCEAN = {VOLUME: "volumes", SNAPSHOT: "volume_snapshots", LOAD_BALANCER: "load_balancers"}
#: Sort → its path at Civo.
_CIVO = {VOLUME: "/v2/volumes", LOAD_BALANCER: "/v2/loadbalancers"}
#: Seconds before each retry, because a volume stays attached for a while after its cluster is deleted.
_WAITS = (1.0, 2.0, 4.0, 8.0)


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


def listed(cloud: clouds.Cloud, cluster_id: str) -> list[Item]:
    """Returns the items of a cluster's workloads, sorted; none if the cluster does not exist.

    Raises:
        PlantonError: The cloud could not be asked.
    """
    if isinstance(cloud, digitalocean.Cloud):
        answer = cloud.get(f"{_path(cluster_id)}/destroy_with_associated_resources") or {}
        return sorted(_item(sort, entry) for sort, name in _DIGITALOCEAN.items() for entry in answer.get(name) or [])
    if isinstance(cloud, civo.Cloud):
        return sorted(
            _item(sort, entry)
            for sort, path in _CIVO.items()
            for entry in cloud.get(path) or []
            if entry.get("cluster_id") == cluster_id
        )
    return []


@contextlib.contextmanager
def deleting(cloud: clouds.Cloud, cluster_id: str, items: tuple[Item, ...]) -> Iterator[None]:
    """Deletes items with their cluster. The block of the context manager deletes the cluster.

    Raises:
        PlantonError: The cloud refuses, or could not be asked; the error names the remaining items.
    """
    if items and isinstance(cloud, digitalocean.Cloud):
        body = {name: [item.id for item in items if item.sort == sort] for sort, name in _DIGITALOCEAN.items()}
        path = f"{_path(cluster_id)}/destroy_with_associated_resources/selective"
        if not api.delete(f"{cloud.address}{path}", authorization=f"Bearer {cloud.token}", path=path, body=body):
            raise _leftover_error(
                list(items), "the cluster is gone already", code=errors.Code.FAILED, reason=errors.Reason.NOT_FOUND
            )
    yield
    if items and isinstance(cloud, civo.Cloud):
        _delete_each(cloud, items)


def _delete_each(cloud: civo.Cloud, items: tuple[Item, ...]) -> None:
    failures = {}
    for item in items:
        try:
            _delete(cloud, f"{_CIVO[item.sort]}/{urllib.parse.quote(item.id, safe='')}")
        except errors.PlantonError as error:
            failures[item] = error
    if failures:
        first = next(iter(failures.values()))
        raise _leftover_error(list(failures), first.message, code=first.code, reason=first.reason)


def _leftover_error(items: list[Item], why: str, *, code: errors.Code, reason: errors.Reason) -> errors.PlantonError:
    return errors.PlantonError(
        f"the cloud keeps and bills {', '.join(map(str, items))}, which were to be deleted with their cluster: {why}",
        code=code,
        reason=reason,
        hint="delete them in the cloud's dashboard or with its own command line, by id",
    )


def _delete(cloud: civo.Cloud, path: str) -> None:
    url = f"{cloud.address}{path}?{urllib.parse.urlencode({'region': cloud.region})}"
    for pause in (*_WAITS, None):
        try:
            api.delete(url, authorization=f"bearer {cloud.token}", path=path)
        except errors.PlantonError as error:
            if pause is None or error.reason is errors.Reason.CLOUD_AUTH:
                raise
            cloud.wait(pause)
        else:
            return


def _item(sort: str, entry: Any) -> Item:  # JSON data
    return Item(sort, str(entry.get("name") or ""), str(entry["id"]))


def _path(cluster_id: str) -> str:
    return f"/v2/kubernetes/clusters/{urllib.parse.quote(cluster_id, safe='')}"
