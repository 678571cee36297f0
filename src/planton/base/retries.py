"""The retry policy of every client: the pauses between attempts, and what a server's ``Retry-After`` changes."""

from __future__ import annotations

import dataclasses
import email.utils
import math
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: The texts in which the plugins report 429 and 5xx.
TROUBLE = r"InternalServerError|: (Error )?(429|5\d\d)\b|HTTP response code (429|5\d\d)\b"
#: The hint for an error that remains after the last attempt.
HINT = "the cloud failed or limits the rate of requests; wait a little, then run the same command again"


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """The pauses of a client.

    Attributes:
        waits: Seconds before each further attempt.
        longest: The maximum number of seconds that a server's ``Retry-After`` can ask for.
        is_cut: Whether a longer ``Retry-After`` is cut to ``longest``; otherwise it ends the attempts.
    """

    waits: tuple[float, ...]
    longest: float
    is_cut: bool

    def attempts(self) -> Iterator[float | None]:
        """Yields the pause after each attempt; None after the last one."""
        yield from self.waits
        yield None

    def pause(self, usual: float, retry_after: str, *, clock: Callable[[], float] = time.time) -> float | None:
        """Returns the pause before the next attempt, at least the first one of the policy; None if the server demands a longer pause than the policy allows.

        Args:
            usual: The pause without a usable ``Retry-After``.
            retry_after: The header's value: seconds, or a date; empty without one.
            clock: Returns the time in seconds since the epoch.
        """
        asked = after(retry_after, clock=clock)
        seconds = usual if asked is None else max(asked, self.waits[0])
        if seconds > self.longest:
            return self.longest if self.is_cut else None
        return seconds


def after(retry_after: str, *, clock: Callable[[], float] = time.time) -> float | None:
    """Returns the seconds that a ``Retry-After`` asks for; None if it is unusable, or a time that has passed.

    Args:
        retry_after: The header's value: seconds, or a date; empty without one.
        clock: Returns the time in seconds since the epoch.
    """
    text = retry_after.strip()
    try:
        if text.isdecimal():
            return float(text)
        seconds = email.utils.parsedate_to_datetime(text).timestamp() - clock()
    except (ValueError, TypeError, OverflowError):
        return None
    return seconds if seconds > 0 else None


def metadata(retry_after: str) -> dict[str, str]:
    """Returns the metadata of an error with which a server demands a pause; empty if it demands none."""
    seconds = after(retry_after)
    return {"retry_after": str(math.ceil(seconds))} if seconds else {}


#: For the APIs of clouds: never sooner than after a second. A command must not wait for minutes without a message.
CLOUD: Final = Policy((1.0, 2.0), longest=10.0, is_cut=False)
#: For the NodePool API, whose rate limit requires pauses of seconds.
API: Final = Policy((0.2, 0.6, 1.8), longest=30.0, is_cut=True)
