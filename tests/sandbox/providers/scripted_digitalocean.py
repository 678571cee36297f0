"""A small cloud with DigitalOcean's API for the stand-in's tests. It behaves like the cloud of the recordings."""

from __future__ import annotations

import collections
import itertools
import typing

from .scripted_http import Cloud as HttpCloud
from .scripted_http import Json, Refused, Request

CREATED = "2026-11-21T07:00:00Z"
DEFAULT_TAG = "terraform:default-node-pool"


class Cloud(HttpCloud):
    """The state, served over HTTP."""

    success: typing.ClassVar[dict[str, int]] = {"POST": 201, "PUT": 202}

    def __init__(self) -> None:
        self._droplets = itertools.count(1001)
        self._seed: Json = {"ids": collections.defaultdict(list), "created": {}, "nodes": {}}
        self.vpcs: dict[str, Json] = {}
        self.firewalls: dict[str, Json] = {}
        self.clusters: dict[str, Json] = {}
        self.credentials: Json = {"certificate_authority_data": "Q0E=", "client_certificate_data": None, "client_key_data": None}
        self.page_size = 20
        super().__init__()

    def restart(self, seed: Json) -> None:
        """Removes all resources, and uses these ids, times and nodes."""
        self._droplets = itertools.count(1001)
        ids = collections.defaultdict(list, {kind: list(several) for kind, several in seed["ids"].items()})
        self._seed = {**seed, "ids": ids}
        self.vpcs.clear()
        self.clusters.clear()

    def boom(self) -> Json:
        return {"id": "server_error", "message": "boom"}

    def act(self, request: Request) -> Json:
        parts = request.path.removeprefix("/v2/").split("/")
        return getattr(self, f"_{parts[0]}")(request, parts[1:])

    def pool(self, cluster: str, name: str) -> Json:
        return next(pool for pool in self.clusters[cluster]["node_pools"] if pool["name"] == name)

    def scale(self, pool: Json, count: int) -> None:
        """Scales a pool to ``count`` nodes."""
        pool["count"] = count
        del pool["nodes"][count:]
        while len(pool["nodes"]) < count:
            droplet = str(next(self._droplets))
            identity, created = self._seed["nodes"].get(droplet, (next(self.new_ids), CREATED))
            node = {"id": identity, "name": f"{pool['name']}-{droplet}", "droplet_id": droplet}
            pool["nodes"].append({**node, "status": {"state": "running"}, "created_at": created, "updated_at": created})

    def _new(self, kind: str) -> tuple[str, str]:
        waiting = self._seed["ids"][kind]
        identity = waiting.pop(0) if waiting else next(self.new_ids)
        return identity, self._seed["created"].get(identity, CREATED)

    def _get(self, items: dict[str, Json], identity: str) -> Json:
        if identity not in items:
            raise Refused(404, {"id": "not_found", "message": "not found"})
        return items[identity]

    def _paged(self, request: Request, root: str, items: list[Json]) -> Json:
        page = int(request.query.get("page", 1))
        pages = {}
        if len(items) > page * self.page_size:
            pages["next"] = f"{self.url}{request.path}?page={page + 1}"
        if page > 1:
            pages["prev"] = f"{self.url}{request.path}?page={page - 1}"
        shown = items[(page - 1) * self.page_size : page * self.page_size]
        return {root: shown, "links": {"pages": pages} if pages else {}, "meta": {"total": len(items)}}

    def _regions(self, request: Request, _parts: list[str]) -> Json:
        regions = [("fra1", "Frankfurt 1", True), ("nyc1", "New York 1", True), ("old1", "Old 1", False)]
        features = ["vpc", "kubernetes"]
        items = [
            {"slug": slug, "name": name, "available": open_, "sizes": ["s-1"], "features": features}
            for slug, name, open_ in regions
        ]
        return self._paged(request, "regions", items)

    def _sizes(self, request: Request, _parts: list[str]) -> Json:
        numbers = {"memory": 2048, "vcpus": 1, "disk": 50, "transfer": 2.0, "price_monthly": 12.0, "price_hourly": 0.01786}
        items = [
            {**numbers, "slug": "s-1vcpu-2gb", "available": True, "regions": ["fra1", "nyc1"]},
            {**numbers, "slug": "s-2vcpu-4gb", "available": True, "regions": ["fra1"], "vcpus": 2, "memory": 4096},
        ]
        return self._paged(request, "sizes", items)

    def _vpcs(self, request: Request, parts: list[str]) -> Json:
        if not parts and request.method == "GET":
            return self._paged(request, "vpcs", list(self.vpcs.values()))
        if not parts:
            identity, created = self._new("vpc")
            # The recorded cloud ignored the description, too.
            body = {key: request.body[key] for key in ("name", "region")}
            vpc = {"id": identity, "urn": f"do:vpc:{identity}", "description": "", "created_at": created, "default": False}
            self.vpcs[identity] = {**vpc, **body, "ip_range": request.body.get("ip_range", "10.99.0.0/20")}
            return {"vpc": self.vpcs[identity]}
        vpc = self._get(self.vpcs, parts[0])
        if request.method == "DELETE":
            del self.vpcs[parts[0]]
            return None
        vpc.update(request.body or {})
        return {"vpc": vpc}

    def _firewalls(self, request: Request, parts: list[str]) -> Json:
        if not parts:
            identity, created = self._new("firewall")
            self.firewalls[identity] = {"id": identity, "status": "succeeded", "created_at": created, "pending_changes": []}
            parts = [identity]
        firewall = self._get(self.firewalls, parts[0])
        if request.method == "DELETE":
            del self.firewalls[parts[0]]
            return None
        firewall.update(request.body or {})
        return {"firewall": firewall}

    def _kubernetes(self, request: Request, parts: list[str]) -> Json:
        if parts[0] == "options":
            slugs = ("1.34.1-do.0", "1.33.1-do.0", "1.33.0-do.1")
            return {"options": {"versions": [{"slug": slug, "kubernetes_version": slug.split("-")[0]} for slug in slugs]}}
        if parts[0] == "registry":
            return None
        if len(parts) == 1 and request.method == "GET":
            return self._paged(request, "kubernetes_clusters", list(self.clusters.values()))
        if len(parts) == 1:
            return {"kubernetes_cluster": self._new_cluster(request.body)}
        cluster = self._get(self.clusters, parts[1])
        if len(parts) > 2:
            return getattr(self, f"_cluster_{parts[2]}")(request, cluster, parts[3:])
        if request.method == "DELETE":
            del self.clusters[parts[1]]
            return None
        if request.method == "PUT":
            self._change(cluster, request.body)
        return {"kubernetes_cluster": cluster}

    def _change(self, cluster: Json, body: Json) -> None:
        cluster["surge_upgrade"] = body.get("surge_upgrade", False)
        for name in ("name", "auto_upgrade", "maintenance_policy", "ha"):
            cluster[name] = body.get(name, cluster[name])
        if "tags" in body:
            cluster["tags"] = ["k8s", f"k8s:{cluster['id']}", *body["tags"]]
        if body["control_plane_firewall"]["enabled"] is not None:
            cluster["control_plane_firewall"] = body["control_plane_firewall"]

    def _new_cluster(self, body: Json) -> Json:
        identity, created = self._new("cluster")
        cluster = {
            "id": identity,
            "cluster_subnet": "10.244.0.0/16",
            "service_subnet": "10.245.0.0/16",
            "ipv4": "",
            "endpoint": f"https://{identity}.k8s.ondigitalocean.com",
            "ha": False,
            "registry_enabled": False,
            "status": {"state": "running"},
            "created_at": created,
            "updated_at": created,
            **{key: value for key, value in body.items() if key != "node_pools"},
            "region": body["region"].lower(),
            "tags": ["k8s", f"k8s:{identity}", *body.get("tags", ())],
            "maintenance_policy": body.get("maintenance_policy") or {"day": "any", "start_time": "04:00", "duration": "4h0m0s"},
            "node_pools": [],
        }
        self.clusters[identity] = cluster
        for pool in body["node_pools"]:
            self._add(cluster, pool)
        return cluster

    def _add(self, cluster: Json, body: Json) -> Json:
        pool = {
            "id": self._new("pool")[0],
            **{key: body[key] for key in ("name", "size")},
            "tags": ["k8s", f"k8s:{cluster['id']}", "k8s:worker", *body.get("tags", ())],
            "labels": body.get("labels"),
            "taints": _lower(body.get("taints", [])),
            "auto_scale": body.get("auto_scale", False),
            "min_nodes": body.get("min_nodes", 0),
            "max_nodes": body.get("max_nodes", 0),
            "nodes": [],
        }
        self.scale(pool, body.get("count") or body.get("min_nodes") or 1)
        cluster["node_pools"].append(pool)
        return pool

    def _cluster_node_pools(self, request: Request, cluster: Json, parts: list[str]) -> Json:
        if not parts:
            return {"node_pool": self._add(cluster, request.body)}
        pool = self._get({pool["id"]: pool for pool in cluster["node_pools"]}, parts[0])
        if request.method == "DELETE":
            cluster["node_pools"].remove(pool)
            return None
        body = request.body or {}
        pool.update({key: body[key] for key in ("name", "labels", "auto_scale", "min_nodes", "max_nodes") if key in body})
        if "tags" in body:
            pool["tags"] = list(dict.fromkeys(["k8s", f"k8s:{cluster['id']}", "k8s:worker", *body["tags"]]))
        if "taints" in body:
            pool["taints"] = _lower(body["taints"])
        if "count" in body:
            self.scale(pool, body["count"])
        return {"node_pool": pool}

    def _cluster_credentials(self, _request: Request, cluster: Json, _parts: list[str]) -> Json:
        return {**self.credentials, "server": cluster["endpoint"], "token": "tok-1", "expires_at": "2027-11-28T05:00:00Z"}

    def _cluster_upgrade(self, request: Request, cluster: Json, _parts: list[str]) -> Json:
        cluster["version"] = request.body["version"]

    def _cluster_destroy_with_associated_resources(self, request: Request, cluster: Json, _parts: list[str]) -> Json:
        if request.method == "GET":
            return {"volumes": [], "volume_snapshots": [], "load_balancers": []}
        return self.clusters.pop(cluster["id"]) and None


def _lower(taints: list[Json]) -> list[Json]:
    return [{key.lower(): value for key, value in taint.items()} for taint in taints]
