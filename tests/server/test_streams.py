"""Streams of events: how many there may be, and how long they last."""

import asyncio
import datetime

import pytest

from planton_server import auth
from planton_server.http import event_stream
from planton_server.service import timestamps
from planton_server.store import access
from support import api


class Stream:
    """A stream that is open until it is left, or until the server ends it."""

    def __init__(self, client, **headers):
        self.text = ""
        self.status = 0
        self._client = client
        self._disconnected = asyncio.Event()
        self._begun = asyncio.Event()
        said = {"accept": "text/event-stream", "x-user-email": client.user} | headers
        self._headers = [(name.encode(), value.encode()) for name, value in said.items() if value]
        self._running = client.server.loop.begin(self._run())
        client.server.loop.run(asyncio.wait_for(self._begun.wait(), api.TIMEOUT_SECONDS))

    async def _run(self):
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "path": "/api/v1/events",
            "raw_path": b"/api/v1/events", "query_string": b"", "root_path": "", "scheme": "http", "headers": self._headers,
            "client": ("127.0.0.1", 1), "server": ("api", 80),
        }  # fmt: skip
        await self._client.server.app(scope, self._receive, self._send)

    async def _receive(self):
        await self._disconnected.wait()
        return {"type": "http.disconnect"}

    async def _send(self, event):
        self.status = event.get("status", self.status)
        self.text += event.get("body", b"").decode()
        if event["type"] == "http.response.body":
            self._begun.set()

    def leave(self):
        """Goes away, and returns when the server has seen it."""

        async def leave():
            self._disconnected.set()

        self._client.server.loop.run(leave())
        self.end()

    def end(self):
        """Returns when the server has ended the stream."""
        self._running.result(api.TIMEOUT_SECONDS)


def test_streams_of_a_caller_are_counted(rest):
    """A caller has so many at once and no more; who leaves makes room, and others have room of their own."""
    streams = [Stream(rest) for _ in range(event_stream.MAX_STREAMS)]
    assert {stream.status for stream in streams} == {200}
    refused = Stream(rest)
    refused.end()
    assert (refused.status, '"RATE_LIMITED"' in refused.text) == (429, True)
    other = Stream(api.Api(rest.server, "rest"))
    streams.pop().leave()
    streams += [other, Stream(rest)]
    assert streams[-1].status == other.status == 200
    for stream in streams:
        stream.leave()


@pytest.fixture
def token(rest):
    """Keeps a token for a caller of its own and returns it; ``expires`` is in seconds from now."""

    def make(expires=None):
        made = auth.new_token()
        now = rest.server.clock()
        ends = timestamps.text(now + datetime.timedelta(seconds=expires)) if expires else None
        row = {"digest": auth.digest(made), "subject": rest.user, "role": "user", "created_at": timestamps.text(now)}

        async def put():
            async with rest.server.store.transaction() as transaction:
                await access.put_token(transaction, row | {"expires_at": ends})

        rest.server.loop.run(put())
        return made

    return make


def test_stream_of_a_revoked_token_ends(rest, token):
    """As soon as the token has no effect any more, ten seconds later at most."""
    made = token()
    stream = Stream(rest, authorization=f"Bearer {made}")

    async def revoke():
        async with rest.server.store.transaction() as transaction:
            assert await access.revoke_token(transaction, auth.digest(made)[:12])

    rest.server.loop.run(revoke())
    rest.server.clock.advance(10)
    stream.end()
    assert stream.text.endswith(": Authentication required\n\n")


def test_stream_of_an_expired_token_ends(rest, token):
    """It is open no longer than the token is good."""
    stream = Stream(rest, authorization=f"Bearer {token(expires=60)}")
    rest.server.clock.advance(60)
    stream.end()
    assert stream.text.endswith(": Authentication required\n\n")
