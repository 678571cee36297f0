"""Protection against DNS rebinding, while the server trusts ``X-User-Email``.

A web page can point its own host name at this machine, and then send any header, even a user's email address. The browser still sends
the name of the page in ``Host``, so requests with such a name are refused.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from planton_server import calls, settings
from planton_server.http import rest
from planton_server.service import errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send


class Guard:
    """Refuses requests from this machine with another host name, unless they come from a trusted proxy."""

    def __init__(self, app: ASGIApp, proxies: Sequence[str]) -> None:
        self._app = app
        self._proxies = [ipaddress.ip_network(proxy) for proxy in proxies]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles a request, or responds with 403."""
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        if not self._is_local(scope) or all(settings.is_loopback(_name(host)) for host in hosts):
            await self._app(scope, receive, send)
            return
        response = rest.error_response(
            errors.forbidden(
                "Host must be localhost or a loopback address; for requests of a proxy, start the server with --trusted-proxy"
            )
        )
        response.headers["X-Request-Id"] = calls.request_id("")
        await response(scope, receive, send)

    def _is_local(self, scope: Scope) -> bool:
        if scope["client"] is None:
            # The client has already disconnected.
            return True
        address = ipaddress.ip_address(scope["client"][0].partition("%")[0])
        address = getattr(address, "ipv4_mapped", None) or address
        return address.is_loopback and not any(address in proxy for proxy in self._proxies)


def _name(host: str) -> str:
    """Returns a host without its port, in lower case."""
    name, _, port = host.rpartition(":")
    return (name if name and port.isdecimal() and (not name.count(":") or name.endswith("]")) else host).lower()
