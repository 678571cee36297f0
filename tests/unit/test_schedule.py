"""Work on the nodes of a graph: in order, in parallel, and interrupted by Ctrl-C."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence

import pytest

from planton.deploy import schedule

LONG = 30.0
DIAMOND = {"left": {"top"}, "right": {"top"}, "bottom": {"left", "right"}}


def _fail_on_interrupt() -> None:
    pytest.fail("there was no interruption")


def _run(
    nodes: Sequence[str],
    needs: Mapping[str, set[str]],
    work: Callable[[str], str],
    *,
    parallel: int = 10,
    interrupt: Callable[[], None] = _fail_on_interrupt,
) -> list[str]:
    return schedule.each(nodes, needs, lambda node, _done: work(node), parallel=parallel, interrupt=interrupt)


@pytest.mark.parametrize("parallel", [1, 2, 10])
def test_each_node_runs_after_its_dependencies(parallel: int) -> None:
    """This holds for any parallelism. The results have the order of the nodes."""
    completed: list[str] = []

    def work(node: str) -> str:
        assert DIAMOND.get(node, set()) <= set(completed)
        completed.append(node)
        return node.upper()

    nodes = ["bottom", "right", "left", "top"]
    assert _run(nodes, DIAMOND, work, parallel=parallel) == ["BOTTOM", "RIGHT", "LEFT", "TOP"]
    assert sorted(completed) == sorted(nodes)


def test_independent_nodes_run_in_parallel() -> None:
    """Each node waits for the two others at a barrier."""
    barrier = threading.Barrier(3)

    def work(node: str) -> str:
        barrier.wait(LONG)
        return node

    assert _run(["a", "b", "c"], {}, work, parallel=3) == ["a", "b", "c"]


def test_parallelism_is_limited() -> None:
    """Two of four nodes run at once."""
    lock = threading.Lock()
    barrier = threading.Barrier(2)
    running: set[str] = set()
    maximum = 0

    def work(node: str) -> str:
        nonlocal maximum
        with lock:
            running.add(node)
            maximum = max(maximum, len(running))
        barrier.wait(LONG)
        with lock:
            running.remove(node)
        return node

    _run(["a", "b", "c", "d"], {}, work, parallel=2)
    assert maximum == 2


def test_sequential_work_has_the_order_of_the_nodes() -> None:
    """The first ready node runs next."""
    started: list[str] = []
    _run(["c", "a", "b"], {"c": {"b"}}, lambda node: started.append(node) or node, parallel=1)
    assert started == ["a", "b", "c"]


def test_a_dependency_outside_the_graph_is_ignored() -> None:
    """It is already complete, or belongs to another run."""
    assert _run(["a"], {"a": {"elsewhere"}, "elsewhere": {"a"}}, str.upper) == ["A"]


def test_an_empty_graph_has_no_results() -> None:
    """No thread is started."""
    assert _run([], {}, str.upper) == []


def test_an_exception_stops_the_run() -> None:
    """Dependants of the failed node are not started."""
    started: list[str] = []

    def work(node: str) -> str:
        started.append(node)
        raise LookupError(node)

    with pytest.raises(LookupError, match="a"):
        _run(["a", "b"], {"b": {"a"}}, work)
    assert started == ["a"]


def test_an_interruption_is_passed_on_and_running_work_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first Ctrl-C asks the work to stop, and the second repeats it. The results of the work are returned."""
    interrupts: list[str] = []
    end = threading.Event()
    original_wait = concurrent.futures.wait
    interruptions = iter([KeyboardInterrupt, KeyboardInterrupt])

    def wait(running: object, **options: object) -> object:
        error = next(interruptions, None)
        if error is not None:
            raise error
        return original_wait(running, **options)

    def interrupt() -> None:
        interrupts.append("end")
        if len(interrupts) == 2:
            end.set()

    def work(node: str) -> str:
        assert end.wait(LONG)
        return f"{node} ended"

    monkeypatch.setattr(concurrent.futures, "wait", wait)
    assert _run(["a", "b"], {}, work, interrupt=interrupt) == ["a ended", "b ended"]
    assert interrupts == ["end", "end"]


def test_each_node_receives_the_results_of_its_dependencies() -> None:
    """Work is a function of a node and the previous results, so threads share no state."""

    def work(node: str, done: Mapping[str, str]) -> str:
        return "".join(sorted(done[each] for each in DIAMOND.get(node, ()))) + node[0]

    results = schedule.each(["top", "left", "right", "bottom"], DIAMOND, work, parallel=2, interrupt=_fail_on_interrupt)
    assert results == ["t", "tl", "tr", "tltrb"]


def test_signals_during_the_wait_are_counted_and_break_nothing() -> None:
    """Each is an interruption, and afterwards the previous handler is back."""
    interruptions = threading.Semaphore(0)
    before = signal.getsignal(signal.SIGINT)

    def work(_node: str) -> str:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
            assert interruptions.acquire(timeout=LONG)
        return "done"

    assert _run(["a"], {}, work, interrupt=interruptions.release) == ["done"]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_signal_waits_for_the_report_of_the_first() -> None:
    """A report writes to the terminal, and a write in the middle of another one fails."""
    depths, depth, end = [], 0, threading.Event()

    def interrupt() -> None:
        nonlocal depth
        depth += 1
        depths.append(depth)
        if len(depths) == 1:
            signal.raise_signal(signal.SIGINT)
        else:
            end.set()
        depth -= 1

    def work(_node: str, _results: object) -> bool:
        os.kill(os.getpid(), signal.SIGINT)
        return end.wait(60)

    assert schedule.each(["a"], {}, work, parallel=1, interrupt=interrupt) == [True]
    assert depths == [1, 1]
