"""The existing name that is close to a misspelt one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def nearest(word: str, names: Sequence[str]) -> str:
    """Returns the name that is closest to a word, ignoring case; empty if none is close."""
    import difflib  # noqa: PLC0415  # cold start of `validate`: 1 ms, and only errors need it

    by_lower = {name.lower(): name for name in names}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else ""


def suggest(word: str, names: Sequence[str]) -> str:
    """Returns ``did you mean 'X'?`` for the name that is closest to a word; empty if none is close."""
    name = nearest(word, names)
    return f"did you mean {name!r}?" if name else ""
