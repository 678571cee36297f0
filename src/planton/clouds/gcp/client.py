"""Requests to the Kubernetes Engine and Compute Engine APIs of Google Cloud (docs/use/drift-and-recovery.md gives the reasons)."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import time
import urllib.parse
from typing import TYPE_CHECKING, Any, ClassVar

import yaml

from planton.clouds import api, entries
from planton.clouds.gcp import PROVIDER, credentials, fitting, prices, quotas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from planton.clouds import answers, associated

_CONTAINER, _COMPUTE = "https://container.googleapis.com", "https://compute.googleapis.com"
_NODE_POOL = "gcp:container/nodePool:NodePool"
_BUSY = ("PROVISIONING", "RECONCILING", "STOPPING")
#: The region whose versions count as on offer if no region is given.
_USUAL_REGION = "us-central1"


@api.checked
@dataclasses.dataclass(frozen=True, slots=True)
class Cloud:
    """A project, which an account can have many of. Ids are the names of resources in the API: ``projects/…/clusters/…``.

    Attributes:
        project: The project's id.
        key: The credential in JSON, in base64; empty to use the access token.
        access_token: An access token; empty to use the key.
        region: The region or zone whose offers count; empty for the usual one.
        endpoint: The address of all APIs; empty for the public cloud.
        wait: Sleeps so many seconds, if the cloud requests a later retry.
        answers: The cached responses of this run; None to send each request.
    """

    PROVIDER: ClassVar = PROVIDER.name

    project: str
    key: str = dataclasses.field(repr=False)
    access_token: str = dataclasses.field(repr=False)
    region: str = ""
    endpoint: str = ""
    wait: Callable[[float], None] = dataclasses.field(default=time.sleep, repr=False, compare=False)
    answers: answers.Answers | None = dataclasses.field(default=None, repr=False, compare=False)

    @property
    def account(self) -> Cloud:
        """The project itself: its lists are of all locations."""
        return self

    @property
    def where(self) -> str:
        """The project, for sentences."""
        return f"project {self.project}"

    @property
    def address(self) -> str:
        """The address of the Kubernetes Engine API."""
        return (self.endpoint or _CONTAINER).rstrip("/")

    def get(self, path: str) -> Any:  # JSON data
        """Returns the answer of the Kubernetes Engine API to a GET, or None if it answers "not found".

        Raises:
            PlantonError: ``CLOUD_AUTH``; ``CLOUD_FAILED``; ``CLOUD_UNREACHABLE`` (`api.get`).
        """
        return self._get(f"{self.address}/v1/{path}", path)

    def _compute(self, path: str) -> Any:
        base = (self.endpoint or _COMPUTE).rstrip("/")
        return self._get(f"{base}/compute/v1/{path}", path)

    def _get(self, url: str, path: str) -> Any:
        send = functools.partial(self._send, url, path)
        account = f"{self.key}{self.access_token}"
        return send() if self.answers is None else self.answers.get((account, url), send)

    def _send(self, url: str, path: str) -> Any:
        return api.get(url, authorization=f"Bearer {self._token().value}", path=path, wait=self.wait)

    def _token(self) -> credentials.Token:
        return credentials.token(self.key, self.access_token)

    def _aggregated(self, path: str, name: str) -> dict[str, list[dict[str, Any]]]:
        """Returns the rows of all pages of an aggregated list: zone → rows."""
        rows: dict[str, list[dict[str, Any]]] = {}
        token = ""
        for _ in range(api.MOST_PAGES):
            query = urllib.parse.urlencode(
                {"maxResults": 500, "returnPartialSuccess": "true", **({"pageToken": token} if token else {})}
            )
            answer = self._compute(f"projects/{self.project}/aggregated/{path}?{query}") or {}
            for scope, content in (answer.get("items") or {}).items():
                rows.setdefault(scope.rpartition("/")[2], []).extend(content.get(name) or [])
            token = answer.get("nextPageToken") or ""
            if not token:
                return rows
        raise api.unexpected(f"the list {path} does not end")

    def clusters(self) -> list[dict[str, Any]]:
        """Returns the clusters of all locations, each with ``id``, and its pools in ``node_pools``."""
        answer = self.get(f"projects/{self.project}/locations/-/clusters") or {}
        return [self._named(row) for row in answer.get("clusters") or []]

    def _named(self, cluster: dict[str, Any]) -> dict[str, Any]:
        own = f"projects/{self.project}/locations/{cluster['location']}/clusters/{cluster['name']}"
        pools = [{**pool, "id": f"{own}/nodePools/{pool['name']}"} for pool in cluster.get("nodePools") or []]
        return {**cluster, "id": own, "node_pools": pools}

    def cluster(self, id_: str) -> dict[str, Any] | None:
        """Returns a cluster with its pools, as in `raw_list`, or None."""
        cluster = self.cluster_alone(id_)
        return None if cluster is None else self._with_machines([cluster])[0]

    def cluster_alone(self, id_: str) -> dict[str, Any] | None:
        """Returns a cluster with its pools, without their machines, which take two more requests; None if it does not exist."""
        answer = self.get(_quoted(id_))
        return None if answer is None else self._named(answer)

    def create_pool(self, cluster_id: str, body: Mapping[str, Any]) -> None:
        """Creates a pool in a cluster.

        Raises:
            PlantonError: ``CLOUD_AUTH``; ``CLOUD_FAILED``; ``CLOUD_UNREACHABLE`` (`api.post`).
        """
        path = f"{_quoted(cluster_id)}/nodePools"
        api.post(f"{self.address}/v1/{path}", {"nodePool": body}, authorization=f"Bearer {self._token().value}", path=path)

    def remove_node(self, cluster_id: str, pool_id: str, name: str, *, replace: bool = False) -> bool:
        """Removes the machine of a node from its instance group, or recreates it. Returns whether the pool had it.

        Raises:
            PlantonError: ``CLOUD_AUTH``; ``CLOUD_FAILED``; ``CLOUD_UNREACHABLE``.
        """
        pools = (self.cluster_alone(cluster_id) or {}).get("node_pools") or []
        pool: dict[str, Any] = next((each for each in pools if each["id"] == pool_id), {})
        for zone, _, group in _groups(pool):
            path = f"projects/{self.project}/zones/{zone}/instances/{urllib.parse.quote(name, safe='')}"
            if self._compute(path) is None:
                continue
            verb = "recreateInstances" if replace else "deleteInstances"
            target = f"projects/{self.project}/zones/{zone}/instanceGroupManagers/{group}/{verb}"
            base = (self.endpoint or _COMPUTE).rstrip("/")
            body = {"instances": [f"zones/{zone}/instances/{name}"]}
            api.post(f"{base}/compute/v1/{target}", body, authorization=f"Bearer {self._token().value}", path=target)
            return True
        return False

    def building(self, cluster_id: str) -> bool:
        """Returns whether a cluster exists and is being created, changed or deleted."""
        return (self.cluster_alone(cluster_id) or {}).get("status") in _BUSY

    def exists(self, _type: str, id_: str, cluster_id: str = "") -> bool:
        """Returns whether a cluster or a node pool is in the cloud."""
        return self.get(_quoted(id_ if "/" in id_ else f"{cluster_id}/nodePools/{id_}")) is not None

    def find(self, type_: str, name: str, cluster_id: str = "") -> str | None:
        """Returns the import id of a cluster or of a pool by its exact name, or None."""
        if type_ == _NODE_POOL:
            id_ = f"{cluster_id}/nodePools/{name}"
            return id_ if cluster_id and self.get(_quoted(id_)) is not None else None
        ids = [str(row["id"]) for row in self.clusters() if row["name"] == name]
        return ids[0] if len(ids) == 1 else None

    def raw_list(self, _type: str) -> list[dict[str, Any]]:
        """Returns the clusters with their pools, each pool with ``size``, its nodes in all zones, and with ``machines``, their names."""
        return self._with_machines(self.clusters())

    def _with_machines(self, clusters: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if not any(row["node_pools"] for row in clusters):
            return clusters
        groups = self._aggregated("instanceGroupManagers", "instanceGroupManagers")
        sizes = {(zone, str(row["name"])): int(row["targetSize"]) for zone, rows in groups.items() for row in rows}
        machines = {
            zone: sorted(str(row["name"]) for row in rows) for zone, rows in self._aggregated("instances", "instances").items()
        }
        return [
            {**row, "node_pools": [{**pool, **_machines(pool, sizes, machines)} for pool in row["node_pools"]]}
            for row in clusters
        ]

    def pool_import_id(self, cluster_id: str, text: str) -> str:
        """Returns the import id of a pool of a cluster, by its id or its name."""
        return text if "/" in text or not cluster_id else f"{cluster_id}/nodePools/{text}"

    def listed(self, noun: str) -> list[entries.Entry]:
        """Returns the ``cluster``s of the project, with their node pools."""
        return [_entry(row) for row in self.clusters()] if noun == "cluster" else []

    def names(self, noun: str) -> list[str]:
        """Returns the names of all ``cluster``s, sorted."""
        return sorted(row["name"] for row in self.clusters()) if noun == "cluster" else []

    def upgrades(self, cluster_id: str) -> list[str] | None:
        """Returns the versions of its channel that a cluster can be upgraded to, newest first; None if it does not exist."""
        cluster = self.cluster_alone(cluster_id)
        if cluster is None:
            return None
        running = fitting.numbers(cluster["currentMasterVersion"])
        channel = (cluster.get("releaseChannel") or {}).get("channel") or "UNSPECIFIED"
        offered = _offered(self._server_config(cluster["location"]), channel)
        return [
            version for version in offered if running < fitting.numbers(version) and fitting.numbers(version)[1] <= running[1] + 1
        ]

    def quotas(self) -> dict[str, entries.Quota]:
        """Returns the quotas of the region by metric, and that of ``nodes``; none if no region is given."""
        region = PROVIDER.region_of(self.region)
        rows = (self._compute(f"projects/{self.project}/regions") or {}).get("items") or [] if region else []
        listed = next((row.get("quotas") or [] for row in rows if row["name"] == region), [])
        return {
            quotas.SUBJECTS.get(row["metric"], row["metric"]): entries.Quota(int(row["usage"]), int(row["limit"]))
            for row in listed
        }

    def accelerators(self) -> dict[str, dict[str, int]]:
        """Returns the accelerators of each zone: type → the most in one machine."""
        listed = self._aggregated("acceleratorTypes", "acceleratorTypes")
        return {zone: {row["name"]: int(row["maximumCardsPerInstance"]) for row in rows} for zone, rows in listed.items() if rows}

    def network_regions(self) -> list[str]:
        """Returns the names of the regions and zones."""
        return [name for row in self.regions() for name in (row["region"], *row["zones"])]

    def versions(self) -> list[dict[str, Any]]:
        """Returns the Kubernetes versions on offer in each channel: version, type, channel, default."""
        config = self._server_config(self.region or _USUAL_REGION)
        rows = [
            {
                "version": version,
                "type": "gke",
                "channel": channel["channel"].lower(),
                "default": version == channel.get("defaultVersion"),
            }
            for channel in config.get("channels") or []
            for version in channel.get("validVersions") or []
        ]
        listed = {row["version"] for row in rows}
        rest = [version for version in config.get("validMasterVersions") or [] if version not in listed]
        return rows + [{"version": version, "type": "gke", "channel": "none", "default": False} for version in rest]

    def node_versions(self, location: str) -> list[str]:
        """Returns the versions that nodes of a region or zone can have."""
        return list(self._server_config(location).get("validNodeVersions") or [])

    def _server_config(self, location: str) -> dict[str, Any]:
        return dict(self.get(f"projects/{self.project}/locations/{location}/serverConfig") or {})

    def sizes(self) -> list[dict[str, Any]]:
        """Returns the machine types: size, cpus, memory in MiB, and the regions and zones that offer it.

        Prices are those of the region, without the disk, which is chosen with the pool.
        """
        places: dict[str, set[str]] = {}
        rows: dict[str, dict[str, Any]] = {}
        for zone, types in self._aggregated("machineTypes", "machineTypes").items():
            for row in types:
                rows[row["name"]] = row
                places.setdefault(row["name"], set()).update((zone, PROVIDER.region_of(zone)))
        return [
            {
                "size": name,
                "cpus": row["guestCpus"],
                "accelerators": {
                    each["guestAcceleratorType"]: int(each["guestAcceleratorCount"]) for each in row.get("accelerators") or ()
                },
                "memory": row["memoryMb"],
                "disk": None,
                "price": prices.machine(name, self.region),
                "regions": sorted(places[name]),
            }
            for name, row in sorted(rows.items())
        ]

    def regions(self) -> list[dict[str, Any]]:
        """Returns the regions: region, name, country, full, and their zones."""
        answer = self._compute(f"projects/{self.project}/regions") or {}
        return [
            {
                "region": row["name"],
                "name": row.get("description") or row["name"],
                "country": None,
                "full": row.get("status") == "DOWN",
                "zones": [url.rpartition("/")[2] for url in row.get("zones") or ()],
            }
            for row in answer.get("items") or []
        ]

    def leftovers(self, _cluster_id: str) -> list[associated.Item]:
        """Returns no items: which disks and load balancers belong to a cluster is not in one list of the cloud."""
        return []

    @contextlib.contextmanager
    def deleting_leftovers(self, _cluster_id: str, _items: tuple[associated.Item, ...]) -> Iterator[None]:
        """Deletes nothing beside the cluster."""
        yield

    def api_server_rule(self, cluster_id: str) -> str:
        """Returns which networks reach a cluster's API server; empty if every network does."""
        networks = (self.cluster_alone(cluster_id) or {}).get("masterAuthorizedNetworksConfig") or {}
        allowed = ", ".join(sorted(block["cidrBlock"] for block in networks.get("cidrBlocks") or ()))
        return f"masterAuthorizedNetworks admits only {allowed or 'nobody'}" if networks.get("enabled") else ""

    def credential(self, cluster_id: str) -> api.Credential | None:
        """Returns a credential of a cluster: its address, and the account's access token; None if it does not exist yet."""
        cluster = self.cluster_alone(cluster_id)
        if cluster is None or not cluster.get("endpoint"):
            return None
        token = self._token()
        name = f"gke_{self.project}_{cluster['location']}_{cluster['name']}"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": name, "cluster": _server(cluster)}],
            "users": [{"name": name, "user": {"token": token.value}}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
            "current-context": name,
        }
        return api.credential(yaml.safe_dump(config, sort_keys=False), expires=token.expires)


