"""TCP ports on loopback that the sandbox reserves.

A reserved port that is not served refuses connections, and no other process can bind it. Nothing here listens.
"""

from __future__ import annotations

import socket

HOST = "127.0.0.1"


class Ports:
    """Reserved ports, each held by a socket that is bound and does not listen."""

    def __init__(self) -> None:
        """Creates an empty set of ports."""
        self._held: dict[int, socket.socket] = {}

    def reserve(self, port: int = 0) -> int:
        """Reserves a port and returns it; if ``port`` is 0 or taken, reserves another one."""
        if port in self._held:
            return port
        bound = _bind(port)
        number = int(bound.getsockname()[1])
        self._held[number] = bound
        return number

    def take(self, port: int) -> socket.socket:
        """Returns the socket of a reserved port; the caller closes it."""
        return self._held.pop(port)

    def release(self, port: int) -> None:
        """Releases a port, if it is reserved."""
        held = self._held.pop(port, None)
        if held:
            held.close()

    def close(self) -> None:
        """Releases all ports."""
        for port in list(self._held):
            self.release(port)


def _bind(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
    except OSError:
        if port == 0:
            bound.close()
            raise
        bound.bind((HOST, 0))
    return bound
