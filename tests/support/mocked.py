"""What the mocked clouds share: ids, and how a provider function fails."""

from __future__ import annotations

import grpc

NETWORK_ID = "11111111-1111-4111-8111-111111111111"
CLUSTER_ID = "22222222-2222-4222-8222-222222222222"
FIREWALL_ID = "33333333-3333-4333-8333-333333333333"


class FailedCallError(grpc.RpcError):
    """A provider function that failed, as the engine reports it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    def code(self) -> grpc.StatusCode:
        """Returns the status that the plugin answers with."""
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        """Returns the plugin's text."""
        return self.text
