"""The two kinds of resources, cluster and node pool: their differences as data."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Final, NamedTuple

from org.project_planton.nodepool.v1 import platform_pb2
from org.project_planton.shared.options import options_pb2
from planton_server.store import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa
    from google.protobuf import descriptor


class Kind(NamedTuple):
    """A kind of resource.

    Attributes:
        name: The name in errors and events.
        noun: The name in types of events and in names of ids.
        plural: The name of lists, and in paths.
        field: The field of requests and responses that holds a resource.
        table: The table of the resources.
        replaced_by: Cloud → the fields of its object that it cannot change in an existing pool.
    """

    name: str
    noun: str
    plural: str
    field: str
    table: sa.Table
    replaced_by: Mapping[str, frozenset[str]] = types.MappingProxyType({})


def _replacing(described: descriptor.Descriptor) -> frozenset[str]:
    """Returns the fields of a cloud's object that its cloud cannot change in an existing pool, as the contract declares them."""
    return frozenset(field.json_name for field in described.fields if field.GetOptions().Extensions[options_pb2.replaces_pool])


_PLATFORMS: Final = platform_pb2.NodePoolPlatform.DESCRIPTOR.fields
#: Fields that name a machine size.
SIZES: Final = frozenset({"machineType", "instanceType", "vmSize", "size"})
CLUSTER: Final = Kind("Cluster", "cluster", "clusters", "cluster", tables.CLUSTERS)
NODE_POOL: Final = Kind(
    "NodePool",
    "nodepool",
    "nodepools",
    "node_pool",
    tables.NODE_POOLS,
    types.MappingProxyType({each.name: _replacing(each.message_type) for each in _PLATFORMS if each.message_type}),
)


def of(rpc: str) -> Kind:
    """Returns the kind of a method such as ``ListNodePools``."""
    return NODE_POOL if "NodePool" in rpc else CLUSTER
