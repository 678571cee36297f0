"""Server-Sent Events: ``GET /api/v1/events`` with ``Accept: text/event-stream``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from starlette import responses

from planton_server.service import bodies, encoding, errors

if TYPE_CHECKING:
    import collections
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.types import Receive, Scope, Send

    from planton_server.service import answers

#: Seconds between two queries for new events.
_POLL: Final = 0.5
#: Seconds between two comments on a stream without events, which keep the connection open.
_HEARTBEAT: Final = 15.0
#: The maximum number of open streams of a caller. Each stream queries the database while it is open.
MAX_STREAMS: Final = 20


class Stream(responses.StreamingResponse):
    """A stream of events. It counts as a stream of its caller until it ends."""

    def __init__(self, chunks: AsyncIterator[str], streams: collections.Counter[str], caller: str) -> None:
        """Creates the response.

        Args:
            chunks: The text of the stream.
            streams: Caller → the number of its open streams.
            caller: The caller.

        Raises:
            ApiError: The caller has the maximum number of streams.
        """
        if streams[caller] >= MAX_STREAMS:
            raise errors.too_many_streams(MAX_STREAMS)
        super().__init__(chunks, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        self._streams = streams
        self._caller = caller
        streams[caller] += 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the stream."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams[self._caller] -= 1
            if not self._streams[self._caller]:
                del self._streams[self._caller]


async def chunks(
    answer: answers.Answer, read: Callable[[], Awaitable[answers.Answer]], request: Any, is_stopping: Callable[[], bool]
) -> AsyncIterator[str]:
    """Yields the text of a stream until the client disconnects, its token becomes invalid, or the server stops.

    Args:
        answer: The first events. They are read before the response begins, so that an error has its own response.
        read: Reads the events after ``request.after``.
        request: The ListEventsRequest. Its ``after`` advances with each event.
        is_stopping: Returns whether the server is stopping.
    """
    yield "retry: 1000\n\n"
    quiet = 0.0
    while not is_stopping():
        page = answer.body
        assert isinstance(page, bodies.EventPage)
        for event in page.events:
            yield f"id: {event.cursor}\nevent: {event.type}\ndata: {encoding.to_json(event)}\n\n"
        if page.events:
            request.after, quiet = page.next_cursor, 0.0
        else:
            await asyncio.sleep(_POLL)
            quiet += _POLL
            if quiet >= _HEARTBEAT:
                yield ": still here\n\n"
                quiet = 0.0
        try:
            answer = await read()
        except errors.ApiError as error:
            # The client reconnects with Last-Event-ID. By then the database may be reachable again.
            yield f": {error.message}\n\n"
            return
