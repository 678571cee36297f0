"""The two kinds of resources, cluster and node pool: their differences as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from planton_server.store import tables

if TYPE_CHECKING:
    import sqlalchemy as sa


class Kind(NamedTuple):
    """A kind of resource.

    Attributes:
        name: The name in errors and events.
        noun: The name in types of events and in names of ids.
        plural: The name of lists, and in paths.
        field: The field of requests and responses that holds a resource.
        table: The table of the resources.
        replaced_by: The fields of a cloud's object that no cloud can change in place.
    """

    name: str
    noun: str
    plural: str
    field: str
    table: sa.Table
    replaced_by: frozenset[str] = frozenset()


#: Fields that name a machine size.
SIZES: Final = frozenset({"machineType", "instanceType", "vmSize", "size"})
CLUSTER: Final = Kind("Cluster", "cluster", "clusters", "cluster", tables.CLUSTERS)
NODE_POOL: Final = Kind(
    "NodePool",
    "nodepool",
    "nodepools",
    "node_pool",
    tables.NODE_POOLS,
    frozenset(
        {
            "machineType", "instanceType", "vmSize", "size", "diskSize", "diskType", "volumeSize", "volumeType", "osDiskSizeGB",
            "osDiskType", "zones", "availabilityZones", "preemptible", "spot", "spotInstances", "accelerators", "userData",
        }
    ),
)  # fmt: skip


def of(rpc: str) -> Kind:
    """Returns the kind of a method such as ``ListNodePools``."""
    return NODE_POOL if "NodePool" in rpc else CLUSTER
