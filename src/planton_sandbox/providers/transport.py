"""One HTTP request, as the plugins' client libraries send it: without keep-alive, and with gzip for answers.

The header ``traceparent`` of a call of the engine goes on to the cloud, so that the log of requests shows to which trace one belongs.
"""

from __future__ import annotations

import contextvars
import dataclasses
import gzip
import http.client
import typing
import urllib.parse

DROPPED = (http.client.RemoteDisconnected, http.client.IncompleteRead)
"""The exceptions when the server closes the connection."""
FAILURES = (OSError, http.client.HTTPException)
"""The exceptions when there is no answer."""
TRACEPARENT = "traceparent"
"""The name of the header, and of the metadata of a call."""
_T = typing.TypeVar("_T")
_TRACE: contextvars.ContextVar[str] = contextvars.ContextVar(TRACEPARENT, default="")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer.

    Attributes:
        status: the status code.
        reason: the reason phrase.
        headers: the headers, with names in lower case.
        text: the body.
    """

    status: int
    reason: str
    headers: dict[str, str]
    text: str


def traced(metadata: typing.Iterable[tuple[str, str | bytes]], work: typing.Callable[[], _T]) -> typing.Callable[[], _T]:
    """Returns ``work`` as a function whose requests belong to the trace of a call.

    Args:
        metadata: the call's.
        work: what sends the requests.
    """
    value = next((str(each) for name, each in metadata if name == TRACEPARENT), "")

    def works() -> _T:
        token = _TRACE.set(value)
        try:
            return work()
        finally:
            _TRACE.reset(token)

    return works


def exchange(method: str, address: str, *, body: bytes | None, headers: dict[str, str]) -> Answer:
    """Sends a request and reads the whole answer.

    Raises:
        OSError: There is no connection.
        http.client.HTTPException: The answer is incomplete, or not HTTP.
    """
    url = urllib.parse.urlsplit(address)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.netloc)
    try:
        target = f"{url.path}?{url.query}" if url.query else url.path
        trace = _TRACE.get()
        headers = {**headers, TRACEPARENT: trace} if trace else headers
        connection.request(method, target, body=body, headers=headers)
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    received = {name.lower(): value for name, value in response.headers.items()}
    if received.get("content-encoding") == "gzip":
        content = gzip.decompress(content)
    return Answer(status=response.status, reason=response.reason, headers=received, text=content.decode(errors="replace"))
