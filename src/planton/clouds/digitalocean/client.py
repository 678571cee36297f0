"""Requests to DigitalOcean's API (docs/use/drift-and-recovery.md gives the reasons)."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import time
import urllib.parse
from typing import TYPE_CHECKING, Any, ClassVar

import yaml

from planton import errors
from planton.clouds import api, associated, entries
from planton.clouds.digitalocean import prices

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from planton.clouds import answers

_DEFAULT_ENDPOINT = "https://api.digitalocean.com"
_PAGE = 200
_NETWORK = "digitalocean:index/vpc:Vpc"
_CLUSTER = "digitalocean:index/kubernetesCluster:KubernetesCluster"
_NODE_POOL = "digitalocean:index/kubernetesNodePool:KubernetesNodePool"
#: Pulumi type → path of the list, and its name in the answer.
_LISTS = {_NETWORK: ("/v2/vpcs", "vpcs"), _CLUSTER: ("/v2/kubernetes/clusters", "kubernetes_clusters")}


#: Sort of leftover → its name in answers and requests.
_LEFTOVERS = {
    associated.VOLUME: "volumes",
    associated.SNAPSHOT: "volume_snapshots",
    associated.LOAD_BALANCER: "load_balancers",
}
#: Sort of leftover → path of the list that has what its price depends on, and its name in the answer.
_PRICED = {
    associated.VOLUME: ("/v2/volumes", "volumes"),
    associated.SNAPSHOT: ("/v2/snapshots", "snapshots"),
    associated.LOAD_BALANCER: ("/v2/load_balancers", "load_balancers"),
}


@api.checked
@dataclasses.dataclass(frozen=True, slots=True)
class Cloud:
    """An account.

    Attributes:
        token: The API token.
        endpoint: The API's address; empty for the public cloud.
        wait: Sleeps so many seconds, if the cloud requests a later retry.
        answers: The cached responses of this run; None to send each request.
    """

    PROVIDER: ClassVar = "digitalocean"

    token: str = dataclasses.field(repr=False)
    endpoint: str = ""
    wait: Callable[[float], None] = dataclasses.field(default=time.sleep, repr=False, compare=False)
    answers: answers.Answers | None = dataclasses.field(default=None, repr=False, compare=False)

    @property
    def account(self) -> Cloud:
        """The account itself: its lists are of all regions."""
        return self

    @property
    def where(self) -> str:
        """An account is in no region."""
        return "this account"

    @property
    def address(self) -> str:
        """The API's address."""
        return (self.endpoint or _DEFAULT_ENDPOINT).rstrip("/")

    def get(self, path: str) -> Any:  # JSON data
        """Returns the answer to a GET, or None if the cloud answers "not found".

        Raises:
            PlantonError: ``CLOUD_AUTH``; ``CLOUD_FAILED``; ``CLOUD_UNREACHABLE`` (`api.get`).
        """
        url = f"{self.address}{path}"
        send = functools.partial(api.get, url, authorization=f"Bearer {self.token}", path=path, wait=self.wait)
        return send() if self.answers is None else self.answers.get((self.token, url), send)

    def _all(self, path: str, name: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        page = 1
        while True:
            answer = self.get(f"{path}?page={page}&per_page={_PAGE}") or {}
            rows += answer.get(name) or []
            if not ((answer.get("links") or {}).get("pages") or {}).get("next"):
                return rows
            page += 1
            if page > api.MOST_PAGES:
                raise api.unexpected(f"the list {path} does not end")

    def clusters(self) -> list[dict[str, Any]]:
        """Returns the clusters of all pages: id, name, region, version, node_pools."""
        return self._all(*_LISTS[_CLUSTER])

    def cluster(self, id_: str) -> dict[str, Any] | None:
        """Returns a cluster with its pools, or None."""
        answer = self.get(_cluster_path(id_))
        return None if answer is None else answer["kubernetes_cluster"]

    def create_pool(self, cluster_id: str, body: Mapping[str, Any]) -> None:
        """Creates a pool in a cluster.

        Raises:
            PlantonError: ``CLOUD_AUTH``; ``CLOUD_FAILED``; ``CLOUD_UNREACHABLE`` (`api.post`).
        """
        path = f"{_cluster_path(cluster_id)}/node_pools"
        url = f"{self.address}{path}"
        api.post(url, body, authorization=f"Bearer {self.token}", path=path)

    def remove_node(self, cluster_id: str, pool_id: str, name: str, *, replace: bool = False) -> bool:
        """Removes a node from a pool by its name, without a drain by the cloud. Returns whether the pool had it.

        Raises:
            PlantonError: ``CLOUD_AUTH``; ``CLOUD_IN_USE``; ``CLOUD_FAILED``; ``CLOUD_UNREACHABLE``.
        """
        pools = (self.cluster(cluster_id) or {}).get("node_pools") or []
        nodes = [node for pool in pools if pool["id"] == pool_id for node in pool.get("nodes") or () if node["name"] == name]
        nodes = [node for node in nodes if (node.get("status") or {}).get("state") != "deleting"]
        if not nodes:
            return False
        pool_path, own = (urllib.parse.quote(text, safe="") for text in (pool_id, nodes[0]["id"]))
        path = f"{_cluster_path(cluster_id)}/node_pools/{pool_path}/nodes/{own}"
        query = urllib.parse.urlencode({"skip_drain": 1, "replace": int(replace)})
        return api.delete(f"{self.address}{path}?{query}", authorization=f"Bearer {self.token}", path=path)

    def building(self, cluster_id: str) -> bool:
        """Returns whether a cluster exists and is being created or upgraded."""
        return ((self.cluster(cluster_id) or {}).get("status") or {}).get("state") in ("provisioning", "upgrading")

    def exists(self, type_: str, id_: str, cluster_id: str = "") -> bool:
        """Returns whether a resource of a Pulumi type is in the cloud. The cluster of a pool may be unknown."""
        own = urllib.parse.quote(id_, safe="")
        if type_ == _CLUSTER:
            return self.cluster(id_) is not None
        if type_ == _NODE_POOL:
            if not cluster_id:
                return any(pool["id"] == id_ for cluster in self.clusters() for pool in cluster.get("node_pools") or [])
            return self.get(f"{_cluster_path(cluster_id)}/node_pools/{own}") is not None
        return self.get(f"/v2/vpcs/{own}") is not None

    def find(self, type_: str, name: str, cluster_id: str = "") -> str | None:
        """Returns the import id of a resource of a Pulumi type by its exact name, or None."""
        if type_ == _NODE_POOL:
            listed = (self.cluster(cluster_id) or {}).get("node_pools") or [] if cluster_id else []
        else:
            listed = self._all(*_LISTS[type_])
        ids = [str(entry["id"]) for entry in listed if entry["name"] == name]
        return ids[0] if len(ids) == 1 else None

    def raw_list(self, type_: str) -> list[dict[str, Any]]:
        """Returns the whole list of networks or clusters by their Pulumi type, as the API returns it."""
        return self._all(*_LISTS[type_])

    def pool_import_id(self, cluster_id: str, text: str) -> str:
        """Returns the import id of a pool, which is its own id. A name is looked up.

        Raises:
            PlantonError: ``AMBIGUOUS``: two pools of the cluster have the name.
        """
        cluster, _, own = text.rpartition(":")
        cluster = cluster or cluster_id
        pools = (self.cluster(cluster) or {}).get("node_pools") or [] if cluster else []
        ids = [str(pool["id"]) for pool in pools if pool["name"] == own]
        if len(ids) > 1:
            raise errors.ambiguous(
                f"{len(ids)} node pools of the cluster have the name {own!r}: {', '.join(ids)}",
                hint="write the id of the node pool that you mean",
                metadata={"what": "node pool", "name": own, "ids": ",".join(ids)},
            )
        return ids[0] if ids else own

    def names(self, noun: str) -> list[str]:
        """Returns the names of all ``network``s or ``cluster``s, sorted."""
        return sorted(entry["name"] for entry in self._all(*_LISTS[_NETWORK if noun == "network" else _CLUSTER]))

    def listed(self, noun: str) -> list[entries.Entry]:
        """Returns the ``network``s or ``cluster``s of the account, with the node pools of clusters."""
        if noun == "network":
            return [
                entries.Entry(
                    row["id"], row["name"], row["region"], row.get("ip_range") or "", is_default=bool(row.get("default"))
                )
                for row in self._all(*_LISTS[_NETWORK])
            ]
        return [_cluster(row) for row in self.clusters()] if noun == "cluster" else []

    def upgrades(self, cluster_id: str) -> list[str] | None:
        """Returns the versions that a cluster can be upgraded to; None if the cluster does not exist."""
        answer = self.get(f"{_cluster_path(cluster_id)}/upgrades")
        return None if answer is None else [row["slug"] for row in answer.get("available_upgrade_versions") or []]

    def quotas(self) -> dict[str, entries.Quota]:
        """Returns the account's quota of droplets, which nodes are."""
        limit = ((self.get("/v2/account") or {}).get("account") or {}).get("droplet_limit")
        used = ((self.get("/v2/droplets?per_page=1") or {}).get("meta") or {}).get("total")
        return {} if limit is None or used is None else {"nodes": entries.Quota(int(used), int(limit))}

    def versions(self) -> list[dict[str, Any]]:
        """Returns the Kubernetes versions on offer: version, type, channel, default."""
        slugs = [row["slug"] for row in self._options()["versions"]]
        return [{"version": slug, "type": "doks", "channel": "stable", "default": slug == slugs[0]} for slug in slugs]

    def sizes(self) -> list[dict[str, Any]]:
        """Returns the node sizes on offer: size, cpus, memory in MiB, disk in GiB, price (US dollars per month), regions."""
        offered = {row["slug"] for row in self._options()["sizes"]}
        return [
            {
                "size": row["slug"],
                "cpus": row["vcpus"],
                "memory": row["memory"],
                "disk": row["disk"],
                "price": row.get("price_monthly"),
                "regions": sorted(row.get("regions") or []),
            }
            for row in self._all("/v2/sizes", "sizes")
            if row["slug"] in offered and row.get("available") is not False
        ]

    def regions(self) -> list[dict[str, Any]]:
        """Returns the regions in which clusters can be created: region, name, country, full."""
        # The cloud does not report the country. The name contains the city.
        return [
            {"region": row["slug"], "name": row["name"], "country": None, "full": False} for row in self._options()["regions"]
        ]

    def network_regions(self) -> list[str]:
        """Returns the names of the regions in which networks can be created."""
        return [row["slug"] for row in self._all("/v2/regions", "regions")]

    def _options(self) -> dict[str, Any]:
        return dict(self.get("/v2/kubernetes/options")["options"])

    def leftovers(self, cluster_id: str) -> list[associated.Item]:
        """Returns the volumes, snapshots and load balancers of a cluster's workloads, sorted."""
        answer = self.get(f"{_cluster_path(cluster_id)}/destroy_with_associated_resources") or {}
        listed = {sort: answer.get(name) or [] for sort, name in _LEFTOVERS.items()}
        priced = {id_: price for sort, rows in listed.items() if rows for id_, price in self._leftover_prices(sort).items()}
        return sorted(
            associated.item(sort, entry, priced.get(str(entry["id"]))) for sort, rows in listed.items() for entry in rows
        )

    def _leftover_prices(self, sort: associated.Leftover) -> dict[str, float | None]:
        # A price is no reason to fail.
        with contextlib.suppress(errors.PlantonError):
            return {str(row["id"]): prices.leftover(sort, row) for row in self._all(*_PRICED[sort])}
        return {}

    @contextlib.contextmanager
    def deleting_leftovers(self, cluster_id: str, items: tuple[associated.Item, ...]) -> Iterator[None]:
        """Requests the deletion of the cluster with items, before the block deletes the cluster.

        Raises:
            PlantonError: The cloud refuses, or did not answer; the error names the remaining items.
        """
        body = {name: [item.id for item in items if item.sort == sort] for sort, name in _LEFTOVERS.items()}
        path = f"{_cluster_path(cluster_id)}/destroy_with_associated_resources/selective"
        url = f"{self.address}{path}"
        if items and not api.delete(url, authorization=f"Bearer {self.token}", path=path, body=body):
            why = "the cluster does not exist any more"
            raise associated.not_deleted(items, why, reason=errors.Reason.CLOUD_MISSING)
        yield

    def api_server_rule(self, cluster_id: str) -> str:
        """Returns the setting that limits access to a cluster's API server, as text; empty if none does."""
        rule = (self.cluster(cluster_id) or {}).get("control_plane_firewall") or {}
        addresses = ", ".join(rule.get("allowed_addresses") or ()) or "nobody"
        return (
            f"the control plane's firewall (controlPlaneFirewallAllowedIps) admits only {addresses}"
            if rule.get("enabled")
            else ""
        )

    def credential(self, cluster_id: str) -> api.Credential | None:
        """Returns a credential of a cluster, with its expiry; None if the cluster does not exist."""
        cluster = self.cluster(cluster_id)
        answer = self.get(f"{_cluster_path(cluster_id)}/credentials")
        if cluster is None or answer is None:
            return None
        name = f"do-{cluster['region']}-{cluster['name']}"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": name,
                    "cluster": {
                        "server": answer["server"],
                        "certificate-authority-data": answer["certificate_authority_data"],
                    },
                }
            ],
            "users": [{"name": f"{name}-admin", "user": {"token": answer["token"]}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": f"{name}-admin"}}],
            "current-context": name,
        }
        return api.credential(yaml.safe_dump(config, sort_keys=False), expires=answer["expires_at"])


def _cluster_path(cluster_id: str) -> str:
    return f"/v2/kubernetes/clusters/{urllib.parse.quote(cluster_id, safe='')}"


def _cluster(row: dict[str, Any]) -> entries.Entry:
    region = row["region"]
    return entries.Entry(
        row["id"],
        row["name"],
        region,
        network=row.get("vpc_uuid") or "",
        version=row.get("version") or "",
        pools=tuple(entries.Entry(pool["id"], pool["name"], region) for pool in row.get("node_pools") or ()),
    )


def of(config: Any, _region: str = "") -> Cloud:  # a DigitalOceanProviderConfig
    """Returns the account of a provider config."""
    return Cloud(config.api_token, config.api_endpoint)
