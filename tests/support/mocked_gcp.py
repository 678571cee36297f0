"""Google Cloud as its modules see it in look-ups: clusters by name, and the message of the plugin for a missing one."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

import pulumi

from support.mocked import FailedCallError

#: The zones of a cluster in a region.
ZONES = ("europe-west1-b", "europe-west1-c", "europe-west1-d")


@dataclasses.dataclass(frozen=True)
class Gcp:
    """The resources of the mocked cloud that look-ups can return.

    Attributes:
        clusters: The zones of each cluster, by its name.
        pools: The zones of each node pool, by its name.
        networks: The authorized networks of the clusters; None if every network may reach them.
        workload_pool: The pool of identities of the clusters; empty for none.
        drain: The drain timeout of the node pools; empty for the usual one.
        failure: The error of every look-up by name; empty for none.
    """

    PROVIDER: ClassVar = "gcp"

    clusters: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=lambda: {"dev": ZONES})
    pools: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    networks: tuple[str, ...] | None = None
    workload_pool: str = ""
    drain: str = ""
    failure: str = ""

    def look_up(self, _token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the result of a provider function, or raises its error."""
        if self.failure:
            raise FailedCallError(self.failure)
        zones = self.clusters.get(args["name"])
        if zones is None:
            place = f"projects/{args['project']}/locations/{args['location']}/clusters/{args['name']}"
            raise FailedCallError(f"invoking gcp:container/getCluster:getCluster: {place} not found")
        drains = [{"pdbTimeoutDuration": self.drain}] if self.drain else []
        pools = [{"name": name, "nodeLocations": list(own), "nodeDrainConfigs": drains} for name, own in self.pools.items()]
        return {
            **dict.fromkeys(("id", "name"), args["name"]),
            "nodeLocations": list(zones),
            "nodePools": pools,
            "masterAuthorizedNetworksConfigs": []
            if self.networks is None
            else [{"cidrBlocks": [{"cidrBlock": each} for each in self.networks]}],
            "workloadIdentityConfigs": [{"workloadPool": self.workload_pool}] if self.workload_pool else [],
        }

    def own_cluster(self) -> dict[str, Any] | None:
        """Returns None: no module reads the stack's own cluster."""
        return None

    def make(self, noun: str, name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Returns the ID of a new resource and the properties that the cloud adds."""
        added: dict[str, Any] = {}
        if noun == "Cluster":
            added = {
                "endpoint": "10.0.0.1",
                "masterVersion": "1.33.4-gke.1172000",
                # The plugin marks the key as secret, even an empty one.
                "masterAuth": {"clusterCaCertificate": "Y2E=", "clientKey": pulumi.Output.secret("")},
            }
        elif noun == "NodePool":
            zones = inputs.get("nodeLocations") or ZONES
            urls = [f"https://www.googleapis.com/compute/v1/projects/p/zones/{zone}/instanceGroupManagers/g" for zone in zones]
            added = {"instanceGroupUrls": urls, "version": "1.33.4-gke.1172000", "nodeCount": inputs.get("nodeCount", 1)}
        return f"id-of-{name}", added
