"""The simulated clouds, by the name that their Pulumi provider has.

Another cloud is another class with the methods of `Cloud` and another line here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from planton_sandbox import clock, wire
from planton_sandbox.clouds.civo import cloud as civo
from planton_sandbox.clouds.digitalocean import cloud as digitalocean
from planton_sandbox.kubernetes import nodes


class Cloud(Protocol):
    """What the rest of the sandbox knows of a cloud."""

    token: str

    def save(self) -> Any:
        """Return the state as JSON values."""

    def reset(self) -> None:
        """Forget everything."""

    def handle(self, request: wire.Request) -> wire.Reply:
        """Answer a request of a client."""

    def refusal(self, status: int, reason: str) -> wire.Reply:
        """Return what the sandbox itself refuses with, in this cloud's form."""

    def account(self, token: str) -> str:
        """Return the id of a token's account, or an empty string."""

    def settle(self, now: float) -> bool:
        """Bring to an end what is over at ``now``; say whether anything was."""

    def kubernetes(self, *, client: str, now: float) -> list[nodes.Cluster]:
        """Return the clusters' Kubernetes side, as a client at this address meets it."""

    def observe(self, key: str) -> bool:
        """Count a reader of a cluster's Kubernetes API; say whether it was waited for."""

    def change_port(self, key: str, *, port: int) -> None:
        """Move a cluster's Kubernetes API to another port."""

    def outside(self, action: str, *, body: Mapping[str, Any], now: float) -> Any:
        """Let the outside world do something, past the API."""


class _Maker(Protocol):
    def __call__(
        self,
        *,
        pace: clock.Pace,
        reserve_port: Callable[[], int],
        saved: Mapping[str, Any] | None = None,
    ) -> Cloud: ...


CLOUDS: Mapping[str, _Maker] = {"civo": civo.Civo, "digitalocean": digitalocean.DigitalOcean}
