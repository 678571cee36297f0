"""The names that a server answers to: a web page in a browser on its machine must not be anybody (DNS rebinding)."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from planton_server.http import hosts
from support import api, serving


@pytest.fixture
def ask(loop: api.Loop) -> Callable[..., httpx.Response]:
    """Returns the answer to a request with a Host, from an address."""
    return lambda *arguments: loop.run(_ask(*arguments))


async def _ask(host: str | None, peer: str, *proxies: str) -> httpx.Response:

    async def app(_scope, _receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    transport = httpx.ASGITransport(hosts.Guard(app, proxies), client=(peer, 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        request = client.build_request("GET", "/")
        del request.headers["host"]
        if host is not None:
            request.headers["host"] = host
        return await client.send(request)


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost:8080", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:8080", "::1", None],
)
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_answered(ask, host: str | None, peer: str) -> None:
    """By each of its names; programs that name none are no browsers."""
    assert ask(host, peer).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "localhost.evil.example", "10.0.0.1", "[fd00::1]:80", ""])
@pytest.mark.parametrize("peer", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_a_page_is_not(ask, host: str, peer: str) -> None:
    """With the envelope of every error."""
    answer = ask(host, peer)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN")
    assert answer.headers["x-request-id"]


def test_a_proxy_that_is_named_may_bring_any_host(ask) -> None:
    """On this machine or on another one; from there no page can come, for its browser is here."""
    assert ask("api.example.com", "127.0.0.1", "127.0.0.1/32").status_code == 200
    assert ask("api.example.com", "10.1.2.3", "10.0.0.0/8").status_code == 200
    assert ask("api.example.com", "127.0.0.1", "10.0.0.0/8").status_code == 403


@pytest.mark.parametrize(
    ("chosen", "status"), [({}, 403), ({"trusted_proxies": ("127.0.0.1",)}, 200), ({"trusted_header": False}, 401)]
)
def test_a_server_looks_at_it_where_it_believes_the_header(loop, new_url, chosen: dict[str, object], status: int) -> None:
    """A token no page has."""
    with serving.within(loop, new_url("sqlite"), **chosen) as server:
        assert server.client.get("/api/v1/nodepools", headers={"Host": "evil.example"}).status_code == status
        assert server.client.get("/health").status_code == 200
