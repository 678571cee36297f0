"""The runner: work is run once, handed back at a stop, and stopped before its lease ends. The queue is in memory."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import threading
from collections.abc import Callable, Iterator

import pytest

from planton import client, errors
from planton.controllers import lease, queue, reconcile, runner
from support import work as work_support

PATIENCE = 60.0
NEXT = datetime.timedelta(seconds=60)


@dataclasses.dataclass
class Clock:
    """A clock that a test sets."""

    time: float = 0.0

    def __call__(self) -> float:
        """Returns the time."""
        return self.time


@contextlib.contextmanager
def running(
    table: work_support.Table,
    run: Callable[[queue.Work, lease.Interruption], reconcile.Done],
    *,
    parallel: int = 4,
    clock: Clock | None = None,
) -> Iterator[runner.Runner]:
    """Runs a process, and stops it at the end."""
    own = table.queue("one")
    held = lease.Lease(now=clock or lease.clock)
    started = runner.Runner(own, own, run, parallel=parallel, held=held, heartbeat=0.01, wait=0.05)
    thread = threading.Thread(target=started.run)
    thread.start()
    try:
        yield started
    finally:
        started.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def until_interrupted(interruption: lease.Interruption) -> None:
    """Waits as an engine does, and raises when the run is interrupted."""
    ended = threading.Event()
    while not interruption.times:
        ended.wait(0.01)
    interruption.check()


def test_work_is_run_and_its_next_look_is_passed_on() -> None:
    """Each row once, with the generation that was observed."""
    table = work_support.Table("a", "b")
    with running(table, lambda _work, _interruption: reconcile.Done(3, NEXT)):
        for id_ in ("a", "b"):
            [result] = table.until_results(id_, 1)
            assert (result.outcome, result.generation, result.next_look) == (queue.Outcome.SUCCEEDED, 3, NEXT)


def test_a_bug_is_a_failed_run_with_its_error_and_ends_no_other_work() -> None:
    """The queue counts it, and gives it again."""
    table = work_support.Table("bad", "good")

    def run(work: queue.Work, _interruption: lease.Interruption) -> reconcile.Done:
        if work.id == "bad" and work.epoch == 1:
            raise ZeroDivisionError("division by zero")
        return reconcile.Done(1, NEXT)

    with running(table, run):
        failed, second = table.until_results("bad", 2)[:2]
        assert (failed.outcome, second.outcome) == (queue.Outcome.FAILED, queue.Outcome.SUCCEEDED)
        assert failed.error == ("INTERNAL", "ZeroDivisionError: division by zero")
        assert table.until_results("good", 1)[0].outcome is queue.Outcome.SUCCEEDED


def test_an_error_that_others_end_is_a_planned_look_with_growing_pauses() -> None:
    """However often: it never counts as an attempt. A success ends the series."""
    table = work_support.Table("a")
    unreachable = errors.PlantonError("no answer", reason=errors.Reason.API_UNREACHABLE)

    def run(work: queue.Work, _interruption: lease.Interruption) -> reconcile.Done:
        if work.epoch == 4:
            return reconcile.Done(1, None)
        raise unreachable

    with running(table, run):
        table.until_results("a", 4)
        table.make_due("a")
        results = table.until_results("a", 5)[:5]
    postponed, succeeded = queue.Outcome.POSTPONED, queue.Outcome.SUCCEEDED
    assert [each.outcome for each in results] == [postponed, postponed, postponed, succeeded, postponed]
    assert results[0].error == ("NETWORK_FAILED", "no answer")
    seconds = [each.next_look.total_seconds() for each in results if each.next_look]
    for pause, usual in zip(seconds, [2, 4, 8, 2], strict=True):
        assert usual <= pause <= 1.25 * usual


def test_a_demanded_pause_is_kept() -> None:
    """That of the API's answer to a controller that sends too many requests."""
    table = work_support.Table("a")

    def run(_work: queue.Work, _interruption: lease.Interruption) -> reconcile.Done:
        raise client.ApiError(429, {"code": "RATE_LIMITED", "message": "too many requests"}, "", "90")

    with running(table, run):
        result = table.until_results("a", 1)[0]
    assert (result.outcome, result.error) == (queue.Outcome.POSTPONED, ("RATE_LIMITED", "too many requests"))
    assert result.next_look is not None
    assert result.next_look.total_seconds() >= 90


