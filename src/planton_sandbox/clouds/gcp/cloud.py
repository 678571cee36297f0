"""The simulated Google Cloud as a whole: authentication, routes, state.

The rest of the sandbox uses this class only. It does no I/O: requests, time and ports are arguments.
"""

from __future__ import annotations

import dataclasses

from planton_sandbox import wire
from planton_sandbox.clouds import memory
from planton_sandbox.clouds.gcp import (
    associated,
    autoscaler,
    catalogue,
    kubernetes,
    operations,
    outside,
    progress,
    records,
    routes,
    scopes,
    tokens,
)
from planton_sandbox.kubernetes import nodes

_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_REASONS = {
    "INVALID_ARGUMENT": "badRequest",
    "FAILED_PRECONDITION": "failedPrecondition",
    "UNAUTHENTICATED": "authError",
    "PERMISSION_DENIED": "forbidden",
    "NOT_FOUND": "notFound",
    "ALREADY_EXISTS": "alreadyExists",
    "ABORTED": "aborted",
    "RESOURCE_EXHAUSTED": "rateLimitExceeded",
    "INTERNAL": "backendError",
    "UNAVAILABLE": "backendError",
}


class Gcp(memory.Cloud[records.State, scopes.Scope]):
    """A cloud in memory."""

    token = catalogue.DEFAULT_TOKEN
    state_type = records.State
    changes = outside

    def reset(self) -> None:
        """Deletes all state except the key of the default service account, which is in a file of the sandbox's home."""
        self.state = records.State(key=self.state.key)

    def handle(self, request: wire.Request) -> wire.Reply:
        """Answers a client's request."""
        if (request.method, request.path) == ("POST", tokens.PATH):
            # The exchange needs the account in the key file, which a reset deletes.
            scopes.account_for(self.state, catalogue.DEFAULT_TOKEN, now=request.now)
            return tokens.exchange(self.state, request)
        try:
            account = scopes.account_for(self.state, request.token, now=request.now)
            matched = wire.match(routes.ROUTES, request)
            if matched is None:
                raise scopes.refused(404, "Method not found.")
            route, parts = matched
            scope = self._scope(account, now=request.now, version=parts["version"])
            return wire.Reply(route.status, route.handler(scope, dataclasses.replace(request, parts=parts)))
        except wire.CloudError as error:
            return _refusal(error.status, error.code, error.reason)

    def refusal(self, status: int, reason: str) -> wire.Reply:
        """Returns an error of the sandbox itself, in the cloud's format."""
        return _refusal(status, _CODES.get(status, "UNKNOWN"), reason)

    def key_file(self, endpoint: str) -> str:
        """Returns the key file of the default service account, for the cloud's API at ``endpoint``."""
        return tokens.file(self.state, endpoint=endpoint)

    def account(self, token: str) -> str:
        """Returns the id of a token's account, or an empty string."""
        issued = next((item.account for item in self.state.tokens if item.text == token), "")
        return next((item.id for item in self.state.accounts if item.token == token or item.id == issued), "")

    def settle(self, now: float) -> bool:
        """Ends the changes that are due at ``now`` and returns whether there were any."""
        scopes = [self._scope(account, now=now) for account in self.state.accounts]
        return any([progress.settle(scope) for scope in scopes])  # noqa: C419 - a generator would stop at the first

    def kubernetes(self, *, client: str, now: float, key: str = "") -> list[nodes.Cluster]:
        """Returns the Kubernetes API of each cluster, or of one, as it is open to a client with this address."""
        return [
            kubernetes.cluster(self.state, item, client=client, now=now) for item in self.state.clusters if key in ("", item.id)
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
        associated.follow(self.state, cluster, sort=associated.DISK, names=workload.volumes, now=now)
        associated.follow(self.state, cluster, sort=associated.BALANCER, names=workload.balancers, now=now)

    def observe(self, key: str) -> bool:
        """Counts a read of a cluster's Kubernetes API and returns whether a timer was waiting for it."""
        clusters = [item for item in self.state.clusters if item.id == key]
        return any([each.timer.count_read() for item in clusters for each in operations.running(self.state, item)])  # noqa: C419 - a generator would stop at the first

    def outside_scope(self, body: memory.Body, *, now: float) -> scopes.Scope:
        """Returns the place of an out-of-band change."""
        token = str(body.get("account") or catalogue.DEFAULT_TOKEN)
        return self._scope(scopes.account_for(self.state, token, now=now), now=now)

    def _scope(self, account: records.Account, *, now: float, version: str = "v1") -> scopes.Scope:
        return scopes.Scope(
            state=self.state,
            pace=self.pace,
            account=account,
            now=now,
            version=version,
            reserve_port=self.reserve_port,
        )


def _refusal(status: int, code: str, reason: str) -> wire.Reply:
    errors = [{"message": reason, "domain": "global", "reason": _REASONS.get(code, "backendError")}]
    return wire.Reply(status, {"error": {"code": status, "message": reason, "errors": errors, "status": code}})
