"""What grows with the world is done after each change of a small one, and takes at most a tenth of the time of a large one."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from planton_sandbox import sparing


@dataclasses.dataclass
class Clock:
    """A clock that work moves."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    def work(self, seconds: float) -> None:
        self.now += seconds


def counted(seconds: float, *, changes: int, apart: float, large: bool = True) -> tuple[int, sparing.Spared, Clock]:
    """Returns how often work that takes some seconds is done for changes that come some seconds apart."""
    clock, done = Clock(), []
    spared = sparing.Spared(lambda: large, clock)

    def work() -> None:
        done.append(clock.now)
        clock.work(seconds)

    for _ in range(changes):
        spared.do(work)
        clock.work(apart)
    return len(done), spared, clock


@pytest.mark.parametrize("seconds", [0.0, 0.5])
def test_work_of_a_small_world_is_done_after_each_change(seconds: float) -> None:
    """However slow the machine is: nothing is lost when the sandbox is killed, and a new cluster can be reached at once."""
    number, spared, _ = counted(seconds, changes=100, apart=0.001, large=False)
    assert (number, spared.is_late) == (100, False)


@pytest.mark.parametrize("seconds", [0.05, 0.5, 2.0])
def test_work_of_a_large_world_takes_a_tenth_of_the_time_and_is_made_up_for(seconds: float) -> None:
    """Whoever looks later does what is late."""
    number, spared, clock = counted(seconds, changes=10_000, apart=0.01)
    assert 0.05 <= number * seconds / clock.now <= 0.12
    assert spared.is_late
    clock.work(20 * seconds)
    done: list[bool] = []
    spared.do(lambda: done.append(True))
    assert (done, spared.is_late) == ([True], False)


def test_the_last_work_is_done_in_any_case() -> None:
    """When the sandbox stops."""
    _, spared, _ = counted(1.0, changes=2, apart=0.01)
    done: list[bool] = []
    spared.do(lambda: done.append(True), always=True)
    assert (done, spared.is_late) == ([True], False)


def test_asynchronous_work_is_spared_too() -> None:
    """The first time it is done, the second time it is late."""
    clock, done = Clock(), []
    spared = sparing.Spared(lambda: True, clock)

    async def work() -> None:
        done.append(clock.now)
        clock.work(1.0)

    async def change_twice() -> None:
        await spared.do_async(work)
        await spared.do_async(work)

    asyncio.run(change_twice())
    assert (done, spared.is_late) == ([0.0], True)
