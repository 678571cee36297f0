"""What is measured of the runs of a controller. A `Meter` measures nothing; `planton.controllers.metrics.Metrics` has numbers."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

from planton.base import telemetry
from planton.controllers import failures, lease, logs, queue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from planton.controllers import reconcile


class Meter:
    """Receives what happens in the runs of a process. Thread-safe."""

    def began(self, work: queue.Work) -> None:
        """Receives the begin of a run."""

    def ended(self, work: queue.Work, outcome: queue.Outcome, seconds: float) -> None:
        """Receives the end of a run, with its duration."""

    def acted(self, work: queue.Work, action: str, outcome: str) -> None:
        """Receives an action, with ``succeeded`` or the code of its failure."""

    def failed(self, work: queue.Work, code: str) -> None:
        """Receives a failure of a look, an action or a run, which is retried."""

    def drifted(self, work: queue.Work) -> None:
        """Receives a look that found drift."""

    def requested(self, work: queue.Work, status: int, headers: Mapping[str, str]) -> None:
        """Receives a request to a cloud, with its HTTP status and the headers of its answer."""

    def engine_ran(self, work: queue.Work, command: str) -> None:
        """Receives a run of the engine."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Observer:
    meter: Meter
    work: queue.Work

    def requested(self, _method: str, _path: str, status: int, headers: Mapping[str, str], _seconds: float) -> None:
        self.meter.requested(self.work, status, headers)

    def engine_ran(self, command: str, _code: int, _seconds: float) -> None:
        self.meter.engine_ran(self.work, command)


def measured(
    run: Callable[[queue.Work, lease.Interruption], reconcile.Done], meter: Meter
) -> Callable[[queue.Work, lease.Interruption], reconcile.Done]:
    """Returns a function that runs work, is measured, and whose log names the work."""

    def runs(work: queue.Work, interruption: lease.Interruption) -> reconcile.Done:
        began, outcome = time.monotonic(), queue.Outcome.SUCCEEDED
        meter.began(work)
        try:
            with telemetry.observing(_Observer(meter, work)), logs.about(work):
                return run(work, interruption)
        except Exception as error:
            outcome = queue.Outcome.RELEASED
            if not lease.is_interruption(error):
                failure = failures.of(error)
                outcome = queue.Outcome.FAILED if failure.is_bug else queue.Outcome.POSTPONED
                meter.failed(work, str(failure.code))
            raise
        finally:
            meter.ended(work, outcome, time.monotonic() - began)

    return runs
