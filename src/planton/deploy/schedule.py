"""Parallel work on many nodes: each starts as soon as its dependencies are done."""

from __future__ import annotations

import concurrent.futures
import contextlib
import contextvars
import functools
import graphlib
import signal
import threading
import types
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

#: Seconds between two wake-ups of the wait: the system may deliver a signal to a thread, and the main thread must wake to handle it.
_SLICE_SECONDS = 0.2
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
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
    with _counting() as signals, concurrent.futures.ThreadPoolExecutor(parallel) as pool:
        running: dict[concurrent.futures.Future[Result], Node] = {}
        while sorter.is_active():
            # Threads share no mutable state: each gets the results of now.
            so_far = types.MappingProxyType(dict(results))
            for node in sorted(sorter.get_ready(), key=positions.__getitem__):
                running[pool.submit(contextvars.copy_context().run, work, node, so_far)] = node
            for done in _first(running, interrupt, signals):
                node = running.pop(done)
                results[node] = done.result()
                sorter.done(node)
        _report(signals, interrupt)
    return [results[node] for node in nodes]


def _first(
    running: Mapping[concurrent.futures.Future[Result], Node], interrupt: Callable[[], None], signals: list[int]
) -> set[concurrent.futures.Future[Result]]:
    done: set[concurrent.futures.Future[Result]] = set()
    while not done:
        try:
            done = concurrent.futures.wait(running, timeout=_SLICE_SECONDS, return_when=concurrent.futures.FIRST_COMPLETED).done
        except KeyboardInterrupt:
            interrupt()
        _report(signals, interrupt)
    return done


def _report(signals: list[int], interrupt: Callable[[], None]) -> None:
    while signals:
        signals.pop()
        interrupt()


@contextlib.contextmanager
def _counting() -> Iterator[list[int]]:
    """Gives a list to which each signal is added whose handler would raise ``KeyboardInterrupt``.

    An exception that a handler raises in the middle of a wait can break the wait's lock, or get lost. A handler that writes to the
    terminal fails if it comes in the middle of a write.
    """
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread handles signals.
        yield received
        return
    handlers = {number: handler for number in _SIGNALS if callable(handler := signal.getsignal(number))}
    for number, handler in handlers.items():
        signal.signal(number, functools.partial(_quietly, handler, received))
    try:
        yield received
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _quietly(handler: Callable[..., object], received: list[int], number: int, frame: object) -> None:
    try:
        handler(number, frame)
    except KeyboardInterrupt:
        received.append(number)
