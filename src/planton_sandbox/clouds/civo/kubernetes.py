"""The clusters of the simulated Civo, for the Kubernetes API.

Translates pools and machines into nodes that do not depend on the cloud.
"""

from __future__ import annotations

from planton_sandbox.clouds.civo import catalogue, records
from planton_sandbox.kubernetes import nodes

PREFIX = "kubernetes.civo.com"
STORAGE = nodes.Storage("civo-volume", "csi.civo.com")
OS_IMAGES = {"k3s": "Alpine Linux v3.19", "talos": "Talos"}


def cluster(item: records.Cluster, *, open_: bool) -> nodes.Cluster:
    """Returns a cluster for the Kubernetes API; ``open_`` is whether the API can be reached."""
    return nodes.Cluster(
        id=item.id,
        name=item.name,
        port=item.port,
        open=open_,
        credentials=item.credentials,
        tokens=(item.credentials.token,),
        version=_kubelet(item.version),
        created=item.created,
        storage=STORAGE,
        nodes=tuple(_node(item, pool, node) for pool in item.pools for node in pool.nodes),
    )


def _node(item: records.Cluster, pool: records.Pool, node: records.Node) -> nodes.Node:
    size = catalogue.size(node.size)
    own = {
        f"{PREFIX}/civo-node-pool": pool.id,
        f"{PREFIX}/node-pool": pool.id,
        f"{PREFIX}/node-size": node.size,
        "topology.kubernetes.io/region": item.region,
    }
    is_leaving = bool(node.deleting or pool.deleting or item.deleting)
    return nodes.Node(
        uid=node.id,
        name=node.hostname,
        labels=node.labels | own,
        taints=tuple(nodes.Taint(taint.key, taint.value, taint.effect) for taint in node.taints),
        ready=node.ready and node.building is None,
        leaving=is_leaving,
        created=node.created,
        size=node.size,
        cpu=size.cpu if size else 1,
        memory_mb=size.memory if size else 1024,
        disk_gb=size.disk if size else 10,
        gpus=size.gpus if size else 0,
        internal_ip=node.private_ip,
        external_ip=node.public_ip if pool.public_ip else "",
        version=_kubelet(node.version),
        os_image=OS_IMAGES[item.kind],
        runtime="containerd://1.7.21-k3s2" if item.kind == "k3s" else "containerd://1.7.2",
        provider_id=f"civo://{node.id}",
        pool=pool.id,
        unreachable=node.unreachable,
    )


def _kubelet(version: str) -> str:
    offered = catalogue.version(version)
    return offered.kubernetes if offered else "v0.0.0"
