"""Fixtures of the tests of modules."""

from __future__ import annotations

import dataclasses

import pytest

from planton.base import retries


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look-ups are not retried, so that the test does not wait."""
    monkeypatch.setattr(retries, "CLOUD", dataclasses.replace(retries.CLOUD, waits=()))
