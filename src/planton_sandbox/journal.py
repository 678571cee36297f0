"""The log of requests, for tests that check what clients sent to a cloud.

It is kept in memory, keeps the newest entries only, and holds no secrets.
"""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Mapping
from typing import Any

CAPACITY = 20_000
REDACTED = "[redacted]"
MAXIMUM_DEPTH = 100
SECRETS = ("token", "password", "secret", "kubeconfig", "private_key", "assertion")


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A request and the status of its answer; the status is 0 if no answer was sent.

    Attributes:
        seq: Its number, from 1.
        time: The simulated time in seconds since the epoch.
        cloud: The cloud's name, or ``kubernetes``.
        cluster: For ``kubernetes``, the cluster's id.
        account: The id of the account, not its token.
        traceparent: The header of this name, by which the request belongs to a trace; empty without one.
        fault: The number of the fault rule that struck it, or 0.
    """

    seq: int
    time: float
    cloud: str
    cluster: str
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    status: int
    account: str
    agent: str
    traceparent: str
    fault: int


class Journal:
    """The newest requests."""

    def __init__(self) -> None:
        """Creates an empty log."""
        self._entries: collections.deque[Entry] = collections.deque(maxlen=CAPACITY)
        self._last = 0

    def add(self, **facts: Any) -> None:
        """Adds a request; ``facts`` are the fields of `Entry` except ``seq``."""
        self._last += 1
        facts["body"] = redact(facts["body"])
        facts["query"] = redact(dict(facts["query"]))
        self._entries.append(Entry(seq=self._last, **facts))

    def since(self, seq: int = 0, *, cloud: str = "") -> list[Entry]:
        """Returns the entries after ``seq``, of one cloud or of all."""
        return [entry for entry in self._entries if entry.seq > seq and cloud in ("", entry.cloud)]

    @property
    def last(self) -> int:
        """The number of the newest entry; 0 before the first."""
        return self._last

    def clear(self) -> None:
        """Removes the entries; numbers continue."""
        self._entries.clear()


def redact(value: Any, *, depth: int = MAXIMUM_DEPTH) -> Any:
    """Returns JSON with the values of keys that name secrets replaced, and those below ``depth`` levels, too."""
    if depth <= 0 and isinstance(value, dict | list):
        return REDACTED
    if isinstance(value, dict):
        return {
            key: REDACTED if item and any(word in str(key).lower() for word in SECRETS) else redact(item, depth=depth - 1)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [redact(item, depth=depth - 1) for item in value]
    return value
