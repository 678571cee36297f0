"""A small cloud with Civo's API for the stand-in's tests: in memory, instant, and scripted.

It behaves like the cloud of the recordings. The simulated Civo has its own tests, and the stand-in must work against any server.
"""

from __future__ import annotations

import itertools

from .scripted_http import Cloud as HttpCloud
from .scripted_http import Json, Refused, Request


def missing(code: str, reason: str = "not found") -> Refused:
    """Returns a 404 in the cloud's format."""
    return Refused(404, {"code": code, "reason": reason})


class Cloud(HttpCloud):
    """The state, served over HTTP."""

    def __init__(self) -> None:
        self._nodes = itertools.count(1)
        self.created = "2026-11-21T07:04:38Z"
        self.networks: dict[str, Json] = {}
        self.firewalls: dict[str, Json] = {}
        self.clusters: dict[str, Json] = {}
        self.tokens: set[str] | None = None
        super().__init__()

    def scale(self, cluster: str, pool: str, count: int) -> None:
        """Scales a pool out of band."""
        entry = self._pool(self.clusters[cluster], pool)
        names = entry["instance_names"][:count]
        names += [f"k3s-node-{pool}-{next(self._nodes)}" for _ in range(count - len(names))]
        entry.update(count=count, instance_names=names)
        entry["instances"] = [{"id": name, "hostname": name, "status": "ACTIVE"} for name in names]

    def boom(self) -> Json:
        return {"code": "internal", "reason": "boom"}

    def act(self, request: Request) -> Json:
        token = request.headers.get("Authorization", "").removeprefix("bearer ")
        if self.tokens is not None and token not in self.tokens:
            raise Refused(401, {"result": "requires_authentication"})
        parts = request.path.removeprefix("/v2/").split("/")
        if parts[0] == "kubernetes":
            return self._kubernetes(request, parts[1:])
        return getattr(self, f"_{parts[0]}")(request, parts[1:])

    def _regions(self, _request: Request, _parts: list[str]) -> Json:
        return [{"code": "LON1", "name": "London 1", "country": "uk", "default": True}]

    def _sizes(self, _request: Request, _parts: list[str]) -> Json:
        return [
            {
                "name": "g4s.kube.small",
                "type": "Kubernetes",
                "cpu_cores": 1,
                "ram_mb": 2048,
                "disk_gb": 40,
                "selectable": True,
            },
            {
                "name": "g4s.kube.large",
                "type": "Kubernetes",
                "cpu_cores": 4,
                "ram_mb": 8192,
                "disk_gb": 60,
                "selectable": True,
            },
            {"name": "old", "type": "Kubernetes", "cpu_cores": 1, "ram_mb": 1024, "disk_gb": 10, "selectable": False},
        ]

    def _networks(self, request: Request, parts: list[str]) -> Json:
        if request.method == "POST":
            identity, body = next(self.new_ids), request.body
            servers = body["nameservers_v4"] or ["8.8.8.8", "1.1.1.1"]
            network = {"id": identity, "name": f"cust-{body['label']}", "label": body["label"], "default": False}
            self.networks[identity] = {**network, "cidr": body["cidr_v4"], "nameservers_v4": servers}
            return {"id": identity, "label": body["label"], "result": "success"}
        if not parts:
            return list(self.networks.values())
        if parts[0] not in self.networks:
            raise missing("database_network_not_found")
        if request.method == "PUT":
            self.networks[parts[0]]["label"] = request.body["label"] or self.networks[parts[0]]["label"]
        if request.method == "DELETE":
            del self.networks[parts[0]]
            return {"result": "success"}
        return {**self.networks[parts[0]], "result": "success"}

    def _firewalls(self, request: Request, parts: list[str]) -> Json:
        if request.method == "POST" and not parts:
            identity, body = next(self.new_ids), request.body
            rules = [{**rule, "id": next(self.new_ids)} for rule in body.get("rules", ())]
            firewall = {"id": identity, "name": body["name"], "network_id": body["network_id"], "rules": rules}
            self.firewalls[identity] = firewall
            return {"id": identity, "name": body["name"], "result": "success"}
        if not parts:
            return list(self.firewalls.values())
        if parts[0] not in self.firewalls:
            raise missing("database_firewall_not_found")
        firewall = self.firewalls[parts[0]]
        if len(parts) > 1:
            return self._rules(request, firewall, parts[2:])
        if request.method == "DELETE":
            del self.firewalls[parts[0]]
        if request.method == "PUT":
            firewall["name"] = request.body["name"]
        return {"result": "success"}

    def _rules(self, request: Request, firewall: Json, parts: list[str]) -> Json:
        if request.method == "POST":
            firewall["rules"].append({**request.body, "id": next(self.new_ids)})
            return firewall["rules"][-1]
        if request.method == "DELETE":
            firewall["rules"] = [rule for rule in firewall["rules"] if rule["id"] != parts[0]]
            return {"result": "success"}
        return firewall["rules"]

    def _kubernetes(self, request: Request, parts: list[str]) -> Json:
        if parts[0] == "versions":
            labels = ("1.30.5-k3s1", "1.29.8-k3s1", "1.31.0-k3s1")
            return [{"label": f"v{v}", "version": v, "type": "stable", "clusterType": "k3s"} for v in labels]
        if parts[0] == "applications":
            return [{"name": "metrics-server"}]
        if request.method == "POST" and len(parts) == 1:
            return self._new_cluster(request.body)
        if len(parts) == 1:
            return {"page": 1, "per_page": 20, "pages": 1, "items": [self._shown(c) for c in self.clusters.values()]}
        if parts[1] not in self.clusters:
            raise missing("database_kubernetes_cluster_not_found", "Failed to find the cluster")
        cluster = self.clusters[parts[1]]
        if len(parts) > 2:
            return self._pools(request, cluster, parts[3:])
        if request.method == "DELETE":
            del self.clusters[parts[1]]
            return {"result": "success"}
        if request.method == "PUT":
            self._change(cluster, request.body)
        return self._shown(cluster)

    def _new_cluster(self, body: Json) -> Json:
        identity = next(self.new_ids)
        cluster = {
            "id": identity,
            "name": body["name"],
            "status": "ACTIVE",
            "ready": True,
            "cluster_type": body.get("cluster_type", "k3s"),
            "kubernetes_version": body.get("kubernetes_version", "1.30.5-k3s1"),
            "cni_plugin": body.get("cni_plugin", "flannel"),
            "network_id": body["network_id"],
            "firewall_id": body["instance_firewall"],
            "target_nodes_size": body["pools"][0]["size"],
            "tags": body.get("tags", "").split(),
            "api_endpoint": "https://127.0.0.1:6443",
            "master_ip": "127.0.0.1",
            "dns_entry": f"{identity}.k8s.civo.com",
            "kubeconfig": "apiVersion: v1\nkind: Config\n",
            "created_at": self.created,
            "installed_applications": [
                {"name": "metrics-server", "version": "v0.7.2", "installed": True, "category": "architecture"}
            ],
            "pools": [],
        }
        self.clusters[identity] = cluster
        for pool in body["pools"]:
            self._add(cluster, {"id": pool["id"], "size": pool["size"], "count": pool["count"]})
        return self._shown(cluster)

    def _add(self, cluster: Json, pool: Json) -> None:
        cluster["pools"].append({**pool, "instance_names": [], "instances": []})
        self.scale(cluster["id"], pool["id"], pool["count"])

    def _change(self, cluster: Json, body: Json) -> None:
        cluster["firewall_id"] = body.get("firewall_id", cluster["firewall_id"])
        cluster["kubernetes_version"] = body.get("kubernetes_version", cluster["kubernetes_version"])
        cluster["name"] = body.get("name", cluster["name"])
        cluster["tags"] = body["tags"].split() if "tags" in body else cluster["tags"]
        for pool in body.get("pools", ()):
            self.scale(cluster["id"], pool["id"], pool["count"])

    def _shown(self, cluster: Json) -> Json:
        required = [{key: pool[key] for key in ("id", "size", "count")} for pool in cluster["pools"]]
        total = sum(pool["count"] for pool in cluster["pools"])
        return {**cluster, "required_pools": required, "num_target_nodes": total}

    def _pool(self, cluster: Json, name: str) -> Json:
        for pool in cluster["pools"]:
            if pool["id"] == name:
                return pool
        raise missing("database_cluster_pool_not_found", "Failed to find the pool")

    def _pools(self, request: Request, cluster: Json, parts: list[str]) -> Json:
        if request.method == "POST":
            if any(pool["id"] == request.body["id"] for pool in cluster["pools"]):
                raise Refused(409, {"code": "database_kubernetes_cluster_duplicate", "reason": "pool exists"})
            self._add(cluster, {key: value for key, value in request.body.items() if key != "region"})
            return {"result": "success"}
        pool = self._pool(cluster, parts[0])
        if request.method == "DELETE":
            cluster["pools"].remove(pool)
            return {"result": "success"}
        if request.method == "PUT":
            changes = {key: request.body[key] for key in ("labels", "taints") if request.body.get(key) is not None}
            pool.update(changes)
            if "count" in request.body:
                self.scale(cluster["id"], pool["id"], request.body["count"])
        return pool
