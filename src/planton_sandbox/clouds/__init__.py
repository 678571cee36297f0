"""The simulated clouds, by the name of their Pulumi provider.

To add a cloud, write a class with the methods of `Cloud` and add it to `CLOUDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from planton_sandbox import clock, wire
from planton_sandbox.clouds.civo import cloud as civo
from planton_sandbox.clouds.digitalocean import cloud as digitalocean
from planton_sandbox.clouds.gcp import cloud as gcp
from planton_sandbox.kubernetes import nodes


class Cloud(Protocol):
    """A cloud, as the rest of the sandbox uses it."""

    token: str

    def save(self) -> Any:
        """Returns the state as JSON values."""

    def reset(self) -> None:
        """Deletes all state."""

    def handle(self, request: wire.Request) -> wire.Reply:
        """Answers a client's request."""

    def refusal(self, status: int, reason: str) -> wire.Reply:
        """Returns an error of the sandbox itself, in the cloud's format."""

    def key_file(self, endpoint: str) -> str:
        """Returns the default account's key file for the API at ``endpoint``; empty if the cloud has only tokens."""

    def account(self, token: str) -> str:
        """Returns the id of a token's account, or an empty string."""

    def settle(self, now: float) -> bool:
        """Ends the changes that are due at ``now`` and returns whether there were any."""

    def kubernetes(self, *, client: str, now: float, key: str = "") -> list[nodes.Cluster]:
        """Returns the Kubernetes API of each cluster, or of one, as it is open to a client with this address."""

    def reflect(self, key: str, workload: nodes.Workload, *, now: float) -> None:
        """Follows a cluster's workload: which nodes are cordoned, which volumes and load balancers there are."""

    def cluster_id(self, body: Mapping[str, Any], *, now: float) -> str:
        """Returns the id of the cluster that an out-of-band change names."""

    def observe(self, key: str) -> bool:
        """Counts a read of a cluster's Kubernetes API and returns whether a timer was waiting for it."""

    def change_port(self, key: str, *, port: int) -> None:
        """Moves a cluster's Kubernetes API to another port."""

    def outside(self, action: str, *, body: Mapping[str, Any], now: float) -> Any:
        """Makes an out-of-band change."""


class _Maker(Protocol):
    def __call__(
        self,
        *,
        pace: clock.Pace,
        reserve_port: Callable[[], int],
        saved: Mapping[str, Any] | None = None,
    ) -> Cloud: ...


CLOUDS: Mapping[str, _Maker] = {"civo": civo.Civo, "digitalocean": digitalocean.DigitalOcean, "gcp": gcp.Gcp}
