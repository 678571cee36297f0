"""The clusters of the simulated GKE, for the Kubernetes API.

Translates pools and machines into nodes that do not depend on the cloud.
"""

from __future__ import annotations

import ipaddress

from planton_sandbox.clouds.gcp import catalogue, operations, records, tokens, versions, views
from planton_sandbox.kubernetes import nodes

PREFIX = "cloud.google.com"
STORAGE = nodes.Storage("standard-rwo", "pd.csi.storage.gke.io")
_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "PREFER_NO_SCHEDULE": "PreferNoSchedule", "NO_EXECUTE": "NoExecute"}


def cluster(state: records.State, item: records.Cluster, *, client: str, now: float) -> nodes.Cluster:
    """Returns a cluster for the Kubernetes API, as it is open to a client with this address."""
    owner = next(project for project in state.projects if project.id == item.project)
    status = views.cluster_status(state, item)
    return nodes.Cluster(
        id=item.id,
        name=item.name,
        port=item.port,
        open=status not in ("PROVISIONING", "STOPPING", "ERROR") and _admits(item, client),
        credentials=item.credentials,
        tokens=tokens.valid(state, owner.account, now=now),
        version=versions.kubelet(item.version),
        created=item.created,
        storage=STORAGE,
        nodes=tuple(_node(state, item, pool, node) for pool in item.pools for node in pool.nodes),
    )


def _admits(item: records.Cluster, client: str) -> bool:
    """Returns whether the authorized networks of a control plane let a client in."""
    settings = item.settings.get("masterAuthorizedNetworksConfig") or {}
    if not settings.get("enabled"):
        return True
    blocks = [block.get("cidrBlock", "") for block in settings.get("cidrBlocks") or []]
    return any(ipaddress.ip_address(client) in ipaddress.ip_network(block, strict=False) for block in blocks)


def _labels(item: records.Cluster, pool: records.Pool, node: records.Node) -> dict[str, str]:
    region = catalogue.region_of(item.location)
    machine = catalogue.machine(node.machine)
    spot, preemptible = pool.config.get("spot"), pool.config.get("preemptible")
    labels = {
        f"{PREFIX}/gke-nodepool": pool.name,
        f"{PREFIX}/gke-os-distribution": "ubuntu" if pool.config["imageType"].startswith("UBUNTU") else "cos",
        f"{PREFIX}/gke-container-runtime": "containerd",
        f"{PREFIX}/gke-boot-disk": pool.config["diskType"],
        f"{PREFIX}/gke-provisioning": "spot" if spot else "preemptible" if preemptible else "standard",
        f"{PREFIX}/machine-family": machine.family if machine else "",
        "topology.kubernetes.io/region": region,
        "topology.kubernetes.io/zone": node.zone,
        "failure-domain.beta.kubernetes.io/region": region,
        "failure-domain.beta.kubernetes.io/zone": node.zone,
        "topology.gke.io/zone": node.zone,
    }
    if spot:
        labels[f"{PREFIX}/gke-spot"] = "true"
    if preemptible:
        labels[f"{PREFIX}/gke-preemptible"] = "true"
    kinds = [each["acceleratorType"] for each in pool.config.get("accelerators") or []]
    if machine and machine.gpu:
        kinds = [machine.gpu]
    if kinds:
        labels[f"{PREFIX}/gke-accelerator"] = kinds[0]
    return labels


def _gpus(pool: records.Pool, node: records.Node) -> int:
    machine = catalogue.machine(node.machine)
    attached = sum(int(each["acceleratorCount"]) for each in pool.config.get("accelerators") or [])
    return machine.gpus if machine and machine.gpus else attached


def _node(state: records.State, item: records.Cluster, pool: records.Pool, node: records.Node) -> nodes.Node:
    machine = catalogue.machine(node.machine)
    deleted = any(operation.kind == records.DELETE_POOL for operation in operations.running(state, item, pool=pool.name))
    return nodes.Node(
        uid=f"{item.id[:8]}-0000-4000-8000-{int(node.id) % 16**12:012x}",
        name=node.name,
        labels=node.labels | _labels(item, pool, node),
        taints=tuple(nodes.Taint(each["key"], each["value"], _EFFECTS[each["effect"]]) for each in node.taints),
        ready=node.ready and node.building is None,
        leaving=bool(node.deleting or node.draining or deleted),
        created=node.created,
        size=node.machine,
        cpu=machine.cpu if machine else 1,
        memory_mb=machine.memory if machine else 1024,
        disk_gb=node.disk,
        gpus=_gpus(pool, node),
        internal_ip=node.private_ip,
        external_ip=node.public_ip,
        version=versions.kubelet(node.version),
        os_image="Container-Optimized OS from Google",
        runtime="containerd://2.1.5",
        provider_id=f"gce://{item.project}/{node.zone}/{node.name}",
        pool=pool.name,
        unreachable=node.unreachable,
    )
