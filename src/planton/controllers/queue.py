"""The work queue as a controller uses it: claim, renew and finish. The API's is `ApiQueue`; tests have one in memory."""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING, Any, Protocol

from planton import errors

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping, Sequence

    from planton.client import transport


class Outcome(enum.StrEnum):
    """How a run ended."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    RELEASED = "RELEASED"
    """It was handed back, and does not count."""


@dataclasses.dataclass(frozen=True, slots=True)
class Work:
    """Work that the process holds.

    Attributes:
        id: The id of the resource.
        kind: ``Cluster`` or ``NodePool``.
        cluster_id: The id of the cluster.
        platform: The cloud.
        epoch: The number of the claim.
    """

    id: str
    kind: str
    cluster_id: str
    platform: str
    epoch: int


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """The result of a run.

    Attributes:
        id: The id of the resource.
        epoch: The number of the claim.
        generation: The generation that the run has observed.
        outcome: How it ended.
        next_look: The time until the next look; None for that of the queue.
        error: Code and message of a failed run; None otherwise.
    """

    id: str
    epoch: int
    generation: int
    outcome: Outcome
    next_look: datetime.timedelta | None = None
    error: tuple[str, str] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Claimed:
    """The answer to a claim.

    Attributes:
        items: The work.
        lease: The seconds for which the process holds its work, from the moment of the request.
    """

    items: tuple[Work, ...]
    lease: float


@dataclasses.dataclass(frozen=True, slots=True)
class Held:
    """The answer to a heartbeat.

    Attributes:
        epochs: Id of each resource that the process holds → the number of the claim.
        superseded: Ids of those that have changed since.
        lease: As for `Claimed`.
    """

    epochs: Mapping[str, int]
    superseded: frozenset[str]
    lease: float


class Queue(Protocol):
    """A work queue."""

    def claim(self, *, limit: int, results: Sequence[Result], wait: float) -> Claimed:
        """Finishes work and claims other work. Waits up to so many seconds if none is due.

        Raises:
            PlantonError: The queue cannot be reached.
        """
        ...

    def renew(self) -> Held:
        """Renews the lease on all work of the process.

        Raises:
            PlantonError: The queue cannot be reached.
        """
        ...

    def finish(self, results: Sequence[Result]) -> None:
        """Finishes work.

        Raises:
            PlantonError: The queue cannot be reached.
        """
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class ApiQueue:
    """The queue of the NodePool API.

    Attributes:
        transport: Sends the requests.
        process: The id of this start of the process.
        version: The version of the program.
        platforms: The clouds that the process serves.
    """

    transport: transport.Transport
    process: str
    version: str
    platforms: tuple[str, ...]

    def claim(self, *, limit: int, results: Sequence[Result], wait: float) -> Claimed:
        """Finishes work and claims other work."""
        body = {
            "process": self.process,
            "version": self.version,
            "platforms": list(self.platforms),
            "limit": limit,
            "results": [_result(each) for each in results],
            "wait": f"{wait:g}s",
        }
        answer = self.transport.request("POST", "/api/v1/work/claims", body)
        items = [
            Work(each["id"], each["kind"], each["cluster_id"], each["platform"], int(each["epoch"]))
            for each in _listed(answer, "items")
        ]
        return Claimed(tuple(items), _seconds(answer.get("lease")))

    def renew(self) -> Held:
        """Renews the lease."""
        answer = self.transport.request("POST", "/api/v1/work/heartbeats", {"process": self.process, "version": self.version})
        held = _listed(answer, "held")
        return Held(
            {each["id"]: int(each["epoch"]) for each in held},
            frozenset(each["id"] for each in held if each.get("superseded")),
            _seconds(answer.get("lease")),
        )

    def finish(self, results: Sequence[Result]) -> None:
        """Finishes work."""
        if results:
            body = {"process": self.process, "results": [_result(each) for each in results]}
            self.transport.request("POST", "/api/v1/work/results", body)


def _result(result: Result) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": result.id,
        "epoch": result.epoch,
        "generation": result.generation,
        "outcome": str(result.outcome),
    }
    if result.next_look is not None:
        body["next_look"] = f"{max(0.0, min(86400.0, result.next_look.total_seconds())):.3f}s"
    if result.error is not None:
        body["error"] = {"code": result.error[0][:256], "message": result.error[1][:4096]}
    return body


def _listed(answer: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    listed = answer.get(name) or []
    if not isinstance(listed, list):
        raise _unusable(f"{name} is no list")
    return listed


def _seconds(text: object) -> float:
    # Durations in JSON are seconds with the suffix s.
    try:
        return float(str(text).removesuffix("s"))
    except ValueError:
        raise _unusable(f"the lease is {text!r}") from None


def _unusable(why: str) -> errors.PlantonError:
    return errors.PlantonError(
        f"the work queue's answer cannot be used: {why}",
        code=errors.Code.FAILED,
        reason=errors.Reason.API_UNREACHABLE,
        hint="check that the address is that of a planton server of this release",
    )
