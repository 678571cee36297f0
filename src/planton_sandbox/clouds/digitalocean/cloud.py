"""The simulated DigitalOcean as a whole: authentication, routes, state.

The rest of the sandbox uses this class only. It does no I/O: requests, time and ports are arguments.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from planton_sandbox import clock, wire
from planton_sandbox.clouds import memory
from planton_sandbox.clouds.digitalocean import (
    access,
    associated,
    autoscaler,
    catalogue,
    clusters,
    droplets,
    firewalls,
    kubernetes,
    lists,
    outside,
    pools,
    progress,
    records,
    scopes,
    tags,
    vpcs,
)
from planton_sandbox.kubernetes import nodes

_KUBERNETES = "/v2/kubernetes"
_CLUSTER = f"{_KUBERNETES}/clusters/{{id}}"
_DESTROY = f"{_CLUSTER}/destroy_with_associated_resources"
_POOL = f"{_CLUSTER}/node_pools/{{pool}}"
_VPC = "/v2/vpcs/{id}"
_FIREWALL = "/v2/firewalls/{id}"

ROUTES: tuple[wire.Route[scopes.Scope], ...] = (
    wire.route("GET", "/v2/account", lists.account),
    wire.route("GET", "/v2/regions", lists.regions),
    wire.route("GET", "/v2/sizes", lists.sizes),
    wire.route("GET", "/v2/load_balancers", associated.listing(associated.LOAD_BALANCER, "load_balancers")),
    wire.route("DELETE", "/v2/load_balancers/{key}", associated.delete(associated.LOAD_BALANCER), 204),
    wire.route("GET", "/v2/volumes", associated.listing(associated.VOLUME, "volumes")),
    wire.route("DELETE", "/v2/volumes/{key}", associated.delete(associated.VOLUME), 204),
    wire.route("GET", "/v2/snapshots", associated.listing(associated.SNAPSHOT, "snapshots")),
    wire.route("DELETE", "/v2/snapshots/{key}", associated.delete(associated.SNAPSHOT), 204),
    wire.route("GET", "/v2/droplets", droplets.listing),
    wire.route("GET", "/v2/droplets/{id}", droplets.show),
    wire.route("GET", "/v2/tags", tags.listing),
    wire.route("POST", "/v2/tags", tags.create, 201),
    wire.route("GET", "/v2/tags/{tag}", tags.show),
    wire.route("DELETE", "/v2/tags/{tag}", tags.delete, 204),
    wire.route("GET", "/v2/vpcs", vpcs.listing),
    wire.route("POST", "/v2/vpcs", vpcs.create, 201),
    wire.route("GET", _VPC, vpcs.show),
    wire.route("PUT", _VPC, vpcs.replace),
    wire.route("PATCH", _VPC, vpcs.update),
    wire.route("DELETE", _VPC, vpcs.delete, 204),
    wire.route("GET", f"{_VPC}/members", vpcs.members),
    wire.route("GET", "/v2/firewalls", firewalls.listing),
    wire.route("POST", "/v2/firewalls", firewalls.create, 202),
    wire.route("GET", _FIREWALL, firewalls.show),
    wire.route("PUT", _FIREWALL, firewalls.replace),
    wire.route("DELETE", _FIREWALL, firewalls.delete, 204),
    wire.route("POST", f"{_FIREWALL}/rules", firewalls.add_rules, 204),
    wire.route("DELETE", f"{_FIREWALL}/rules", firewalls.remove_rules, 204),
    wire.route("POST", f"{_FIREWALL}/tags", firewalls.add_tags, 204),
    wire.route("DELETE", f"{_FIREWALL}/tags", firewalls.remove_tags, 204),
    wire.route("POST", f"{_FIREWALL}/droplets", firewalls.add_droplets, 204),
    wire.route("DELETE", f"{_FIREWALL}/droplets", firewalls.remove_droplets, 204),
    wire.route("GET", f"{_KUBERNETES}/options", lists.options),
    wire.route("POST", f"{_KUBERNETES}/registry", access.add_registry, 204),
    wire.route("DELETE", f"{_KUBERNETES}/registry", access.remove_registry, 204),
    wire.route("GET", f"{_KUBERNETES}/clusters", clusters.listing),
    wire.route("POST", f"{_KUBERNETES}/clusters", clusters.create, 201),
    wire.route("GET", _CLUSTER, clusters.show),
    wire.route("PUT", _CLUSTER, clusters.update, 202),
    wire.route("DELETE", _CLUSTER, clusters.delete, 204),
    wire.route("GET", f"{_CLUSTER}/upgrades", access.upgrades),
    wire.route("POST", f"{_CLUSTER}/upgrade", clusters.upgrade, 202),
    wire.route("GET", f"{_CLUSTER}/credentials", access.credentials),
    wire.route("GET", f"{_CLUSTER}/kubeconfig", access.kubeconfig),
    wire.route("GET", f"{_CLUSTER}/user", access.user),
    wire.route("GET", _DESTROY, associated.of_cluster),
    wire.route("DELETE", f"{_DESTROY}/selective", associated.delete_selected, 204),
    wire.route("DELETE", f"{_DESTROY}/dangerous", associated.delete_all, 204),
    wire.route("GET", f"{_CLUSTER}/node_pools", pools.listing),
    wire.route("POST", f"{_CLUSTER}/node_pools", pools.create, 201),
    wire.route("GET", _POOL, pools.show),
    wire.route("PUT", _POOL, pools.update, 202),
    wire.route("DELETE", _POOL, pools.delete, 204),
    wire.route("POST", f"{_POOL}/recycle", pools.recycle, 202),
    wire.route("DELETE", f"{_POOL}/nodes/{{node}}", pools.delete_node, 202),
)
_IDS = {
    400: "bad_request",
    401: "Unauthorized",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    412: "precondition_failed",
    422: "unprocessable_entity",
    429: "too_many_requests",
    503: "service_unavailable",
}


class DigitalOcean(memory.Cloud[records.State, scopes.Scope]):
    """A cloud in memory."""

    token = catalogue.DEFAULT_TOKEN
    state_type = records.State
    changes = outside

    def __init__(
        self,
        *,
        pace: clock.Pace,
        reserve_port: Callable[[], int],
        saved: Mapping[str, Any] | None = None,
    ) -> None:
        """Creates the cloud.

        Args:
            pace: How long changes take.
            reserve_port: Returns a free TCP port for a cluster's Kubernetes API.
            saved: The state that `save` returned, or ``None`` for a new cloud.
        """
        super().__init__(pace=pace, reserve_port=reserve_port, saved=saved)
        self._request_counts: dict[str, tuple[float, int]] = {}

    def reset(self) -> None:
        """Deletes all state."""
        super().reset()
        self._request_counts.clear()

    def handle(self, request: wire.Request) -> wire.Reply:
        """Answers a client's request."""
        headers: dict[str, str] = {}
        try:
            account = scopes.account_for(self.state, request.token, now=request.now)
            headers = self._rate(account, now=request.now)
            matched = wire.match(ROUTES, request)
            if matched is None:
                raise scopes.missing(f"There is nothing at {request.method} {request.path}")
            route, parts = matched
            body = route.handler(
                self._scope(account, now=request.now, base=request.base), dataclasses.replace(request, parts=parts)
            )
        except wire.CloudError as error:
            return _refusal(error.status, error.code, error.reason, headers)
        if isinstance(body, str):
            headers["Content-Type"] = "application/yaml"
        return wire.Reply(route.status, body, headers | {"x-request-id": scopes.new_id()})

    def refusal(self, status: int, reason: str) -> wire.Reply:
        """Returns an error of the sandbox itself, in the cloud's format."""
        return _refusal(status, _IDS.get(status, "server_error"), reason, {})

    def settle(self, now: float) -> bool:
        """Ends the changes that are due at ``now`` and returns whether there were any."""
        scopes = [self._scope(account, now=now) for account in self.state.accounts]
        return any([progress.settle(scope) for scope in scopes])  # noqa: C419 - a generator would stop at the first

    def kubernetes(self, *, client: str, now: float, key: str = "") -> list[nodes.Cluster]:
        """Returns the Kubernetes API of each cluster, or of one, as it is open to a client with this address."""
        return [
            kubernetes.cluster(item, open_=clusters.reachable(item, client=client), now=now)
            for item in self.state.clusters
            if key in ("", item.id)
        ]

    def reflect(self, key: str, workload: nodes.Workload, *, now: float) -> None:
        """Follows a cluster's workload: which nodes are cordoned, which volumes and load balancers there are."""
        cluster = next((item for item in self.state.clusters if item.id == key), None)
        if cluster is None:
            return
        for pool in cluster.pools:
            for node in pool.nodes:
                node.cordoned = node.name in workload.cordoned
        autoscaler.look(cluster, workload, now=now)
        associated.follow(self.state, cluster, sort=associated.VOLUME, names=workload.volumes, now=now)
        associated.follow(self.state, cluster, sort=associated.LOAD_BALANCER, names=workload.balancers, now=now)

    def observe(self, key: str) -> bool:
        """Counts a read of a cluster's Kubernetes API and returns whether a timer was waiting for it."""
        return any(progress.observe(item) for item in self.state.clusters if item.id == key)

    def outside_scope(self, body: memory.Body, *, now: float) -> scopes.Scope:
        """Returns the place of an out-of-band change."""
        token = str(body.get("account") or catalogue.DEFAULT_TOKEN)
        return self._scope(scopes.account_for(self.state, token, now=now), now=now)

    def _scope(self, account: records.Account, *, now: float, base: str = "") -> scopes.Scope:
        return scopes.Scope(
            state=self.state,
            pace=self.pace,
            account=account,
            now=now,
            base=base,
            reserve_port=self.reserve_port,
        )

    def _rate(self, account: records.Account, *, now: float) -> dict[str, str]:
        """Counts an account's request and returns the rate-limit headers. Only a fault rule refuses requests with 429."""
        start, count = self._request_counts.get(account.id, (now, 0))
        if now - start >= catalogue.REQUEST_LIMIT_SECONDS:
            start, count = now, 0
        self._request_counts[account.id] = (start, count + 1)
        return {
            "ratelimit-limit": str(catalogue.REQUEST_LIMIT),
            "ratelimit-remaining": str(max(catalogue.REQUEST_LIMIT - count - 1, 1)),
            "ratelimit-reset": str(int(start + catalogue.REQUEST_LIMIT_SECONDS)),
        }


def _refusal(status: int, code: str, reason: str, headers: Mapping[str, str]) -> wire.Reply:
    key = scopes.new_id()
    return wire.Reply(status, {"id": code, "message": reason, "request_id": key}, {**headers, "x-request-id": key})
