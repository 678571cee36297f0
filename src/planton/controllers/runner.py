"""Runs work: claims it, renews the lease, stops what has lost its lease, and hands back at a stop.

A run is a thread, because the pipeline waits for processes. The lease is renewed by a thread of its own, over connections of its own.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import random
import threading
from concurrent import futures
from typing import TYPE_CHECKING, Final

from planton import errors
from planton.controllers import failures, lease, queue

if TYPE_CHECKING:
    from collections.abc import Callable

    from planton.controllers import reconcile

_LOG = logging.getLogger(__name__)
#: Seconds between two heartbeats, of a claim that waits, and before the next request after a failed one.
HEARTBEAT: Final = 2.0
WAIT: Final = 2.0
_PAUSE: Final = 1.0
#: Seconds between two looks at the lease.
_GUARD: Final = 0.2
#: Seconds between two times that the main thread runs the handlers of signals. One that another thread of the process has received does
#: not end its wait.
_SIGNALS: Final = 1.0
#: Seconds that a stop waits for engines that were asked to end, before they are killed.
_GRACE: Final = 5.0
#: Heartbeats after which the process hands back work that it does not know: the answer to its claim was lost.
_UNKNOWN: Final = 2
#: The greatest factor by which a pause is spread.
_JITTER: Final = 1.25


@dataclasses.dataclass(slots=True)
class _Running:
    work: queue.Work
    interruption: lease.Interruption
    claimed: float


class Runner:
    """Runs the work of a queue.

    Args:
        jobs: The queue.
        heartbeats: The same queue over other connections, for heartbeats.
        run: Runs a work with an interruption, and returns when to look again.
        parallel: Works at the same time.
        held: The lease of the process.
        heartbeat: Seconds between two heartbeats.
        wait: Seconds that a claim waits for work. A stop ends that late.
    """

    def __init__(
        self,
        jobs: queue.Queue,
        heartbeats: queue.Queue,
        run: Callable[[queue.Work, lease.Interruption], reconcile.Done],
        *,
        parallel: int,
        held: lease.Lease,
        heartbeat: float = HEARTBEAT,
        wait: float = WAIT,
    ) -> None:
        """Starts nothing yet."""
        self._jobs = jobs
        self._heartbeats = heartbeats
        self._run = run
        self._parallel = parallel
        self._lease = held
        self._heartbeat = heartbeat
        self._wait = wait
        self._lock = threading.Lock()
        self._running: dict[str, _Running] = {}
        self._results: list[queue.Result] = []
        self._unknown: dict[tuple[str, int], int] = {}
        # Postponed runs in a row. A cluster runs once at a time, so each entry has one writer.
        self._postponed: dict[str, int] = {}
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._ended = threading.Event()

    def stop(self) -> None:
        """Ends `run` soon: running work is interrupted and handed back."""
        self._stopping.set()
        self._changed.set()

    def run(self) -> None:
        """Runs work until it is stopped."""
        threads = [threading.Thread(target=each, daemon=True) for each in (self._renew_lease, self._guard)]
        pool = futures.ThreadPoolExecutor(self._parallel, thread_name_prefix="work")
        claiming = threading.Thread(target=self._claim_until_stopped, args=(pool,), daemon=True)
        for thread in (*threads, claiming):
            thread.start()
        while not self._stopping.wait(_SIGNALS):
            pass
        self._hand_back()
        claiming.join()
        pool.shutdown()
        self._ended.set()
        for thread in threads:
            thread.join()
        with contextlib.suppress(errors.PlantonError):
            self._jobs.finish(self._drained())

    def _claim_until_stopped(self, pool: futures.ThreadPoolExecutor) -> None:
        while not self._stopping.is_set():
            self._claim(pool)

    def _claim(self, pool: futures.ThreadPoolExecutor) -> None:
        with self._lock:
            free = self._parallel - len(self._running)
        self._changed.clear()
        results, asked = self._drained(), self._lease.now()
        if not free:
            # Work that the process hands back must not wait until one of its runs has ended.
            self._finish(results)
            self._changed.wait(self._wait)
            return
        try:
            claimed = self._jobs.claim(limit=free, results=results, wait=self._wait)
        except errors.PlantonError as error:
            self._undrain(results)
            _LOG.warning("no work could be claimed: %s", error.message)
            self._stopping.wait(_PAUSE)
            return
        if claimed.items:
            self._renewed(asked, claimed.lease)
        for work in claimed.items:
            self._begin(pool, work)

    def _begin(self, pool: futures.ThreadPoolExecutor, work: queue.Work) -> None:
        running = _Running(work, lease.Interruption(self._lease), self._lease.now())
        with self._lock:
            self._running[work.id] = running
        pool.submit(self._work, running)

    def _work(self, running: _Running) -> None:
        result = self._result(running)
        with self._lock:
            self._running.pop(running.work.id, None)
        if result is not None:
            self._finish([result])
        self._changed.set()

    def _finish(self, results: list[queue.Result]) -> None:
        try:
            if results:
                self._jobs.finish(results)
        except errors.PlantonError:
            # They go with the next claim. If that comes too late, another process looks at the resources again.
            self._undrain(results)

    def _result(self, running: _Running) -> queue.Result | None:
        work = running.work
        result = queue.Result(work.id, work.epoch, 0, queue.Outcome.RELEASED)
        if self._stopping.is_set():
            return result
        try:
            done = self._run(work, running.interruption)
        except Exception as error:  # noqa: BLE001  # one work must not end the others
            if running.interruption.is_lost:
                return None
            if lease.is_interruption(error) or self._stopping.is_set():
                return result
            return self._unfinished(work, result, error)
        self._postponed.pop(work.id, None)
        return dataclasses.replace(result, generation=done.generation, outcome=queue.Outcome.SUCCEEDED, next_look=done.next_look)

    def _unfinished(self, work: queue.Work, result: queue.Result, error: Exception) -> queue.Result:
        """Returns the result of a run that an error has ended: a bug counts as an attempt, other errors are planned looks."""
        failure = failures.of(error)
        cause = (str(failure.code), failure.message)
        if failure.is_bug:
            is_unknown = not isinstance(error, errors.PlantonError)
            _LOG.error("%s %s failed: %s", work.kind, work.id, failure.message, exc_info=is_unknown)
            return dataclasses.replace(result, outcome=queue.Outcome.FAILED, error=cause)
        times = self._postponed.get(work.id, 0) + 1
        self._postponed[work.id] = times
        pause = failure.pause(times) * random.uniform(1, _JITTER)  # noqa: S311  # spreads looks
        _LOG.warning("%s %s is looked at again in %.0f s: %s", work.kind, work.id, pause.total_seconds(), failure.message)
        return dataclasses.replace(result, outcome=queue.Outcome.POSTPONED, next_look=pause, error=cause)

    def _renew_lease(self) -> None:
        while not self._ended.wait(self._heartbeat):
            asked = self._lease.now()
            try:
                held = self._heartbeats.renew()
            except errors.PlantonError as error:
                _LOG.warning("the lease could not be renewed: %s", error.message)
                continue
            self._compare(held, asked)
            self._renewed(asked, held.lease)

    def _compare(self, held: queue.Held, asked: float) -> None:
        """Stops work that the process does not hold any longer, and hands back work that it does not know."""
        with self._lock:
            lost = [
                each
                for each in self._running.values()
                if each.claimed < asked and held.epochs.get(each.work.id) != each.work.epoch
            ]
            own = {(each.work.id, each.work.epoch) for each in self._running.values()}
            own |= {(each.id, each.epoch) for each in self._results}
            unknown = {each: self._unknown.get(each, 0) + 1 for each in held.epochs.items() if each not in own}
            self._unknown = unknown
        for each in lost:
            _LOG.warning("%s %s was given to another process", each.work.kind, each.work.id)
            each.interruption.lose()
        back = [each for each, times in unknown.items() if times >= _UNKNOWN]
        self._undrain([queue.Result(id_, epoch, 0, queue.Outcome.RELEASED) for id_, epoch in back])

    def _renewed(self, asked: float, seconds: float) -> None:
        # A run must not go on with a new lease after a gap, in which another process may have got its work.
        self._lose_expired()
        self._lease.renewed(asked, seconds)

    def _guard(self) -> None:
        while not self._ended.wait(_GUARD):
            self._lose_expired()

    def _lose_expired(self) -> None:
        if not self._lease.is_over:
            return
        with self._lock:
            running = [each for each in self._running.values() if not each.interruption.is_lost]
        for each in running:
            _LOG.warning("%s %s is stopped: its lease may have ended", each.work.kind, each.work.id)
            each.interruption.lose()

    def _hand_back(self) -> None:
        """Interrupts all runs, and waits until they have ended. Engines that do not end soon are killed."""
        for _ in range(2):
            with self._lock:
                running = list(self._running.values())
            for each in running:
                each.interruption.ask()
            ends = self._lease.now() + _GRACE
            while self._is_busy() and self._lease.now() < ends:
                self._changed.clear()
                self._changed.wait(_GUARD)

    def _is_busy(self) -> bool:
        with self._lock:
            return bool(self._running)

    def _drained(self) -> list[queue.Result]:
        with self._lock:
            results, self._results = self._results, []
            return results

    def _undrain(self, results: list[queue.Result]) -> None:
        with self._lock:
            self._results += results
