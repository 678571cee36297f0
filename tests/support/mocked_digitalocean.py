"""DigitalOcean as its modules see it in look-ups: exact names only, and the messages of the plugin for missing resources."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from support.mocked import CLUSTER_ID, NETWORK_ID, FailedCallError

VERSIONS = ("1.34.1-do.0", "1.33.1-do.0", "1.33.0-do.0", "1.32.5-do.0")


@dataclasses.dataclass(frozen=True)
class Cluster:
    """A running cluster.

    Attributes:
        id: Its ID.
        version: Its Kubernetes version.
        ha: Whether its control plane is highly available.
        auto_upgrade: Whether the cloud installs patches.
        allowed: The addresses that its control plane's firewall admits; None if the cloud omits the block.
        closed: Whether that firewall is enabled.
    """

    id: str = CLUSTER_ID
    version: str = "1.33.1-do.0"
    ha: bool = False
    auto_upgrade: bool = False
    allowed: tuple[str, ...] | None = None
    closed: bool = True


@dataclasses.dataclass(frozen=True)
class DigitalOcean:
    """The resources of the mocked cloud that look-ups can return.

    Attributes:
        networks: Name and ID of each network.
        clusters: The clusters by name.
        versions: The Kubernetes versions on offer, the newest first.
        failure: The error of every look-up by name; empty for none.
        own: The name of the stack's cluster in the state; empty for none.
        own_settings: That cluster in the state.
    """

    PROVIDER: ClassVar = "digitalocean"

    networks: tuple[tuple[str, str], ...] = (("net-a", NETWORK_ID),)
    clusters: Mapping[str, Cluster] = dataclasses.field(default_factory=lambda: {"old-cluster": Cluster()})
    versions: tuple[str, ...] = VERSIONS
    failure: str = ""
    own: str = ""
    own_settings: Cluster = dataclasses.field(default_factory=Cluster)

    def look_up(self, token: str, args: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the result of a provider function, or raises its error."""
        if token.endswith("getKubernetesVersions"):
            return {"id": "versions", "validVersions": list(self.versions), "latestVersion": self.versions[0]}
        if self.failure:
            raise FailedCallError(self.failure)
        return self._vpc(args["name"]) if token.endswith("getVpc") else self._cluster(args["name"])

    def _vpc(self, name: str) -> dict[str, Any]:
        ids = [id_ for network, id_ in self.networks if network == name]
        if not ids:
            raise FailedCallError(f"invoking getVpc: Error retrieving VPC: no VPCs found with name {name}")
        if len(ids) > 1:
            detail = f"too many VPCs found with name {name} (found {len(ids)}, expected 1)"
            raise FailedCallError(f"invoking getVpc: Error retrieving VPC: {detail}")
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
        """Returns the properties of the stack's cluster, or None."""
        if not self.own:
            return None
        firewall = None if self.own_settings.allowed is None else {"enabled": self.own_settings.closed}
        facts = {"version": self.own_settings.version, "ha": self.own_settings.ha, "controlPlaneFirewall": firewall}
        return {"id": self.own_settings.id, "name": self.own, **facts}

    def make(self, noun: str, name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Returns the ID of a new resource and the properties that the cloud adds."""
        added: dict[str, Any] = {}
        if noun == "KubernetesCluster":
            added = {
                "endpoint": "https://10.0.0.1",
                "status": "running",
                "nodePool": {**inputs["nodePool"], "actualNodeCount": 1, "nodes": [{"id": "n-1", "name": "default-1"}]},
                "kubeConfigs": [{"rawConfig": "apiVersion: v1\n", "host": "https://10.0.0.1", "token": "t"}],
            }
        elif noun == "KubernetesNodePool":
            nodes = [{"id": f"n-{number}", "name": f"{name}-{number}", "status": "running"} for number in (1, 2)]
            added = {"nodes": nodes, "actualNodeCount": len(nodes)}
        return f"id-of-{name}", added
