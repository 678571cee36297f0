"""Fixtures of the tests of modules."""

from __future__ import annotations

import pytest

from planton.base import retries


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No look-up is tried again, which takes its time."""
    monkeypatch.setattr(retries, "WAITS", ())
