"""How many examples Hypothesis tries: all of them in `make test-all`, three in ten in `make check` and `make test`."""

from __future__ import annotations

import hypothesis

#: The profiles, and the percentage of the examples that each tries.
PROFILES = {"planton": 30, "thorough": 100, "random": 100}


def of(number: int) -> int:
    """Returns the number of examples that the current profile tries of this number."""
    return max(1, number * hypothesis.settings().max_examples // 100)
