"""Out-of-band changes of the simulated Civo.

The control endpoint's ``POST /sandbox/clouds/civo/ACTION`` calls `act`. Each action takes a JSON object; ``account`` (a token)
and ``region`` select the place, and resources are named by id, name or label:

* ``scale`` cluster, pool, count: without ``pool``, the default pool;
* ``relabel`` cluster, pool, labels: replaces the pool's labels;
* ``upgrade`` cluster, version;
* ``delete-cluster`` cluster; ``delete-pool`` cluster, pool; ``delete-network`` network; ``delete-firewall`` firewall: deletes
  immediately, unless ``slowly`` is true. References to the resource are left dangling. A cluster's last pool is not deleted;
* ``stuck`` cluster: keeps it in BUILDING; without ``cluster``, the next ``count`` (1) new clusters;
  ``unstuck`` cluster: without ``cluster``, all;
* ``node`` cluster, node, ready, unreachable: makes a node not ready or unreachable, or ready again;
* ``quota`` with any of the limits, such as ``{"instance_count": 2}``;
* ``fail-application`` name: makes its next installations fail;
* ``volume``, ``load-balancer``, ``reserved-address`` cluster, name: creates a resource of a workload, which outlives the cluster; an
  address is assigned to the cluster's first load balancer;
* ``rotate-token`` new: changes the account's token and revokes the old one;
* ``resources``: returns the account's resources.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from planton_sandbox import wire
from planton_sandbox.clouds import memory
from planton_sandbox.clouds.civo import associated, catalogue, clusters, networks, pools, progress, records, scopes, views

Body = memory.Body
_DONE = memory.DONE


def act(scope: scopes.Scope, action: str, body: Body) -> Any:
    """Runs ``action`` and returns its answer.

    Raises:
        wire.CloudError: 404 when there is no such action or resource.
    """
    if action not in ACTIONS:
        raise wire.CloudError(404, code="not_found", reason=f"No action {action!r}; there are {', '.join(ACTIONS)}")
    return ACTIONS[action](scope, body)


def named_cluster(scope: scopes.Scope, body: Body) -> records.Cluster:
    """Returns the cluster that an action names.

    Raises:
        wire.CloudError: 404 when there is none.
    """
    key = body.get("cluster")
    cluster = next((item for item in scope.clusters() if key in (item.id, item.name)), None)
    if cluster is None:
        raise wire.CloudError(404, code="not_found", reason=f"No cluster {key!r}")
    return cluster


def _pool(cluster: records.Cluster, body: Body) -> records.Pool:
    key = body.get("pool") or cluster.pools[0].id
    pool = next((item for item in cluster.pools if item.id == key), None)
    if pool is None:
        raise wire.CloudError(404, code="not_found", reason=f"No pool {key!r} in cluster {cluster.name}")
    return pool


def _scale(scope: scopes.Scope, body: Body) -> Any:
    cluster = named_cluster(scope, body)
    pool = _pool(cluster, body)
    pools.scale(scope, cluster, pool, count=int(body["count"]))
    return views.pool(cluster, pool)


def _relabel(scope: scopes.Scope, body: Body) -> Any:
    cluster = named_cluster(scope, body)
    pool = _pool(cluster, body)
    pools.relabel(pool, labels=dict(body.get("labels") or {}))
    return views.pool(cluster, pool)


def _upgrade(scope: scopes.Scope, body: Body) -> Any:
    clusters.upgrade(scope, named_cluster(scope, body), text=str(body["version"]))
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
        pools.begin_delete(pool, pace=scope.pace, now=scope.now)
    else:
        cluster.pools.remove(pool)
    return _DONE


def _delete_network(scope: scopes.Scope, body: Body) -> Any:
    key = body.get("network")
    network = next((item for item in scope.networks() if key in (item.id, item.label)), None)
    if network is None:
        raise wire.CloudError(404, code="not_found", reason=f"No network {key!r}")
    networks.drop(scope.state, network)
    return _DONE


def _delete_firewall(scope: scopes.Scope, body: Body) -> Any:
    key = body.get("firewall")
    firewall = next((item for item in scope.firewalls() if key in (item.id, item.name)), None)
    if firewall is None:
        raise wire.CloudError(404, code="not_found", reason=f"No firewall {key!r}")
    scope.state.firewalls.remove(firewall)
    return _DONE


def _unstuck(scope: scopes.Scope, body: Body) -> Any:
    chosen = [named_cluster(scope, body)] if body.get("cluster") else scope.clusters()
    for item in chosen:
        item.stuck = False
    if not body.get("cluster"):
        scope.state.stuck_next = 0
    return _DONE


def _node(scope: scopes.Scope, body: Body) -> Any:
    for pool in named_cluster(scope, body).pools:
        for node in pool.nodes:
            if body.get("node") in (node.id, node.hostname):
                node.ready, node.unreachable = bool(body.get("ready")), bool(body.get("unreachable"))
                return _DONE
    raise wire.CloudError(404, code="not_found", reason=f"No node {body.get('node')!r}")


def _quota(scope: scopes.Scope, body: Body) -> Any:
    limits = {name: int(value) for name, value in body.items() if name in catalogue.LIMITS}
    unknown = set(body) - set(limits) - {"account", "region"}
    if unknown:
        raise wire.CloudError(404, code="not_found", reason=f"No limit {', '.join(sorted(unknown))}")
    scope.account.limits.update(limits)
    return dict(scope.account.limits)


def _fail_application(scope: scopes.Scope, body: Body) -> Any:
    entry = catalogue.application(str(body.get("name")))
    if entry is None:
        raise wire.CloudError(404, code="not_found", reason=f"No application {body.get('name')!r}")
    scope.state.failing_applications.append(entry.name)
    return _DONE


def _adder(sort: str) -> Callable[[scopes.Scope, Body], Any]:
    def act(scope: scopes.Scope, body: Body) -> Any:
        return associated.add(scope, named_cluster(scope, body), sort=sort, name=str(body["name"]))

    return act


def _resources(scope: scopes.Scope, _body: Body) -> Any:
    state, mine = scope.state, scope.account.id
    return {
        "networks": [
            {"id": item.id, "label": item.label, "region": item.region, "default": item.default}
            for item in state.networks
            if item.account == mine
        ],
        "firewalls": [
            {"id": item.id, "name": item.name, "region": item.region, "hidden": item.hidden}
            for item in state.firewalls
            if item.account == mine
        ],
        "clusters": [
            {
                "id": item.id,
                "name": item.name,
                "region": item.region,
                "status": progress.status(item),
                "pools": [
                    {"id": pool.id, "count": pool.count, "labels": pool.labels, "nodes": [node.hostname for node in pool.nodes]}
                    for pool in item.pools
                ],
            }
            for item in state.clusters
            if item.account == mine
        ],
        **associated.listed(state, mine),
    }


ACTIONS: Mapping[str, Callable[[scopes.Scope, Body], Any]] = {
    "scale": _scale,
    "relabel": _relabel,
    "upgrade": _upgrade,
    "delete-cluster": _delete_cluster,
    "delete-pool": _delete_pool,
    "delete-network": _delete_network,
    "delete-firewall": _delete_firewall,
    "stuck": memory.stuck(named_cluster),
    "unstuck": _unstuck,
    "node": _node,
    "quota": _quota,
    "fail-application": _fail_application,
    "volume": _adder(associated.VOLUME),
    "load-balancer": _adder(associated.LOAD_BALANCER),
    "reserved-address": _adder(associated.ADDRESS),
    "rotate-token": memory.rotate_token,
    "resources": _resources,
}
