"""Work on many resources at once: each as soon as those that it needs are done, a number of them side by side."""

from __future__ import annotations

import concurrent.futures
import graphlib
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Node = TypeVar("Node")
Result = TypeVar("Result")


def each(
    nodes: Sequence[Node],
    needs: Mapping[Node, set[Node]],
    work: Callable[[Node], Result],
    *,
    parallel: int,
    interrupt: Callable[[], None],
) -> list[Result]:
    """Does a piece of work for each node and returns the results in the order of the nodes.

    Args:
        nodes: What there is to do, all different; they have no circle.
        needs: For a node those that come before it; others than ``nodes`` do not count.
        work: Is called in threads, once for each node. What it raises ends everything.
        parallel: How many are at work at once, at least 1.
        interrupt: Is called for each Ctrl-C; the work that goes on must then end soon, and later work must end at once.
    """
    wanted = set(nodes)
    sorter = graphlib.TopologicalSorter({node: needs.get(node, set()) & wanted for node in nodes})
    sorter.prepare()
    results: dict[Node, Result] = {}
    with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
        running: dict[concurrent.futures.Future[Result], Node] = {}
        while sorter.is_active():
            for node in sorted(sorter.get_ready(), key=nodes.index):
                running[pool.submit(work, node)] = node
            for done in _first(running, interrupt):
                node = running.pop(done)
                results[node] = done.result()
                sorter.done(node)
    return [results[node] for node in nodes]


def _first(
    running: Mapping[concurrent.futures.Future[Result], Node], interrupt: Callable[[], None]
) -> set[concurrent.futures.Future[Result]]:
    while True:
        try:
            return concurrent.futures.wait(running, return_when=concurrent.futures.FIRST_COMPLETED).done
        except KeyboardInterrupt:
            interrupt()
