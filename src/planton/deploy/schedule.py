"""Parallel work on many nodes: each starts as soon as its dependencies are done."""

from __future__ import annotations

import concurrent.futures
import graphlib
import types
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

Node = TypeVar("Node")
Result = TypeVar("Result")


def each(
    nodes: Sequence[Node],
    dependencies: Mapping[Node, AbstractSet[Node]],
    work: Callable[[Node, Mapping[Node, Result]], Result],
    *,
    parallel: int,
    interrupt: Callable[[], None],
) -> list[Result]:
    """Does a piece of work for each node, and returns the results in the order of the nodes.

    Args:
        nodes: The distinct nodes, without a cycle.
        dependencies: Node → the nodes that come before it; others than ``nodes`` are ignored.
        work: Is called in threads, once for each node, with the results so far. An exception ends everything.
        parallel: The number of threads, at least 1.
        interrupt: Is called for each Ctrl-C; current work must then end soon, and later work at once.
    """
    members = set(nodes)
    sorter = graphlib.TopologicalSorter({node: dependencies.get(node, set()) & members for node in nodes})
    sorter.prepare()
    positions = {node: position for position, node in enumerate(nodes)}
    results: dict[Node, Result] = {}
    with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
        running: dict[concurrent.futures.Future[Result], Node] = {}
        while sorter.is_active():
            # Threads share no mutable state: each gets the results of now.
            so_far = types.MappingProxyType(dict(results))
            for node in sorted(sorter.get_ready(), key=positions.__getitem__):
                running[pool.submit(work, node, so_far)] = node
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
