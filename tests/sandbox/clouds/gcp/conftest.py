"""A client of the simulated Google Cloud for each test."""

from __future__ import annotations

import pytest

from support.gcp import Gke
from support.sandbox import Sandbox


@pytest.fixture
def gke(sandbox: Sandbox) -> Gke:
    """A client of GKE."""
    return Gke(sandbox)
