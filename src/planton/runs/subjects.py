"""What is checked before it is applied: a manifest, what was applied of it, and what the engine plans."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

from planton import kinds
from planton.engine import guards, plans

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from google.protobuf import message

    from planton import flow

#: Actions after which a resource is another one than before.
_NEW = (plans.Action.CREATE, plans.Action.REPLACE)


@dataclasses.dataclass(frozen=True, slots=True)
class Pool:
    """A node pool of a manifest.

    Attributes:
        path: Its field, in the manifest's spelling; ``spec`` for a pool with a manifest of its own.
        resource: The resource of the stack that it is in, or that it is.
        size: Its machine size.
        count: Its number of nodes; of an autoscaled one, the first.
    """

    path: str
    resource: str
    size: str
    count: int


@dataclasses.dataclass(frozen=True)
class Subject:
    """A resource that is about to be applied.

    Attributes:
        entry: The manifest as it was given, with its places.
        target: The manifest with references resolved, and ids in place of names.
        provider: The cloud, e.g. ``civo``.
        region: Where the resource is to be, in lower case; empty where nothing says.
        applied: The manifest of the last apply that came to its end, or None.
        applied_id: The cloud's id of what that apply made; empty where there is none.
        has_stack: Whether any apply has begun.
        plan: What the engine plans; None where it could not.
        referenced: Path of a reference → the manifest that it means, given or applied.
    """

    entry: flow.Wanted
    target: Any
    provider: str
    region: str
    applied: Any
    applied_id: str
    has_stack: bool
    plan: plans.Plan | None
    referenced: Mapping[str, message.Message]

    @functools.cached_property
    def stem(self) -> str:
        """The kind without its provider, e.g. ``kubernetes_cluster``."""
        return kinds.get(self.target.kind).stem

    @functools.cached_property
    def changes(self) -> dict[str, plans.Change]:
        """The planned changes by the names of the resources; where there is no plan and no stack, everything is created."""
        if self.plan is not None:
            return {change.name: change for change in self.plan.changes}
        names = () if self.has_stack else _resources(self.target)
        return {name: plans.Change("", name, "", plans.Action.CREATE) for name in names}

    def is_new(self, resource: str) -> bool:
        """Returns whether a resource of the stack is to be created, or replaced."""
        if self.plan is None:
            return self.applied is None
        return resource in self.changes and self.changes[resource].action in _NEW

    def is_changed(self, resource: str, value: Callable[[Any], object]) -> bool:
        """Returns whether a value of a resource is one that the cloud has not accepted yet.

        Args:
            resource: The resource of the stack.
            value: Reads the value from a manifest.
        """
        if self.is_new(resource):
            return True
        if self.plan is not None and resource not in self.changes:
            return False
        return self.applied is None or value(self.applied) != value(self.target)

    @property
    def cluster_id(self) -> str:
        """The id of the cluster that the node pools are in; empty where it does not exist yet."""
        if self.stem == "kubernetes_node_pool":
            return str(self.target.spec.cluster.value)
        return "" if self.is_new("cluster") else self.applied_id


def _resources(manifest: Any) -> list[str]:  # as below
    spec = manifest.spec
    main = guards.MAIN[kinds.get(manifest.kind).stem]
    has_own_firewall = main == "cluster" and "firewall" in spec.DESCRIPTOR.fields_by_name and not spec.HasField("firewall")
    return list(dict.fromkeys([main, *pools(manifest), *(["firewall"] if has_own_firewall else [])]))


def pools(manifest: Any) -> dict[str, Pool]:  # a manifest of any kind
    """Returns the node pools of a manifest by the resources of its stack."""
    spec = manifest.spec
    if hasattr(spec, "node_pool_name"):
        return {"node_pool": Pool("spec", "node_pool", spec.size, spec.node_count)}
    if not hasattr(spec, "default_node_pool"):
        return {}
    default = spec.default_node_pool
    found = [Pool("spec.defaultNodePool", "cluster", default.size, default.node_count)]
    found += [
        Pool(f"spec.additionalNodePools[{index}]", f"node_pool-{pool.name}", pool.size, pool.node_count)
        for index, pool in enumerate(spec.additional_node_pools)
    ]
    return {pool.resource: pool for pool in found}
