"""Out-of-band changes of the simulated Google Cloud.

The control endpoint's ``POST /sandbox/clouds/gcp/ACTION`` calls `act`. Each action takes a JSON object; ``account`` (a token) and
``project`` select the project, and resources are named by name (a cluster also by id):

* ``load`` cluster, pool, nodes: sets how many nodes the workload of an autoscaled pool needs, in all zones. The autoscaler
  follows within the pool's bounds;
* ``scale`` cluster, pool, count: the nodes per zone; without ``pool``, the first pool;
* ``relabel`` cluster, pool, labels: replaces the pool's labels;
* ``upgrade`` cluster, version; with ``pool``, the pool's nodes;
* ``update`` cluster, settings: replaces blocks of settings, by the name of their field;
* ``delete-cluster`` cluster; ``delete-pool`` cluster, pool: deletes immediately, unless ``slowly`` is true;
* ``delete-subnetwork`` subnetwork, region: references to it are left dangling;
* ``subnetwork`` region, name, network, cidr, ranges: creates one;
* ``addresses`` cluster, free: something else takes the addresses of the cluster's subnetwork, but for those of so many more nodes;
  without ``free``, it gives them back;
* ``project`` project: creates a project;
* ``stuck`` cluster: keeps it in PROVISIONING; without ``cluster``, the next ``count`` (1) new clusters;
  ``unstuck`` cluster: without ``cluster``, all;
* ``fail`` cluster, message: sets the state ``ERROR``, with ``pool`` that of a pool; an empty message clears it;
* ``degrade`` cluster, code, message: sets the state ``DEGRADED`` with a condition; without ``code``, clears it;
* ``stockout`` zone, machineType: the zone has no more machines, or none of a type; ``in-stock`` ends that;
* ``node`` cluster, node, ready, unreachable: makes a node not ready or unreachable, or ready again;
* ``preempt`` cluster, node: takes a Spot machine away; its group replaces it;
* ``quota`` region, and limits by metric, such as ``CPUS``;
* ``volume``, ``load-balancer`` cluster, name: creates a resource of a workload, which outlives the cluster;
* ``expire-credentials``: revokes the access tokens of the account; its permanent token stays;
* ``rotate-token`` new: changes the account's token and revokes the old one;
* ``resources``: returns the account's resources.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from planton_sandbox.clouds import memory
from planton_sandbox.clouds.gcp import (
    addresses,
    associated,
    catalogue,
    cluster_updates,
    clusters,
    machines,
    pool_updates,
    pools,
    progress,
    records,
    scopes,
    views,
)

Body = memory.Body
_DONE = memory.DONE


def act(scope: scopes.Scope, action: str, body: Body) -> Any:
    """Runs ``action`` and returns its answer.

    Raises:
        wire.CloudError: 404 when there is no such action or resource.
    """
    if action not in ACTIONS:
        raise scopes.refused(404, f"No action {action!r}; there are {', '.join(ACTIONS)}")
    return ACTIONS[action](scope, body)


def named_cluster(scope: scopes.Scope, body: Body) -> records.Cluster:
    """Returns the cluster that an action names.

    Raises:
        wire.CloudError: 404 when there is none.
    """
    projects = [_project(scope, body)] if body.get("project") else scope.own_projects()
    for item in [item for project in projects for item in scope.clusters(project)]:
        if body.get("cluster") in (item.id, item.name):
            return item
    raise scopes.refused(404, f"No cluster {body.get('cluster')!r}")


def _project(scope: scopes.Scope, body: Body) -> records.Project:
    return scope.project(str(body.get("project") or catalogue.DEFAULT_PROJECT))


def _pool(cluster: records.Cluster, body: Body) -> records.Pool:
    name = body.get("pool") or (cluster.pools[0].name if cluster.pools else None)
    for item in cluster.pools:
        if item.name == name:
            return item
    raise scopes.refused(404, f"No pool {name!r}")


def _load(scope: scopes.Scope, body: Body) -> Any:
    cluster = named_cluster(scope, body)
    pool = _pool(cluster, body)
    if not pool.autoscaling:
        raise scopes.invalid(f"The pool {pool.name} is not autoscaled")
    pool.load = int(body["nodes"])
    progress.settle(scope)
    return views.pool(scope, cluster, pool)


def _scale(scope: scopes.Scope, body: Body) -> Any:
    cluster = named_cluster(scope, body)
    pool = _pool(cluster, body)
    pool_updates.begin_resize(scope, cluster, pool, count=int(body["count"]))
    return views.pool(scope, cluster, pool)


def _relabel(scope: scopes.Scope, body: Body) -> Any:
    cluster = named_cluster(scope, body)
    pool = _pool(cluster, body)
    olds, pool.config = pool.config, {**pool.config, "labels": dict(body.get("labels") or {})}
    pool.revision += 1
    machines.relabel(pool, olds=olds)
    return views.pool(scope, cluster, pool)


def _upgrade(scope: scopes.Scope, body: Body) -> Any:
    cluster = named_cluster(scope, body)
    if body.get("pool"):
        pool = _pool(cluster, body)
        version = pools.node_version(cluster, str(body["version"]))
        pool_updates.begin_upgrade(scope, cluster, pool, config=pool.config, version=version)
    else:
        cluster_updates.begin_master_upgrade(scope, cluster, text=str(body["version"]))
    return _DONE


def _update(scope: scopes.Scope, body: Body) -> Any:
    cluster = named_cluster(scope, body)
    cluster.settings |= dict(body["settings"])
    cluster.revision += 1
    return views.cluster(scope, cluster)


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
    if body.get("slowly"):
        pools.begin_delete(scope, cluster, pool)
    else:
        cluster.pools.remove(pool)
        cluster.revision += 1
    return _DONE


def _subnetwork(scope: scopes.Scope, body: Body) -> Any:
    item = records.Subnetwork(
        project=_project(scope, body).id,
        region=str(body["region"]),
        network=str(body.get("network") or "default"),
        name=str(body["name"]),
        cidr=str(body["cidr"]),
        ranges={str(key): str(cidr) for key, cidr in (body.get("ranges") or {}).items()},
    )
    scope.state.subnetworks.append(item)
    return _DONE


def _addresses(scope: scopes.Scope, body: Body) -> Any:
    addresses.take(scope, named_cluster(scope, body), free=int(body["free"]) if "free" in body else None)
    return _DONE


def _delete_subnetwork(scope: scopes.Scope, body: Body) -> Any:
    for item in scope.subnetworks(_project(scope, body)):
        if (item.name, item.region) == (body.get("subnetwork"), body.get("region")):
            scope.state.subnetworks.remove(item)
            return _DONE
    raise scopes.refused(404, f"No subnetwork {body.get('subnetwork')!r} in {body.get('region')!r}")


def _create_project(scope: scopes.Scope, body: Body) -> Any:
    key = str(body["project"])
    if any(item.id == key for item in scope.state.projects):
        raise scopes.refused(409, f"The project {key} exists already")
    return {"project": key, "number": scopes.create_project(scope.state, key, account=scope.account.id).number}


def _unstuck(scope: scopes.Scope, body: Body) -> Any:
    everything = [item for project in scope.own_projects() for item in scope.clusters(project)]
    for item in [named_cluster(scope, body)] if body.get("cluster") else everything:
        item.stuck = False
    if not body.get("cluster"):
        scope.state.stuck_next = 0
    return _DONE


def _fail(scope: scopes.Scope, body: Body) -> Any:
    cluster = named_cluster(scope, body)
    (_pool(cluster, body) if body.get("pool") else cluster).failure = str(body.get("message", ""))
    return _DONE


def _degrade(scope: scopes.Scope, body: Body) -> Any:
    code = str(body.get("code", ""))
    condition = {"code": code, "message": str(body.get("message", "")), "canonicalCode": "FAILED_PRECONDITION"}
    named_cluster(scope, body).degraded = condition if code else {}
    return _DONE


def _stockout(scope: scopes.Scope, body: Body) -> Any:
    _project(scope, body).stockouts.append(_stock(body))
    return _DONE


def _in_stock(scope: scopes.Scope, body: Body) -> Any:
    project = _project(scope, body)
    project.stockouts = [item for item in project.stockouts if item != _stock(body)]
    return _DONE


def _stock(body: Body) -> str:
    return f"{body['zone']}/{body['machineType']}" if body.get("machineType") else str(body["zone"])


def _named_node(cluster: records.Cluster, body: Body) -> tuple[records.Pool, records.Node]:
    for pool in cluster.pools:
        for node in pool.nodes:
            if body.get("node") in (node.id, node.name):
                return pool, node
    raise scopes.refused(404, f"No node {body.get('node')!r}")


def _node(scope: scopes.Scope, body: Body) -> Any:
    _, node = _named_node(named_cluster(scope, body), body)
    node.ready, node.unreachable = bool(body.get("ready")), bool(body.get("unreachable"))
    return _DONE


def _preempt(scope: scopes.Scope, body: Body) -> Any:
    cluster = named_cluster(scope, body)
    pool, node = _named_node(cluster, body)
    if not (pool.config.get("spot") or pool.config.get("preemptible")):
        raise scopes.invalid(f"The pool {pool.name} has neither Spot nor preemptible machines")
    pool.nodes.remove(node)
    machines.fill(scope, cluster, pool)
    return _DONE


def _quota(scope: scopes.Scope, body: Body) -> Any:
    limits = _project(scope, body).limits.setdefault(str(body["region"]), {})
    limits |= {key: float(value) for key, value in body.items() if key in catalogue.LIMITS}
    return limits


def _adder(sort: str) -> Callable[[scopes.Scope, Body], Any]:
    def add(scope: scopes.Scope, body: Body) -> Any:
        item = associated.add(scope.state, named_cluster(scope, body), sort=sort, name=str(body["name"]), now=scope.now)
        return {"id": item.id, "name": item.name}

    return add


def _expire_credentials(scope: scopes.Scope, _body: Body) -> Any:
    scope.state.tokens = [item for item in scope.state.tokens if item.account != scope.account.id]
    return _DONE


ACTIONS: Mapping[str, Callable[[scopes.Scope, Body], Any]] = {
    "load": _load,
    "scale": _scale,
    "relabel": _relabel,
    "upgrade": _upgrade,
    "update": _update,
    "delete-cluster": _delete_cluster,
    "delete-pool": _delete_pool,
    "addresses": _addresses,
    "subnetwork": _subnetwork,
    "delete-subnetwork": _delete_subnetwork,
    "project": _create_project,
    "stuck": memory.stuck(named_cluster),
    "unstuck": _unstuck,
    "fail": _fail,
    "degrade": _degrade,
    "stockout": _stockout,
    "in-stock": _in_stock,
    "node": _node,
    "preempt": _preempt,
    "quota": _quota,
    "volume": _adder(associated.DISK),
    "load-balancer": _adder(associated.BALANCER),
    "expire-credentials": _expire_credentials,
    "rotate-token": memory.rotate_token,
    "resources": lambda scope, _body: views.summary(scope),
}
