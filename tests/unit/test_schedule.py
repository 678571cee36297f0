"""Work on many nodes at once: in order, side by side, and ended by Ctrl-C."""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Mapping, Sequence

import pytest

from planton.deploy import schedule

LONG = 30.0
DIAMOND = {"left": {"top"}, "right": {"top"}, "bottom": {"left", "right"}}


def _unasked() -> None:
    pytest.fail("nobody has pressed Ctrl-C")


def _each(
    nodes: Sequence[str],
    needs: Mapping[str, set[str]],
    work: Callable[[str], str],
    *,
    parallel: int = 10,
    interrupt: Callable[[], None] = _unasked,
) -> list[str]:
    return schedule.each(nodes, needs, lambda node, _done: work(node), parallel=parallel, interrupt=interrupt)


@pytest.mark.parametrize("parallel", [1, 2, 10])
def test_each_node_comes_after_those_that_it_needs(parallel: int) -> None:
    """However many are at work, none begins before what it needs has ended; the results come in the order of the nodes."""
    ended: list[str] = []

    def work(node: str) -> str:
        assert DIAMOND.get(node, set()) <= set(ended)
        ended.append(node)
        return node.upper()

    nodes = ["bottom", "right", "left", "top"]
    assert _each(nodes, DIAMOND, work, parallel=parallel) == ["BOTTOM", "RIGHT", "LEFT", "TOP"]
    assert sorted(ended) == sorted(nodes)


def test_what_does_not_depend_on_each_other_is_done_side_by_side() -> None:
    """Each of three waits for the two others, which only ends if all are at work at once."""
    together = threading.Barrier(3)

    def work(node: str) -> str:
        together.wait(LONG)
        return node

    assert _each(["a", "b", "c"], {}, work, parallel=3) == ["a", "b", "c"]


def test_no_more_are_at_work_than_were_asked_for() -> None:
    """Two of five at once, and both places are used."""
    lock = threading.Lock()
    together = threading.Barrier(2)
    working: set[str] = set()
    most = 0

    def work(node: str) -> str:
        nonlocal most
        with lock:
            working.add(node)
            most = max(most, len(working))
        together.wait(LONG)
        with lock:
            working.remove(node)
        return node

    _each(["a", "b", "c", "d"], {}, work, parallel=2)
    assert most == 2


def test_one_at_a_time_goes_in_the_order_given() -> None:
    """Among those that could be next the first given is."""
    begun: list[str] = []
    _each(["c", "a", "b"], {"c": {"b"}}, lambda node: begun.append(node) or node, parallel=1)
    assert begun == ["a", "b", "c"]


def test_a_need_that_is_no_node_does_not_count() -> None:
    """It has been done before, or is nobody's work."""
    assert _each(["a"], {"a": {"elsewhere"}, "elsewhere": {"a"}}, str.upper) == ["A"]


def test_without_nodes_there_is_nothing_to_do() -> None:
    """An empty run ends at once."""
    assert _each([], {}, str.upper) == []


def test_what_work_raises_ends_everything() -> None:
    """What needs the failed node is not begun."""
    begun: list[str] = []

    def work(node: str) -> str:
        begun.append(node)
        raise LookupError(node)

    with pytest.raises(LookupError, match="a"):
        _each(["a", "b"], {"b": {"a"}}, work)
    assert begun == ["a"]


def test_ctrl_c_is_passed_on_and_the_work_that_goes_on_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's first Ctrl-C asks the work to end, a second asks again; the results of what ended are there."""
    asked: list[str] = []
    end = threading.Event()
    really = concurrent.futures.wait
    interruptions = iter([KeyboardInterrupt, KeyboardInterrupt])

    def wait(running: object, **options: object) -> object:
        raised = next(interruptions, None)
        if raised is not None:
            raise raised
        return really(running, **options)

    def interrupt() -> None:
        asked.append("end")
        if len(asked) == 2:
            end.set()

    def work(node: str) -> str:
        assert end.wait(LONG)
        return f"{node} ended"

    monkeypatch.setattr(concurrent.futures, "wait", wait)
    assert _each(["a", "b"], {}, work, interrupt=interrupt) == ["a ended", "b ended"]
    assert asked == ["end", "end"]


def test_each_node_gets_the_results_of_its_dependencies() -> None:
    """Work is a function of a node and the results so far, so that threads share no state."""

    def work(node: str, done: Mapping[str, str]) -> str:
        return "".join(sorted(done[each] for each in DIAMOND.get(node, ()))) + node[0]

    results = schedule.each(["top", "left", "right", "bottom"], DIAMOND, work, parallel=2, interrupt=_unasked)
    assert results == ["t", "tl", "tr", "tltrb"]
