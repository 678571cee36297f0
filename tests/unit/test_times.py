"""Times as commands show them: always with their zone."""

from __future__ import annotations

import pytest

from planton.cli import times


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-11-29T16:30:00.123456789+01:00", "2026-11-29T15:30:00Z"),
        ("2026-11-29T15:30:00Z", "2026-11-29T15:30:00Z"),
        ("2026-11-29T15:30:00-05:30", "2026-11-29T21:00:00Z"),
        ("", "-"),
        ("soon", "soon"),
        ("2026-11-29T15:30:00", "2026-11-29T15:30:00"),
    ],
)
def test_a_time_is_in_utc_and_says_so(text: str, shown: str) -> None:
    """The engine writes the time of its machine's zone; what is no time, or says no zone, is shown as it is."""
    assert times.utc(text) == shown
