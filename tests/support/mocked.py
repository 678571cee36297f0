"""Parts shared by the mocked clouds: IDs, and the error of a failed provider function."""

from __future__ import annotations

import grpc

NETWORK_ID = "11111111-1111-4111-8111-111111111111"
CLUSTER_ID = "22222222-2222-4222-8222-222222222222"
FIREWALL_ID = "33333333-3333-4333-8333-333333333333"


class FailedCallError(grpc.RpcError):
    """A failed provider function, as the engine reports it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def code(self) -> grpc.StatusCode:
        """Returns the status of the plugin's response."""
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        """Returns the message of the plugin."""
        return self.text
