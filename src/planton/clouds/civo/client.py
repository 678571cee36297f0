"""Requests to Civo's API (docs/use/drift-and-recovery.md gives the reasons)."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import time
import urllib.parse
from typing import TYPE_CHECKING, Any, ClassVar

from planton import errors
from planton.clouds import api, associated, entries
from planton.clouds.civo import prices, views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from planton.clouds import answers

_NETWORK = "civo:index/network:Network"
_FIREWALL = "civo:index/firewall:Firewall"
_CLUSTER = "civo:index/kubernetesCluster:KubernetesCluster"
_NODE_POOL = "civo:index/kubernetesNodePool:KubernetesNodePool"
_DEFAULT_ENDPOINT = "https://api.civo.com"
#: Sort of leftover → path of its list.
_LEFTOVERS = {
    associated.VOLUME: "/v2/volumes",
    associated.LOAD_BALANCER: "/v2/loadbalancers",
    associated.ADDRESS: "/v2/ips",
}
#: Seconds before each retry of a deletion, because a volume stays attached for a while after its cluster is deleted.
_DELETION_WAITS = (1.0, 2.0, 4.0, 8.0)
#: Subject of a quota → prefix of its fields.
_QUOTAS = {
    "nodes": "instance_count",
    "cpus": "cpu_core",
    "memory": "ram_mb",
    "disk": "disk_gb",
    "networks": "network_count",
    "firewalls": "security_group",
}


@api.checked
@dataclasses.dataclass(frozen=True, slots=True)
class Cloud:
    """An account in a region.

    Attributes:
        token: The API token.
        region: The cloud's code, upper case; empty for requests that need none.
        endpoint: The API's address; empty for the public cloud.
        wait: Sleeps so many seconds, if the cloud requests a later retry.
        answers: The cached responses of this run; None to send each request.
    """

    PROVIDER: ClassVar = "civo"

    token: str = dataclasses.field(repr=False)
    region: str
    endpoint: str = ""
    wait: Callable[[float], None] = dataclasses.field(default=time.sleep, repr=False, compare=False)
    answers: answers.Answers | None = dataclasses.field(default=None, repr=False, compare=False)

    @property
    def account(self) -> Cloud:
        """The account without its region, for lists that are the same in all regions."""
        return dataclasses.replace(self, region="")

    @property
    def where(self) -> str:
        """The region."""
        return self.region

    @property
    def address(self) -> str:
        """The API's address."""
        return (self.endpoint or _DEFAULT_ENDPOINT).rstrip("/")

    def get(self, path: str) -> Any:  # JSON data
        """Returns the answer to a GET, or None if the cloud answers "not found".

        Raises:
            PlantonError: ``CLOUD_AUTH``; ``CLOUD_FAILED``; ``CLOUD_UNREACHABLE`` (`api.get`).
        """
        query = urllib.parse.urlencode({"region": self.region})
        url = f"{self.address}{path}{'&' if '?' in path else '?'}{query}"
        send = functools.partial(
            api.get, url, authorization=f"bearer {self.token}", path=path, missing="not_found", wait=self.wait
        )
        return send() if self.answers is None else self.answers.get((self.token, url), send)

    def networks(self) -> list[dict[str, Any]]:
        """Returns the networks: id, label, cidr."""
        return list(self.get("/v2/networks") or [])

    def firewalls(self) -> list[dict[str, Any]]:
        """Returns the firewalls: id, name, network_id."""
        return list(self.get("/v2/firewalls") or [])

    def clusters(self) -> list[dict[str, Any]]:
        """Returns the clusters of all pages: id, name, status, tags; none if the region does not exist."""
        return self._unless_region_is_missing(lambda: self._pages("/v2/kubernetes/clusters"))

    def _pages(self, path: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        page, pages = 1, 1
        while page <= pages:
            answer = self.get(f"{path}?page={page}&per_page=100") or {}
            rows += answer.get("items") or []
            pages = min(int(answer.get("pages") or 1), api.MOST_PAGES)
            page += 1
        return rows

    def cluster(self, id_: str) -> dict[str, Any] | None:
        """Returns a cluster with its pools, or None."""
        cluster: dict[str, Any] | None = self.get(f"/v2/kubernetes/clusters/{urllib.parse.quote(id_, safe='')}")
        return cluster

    def create_pool(self, cluster_id: str, body: Mapping[str, Any]) -> None:
        """Creates a pool in a cluster; its ``id`` is its name.

        Raises:
            PlantonError: ``CLOUD_AUTH``; ``CLOUD_FAILED``; ``CLOUD_UNREACHABLE`` (`api.post`).
        """
        path = f"/v2/kubernetes/clusters/{urllib.parse.quote(cluster_id, safe='')}/pools"
        url = f"{self.address}{path}"
        api.post(url, {**body, "region": self.region}, authorization=f"bearer {self.token}", path=path)

    def remove_node(self, cluster_id: str, pool_id: str, name: str, *, replace: bool = False) -> bool:
        """Removes a node from a pool by its name, or recycles it. Returns whether the pool had it.

        Raises:
            PlantonError: ``CLOUD_AUTH``; ``CLOUD_FAILED``; ``CLOUD_UNREACHABLE``.
        """
        pool = self.pool(cluster_id, pool_id) or {}
        nodes = [row for row in pool.get("instances") or () if row["hostname"] == name and not _is_being_deleted(row)]
        if not nodes:
            return False
        path = f"/v2/kubernetes/clusters/{urllib.parse.quote(cluster_id, safe='')}"
        token = f"bearer {self.token}"
        if replace:
            body = {"hostname": name, "region": self.region}
            api.post(f"{self.address}{path}/recycle", body, authorization=token, path=f"{path}/recycle")
            return True
        pool_path, own = urllib.parse.quote(pool_id, safe=""), urllib.parse.quote(nodes[0]["id"], safe="")
        path = f"{path}/pools/{pool_path}/instances/{own}"
        query = urllib.parse.urlencode({"region": self.region})
        return api.delete(f"{self.address}{path}?{query}", authorization=token, path=path)

    def building(self, cluster_id: str) -> bool:
        """Returns whether a cluster exists and is being created, upgraded or scaled."""
        return (self.cluster(cluster_id) or {}).get("status") in ("BUILDING", "UPGRADING", "SCALING")

    def pool(self, cluster_id: str, pool_id: str) -> dict[str, Any] | None:
        """Returns a pool, or None if it or its cluster does not exist."""
        cluster = self.cluster(cluster_id)
        pools = (cluster or {}).get("pools") or []
        return next((pool for pool in pools if pool["id"] == pool_id), None)

    def exists(self, type_: str, id_: str, cluster_id: str = "") -> bool:
        """Returns whether a resource of a Pulumi type is in the cloud."""
        if type_ == _CLUSTER:
            return self.cluster(id_) is not None
        if type_ == _NODE_POOL:
            return self.pool(cluster_id, id_) is not None
        if type_ == _NETWORK:
            # A list may omit a network for a moment. "Not found" for its id is reliable.
            return self.get(f"/v2/networks/{urllib.parse.quote(id_, safe='')}") is not None
        return any(entry["id"] == id_ for entry in self.firewalls())

    def find(self, type_: str, name: str, cluster_id: str = "") -> str | None:
        """Returns the import id of a resource of a Pulumi type by its exact name, or None."""
        if type_ == _NODE_POOL:
            return f"{cluster_id}:{name}" if cluster_id and self.pool(cluster_id, name) else None
        listed, field = {
            _CLUSTER: (self.clusters, "name"),
            _NETWORK: (self.networks, "label"),
            _FIREWALL: (self.firewalls, "name"),
        }[type_]
        ids = [str(entry["id"]) for entry in self._unless_region_is_missing(listed) if entry[field] == name]
        return ids[0] if len(ids) == 1 else None

    def raw_list(self, type_: str) -> list[dict[str, Any]]:
        """Returns the whole list of networks, firewalls or clusters by their Pulumi type, as the API returns it."""
        return {_NETWORK: self.networks, _FIREWALL: self.firewalls, _CLUSTER: self.clusters}[type_]()

    def names(self, noun: str) -> list[str]:
        """Returns the names of all ``network``s, ``firewall``s or ``cluster``s, sorted."""
        if noun == "network":
            return sorted(entry["label"] for entry in self.networks())
        if noun == "firewall":
            return sorted(entry["name"] for entry in self.firewalls())
        return sorted(entry["name"] for entry in self.clusters())

    def _unless_region_is_missing(self, listed: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        # An unknown region has no resources. This does not prove that an id no longer exists: a region may be withdrawn from an
        # account that has resources in it.
        try:
            return listed()
        except errors.PlantonError:
            codes = [row["region"] for row in self.account.regions()]
            if not codes or self.region in codes:
                raise
            return []

    def listed(self, noun: str) -> list[entries.Entry]:
        """Returns the ``network``s, ``firewall``s or ``cluster``s of the region, with the node pools of clusters."""
        region = self.region.lower()
        if noun == "network":
            return [
                entries.Entry(
                    row["id"],
                    row["label"],
                    region,
                    row.get("cidr") or "",
                    is_being_deleted=_is_being_deleted(row),
                    is_default=bool(row.get("default")),
                )
                for row in self.networks()
            ]
        if noun == "firewall":
            return [
                entries.Entry(row["id"], row["name"], region, network=row.get("network_id") or "") for row in self.firewalls()
            ]
        return [_cluster(row, region) for row in self.clusters()]

    def upgrades(self, _cluster_id: str) -> list[str] | None:
        """Returns None: the cloud does not report which versions a cluster can be upgraded to."""
        return None

    def quotas(self) -> dict[str, entries.Quota]:
        """Returns the account's quotas by subject: nodes, cpus, memory in MiB, disk in GiB, networks, firewalls."""
        answer = self.get("/v2/quota") or {}
        return {
            subject: entries.Quota(int(answer[f"{field}_usage"]), int(answer[f"{field}_limit"]))
            for subject, field in _QUOTAS.items()
            if answer.get(f"{field}_limit") is not None and answer.get(f"{field}_usage") is not None
        }

    def pool_import_id(self, cluster_id: str, text: str) -> str:
        """Returns the import id of a pool, which is named by its cluster and its name."""
        return text if ":" in text else f"{cluster_id}:{text}"

    def versions(self) -> list[dict[str, Any]]:
        """Returns the Kubernetes versions on offer: version, type, channel, default."""
        fields = {"version": "version", "type": "clusterType", "channel": "type", "default": "default"}
        return _rows(self.get("/v2/kubernetes/versions"), fields)

    def sizes(self) -> list[dict[str, Any]]:
        """Returns the node sizes on offer: size, cpus, memory in MiB, disk in GiB, price in US dollars per month.

        The cloud reports neither prices, which come from a table, nor regions.
        """
        fields = {"size": "name", "cpus": "cpu_cores", "memory": "ram_mb", "disk": "disk_gb", "price": "", "regions": "regions"}
        selectable = [row for row in self.get("/v2/sizes") or [] if row.get("selectable") is not False]
        rows = [row for row in _rows(selectable, fields) if ".kube." in str(row["size"])]
        return [row | {"price": prices.PRICES.monthly.get(row["size"])} for row in rows]

    def regions(self) -> list[dict[str, Any]]:
        """Returns the regions: region, name, country, full."""
        fields = {"region": "code", "name": "name", "country": "country_name", "full": "out_of_capacity"}
        return _rows(self.get("/v2/regions"), fields)

    def network_regions(self) -> list[str]:
        """Returns the names of the regions in which networks can be created."""
        return [row["region"] for row in self.regions()]

    def leftovers(self, cluster_id: str) -> list[associated.Item]:
        """Returns the volumes and load balancers of a cluster's workloads, and the reserved addresses of these, sorted."""
        items = [
            associated.item(sort, entry, prices.leftover(sort, entry))
            for sort in (associated.VOLUME, associated.LOAD_BALANCER)
            for entry in self.get(_LEFTOVERS[sort]) or []
            if entry.get("cluster_id") == cluster_id
        ]
        balancers = {item.id for item in items if item.sort == associated.LOAD_BALANCER}
        # Each address is assigned to a load balancer or to a machine.
        reserved = self._pages(_LEFTOVERS[associated.ADDRESS]) if balancers else []
        own = [row for row in reserved if (row.get("assigned_to") or {}).get("id") in balancers]
        return sorted([*items, *(associated.item(associated.ADDRESS, row | {"name": row["ip"]}) for row in own)])

    @contextlib.contextmanager
    def deleting_leftovers(self, _cluster_id: str, items: tuple[associated.Item, ...]) -> Iterator[None]:
        """Deletes items one by one after the block, which deletes their cluster.

        Raises:
            PlantonError: The cloud refuses, or did not answer; the error names the remaining items.
        """
        yield
        failures = {}
        for item in items:
            try:
                self._delete(f"{_LEFTOVERS[item.sort]}/{urllib.parse.quote(item.id, safe='')}")
            except errors.PlantonError as error:
                failures[item] = error
        if failures:
            first = next(iter(failures.values()))
            raise associated.not_deleted(failures, first.message, reason=first.reason)

    def _delete(self, path: str) -> None:
        url = f"{self.address}{path}?{urllib.parse.urlencode({'region': self.region})}"
        for pause in (*_DELETION_WAITS, None):
            try:
                api.delete(url, authorization=f"bearer {self.token}", path=path)
            except errors.PlantonError as error:
                if pause is None or error.reason is errors.Reason.CLOUD_AUTH:
                    raise
                self.wait(pause)
            else:
                return

    def api_server_rule(self, cluster_id: str) -> str:
        """Returns the rule of a cluster's firewall for its API server, as text; empty if the firewall is unknown."""
        id_ = (self.cluster(cluster_id) or {}).get("firewall_id")
        firewall = next((each for each in self.firewalls() if each["id"] == id_), None)
        return "" if firewall is None else views.api_server_rule(firewall)

    def credential(self, cluster_id: str) -> api.Credential | None:
        """Returns the credential of a cluster, which does not expire; None if the cluster or its kubeconfig does not exist yet."""
        kubeconfig = (self.cluster(cluster_id) or {}).get("kubeconfig")
        return api.credential(kubeconfig) if kubeconfig else None


def _rows(answer: Any, fields: dict[str, str]) -> list[dict[str, Any]]:  # JSON data
    return [{name: row.get(field) for name, field in fields.items()} for row in answer or []]


def _is_being_deleted(row: dict[str, Any]) -> bool:
    return str(row.get("status")).lower() == "deleting"


def _cluster(row: dict[str, Any], region: str) -> entries.Entry:
    return entries.Entry(
        row["id"],
        row["name"],
        region,
        network=row.get("network_id") or "",
        firewall=row.get("firewall_id") or "",
        version=row.get("kubernetes_version") or "",
        is_being_deleted=_is_being_deleted(row),
        pools=tuple(entries.Entry(pool["id"], pool["id"], region) for pool in row.get("pools") or ()),
    )


def of(config: Any, region: str = "") -> Cloud:  # a CivoProviderConfig
    """Returns the cloud of a provider config, in a region or else in the config's default."""
    field = config.DESCRIPTOR.fields_by_name["default_region"]
    default = field.enum_type.values_by_number[config.default_region].name if config.default_region else ""
    return Cloud(config.api_token, (region or default).upper(), config.api_endpoint)
