"""The clusters of the simulated DigitalOcean, for the Kubernetes API.

Translates pools and machines into nodes that do not depend on the cloud.
"""

from __future__ import annotations

from planton_sandbox.clouds.digitalocean import access, catalogue, records
from planton_sandbox.kubernetes import nodes

PREFIX = "doks.digitalocean.com"
STORAGE = nodes.Storage("do-block-storage", "dobs.csi.digitalocean.com")


def cluster(item: records.Cluster, *, open_: bool, now: float) -> nodes.Cluster:
    """Returns a cluster for the Kubernetes API; ``open_`` is whether the API can be reached."""
    return nodes.Cluster(
        id=item.id,
        name=item.name,
        port=item.port,
        open=open_,
        credentials=item.credentials,
        tokens=access.valid(item, now=now),
        version=_kubelet(item.version),
        created=item.created,
        storage=STORAGE,
        nodes=tuple(_node(item, pool, node) for pool in item.pools for node in pool.nodes),
    )


def _node(item: records.Cluster, pool: records.Pool, node: records.Node) -> nodes.Node:
    size = catalogue.size(pool.size)
    gpus = size.gpus if size else 0
    own = {
        f"{PREFIX}/managed": "true",
        f"{PREFIX}/node-id": node.id,
        f"{PREFIX}/node-pool": pool.name,
        f"{PREFIX}/node-pool-id": pool.id,
        f"{PREFIX}/version": node.version,
        "region": item.region,
        "topology.kubernetes.io/region": item.region,
        "failure-domain.beta.kubernetes.io/region": item.region,
    }
    taints = [nodes.Taint(taint.key, taint.value, taint.effect) for taint in node.taints]
    if gpus:
        # The cloud itself adds this taint to nodes with a GPU.
        taints.append(nodes.Taint("nvidia.com/gpu", "", "NoSchedule"))
    return nodes.Node(
        uid=node.id,
        name=node.name,
        labels=node.labels | own,
        taints=tuple(taints),
        ready=node.ready and node.building is None,
        leaving=bool(node.deleting or node.draining or pool.deleting),
        created=node.created,
        size=pool.size,
        cpu=size.cpu if size else 1,
        memory_mb=size.memory if size else 1024,
        disk_gb=size.disk if size else 10,
        gpus=gpus,
        internal_ip=node.private_ip,
        external_ip=node.public_ip,
        version=_kubelet(node.version),
        os_image="Debian GNU/Linux 12 (bookworm)",
        runtime="containerd://1.7.27",
        provider_id=f"digitalocean://{node.droplet}",
        pool=pool.name,
        unreachable=node.unreachable,
    )


def _kubelet(version: str) -> str:
    return f"v{version.partition('-')[0]}"
