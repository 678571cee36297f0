"""Clocks that are put forward or back: deadlines pass after as many seconds as they should, and no server stops or runs wild."""

from __future__ import annotations

import datetime
import random

import pytest
import sqlalchemy as sa

from planton_server import settings
from planton_server.service import clocks, timers, timestamps
from planton_server.store import engines, leases, tables
from support import rows

START = datetime.datetime.fromisoformat(rows.THEN)
TICK = 10
HOUR, DAY = 3600.0, 86_400.0


class World:
    """A database with a clock, and the seconds that pass.

    Attributes:
        engine: The database.
        now: Its time.
        seconds: How many have passed.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self.now = START
        self.seconds = 1000.0
        self.cluster = rows.cluster(engine)

    def keeper(self, lost: list[float] | None = None, **options: object) -> tuple[timers.Keeper, clocks.Clock, list[str]]:
        """Return a server's part of the timed work, its clock, and what it did.

        Args:
            lost: The seconds for which its machine stood still.
            options: Settings.
        """
        done: list[str] = []

        def timer() -> float:
            return self.seconds - sum(lost or ())

        # This machine's own clock is a year off, which must not matter.
        clock = clocks.Clock(lambda: START + datetime.timedelta(days=365), timer)
        keeper = timers.Keeper(
            self.engine,
            settings.Settings("", tick=TICK, **options),
            clock=clock,
            now=lambda _connection: self.now,
            timer=timer,
            done=done.append,
        )
        return keeper, clock, done

    def passes(self, seconds: float, *keepers: timers.Keeper) -> None:
        """Let seconds pass, in which servers look as often as they do."""
        end = self.seconds + seconds
        while self.seconds < end:
            step = min(TICK, end - self.seconds)
            self.seconds += step
            self.now += datetime.timedelta(seconds=step)
            for keeper in keepers:
                keeper.look()

    def steps(self, seconds: float) -> None:
        """Put the database's clock forward or back."""
        self.now += datetime.timedelta(seconds=seconds)

    def pool(self, clock: clocks.Clock, deadline: float) -> str:
        """Write a node pool as a request does that comes now; return its id."""
        now = timestamps.text(clock())
        late = timestamps.text(clock() + datetime.timedelta(seconds=deadline))
        return rows.node_pool(self.engine, self.cluster, deadline=late, updated_at=now, created_at=now)

    def has_failed(self, pool: str) -> bool:
        return rows.read(self.engine, tables.NODE_POOLS, pool)["phase"] == "Failed"


@pytest.fixture
def world(new_url, engine: str):
    opened = engines.blocking(new_url(engine))
    yield World(opened)
    opened.dispose()


@pytest.mark.parametrize("step", [DAY, HOUR, 60.0, -200.0, -HOUR, -DAY])
def test_a_deadline_passes_after_its_seconds_although_the_clock_steps(world: World, step: float) -> None:
    """Neither at once nor a step later, for what was written before the step, between two looks, and after it."""
    keeper, clock, done = world.keeper()
    world.passes(30, keeper)
    before = world.pool(clock, 45)
    world.passes(15, keeper)
    world.steps(step)
    between = world.pool(clock, 45)
    world.passes(10, keeper)
    after = world.pool(clock, 45)
    world.passes(10, keeper)
    assert [world.has_failed(pool) for pool in (before, between, after)] == [False, False, False]
    world.passes(20, keeper)
    assert [world.has_failed(pool) for pool in (before, between, after)] == [True, False, False]
    world.passes(30, keeper)
    assert [world.has_failed(pool) for pool in (before, between, after)] == [True, True, True]
    # As many ticks as there were looks: nothing is made up for.
    assert done.count("tick") == 12
    assert keeper.state() == "healthy"


def test_the_clock_of_this_machine_does_not_matter(world: World) -> None:
    """Requests have the database's time from the first look on, and one that never stands still."""
    keeper, clock, _ = world.keeper()
    assert clock() == START + datetime.timedelta(days=365)
    keeper.look()
    first, second = clock(), clock()
    assert (second - first).total_seconds() > 0
    assert abs((first - world.now).total_seconds()) < 1
    world.steps(-0.2)
    keeper.look()
    assert clock() > second
    world.passes(300, keeper)
    assert abs((clock() - world.now).total_seconds()) < 1


def test_resyncs_move_with_the_clock(world: World) -> None:
    """A day ahead, not all that is wanted is told again at once; an hour back, it is not told an hour later."""
    keeper, _, _ = world.keeper(resync=600.0)
    pool = rows.node_pool(world.engine, world.cluster, resync_at=timestamps.text(world.now + datetime.timedelta(seconds=100)))
    keeper.look()
    for step in (DAY, -HOUR):
        world.steps(step)
        world.passes(40, keeper)
        assert rows.events(world.engine) == []
    world.passes(40, keeper)
    assert [event["resource_id"] for event in rows.events(world.engine)] == [pool]


