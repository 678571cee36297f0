"""The machines of pools on the simulated DigitalOcean: how they come, go and are limited.

Scaling keeps the nodes that survive: new ones are added at the end, and the
newest go first.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from planton_sandbox.clouds.digitalocean import catalogue, records, scopes

# The first addresses of a VPC are the cloud's own.
FIRST_HOST = 4
_LETTERS = "abcdefghijkmnpqrstuvwxyz3456789"
_PUBLIC_HOSTS = 253


def staying(pool: records.Pool) -> list[records.Node]:
    """Return a pool's nodes without those that are going."""
    return [item for item in pool.nodes if item.deleting is None and not item.draining]


def room(scope: scopes.Scope, cluster: records.Cluster) -> int:
    """Return how many more machines a cluster can have."""
    return max(min(scope.account.droplet_limit - _droplets(scope), len(_free_addresses(scope, cluster.vpc))), 0)


def require(scope: scopes.Scope, vpc: records.Vpc, *, more: int, autoscaled: bool = False) -> None:
    """Refuse when the account cannot have so many more machines.

    Args:
        scope: Whose request it is.
        vpc: Where they would be.
        more: How many.
        autoscaled: Say so in the refusal: it is about the most nodes, not the present ones.
    """
    left = scope.account.droplet_limit - _droplets(scope)
    if more > left:
        what = "autoscale desired max nodes exceed limits: " if autoscaled else ""
        raise scopes.invalid(f"validation error: {what}{more} additional nodes, but the droplet limit leaves {left}")
    if more > len(_free_addresses(scope, vpc.id)):
        raise scopes.invalid(f"validation error: the range {vpc.ip_range} of the VPC has not enough free addresses")


def scale(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, *, count: int) -> None:
    """Bring a pool to ``count`` nodes, adding at the end or removing the newest."""
    pool.count = count
    for node in staying(pool)[count:]:
        retire(scope, node)
    fill(scope, cluster, pool, seconds=catalogue.NODE_SECONDS)


def retire(scope: scopes.Scope, node: records.Node) -> None:
    """Begin to delete a node."""
    node.building = None
    node.deleting = scope.pace.timer(scope.now, seconds=catalogue.NODE_DELETE_SECONDS, patience=0)


def fill(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, *, seconds: float) -> None:
    """Add the nodes that a pool lacks, each ready after ``seconds`` in realistic latency."""
    add(scope, cluster, pool, count=pool.count - len(staying(pool)), seconds=seconds)


def add(scope: scopes.Scope, cluster: records.Cluster, pool: records.Pool, *, count: int, seconds: float) -> None:
    """Adds nodes to a pool, created at the scope's moment and ready after ``seconds`` in realistic latency."""
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
                building=scope.pace.timer(scope.now, seconds=seconds, patience=0) if seconds else None,
            )
        )


def begin_delete(scope: scopes.Scope, pool: records.Pool) -> None:
    """Begin to delete a pool."""
    if pool.deleting is None:
        pool.deleting = scope.pace.timer(scope.now, seconds=catalogue.NODE_DELETE_SECONDS, patience=0)


def relabel(pool: records.Pool, labels: dict[str, str]) -> None:
    """Give a pool these labels; its nodes get them too, and keep those that it loses."""
    pool.labels = labels
    for node in pool.nodes:
        node.labels.update(labels)


def retaint(pool: records.Pool, taints: Sequence[records.Taint]) -> None:
    """Give a pool and its nodes these taints instead of the former ones."""
    pool.taints = list(taints)
    for node in pool.nodes:
        node.taints = list(taints)


def _droplets(scope: scopes.Scope) -> int:
    return sum(len(pool.nodes) for cluster in scope.standing() for pool in cluster.pools)


def _free_addresses(scope: scopes.Scope, key: str) -> list[str]:
    vpc = next((item for item in scope.vpcs() if item.id == key), None)
    if vpc is None:
        # The outside world can take a VPC away from under a cluster.
        return []
    hosts = scopes.network(vpc.ip_range)
    clusters = [item for item in scope.standing() if item.vpc == key]
    taken = {node.private_ip for cluster in clusters for pool in cluster.pools for node in pool.nodes}
    last = min(hosts.num_addresses - 1, FIRST_HOST + len(taken) + scope.account.droplet_limit)
    return [text for text in (str(hosts[index]) for index in range(FIRST_HOST, last)) if text not in taken]


def _name(pool: records.Pool) -> str:
    return f"{pool.name.lower()}-{''.join(secrets.choice(_LETTERS) for _ in range(5))}"
