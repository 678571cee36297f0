"""A work queue in memory, with a clock of its own: leases end when the test says so."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Sequence

from planton import errors
from planton.controllers import queue


@dataclasses.dataclass
class Item:
    """One row of work."""

    work: queue.Work
    is_due: bool = True
    owner: str = ""
    results: list[queue.Result] = dataclasses.field(default_factory=list)


class Table:
    """The rows of work that several processes share. Thread-safe."""

    def __init__(self, *ids: str, lease: float = 8.0) -> None:
        """Holds work that is due, one row for each id."""
        self.lease = lease
        self.is_down = False
        self.renewals = 0
        self._changed = threading.Condition()
        self._items = {id_: Item(queue.Work(id_, "NodePool", id_, "example", 0)) for id_ in ids}

    def queue(self, process: str) -> Queue:
        """Returns the queue of a process."""
        return Queue(self, process)

    def claim(self, process: str, limit: int, results: Sequence[queue.Result], wait: float) -> queue.Claimed:
        """Claims due work that nobody owns."""
        with self._changed:
            self._check()
            self._finish(process, results)
            self._changed.wait_for(self._has_due, wait)
            self._check()
            claimed = []
            for item in self._items.values():
                if len(claimed) < limit and item.is_due and not item.owner:
                    item.owner, item.is_due = process, False
                    item.work = dataclasses.replace(item.work, epoch=item.work.epoch + 1)
                    claimed.append(item.work)
            return queue.Claimed(tuple(claimed), self.lease)

    def renew(self, process: str) -> queue.Held:
        """Renews the lease of a process."""
        with self._changed:
            self._check()
            self.renewals += 1
            self._changed.notify_all()
            held = {id_: item.work.epoch for id_, item in self._items.items() if item.owner == process}
            return queue.Held(held, frozenset(), self.lease)

    def finish(self, process: str, results: Sequence[queue.Result]) -> None:
        """Finishes work."""
        with self._changed:
            self._check()
            self._finish(process, results)

    def take(self, id_: str, process: str) -> None:
        """Gives work to another process, as after the end of a lease."""
        with self._changed:
            item = self._items[id_]
            item.owner = process
            item.work = dataclasses.replace(item.work, epoch=item.work.epoch + 1)

    def make_due(self, id_: str) -> None:
        """Makes work due, as at the time of its next look."""
        with self._changed:
            self._items[id_].is_due = True
            self._changed.notify_all()

    def break_(self, *, is_down: bool) -> None:
        """Makes every call fail, or work again."""
        with self._changed:
            self.is_down = is_down
            self._changed.notify_all()

    def results(self, id_: str) -> list[queue.Result]:
        """Returns the accepted results of a row."""
        with self._changed:
            return list(self._items[id_].results)

    def until_results(self, id_: str, number: int, seconds: float = 60.0) -> list[queue.Result]:
        """Waits until a row has so many results, and returns them."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._items[id_].results) >= number, seconds)
            return list(self._items[id_].results)

    def until_renewed(self, seconds: float = 60.0) -> None:
        """Waits for two more renewals: the first may have begun before."""
        with self._changed:
            expected = self.renewals + 2
            assert self._changed.wait_for(lambda: self.renewals >= expected, seconds)

    def _has_due(self) -> bool:
        return self.is_down or any(item.is_due and not item.owner for item in self._items.values())

    def _finish(self, process: str, results: Sequence[queue.Result]) -> None:
        for result in results:
            item = self._items[result.id]
            if (item.owner, item.work.epoch) == (process, result.epoch):
                item.owner = ""
                item.is_due = result.outcome in (queue.Outcome.FAILED, queue.Outcome.POSTPONED)
                item.results.append(result)
                self._changed.notify_all()

    def _check(self) -> None:
        if self.is_down:
            raise errors.PlantonError("the queue is down", reason=errors.Reason.API_UNREACHABLE)


@dataclasses.dataclass(frozen=True)
class Queue:
    """The queue of one process."""

    table: Table
    process: str

    def claim(self, *, limit: int, results: Sequence[queue.Result], wait: float) -> queue.Claimed:
        """Claims work."""
        return self.table.claim(self.process, limit, results, wait)

    def renew(self) -> queue.Held:
        """Renews the lease."""
        return self.table.renew(self.process)

    def finish(self, results: Sequence[queue.Result]) -> None:
        """Finishes work."""
        self.table.finish(self.process, results)
