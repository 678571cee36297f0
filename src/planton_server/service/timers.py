"""Timed work: deadlines, resyncs and cleaning, in a loop that one server runs at a time.

Each server polls the database every few seconds. The one that holds the lease (:mod:`planton_server.store.leases`) runs the work that is
due by the database's clock. It uses one set-based, idempotent statement for each sort of work (:mod:`planton_server.store.ticks`). When
the holder stops renewing the lease, another server takes over. A missing database does not block the start of the server: the
work begins when the database is back.

Each poll also compares the database's clock with the elapsed seconds. If the clock has stepped, scheduled times move with it, so
that the remaining time until a deadline stays the same.
"""

from __future__ import annotations

import datetime
import logging
import math
import threading
import uuid
from typing import TYPE_CHECKING, Final, NamedTuple

from planton_server.service import clocks, resyncs, status, timestamps
from planton_server.store import engines, leases, ticks

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    from planton_server import settings

_LOG: Final = logging.getLogger("planton_server.service.timers")
#: Seconds between two cleanings.
_CLEANING: Final = 600.0
#: How long responses under an Idempotency-Key are kept.
_ANSWERS: Final = datetime.timedelta(hours=24)
#: Polls without a beat after which another server takes over, and after which the work counts as stopped; plus some seconds.
_SILENT: Final = 3
_STOPPED: Final = 6
_SLACK: Final = 10.0
#: Beats after which the holder has measured the clock across one whole interval between two polls.
_LOOKED: Final = 2
#: Seconds that a stop waits for a tick.
_GRACE: Final = 20.0


def tick(engine: sa.Engine, configured: settings.Settings, now: datetime.datetime) -> None:
    """Runs the work that is due: fails resources past their deadline, and resyncs desired state."""
    reason, message = status.LATE
    failed = ticks.deadlines(engine, now=timestamps.text(now), reason=reason, message=message)
    resynced = ticks.resyncs(engine, now=timestamps.text(now), following=resyncs.times(now, configured.resync))
    facts = {"moment": timestamps.text(now), "failed": failed, "resynced": resynced}
    _LOG.log(logging.INFO if failed or resynced else logging.DEBUG, "tick", extra={"facts": facts})


def begin(engine: sa.Engine, configured: settings.Settings, now: datetime.datetime) -> None:
    """Schedules the resyncs that were not scheduled while resyncs were switched off."""
    following = resyncs.times(now, configured.resync)
    if following:
        ticks.plan_resyncs(engine, following=following)


def clean(engine: sa.Engine, configured: settings.Settings, now: datetime.datetime, *, kept: float = 0.0) -> None:
    """Deletes rows past their retention.

    Args:
        engine: The database.
        configured: The settings of the server.
        now: The time.
        kept: Additional seconds to keep rows, because the clock has stepped forward since they were written.
    """
    longer = datetime.timedelta(seconds=kept)
    deleted = ticks.clean(
        engine,
        events_before=timestamps.text(now - datetime.timedelta(seconds=configured.retention) - longer),
        answers_before=timestamps.text(now - _ANSWERS - longer),
        audit_before=timestamps.text(now - datetime.timedelta(seconds=configured.audit_retention) - longer),
    )
    if deleted:
        _LOG.info("cleaned", extra={"facts": {"rows": deleted}})


class _Look(NamedTuple):
    """The first poll that saw a number of beats.

    Attributes:
        beats: The number of times that the work had run.
        now: The database's time.
        at: The timer's seconds then.
    """

    beats: int
    now: datetime.datetime
    at: float


