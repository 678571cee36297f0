"""The retry policy: its pauses, and the effect of ``Retry-After``."""

from __future__ import annotations

import pytest

from planton.base import retries

POLICY = retries.Policy((0.5, 1.5), longest=10.0, is_cut=False)


def test_there_is_one_attempt_more_than_pauses() -> None:
    """No pause follows the last attempt."""
    assert list(POLICY.attempts()) == [0.5, 1.5, None]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 0.5),
        ("7", 7.0),
        ("0", 0.5),
        ("10", 10.0),
        ("11", None),
        ("Thu, 01 Jan 1970 00:00:08 GMT", 8.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.5),
        ("soon", 0.5),
        ("-1", 0.5),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: float | None) -> None:
    """A longer pause than the policy allows ends the attempts. An unreadable value has no effect."""
    assert POLICY.pause(0.5, header, clock=lambda: 0.0) == seconds


def test_a_long_retry_after_can_be_shortened() -> None:
    """The NodePool API is retried after the longest pause of the policy."""
    assert retries.API.pause(0.2, "86400") == retries.API.longest
