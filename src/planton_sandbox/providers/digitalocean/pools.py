"""The requests of the official plugin for DigitalOcean's node pools, including a cluster's default pool."""

from __future__ import annotations

import typing

from planton_sandbox.providers import package, planning, sessions, values, waiting
from planton_sandbox.providers.digitalocean import api, tables

CLUSTERS = "/v2/kubernetes/clusters"
DEFAULT_TAG = "terraform:default-node-pool"
"""The tag by which the plugin recognizes a cluster's default pool."""
TICK, LONGEST = 10, 1800


def facts(pool: planning.State) -> planning.State:
    """Returns the properties of a pool without the desired count."""
    return {
        "name": pool.get("name", ""),
        "size": pool.get("size", ""),
        "actualNodeCount": pool.get("count", 0),
        "autoScale": bool(pool.get("auto_scale")),
        "minNodes": pool.get("min_nodes", 0),
        "maxNodes": pool.get("max_nodes", 0),
        "tags": own_tags(pool.get("tags")),
        "labels": dict(pool.get("labels") or {}),
        "nodes": [_node(node) for node in pool.get("nodes") or ()],
        "taints": [{name: _any_case(taint, name) for name in ("key", "value", "effect")} for taint in pool.get("taints") or ()],
    }


def own_tags(tags: typing.Iterable[str] | None) -> list[str]:
    """Returns the tags without those that the cloud and the plugin add."""
    return [tag for tag in tags or () if tag and tag != "k8s" and not tag.startswith(("k8s:", "terraform:"))]


def create_body(pool: planning.State, *more_tags: str) -> planning.State:
    """Returns the body that creates a pool, without unset fields."""
    settings = values.without_unknown(pool)
    return api.compact(
        {
            "name": settings.get("name"),
            "size": settings.get("size"),
            "count": settings.get("nodeCount"),
            "tags": [*(settings.get("tags") or ()), *more_tags],
            "labels": settings.get("labels"),
            "taints": _taints(settings),
            "auto_scale": settings.get("autoScale"),
            "min_nodes": settings.get("minNodes"),
            "max_nodes": settings.get("maxNodes"),
        }
    )


def update(client: api.Client, pool: planning.State, cluster: str, identity: str, *more_tags: str) -> None:
    """Updates a pool and waits for its nodes; a missing pool is ignored.

    Raises:
        Fault: The cloud refused, or the nodes are not ready within half an hour.
    """
    settings = values.without_unknown(pool)
    optional = {
        "name": settings.get("name"),
        "count": settings.get("nodeCount"),
        "tags": [*(settings.get("tags") or ()), *more_tags],
        "labels": settings.get("labels"),
    }
    body = {
        **api.compact(optional),
        "taints": _taints(settings),
        "auto_scale": bool(settings.get("autoScale")),
        "min_nodes": settings.get("minNodes") or 0,
        "max_nodes": settings.get("maxNodes") or 0,
    }
    try:
        changed = client.put(f"{CLUSTERS}/{cluster}/node_pools/{identity}", body, "node_pool")
    except api.CloudError as error:
        if error.missing:
            return
        raise sessions.Fault(f"Unable to update nodepool: {error}") from error
    _wait_for_nodes(client, cluster, changed["id"])


def _taints(pool: planning.State) -> list[values.Json]:
    """Returns taints with capitalized keys, as the library sends them."""
    names = {"Key": "key", "Value": "value", "Effect": "effect"}
    return [{name: taint.get(key) or "" for name, key in names.items()} for taint in pool.get("taints") or ()]


def _any_case(item: planning.State, name: str) -> str:
    return next((str(value) for key, value in item.items() if key.lower() == name), "")


def _node(node: planning.State) -> planning.State:
    if node.get("status") is None:
        raise sessions.Crash  # the plugin reads the state in it
    return {
        "id": node.get("id", ""),
        "name": node.get("name", ""),
        "status": node["status"].get("state", ""),
        "dropletId": node.get("droplet_id", ""),
        "createdAt": values.go_time(node.get("created_at")),
        "updatedAt": values.go_time(node.get("updated_at")),
    }


def _wait_for_nodes(client: api.Client, cluster: str, identity: str) -> None:
    def ready() -> bool:
        with api.explained("Error trying to read nodepool state: "):
            pool = client.get(f"{CLUSTERS}/{cluster}/node_pools/{identity}", "node_pool")
        nodes = [_node(node) for node in pool.get("nodes") or ()]
        return len(nodes) == pool.get("count", 0) and all(node["status"] == "running" for node in nodes)

    if not waiting.tick(client.timing, ready, every=TICK, limit=LONGEST):
        raise sessions.Fault("Timeout waiting to create nodepool")


def _path(data: planning.Data) -> str:
    return f"{CLUSTERS}/{data.get('clusterId')}/node_pools"


def _create(client: api.Client, data: planning.Data) -> None:
    """Creates a pool. One whose nodes do not become ready is lost from the state: the official plugin does the same."""
    try:
        created = client.post(_path(data), create_body(data.state), "node_pool")
    except api.CloudError as error:
        unable = f"Unable to create new default node pool {error}"
        raise sessions.Fault(f"Error creating Kubernetes node pool: {unable}") from error
    try:
        _wait_for_nodes(client, data.get("clusterId"), created["id"])
    except sessions.Fault as fault:
        raise sessions.Fault(f"Error creating Kubernetes node pool: {fault}") from fault
    data.id = str(created["id"])
    _read(client, data)


def _read(client: api.Client, data: planning.Data) -> None:
    path, prefix = f"{_path(data)}/{data.id}", "Error retrieving Kubernetes node pool: "
    pool = api.look(data, prefix, lambda: client.get(path, "node_pool"))
    if pool is not None:
        data.set(**facts(pool), nodeCount=pool.get("count", 0))


def _update(client: api.Client, data: planning.Data) -> None:
    try:
        update(client, data.state, data.get("clusterId"), data.id)
    except sessions.Fault as fault:
        raise sessions.Fault(f"Error updating node pool: {fault}") from fault
    _read(client, data)


def _delete(client: api.Client, data: planning.Data) -> None:
    path = f"{_path(data)}/{data.id}"
    with api.explained("Unable to delete node pool "):
        client.send("DELETE", path)

    def is_deleted() -> bool:
        try:
            client.get(path, "node_pool")
        except api.CloudError as error:
            if error.missing:
                return True
            raise sessions.Fault(f"Error trying to read nodepool state: {error}") from error
        return False

    if not waiting.tick(client.timing, is_deleted, every=TICK, limit=LONGEST):
        raise sessions.Fault("Timeout waiting to delete nodepool")


def _find(client: api.Client, data: planning.Data) -> None:
    """Searches all clusters for the pool; a default pool and an error count as "not found"."""
    identity, data.id = data.id, ""
    try:
        clusters = list(client.pages(CLUSTERS, "kubernetes_clusters"))
    except api.CloudError:
        return
    owners = [(cluster, pool) for cluster in clusters for pool in cluster.get("node_pools") or () if pool.get("id") == identity]
    if len(owners) == 1 and DEFAULT_TAG not in (owners[0][1].get("tags") or ()):
        data.id = identity
        data.set(clusterId=owners[0][0].get("id", ""))


NODE_POOL = package.Resource(
    table=tables.NODE_POOL,
    create=_create,
    read=_read,
    update=_update,
    delete=_delete,
    find=_find,
    timeouts={"create": LONGEST, "delete": LONGEST},
    schema_version=1,
)
