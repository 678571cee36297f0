"""The work queue as a controller uses it: claim, renew and finish. The API's is `ApiQueue`; tests have one in memory."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import re
import threading
from typing import TYPE_CHECKING, Final, Protocol

from org.project_planton.work.v1 import service_pb2, work_pb2
from planton import errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planton.client import api

#: What a result may have, by the rules of the API.
_LONGEST_LOOK: Final = datetime.timedelta(days=1)
_LONGEST_CODE: Final = 256
_LONGEST_MESSAGE: Final = 4096


class Outcome(enum.StrEnum):
    """How a run ended."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    """By a bug. It counts as an attempt."""
    POSTPONED = "POSTPONED"
    """By an error that others end, such as an API that is unreachable. It does not count."""
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
        account: The name of the credential; empty for the default one.
        generation: The generation of the resource at the claim.
        is_change: Whether no run has observed that generation yet, or the resource is being deleted.
        traceparent: The span of the request that has last changed or deleted the resource; empty if it was not traced.
    """

    id: str
    kind: str
    cluster_id: str
    platform: str
    epoch: int
    account: str = ""
    generation: int = 0
    is_change: bool = False
    traceparent: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """The result of a run.

    Attributes:
        id: The id of the resource.
        epoch: The number of the claim.
        generation: The generation that the run has observed.
        outcome: How it ended.
        next_look: The time until the next look; None for that of the queue.
        error: Code and message of a failed or postponed run; None otherwise.
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
        client: Sends the requests.
        process: The id of this start of the process.
        version: The version of the program.
        platforms: The clouds that the process serves.
    """

    client: api.Client
    process: str
    version: str
    platforms: tuple[str, ...]
    _is_checked: threading.Event = dataclasses.field(default_factory=threading.Event, repr=False, compare=False)

    def check(self) -> None:
        """Checks, once, that the server is not older than the program, which may need what it does not have.

        Raises:
            PlantonError: ``API_OUTDATED``; the API cannot be reached.
        """
        if self._is_checked.is_set():
            return
        served = self.client.server_version()
        if _release(served) < _release(self.version):
            raise errors.PlantonError(
                f"the server has version {served or 'unknown'}, which is older than {self.version} of this controller",
                reason=errors.Reason.API_OUTDATED,
                hint="upgrade the servers first, or start a controller of their version",
            )
        self._is_checked.set()

    def claim(self, *, limit: int, results: Sequence[Result], wait: float) -> Claimed:
        """Finishes work and claims other work."""
        self.check()
        claim = service_pb2.Claim(
            process=self.process,
            version=self.version,
            platforms=self.platforms,
            limit=limit,
            results=[_result(each) for each in results],
        )
        claim.wait.FromTimedelta(datetime.timedelta(seconds=wait))
        answer = self.client.claim_work(claim)
        return Claimed(tuple(map(_work, answer.items)), answer.lease.ToTimedelta().total_seconds())

    def renew(self) -> Held:
        """Renews the lease."""
        answer = self.client.renew_work(self.process, version=self.version)
        return Held(
            {each.id: each.epoch for each in answer.held},
            frozenset(each.id for each in answer.held if each.superseded),
            answer.lease.ToTimedelta().total_seconds(),
        )

    def finish(self, results: Sequence[Result]) -> None:
        """Finishes work."""
        if results:
            self.client.finish_work(self.process, [_result(each) for each in results])


def _release(version: str) -> tuple[int, ...]:
    """Returns the numbers of a version that tell releases apart: the first two."""
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])


def _work(item: work_pb2.Work) -> Work:
    is_change = item.deleting or item.done_generation < item.generation
    return Work(
        item.id,
        item.kind,
        item.cluster_id,
        item.platform,
        item.epoch,
        account=item.account,
        generation=item.generation,
        is_change=is_change,
        traceparent=item.traceparent,
    )


def _result(result: Result) -> work_pb2.WorkResult:
    made = work_pb2.WorkResult(id=result.id, epoch=result.epoch, generation=result.generation, outcome=result.outcome)
    if result.next_look is not None:
        made.next_look.FromTimedelta(min(max(result.next_look, datetime.timedelta()), _LONGEST_LOOK))
    if result.error is not None:
        code, message = result.error
        made.error.code, made.error.message = code[:_LONGEST_CODE], message[:_LONGEST_MESSAGE]
    return made
