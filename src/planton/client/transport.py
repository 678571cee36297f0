"""Requests to the NodePool API: retries, deadlines and errors. JSON data in and out."""

from __future__ import annotations

import functools
import json
import re
import time
import urllib.parse
import uuid
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

import httpx

from planton import errors
from planton.base import retries, telemetry, web

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_SILENCE_SECONDS: Final = 30.0
_CONNECT_SECONDS: Final = 5.0
_AGAIN: Final = frozenset({429, 502, 503, 504})
#: A proxy reports that the server's answer was lost: the server may have processed the request.
_LOST: Final = frozenset({502, 504})
_FIRST_REDIRECT: Final = 300
_FIRST_ERROR: Final = 400
_NOT_FOUND: Final = 404
#: Characters that a header can hold; no valid token or address has others.
_SENDABLE: Final = re.compile(r"[!-~]*")
_ADDRESS: Final = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?")
#: The API's error code → the reason of the error.
_REASONS: Final = {
    "VALIDATION_ERROR": errors.Reason.API_REFUSED,
    "NOT_FOUND": errors.Reason.NOT_FOUND,
    "UNAUTHENTICATED": errors.Reason.CREDENTIAL_MISSING,
    "FORBIDDEN": errors.Reason.API_FORBIDDEN,
    "CONFLICT": errors.Reason.API_CONFLICT,
    "PRECONDITION_FAILED": errors.Reason.API_CONFLICT,
    "UNAVAILABLE": errors.Reason.API_UNREACHABLE,
}


class ApiError(errors.PlantonError):
    """An answer that is not a success.

    Attributes:
        status: The HTTP status.
        api_code: The code in the envelope, e.g. ``CONFLICT``.
        violations: ``{field, rule_id, message}`` of each field that is wrong.
        request_id: What the server's log has the request under.
    """

    def __init__(self, status: int, error: Mapping[str, Any], request_id: str, retry_after: str = "") -> None:
        self.status = status
        self.api_code = str(error.get("code", "INTERNAL"))
        self.violations: list[dict[str, str]] = _violations(error.get("violations"))
        self.request_id = request_id
        reason = _REASONS.get(self.api_code, errors.Reason.API_FAILED)
        parts = [str(error.get("message") or f"the server answered {status}")]
        if self.violations:
            parts += [
                f"{violation['field']}: {violation['message']} [{violation['rule_id']}]".removeprefix(": ")
                for violation in self.violations
            ]
        elif error.get("details"):
            parts.append(str(error["details"]))
        metadata = {"status": str(status), "code": self.api_code, "request_id": request_id, **retries.metadata(retry_after)}
        super().__init__("\n  ".join(parts) if self.violations else ": ".join(parts), reason=reason, metadata=metadata)


def _violations(listed: object) -> list[dict[str, str]]:
    # A proxy may respond instead of the API.
    names = ("field", "message", "rule_id")
    entries = listed if isinstance(listed, list) else []
    return [{name: str(entry.get(name, "")) for name in names} | entry for entry in entries if isinstance(entry, dict)]