def test_a_stop_interrupts_the_runs_and_hands_them_back() -> None:
    """They are due again at once, and no attempt is counted."""
    table = work_support.Table("a", "b")
    began = threading.Barrier(3)

    def run(_work: queue.Work, interruption: lease.Interruption) -> reconcile.Done:
        began.wait(PATIENCE)
        until_interrupted(interruption)
        raise AssertionError("the interruption raises")

    with running(table, run):
        began.wait(PATIENCE)
    assert [table.results(id_)[0].outcome for id_ in ("a", "b")] == [queue.Outcome.RELEASED] * 2


def test_work_that_was_given_to_another_process_is_stopped_and_reports_nothing() -> None:
    """A heartbeat says so, and the engine is killed at once."""
    table = work_support.Table("a")
    began, stopped = threading.Event(), threading.Event()

    def run(_work: queue.Work, interruption: lease.Interruption) -> reconcile.Done:
        began.set()
        try:
            until_interrupted(interruption)
        finally:
            assert interruption.is_lost
            assert interruption.times == 2
            stopped.set()
        raise AssertionError("the interruption raises")

    with running(table, run):
        assert began.wait(PATIENCE)
        table.until_renewed()
        table.take("a", "two")
        assert stopped.wait(PATIENCE)
    assert table.results("a") == []


def test_work_stops_before_its_lease_ends_when_the_queue_is_down() -> None:
    """Nothing begins after three quarters of the lease, whatever the heartbeats do."""
    table, clock = work_support.Table("a"), Clock()
    began, ended = threading.Event(), threading.Event()

    def run(_work: queue.Work, interruption: lease.Interruption) -> reconcile.Done:
        interruption.check()
        began.set()
        try:
            until_interrupted(interruption)
        finally:
            ended.set()
        raise AssertionError("the interruption raises")

    with running(table, run, clock=clock):
        assert began.wait(PATIENCE)
        table.break_(is_down=True)
        clock.time = table.lease * 0.75 + 0.001
        assert ended.wait(PATIENCE)
        table.break_(is_down=False)


def test_a_run_checks_the_lease_itself() -> None:
    """A process that was suspended begins nothing, although no other thread has noticed yet."""
    clock = Clock()
    held = lease.Lease(now=clock)
    held.renewed(0.0, 8.0)
    interruption = lease.Interruption(held)
    interruption.check()
    clock.time = 30.0
    with pytest.raises(errors.PlantonError) as raised:
        interruption.check()
    assert raised.value.reason is errors.Reason.INTERRUPTED
    assert interruption.is_lost


def test_work_whose_claim_was_never_answered_is_handed_back() -> None:
    """The process holds it, and does not know it."""
    table = work_support.Table("a")
    table.take("a", "one")
    with running(table, lambda _work, _interruption: reconcile.Done(1, NEXT)):
        results = table.until_results("a", 1)
    assert results[0].outcome is queue.Outcome.RELEASED


def test_a_process_that_is_busy_hands_back_what_it_does_not_run() -> None:
    """As after an outage of the database: its runs have stopped themselves, and it has claimed others since."""
    table = work_support.Table("a", "b")
    began = threading.Event()

    def run(_work: queue.Work, interruption: lease.Interruption) -> reconcile.Done:
        began.set()
        until_interrupted(interruption)
        raise AssertionError("the interruption raises")

    table.take("b", "one")
    with running(table, run, parallel=1):
        assert began.wait(PATIENCE)
        [result] = table.until_results("b", 1)
        assert result.outcome is queue.Outcome.RELEASED


def test_no_more_work_than_threads_is_claimed() -> None:
    """The rest stays in the queue for other processes."""
    table = work_support.Table("a", "b", "c")
    began = threading.Barrier(3)
    release = threading.Event()

    def run(_work: queue.Work, _interruption: lease.Interruption) -> reconcile.Done:
        if not release.is_set():
            began.wait(PATIENCE)
            release.wait(PATIENCE)
        return reconcile.Done(1, NEXT)

    with running(table, run, parallel=2):
        began.wait(PATIENCE)
        table.until_renewed()
        assert len(table.renew("one").epochs) == 2
        release.set()
        table.until_results("c", 1)
