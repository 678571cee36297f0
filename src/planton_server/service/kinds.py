"""The two kinds of resources, as data: what differs between a cluster and a node pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from planton_server.store import tables

if TYPE_CHECKING:
    import sqlalchemy as sa


class Kind(NamedTuple):
    """A kind of resource.

    Attributes:
        name: As errors and events say it.
        noun: As types of events and ids in answers say it.
        plural: As lists and paths say it.
        field: Of a request or response, where one of them is.
        table: Where they are.
        replaced_by: Fields below the cloud's own object that no cloud can change in place.
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
    """Returns the kind that a method such as ``ListNodePools`` is about."""
    return NODE_POOL if "NodePool" in rpc else CLUSTER
