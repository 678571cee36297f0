"""Calls, for both transports: authentication, permission, and the rate limit."""

from __future__ import annotations

import math
import re
import time
import uuid
from typing import TYPE_CHECKING, Final

from org.project_planton.cluster.v1 import method_pb2
from planton_server.service import contexts, errors, timestamps

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Mapping, Sequence

    from google.protobuf import message

    from planton_server import auth
    from planton_server.service import answers, methods, routes

_MOST_BUCKETS: Final = 10_000
_LONGEST_ID: Final = 128
#: An Idempotency-Key: visible ASCII, short enough for an index.
_KEY: Final = re.compile(r"[!-~]{1,255}", re.ASCII)


def request_id(header: str) -> str:
    """Returns the id of a request: that of its header if it is short and printable, else a new one."""
    is_usable = 0 < len(header) <= _LONGEST_ID and header.isascii() and header.isprintable()
    return header if is_usable else str(uuid.uuid4())


class RateLimit:
    """A token bucket for each caller: ``per_second`` tokens are added, up to ``burst``, and each call takes one.

    It counts in this process only. Several workers allow several times as much.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, name: str, now: float) -> None:
        """Takes a token of a caller.

        Args:
            name: The caller.
            now: Seconds of a monotonic clock.

        Raises:
            ApiError: ``RATE_LIMITED``: the bucket is empty. ``Retry-After`` says when it has a token again.
        """
        if not self._per_second:
            return
        level = self._level(name, now)
        if level < 1:
            wait = math.ceil((1 - level) / self._per_second)
            raise errors.rate_limited(max(1, wait), self.headers(name, now))
        if len(self._buckets) >= _MOST_BUCKETS and name not in self._buckets:
            self._buckets.clear()
        self._buckets[name] = (level - 1, now)

    def headers(self, name: str, now: float) -> dict[str, str]:
        """Returns the header fields that describe a caller's bucket; none without a rate limit.

        ``RateLimit-Limit`` is the burst, ``RateLimit-Remaining`` the number of tokens, and ``RateLimit-Reset`` the seconds until the
        bucket is full.
        """
        if not self._per_second:
            return {}
        level = self._level(name, now)
        reset = math.ceil((self._burst - level) / self._per_second)
        return {"RateLimit-Limit": str(self._burst), "RateLimit-Remaining": str(int(level)), "RateLimit-Reset": str(reset)}

    def _level(self, name: str, now: float) -> float:
        level, since = self._buckets.get(name, (float(self._burst), now))
        return min(float(self._burst), level + (now - since) * self._per_second)


class Calls:
    """Runs calls.

    Attributes:
        service: The methods.
        authenticator: Identifies callers.
    """

    def __init__(
        self,
        service: methods.Service,
        authenticator: auth.Authenticator,
        limit: RateLimit,
        clock: Callable[[], datetime.datetime],
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """Creates the runner of calls.

        Args:
            service: The methods.
            authenticator: Identifies callers.
            limit: The rate limit.
            clock: Returns the time of day.
            timer: Returns seconds of a monotonic clock.
        """
        self.service = service
        self.authenticator = authenticator
        self._limit = limit
        self._clock = clock
        self._timer = timer

    async def admit(self, route: routes.Route, headers: Mapping[str, str], peer: str) -> contexts.Context:
        """Returns the context of a call that may be made.

        Raises:
            ApiError: The caller is unknown, exceeds its rate, or may not call this method; or a header is invalid.
        """
        now = self._clock()
        caller = await self.authenticator.caller(headers, peer, now)
        self._limit.take(caller.name, self._timer())
        if route.caller == method_pb2.CALLER_USER and caller.controller:
            raise errors.forbidden("controllers report status; only users change resources")
        if route.caller == method_pb2.CALLER_CONTROLLER and not caller.may_report:
            raise errors.forbidden("only controllers report status")
        if not _KEY.fullmatch(headers.get("idempotency-key", "none")):
            raise errors.bad_field("Idempotency-Key", "header.idempotency_key", "must be 1 to 255 visible characters of ASCII")
        # An empty header, for example from an unset variable, would silently drop the condition.
        if not headers.get("if-match", "*").strip():
            raise errors.bad_field("If-Match", "header.if_match", "must be an entity tag, or *")
        return contexts.Context(
            caller,
            timestamps.text(now),
            headers.get("if-match", ""),
            headers.get("idempotency-key", ""),
            in_cluster="cluster_id" in route.path_fields,
        )

    async def authenticate_again(self, caller: contexts.Caller, headers: Mapping[str, str], peer: str) -> None:
        """Authenticates the caller of a stream again, because a token can expire or be revoked during the stream.

        Raises:
            ApiError: The token is expired or revoked, or belongs to another caller.
        """
        if await self.authenticator.caller(headers, peer, self._clock()) != caller:
            raise errors.unauthenticated("the token belongs to another caller now")

    def rate_headers(self, caller: contexts.Caller) -> dict[str, str]:
        """Returns the header fields of a caller's rate limit; none without a limit."""
        return self._limit.headers(caller.name, self._timer())

    async def run(
        self,
        route: routes.Route,
        request: message.Message,
        context: contexts.Context,
        violations: Sequence[errors.Violation] = (),
    ) -> answers.Answer:
        """Returns the answer to a call that was admitted.

        Args:
            route: The route of the method.
            request: The request message.
            context: The context that :meth:`admit` returned.
            violations: The transport's violations of the request.

        Raises:
            ApiError: The call failed.
        """
        return await self.service.call(route.method, request, context, violations)
