"""The simulated Civo as a whole: authentication, routes, state.

The rest of the sandbox uses this class only. It does no I/O: requests, time and ports are arguments.
"""

from __future__ import annotations

import dataclasses

from planton_sandbox import wire
from planton_sandbox.clouds import memory
from planton_sandbox.clouds.civo import (
    associated,
    catalogue,
    clusters,
    firewalls,
    kubernetes,
    lists,
    networks,
    outside,
    pools,
    progress,
    quota,
    records,
    scopes,
)
from planton_sandbox.kubernetes import nodes

_MALFORMED = 400
_CLUSTERS = "/v2/kubernetes/clusters"
_POOLS = f"{_CLUSTERS}/{{id}}/pools"


def _network_routes(prefix: str) -> tuple[wire.Route[scopes.Scope], ...]:
    return (
        wire.route("GET", f"{prefix}/networks", networks.listing),
        wire.route("POST", f"{prefix}/networks", networks.create),
        wire.route("GET", f"{prefix}/networks/{{id}}", networks.show),
        wire.route("PUT", f"{prefix}/networks/{{id}}", networks.update),
        wire.route("DELETE", f"{prefix}/networks/{{id}}", networks.delete),
        wire.route("GET", f"{prefix}/networks/{{id}}/subnets", lists.nothing),
        wire.route("GET", f"{prefix}/firewalls", firewalls.listing),
        wire.route("POST", f"{prefix}/firewalls", firewalls.create),
        wire.route("GET", f"{prefix}/firewalls/{{id}}", firewalls.show),
        wire.route("PUT", f"{prefix}/firewalls/{{id}}", firewalls.update),
        wire.route("DELETE", f"{prefix}/firewalls/{{id}}", firewalls.delete),
        wire.route("GET", f"{prefix}/firewalls/{{id}}/rules", firewalls.list_rules),
        wire.route("POST", f"{prefix}/firewalls/{{id}}/rules", firewalls.create_rule),
        wire.route("DELETE", f"{prefix}/firewalls/{{id}}/rules/{{rule}}", firewalls.delete_rule),
        wire.route("GET", f"{prefix}/loadbalancers", associated.listing(associated.LOAD_BALANCER)),
        wire.route("DELETE", f"{prefix}/loadbalancers/{{id}}", associated.delete(associated.LOAD_BALANCER)),
        wire.route("GET", f"{prefix}/ips", associated.addresses),
        wire.route("DELETE", f"{prefix}/ips/{{id}}", associated.delete(associated.ADDRESS)),
    )


# Newer clients find the same resources below /v2/vpc.
ROUTES = (
    *_network_routes("/v2"),
    *_network_routes("/v2/vpc"),
    wire.route("GET", "/v2/ping", lists.ping),
    wire.route("GET", "/v2/regions", lists.regions),
    wire.route("GET", "/v2/sizes", lists.sizes),
    wire.route("GET", "/v2/accounts", lists.accounts),
    wire.route("GET", "/v2/quota", quota.show),
    wire.route("GET", "/v2/volumes", associated.listing(associated.VOLUME)),
    wire.route("DELETE", "/v2/volumes/{id}", associated.delete(associated.VOLUME)),
    wire.route("GET", "/v2/instances", lists.instances),
    wire.route("GET", "/v2/instances/{id}", lists.instance),
    wire.route("GET", "/v2/kubernetes/versions", lists.versions),
    wire.route("GET", "/v2/kubernetes/applications", lists.applications),
    wire.route("GET", _CLUSTERS, clusters.listing),
    wire.route("POST", _CLUSTERS, clusters.create),
    wire.route("GET", f"{_CLUSTERS}/{{id}}", clusters.show),
    wire.route("PUT", f"{_CLUSTERS}/{{id}}", clusters.update),
    wire.route("DELETE", f"{_CLUSTERS}/{{id}}", clusters.delete),
    wire.route("GET", f"{_CLUSTERS}/{{id}}/instances", clusters.list_instances),
    wire.route("POST", f"{_CLUSTERS}/{{id}}/recycle", clusters.recycle),
    wire.route("GET", _POOLS, pools.listing),
    wire.route("POST", _POOLS, pools.create),
    wire.route("GET", f"{_POOLS}/{{pool}}", pools.show),
    wire.route("PUT", f"{_POOLS}/{{pool}}", pools.update),
    wire.route("DELETE", f"{_POOLS}/{{pool}}", pools.delete),
    wire.route("DELETE", f"{_POOLS}/{{pool}}/instances/{{node}}", pools.delete_node),
)
# These answers do not depend on the region, so they accept an unknown one.
_GLOBAL = (
    "/v2/ping",
    "/v2/regions",
    "/v2/sizes",
    "/v2/accounts",
    "/v2/quota",
    "/v2/kubernetes/versions",
    "/v2/kubernetes/applications",
)


