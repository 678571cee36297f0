"""The nodes of an applied cluster: their conditions from its Kubernetes API, and their pools from the cloud's list."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from planton import clouds, errors
from planton.clouds import kubeconfigs, kubernetes
from planton.deploy import access
from planton.recovery import observed
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planton.deploy import runtime
    from planton.state import inventory

_READY: Final = "Ready"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition of a node, as in Kubernetes.

    Attributes:
        type: For example ``Ready``.
        status: ``True``, ``False`` or ``Unknown``.
        reason: One CamelCase word.
        message: The explanation.
        since: When it last changed, RFC 3339.
    """

    type: str
    status: str
    reason: str
    message: str
    since: str

    @property
    def is_well(self) -> bool:
        """Whether it is as it should be: ``Ready`` is true, and every pressure is false."""
        return self.status == ("True" if self.type == _READY else "False")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node of a cluster, or a machine that has not joined it.

    Attributes:
        name: Its name.
        pool: The cloud's name of its pool; empty if the cloud does not list the machine.
        pool_id: The cloud's id of its pool.
        is_cordoned: Whether it is unschedulable.
        version: The version of its kubelet.
        created: When it joined the cluster, RFC 3339.
        conditions: Its conditions; none for a machine that has not joined the cluster.
    """

    name: str
    pool: str = ""
    pool_id: str = ""
    is_cordoned: bool = False
    version: str = ""
    created: str = ""
    conditions: tuple[Condition, ...] = ()

    @property
    def is_ready(self) -> bool:
        """Whether its kubelet is ready."""
        return any(each.type == _READY and each.is_well for each in self.conditions)

    @property
    def status(self) -> str:
        """Its state, as kubectl shows it."""
        if not self.conditions:
            return "NotJoined"
        return (_READY if self.is_ready else "NotReady") + (",SchedulingDisabled" if self.is_cordoned else "")

    @property
    def problems(self) -> tuple[str, ...]:
        """What is not as it should be; empty for a healthy node."""
        if not self.conditions:
            return ("the machine has not joined the cluster",)
        bad = [each for each in self.conditions if not each.is_well]
        return tuple(
            f"{each.type} is {each.status}: {each.reason}" + (f" ({each.message})" if each.message else "") for each in bad
        )


def connect(cluster: inventory.Applied, run: runtime.Runtime) -> kubernetes.Api:
    """Returns the Kubernetes API of an applied cluster.

    Raises:
        PlantonError: ``USAGE``: it is no cluster; ``STACK_NOT_FOUND``; ``NOT_FOUND``; ``CREDENTIAL_…``; ``CLOUD_…``.
    """
    return kubernetes.Api(kubeconfigs.parse(access.credential(cluster, run).kubeconfig))


def read(cluster: inventory.Applied, api: kubernetes.Api, run: runtime.Runtime, lists: observed.Lists) -> list[Node]:
    """Returns the nodes of a cluster by pool and name, and the machines that have not joined it.

    Args:
        cluster: The cluster.
        api: Its Kubernetes API.
        run: What every stage uses.
        lists: The lists of the accounts.

    Raises:
        PlantonError: ``API_SERVER_CLOSED``; ``CREDENTIAL_…``; ``CLOUD_…``.
    """
    by_name = pools(cluster, run, lists)
    try:
        nodes = {node.name: node for node in map(_node, api.list("/api/v1/nodes"))}
    except (KeyError, TypeError, AttributeError) as error:
        raise errors.api_server_closed(
            f"the Kubernetes API of {cluster.key} answered with something else than nodes: {error!r}",
            hint="check that no proxy answers in its place",
        ) from None
    members = [
        dataclasses.replace(nodes.get(name, Node(name=name)), pool=pool, pool_id=id_) for name, (pool, id_) in by_name.items()
    ]
    return sorted(
        [*members, *(node for name, node in nodes.items() if name not in by_name)], key=lambda node: (node.pool, node.name)
    )


def pools(cluster: inventory.Applied, run: runtime.Runtime, lists: observed.Lists) -> dict[str, tuple[str, str]]:
    """Returns the machines of a cluster that the cloud lists: name → name and id of the pool.

    Raises:
        PlantonError: ``CREDENTIAL_…``; ``CLOUD_…``.
    """
    kind = kinds.get(cluster.key.kind)
    if not kind.cloud.views:
        return {}
    views = clouds.views_of(kind.cloud)
    cloud = access.cloud_of(cluster, run)
    entries = [each for each in lists.of(cloud, kind.declared.type) if each["id"] == cluster.identity]
    listed = [pool for each in entries for pool in observed.pools_of(each)]
    return {name: (views.name(pool), str(pool["id"])) for pool in listed for name in views.nodes(pool)}


def _node(item: Mapping[str, Any]) -> Node:
    metadata, status = item["metadata"], item.get("status") or {}
    return Node(
        name=str(metadata["name"]),
        is_cordoned=bool((item.get("spec") or {}).get("unschedulable")),
        version=str((status.get("nodeInfo") or {}).get("kubeletVersion") or ""),
        created=str(metadata.get("creationTimestamp") or ""),
        conditions=tuple(map(_condition, status.get("conditions") or ())) or (_UNREPORTED,),
    )


def _condition(item: Mapping[str, Any]) -> Condition:
    return Condition(
        type=str(item["type"]),
        status=str(item["status"]),
        reason=str(item.get("reason") or ""),
        message=str(item.get("message") or ""),
        since=str(item.get("lastTransitionTime") or ""),
    )


#: The condition of a node whose kubelet has reported none yet.
_UNREPORTED: Final = Condition(type=_READY, status="Unknown", reason="NotReported", message="", since="")