def _server(cluster: Mapping[str, Any]) -> dict[str, str]:
    address = str(cluster["endpoint"])
    server = address if "://" in address else f"https://{address}"
    return {"server": server, "certificate-authority-data": (cluster.get("masterAuth") or {}).get("clusterCaCertificate") or ""}


def _groups(pool: Mapping[str, Any]) -> list[list[str]]:
    """Returns the instance groups of a pool: zone, ``instanceGroupManagers`` and name of each."""
    return [url.split("/zones/")[1].split("/") for url in pool.get("instanceGroupUrls") or ()]


def _machines(pool: Mapping[str, Any], sizes: Mapping[tuple[str, str], int], machines: Mapping[str, list[str]]) -> dict[str, Any]:
    """Returns the number of nodes of a pool and the names of its machines, which begin as the name of their group does."""
    groups = [(zone, group) for zone, _, group in _groups(pool)]
    names = [name for zone, group in groups for name in machines.get(zone, []) if name.startswith(group.removesuffix("grp"))]
    return {"size": sum(sizes.get(group, 0) for group in groups), "machines": names}


def _quoted(id_: str) -> str:
    return urllib.parse.quote(id_, safe="/")


def _entry(row: dict[str, Any]) -> entries.Entry:
    place = row["location"]
    return entries.Entry(
        row["id"],
        row["name"],
        place,
        network=row.get("network") or "",
        version=row.get("currentMasterVersion") or "",
        is_being_deleted=row.get("status") == "STOPPING",
        has_public_nodes=not (row.get("privateClusterConfig") or {}).get("enablePrivateNodes"),
        pools=tuple(entries.Entry(pool["id"], pool["name"], place) for pool in row["node_pools"]),
    )


def _offered(config: Mapping[str, Any], channel: str) -> list[str]:
    own = next((each for each in config.get("channels") or [] if each["channel"] == channel), None)
    versions = config.get("validMasterVersions") if own is None else own.get("validVersions")
    return sorted(versions or [], key=fitting.numbers, reverse=True)


def of(config: Any, region: str = "") -> Cloud:  # a GcpProviderConfig
    """Returns the project of a provider config."""
    return Cloud(
        config.default_project or credentials.project(config.service_account_key_base64),
        config.service_account_key_base64,
        config.access_token,
        region or config.default_region,
        config.api_endpoint,
    )
