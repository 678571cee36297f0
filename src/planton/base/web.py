"""Requests to the APIs of clouds: JSON over HTTP, with limits of size and time, and a token sent to one server only."""

from __future__ import annotations

import dataclasses
import functools
import http.client
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any, TypeVar

from planton.base import telemetry

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

T = TypeVar("T")
#: The maximum size of a body, in bytes. A list of a thousand clusters has a tenth of it.
MOST_BYTES = 16 * 1024**2
#: Seconds for a whole request, from the look-up of the host's name to the last byte.
DEADLINE = 60.0
_SILENCE_SECONDS = 30.0
_CHUNK = 64 * 1024
_MOST_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_PORTS = {"http": 80, "https": 443}


class NoAnswerError(Exception):
    """A request without a usable response; the text gives the reason."""


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """A response of a server.

    Attributes:
        status: The HTTP status.
        headers: By name in lower case.
        body: The content.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = dataclasses.field(repr=False)

    @property
    def text(self) -> str:
        """The content as text, with a replacement character for each invalid byte."""
        return self.body.decode(errors="replace")

    def json(self) -> Any:  # JSON data
        """Returns the content as JSON data.

        Raises:
            NoAnswerError: It is not JSON, for example the page of a proxy.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            kind = self.headers.get("content-type", "").partition(";")[0].strip() or "no content type"
            raise NoAnswerError(f"the answer is not JSON ({kind}, {len(self.body)} bytes)") from None


@dataclasses.dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    context: ssl.SSLContext | None


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    deadline: float = DEADLINE,
    context: ssl.SSLContext | None = None,
) -> Answer:
    """Sends a request and returns the response, whatever its status is.

    A redirect is followed within one scheme, host and port, so that the headers, which hold a token, reach no other server.

    Args:
        method: The HTTP method.
        url: The whole address, http or https.
        headers: The headers.
        body: The content; None for none.
        deadline: Seconds for the whole request.
        context: The TLS settings; None for those of the system.

    Raises:
        NoAnswerError: The address is invalid, or the server sends no response, too late, or too much.
    """
    parts = urllib.parse.urlsplit(url)
    with telemetry.request(method, parts.hostname or "", parts.path) as span:
        answer = _followed(_Request(method, url, {**headers, **telemetry.traceparent()}, body, context), deadline)
        span.note({"http.response.status_code": answer.status})
        return answer


def _followed(sent: _Request, deadline: float) -> Answer:
    for _ in range(_MOST_REDIRECTS):
        answer = within(deadline, functools.partial(_exchange, sent))
        location = answer.headers.get("location")
        if answer.status not in _REDIRECTS or sent.method != "GET" or not location:
            return answer
        sent = dataclasses.replace(sent, url=_target(sent.url, location))
    raise NoAnswerError("the server redirects in a circle")


def within(seconds: float, work: Callable[[float], T]) -> T:
    """Returns the result of a function that receives its deadline.

    A server that sends a byte now and then never triggers a socket timeout, even in headers. So the function runs in a separate
    thread, which is abandoned at the deadline.

    Raises:
        NoAnswerError: The deadline has passed.
    """
    ends = time.monotonic() + seconds
    results: list[T | Exception] = []

    def run() -> None:
        try:
            results.append(work(ends))
        except Exception as error:  # noqa: BLE001  # it is raised where the caller waits
            results.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if not results:
        raise NoAnswerError(f"no complete answer within {seconds:g} seconds")
    (result,) = results
    if isinstance(result, Exception):
        raise result
    return result


def _exchange(sent: _Request, ends: float) -> Answer:
    try:
        if urllib.parse.urlsplit(sent.url).scheme not in _PORTS:
            raise NoAnswerError("the address must begin with http:// or https://")
        prepared = urllib.request.Request(sent.url, data=sent.body, method=sent.method, headers=dict(sent.headers))
        with _opener(sent.context).open(prepared, timeout=_SILENCE_SECONDS) as answer:
            return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, _read(answer, ends))
    except urllib.error.URLError as error:
        raise NoAnswerError(str(error.reason)) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise NoAnswerError(str(error) or type(error).__name__) from None


def _opener(context: ssl.SSLContext | None) -> urllib.request.OpenerDirector:
    # The default opener also opens file: and ftp:, and follows redirects with all headers.
    opener = urllib.request.OpenerDirector()
    for handler in (urllib.request.ProxyHandler(), urllib.request.HTTPHandler(), urllib.request.HTTPSHandler(context=context)):
        opener.add_handler(handler)
    return opener


def _read(answer: Any, ends: float) -> bytes:  # the opener's own class
    parts, size = [], 0
    while chunk := answer.read1(_CHUNK):
        parts.append(chunk)
        size += len(chunk)
        if size > MOST_BYTES:
            raise NoAnswerError(f"the answer has more than {MOST_BYTES // 1024**2} MiB")
        if time.monotonic() > ends:
            raise NoAnswerError("the answer does not end")
    missing = answer.length
    if missing:
        raise NoAnswerError(f"the answer ended {missing} bytes too early")
    return b"".join(parts)


def _target(url: str, location: str) -> str:
    try:
        target = urllib.parse.urljoin(url, location)
        is_same = _server(target) == _server(url)
    except ValueError:
        is_same = False
    if not is_same:
        raise NoAnswerError("the server redirects to another one, which must not get the token")
    return target


def _server(url: str) -> tuple[str, str | None, int | None]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
