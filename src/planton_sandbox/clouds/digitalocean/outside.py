"""Out-of-band changes of the simulated DigitalOcean.

The control endpoint's ``POST /sandbox/clouds/digitalocean/ACTION`` calls `act`. Each action takes a JSON object; ``account``
(a token) selects the account, and resources are named by id or name:

* ``load`` cluster, pool, nodes: sets how many nodes the workload of an autoscaled pool needs. The autoscaler follows within
  the pool's bounds;
* ``scale`` cluster, pool, count: without ``pool``, the first pool;
* ``relabel`` cluster, pool, labels: replaces the pool's labels;
* ``upgrade`` cluster, version;
* ``delete-cluster`` cluster; ``delete-pool`` cluster, pool; ``delete-vpc`` vpc; ``delete-firewall`` firewall: deletes
  immediately, unless ``slowly`` is true for a cluster or pool. References to the resource are left dangling. A cluster's last
  pool is not deleted;
* ``stuck`` cluster: keeps it in provisioning; without ``cluster``, the next ``count`` (1) new clusters;
  ``unstuck`` cluster: without ``cluster``, all;
* ``fail`` cluster, message: sets the state ``error``; an empty message clears it;
* ``node`` cluster, node, ready, unreachable: makes a node not ready or unreachable, or ready again;
* ``quota`` droplet_limit: sets how many droplets the account may have;
* ``volume``, ``snapshot``, ``load-balancer`` cluster, name: creates a resource of a workload, which outlives the cluster;
* ``expire-credentials`` cluster: revokes all tokens of the cluster;
* ``rotate-token`` new: changes the account's token and revokes the old one;
* ``resources``: returns the account's resources.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from planton_sandbox.clouds import memory
from planton_sandbox.clouds.digitalocean import associated, clusters, machines, pools, progress, records, scopes, views

Body = memory.Body
_DONE = memory.DONE
Named = TypeVar("Named", records.Cluster, records.Pool, records.Vpc, records.Firewall, records.Node)


def act(scope: scopes.Scope, action: str, body: Body) -> Any:
    """Runs ``action`` and returns its answer.

    Raises:
        wire.CloudError: 404 when there is no such action or resource.
    """
    if action not in ACTIONS:
        raise scopes.missing(f"No action {action!r}; there are {', '.join(ACTIONS)}")
    return ACTIONS[action](scope, body)


def _pick(items: Sequence[Named], key: object, *, noun: str) -> Named:
    picked = next((item for item in items if key in (item.id, item.name)), None)
    if picked is None:
        raise scopes.missing(f"No {noun} {key!r}")
    return picked


def named_cluster(scope: scopes.Scope, body: Body) -> records.Cluster:
    """Returns the cluster that an action names.

    Raises:
        wire.CloudError: 404 when there is none.
    """
    return _pick(scope.clusters(), body.get("cluster"), noun="cluster")


def _pool(cluster: records.Cluster, body: Body) -> records.Pool:
    return _pick(cluster.pools, body.get("pool") or cluster.pools[0].id, noun="pool")


def _load(scope: scopes.Scope, body: Body) -> Any:
    cluster = named_cluster(scope, body)
    pool = _pool(cluster, body)
    if not pool.auto_scale:
        raise scopes.invalid(f"The pool {pool.name} is not autoscaled")
    pool.load = int(body["nodes"])
    progress.settle(scope)
    return views.pool(cluster, pool)


def _scale(scope: scopes.Scope, body: Body) -> Any:
    cluster = named_cluster(scope, body)
    pool = _pool(cluster, body)
    machines.scale(scope, cluster, pool, count=int(body["count"]))
    return views.pool(cluster, pool)


def _relabel(scope: scopes.Scope, body: Body) -> Any:
    cluster = named_cluster(scope, body)
    pool = _pool(cluster, body)
    machines.relabel(pool, dict(body.get("labels") or {}))
    return views.pool(cluster, pool)


def _upgrade(scope: scopes.Scope, body: Body) -> Any:
    clusters.begin_upgrade(scope, named_cluster(scope, body), text=str(body["version"]))
    return _DONE


def _delete_cluster(scope: scopes.Scope, body: Body) -> Any:
    cluster = named_cluster(scope, body)
    if body.get("slowly"):
        clusters.begin_delete(scope, cluster)
    else:
        scope.state.clusters.remove(cluster)
    return _DONE


def _delete_pool(scope: scopes.Scope, body: Body) -> Any:
    cluster = named_cluster(scope, body)
    pool = _pool(cluster, body)
    pools.refuse_last(cluster, pool)
    if body.get("slowly"):
        machines.begin_delete(scope, pool)
    else:
        cluster.pools.remove(pool)
    return _DONE


def _delete_vpc(scope: scopes.Scope, body: Body) -> Any:
    scope.state.vpcs.remove(_pick(scope.vpcs(), body.get("vpc"), noun="VPC"))
    return _DONE


def _delete_firewall(scope: scopes.Scope, body: Body) -> Any:
    scope.state.firewalls.remove(_pick(scope.firewalls(), body.get("firewall"), noun="firewall"))
    return _DONE


def _unstuck(scope: scopes.Scope, body: Body) -> Any:
    chosen = [named_cluster(scope, body)] if body.get("cluster") else scope.clusters()
    for item in chosen:
        item.stuck = False
    if not body.get("cluster"):
        scope.state.stuck_next = 0
    return _DONE


def _fail(scope: scopes.Scope, body: Body) -> Any:
    named_cluster(scope, body).failure = str(body.get("message", ""))
    return _DONE


def _node(scope: scopes.Scope, body: Body) -> Any:
    nodes = [node for pool in named_cluster(scope, body).pools for node in pool.nodes]
    node = _pick(nodes, body.get("node"), noun="node")
    node.ready, node.unreachable = bool(body.get("ready")), bool(body.get("unreachable"))
    return _DONE


def _quota(scope: scopes.Scope, body: Body) -> Any:
    scope.account.droplet_limit = int(body["droplet_limit"])
    return {"droplet_limit": scope.account.droplet_limit}


def _adder(sort: str) -> Callable[[scopes.Scope, Body], Any]:
    def act(scope: scopes.Scope, body: Body) -> Any:
        return associated.add(scope, named_cluster(scope, body), sort=sort, name=str(body["name"]))

    return act


def _expire_credentials(scope: scopes.Scope, body: Body) -> Any:
    named_cluster(scope, body).tokens.clear()
    return _DONE


def _resources(scope: scopes.Scope, _body: Body) -> Any:
    return {
        "vpcs": [{"id": item.id, "name": item.name, "region": item.region, "default": item.default} for item in scope.vpcs()],
        "firewalls": [{"id": item.id, "name": item.name} for item in scope.firewalls()],
        "clusters": [
            {
                "id": item.id,
                "name": item.name,
                "region": item.region,
                "vpc": item.vpc,
                "version": item.version,
                "status": records.DELETING if item.deleting else progress.status(item),
                "pools": [
                    {
                        "id": pool.id,
                        "name": pool.name,
                        "count": pool.count,
                        "labels": pool.labels,
                        "nodes": [node.name for node in pool.nodes],
                    }
                    for pool in item.pools
                ],
            }
            for item in scope.all_clusters()
        ],
        **associated.listed(scope),
    }


ACTIONS: Mapping[str, Callable[[scopes.Scope, Body], Any]] = {
    "load": _load,
    "scale": _scale,
    "relabel": _relabel,
    "upgrade": _upgrade,
    "delete-cluster": _delete_cluster,
    "delete-pool": _delete_pool,
    "delete-vpc": _delete_vpc,
    "delete-firewall": _delete_firewall,
    "stuck": memory.stuck(named_cluster),
    "unstuck": _unstuck,
    "fail": _fail,
    "node": _node,
    "quota": _quota,
    "volume": _adder(associated.VOLUME),
    "snapshot": _adder(associated.SNAPSHOT),
    "load-balancer": _adder(associated.LOAD_BALANCER),
    "expire-credentials": _expire_credentials,
    "rotate-token": memory.rotate_token,
    "resources": _resources,
}