class Keeper:
    """One server's part of the timed work. It starts no thread; the caller calls :meth:`look` repeatedly."""

    def __init__(
        self,
        engine: sa.Engine,
        configured: settings.Settings,
        *,
        clock: clocks.Clock | None = None,
        now: Callable[[sa.Connection], datetime.datetime] = leases.now,
        timer: Callable[[], float] = clocks.elapsed,
        done: Callable[[str], None] = lambda _work: None,
    ) -> None:
        """Begins without the lease.

        Args:
            engine: The database.
            configured: The settings of the server.
            clock: Is set by the database's clock.
            now: Returns the database's time.
            timer: Returns monotonic seconds.
            done: Called after work was done, with ``tick`` or ``clean``.
        """
        self.name = str(uuid.uuid4())
        self._engine = engine
        self._settings = configured
        self._clock = clock or clocks.Clock(timer=timer)
        self._now = now
        self._timer = timer
        self._done = done
        self._base: _Look | None = None
        self._cleaned = -math.inf
        self._has_begun = False
        #: The number of clock steps last read from the database, and the beats at which the clock was first seen to differ.
        self._steps = 0
        self._differs_since: int | None = None
        self._started = self._worked = timer()

    def state(self) -> str:
        """Returns whether this or another server runs timed work: ``healthy``, ``unhealthy`` or ``off``."""
        if not self._settings.tick:
            return "off"
        return "healthy" if self._timer() - self._worked <= _STOPPED * self._settings.tick + _SLACK else "unhealthy"

    def look(self) -> None:
        """Reads the lease and the clock, and runs the work that is due if this server holds the lease."""
        before = self._timer()
        with self._engine.connect() as connection:
            now = self._now(connection)
        after = self._timer()
        lease = leases.read(self._engine)
        look, base = _Look(lease.beats, now, after), self._base
        if base is None or base.beats != lease.beats:
            if base is not None:
                self._worked = after
            self._base = base = look
        silent = after - base.at >= _SILENT * self._settings.tick
        if lease.holder != self.name:
            if lease.holder and not silent:
                self._follow_clock(lease, now, after)
                return
            with self._engine.begin() as connection:
                if not leases.take(connection, lease, self.name):
                    return
            lease = lease._replace(holder=self.name)
        step = (now - base.now).total_seconds() - (after - base.at)
        if abs(step) > clocks.TOLERANCE + after - before:
            lease = self._move(lease, look, step)
        self._set_clock(lease, now, after)
        self._work(lease, look)

    def release(self) -> None:
        """Releases the lease, so that another server can take over at once."""
        with self._engine.begin() as connection:
            leases.release(connection, self.name)

    def _follow_clock(self, lease: leases.Lease, now: datetime.datetime, at: float) -> None:
        """Sets the clock of requests while another server works. A step is applied only once scheduled times have moved."""
        differs = abs(self._clock.difference(now, at)) > clocks.TOLERANCE and lease.steps == self._steps
        if differs and self._differs_since is None:
            self._differs_since = lease.beats
        # The holder has measured the clock since then and saw no step, so this machine was suspended.
        if not differs or (self._differs_since is not None and lease.beats >= self._differs_since + _LOOKED):
            self._set_clock(lease, now, at)

    def _set_clock(self, lease: leases.Lease, now: datetime.datetime, at: float) -> None:
        self._clock.set(now, at)
        self._steps, self._differs_since = lease.steps, None

    def _move(self, lease: leases.Lease, look: _Look, step: float) -> leases.Lease:
        """Moves scheduled times by a step of the clock, and returns the updated lease."""
        kept = lease.kept_seconds if lease.kept_until > timestamps.text(look.now) else 0.0
        kept = max(0.0, kept + step)
        retention = max(self._settings.retention, self._settings.audit_retention)
        longest = max(datetime.timedelta(seconds=retention), _ANSWERS)
        until = timestamps.text(look.now + longest)
        with self._engine.begin() as connection:
            if leases.step(connection, lease, step, kept_seconds=kept, kept_until=until):
                _LOG.warning(
                    "the database's clock has stepped; deadlines move with it", extra={"facts": {"step": round(step, 3)}}
                )
                lease = lease._replace(steps=lease.steps + 1, kept_seconds=kept, kept_until=until)
        self._base = look
        return lease

    def _work(self, lease: leases.Lease, look: _Look) -> None:
        if not self._has_begun:
            begin(self._engine, self._settings, look.now)
            self._has_begun = True
        tick(self._engine, self._settings, look.now)
        self._done("tick")
        if look.at - self._cleaned >= _CLEANING:
            kept = lease.kept_seconds if lease.kept_until > timestamps.text(look.now) else 0.0
            clean(self._engine, self._settings, look.now, kept=kept)
            self._cleaned = look.at
            self._done("clean")
        with self._engine.begin() as connection:
            if leases.beat(connection, lease):
                self._base = look._replace(beats=lease.beats + 1)
        self._worked = look.at


class Timers:
    """The timed work of one process: a keeper, in a thread of its own.

    Attributes:
        clock: The database's clock, for requests.
    """

    def __init__(self, configured: settings.Settings, done: Callable[[str], None] = lambda _work: None) -> None:
        """Creates the timers of a server.

        Args:
            configured: The settings of the server.
            done: Called after work was done, with ``tick`` or ``clean``.
        """
        self.clock = clocks.Clock()
        self._settings = configured
        self._engine = engines.blocking(configured.database_url)
        self._keeper = Keeper(self._engine, configured, clock=self.clock, done=done)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)

    def start(self) -> None:
        """Begins; returns at once."""
        if self._settings.tick:
            self._thread.start()

    def state(self) -> str:
        """Returns whether timed work runs: ``healthy``, ``unhealthy`` or ``off``."""
        return self._keeper.state()

    def stop(self) -> None:
        """Ends, after the tick that is running. Blocks."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(_GRACE)
        self._engine.dispose()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._try(self._keeper.look)
            self._stopping.wait(self._settings.tick)
        self._try(self._keeper.release)

    def _try(self, part: Callable[[], None]) -> None:
        try:
            part()
        except Exception as error:  # noqa: BLE001 - after any error the next tick must still run
            _LOG.warning("timed work waits for the database: %s", str(error).partition("\n")[0])
