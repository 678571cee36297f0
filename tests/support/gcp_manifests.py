"""Manifests of a cluster and node pools at Google Cloud, in the environment ``dev``."""

from __future__ import annotations

from typing import Any

from support import planton

PROJECT = "sandbox-project"
REGION = "us-central1"
ZONES = ["us-central1-a", "us-central1-b"]
_PLACE = f"projects/{PROJECT}"


def cluster(**spec: Any) -> dict[str, Any]:
    """Returns the manifest of a cluster with nodes in two zones."""
    defaults = {
        "projectId": {"value": PROJECT},
        "clusterName": "dev",
        "location": REGION,
        "nodeZones": ZONES,
        "networkSelfLink": {"value": f"{_PLACE}/global/networks/default"},
        "subnetworkSelfLink": {"value": f"{_PLACE}/regions/{REGION}/subnetworks/default"},
        "clusterSecondaryRangeName": {"value": "pods"},
        "servicesSecondaryRangeName": {"value": "services"},
        "masterIpv4CidrBlock": "172.16.0.0/28",
        "releaseChannel": "REGULAR",
        "kubernetesVersion": "1.33.11-gke.1088000",
        "masterAuthorizedNetworks": ["127.0.0.0/8"],
    }
    return planton.manifest("GcpGkeCluster", "dev", **(defaults | spec))


def pool(name: str = "workers", **spec: Any) -> dict[str, Any]:
    """Returns the manifest of a node pool of the cluster, with one node in each zone unless ``spec`` has another size."""
    place = {field: {"valueFrom": {"name": "dev"}} for field in ("clusterProjectId", "clusterName", "clusterLocation")}
    size = {} if {"autoscaling", "totalNodeCount"} & set(spec) else {"nodeCount": 1}
    return planton.manifest("GcpGkeNodePool", name, **{"nodePoolName": name, **place, **size, **spec})
