"""DigitalOcean as the look-ups of its modules see it: exact names only, and the plugin's own words for what is not there."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from support.mocked import CLUSTER_ID, NETWORK_ID, FailedCallError

VERSIONS = ("1.34.1-do.0", "1.33.1-do.0", "1.33.0-do.0", "1.32.5-do.0")


@dataclasses.dataclass(frozen=True)
class Cluster:
    """A cluster that runs.

    Attributes:
        id: Its id.
        version: What it runs.
        ha: Whether its control plane is highly available.
        auto_upgrade: Whether the cloud installs patches.
        allowed: Whom its control plane's firewall lets in; None where the cloud leaves the block out.
        closed: Whether that firewall is on.
    """

    id: str = CLUSTER_ID
    version: str = "1.33.1-do.0"
    ha: bool = False
    auto_upgrade: bool = False
    allowed: tuple[str, ...] | None = None
    closed: bool = True


@dataclasses.dataclass(frozen=True)
class DigitalOcean:
    """What the mocked cloud has, as far as look-ups see it.

    Attributes:
        networks: Name and id of each.
        clusters: By name.
        versions: The Kubernetes versions on offer, the newest first.
        failure: What every look-up by name fails with, or empty.
        own: The name that the stack's cluster has in the state; empty where it has none.
        known: That cluster as the state has it.
    """

    PROVIDER: ClassVar = "digitalocean"

    networks: tuple[tuple[str, str], ...] = (("net-a", NETWORK_ID),)
    clusters: Mapping[str, Cluster] = dataclasses.field(default_factory=lambda: {"old-cluster": Cluster()})
    versions: tuple[str, ...] = VERSIONS
    failure: str = ""
    own: str = ""
    known: Cluster = dataclasses.field(default_factory=Cluster)

    def look_up(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """Answers a provider function; raises as a failed one does."""
        if token.endswith("getKubernetesVersions"):
            return {"id": "versions", "validVersions": list(self.versions), "latestVersion": self.versions[0]}
        if self.failure:
            raise FailedCallError(self.failure)
        return self._vpc(args["name"]) if token.endswith("getVpc") else self._cluster(args["name"])

    def _vpc(self, name: str) -> dict[str, Any]:
        ids = [id_ for known, id_ in self.networks if known == name]
        if not ids:
            raise FailedCallError(f"invoking getVpc: Error retrieving VPC: no VPCs found with name {name}")
        if len(ids) > 1:
            found = f"too many VPCs found with name {name} (found {len(ids)}, expected 1)"
            raise FailedCallError(f"invoking getVpc: Error retrieving VPC: {found}")
        return {"id": ids[0], "name": name, "region": "fra1", "default": False, "ipRange": "10.10.0.0/20"}

    def _cluster(self, name: str) -> dict[str, Any]:
        cluster = self.clusters.get(name)
        if cluster is None:
            raise FailedCallError(f"invoking getKubernetesCluster: Unable to find cluster with name: {name}")
        firewall = {"enabled": cluster.closed, "allowedAddresses": list(cluster.allowed or ())}
        return {
            "id": cluster.id,
            "name": name,
            "version": cluster.version,
            "ha": cluster.ha,
            "autoUpgrade": cluster.auto_upgrade,
            "controlPlaneFirewalls": [] if cluster.allowed is None else [firewall],
        }

    def own_cluster(self) -> dict[str, Any] | None:
        """Returns the properties of the cluster that the stack has, if it has one."""
        if not self.own:
            return None
        firewall = None if self.known.allowed is None else {"enabled": self.known.closed}
        facts = {"version": self.known.version, "ha": self.known.ha, "controlPlaneFirewall": firewall}
        return {"id": self.known.id, "name": self.own, **facts}

    def make(self, noun: str, name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Returns the id of a new resource and what the cloud adds to its arguments."""
        added: dict[str, Any] = {}
        if noun == "KubernetesCluster":
            added = {
                "endpoint": "https://10.0.0.1",
                "status": "running",
                "kubeConfigs": [{"rawConfig": "apiVersion: v1\n", "host": "https://10.0.0.1", "token": "t"}],
            }
        elif noun == "KubernetesNodePool":
            nodes = [{"id": f"n-{number}", "name": f"{name}-{number}", "status": "running"} for number in (1, 2)]
            added = {"nodes": nodes, "actualNodeCount": len(nodes)}
        return f"id-of-{name}", added
