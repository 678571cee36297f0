"""A call, whatever brings it: who asks, whether they may, and how often. Both transports go through here."""

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
#: What an Idempotency-Key is: visible ASCII, short enough for an index.
_KEY: Final = re.compile(r"[!-~]{1,255}", re.ASCII)


def request_id(given: str) -> str:
    """Returns a request's id: the caller's own where it is short and printable, else a new one."""
    fits = 0 < len(given) <= _LONGEST_ID and given.isascii() and given.isprintable()
    return given if fits else str(uuid.uuid4())


class RateLimit:
    """A bucket of tokens for each caller: ``per_second`` flow in, ``burst`` fit in, each call takes one.

    It counts in this process only: several workers allow as many times as much.
    """

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = burst
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, name: str, now: float) -> None:
        """Takes a token of a caller at a time, in seconds that never go back.

        Raises:
            ApiError: There is none; ``Retry-After`` says when there will be.
        """
        if not self._per_second:
            return
        level = self._level(name, now)
        if level < 1:
            wait = math.ceil((1 - level) / self._per_second)
            raise errors.rate_limited(max(1, wait), self.left(name, now))
        if len(self._buckets) >= _MOST_BUCKETS and name not in self._buckets:
            self._buckets.clear()
        self._buckets[name] = (level - 1, now)

    def left(self, name: str, now: float) -> dict[str, str]:
        """Returns what is left to a caller at a time, as header fields; none where there is no limit.

        ``RateLimit-Limit`` is the burst, ``RateLimit-Remaining`` how many calls may be made at once, ``RateLimit-Reset`` after how many
        seconds without a call that is the burst again.
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
        service: What they mean.
        authenticator: Who asks.
    """

    def __init__(
        self,
        meaning: methods.Service,
        authenticator: auth.Authenticator,
        limit: RateLimit,
        clock: Callable[[], datetime.datetime],
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepares to run calls.

        Args:
            meaning: What they mean.
            authenticator: Who asks.
            limit: How often each may.
            clock: Tells the time.
            timer: Tells the seconds since some moment, and never goes back, as the time of day may.
        """
        self.service = meaning
        self.authenticator = authenticator
        self._limit = limit
        self._clock = clock
        self._timer = timer

    async def admit(self, route: routes.Route, headers: Mapping[str, str], peer: str) -> contexts.Context:
        """Returns what a call carries beside its message, once it is known that it may be made.

        Raises:
            ApiError: The caller is unknown, asks too often, or may not call this method.
        """
        now = self._clock()
        caller = await self.authenticator.caller(headers, peer, now)
        self._limit.take(caller.name, self._timer())
        if route.caller == method_pb2.CALLER_USER and caller.controller:
            raise errors.forbidden("controllers report status and change nothing else")
        if route.caller == method_pb2.CALLER_CONTROLLER and not caller.may_report:
            raise errors.forbidden("only controllers report status")
        if not _KEY.fullmatch(headers.get("idempotency-key", "none")):
            raise errors.bad_field("Idempotency-Key", "header.idempotency_key", "must be 1 to 255 visible characters of ASCII")
        # An empty one, as of a variable that is not set, would be no condition, and the write would be anybody's.
        if not headers.get("if-match", "*").strip():
            raise errors.bad_field("If-Match", "header.if_match", "must be an entity tag, or *")
        return contexts.Context(
            caller,
            timestamps.text(now),
            headers.get("if-match", ""),
            headers.get("idempotency-key", ""),
            in_cluster="cluster_id" in route.path_fields,
        )

    async def still(self, caller: contexts.Caller, headers: Mapping[str, str], peer: str) -> None:
        """Asks again who asks, where a call goes on: a token can be revoked or expire meanwhile.

        Raises:
            ApiError: It is nobody any more, or somebody else.
        """
        if await self.authenticator.caller(headers, peer, self._clock()) != caller:
            raise errors.unauthenticated("the token means something else now")

    def left(self, caller: contexts.Caller) -> dict[str, str]:
        """Returns how often a caller may ask now, as header fields; none where there is no limit."""
        return self._limit.left(caller.name, self._timer())

    async def run(
        self,
        route: routes.Route,
        request: message.Message,
        context: contexts.Context,
        violations: Sequence[errors.FieldViolation] = (),
    ) -> answers.Answer:
        """Returns the answer to a call that was admitted.

        Args:
            route: What is called.
            request: Its message.
            context: What :meth:`admit` returned.
            violations: What the transport found wrong with the message.

        Raises:
            ApiError: What is wrong with it.
        """
        return await self.service.call(route.method, request, context, violations)
