"""The requests of the official plugin for Civo's Kubernetes clusters."""

from __future__ import annotations

import re
import typing
import uuid

from planton_sandbox.providers import package, planning, sessions, values, waiting
from planton_sandbox.providers.civo import api, cluster_facts, firewalls, networks, tables

_VERSIONS = "/v2/kubernetes/versions"
_APPLICATIONS = "/v2/kubernetes/applications"
_CREATED = waiting.Target(state="ACTIVE", pending=("BUILDING", "AVAILABLE", "UPGRADING", "SCALING"), delay=3, shortest=3)
_DELETED = waiting.Target(state="DELETED", pending=("DELETING",), delay=10, shortest=5)
_NUMBER = r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
_FORMATS: typing.Final = {
    "k3s": (re.compile(rf"v?{_NUMBER}-k3s\d"), "X.Y.Z-k3s1"),
    "talos": (re.compile(rf"talos-v{_NUMBER}"), "talos-vX.Y.Z"),
}


def _customize(client: api.Client, data: planning.Data) -> None:
    if data.get("clusterType") == "talos" and data.get("cni") == "cilium":
        raise sessions.Fault("cilium CNI is not supported with Talos cluster type. Please use flannel CNI instead")
    if data.get("kubernetesVersion"):
        _check_version(client, data.get("kubernetesVersion"), data.get("clusterType") or "k3s")
    if not data.id:
        return
    if data.changed("writeKubeconfig"):
        data.set(kubeconfig=values.UNKNOWN)
    for name, wire in (("applications", "applications"), ("clusterType", "cluster_type"), ("cni", "cni")):
        if data.changed(name):
            raise sessions.Fault(f"the '{wire}' field is immutable")


def _check_version(client: api.Client, version: str, cluster_type: str) -> None:
    """Checks the format only, although it lists the versions: the official plugin does the same."""
    try:
        offered = client.get(_VERSIONS) or ()
    except api.CloudError as error:
        text = f"failed to get available Kubernetes versions: [ERR] error retrieving all versions: {error}"
        raise sessions.Fault(text) from error
    pattern, example = _FORMATS[cluster_type]
    if pattern.fullmatch(version):
        return
    stable, development = (
        " ".join(item["label"] for item in offered if item.get("clusterType") == cluster_type and item["type"] == kind)
        for kind in ("stable", "development")
    )
    raise sessions.Fault(
        f"invalid Kubernetes version format: '{version}' for cluster type '{cluster_type}'.\n\n"
        f"Please ensure your version matches the expected format, e.g., '{example}'.\n\n"
        f"Available versions for '{cluster_type}':\n- Stable: [{stable}]\n- Development: [{development}]"
    )


