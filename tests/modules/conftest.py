"""Fixtures for the tests of modules."""

from __future__ import annotations

import dataclasses

import pytest

from planton.base import retries


@pytest.fixture
def without_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disables retries of look-ups, so that the test does not wait."""
    monkeypatch.setattr(retries, "CLOUD", dataclasses.replace(retries.CLOUD, waits=()))
