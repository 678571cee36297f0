"""What the official plugin sends, and makes of the answers, for Civo's Kubernetes clusters."""

from __future__ import annotations

import re
import typing
import uuid

from planton_sandbox.providers import package, planning, sessions, values, waiting
from planton_sandbox.providers.civo import client as civo_client
from planton_sandbox.providers.civo import network as civo_network
from planton_sandbox.providers.civo import tables

CLUSTERS = "/v2/kubernetes/clusters"
_VERSIONS = "/v2/kubernetes/versions"
_APPLICATIONS = "/v2/kubernetes/applications"
_PENDING = ("BUILDING", "AVAILABLE", "UPGRADING", "SCALING")
_TICK, _LONGEST = 10, 1800
_NUMBER = r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
_FORMATS: typing.Final = {
    "k3s": (re.compile(rf"v?{_NUMBER}-k3s\d"), "X.Y.Z-k3s1"),
    "talos": (re.compile(rf"talos-v{_NUMBER}"), "talos-vX.Y.Z"),
}


def find_cluster(client: civo_client.Client, wanted: str) -> dict[str, values.Json]:
    """Finds a cluster on the first page by id or name, or a part of one; case of names does not matter.

    Raises:
        CloudError: None or several match, or the list cannot be had.
    """
    listed = client.get(CLUSTERS)
    return civo_client.find(listed.get("items") or [], wanted, keys=("name", "id"), fold=("name",))


def taints(items: typing.Iterable[dict[str, values.Json]] | None) -> list[values.Json]:
    """Turns taints of a state into those of a request, or the other way round."""
    return [{"key": item.get("key"), "value": item.get("value", ""), "effect": item.get("effect")} for item in items or ()]


def wait_for_nodes(client: civo_client.Client, cluster: str, pool: str) -> None:
    """Looks every ten seconds until a pool has the nodes that it should have.

    Raises:
        Fault: They do not come in half an hour, or the cluster cannot be read.
    """

    def ready() -> bool:
        try:
            found = client.get(f"{CLUSTERS}/{cluster}")
        except civo_client.CloudError as error:
            raise sessions.Fault(f"error trying to read cluster state: {error}") from error
        required = _with_id(found.get("required_pools"), pool)
        running = _with_id(found.get("pools"), pool)
        active = all(node.get("status") == "ACTIVE" for node in running.get("instances") or ())
        return bool(active and required.get("count", 0) == running.get("count", 0))

    if not waiting.tick(client.patience, ready, every=_TICK, limit=_LONGEST):
        raise sessions.Fault(f"timeout waiting to create nodepool {pool}")


def _with_id(items: list[dict[str, values.Json]] | None, wanted: str) -> dict[str, values.Json]:
    return next((item for item in items or () if item.get("id") == wanted), {})


def _customize(client: civo_client.Client, data: planning.Data) -> None:
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


def _check_version(client: civo_client.Client, version: str, cluster_type: str) -> None:
    """Asks for the versions always, but only minds the format: so does the official plugin."""
    try:
        offered = client.get(_VERSIONS) or ()
    except civo_client.CloudError as error:
        failed = f"failed to get available Kubernetes versions: [ERR] error retrieving all versions: {error}"
        raise sessions.Fault(failed) from error
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


