"""The subject of checks before an apply: a manifest, its last applied version, and the engine's plan."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

from planton.engine import plans
from planton.modules import unsupported
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from google.protobuf import message

    from planton.manifest import load

#: The fields of pools' specs that let an autoscaler decide the number of nodes.
_AUTOSCALED = ("auto_scale", "autoscaling")
#: The names of the fields of most pools.
_USUAL = kinds.Declaration()
#: Actions that create a new resource.
_NEW = (plans.Action.CREATE, plans.Action.REPLACE)


@dataclasses.dataclass(frozen=True, slots=True)
class Pool:
    """A node pool of a manifest.

    Attributes:
        path: Its field, in the manifest's spelling; ``spec`` for a pool with a manifest of its own.
        resource: The resource of the stack that contains the pool, or is the pool.
        size: Its machine size.
        count: Its number of nodes; for an autoscaled pool, the initial one.
        most: Its largest number of nodes.
        size_field: The field of its size, in proto spelling.
    """

    path: str
    resource: str
    size: str
    count: int
    most: int
    size_field: str = "size"

    @property
    def size_path(self) -> str:
        """The path of its size, in the manifest's spelling."""
        return unsupported.json_path(f"{self.path}.{self.size_field}")


@dataclasses.dataclass(frozen=True)
class Subject:
    """A resource that is about to be applied.

    Attributes:
        entry: The manifest as it was given, with its places.
        target: The manifest with references resolved, and ids in place of names.
        provider: The cloud, e.g. ``civo``.
        region: The region of the resource, in lower case; empty if unset.
        applied: The manifest of the last completed apply, or None.
        applied_id: The cloud's id of the resource of that apply; empty if there is none.
        has_stack: Whether any apply has begun.
        plan: The engine's plan; None if it failed.
        referenced: Path of a reference → the manifest that it refers to, given or applied.
        imports: Resource name → import id of the existing resources that the plan adopts.
    """

    entry: load.Resource
    target: Any
    provider: str
    region: str
    applied: Any
    applied_id: str
    has_stack: bool
    plan: plans.Plan | None
    referenced: Mapping[str, message.Message]
    imports: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @functools.cached_property
    def kind(self) -> kinds.Kind:
        """The kind of the manifest."""
        return kinds.get(self.target.kind)

    @functools.cached_property
    def changes(self) -> dict[str, plans.Change]:
        """The planned changes by resource name. Without a plan and a stack, all resources are created or adopted."""
        if self.plan is not None:
            return {change.name: change for change in self.plan.changes}
        names = () if self.has_stack else _resources(self.target)
        return {
            name: plans.Change("", name, "", plans.Action.IMPORT if name in self.imports else plans.Action.CREATE)
            for name in names
        }

    def is_new(self, resource: str) -> bool:
        """Returns whether a resource of the stack will be created or replaced."""
        if self.plan is None:
            return self.applied is None and resource not in self.imports
        return resource in self.changes and self.changes[resource].action in _NEW

    def is_changed(self, resource: str, value: Callable[[Any], object], properties: Collection[str]) -> bool:
        """Returns whether a value of a resource is new, so that the cloud has not accepted it yet.

        Args:
            resource: The resource of the stack.
            value: Reads the value from a manifest.
            properties: The names of its Pulumi property, without the path to it. They show what an import changes.
        """
        if self.is_new(resource):
            return True
        if self.plan is not None and resource not in self.changes:
            return False
        change = self.changes.get(resource)
        if change is not None and change.action is plans.Action.IMPORT:
            return any(difference.path.rpartition(".")[2] in properties for difference in change.differences)
        return self.applied is None or value(self.applied) != value(self.target)

    @property
    def cluster_id(self) -> str:
        """The id of the node pools' cluster; empty if it does not exist yet."""
        if self.kind.is_node_pool:
            return self.kind.cluster_id(self.target)
        return "" if self.is_new("cluster") else self.imports.get("cluster", self.applied_id)


def _resources(manifest: Any) -> list[str]:  # as below
    spec = manifest.spec
    kind = kinds.get(manifest.kind)
    has_own_firewall = bool(kind.declared.own_firewall) and not spec.HasField("firewall")
    return list(dict.fromkeys([kind.main, *pools(manifest), *(["firewall"] if has_own_firewall else [])]))


def pools(manifest: Any) -> dict[str, Pool]:  # a manifest of any kind
    """Returns the node pools of a manifest by the resources of its stack."""
    spec = manifest.spec
    kind = kinds.get(manifest.kind)
    if kind.is_node_pool:
        return {kind.main: _pool(spec, "spec", kind.main, kind.declared)}
    if not hasattr(spec, "default_node_pool"):
        return {}
    listed = [_pool(spec.default_node_pool, "spec.defaultNodePool", "cluster")]
    listed += [
        _pool(pool, f"spec.additionalNodePools[{index}]", f"node_pool-{pool.name}")
        for index, pool in enumerate(spec.additional_node_pools)
    ]
    return {pool.resource: pool for pool in listed}


def autoscaling(manifest: Any) -> list[str]:  # a manifest of any kind
    """Returns the fields of a manifest's spec that let an autoscaler decide the number of nodes; none if it is fixed."""
    return [field.name for field, value in manifest.spec.ListFields() if field.name in _AUTOSCALED and value]


def _pool(
    described: Any, path: str, resource: str, declared: kinds.Declaration = _USUAL
) -> Pool:  # a message with the fields of a pool
    size = getattr(described, declared.size_field)
    if declared.counts is not None:
        return Pool(path, resource, size, *declared.counts(described), declared.size_field)
    # The default pools of some clouds cannot be autoscaled.
    is_scaled = getattr(described, "auto_scale", False)
    most = described.max_nodes if is_scaled else described.node_count
    return Pool(path, resource, size, described.node_count, most)
