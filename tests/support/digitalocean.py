"""The simulated DigitalOcean without sockets, with a clock that only tests advance."""

from __future__ import annotations

import itertools
import json
from typing import Any

from planton_sandbox import clock, wire
from planton_sandbox.clouds.digitalocean import cloud
from planton_sandbox.kubernetes import nodes as kubernetes_nodes

TOKEN = "sandbox-token"
BASE = "http://127.0.0.1:1"
CLUSTERS = "/v2/kubernetes/clusters"
SMALL = "s-2vcpu-4gb"
VERSION = "1.33.1-do.0"
#: Monday, 2 January 2023, 00:00 UTC: a convenient time for maintenance windows.
MONDAY = 1_672_617_600.0


class Cloud:
    """A cloud with a clock that only tests advance."""

    def __init__(self, latency: str = "instant") -> None:
        """Starts on a Monday."""
        ports = itertools.count(20000)
        self.now = MONDAY
        self.pace = clock.Pace(latency)
        self.cloud = cloud.DigitalOcean(pace=self.pace, reserve_port=lambda: next(ports))

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, **query: Any) -> wire.Reply:
        """Sends a request at the current time; ``token`` is not a query parameter."""
        token = query.pop("token", TOKEN)
        self.cloud.settle(self.now)
        parameters = {name: str(value) for name, value in query.items()}
        return self.cloud.handle(
            wire.Request(method=method, path=path, query=parameters, body=body or {}, token=token, now=self.now, base=BASE)
        )

    def ok(self, method: str, path: str, body: dict[str, Any] | None = None, **query: Any) -> Any:
        """Sends a request that must succeed, and returns the body."""
        reply = self.ask(method, path, body, **query)
        assert 200 <= reply.status < 300, reply
        json.dumps(reply.body)
        return reply.body

    def refused(self, method: str, path: str, body: dict[str, Any] | None = None, **query: Any) -> tuple[int, str]:
        """Sends a request that must be refused, and returns status and error ID."""
        reply = self.ask(method, path, body, **query)
        assert reply.status >= 400, reply
        return reply.status, reply.body["id"]

    def act(self, action: str, **body: Any) -> Any:
        """Makes an out-of-band change."""
        self.cloud.settle(self.now)
        return self.cloud.outside(action, body=body, now=self.now)

    def pass_time(self, seconds: float) -> None:
        """Advances the clock and completes the changes that are due."""
        self.now += seconds
        self.cloud.settle(self.now)

    def cluster(self, name: str = "c1", **more: Any) -> str:
        """Creates a cluster with a pool ``main`` of two nodes, and returns its ID."""
        pools = [{"name": "main", "size": SMALL, "count": 2}]
        body = {"name": name, "region": "fra1", "version": VERSION, "node_pools": pools, **more}
        return str(self.ok("POST", CLUSTERS, body)["kubernetes_cluster"]["id"])

    def show(self, key: str) -> Any:
        """Reads a cluster."""
        return self.ok("GET", f"{CLUSTERS}/{key}")["kubernetes_cluster"]

    def add_pool(self, key: str, name: str = "extra", **more: Any) -> str:
        """Adds a pool and returns its ID."""
        body = {"name": name, "size": SMALL, "count": 1, **more}
        return str(self.ok("POST", f"{CLUSTERS}/{key}/node_pools", body)["node_pool"]["id"])

    def pool(self, key: str, pool: str) -> Any:
        """Reads a pool."""
        return self.ok("GET", f"{CLUSTERS}/{key}/node_pools/{pool}")["node_pool"]

    def first(self, key: str) -> str:
        """Returns the path of a cluster's first pool."""
        return f"{CLUSTERS}/{key}/node_pools/{self.show(key)['node_pools'][0]['id']}"

    def kubernetes(self, key: str, client: str = "127.0.0.1") -> kubernetes_nodes.Cluster:
        """Returns a cluster's Kubernetes API."""
        return next(item for item in self.cloud.kubernetes(client=client, now=self.now) if item.id == key)


def nodes(pool: Any) -> list[str]:
    """Returns the names of a pool's nodes."""
    return [item["name"] for item in pool["nodes"]]


def states(pool: Any) -> list[str]:
    """Returns the states of a pool's nodes."""
    return [item["status"]["state"] for item in pool["nodes"]]
