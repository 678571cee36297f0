"""DigitalOcean's API as the official plugin calls it: headers, retries, pages, error texts."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import datetime as dt
import email.utils
import json
import threading
import typing
import urllib.parse

from planton_sandbox.providers import planning, sessions, transport, values, waiting

_AGENT = "Terraform/0.11+compatible godo/1.200.0"
_MEDIA = "application/json"
_FINE = range(200, 300)
_NO_CONTENT, _NOT_FOUND, _TOO_MANY, _NOT_IMPLEMENTED, _UNAVAILABLE = 204, 404, 429, 501, 503
_SERVER_ERROR = 500
_PER_PAGE = 200


class CloudError(sessions.Fault):
    """The cloud refused or could not be reached; the message is the client library's.

    Attributes:
        status: the HTTP status, or 0 without a readable answer.
    """

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status

    @property
    def missing(self) -> bool:
        """Whether the resource does not exist."""
        return self.status == _NOT_FOUND


@dataclasses.dataclass(frozen=True, kw_only=True)
class Retries:
    """The retries after 429, 5xx, or no answer.

    Attributes:
        most: the maximum number of retries; 0 for none.
        shortest: the seconds before the first retry, which double each time.
        longest: the maximum seconds before a retry, unless the cloud asks for more.
    """

    most: int = 4
    shortest: float = 1.0
    longest: float = 30.0

    def pause(self, attempt: int, answer: transport.Answer | None) -> float:
        """Returns the seconds to wait after an attempt, counted from 0."""
        if answer is not None and answer.status in (_TOO_MANY, _UNAVAILABLE):
            seconds = _retry_after(answer.headers.get("retry-after", ""))
            if seconds is not None:
                return seconds
        return float(min(self.shortest * 2**attempt, self.longest))


@dataclasses.dataclass(kw_only=True)
class Client:
    """The client of one provider.

    Attributes:
        endpoint: the API's URL; its path is ignored.
        token: the account's API key.
        timing: how it waits; its gate is passed before each request.
        retries: when requests are retried.
        locks: one lock for each region, which serializes the creation of networks.
    """

    endpoint: str
    token: str
    timing: waiting.Timing
    retries: Retries = Retries()
    locks: dict[str, threading.Lock] = dataclasses.field(default_factory=lambda: collections.defaultdict(threading.Lock))

    def get(self, path: str, root: str = "") -> values.Json:
        """Sends a GET and returns the answer's value under ``root``, or the whole answer.

        Raises:
            CloudError: The cloud refused, or its answer cannot be read.
        """
        return self._decoded("GET", path, None, root)

    def post(self, path: str, body: dict[str, values.Json], root: str) -> values.Json:
        """Sends a POST; see `get`."""
        return self._decoded("POST", path, body, root)

    def put(self, path: str, body: dict[str, values.Json], root: str) -> values.Json:
        """Sends a PUT; see `get`."""
        return self._decoded("PUT", path, body, root)

    def send(self, method: str, path: str, body: dict[str, values.Json] | None = None) -> None:
        """Sends a request and ignores its answer; raises like `get`."""
        self._answer(method, path, body)

    def pages(self, path: str, root: str, *, first: int = 0) -> typing.Iterator[values.Json]:
        """Returns the items of all pages; ``first`` is the number of the first page, 0 for a request without a number.

        Raises:
            CloudError: The cloud refused a page.
        """
        query: dict[str, int] = {"page": first, "per_page": _PER_PAGE} if first else {}
        while True:
            answer = self.get(f"{path}?{urllib.parse.urlencode(query)}" if query else path)
            yield from answer.get(root) or ()
            links = (answer.get("links") or {}).get("pages") or {}
            if not links.get("next"):
                return
            query["page"] = _page(links.get("prev") or "") + 2 if links.get("prev") else 2

    def _decoded(self, method: str, path: str, body: dict[str, values.Json] | None, root: str) -> values.Json:
        answer = self._answer(method, path, body)
        if answer.status == _NO_CONTENT:
            raise sessions.Crash  # the library then returns nothing, which crashes the plugin
        try:
            decoded = json.loads(answer.text)
        except ValueError as error:
            raise CloudError(str(error) if answer.text else "EOF") from error
        value = decoded.get(root) if root else decoded
        if value is None:
            raise sessions.Crash
        return value

    def _answer(self, method: str, path: str, body: dict[str, values.Json] | None) -> transport.Answer:
        address = urllib.parse.urljoin(self.endpoint, path)
        headers = {"User-Agent": _AGENT, "Accept": _MEDIA, "Accept-Encoding": "gzip", "Authorization": f"Bearer {self.token}"}
        if method != "GET":
            headers["Content-Type"] = _MEDIA
        encoded = None if body is None else json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
        attempt, answer, problem = 0, None, ""
        while True:
            self.timing.gate()
            try:
                answer = transport.exchange(method, address, body=encoded, headers=headers)
            except transport.FAILURES as error:
                answer, problem = None, _unreachable(method, address, error)
            if not _may_pass(answer) or attempt >= self.retries.most:
                break
            self.timing.pause(self.retries.pause(attempt, answer))
            attempt += 1
        if answer is None:
            raise CloudError(problem)
        if answer.status not in _FINE:
            tried = attempt + 1 if self.retries.most and _may_pass(answer) else 0
            raise _refusal(method, address, answer, tried)
        return answer


@contextlib.contextmanager
def explained(prefix: str) -> typing.Iterator[None]:
    """Prefixes the client library's errors with the plugin's text.

    Raises:
        Fault: The cloud refused.
    """
    try:
        yield
    except CloudError as error:
        raise sessions.Fault(f"{prefix}{error}") from error


def look(data: planning.Data, prefix: str, fetch: typing.Callable[[], values.Json]) -> values.Json:
    """Returns what ``fetch`` returns. If the resource is missing, clears the id and returns ``None``; raises like `explained`."""
    with explained(prefix):
        try:
            return fetch()
        except CloudError as error:
            if not error.missing:
                raise
    data.id = ""
    return None


def compact(body: dict[str, values.Json]) -> dict[str, values.Json]:
    """Removes empty values, as the library does for optional fields."""
    return {key: value for key, value in body.items() if value}


def _may_pass(answer: transport.Answer | None) -> bool:
    if answer is None or answer.status == _TOO_MANY:
        return True
    return answer.status >= _SERVER_ERROR and answer.status != _NOT_IMPLEMENTED


def _retry_after(text: str) -> float | None:
    """Returns the seconds of a Retry-After header, which has seconds or a date; a past date means 0."""
    if text.isdecimal():
        return float(text)
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return max((moment - dt.datetime.now(dt.UTC)).total_seconds(), 0.0)


def _page(address: str) -> int:
    """Returns the page number in a URL."""
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(address).query)
    return int(query.get("page", ["0"])[0])


def _unreachable(method: str, address: str, error: Exception) -> str:
    if isinstance(error, transport.DROPPED):
        reason = "EOF"
    elif isinstance(error, ConnectionRefusedError):
        reason = f"dial tcp {urllib.parse.urlsplit(address).netloc}: connect: connection refused"
    else:
        reason = str(error)
    return f'{method.capitalize()} "{address}": {reason}'


def _refusal(method: str, address: str, answer: transport.Answer, tried: int) -> CloudError:
    try:
        body = json.loads(answer.text) if answer.text else {}
    except ValueError:
        body = None
    body = body if isinstance(body, dict) else {"message": answer.text}
    request = body.get("request_id") or answer.headers.get("x-request-id") or ""
    number = f' (request "{request}")' if request else ""
    tail = f"; giving up after {tried} attempt(s)" if tried else ""
    return CloudError(f"{method} {address}: {answer.status}{number} {body.get('message') or ''}{tail}", answer.status)
