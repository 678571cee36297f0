"""Manifests of a network, a cluster and node pools at DigitalOcean, in the environment ``dev``."""

from __future__ import annotations

from typing import Any

from support import planton


def network(**spec: Any) -> dict[str, Any]:
    """Returns the manifest of a network."""
    return planton.manifest("DigitalOceanVpc", "net", **({"region": "fra1", "ipRangeCidr": "10.20.0.0/20"} | spec))


def cluster(**spec: Any) -> dict[str, Any]:
    """Returns the manifest of a cluster in the network."""
    defaults = {
        "clusterName": "dev",
        "region": "fra1",
        "kubernetesVersion": "1.33.1-do.0",
        "vpc": {"valueFrom": {"name": "net"}},
        "controlPlaneFirewallAllowedIps": ["127.0.0.1/32"],
        "maintenanceWindow": "sunday=02:00",
        "defaultNodePool": {"size": "s-1vcpu-2gb", "nodeCount": 1},
    }
    return planton.manifest("DigitalOceanKubernetesCluster", "dev", **(defaults | spec))


def pool(name: str = "workers", **spec: Any) -> dict[str, Any]:
    """Returns the manifest of a node pool of the cluster."""
    defaults = {"nodePoolName": name, "cluster": {"valueFrom": {"name": "dev"}}, "size": "s-2vcpu-4gb", "nodeCount": 3}
    return planton.manifest("DigitalOceanKubernetesNodePool", name, **(defaults | spec))
