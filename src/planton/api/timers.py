"""Timed work: deadlines, resyncs and cleaning, in a loop that one server has at a time.

Each server looks every few seconds; the one that holds the lease in the database (:mod:`planton.store.leases`) does what is due, by the
database's clock, in one set-based statement for each sort of work (:mod:`planton.store.ticks`): as good done twice as once. When the holder
beats no more, another server takes over. Nothing here holds up the start of the server: where the database is gone, the work begins when
it is back.

Who looks also compares the database's clock with the seconds that have passed. Where it has stepped, what is planned moves with it, so
that a deadline passes after as many seconds as it should.
"""

from __future__ import annotations

import datetime
import logging
import math
import threading
import uuid
from typing import TYPE_CHECKING, Final, NamedTuple

from planton.api import clocks, resyncs, status, timestamps
from planton.store import leases, schema, ticks

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sa

    from planton.api import settings

_LOG: Final = logging.getLogger("planton.api.timers")
#: Seconds between two cleanings.
_CLEANING: Final = 600.0
#: How long answers under an Idempotency-Key are kept.
_ANSWERS: Final = datetime.timedelta(hours=24)
#: Looks without a beat after which another server takes over, and after which the work counts as stopped; and seconds beside them.
_SILENT: Final = 3
_STOPPED: Final = 6
_SLACK: Final = 10.0
#: Beats after which the holder has looked at the clock once, from one end of the time between two looks to the other.
_LOOKED: Final = 2
#: Seconds that a stop waits for a tick.
_GRACE: Final = 20.0


def tick(engine: sa.Engine, wanted: settings.Settings, now: datetime.datetime) -> None:
    """Does what is due at a time: lets deadlines pass, and tells again what is wanted."""
    reason, message = status.LATE
    failed = ticks.deadlines(engine, now=timestamps.text(now), reason=reason, message=message)
    told = ticks.resyncs(engine, now=timestamps.text(now), following=resyncs.times(now, wanted.resync))
    facts = {"moment": timestamps.text(now), "failed": failed, "resynced": told}
    _LOG.log(logging.INFO if failed or told else logging.DEBUG, "tick", extra={"facts": facts})


def begin(engine: sa.Engine, wanted: settings.Settings, now: datetime.datetime) -> None:
    """Plans what was not planned while there were no resyncs, so that they can be switched on again."""
    following = resyncs.times(now, wanted.resync)
    if following:
        ticks.plan_resyncs(engine, following=following)


def clean(engine: sa.Engine, wanted: settings.Settings, now: datetime.datetime, *, kept: float = 0.0) -> None:
    """Deletes what is no longer kept at a time.

    Args:
        engine: The database.
        wanted: What the operator sets.
        now: The time.
        kept: Seconds that rows are kept longer, as the clock has stepped forward since they were written.
    """
    longer = datetime.timedelta(seconds=kept)
    gone = ticks.clean(
        engine,
        events_before=timestamps.text(now - datetime.timedelta(seconds=wanted.retention) - longer),
        answers_before=timestamps.text(now - _ANSWERS - longer),
    )
    if gone:
        _LOG.info("cleaned", extra={"facts": {"rows": gone}})


class _Look(NamedTuple):
    """The first look at which the work had been done so often.

    Attributes:
        beats: How often.
        now: The database's time.
        at: The seconds then.
    """

    beats: int
    now: datetime.datetime
    at: float


class Keeper:
    """One server's part of the timed work. It knows no thread: :meth:`look` is called again and again."""

    def __init__(
        self,
        engine: sa.Engine,
        wanted: settings.Settings,
        *,
        clock: clocks.Clock | None = None,
        now: Callable[[sa.Connection], datetime.datetime] = leases.now,
        timer: Callable[[], float] = clocks.elapsed,
        done: Callable[[str], None] = lambda _work: None,
    ) -> None:
        """Begins without the lease.

        Args:
            engine: The database.
            wanted: What the operator sets.
            clock: Is set by the database's clock.
            now: Tells the database's time.
            timer: Tells seconds that never go back.
            done: Is told of work that was done, ``tick`` or ``clean``.
        """
        self.name = str(uuid.uuid4())
        self._engine = engine
        self._settings = wanted
        self._clock = clock or clocks.Clock(timer=timer)
        self._now = now
        self._timer = timer
        self._done = done
        self._base: _Look | None = None
        self._cleaned = -math.inf
        self._has_begun = False
        #: Steps of the clock that the database told of last, and the beats at which the clock was first seen to differ.
        self._steps = 0
        self._differs_since: int | None = None
        self._started = self._worked = timer()

    def state(self) -> str:
        """Returns whether timed work is done, by this server or another one: ``healthy``, ``unhealthy`` or ``off``."""
        if not self._settings.tick:
            return "off"
        return "healthy" if self._timer() - self._worked <= _STOPPED * self._settings.tick + _SLACK else "unhealthy"

    def look(self) -> None:
        """Looks at the lease and the clock, and does what is due where the work is this server's."""
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
        """Leaves the work to others, who need not wait then until this server has been silent for long."""
        with self._engine.begin() as connection:
            leases.release(connection, self.name)

    def _follow_clock(self, lease: leases.Lease, now: datetime.datetime, at: float) -> None:
        """Sets the clock of requests where another server does the work: by a step only when what is planned has moved with it."""
        differs = abs(self._clock.difference(now, at)) > clocks.TOLERANCE and lease.steps == self._steps
        if differs and self._differs_since is None:
            self._differs_since = lease.beats
        # Where the holder has looked since then and saw no step, it is this machine that stood still.
        if not differs or (self._differs_since is not None and lease.beats >= self._differs_since + _LOOKED):
            self._set_clock(lease, now, at)

    def _set_clock(self, lease: leases.Lease, now: datetime.datetime, at: float) -> None:
        self._clock.set(now, at)
        self._steps, self._differs_since = lease.steps, None

    def _move(self, lease: leases.Lease, look: _Look, step: float) -> leases.Lease:
        """Moves what is planned by a step of the clock, and returns the lease as it is then."""
        kept = lease.kept_seconds if lease.kept_until > timestamps.text(look.now) else 0.0
        kept = max(0.0, kept + step)
        longest = max(datetime.timedelta(seconds=self._settings.retention), _ANSWERS)
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

    def __init__(self, wanted: settings.Settings, done: Callable[[str], None] = lambda _work: None) -> None:
        """Prepares it.

        Args:
            wanted: What the operator sets.
            done: Is told of work that was done, ``tick`` or ``clean``.
        """
        self.clock = clocks.Clock()
        self._settings = wanted
        self._engine = schema.engine(wanted.database_url)
        self._keeper = Keeper(self._engine, wanted, clock=self.clock, done=done)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="timers", daemon=True)

    def start(self) -> None:
        """Begins; returns at once."""
        if self._settings.tick:
            self._thread.start()

    def state(self) -> str:
        """Returns whether timed work is done: ``healthy``, ``unhealthy`` or ``off``."""
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
        except Exception as error:  # noqa: BLE001 - whatever it is, deadlines must pass later
            _LOG.warning("timed work waits for the database: %s", str(error).partition("\n")[0])