def test_what_is_kept_is_kept_as_long_as_it_should_be(world: World) -> None:
    """A clock that jumps ahead by a month ages no event, and one that is put right again none either."""
    keeper, _, _ = world.keeper(retention=7 * DAY, resync=0.0)
    keeper.look()
    event = rows.event(world.engine, time=timestamps.text(world.now))
    world.steps(30 * DAY)
    world.passes(700, keeper)
    assert [one["id"] for one in rows.events(world.engine)] == [event]
    world.seconds += 7 * DAY
    world.steps(7 * DAY)
    keeper.look()
    world.passes(700, keeper)
    assert rows.events(world.engine) == []


def test_one_of_many_servers_works_and_moves_what_is_planned_once(world: World) -> None:
    """Although each of them sees the step."""
    (first, clock, one), (second, other, two) = world.keeper(), world.keeper()
    world.passes(30, first, second)
    pools = [world.pool(clock, 60), world.pool(other, 60)]
    world.steps(DAY)
    # The second one looks first, and does not take the new time over before what is planned has moved.
    second.look()
    pools.append(world.pool(other, 60))
    world.passes(20, first, second)
    pools += [world.pool(clock, 60), world.pool(other, 60)]
    world.passes(20, first, second)
    assert [world.has_failed(pool) for pool in pools] == [False] * 5
    world.passes(30, first, second)
    assert [world.has_failed(pool) for pool in pools] == [True, True, True, False, False]
    world.passes(30, first, second)
    assert [world.has_failed(pool) for pool in pools] == [True] * 5
    assert (one.count("tick"), two) == (13, [])
    assert leases.read(world.engine).steps == 1


def test_another_server_goes_on_when_the_one_that_works_is_silent(world: World) -> None:
    """After three looks without a beat, wherever the clock is put meanwhile; the first one does not go on beside it."""
    (first, clock, one), (second, _, two) = world.keeper(), world.keeper()
    world.passes(30, first, second)
    pool = world.pool(clock, 60)
    world.steps(-HOUR)
    world.passes(20, second)
    assert two == []
    world.passes(20, second)
    assert two.count("tick") == 2
    world.passes(30, first, second)
    assert world.has_failed(pool)
    assert one.count("tick") == 3
    assert (first.state(), second.state()) == ("healthy", "healthy")


def test_a_server_that_stops_leaves_the_work_at_once(world: World) -> None:
    """Nobody waits until it has been silent."""
    (first, _, _), (second, _, two) = world.keeper(), world.keeper()
    world.passes(10, first, second)
    first.release()
    world.passes(10, second)
    assert two.count("tick") == 1


def test_work_that_stops_is_unhealthy(world: World) -> None:
    """Where no server does it, or each of its looks fails; and healthy again afterwards."""
    (keeper, _, _), (off, _, _) = world.keeper(), world.keeper()
    keeper.look()
    assert keeper.state() == "healthy"
    world.seconds += 7 * TICK + 1
    assert keeper.state() == "unhealthy"
    world.now += datetime.timedelta(seconds=7 * TICK + 1)
    keeper.look()
    assert keeper.state() == "healthy"
    assert timers.Keeper(world.engine, settings.Settings("", tick=0), timer=lambda: world.seconds).state() == "off"
    assert off.state() == "unhealthy"


def test_a_machine_that_stands_still_takes_the_time_over_again(world: World) -> None:
    """Its seconds did not go on; the database's clock has not stepped, and nothing that is planned moves."""
    lost: list[float] = []
    (first, _, _), (second, clock, _) = world.keeper(), world.keeper(lost)
    world.passes(30, first, second)
    world.passes(600, first)
    lost.append(600)
    world.passes(40, first, second)
    assert abs((clock() - world.now).total_seconds()) < 1
    assert leases.read(world.engine).steps == 0


@pytest.mark.parametrize("seed", range(5))
def test_steps_by_chance(world: World, seed: int) -> None:
    """Whatever the clock does, a deadline passes between its seconds and two looks later."""
    chance = random.Random(seed)
    keeper, clock, _ = world.keeper(resync=0.0)
    world.passes(20, keeper)
    pools: dict[str, tuple[float, float]] = {}
    for _ in range(40):
        if chance.random() < 0.3:
            world.steps(chance.choice([DAY, HOUR, 100.0, -100.0, -HOUR, -DAY, 3.0, -3.0]))
        if chance.random() < 0.5:
            deadline = chance.uniform(20, 120)
            pools[world.pool(clock, deadline)] = (world.seconds + deadline, deadline)
        world.passes(10, keeper)
        for pool, (due, _) in pools.items():
            # What corrects a clock without being a step can sum up to some seconds.
            if world.seconds < due - 4 * clocks.TOLERANCE:
                assert not world.has_failed(pool)
            if world.seconds > due + 2 * TICK + 4 * clocks.TOLERANCE:
                assert world.has_failed(pool)
