"""Access to the sandbox: programs on this machine may call it, web pages in a browser may not.

A page can resolve its own name to this machine (DNS rebinding), or send a form to any address. The browser reveals both: ``Host``
has the page's name, ``Origin`` has its address, and ``Sec-Fetch-Site`` is ``cross-site``.
"""

from __future__ import annotations

import ipaddress
import urllib.parse
from collections.abc import Awaitable, Callable

from aiohttp import web

OWN_SITES = ("same-origin", "none")


@web.middleware
async def guard(request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.StreamResponse:
    """Refuses requests of web pages with 403."""
    reason = _refusal(request)
    if not reason:
        return await handler(request)
    response = web.json_response({"error": reason, "reason": reason, "message": reason}, status=403)
    # The body has not been read.
    response.force_close()
    return response


def _refusal(request: web.Request) -> str:
    hosts = request.headers.getall("Host", [])
    if len(hosts) != 1 or not _is_loopback(hosts[0]):
        return "Host must be localhost or a loopback address: the sandbox answers programs of this machine"
    if any(origin.lower() != f"http://{hosts[0].lower()}" for origin in request.headers.getall("Origin", [])):
        return "a web page of another origin may not call the sandbox"
    if any(site.lower() not in OWN_SITES for site in request.headers.getall("Sec-Fetch-Site", [])):
        return "a web page of another site may not call the sandbox"
    return ""


def _is_loopback(host: str) -> bool:
    try:
        name = urllib.parse.urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