class Civo(memory.Cloud[records.State, scopes.Scope]):
    """A cloud in memory."""

    token = catalogue.DEFAULT_TOKEN
    state_type = records.State
    changes = outside

    def handle(self, request: wire.Request) -> wire.Reply:
        """Answers a client's request."""
        if not request.token:
            return wire.Reply(401, {"result": "requires_authentication", "reason": "No token was sent"})
        try:
            account = scopes.account_for(self.state, request.token)
            matched = wire.match(ROUTES, request)
            if matched is None:
                return _refusal(404, code="not_found", reason=f"No route for {request.method} {request.path}")
            route, parts = matched
            scope = self._scope(account, region=self._region(request), now=request.now)
            return wire.Reply(route.status, route.handler(scope, dataclasses.replace(request, parts=parts)))
        except wire.CloudError as error:
            if error.status == 401:  # noqa: PLR2004 - the HTTP status
                return wire.Reply(401, {"result": "requires_authentication", "reason": error.reason})
            return _refusal(error.status, code=error.code, reason=error.reason)

    def refusal(self, status: int, reason: str) -> wire.Reply:
        """Returns an error of the sandbox itself, in the cloud's format."""
        return _refusal(status, code="parameter_invalid" if status == _MALFORMED else "sandbox_fault", reason=reason)

    def settle(self, now: float) -> bool:
        """Ends the changes that are due at ``now`` and returns whether there were any."""
        return progress.settle(self.state, pace=self.pace, now=now)

    def kubernetes(
        self,
        *,
        client: str,
        now: float,  # noqa: ARG002 - tokens of Civo do not expire
        key: str = "",
    ) -> list[nodes.Cluster]:
        """Returns the Kubernetes API of each cluster, or of one, as it is open to a client with this address."""
        return [
            kubernetes.cluster(item, open_=clusters.reachable(self.state, item, client=client))
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
                node.cordoned = node.hostname in workload.cordoned
        associated.follow(self.state, cluster, sort=associated.VOLUME, names=workload.volumes, now=now)
        associated.follow(self.state, cluster, sort=associated.LOAD_BALANCER, names=workload.balancers, now=now)

    def observe(self, key: str) -> bool:
        """Counts a read of a cluster's Kubernetes API and returns whether a timer was waiting for it."""
        return any(progress.observe(item) for item in self.state.clusters if item.id == key)

    def outside_scope(self, body: memory.Body, *, now: float) -> scopes.Scope:
        """Returns the place of an out-of-band change."""
        account = scopes.account_for(self.state, str(body.get("account") or catalogue.DEFAULT_TOKEN))
        region = str(body.get("region") or catalogue.DEFAULT_REGION)
        return self._scope(account, region=region, now=now)

    def _scope(self, account: records.Account, *, region: str, now: float) -> scopes.Scope:
        scopes.ensure_default_network(self.state, account, region=region, now=now)
        return scopes.Scope(
            state=self.state,
            pace=self.pace,
            account=account,
            region=region,
            now=now,
            reserve_port=self.reserve_port,
        )

    def _region(self, request: wire.Request) -> str:
        code = request.query.get("region") or request.body.get("region") or catalogue.DEFAULT_REGION
        if request.path.rstrip("/") not in _GLOBAL and catalogue.region(str(code)) is None:
            raise wire.CloudError(400, code="region_unavailable", reason=f"There is no region {code!r}")
        return str(code)


def _refusal(status: int, *, code: str, reason: str) -> wire.Reply:
    return wire.Reply(status, {"code": code, "result": "failed", "reason": reason})
