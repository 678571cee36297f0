"""What passes between the HTTP front and a simulated cloud.

A cloud is a function from `Request` to `Reply`, so it can be tested without a
socket. This module must not know HTTP libraries or any particular cloud.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

C = TypeVar("C")


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """One call of a client.

    Attributes:
        method: The HTTP method, upper case.
        path: The path without the query.
        query: The query parameters; of a repeated one the last.
        body: The decoded JSON body; an empty dictionary when there is none.
        token: The bearer token, empty when there is none.
        now: The time of the call in seconds since the epoch.
        base: The scheme and host that were asked, for links in answers.
        parts: The named groups of the route that matched.
    """

    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any]
    token: str
    now: float
    base: str = ""
    parts: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a request.

    Attributes:
        status: The HTTP status.
        body: A JSON value; with a ``Content-Type`` among the headers, text;
            ``None`` for no body.
        headers: What the cloud adds to the headers.
    """

    status: int
    body: Any
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


class CloudError(Exception):
    """A refusal in the words of a cloud."""

    def __init__(self, status: int, *, code: str, reason: str) -> None:
        """Refuse with an HTTP ``status``, the cloud's ``code`` and a ``reason``."""
        super().__init__(f"{status} {code}: {reason}")
        self.status = status
        self.code = code
        self.reason = reason


@dataclasses.dataclass(frozen=True, slots=True)
class Route(Generic[C]):
    """A method and path pattern, the function that answers, and the status when it does not refuse."""

    method: str
    pattern: re.Pattern[str]
    handler: Callable[[C, Request], Any]
    status: int


def route(method: str, template: str, handler: Callable[[C, Request], Any], status: int = 200) -> Route[C]:
    """Make a route from a template such as ``/v2/networks/{id}``."""
    expression = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
    return Route(method=method, pattern=re.compile(f"^{expression}/?$"), handler=handler, status=status)


def match(routes: Sequence[Route[C]], request: Request) -> tuple[Route[C], dict[str, str]] | None:
    """Return the route that answers ``request`` with its named parts, or ``None``."""
    for candidate in routes:
        if candidate.method != request.method:
            continue
        found = candidate.pattern.match(request.path)
        if found:
            return candidate, found.groupdict()
    return None
