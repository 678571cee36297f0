"""Times in the output of commands: always with their time zone."""

from __future__ import annotations

import pytest

from planton.cli import times


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-29T16:30:00.123456789+01:00", "2026-11-29T15:30:00Z"),
        ("2026-11-29T15:30:00Z", "2026-11-29T15:30:00Z"),
        ("2026-11-29T15:30:00-05:30", "2026-11-29T21:00:00Z"),
        ("", "-"),
        ("soon", "soon"),
        ("2026-11-29T15:30:00", "2026-11-29T15:30:00"),
    ],
)
def test_times_are_shown_in_utc(text: str, expected: str) -> None:
    """The engine writes local times with an offset. Other text is shown unchanged."""
    assert times.utc(text) == expected
