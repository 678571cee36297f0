"""Imports: the cloud resource that an id identifies, and the resources imported with it. Read-only."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.schema import kinds, providers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from planton import clouds

_POOL = "node_pool"
#: The names and ids of pools.
_POOL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclasses.dataclass(frozen=True, slots=True)
class Adoption:
    """The resources that an import adopts into a stack.

    Attributes:
        imports: Name of the resource in the stack → import id.
        notes: Notes for the user before consent, one sentence each.
    """

    imports: Mapping[str, str]
    notes: tuple[str, ...] = ()


def prepare(
    cloud: clouds.Cloud,
    target: Any,  # a manifest of any kind, references resolved
    resource: str,
    import_id: str,
    *,
    cluster_id: Callable[[], str],
) -> Adoption:
    """Returns the resources that an import adopts into the stack of a manifest.

    A cluster is imported with its existing additional pools, and with the firewall that the module would create for it, if the
    cluster uses that firewall.

    Args:
        cloud: The cloud of the resource.
        target: The manifest.
        resource: The main resource of its stack, e.g. ``cluster``.
        import_id: The id from the user; of a pool ``CLUSTER:POOL``, or the pool's id or name.
        cluster_id: Returns the id of the cluster that the manifest of a pool names.

    Raises:
        PlantonError: ``NOT_FOUND``: there is no such resource; the cloud could not be asked.
    """
    if resource == _POOL:
        return Adoption({resource: _pool(cloud, import_id, cluster_id)})
    _require(cloud, resource, import_id)
    if resource != "cluster":
        return Adoption({resource: import_id})
    pools = {
        f"{_POOL}-{pool.name}": _find(cloud, _POOL, pool.name, import_id)
        for pool in getattr(target.spec, "additional_node_pools", ())
    }
    imports = {resource: import_id, **{name: id_ for name, id_ in pools.items() if id_}}
    if not kinds.get(target.kind).declared.own_firewall:
        note = _opening(cloud, target, import_id)
        return Adoption(imports, (note,) if note else ())
    if target.spec.HasField("firewall"):
        return Adoption(imports)
    firewall, note = _firewall(cloud, target, import_id)
    return Adoption(imports | ({"firewall": firewall} if firewall else {}), (note,) if note else ())


def _require(cloud: clouds.Cloud, resource: str, import_id: str) -> None:
    # The plugin imports a network with any id, and fails when it updates a network that does not exist.
    if _is_id(cloud, resource, import_id) and cloud.exists(_type(cloud, resource), import_id):
        return
    own = _find(cloud, resource, import_id) if import_id else None
    hint = f"the {resource} {import_id!r} has the id {own}: use that id" if own else _other(cloud, resource, import_id)
    names = ", ".join(cloud.names(resource)) or "none"
    raise _missing(f"no {resource} has the id {import_id!r} in {cloud.where}; {resource}s there: {names}", hint)


def _other(cloud: clouds.Cloud, resource: str, import_id: str) -> str:
    types = kinds.resource_types(cloud.PROVIDER)
    other_types = [name for name in types if name not in (resource, _POOL)] if _is_id(cloud, resource, import_id) else []
    other = next((name for name in other_types if cloud.exists(types[name], import_id)), "")
    return f"this is the id of a {other}; use the id of a {resource}" if other else ""


def _pool(cloud: clouds.Cloud, import_id: str, cluster_id: Callable[[], str]) -> str:
    type_ = _type(cloud, _POOL)
    kind = kinds.of_type(type_)
    if kind is not None and kind.declared.id_pattern and kind.is_id(import_id) and cloud.exists(type_, import_id):
        return import_id
    cluster, colon, pool = import_id.rpartition(":")
    if not _POOL_NAME.fullmatch(pool) or (colon and not _is_id(cloud, "cluster", cluster)):
        raise _missing(f"{import_id!r} is no id of a node pool", "write CLUSTER-ID:POOL, or the pool's id or name alone")
    cluster = cluster or cluster_id()
    id_ = cloud.pool_import_id(cluster, pool)
    own = id_.rpartition(":")[2]
    has_named_id = kind is not None and kind.declared.is_imported_by_cluster
    if (has_named_id or _is_id(cloud, _POOL, own)) and cloud.exists(type_, own, cluster):
        return id_
    raise _missing(f"no node pool has the id or name {pool!r} in cluster {cluster} in {cloud.where}")


def _is_id(cloud: clouds.Cloud, resource: str, text: str) -> bool:
    kind = kinds.of_type(_type(cloud, resource))
    return kind is not None and kind.is_id(text)


def _find(cloud: clouds.Cloud, resource: str, name: str, cluster: str = "") -> str | None:
    return cloud.find(_type(cloud, resource), name, cluster)


def _type(cloud: clouds.Cloud, resource: str) -> str:
    return kinds.resource_types(cloud.PROVIDER)[resource]


def _firewall(cloud: clouds.Cloud, target: Any, cluster_id: str) -> tuple[str, str]:  # the manifest of a cluster
    """Returns the id of the firewall to import with a cluster, or an empty text, and a note for the user."""
    kind = kinds.get(target.kind)
    own = kind.declared.own_firewall.format(kind.cloud_name(target))
    cluster = next((entry for entry in cloud.listed("cluster") if entry.id == cluster_id), None)
    used = next((entry for entry in cloud.listed("firewall") if cluster is not None and entry.id == cluster.firewall), None)
    if cluster is None or used is None:
        return "", ""
    names = [entry.name for entry in cloud.listed("network") if entry.id == used.network]
    is_same_network = used.network == cluster.network and target.spec.network.value in (used.network, *names)
    if used.name == own and is_same_network:
        return used.id, f"the firewall {own} ({used.id}) comes with the cluster"
    return "", (
        f"the cluster uses the firewall {used.name} ({used.id}), which stays in the cloud; "
        f"the cluster changes to a new firewall {own} with the rules of the manifest; "
        "to keep the old one, name it in spec.firewall"
    )


def _opening(cloud: clouds.Cloud, target: Any, cluster_id: str) -> str:  # the manifest of a cluster
    """Returns the note that an import opens the API server of a cluster to every network; empty if it does not."""
    name = providers.get(cloud.PROVIDER).api_access_field
    field = next((each for each in target.spec.DESCRIPTOR.fields if each.json_name == name), None)
    if field is None or getattr(target.spec, field.name):
        return ""
    rule = cloud.api_server_rule(cluster_id)
    return rule and (
        f"the import opens the API server to anywhere, because the manifest has no {name}; until now {rule}; "
        f"to keep that, list the networks in spec.{name}"
    )


def _missing(text: str, hint: str = "") -> errors.PlantonError:
    return errors.not_found(
        text,
        hint=hint or "correct the id, or the region or the account of the manifest",
    )