def _create(client: civo_client.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    body = _create_body(client, data)
    try:
        made = client.post(CLUSTERS, body)
    except civo_client.CloudError as error:
        text = str(error).replace("\n", " ")
        raise sessions.Fault(f"[ERR] failed to create the kubernetes cluster: {text}") from error
    data.id = str(made["id"])

    def state() -> str:
        return str(client.get(f"{CLUSTERS}/{data.id}").get("status", ""))

    try:
        waiting.await_state(client.patience, state, target="ACTIVE", pending=_PENDING, delay=3, least=3)
    except sessions.Fault as fault:
        raise sessions.Fault(f"error waiting for cluster ({data.id}) to be created: {fault}") from fault
    _read(client, data)


def _create_body(client: civo_client.Client, data: planning.Data) -> dict[str, values.Json]:
    try:
        network = data.get("networkId") or civo_network.default_network(client)
    except sessions.Fault as fault:
        raise sessions.Fault(f"[ERR] failed to get the default network: {fault}") from fault
    applications = data.get("applications")
    if applications and not _offers(client, applications):
        raise sessions.Fault(f"[ERR] the app that tries to install is not valid: {applications}")
    firewall = data.get("firewallId")
    try:
        found = civo_network.find_firewall(client, firewall)
    except civo_client.CloudError as error:
        raise sessions.Fault(f"[ERR] unable to find firewall - {error}") from error
    if found.get("network_id") != network:
        raise sessions.Fault(f"[ERR] firewall {found['id']} is not part of network {network}")
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
    return civo_client.compact(body)


def _pool_body(pool: dict[str, values.Json]) -> dict[str, values.Json]:
    known = values.known_or_null(pool)
    body = civo_client.compact(
        {
            "id": known.get("label") or str(uuid.uuid4()),
            "count": known.get("nodeCount"),
            "size": known.get("size"),
            "labels": known.get("labels"),
        }
    )
    body["taints"] = taints(known.get("taints")) or None
    return {**body, **civo_client.compact({"public_ip_node_pool": known.get("publicIpNodePool")})}


def _offers(client: civo_client.Client, applications: str) -> bool:
    """One known name anywhere in the text is enough."""
    try:
        return any(offered["name"] in applications for offered in client.get(_APPLICATIONS) or ())
    except civo_client.CloudError:
        return False


def _read(client: civo_client.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    try:
        found = client.get(f"{CLUSTERS}/{data.id}")
    except civo_client.CloudError:
        data.id = ""  # whatever the error was: so does the official plugin
        return
    data.set(**facts(found, region=client.region), pools=_default_pool(found.get("pools")))
    data.set(
        tags=" ".join(found.get("tags") or ()),
        kubeconfig=found.get("kubeconfig", "") if data.get("writeKubeconfig") else "",
    )


def facts(found: dict[str, values.Json], *, region: str) -> dict[str, values.Json]:
    """Returns what both the resource and the function show of a cluster."""
    return {
        "name": found.get("name", ""),
        "region": region,
        "networkId": found.get("network_id", ""),
        "numTargetNodes": found.get("num_target_nodes", 0),
        "targetNodesSize": found.get("target_nodes_size", ""),
        "kubernetesVersion": found.get("kubernetes_version", ""),
        "clusterType": found.get("cluster_type", ""),
        "cni": found.get("cni_plugin", ""),
        "status": found.get("status", ""),
        "ready": bool(found.get("ready")),
        "apiEndpoint": found.get("api_endpoint", ""),
        "masterIp": found.get("master_ip", ""),
        "dnsEntry": found.get("dns_entry", ""),
        "createdAt": values.go_time(found.get("created_at")),
        "firewallId": found.get("firewall_id", ""),
        "installedApplications": [
            {
                "application": item.get("name", ""),
                "version": item.get("version", ""),
                "installed": bool(item.get("installed")),
                "category": item.get("category", ""),
            }
            for item in found.get("installed_applications") or ()
        ],
    }


def pool_facts(pool: dict[str, values.Json]) -> dict[str, values.Json]:
    """Returns what is shown of a cluster's pool; its labels and taints never are."""
    return {
        "label": pool.get("id", ""),
        "nodeCount": pool.get("count", 0),
        "size": pool.get("size", ""),
        "instanceNames": pool.get("instance_names") or [],
        "publicIpNodePool": bool(pool.get("public_ip_node_pool")),
        "labels": {},
        "taints": [],
    }


def _default_pool(pools: list[dict[str, values.Json]] | None) -> values.Json:
    """Takes the first pool; an empty list is one thing that the official plugin does not survive."""
    if pools is None:
        return None
    if not pools:
        raise sessions.Crash
    return pool_facts(pools[0])


def _update(client: civo_client.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    if data.changed("networkId"):
        change = 'Network change ("network_id") for existing cluster is not available at this moment'
        raise sessions.Fault(f"[ERR] {change}")
    body = _update_body(client, data)
    try:
        client.put(f"{CLUSTERS}/{data.id}", civo_client.compact({**body, "region": client.region}))
    except civo_client.CloudError as error:
        raise sessions.Fault(f"[ERR] failed to update kubernetes cluster: {error}") from error
    try:
        wait_for_nodes(client, data.id, data.id)
    except sessions.Fault as fault:
        raise sessions.Fault(f"Error updating Kubernetes node pool: {fault}") from fault
    _read(client, data)


def _update_body(client: civo_client.Client, data: planning.Data) -> dict[str, values.Json]:
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
                client.get(f"{CLUSTERS}/{data.id}")
            except civo_client.CloudError as error:
                raise sessions.Fault(f"[ERR] failed to get kubernetes cluster: {error}") from error
    return body


def _changed_pools(client: civo_client.Client, data: planning.Data) -> list[values.Json]:
    before, after = (data.prior or {}).get("pools") or {}, data.get("pools") or {}
    if before.get("size") != after.get("size"):
        change = 'Size change ("size") for existing cluster is not available at this moment'
        raise sessions.Fault(f"[ERR] {change}")
    try:
        found = find_cluster(client, data.id)
    except civo_client.CloudError as error:
        raise sessions.Fault(f"[ERR] failed to find the kubernetes cluster: {error}") from error
    pools = [
        {
            **civo_client.compact({key: pool.get(key) for key in ("id", "count", "size", "labels")}),
            "taints": taints(pool.get("taints")) or None,
        }
        for pool in found.get("pools") or ()
    ]
    # A label that no pool has means the first pool.
    target = next((pool["id"] for pool in pools if pool["id"] == after.get("label")), "")
    for pool in pools:
        if target in pool["id"]:
            pool["count"] = after.get("nodeCount")
            break
    return pools


def _delete(client: civo_client.Client, data: planning.Data) -> None:
    client.use_region(data.get("region"))
    path = f"{CLUSTERS}/{data.id}"
    try:
        client.delete(path)
    except civo_client.CloudError as error:
        failed = f"[INFO] an error occurred while trying to delete the kubernetes cluster {error}"
        raise sessions.Fault(failed) from error

    def state() -> str:
        try:
            return str(client.get(path).get("status", ""))
        except civo_client.CloudError as error:
            if error.code == "database_kubernetes_cluster_not_found":
                return "DELETED"
            raise

    try:
        waiting.await_state(client.patience, state, target="DELETED", pending=("DELETING",), delay=10, least=5)
    except sessions.Fault as fault:
        raise sessions.Fault(f"error waiting for instance ({data.id}) to be deleted: {fault}") from fault


CLUSTER = package.Resource(table=tables.CLUSTER, create=_create, read=_read, update=_update, delete=_delete, customize=_customize)
