"""The worlds of the fault matrix: a cloud with resources, created once and restored for each cell, and views of its contents."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

from support import planton as support
from support import worlds

#: Each world contains the previous one.
WORLDS = ("nothing", "network", "cluster", "pool")
#: Resources that the clouds have from the start.
_DEFAULTS = ("default", "default-fra1", "default-lon1")
_LISTS = {"networks": ("network", "label"), "vpcs": ("network", "name"), "clusters": ("cluster", "name")}
_NOUNS = {
    "Network": "network",
    "Vpc": "network",
    "Firewall": "firewall",
    "KubernetesCluster": "cluster",
    "KubernetesNodePool": "pool",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Cloud:
    """The differences between the clouds.

    Attributes:
        name: Its name in the sandbox.
        network: The manifest of a network.
        cluster: The manifest of a cluster in it.
        pool: The manifest of a pool of the cluster.
        resources: The resources of each manifest: nouns and names in the cloud.
        pools: The last part of the path of a cluster's pools.
        limits: The account's limits: one that allows no new resource, and the default.
    """

    name: str
    network: dict[str, Any]
    cluster: dict[str, Any]
    pool: dict[str, Any]
    resources: dict[str, frozenset[tuple[str, str]]]
    pools: str
    limits: tuple[dict[str, int], dict[str, int]]


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
CLOUDS = {cloud.name: cloud for cloud in (CIVO, DIGITALOCEAN)}


_USER_FIELDS = (
    *("id", "name", "label", "region", "network_id", "vpc_uuid", "firewall_id", "tags", "labels", "version"),
    *("kubernetes_version", "cidr", "ip_range", "size", "count"),
)
#: Cloud, subject → another user's request for a resource with the same name and other properties.
_STRANGERS: dict[tuple[str, str], Callable[[dict[str, str]], tuple[str, dict[str, Any]]]] = {
    ("civo", "network"): lambda _: ("/networks", {"label": "net", "cidr_v4": "10.99.0.0/24"}),
    ("civo", "cluster"): lambda ids: (
        "/kubernetes/clusters",
        {
            "name": "dev",
            "network_id": ids["network"],
            "instance_firewall": ids["firewall"],
            "kubernetes_version": "1.30.5-k3s1",
            "pools": [{"id": "theirs", "count": 2, "size": "g4s.kube.medium"}],
        },
    ),
    ("civo", "pool"): lambda ids: (
        f"/kubernetes/clusters/{ids['cluster']}/pools",
        {"id": "workers", "count": 1, "size": "g4s.kube.large"},
    ),
    ("digitalocean", "network"): lambda _: ("/vpcs", {"name": "net", "region": "lon1", "ip_range": "10.240.0.0/20"}),
    ("digitalocean", "cluster"): lambda ids: (
        "/kubernetes/clusters",
        {
            "name": "dev",
            "region": "fra1",
            "version": "1.33.1-do.0",
            "vpc_uuid": ids["network"],
            "node_pools": [{"name": "theirs", "size": "s-2vcpu-4gb", "count": 2}],
        },
    ),
    ("digitalocean", "pool"): lambda ids: (
        f"/kubernetes/clusters/{ids['cluster']}/node_pools",
        {"name": "workers", "size": "s-4vcpu-8gb", "count": 1},
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
        things: set[Thing] = set()
        answer = self.user.sandbox.control.resources(self.cloud.name)
        # DigitalOcean's clients do not see a cluster that is being deleted.
        answer["clusters"] = [each for each in answer["clusters"] if each["status"] != "deleting"]
        for list_, (noun, field) in _LISTS.items():
            things |= {Thing(noun, each[field], each["id"]) for each in answer.get(list_, ()) if not each.get("default")}
        things |= {Thing("firewall", each["name"], each["id"]) for each in answer["firewalls"] if not each.get("hidden")}
        for cluster in answer["clusters"]:
            pools = cluster.get("node_pools") or cluster["pools"]
            things |= {_pool(each) for each in pools if (each.get("name") or each["id"]) == "workers"}
        return frozenset(each for each in things if each.name not in _DEFAULTS)

    def of_name(self, subject: str) -> list[dict[str, Any]]:
        """Returns the entries with the name of a manifest in the cloud's list, without fields that change over time."""
        [(_, name)] = [each for each in self.cloud.resources[subject] if each[0] == subject]
        answer = self.user.sandbox.control.resources(self.cloud.name)
        entries = {
            "network": answer.get("networks") or answer.get("vpcs") or [],
            "cluster": answer["clusters"],
            "pool": [pool for each in answer["clusters"] for pool in each.get("node_pools") or each["pools"]],
        }[subject]
        return [_user_fields(each) for each in entries if name in (each.get("label"), each.get("name"), each["id"])]

    def intrude(self, subject: str) -> dict[str, Any] | None:
        """Creates another user's resource with the name of a manifest, and returns its entry, or None if the name is taken."""
        before = {each["id"] for each in self.of_name(subject)}
        if not self._create(*_STRANGERS[self.cloud.name, subject](self._ids())):
            return None
        [created] = [each for each in self.of_name(subject) if each["id"] not in before]
        return created

    def _ids(self) -> dict[str, str]:
        answer = self.user.sandbox.control.resources(self.cloud.name)
        networks = [*(answer.get("networks") or []), *(answer.get("vpcs") or [])]
        network = next((each["id"] for each in networks if "net" in (each.get("label"), each.get("name"))), "")
        cluster = next((each["id"] for each in answer["clusters"]), "")
        firewall = next((each["id"] for each in answer["firewalls"] if each.get("network_id") == network), "")
        return {"network": network, "cluster": cluster, "firewall": firewall}

    def _create(self, path: str, body: dict[str, Any]) -> bool:
        sandbox = self.user.sandbox
        body = {"region": "LON1", **body} if self.cloud.name == "civo" else body
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {sandbox.info.tokens[self.cloud.name]}"}
        url = f"{sandbox.info.clouds[self.cloud.name]}/v2{path}"
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


def _user_fields(entry: dict[str, Any]) -> dict[str, Any]:
    # The fields that a user sets, and not those that change while a cluster is created.
    pools = entry.get("node_pools") or entry.get("pools") or []
    return {key: entry[key] for key in _USER_FIELDS if key in entry} | {"pools": [_user_fields(each) for each in pools]}


def _pool(each: dict[str, Any]) -> Thing:
    labels = each.get("labels") or {}
    return Thing("pool", each.get("name") or each["id"], each["id"], each["count"], str(labels.get("tier", "")))


def _stack(resource: dict[str, Any]) -> str:
    return str(resource["urn"]).split("::", 1)[0]


def _of_state(resource: dict[str, Any], size: int | None) -> Thing:
    noun = _NOUNS[resource["type"].rsplit(":", 1)[-1]]
    inputs, outputs = resource.get("inputs") or {}, resource.get("outputs") or {}
    name = str(inputs.get("label") or inputs.get("name"))
    if noun != "pool":
        return Thing(noun, name, resource["id"])
    labels = outputs.get("labels") or {}
    return Thing(noun, name, resource["id"], int(outputs["nodeCount"] if size is None else size), str(labels.get("tier", "")))


@contextlib.contextmanager
def applied(made: worlds.Worlds, cloud: Cloud, name: str) -> Iterator[World]:
    """Gives a world: ``nothing``, a ``network``, a ``cluster`` in it, or also a ``pool``."""
    manifests = [getattr(cloud, each) for each in WORLDS[1 : WORLDS.index(name) + 1]]
    with made.applied(*manifests) as user:
        yield World(user, cloud)
