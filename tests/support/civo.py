"""The simulated Civo without sockets, with a clock that only tests advance."""

from __future__ import annotations

import itertools
import json
from typing import Any

from planton_sandbox import clock, wire
from planton_sandbox.clouds.civo import cloud
from planton_sandbox.kubernetes import nodes as kubernetes_nodes

TOKEN = "sandbox-token"
CLUSTERS = "/v2/kubernetes/clusters"
SMALL = "g4s.kube.small"


class Cloud:
    """A cloud with a clock that only tests advance."""

    def __init__(self, latency: str = "instant") -> None:
        """Starts at second 1000."""
        ports = itertools.count(20000)
        self.now = 1000.0
        self.cloud = cloud.Civo(pace=clock.Pace(latency), reserve_port=lambda: next(ports))

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, **options: Any) -> wire.Reply:
        """Sends a request at the current time."""
        self.cloud.settle(self.now)
        return self.cloud.handle(
            wire.Request(
                method=method,
                path=path,
                query={"region": options.get("region", "LON1")},
                body=body or {},
                token=options.get("token", TOKEN),
                now=self.now,
            )
        )

    def ok(self, method: str, path: str, body: dict[str, Any] | None = None, **options: Any) -> Any:
        """Sends a request that must succeed, and returns the body."""
        reply = self.ask(method, path, body, **options)
        assert reply.status == 200, reply
        json.dumps(reply.body)
        return reply.body

    def cluster(self, name: str = "c1", **more: Any) -> str:
        """Creates a cluster with a pool ``main`` of two nodes, and returns its ID."""
        body = {"name": name, "pools": [{"id": "main", "count": 2, "size": SMALL, "taints": None}], **more}
        return str(self.ok("POST", CLUSTERS, body)["id"])

    def built(self, name: str = "c1", **more: Any) -> str:
        """Creates a cluster, waits until it is ACTIVE, and returns its ID."""
        key = self.cluster(name, **more)
        self.show(key)
        assert self.show(key)["status"] == "ACTIVE"
        return key

    def show(self, key: str) -> Any:
        """Reads a cluster."""
        return self.ok("GET", f"{CLUSTERS}/{key}")

    def act(self, action: str, **body: Any) -> Any:
        """Makes an out-of-band change."""
        return self.cloud.outside(action, body=body, now=self.now)

    def kubernetes(self) -> kubernetes_nodes.Cluster:
        """Returns the Kubernetes API of the first cluster."""
        return self.cloud.kubernetes(client="127.0.0.1", now=self.now)[0]

    def nodes(self, key: str, pool: str = "main") -> list[str]:
        """Returns the names of a pool's nodes after all changes have ended."""
        self.show(key)
        return next(item["instance_names"] for item in self.show(key)["pools"] if item["id"] == pool)
