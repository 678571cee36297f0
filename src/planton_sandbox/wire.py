"""Requests and replies between the HTTP front and a simulated cloud.

A cloud is a function from `Request` to `Reply`, so tests need no socket. This module knows no HTTP library and no cloud.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

C = TypeVar("C")


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """A client's request.

    Attributes:
        method: The HTTP method, upper case.
        path: The path without the query.
        query: The query parameters; of a repeated one the last.
        body: The decoded JSON body; an empty dictionary if there is none.
        token: The bearer token; empty if there is none.
        now: The time of the request in seconds since the epoch.
        base: The scheme and host of the request, for links in answers.
        parts: The named groups of the matching route.
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
        body: A JSON value; text if the headers have a ``Content-Type``; ``None`` for no body.
        headers: The cloud's headers.
    """

    status: int
    body: Any
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


class CloudError(Exception):
    """A cloud's error."""

    def __init__(self, status: int, *, code: str, reason: str) -> None:
        """Creates an error with an HTTP ``status``, the cloud's ``code`` and a ``reason``."""
        super().__init__(f"{status} {code}: {reason}")
        self.status = status
        self.code = code
        self.reason = reason


@dataclasses.dataclass(frozen=True, slots=True)
class Route(Generic[C]):
    """A method and a path pattern, their handler, and the status of its answers."""

    method: str
    pattern: re.Pattern[str]
    handler: Callable[[C, Request], Any]
    status: int


def route(method: str, template: str, handler: Callable[[C, Request], Any], status: int = 200) -> Route[C]:
    """Creates a route from a template such as ``/v2/networks/{id}``."""
    expression = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template)
    return Route(method=method, pattern=re.compile(f"^{expression}/?$"), handler=handler, status=status)


def match(routes: Sequence[Route[C]], request: Request) -> tuple[Route[C], dict[str, str]] | None:
    """Returns the route that matches ``request`` and its named parts, or ``None``."""
    for candidate in routes:
        if candidate.method != request.method:
            continue
        matched = candidate.pattern.match(request.path)
        if matched:
            return candidate, matched.groupdict()
    return None
