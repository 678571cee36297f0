"""A cluster of the sandbox and its Kubernetes API, over HTTP, at a time that only tests move."""

from __future__ import annotations

import base64
import dataclasses
import http.client
import json
import ssl
import urllib.parse
from typing import Any

import yaml

from support.sandbox import Sandbox

SMALL = "g4s.kube.small"
START = 1_900_000_000.0
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
CORE, APPS = "/api/v1/namespaces/default", "/apis/apps/v1/namespaces/default"
POLICY = "/apis/policy/v1/namespaces/default"


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """An answer: the status, the decoded body, and the headers."""

    status: int
    body: Any
    headers: http.client.HTTPMessage


class Kube:
    """A cluster with one pool of one-core nodes at Civo."""

    def __init__(self, sandbox: Sandbox, name: str, *, nodes: int) -> None:
        """Create the cluster and wait until its nodes are ready."""
        self.sandbox = sandbox
        self.name = name
        pools = [{"id": "main", "count": nodes, "size": SMALL, "taints": None}]
        answer = sandbox.call("POST", "/kubernetes/clusters", {"name": name, "pools": pools})
        assert answer.status == 200, answer.body
        self.id = answer.body["id"]
        for _ in range(2):
            shown = sandbox.call("GET", f"/kubernetes/clusters/{self.id}").body
        self.kubeconfig = str(shown["kubeconfig"])
        self._connection = self.connect()

    @classmethod
    def reopened(cls, sandbox: Sandbox, before: Kube) -> Kube:
        """Return a cluster after a restart of its sandbox."""
        opened = cls.__new__(cls)
        opened.sandbox, opened.name, opened.id, opened.kubeconfig = sandbox, before.name, before.id, before.kubeconfig
        opened._connection = opened.connect()
        return opened

    def close(self) -> None:
        """Close the connection and delete the cluster."""
        self._connection.close()
        if any(item["id"] == self.id for item in self.sandbox.control.resources()["clusters"]):
            self.sandbox.control.outside("delete-cluster", cluster=self.id)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        kind: str = "application/json",
        accept: str = "application/json",
        agent: str = "tests/1",
        **query: Any,
    ) -> Reply:
        """Send a request; ``query`` are the query parameters."""
        where = f"{path}?{urllib.parse.urlencode(query)}" if query else path
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        headers = {"Accept": accept, "Content-Type": kind, "User-Agent": agent}
        self._connection.request(method, where, body=data, headers=headers)
        answer = self._connection.getresponse()
        text = answer.read()
        is_json = "json" in answer.headers.get("Content-Type", "")
        return Reply(answer.status, json.loads(text) if is_json else text.decode(), answer.headers)

    def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Send a request that must succeed, and return the body."""
        reply = self.call(method, path, body, **options)
        assert reply.status < 300, reply.body
        return reply.body

    def refused(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, str, str]:
        """Send a request that must fail, and return its code, reason and message."""
        reply = self.call(method, path, body, **options)
        assert reply.status >= 400, reply.body
        assert (reply.body["kind"], reply.body["code"]) == ("Status", reply.status)
        return reply.status, reply.body["reason"], reply.body["message"]

    def advance(self, seconds: float) -> None:
        """Move the simulated time forward."""
        self.sandbox.control.advance(seconds)

    def act(self, action: str, **body: Any) -> Any:
        """Make an out-of-band change of this cluster."""
        return self.sandbox.control.outside(action, cluster=self.id, **body)

    def nodes(self) -> list[str]:
        """Return the names of the nodes."""
        return [item["metadata"]["name"] for item in self.ok("GET", "/api/v1/nodes")["items"]]

    def node(self, name: str) -> Any:
        """Return a node."""
        return self.ok("GET", f"/api/v1/nodes/{name}")

    def cordon(self, name: str, *, value: bool = True) -> Any:
        """Cordon or uncordon a node."""
        return self.ok("PATCH", f"/api/v1/nodes/{name}", {"spec": {"unschedulable": value}}, kind=STRATEGIC)

    def deploy(self, name: str = "web", replicas: int = 2, **spec: Any) -> Any:
        """Create a Deployment whose pods have the label ``app``; ``spec`` are fields of the pods."""
        return self.ok("POST", f"{APPS}/deployments", deployment(name, replicas, **spec))

    def pods(self, app: str = "web") -> list[Any]:
        """Return the pods with a label ``app``."""
        return list(self.ok("GET", f"{CORE}/pods", labelSelector=f"app={app}")["items"])

    def running(self, app: str = "web") -> list[Any]:
        """Return the pods with a label ``app`` that are ready and not being deleted."""
        return [pod for pod in self.pods(app) if is_true(pod, "Ready") and "deletionTimestamp" not in pod["metadata"]]

    def budget(self, name: str = "web", **spec: Any) -> Any:
        """Create a PodDisruptionBudget for the pods of an app."""
        body = {"metadata": {"name": name}, "spec": {"selector": {"matchLabels": {"app": name}}, **spec}}
        return self.ok("POST", f"{POLICY}/poddisruptionbudgets", body)

    def evict(self, pod: Any, **options: Any) -> Reply:
        """Evict a pod."""
        name = pod["metadata"]["name"]
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}, "deleteOptions": options}
        return self.call("POST", f"{CORE}/pods/{name}/eviction", body)

    def connect(self) -> http.client.HTTPSConnection:
        """Open a connection with the client certificate of the kubeconfig."""
        config = yaml.safe_load(self.kubeconfig)
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        path = self.sandbox.home / f"{self.id}.pem"
        pair = [base64.b64decode(user[key]) for key in ("client-certificate-data", "client-key-data")]
        path.write_bytes(b"\n".join(pair))
        context.load_cert_chain(path)
        url = urllib.parse.urlsplit(cluster["server"])
        return http.client.HTTPSConnection(str(url.hostname), url.port, context=context, timeout=30)


def deployment(name: str, replicas: int, **spec: Any) -> dict[str, Any]:
    """Return a Deployment; ``cpu`` and ``memory`` are the requests, other fields those of its pods."""
    requests = {key: spec.pop(key) for key in ("cpu", "memory") if key in spec}
    labels = {"app": name}
    pod = {"containers": [{"name": "main", "image": "nginx:1", "resources": {"requests": requests} if requests else {}}], **spec}
    template = {"metadata": {"labels": labels}, "spec": pod}
    body = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": body}


def is_true(item: Any, kind: str) -> bool:
    """Return whether a condition of an object is true."""
    return any(one["type"] == kind and one["status"] == "True" for one in item.get("status", {}).get("conditions", []))


def condition(item: Any, kind: str) -> Any:
    """Return a condition of an object."""
    return next(one for one in item["status"]["conditions"] if one["type"] == kind)


def name(item: Any) -> str:
    """Return an object's name."""
    return str(item["metadata"]["name"])
