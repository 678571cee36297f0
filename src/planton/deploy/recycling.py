"""Drains one node of an applied cluster, and replaces its machine. The guards are those of kubectl drain; `draining` evicts."""

from __future__ import annotations

import dataclasses
import datetime
import time
from typing import TYPE_CHECKING, Any, Final

from planton import errors
from planton.clouds import answers
from planton.deploy import access, drain, draining, nodes, overview
from planton.recovery import observed
from planton.schema import kinds
from planton.state import stores

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from planton.clouds import kubernetes
    from planton.deploy import runtime
    from planton.state import inventory

_MIRROR: Final = "kubernetes.io/config.mirror"
#: Seconds between two looks at a pool that gets a new machine.
_LOOK: Final = 5.0
_SHOWN: Final = 5


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What a drain may do with pods that would be lost, as the options of kubectl drain.

    Attributes:
        unmanaged: Whether pods without a controller may be evicted; nothing recreates them.
        local_data: Whether pods with data on the node (emptyDir) may be evicted; the data is lost.
        daemon_sets: Whether pods of DaemonSets may stay.
    """

    unmanaged: bool = False
    local_data: bool = False
    daemon_sets: bool = False


@dataclasses.dataclass(frozen=True)
class Drain:
    """The drain of one node.

    Attributes:
        cluster: The cluster.
        node: The node.
        api: The Kubernetes API of the cluster.
        pods: The pods that will be evicted.
        run: What every stage uses.
        wait: Sleeps so many seconds.
        now: Returns the time.
    """

    cluster: inventory.Applied
    node: nodes.Node
    api: kubernetes.Api
    pods: tuple[str, ...]
    run: runtime.Runtime
    wait: Callable[[float], None] = time.sleep
    now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC)

    def drained(self) -> Iterator[str]:
        """Cordons the node and evicts its pods; yields what it waits for, whenever that changes.

        Raises:
            PlantonError: ``API_SERVER_CLOSED``; ``CLOUD_STUCK``: pods did not leave in time; ``INTERRUPTED``.
        """
        limit = drain.Limit(after=datetime.timedelta(seconds=self.run.settings.timeout))
        said = ""
        while True:
            self.run.settings.interruption.check()
            step = draining.advance(self.api, self.node.name, limit=limit, now=self.now())
            if step.message != said:
                said = step.message
                yield said
            if step.stage is drain.Stage.DONE:
                return
            if step.stage is drain.Stage.TIMED_OUT:
                raise errors.cloud_stuck(
                    f"node {self.node.name} could not be drained, and stays cordoned: {step.message}",
                    hint=f"remove what blocks it and run the same command again, or: kubectl uncordon {self.node.name}",
                )
            self.wait(step.again.total_seconds())

    def replaced(self) -> Iterator[str]:
        """Replaces the drained machine, and waits until its pool has all nodes; yields what it waits for.

        Raises:
            PlantonError: ``NOT_FOUND``: the cloud does not list the machine; ``STACK_LOCKED``; ``CLOUD_…``; ``INTERRUPTED``.
        """
        cloud = access.cloud_of(self.cluster, self.run)
        before = [each for each in self._listed() if each.pool_id == self.node.pool_id]
        with stores.Stores(self.run.settings, self.run.tools).journal(self.cluster.stack).hold("recycle", self.run.settings):
            if not cloud.remove_node(self.cluster.identity, self.node.pool_id, self.node.name, replace=True):
                raise _unknown(self.node.name)
        deadline = self.now() + datetime.timedelta(seconds=self.run.settings.timeout)
        said = ""
        while True:
            self.run.settings.interruption.check()
            current = [each for each in self._listed() if each.pool_id == self.node.pool_id and each.name != self.node.name]
            ready = sum(each.is_ready for each in current)
            if ready >= len(before):
                return
            text = f"waiting for the new machine of pool {self.node.pool}: {ready} of {len(before)} nodes are ready"
            if text != said:
                said = text
                yield said
            if self.now() >= deadline:
                hint = f"planton nodes {kinds.Role.CLUSTER.short_name}/{self.cluster.key.name}"
                raise errors.cloud_stuck(said, hint=hint)
            self.wait(_LOOK)

    def _listed(self) -> list[nodes.Node]:
        return nodes.read(self.cluster, self.api, self.run, observed.Lists(answers.Answers()))


def make(name: str, run: runtime.Runtime, listed: overview.Filter, allowed: Allowed) -> Drain:
    """Returns the drain of a node. Nothing is changed.

    Args:
        name: The name of the node.
        run: What every stage uses.
        listed: Which applied clusters are searched.
        allowed: What it may do with pods that would be lost.

    Raises:
        PlantonError: ``NOT_FOUND``: no applied cluster has the node; ``RESOURCE_AMBIGUOUS``; ``DRAIN_REFUSED``; ``API_SERVER_CLOSED``; ``CLOUD_…``.
    """
    cluster, pool = _owner(name, run, listed)
    api = nodes.connect(cluster, run)
    matches = [each for each in nodes.read(cluster, api, run, observed.Lists(answers.Answers())) if each.name == name]
    node = matches[0] if matches else nodes.Node(name=name, pool=pool[0], pool_id=pool[1])
    pods = api.list("/api/v1/pods", fieldSelector=f"spec.nodeName={name}")
    leaving = [pod for pod in pods if not _stays(pod)]
    _check(name, pods, allowed)
    names = tuple(sorted(f"{pod['metadata']['namespace']}/{pod['metadata']['name']}" for pod in leaving))
    return Drain(cluster, node, api, names, run)


def _owner(name: str, run: runtime.Runtime, listed: overview.Filter) -> tuple[inventory.Applied, tuple[str, str]]:
    lists = observed.Lists(answers.Answers())
    clusters = [
        each for each in run.inventory.all() if kinds.get(each.key.kind).is_cluster and each.complete and listed.matches(each)
    ]
    owners = [(each, pools[name]) for each in clusters if name in (pools := nodes.pools(each, run, lists))]
    if not owners:
        raise _unknown(name)
    if len(owners) > 1:
        raise errors.resource_ambiguous(
            f"node {name} is in {', '.join(str(each.key) for each, _ in owners)}",
            hint="add --env ENV or --stack PROJECT/STACK",
        )
    return owners[0]


def _unknown(name: str) -> errors.PlantonError:
    return errors.not_found(f"no applied cluster has a node {name}", hint="planton nodes CLUSTER lists them")


def _check(name: str, pods: Sequence[Mapping[str, Any]], allowed: Allowed) -> None:
    leaving = [pod for pod in pods if not _stays(pod) and not _is_finished(pod)]
    daemons = [pod for pod in pods if _controller(pod) == "DaemonSet"]
    guards = (
        (allowed.daemon_sets, daemons, "are managed by DaemonSets", "--ignore-daemonsets lets them stay"),
        (
            allowed.unmanaged,
            [pod for pod in leaving if not _controller(pod)],
            "declare no controller, so that nothing recreates them",
            "--force evicts them",
        ),
        (
            allowed.local_data,
            [pod for pod in leaving if _has_local_data(pod)],
            "have data on the node (emptyDir), which is lost",
            "--delete-emptydir-data evicts them",
        ),
    )
    refused = [(listed, why, option) for is_allowed, listed, why, option in guards if listed and not is_allowed]
    if refused:
        raise errors.PlantonError(
            f"node {name} was not drained: " + "; ".join(f"{_names(listed)} {why}" for listed, why, _ in refused),
            reason=errors.Reason.DRAIN_REFUSED,
            hint="; ".join(option for _, _, option in refused),
            metadata={"node": name},
        )


def _stays(pod: Mapping[str, Any]) -> bool:
    return _controller(pod) == "DaemonSet" or _MIRROR in (pod["metadata"].get("annotations") or {})


def _is_finished(pod: Mapping[str, Any]) -> bool:
    return str((pod.get("status") or {}).get("phase")) in ("Succeeded", "Failed")


def _controller(pod: Mapping[str, Any]) -> str:
    owners = [each for each in pod["metadata"].get("ownerReferences") or () if each.get("controller")]
    return str(owners[0]["kind"]) if owners else ""


def _has_local_data(pod: Mapping[str, Any]) -> bool:
    return any("emptyDir" in volume for volume in (pod.get("spec") or {}).get("volumes") or ())


def _names(pods: Sequence[Mapping[str, Any]]) -> str:
    names = sorted(f"{pod['metadata']['namespace']}/{pod['metadata']['name']}" for pod in pods)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
