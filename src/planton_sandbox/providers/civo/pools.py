"""The requests of the official plugin for Civo's node pools, and its crash."""

from __future__ import annotations

import uuid

from planton_sandbox.providers import package, planning, sessions, values, waiting
from planton_sandbox.providers.civo import api, cluster_facts, tables

_DELETED = waiting.Target(state="gone", pending=("there",), delay=0, shortest=0.5, timeout=29 * 60)


def _pools(data: planning.Data) -> str:
    return f"{api.CLUSTERS}/{data.get('clusterId')}/pools"


def _require_cluster(client: api.Client, data: planning.Data) -> None:
    cluster = data.get("clusterId")
    try:
        client.get(f"{api.CLUSTERS}/{cluster}")
    except api.CloudError as error:
        raise sessions.Fault(f"[INFO] error getting kubernetes cluster: {cluster}") from error


def _create(client: api.Client, data: planning.Data) -> None:
    _require_cluster(client, data)
    label = data.get("label") or str(uuid.uuid4())
    body = api.compact(
        {
            "region": client.region,
            "id": label,
            "count": data.get("nodeCount"),
            "size": data.get("size"),
            "labels": data.get("labels"),
        }
    )
    body["taints"] = cluster_facts.taints(data.get("taints"))
    public = api.compact({"public_ip_node_pool": data.get("publicIpNodePool")})
    try:
        client.post(_pools(data), {**body, **public})
    except api.CloudError as error:
        # The plugin's text says cluster and means the pool.
        raise sessions.Fault(f"[ERR] failed to create the kubernetes cluster: {error}") from error
    data.id = label
    try:
        cluster_facts.wait_for_nodes(client, data.get("clusterId"), label)
    except sessions.Fault as fault:
        raise sessions.Fault(f"Error creating Kubernetes node pool: {fault}") from fault
    _read(client, data)


def _read(client: api.Client, data: planning.Data) -> None:
    try:
        cluster = client.get(f"{api.CLUSTERS}/{data.get('clusterId')}")
    except api.CloudError:
        data.id = ""
        return
    try:
        pool = client.get(f"{_pools(data)}/{data.id}")
    except api.CloudError as error:
        raise sessions.Fault(f"[ERR] failed to find the kubernetes cluster pool: {error}") from error
    data.id = str(pool.get("id", ""))
    data.set(
        clusterId=cluster.get("id", ""),
        nodeCount=pool.get("count", 0),
        size=pool.get("size", ""),
        instanceNames=pool.get("instance_names") or [],
    )
    # An empty value in the answer leaves the state unchanged, and the label is never read.
    if pool.get("public_ip_node_pool"):
        data.set(publicIpNodePool=True)
    if pool.get("labels"):
        data.set(labels=dict(pool["labels"]))
    if pool.get("taints"):
        data.set(taints=cluster_facts.taints(pool["taints"]))


def _update(client: api.Client, data: planning.Data) -> None:
    if data.changed("size"):
        raise sessions.Fault('[ERR] Size change ("size") for existing pool is not available at this moment')
    _require_cluster(client, data)
    if data.changed("nodeCount"):
        raise sessions.Crash  # version 2.4.8 takes the number for a pointer and crashes, before it sends anything
    body: dict[str, values.Json] = {}
    if data.changed("labels") and data.get("labels"):
        body["labels"] = data.get("labels")
    body["taints"] = cluster_facts.taints(data.get("taints")) if data.changed("taints") else None
    try:
        client.put(f"{_pools(data)}/{data.id}", {**body, **api.compact({"region": client.region})})
    except api.CloudError as error:
        raise sessions.Fault(f"[ERR] failed to update kubernetes cluster pool: {error}") from error
    try:
        cluster_facts.wait_for_nodes(client, data.get("clusterId"), data.id)
    except sessions.Fault as fault:
        raise sessions.Fault(f"Error updating Kubernetes node pool: {fault}") from fault
    _read(client, data)


def _delete(client: api.Client, data: planning.Data) -> None:
    _require_cluster(client, data)
    path = f"{_pools(data)}/{data.id}"
    try:
        client.delete(path)
    except api.CloudError as error:
        text = f"[INFO] an error occurred while trying to delete the kubernetes cluster pool {error}"
        raise sessions.Fault(text) from error

    def state() -> str:
        try:
            client.get(path)
        except api.CloudError as error:
            if error.code == "database_cluster_pool_not_found":
                return "gone"
            text = f"error waiting for Kubernetes node pool to be deleted: {error}"
            raise sessions.Fault(text) from error
        return "there"

    try:
        waiting.await_state(client.timing, state, _DELETED)
    except waiting.WaitError as error:
        raise sessions.Fault("kubernetes node pool still exists") from error


def _find(client: api.Client, data: planning.Data) -> None:
    """Searches every region for the pool of an import id ``<cluster>:<pool>``; an error counts as "not found"."""
    cluster, _, label = data.id.partition(":")
    data.id = ""
    try:
        regions = client.get("/v2/regions") or ()
    except api.CloudError:
        return
    if not cluster or not label:
        return
    for region in regions:
        client.region = str(region.get("code", ""))
        try:
            pool = client.get(f"{api.CLUSTERS}/{cluster}/pools/{label}")
        except api.CloudError:
            continue
        if pool.get("id") == label:
            data.id = label
            data.set(clusterId=cluster, label=label)
            return


NODE_POOL = package.Resource(table=tables.NODE_POOL, create=_create, read=_read, update=_update, delete=_delete, find=_find)