class Transport:
    """A connection to a server.

    Attributes:
        url: Its address, without the ``/api/v1`` of all paths.

    Raises:
        PlantonError: The address is invalid (``USAGE``), or the token or the user (``CREDENTIAL_MISSING``).
    """

    def __init__(
        self,
        url: str,
        *,
        user: str = "",
        token: str = "",
        transport: httpx.BaseTransport | None = None,
        wait: Callable[[float], None] = time.sleep,
        deadline: float = web.DEADLINE,
    ) -> None:
        headers = _identity(user, token)
        self.url = _address(url)
        # Certificate authorities take 20 ms to load, and without TLS there is no certificate to check.
        is_encrypted = self.url.startswith("https:")
        self._http = httpx.Client(base_url=self.url, headers=headers, transport=transport, verify=is_encrypted)
        self._wait = wait
        self._deadline = deadline

    def __enter__(self) -> Self:
        """Returns itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the connections."""
        self._http.close()

    def request(
        self,
        verb: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        silence: float = _SILENCE_SECONDS,
    ) -> dict[str, Any]:
        """Returns the JSON data of an answer; empty where it has no body.

        Retries reads, deletions, and creations with an ``Idempotency-Key`` if the server is busy or unreachable. A replacement
        is retried only if the server answered that it did not perform it. A deletion that
        finds nothing, after a try whose answer was lost, is done: its answer is empty.

        Args:
            verb: The HTTP method.
            path: The path.
            body: The JSON data of the body; None for none.
            query: The query parameters.
            headers: Additional headers.
            silence: Seconds that the server may send nothing, at most a minute.

        Raises:
            ApiError: The server refused.
            PlantonError: The server cannot be reached (``API_UNREACHABLE``).
        """
        sent = {**(headers or {}), **telemetry.traceparent()}
        _check_text(path, query)
        if verb == "POST":
            sent.setdefault("Idempotency-Key", str(uuid.uuid4()))
        lost = False
        for wait in retries.API.attempts():
            try:
                timeout = httpx.Timeout(silence, connect=_CONNECT_SECONDS)
                request = self._http.build_request(verb, path, json=body, params=query, headers=sent, timeout=timeout)
                answer = web.within(self._deadline, functools.partial(self._exchange, request))
            except web.NoAnswerError as error:
                raise self._unusable(str(error)) from None
            except httpx.TransportError as error:
                if wait is None or (verb == "PUT" and not isinstance(error, httpx.ConnectError)):
                    self._unreachable(error)
                # Without a connection nothing was sent, so nothing can have been done.
                lost = lost or not isinstance(error, httpx.ConnectError)
                self._wait(wait)
                continue
            if lost and answer.status_code == _NOT_FOUND and _deletes(verb, query):
                return {}
            lost = lost or answer.status_code in _LOST
            if answer.status_code in _AGAIN and wait is not None and not (verb == "PUT" and lost):
                self._wait(retries.API.pause(wait, answer.headers.get("retry-after", "")) or wait)
                continue
            return self._data(answer)
        raise AssertionError("the last try returns or raises")

    def _exchange(self, request: httpx.Request, ends: float) -> httpx.Response:
        # Redirects are not followed: the token is for this server.
        answer = self._http.send(request, stream=True)
        try:
            return httpx.Response(
                answer.status_code, headers=_plain(answer.headers), content=_body(answer, ends), request=request
            )
        finally:
            answer.close()

    def _data(self, answer: httpx.Response) -> dict[str, Any]:
        data = _json(answer)
        if answer.status_code >= _FIRST_ERROR:
            error = data.get("error") if isinstance(data, dict) else None
            envelope = error if isinstance(error, dict) else {}
            headers = answer.headers
            raise ApiError(answer.status_code, envelope, headers.get("x-request-id", ""), headers.get("retry-after", ""))
        if answer.status_code >= _FIRST_REDIRECT:
            raise self._unusable(f"it redirects to another server ({answer.status_code}), which must not get the token")
        if not isinstance(data, dict):
            raise self._unusable(f"the answer to {answer.request.method} {answer.request.url.path} is not JSON of this API")
        return data

    def _unusable(self, why: str) -> errors.PlantonError:
        return errors.api_unreachable(
            f"the API at {self.url} sent no usable response: {why}",
            hint="check that the address is that of a planton server, and that no proxy answers in its place",
        )

    def items(self, path: str, name: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Yields all items of a list, page by page.

        Args:
            path: The path of the list.
            name: The field of the response with the items.
            query: Filters.

        Raises:
            ApiError: The server refused.
            PlantonError: The server cannot be reached (``API_UNREACHABLE``).
        """
        parameters = {**query, "limit": "100"}
        while True:
            page = self.request("GET", path, query=parameters)
            listed, token = page.get(name), page.get("next_page_token")
            if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
                raise self._unusable(f"the list {path} has no {name}")
            yield from listed
            if not token:
                return
            if token == parameters.get("page_token"):
                raise self._unusable(f"the list {path} does not end")
            parameters["page_token"] = str(token)

    def events(self, after: str = "") -> Iterator[dict[str, Any]]:
        """Yields events as they happen, for ever; each once, although connections break.

        Args:
            after: The cursor of the last event that was read; empty for all stored events.

        Raises:
            ApiError: The server refused.
            PlantonError: The server cannot be reached any more (``API_UNREACHABLE``).
        """
        failures = 0
        while True:
            headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after else {})
            try:
                with self._http.stream(
                    "GET", "/api/v1/events", headers=headers, timeout=httpx.Timeout(60.0, connect=5.0)
                ) as answer:
                    if answer.status_code >= _FIRST_ERROR and answer.status_code not in _AGAIN:
                        self._data(httpx.Response(answer.status_code, content=_body(answer), request=answer.request))
                    for line in _lines(answer):
                        if line.startswith(b"data: "):
                            event = self._event(line.removeprefix(b"data: "))
                            after, failures = str(event["cursor"]), 0
                            yield event
            except web.NoAnswerError as error:
                raise self._unusable(str(error)) from None
            except httpx.TransportError as error:
                if failures >= len(retries.API.waits):
                    self._unreachable(error)
            self._wait(retries.API.waits[min(failures, len(retries.API.waits) - 1)])
            failures += 1

    def _event(self, line: bytes) -> dict[str, Any]:
        try:
            event: Any = json.loads(line)
        except (ValueError, RecursionError):
            event = None
        if not isinstance(event, dict) or "cursor" not in event:
            raise self._unusable("an event is not JSON with a cursor")
        return event

    def _unreachable(self, error: Exception) -> NoReturn:
        raise errors.api_unreachable(
            f"the API at {self.url} cannot be reached",
            hint="start one with: planton server start; name another with --server or PLANTON_API_URL",
        ) from error


def _address(url: str) -> str:
    address = url.rstrip("/").removesuffix("/api/v1")
    try:
        # An invalid port raises when it is read.
        usable = _ADDRESS.fullmatch(address) and urllib.parse.urlsplit(address).port != 0
    except ValueError:
        usable = False
    if not usable:
        raise errors.usage(
            f"{url!r} is not the address of an API",
            hint="it must look like http://127.0.0.1:8080 or https://planton.example.com: pass it with --server or PLANTON_API_URL",
        )
    return address


def _identity(user: str, token: str) -> dict[str, str]:
    """Returns the headers that identify the caller."""
    if not _SENDABLE.fullmatch(token or user):
        raise errors.credential_missing(
            # Never the token itself.
            f"{'the token' if token else f'the user {user!r}'} has characters that none can have",
            hint="pass the whole token, as it was issued, in PLANTON_API_TOKEN or a token file"
            if token
            else "pass an email address with --user or PLANTON_API_USER",
        )
    return {"Authorization": f"Bearer {token}"} if token else {"X-User-Email": user} if user else {}


def _deletes(verb: str, query: Mapping[str, str] | None) -> bool:
    # One that only checks leaves everything where it is.
    return verb == "DELETE" and (query or {}).get("dryRun") != "true"


def _check_text(path: str, query: Mapping[str, str] | None) -> None:
    try:
        f"{path}{''.join((query or {}).values())}".encode()
    except UnicodeEncodeError:
        raise errors.usage(
            f"{path} has characters that are invalid in an address",
            hint="use the name or the id as the list shows it",
        ) from None


def segment(text: str) -> str:
    """Returns a text as one part of a path."""
    return urllib.parse.quote(text, safe="", errors="surrogatepass")


def _plain(headers: httpx.Headers) -> dict[str, str]:
    # The content is already decoded.
    return {
        name: value for name, value in headers.items() if name not in ("content-encoding", "content-length", "transfer-encoding")
    }


def _body(answer: httpx.Response, ends: float | None = None) -> bytes:
    parts, size = [], 0
    for chunk in answer.iter_bytes():
        parts.append(chunk)
        size += len(chunk)
        if size > web.MOST_BYTES:
            raise web.NoAnswerError(f"the answer has more than {web.MOST_BYTES // 1024**2} MiB")
        if ends is not None and time.monotonic() > ends:
            raise web.NoAnswerError("the answer does not end")
    return b"".join(parts)


def _lines(answer: httpx.Response) -> Iterator[bytes]:
    # The parts of the last line: joining them for each chunk would take quadratic time.
    parts, size = [b""], 0
    for chunk in answer.iter_bytes():
        part, *more = chunk.split(b"\n")
        if more:
            *lines, last = more
            yield from (line.removesuffix(b"\r") for line in (b"".join([*parts, part]), *lines))
            parts, size, part = [], 0, last
        parts.append(part)
        size += len(part)
        if size > web.MOST_BYTES:
            raise web.NoAnswerError(f"an event has more than {web.MOST_BYTES // 1024**2} MiB")


def _json(answer: httpx.Response) -> Any:  # JSON data; None if it is not JSON
    try:
        return json.loads(answer.content) if answer.content else {}
    except (ValueError, RecursionError):
        return None
