"""Waiting at the plugins' pace, in time that a caller may shorten: timeouts count the time of the plugins' pauses."""

from __future__ import annotations

import dataclasses
import typing

from planton_sandbox.providers import sessions

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 10.0
_HOUR = 3600
_UNEXPECTED = "unexpected state '{state}', wanted target '{target}'. last error: %!s(<nil>)"
_TIMED_OUT = "timeout while waiting for state to become '{target}' (last state: '{state}', timeout: {limit})"


class WaitError(sessions.Fault):
    """The target state was not reached."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Timing:
    """How a plugin process waits.

    Attributes:
        wait: waits for seconds, or only pretends to.
        gate: raises ``Crash`` once the process has crashed.
    """

    wait: typing.Callable[[float], None]
    gate: typing.Callable[[], None]

    def pause(self, seconds: float) -> None:
        """Waits, unless the process crashes meanwhile."""
        self.gate()
        if seconds:
            self.wait(seconds)
        self.gate()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Target:
    """What a plugin polls for.

    Attributes:
        state: the state to wait for.
        pending: the states that do not end the wait.
        delay: seconds before the first poll.
        shortest: the shortest pause between polls, in seconds; pauses double up to ten seconds.
        timeout: seconds after which to give up.
    """

    state: str
    pending: tuple[str, ...]
    delay: float
    shortest: float
    timeout: float = _HOUR


def await_state(timing: Timing, poll: typing.Callable[[], str], target: Target) -> None:
    """Polls until a state is reached, at the official plugins' pace.

    Args:
        timing: how to wait.
        poll: returns the current state; an exception ends the wait.
        target: what to wait for.

    Raises:
        WaitError: Another state was reached, or the time is up.
    """
    timing.pause(target.delay)
    pause, spent = _FIRST_PAUSE, target.delay
    while True:
        state = poll()
        if state == target.state:
            return
        if state not in target.pending:
            raise WaitError(_UNEXPECTED.format(target=target.state, state=state))
        pause = min(max(pause, target.shortest), _LONGEST_PAUSE)
        spent += pause
        if spent > target.timeout:
            raise WaitError(_TIMED_OUT.format(target=target.state, state=state, limit=_duration(target.timeout)))
        timing.pause(pause)
        pause *= 2


def tick(timing: Timing, done: typing.Callable[[], bool], *, every: float, limit: float) -> bool:
    """Polls at an interval, first after one interval, and returns whether ``done`` became true before the limit.

    The plugins' counters allow one poll beyond the limit, and so does this function.
    """
    for _ in range(int(limit / every) + 2):
        timing.pause(every)
        if done():
            return True
    return False


def _duration(seconds: float) -> str:
    return f"{int(seconds // _HOUR)}h0m0s" if seconds >= _HOUR else f"{int(seconds // 60)}m0s"
