"""The machines of pools on the simulated DigitalOcean: creation, deletion, limits.

Scaling up adds nodes at the end, scaling down removes cordoned nodes, then the newest.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from planton_sandbox.clouds.digitalocean import catalogue, records, scopes

# The cloud uses the first addresses of a VPC itself.
FIRST_HOST = 4
_LETTERS = "abcdefghijkmnpqrstuvwxyz3456789"
_PUBLIC_HOSTS = 253


def remaining(pool: records.Pool) -> list[records.Node]:
    """Returns a pool's nodes without those that are being deleted or drained."""
    return [item for item in pool.nodes if item.deleting is None and not item.draining]


def room(scope: scopes.Scope, cluster: records.Cluster) -> int:
    """Returns how many more machines a cluster can have."""
    return max(min(scope.account.droplet_limit - _droplets(scope), len(_free_addresses(scope, cluster.vpc))), 0)


def require(scope: scopes.Scope, vpc: records.Vpc, *, more: int, autoscaled: bool = False) -> None:
    """Refuses a request that exceeds the droplet limit or the addresses of the VPC.

    Args:
        scope: The scope of the request.
        vpc: The VPC of the new machines.
        more: How many machines the request adds.
        autoscaled: Whether ``more`` comes from the maximum of an autoscaled pool, for the message.
    """
    remaining = scope.account.droplet_limit - _droplets(scope)
    if more > remaining:
        prefix = "autoscale desired max nodes exceed limits: " if autoscaled else ""
        raise scopes.invalid(f"validation error: {prefix}{more} additional nodes, but the droplet limit leaves {remaining}")
    if more > len(_free_addresses(scope, vpc.id)):
        raise scopes.invalid(f"validation error: the range {vpc.ip_range} of the VPC has not enough free addresses")


def scale(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, *, count: int) -> None:
    """Scales a pool to ``count`` nodes: adds at the end, or removes cordoned nodes, then the newest."""
    pool.count = count
    for node in sorted(remaining(pool), key=lambda node: node.cordoned)[count:]:
        retire(scope, node)
    fill(scope, cluster, pool, seconds=catalogue.NODE_SECONDS)


def retire(scope: scopes.Scope, node: records.Node) -> None:
    """Begins to delete a node."""
    node.building = None
    node.deleting = scope.pace.timer(scope.now, seconds=catalogue.NODE_DELETE_SECONDS, instant_seconds=0)


def fill(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, *, seconds: float) -> None:
    """Adds the missing nodes of a pool; in realistic latency each is ready after ``seconds``."""
    add(scope, cluster, pool, count=pool.count - len(remaining(pool)), seconds=seconds)


def add(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, *, count: int, seconds: float) -> None:
    """Adds nodes to a pool, created at the scope's time; in realistic latency each is ready after ``seconds``."""
    addresses = _free_addresses(scope, cluster.vpc)
    for index in range(count):
        scope.state.last_droplet += 1
        droplet = scope.state.last_droplet
        pool.nodes.append(
            records.Node(
                id=scopes.new_id(),
                name=_name(pool),
                droplet=droplet,
                version=cluster.version,
                private_ip=addresses[index] if index < len(addresses) else "",
                public_ip=f"203.0.113.{droplet % _PUBLIC_HOSTS + 2}",
                created=scope.now,
                updated=scope.now,
                labels=dict(pool.labels),
                taints=list(pool.taints),
                building=scope.pace.timer(scope.now, seconds=seconds, instant_seconds=0) if seconds else None,
            )
        )


def begin_delete(scope: scopes.Scope, pool: records.Pool) -> None:
    """Begins to delete a pool."""
    if pool.deleting is None:
        pool.deleting = scope.pace.timer(scope.now, seconds=catalogue.NODE_DELETE_SECONDS, instant_seconds=0)


def relabel(pool: records.Pool, labels: dict[str, str]) -> None:
    """Replaces a pool's labels. Its nodes get the new labels and keep the removed ones."""
    pool.labels = labels
    for node in pool.nodes:
        node.labels.update(labels)


def retaint(pool: records.Pool, taints: Sequence[records.Taint]) -> None:
    """Replaces the taints of a pool and its nodes."""
    pool.taints = list(taints)
    for node in pool.nodes:
        node.taints = list(taints)


def _droplets(scope: scopes.Scope) -> int:
    return sum(len(pool.nodes) for cluster in scope.all_clusters() for pool in cluster.pools)


def _free_addresses(scope: scopes.Scope, key: str) -> list[str]:
    vpc = next((item for item in scope.vpcs() if item.id == key), None)
    if vpc is None:
        # An out-of-band change can delete a VPC that a cluster uses.
        return []
    hosts = scopes.network(vpc.ip_range)
    clusters = [item for item in scope.all_clusters() if item.vpc == key]
    taken = {node.private_ip for cluster in clusters for pool in cluster.pools for node in pool.nodes}
    last = min(hosts.num_addresses - 1, FIRST_HOST + len(taken) + scope.account.droplet_limit)
    return [text for text in (str(hosts[index]) for index in range(FIRST_HOST, last)) if text not in taken]


def _name(pool: records.Pool) -> str:
    return f"{pool.name.lower()}-{''.join(secrets.choice(_LETTERS) for _ in range(5))}"
