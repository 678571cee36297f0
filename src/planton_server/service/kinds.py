"""The two kinds of resources, cluster and node pool: their differences as data."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Final, NamedTuple

from planton_server.store import tables

if TYPE_CHECKING:
    from collections.abc import Mapping

    import sqlalchemy as sa


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


#: Fields that name a machine size.
SIZES: Final = frozenset({"machineType", "instanceType", "vmSize", "size"})
CLUSTER: Final = Kind("Cluster", "cluster", "clusters", "cluster", tables.CLUSTERS)
NODE_POOL: Final = Kind(
    "NodePool",
    "nodepool",
    "nodepools",
    "node_pool",
    tables.NODE_POOLS,
    types.MappingProxyType(
        {
            "gcp": frozenset({"preemptible", "spot", "accelerators"}),
            "aws": frozenset({"availabilityZones", "spotInstances"}),
            "azure": frozenset({"vmSize", "osDiskSizeGB", "osDiskType", "availabilityZones", "spotInstances"}),
            "civo": frozenset({"size"}),
            "digitalocean": frozenset({"size"}),
        }
    ),
)


def of(rpc: str) -> Kind:
    """Returns the kind of a method such as ``ListNodePools``."""
    return NODE_POOL if "NodePool" in rpc else CLUSTER
