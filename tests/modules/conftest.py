"""Fixtures of the tests of modules."""

from __future__ import annotations

import pytest

from planton.modules import lookups


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No look-up is tried again, which takes its time."""
    monkeypatch.setattr(lookups, "WAITS", ())
