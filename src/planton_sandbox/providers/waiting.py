"""Waiting as the plugins wait, in time that a caller may shorten: what counts is the time that would have passed."""

from __future__ import annotations

import dataclasses
import typing

from planton_sandbox.providers import sessions

_FIRST_WAIT, _LONGEST_WAIT = 0.1, 10.0
_HOUR = 3600
_UNEXPECTED = "unexpected state '{state}', wanted target '{target}'. last error: %!s(<nil>)"
_TIMED_OUT = "timeout while waiting for state to become '{target}' (last state: '{state}', timeout: {limit})"


class WaitError(sessions.Fault):
    """What was waited for did not come."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Patience:
    """A plugin process's way to wait.

    Attributes:
        wait: waits for seconds, or only pretends to.
        gate: raises ``Crash`` once the process has died.
    """

    wait: typing.Callable[[float], None]
    gate: typing.Callable[[], None]

    def pause(self, seconds: float) -> None:
        """Waits, unless the plugin dies meanwhile."""
        self.gate()
        if seconds:
            self.wait(seconds)
        self.gate()


def await_state(  # the knobs of the plugins' own poller
    patience: Patience,
    poll: typing.Callable[[], str],
    *,
    target: str,
    pending: tuple[str, ...],
    delay: float,
    least: float,
    timeout: float = _HOUR,
) -> None:
    """Polls until a state is reached, at the official plugins' pace.

    Args:
        patience: how to wait.
        poll: looks; what it raises ends the waiting.
        target: the state to wait for.
        pending: the states to bear with.
        delay: seconds before the first look.
        least: the shortest time between looks.
        timeout: seconds after which to give up.

    Raises:
        WaitError: Another state, or none in time.
    """
    patience.pause(delay)
    pause, spent = _FIRST_WAIT, delay
    while True:
        state = poll()
        if state == target:
            return
        if state not in pending:
            raise WaitError(_UNEXPECTED.format(target=target, state=state))
        pause = min(max(pause, least), _LONGEST_WAIT)
        spent += pause
        if spent > timeout:
            limit = f"{int(timeout // _HOUR)}h0m0s" if timeout >= _HOUR else f"{int(timeout // 60)}m0s"
            raise WaitError(_TIMED_OUT.format(target=target, state=state, limit=limit))
        patience.pause(pause)
        pause *= 2


def tick(patience: Patience, done: typing.Callable[[], bool], *, every: float, limit: float) -> bool:
    """Looks again and again, first after one interval, and returns whether it came true before the limit.

    A look that the plugins' counters grant beyond the limit is granted here too.
    """
    for _ in range(int(limit / every) + 2):
        patience.pause(every)
        if done():
            return True
    return False
