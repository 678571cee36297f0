"""The worlds of the fault matrix: a cloud with resources, created once and restored for each cell, and views of its contents."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from support import planton as support
from support import worlds

#: Each world contains the previous one.
WORLDS = ("nothing", "network", "cluster", "pool")
#: Resources that the clouds have from the start.
_DEFAULTS = ("default", "default-fra1", "default-lon1")
_NOUNS = {
    "Network": "network",
    "Vpc": "network",
    "Firewall": "firewall",
    "KubernetesCluster": "cluster",
    "KubernetesNodePool": "pool",
    "Cluster": "cluster",
    "NodePool": "pool",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Cloud:
    """The differences between the clouds.

    Attributes:
        name: Its name in the sandbox.
        network: The manifest of a network; None for a cloud whose networks planton does not create.
        cluster: The manifest of a cluster in it.
        pool: The manifest of a pool of the cluster.
        resources: The resources of each manifest: nouns and names in the cloud.
        pools: The last part of the path of a cluster's pools.
        limits: The account's limits: one that allows no new resource, and the default.
        clusters: The path of the clusters, as a regular expression.
        requests: Operation → the method and the path of its request, if they are not those of the other clouds.
        labels: The field of a pool's labels.
    """

    name: str
    network: dict[str, Any] | None
    cluster: dict[str, Any]
    pool: dict[str, Any]
    resources: dict[str, frozenset[tuple[str, str]]]
    pools: str
    limits: tuple[dict[str, Any], dict[str, Any]]
    clusters: str = "/v2/kubernetes/clusters"
    requests: Mapping[str, tuple[str, str]] = dataclasses.field(default_factory=dict)
    labels: str = "labels"

    @property
    def subjects(self) -> tuple[str, ...]:
        """The manifests, in the order of their creation."""
        return tuple(each for each in WORLDS[1:] if getattr(self, each) is not None)

    def request(self, operation: str, method: str, path: str) -> tuple[str, str]:
        """Returns the method and the path of an operation's request, with the cloud's words for CLUSTERS and POOLS."""
        method, path = self.requests.get(operation, (method, path))
        return method, path.replace("CLUSTERS", self.clusters).replace("POOLS", self.pools)


_RESOURCES = {
    "network": frozenset({("network", "net")}),
    "cluster": frozenset({("cluster", "dev")}),
    "pool": frozenset({("pool", "workers")}),
}
CIVO = Cloud(
    "civo",
    support.network(),
    support.cluster(),
    support.pool(),
    _RESOURCES | {"cluster": _RESOURCES["cluster"] | {("firewall", "dev-firewall")}},
    "pools",
    ({"instance_count": 0}, {"instance_count": 200}),
)
DIGITALOCEAN = Cloud(
    "digitalocean",
    support.manifest("DigitalOceanVpc", "net", region="fra1"),
    support.manifest(
        "DigitalOceanKubernetesCluster",
        "dev",
        clusterName="dev",
        region="fra1",
        kubernetesVersion="1.33.1-do.0",
        vpc={"valueFrom": {"name": "net"}},
        defaultNodePool={"size": "s-1vcpu-2gb", "nodeCount": 1},
    ),
    support.manifest(
        "DigitalOceanKubernetesNodePool",
        "workers",
        nodePoolName="workers",
        cluster={"valueFrom": {"name": "dev"}},
        size="s-2vcpu-4gb",
        nodeCount=3,
    ),
    _RESOURCES,
    "node_pools",
    ({"droplet_limit": 0}, {"droplet_limit": 100}),
)
_PROJECT, _ZONE = "sandbox-project", "europe-west1-b"
_READ_OF_POOL = ("GET", "CLUSTERS/[^/]+(/POOLS(/[^/]+)?)?$")
GCP = Cloud(
    "gcp",
    None,
    support.manifest(
        "GcpGkeCluster",
        "dev",
        projectId={"value": _PROJECT},
        location=_ZONE,
        networkSelfLink={"value": f"projects/{_PROJECT}/global/networks/default"},
        subnetworkSelfLink={"value": f"projects/{_PROJECT}/regions/europe-west1/subnetworks/default"},
        clusterSecondaryRangeName={"value": "pods"},
        servicesSecondaryRangeName={"value": "services"},
        masterIpv4CidrBlock="172.16.0.0/28",
        releaseChannel="REGULAR",
        clusterName="dev",
        masterAuthorizedNetworks=["127.0.0.0/8"],
    ),
    support.manifest(
        "GcpGkeNodePool",
        "workers",
        clusterProjectId={"valueFrom": {"name": "dev"}},
        clusterName={"valueFrom": {"name": "dev"}},
        clusterLocation={"valueFrom": {"name": "dev"}},
        nodePoolName="workers",
        machineType="e2-medium",
        nodeCount=3,
    ),
    _RESOURCES | {"network": frozenset()},
    "nodePools",
    ({"region": "europe-west1", "CPUS": 0}, {"region": "europe-west1", "CPUS": 200}),
    clusters="/v1beta1/projects/[^/]+/locations/[^/]+/clusters",
    requests={
        "scale a pool": ("POST", "CLUSTERS/[^/]+/POOLS/[^/]+:setSize$"),
        "refresh": _READ_OF_POOL,
        "drift": _READ_OF_POOL,
    },
    labels="nodeLabels",
)
CLOUDS = {cloud.name: cloud for cloud in (CIVO, DIGITALOCEAN, GCP)}


_USER_FIELDS = (
    *("id", "name", "label", "region", "network_id", "vpc_uuid", "firewall_id", "tags", "labels", "version"),
    *("kubernetes_version", "cidr", "ip_range", "size", "count"),
)
#: Cloud, subject → another user's request for a resource with the same name and other properties.
_STRANGERS: dict[tuple[str, str], Callable[[dict[str, str]], tuple[str, dict[str, Any]]]] = {
    ("civo", "network"): lambda _: ("/v2/networks", {"label": "net", "cidr_v4": "10.99.0.0/24"}),
    ("civo", "cluster"): lambda ids: (
        "/v2/kubernetes/clusters",
        {
            "name": "dev",
            "network_id": ids["network"],
            "instance_firewall": ids["firewall"],
            "kubernetes_version": "1.30.5-k3s1",
            "pools": [{"id": "theirs", "count": 2, "size": "g4s.kube.medium"}],
        },
    ),
    ("civo", "pool"): lambda ids: (
        f"/v2/kubernetes/clusters/{ids['cluster']}/pools",
        {"id": "workers", "count": 1, "size": "g4s.kube.large"},
    ),
    ("digitalocean", "network"): lambda _: ("/v2/vpcs", {"name": "net", "region": "lon1", "ip_range": "10.240.0.0/20"}),
    ("digitalocean", "cluster"): lambda ids: (
        "/v2/kubernetes/clusters",
        {
            "name": "dev",
            "region": "fra1",
            "version": "1.33.1-do.0",
            "vpc_uuid": ids["network"],
            "node_pools": [{"name": "theirs", "size": "s-2vcpu-4gb", "count": 2}],
        },
    ),
    ("digitalocean", "pool"): lambda ids: (
        f"/v2/kubernetes/clusters/{ids['cluster']}/node_pools",
        {"name": "workers", "size": "s-4vcpu-8gb", "count": 1},
    ),
    ("gcp", "cluster"): lambda _: (
        f"/v1/projects/{_PROJECT}/locations/{_ZONE}/clusters",
        {"cluster": {"name": "dev", "nodePools": [{"name": "theirs", "initialNodeCount": 2}]}},
    ),
    ("gcp", "pool"): lambda ids: (
        f"/v1/{ids['cluster']}/nodePools",
        {"nodePool": {"name": "workers", "initialNodeCount": 1, "config": {"machineType": "e2-standard-2"}}},
    ),
}


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Thing:
    """A resource in a cloud or a state.

    Attributes:
        noun: ``network``, ``firewall``, ``cluster`` or ``pool``.
        name: Its name in the cloud.
        id: Its ID in the cloud.
        size: The number of nodes of a pool; 0 for other resources.
        tier: The label of a pool that the matrix changes.
    """

    noun: str
    name: str
    id: str
    size: int = 0
    tier: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """The noun and the name."""
        return self.noun, self.name

    def __str__(self) -> str:
        """Returns noun and name, for the table."""
        return f"{self.noun} {self.name}"


@dataclasses.dataclass(frozen=True, slots=True)
class World:
    """A user, a cloud, and views of their resources."""

    user: support.Planton
    cloud: Cloud

    def in_cloud(self) -> frozenset[Thing]:
        """Returns the resources of the cloud without its defaults; the pools of a cluster's manifest are part of the cluster."""
        listed = ((noun, each) for noun, each in self._listed() if noun != "pool" or _name(each) == "workers")
        things = (_pool(each) if noun == "pool" else Thing(noun, _name(each), each["id"]) for noun, each in listed)
        return frozenset(each for each in things if each.name not in _DEFAULTS)

    def of_name(self, subject: str) -> list[dict[str, Any]]:
        """Returns the entries with the name of a manifest in the cloud's list, without fields that change over time."""
        [(_, name)] = [each for each in self.cloud.resources[subject] if each[0] == subject]
        return [_user_fields(each) for noun, each in self._listed() if noun == subject and _name(each) == name]

    def _listed(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yields noun and entry of each resource of the cloud."""
        answer = self.user.sandbox.control.resources(self.cloud.name)
        for network in [*answer.get("networks", ()), *answer.get("vpcs", ())]:
            if not network.get("default"):
                yield "network", network
        for firewall in answer.get("firewalls", ()):
            if not firewall.get("hidden"):
                yield "firewall", firewall
        for cluster in answer["clusters"]:
            # DigitalOcean's clients do not see a cluster that is being deleted.
            if cluster["status"] == "deleting":
                continue
            if "location" not in cluster:
                yield "cluster", cluster
                yield from (("pool", pool) for pool in cluster.get("node_pools") or cluster["pools"])
                continue
            # At Google Cloud, paths identify.
            path = f"projects/{cluster['project']}/locations/{cluster['location']}/clusters/{cluster['name']}"
            yield "cluster", {**cluster, "id": path}
            for pool in cluster["pools"]:
                count = sum(pool["targets"].values())
                yield "pool", {**pool, "id": f"{path}/nodePools/{pool['name']}", "count": count}

    def intrude(self, subject: str) -> dict[str, Any] | None:
        """Creates another user's resource with the name of a manifest, and returns its entry, or None if the name is taken."""
        before = {each["id"] for each in self.of_name(subject)}
        if not self._create(*_STRANGERS[self.cloud.name, subject](self._ids())):
            return None
        [created] = [each for each in self.of_name(subject) if each["id"] not in before]
        return created

    def _ids(self) -> dict[str, str]:
        listed = list(self._listed())
        network = next((each["id"] for noun, each in listed if noun == "network" and _name(each) == "net"), "")
        cluster = next((each["id"] for noun, each in listed if noun == "cluster"), "")
        firewalls = (each for noun, each in listed if noun == "firewall")
        firewall = next((each["id"] for each in firewalls if each.get("network_id") == network), "")
        return {"network": network, "cluster": cluster, "firewall": firewall}

    def _create(self, path: str, body: dict[str, Any]) -> bool:
        sandbox = self.user.sandbox
        body = {"region": "LON1", **body} if self.cloud.name == "civo" else body
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {sandbox.info.tokens[self.cloud.name]}"}
        url = f"{sandbox.info.clouds[self.cloud.name]}{path}"
        request = urllib.request.Request(url, data=json.dumps(body).encode(), headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=20):
                return True
        except urllib.error.HTTPError as error:
            error.close()
            return False

    def in_states(self) -> frozenset[Thing]:
        """Returns the resources in the states."""
        resources = list(self._resources("resources"))
        # The number of nodes is a separate resource if the plugin cannot change it.
        sizes = {_stack(each): each["outputs"]["node_count"] for each in resources if each["urn"].endswith("::node_pool_size")}
        return frozenset(
            _of_state(each, sizes.get(_stack(each)))
            for each in resources
            if each.get("custom") and each.get("id") and each["type"].startswith(f"{self.cloud.name}:")
        )

    def pending(self) -> list[str]:
        """Returns the operations that the engine has recorded as pending."""
        return [f"{each['type']} {each['resource']['urn'].rsplit('::', 1)[-1]}" for each in self._resources("pending_operations")]

    def _resources(self, part: str) -> Iterator[dict[str, Any]]:
        for path in sorted((self.user.folder / "data" / "state" / ".pulumi" / "stacks").glob("*/*.json")):
            yield from (json.loads(path.read_text("utf-8"))["checkpoint"].get("latest") or {}).get(part) or ()

    def open_records(self) -> list[dict[str, Any]]:
        """Returns the records of operations that have not ended cleanly."""
        records = sorted((self.user.folder / "data" / "runs").glob("*.json"))
        return [json.loads(path.read_text("utf-8")) for path in records]

    def creations(self, since: int, path: str, *, lost: bool) -> int:
        """Returns the number of successful creations since a mark, by the end of their path.

        Args:
            since: The mark.
            path: The end.
            lost: Whether creations without a response count.
        """
        logged = self.user.sandbox.control.requests(since, self.cloud.name)
        posts = [each for each in logged if each["method"] == "POST" and re.search(path, each["path"])]
        return sum(each["status"] in range(200, 300) or (lost and each["fault"] > 0) for each in posts)


def _name(entry: dict[str, Any]) -> str:
    return str(entry.get("label") or entry.get("name") or entry["id"])


def _user_fields(entry: dict[str, Any]) -> dict[str, Any]:
    # The fields that a user sets, and not those that change while a cluster is created.
    pools = entry.get("node_pools") or entry.get("pools") or []
    return {key: entry[key] for key in _USER_FIELDS if key in entry} | {"pools": [_user_fields(each) for each in pools]}


def _pool(each: dict[str, Any]) -> Thing:
    labels = each.get("labels") or {}
    return Thing("pool", _name(each), each["id"], each["count"], str(labels.get("tier", "")))


def _stack(resource: dict[str, Any]) -> str:
    return str(resource["urn"]).split("::", 1)[0]


def _of_state(resource: dict[str, Any], size: int | None) -> Thing:
    noun = _NOUNS[resource["type"].rsplit(":", 1)[-1]]
    inputs, outputs = resource.get("inputs") or {}, resource.get("outputs") or {}
    name = str(inputs.get("label") or inputs.get("name"))
    if noun != "pool":
        return Thing(noun, name, resource["id"])
    labels = outputs.get("labels") or (outputs.get("nodeConfig") or {}).get("labels") or {}
    return Thing(noun, name, resource["id"], int(outputs["nodeCount"] if size is None else size), str(labels.get("tier", "")))


@contextlib.contextmanager
def applied(made: worlds.Worlds, cloud: Cloud, name: str) -> Iterator[World]:
    """Gives a world: ``nothing``, a ``network``, a ``cluster`` in it, or also a ``pool``."""
    manifests = [getattr(cloud, each) for each in cloud.subjects if WORLDS.index(each) <= WORLDS.index(name)]
    with made.applied(*manifests) as user:
        yield World(user, cloud)