def _create(client: api.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    body = _create_body(client, data)
    try:
        created = client.post(api.CLUSTERS, body)
    except api.CloudError as error:
        text = str(error).replace("\n", " ")
        raise sessions.Fault(f"[ERR] failed to create the kubernetes cluster: {text}") from error
    data.id = str(created["id"])

    def state() -> str:
        return str(client.get(f"{api.CLUSTERS}/{data.id}").get("status", ""))

    try:
        waiting.await_state(client.timing, state, _CREATED)
    except sessions.Fault as fault:
        raise sessions.Fault(f"error waiting for cluster ({data.id}) to be created: {fault}") from fault
    _read(client, data)


def _create_body(client: api.Client, data: planning.Data) -> dict[str, values.Json]:
    try:
        network = data.get("networkId") or networks.default_network(client)
    except sessions.Fault as fault:
        raise sessions.Fault(f"[ERR] failed to get the default network: {fault}") from fault
    applications = data.get("applications")
    if applications and not _offers(client, applications):
        raise sessions.Fault(f"[ERR] the app that tries to install is not valid: {applications}")
    firewall = data.get("firewallId")
    try:
        attached = firewalls.find(client, firewall)
    except api.CloudError as error:
        raise sessions.Fault(f"[ERR] unable to find firewall - {error}") from error
    if attached.get("network_id") != network:
        raise sessions.Fault(f"[ERR] firewall {attached['id']} is not part of network {network}")
    body = {
        "name": data.get("name"),
        "region": client.region,
        "cluster_type": data.get("clusterType"),
        "kubernetes_version": data.get("kubernetesVersion"),
        "network_id": network,
        "tags": data.get("tags"),
        "pools": [_pool_body(data.get("pools"))],
        "applications": applications,
        "instance_firewall": firewall,
        "cni_plugin": data.get("cni"),
    }
    return api.compact(body)


def _pool_body(pool: dict[str, values.Json]) -> dict[str, values.Json]:
    settings = values.without_unknown(pool)
    body = api.compact(
        {
            "id": settings.get("label") or str(uuid.uuid4()),
            "count": settings.get("nodeCount"),
            "size": settings.get("size"),
            "labels": settings.get("labels"),
        }
    )
    body["taints"] = cluster_facts.taints(settings.get("taints")) or None
    return {**body, **api.compact({"public_ip_node_pool": settings.get("publicIpNodePool")})}


def _offers(client: api.Client, applications: str) -> bool:
    """Returns whether the text contains the name of any known application."""
    try:
        return any(offered["name"] in applications for offered in client.get(_APPLICATIONS) or ())
    except api.CloudError:
        return False


def _read(client: api.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    try:
        cluster = client.get(f"{api.CLUSTERS}/{data.id}")
    except api.CloudError:
        data.id = ""  # whatever the error was: the official plugin does the same
        return
    data.set(**cluster_facts.facts(cluster, region=client.region), pools=_default_pool(cluster.get("pools")))
    data.set(
        tags=" ".join(cluster.get("tags") or ()),
        kubeconfig=cluster.get("kubeconfig", "") if data.get("writeKubeconfig") else "",
    )


def _default_pool(pools: list[dict[str, values.Json]] | None) -> values.Json:
    """Returns the first pool; an empty list crashes the official plugin."""
    if pools is None:
        return None
    if not pools:
        raise sessions.Crash
    return cluster_facts.pool_facts(pools[0])


def _update(client: api.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    if data.changed("networkId"):
        change = 'Network change ("network_id") for existing cluster is not available at this moment'
        raise sessions.Fault(f"[ERR] {change}")
    body = _update_body(client, data)
    try:
        client.put(f"{api.CLUSTERS}/{data.id}", api.compact({**body, "region": client.region}))
    except api.CloudError as error:
        raise sessions.Fault(f"[ERR] failed to update kubernetes cluster: {error}") from error
    try:
        cluster_facts.wait_for_nodes(client, data.id, data.id)
    except sessions.Fault as fault:
        raise sessions.Fault(f"Error updating Kubernetes node pool: {fault}") from fault
    _read(client, data)


def _update_body(client: api.Client, data: planning.Data) -> dict[str, values.Json]:
    body: dict[str, values.Json] = {}
    if data.changed("firewallId"):
        body["firewall_id"] = data.get("firewallId")
    if data.changed("pools"):
        body["pools"] = _changed_pools(client, data)
    for name, key in (("kubernetesVersion", "kubernetes_version"), ("name", "name"), ("tags", "tags")):
        if data.changed(name):
            body[key] = data.get(name)
    if data.changed("writeKubeconfig"):
        body["firewall_id"] = data.get("firewallId")
        if data.get("writeKubeconfig"):
            try:
                client.get(f"{api.CLUSTERS}/{data.id}")
            except api.CloudError as error:
                raise sessions.Fault(f"[ERR] failed to get kubernetes cluster: {error}") from error
    return body


def _changed_pools(client: api.Client, data: planning.Data) -> list[values.Json]:
    before, after = (data.prior or {}).get("pools") or {}, data.get("pools") or {}
    if before.get("size") != after.get("size"):
        change = 'Size change ("size") for existing cluster is not available at this moment'
        raise sessions.Fault(f"[ERR] {change}")
    try:
        cluster = cluster_facts.find(client, data.id)
    except api.CloudError as error:
        raise sessions.Fault(f"[ERR] failed to find the kubernetes cluster: {error}") from error
    pools = [
        {
            **api.compact({key: pool.get(key) for key in ("id", "count", "size", "labels")}),
            "taints": cluster_facts.taints(pool.get("taints")) or None,
        }
        for pool in cluster.get("pools") or ()
    ]
    # A label that no pool has stands for the first pool.
    target = next((pool["id"] for pool in pools if pool["id"] == after.get("label")), "")
    for pool in pools:
        if target in pool["id"]:
            pool["count"] = after.get("nodeCount")
            break
    return pools


def _delete(client: api.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    path = f"{api.CLUSTERS}/{data.id}"
    try:
        client.delete(path)
    except api.CloudError as error:
        text = f"[INFO] an error occurred while trying to delete the kubernetes cluster {error}"
        raise sessions.Fault(text) from error

    def state() -> str:
        try:
            return str(client.get(path).get("status", ""))
        except api.CloudError as error:
            if error.code == "database_kubernetes_cluster_not_found":
                return "DELETED"
            raise

    try:
        waiting.await_state(client.timing, state, _DELETED)
    except sessions.Fault as fault:
        raise sessions.Fault(f"error waiting for instance ({data.id}) to be deleted: {fault}") from fault


CLUSTER = package.Resource(table=tables.CLUSTER, create=_create, read=_read, update=_update, delete=_delete, customize=_customize)
