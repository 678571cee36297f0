"""The simulated Civo as a whole: who may ask, which function answers, what others see of it.

The rest of the sandbox knows only this class. It must not do I/O: requests,
time and ports come in as arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from planton.sandbox import clock, codec, kubernetes_nodes, wire
from planton.sandbox.clouds import (
    civo_associated,
    civo_clusters,
    civo_firewalls,
    civo_lists,
    civo_networks,
    civo_nodes,
    civo_outside,
    civo_pools,
    civo_progress,
    civo_quota,
    civo_scope,
)
from planton.sandbox.clouds import civo_catalogue as catalogue
from planton.sandbox.clouds import civo_records as records

_MALFORMED = 400
_CLUSTERS = "/v2/kubernetes/clusters"
_POOLS = f"{_CLUSTERS}/{{id}}/pools"


def _network_routes(prefix: str) -> tuple[wire.Route[civo_scope.Scope], ...]:
    return (
        wire.route("GET", f"{prefix}/networks", civo_networks.listing),
        wire.route("POST", f"{prefix}/networks", civo_networks.create),
        wire.route("GET", f"{prefix}/networks/{{id}}", civo_networks.show),
        wire.route("PUT", f"{prefix}/networks/{{id}}", civo_networks.update),
        wire.route("DELETE", f"{prefix}/networks/{{id}}", civo_networks.delete),
        wire.route("GET", f"{prefix}/networks/{{id}}/subnets", civo_lists.nothing),
        wire.route("GET", f"{prefix}/firewalls", civo_firewalls.listing),
        wire.route("POST", f"{prefix}/firewalls", civo_firewalls.create),
        wire.route("GET", f"{prefix}/firewalls/{{id}}", civo_firewalls.show),
        wire.route("PUT", f"{prefix}/firewalls/{{id}}", civo_firewalls.update),
        wire.route("DELETE", f"{prefix}/firewalls/{{id}}", civo_firewalls.delete),
        wire.route("GET", f"{prefix}/firewalls/{{id}}/rules", civo_firewalls.list_rules),
        wire.route("POST", f"{prefix}/firewalls/{{id}}/rules", civo_firewalls.create_rule),
        wire.route("DELETE", f"{prefix}/firewalls/{{id}}/rules/{{rule}}", civo_firewalls.delete_rule),
        wire.route("GET", f"{prefix}/loadbalancers", civo_associated.listing(civo_associated.LOAD_BALANCER)),
        wire.route("DELETE", f"{prefix}/loadbalancers/{{id}}", civo_associated.delete(civo_associated.LOAD_BALANCER)),
    )


# Newer clients use the same resources below /v2/vpc.
ROUTES = (
    *_network_routes("/v2"),
    *_network_routes("/v2/vpc"),
    wire.route("GET", "/v2/ping", civo_lists.ping),
    wire.route("GET", "/v2/regions", civo_lists.regions),
    wire.route("GET", "/v2/sizes", civo_lists.sizes),
    wire.route("GET", "/v2/accounts", civo_lists.accounts),
    wire.route("GET", "/v2/quota", civo_quota.show),
    wire.route("GET", "/v2/volumes", civo_associated.listing(civo_associated.VOLUME)),
    wire.route("DELETE", "/v2/volumes/{id}", civo_associated.delete(civo_associated.VOLUME)),
    wire.route("GET", "/v2/instances", civo_lists.instances),
    wire.route("GET", "/v2/instances/{id}", civo_lists.instance),
    wire.route("GET", "/v2/kubernetes/versions", civo_lists.versions),
    wire.route("GET", "/v2/kubernetes/applications", civo_lists.applications),
    wire.route("GET", _CLUSTERS, civo_clusters.listing),
    wire.route("POST", _CLUSTERS, civo_clusters.create),
    wire.route("GET", f"{_CLUSTERS}/{{id}}", civo_clusters.show),
    wire.route("PUT", f"{_CLUSTERS}/{{id}}", civo_clusters.update),
    wire.route("DELETE", f"{_CLUSTERS}/{{id}}", civo_clusters.delete),
    wire.route("GET", f"{_CLUSTERS}/{{id}}/instances", civo_clusters.list_instances),
    wire.route("POST", f"{_CLUSTERS}/{{id}}/recycle", civo_clusters.recycle),
    wire.route("GET", _POOLS, civo_pools.listing),
    wire.route("POST", _POOLS, civo_pools.create),
    wire.route("GET", f"{_POOLS}/{{pool}}", civo_pools.show),
    wire.route("PUT", f"{_POOLS}/{{pool}}", civo_pools.update),
    wire.route("DELETE", f"{_POOLS}/{{pool}}", civo_pools.delete),
    wire.route("DELETE", f"{_POOLS}/{{pool}}/instances/{{node}}", civo_pools.delete_node),
)
# These answer the same everywhere, so they do not mind a region that is unknown.
_GLOBAL = (
    "/v2/ping",
    "/v2/regions",
    "/v2/sizes",
    "/v2/accounts",
    "/v2/quota",
    "/v2/kubernetes/versions",
    "/v2/kubernetes/applications",
)


class Civo:
    """A cloud in memory."""

    token = catalogue.DEFAULT_TOKEN

    def __init__(
        self,
        *,
        pace: clock.Pace,
        reserve_port: Callable[[], int],
        wall: Callable[[], float],
        saved: Mapping[str, Any] | None = None,
    ) -> None:
        """Open the cloud.

        Args:
            pace: How long things take.
            reserve_port: Gives a free TCP port for a cluster's Kubernetes API.
            wall: The real time, for certificates.
            saved: What `save` returned, to go on from there.
        """
        self._pace = pace
        self._reserve_port = reserve_port
        self._wall = wall
        self.state = codec.decode(records.State, saved) if saved else records.State()

    def save(self) -> Any:
        """Return the state as JSON values."""
        return codec.encode(self.state)

    def reset(self) -> None:
        """Forget everything."""
        self.state = records.State()

    def handle(self, request: wire.Request) -> wire.Reply:
        """Answer a request of a client."""
        if not request.token:
            return wire.Reply(401, {"result": "requires_authentication", "reason": "No token was sent"})
        try:
            account = civo_scope.account_for(self.state, request.token)
            found = wire.match(ROUTES, request)
            if found is None:
                return _refusal(404, code="not_found", reason=f"No route for {request.method} {request.path}")
            route, parts = found
            scope = self._scope(account, region=self._region(request), now=request.now)
            call = wire.Request(
                method=request.method,
                path=request.path,
                query=request.query,
                body=request.body,
                token=request.token,
                now=request.now,
                parts=parts,
            )
            return wire.Reply(route.status, route.handler(scope, call))
        except wire.CloudError as error:
            if error.status == 401:  # noqa: PLR2004 - the HTTP status
                return wire.Reply(401, {"result": "requires_authentication", "reason": error.reason})
            return _refusal(error.status, code=error.code, reason=error.reason)

    def refusal(self, status: int, reason: str) -> wire.Reply:
        """Return what the sandbox itself refuses with, in this cloud's form."""
        return _refusal(status, code="parameter_invalid" if status == _MALFORMED else "sandbox_fault", reason=reason)

    def account(self, token: str) -> str:
        """Return the id of a token's account, or an empty string."""
        return next((item.id for item in self.state.accounts if item.token == token), "")

    def settle(self, now: float) -> bool:
        """Bring to an end what is over at ``now``; say whether anything was."""
        return civo_progress.settle(self.state, pace=self._pace, now=now)

    def kubernetes(self, *, client: str, now: float) -> list[kubernetes_nodes.Cluster]:  # noqa: ARG002 - nothing of it expires
        """Return the clusters' Kubernetes side, as a client at this address meets it."""
        return [
            civo_nodes.cluster(item, open_=civo_clusters.reachable(self.state, item, client=client))
            for item in self.state.clusters
        ]

    def observe(self, key: str) -> bool:
        """Count a reader of a cluster's Kubernetes API; say whether it was waited for."""
        return any(civo_progress.observe(item) for item in self.state.clusters if item.id == key)

    def change_port(self, key: str, *, port: int) -> None:
        """Move a cluster's Kubernetes API to another port."""
        for item in self.state.clusters:
            if item.id == key:
                item.port = port

    def outside(self, action: str, *, body: Mapping[str, Any], now: float) -> Any:
        """Let the outside world do something, past the API; see `civo_outside`.

        Raises:
            wire.CloudError: when there is no such action or resource.
        """
        token = str(body.get("account") or catalogue.DEFAULT_TOKEN)
        account = civo_scope.account_for(self.state, token)
        region = str(body.get("region") or catalogue.DEFAULT_REGION)
        return civo_outside.act(self._scope(account, region=region, now=now), action, body)

    def _scope(self, account: records.Account, *, region: str, now: float) -> civo_scope.Scope:
        civo_scope.settle_in(self.state, account, region=region, now=now)
        return civo_scope.Scope(
            state=self.state,
            pace=self._pace,
            account=account,
            region=region,
            now=now,
            reserve_port=self._reserve_port,
            wall=self._wall,
        )

    def _region(self, request: wire.Request) -> str:
        asked = request.query.get("region") or request.body.get("region") or catalogue.DEFAULT_REGION
        if request.path.rstrip("/") not in _GLOBAL and catalogue.region(str(asked)) is None:
            raise wire.CloudError(400, code="region_unavailable", reason=f"There is no region {asked!r}")
        return str(asked)


def _refusal(status: int, *, code: str, reason: str) -> wire.Reply:
    return wire.Reply(status, {"code": code, "result": "failed", "reason": reason})
