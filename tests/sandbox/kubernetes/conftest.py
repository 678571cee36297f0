"""Clusters in one sandbox with a stopped clock. Each test has its own cluster."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from support import kubernetes
from support import sandbox as support
from support.kubernetes import Kube
from support.sandbox import Sandbox

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox whose clock only tests advance."""
    with support.running(tmp_path_factory.mktemp("kubernetes") / "home", source=lambda: kubernetes.START) as running:
        yield running


@pytest.fixture
def kube(still: Sandbox) -> Iterator[Kube]:
    """A cluster with two nodes and instant latency."""
    opened = Kube(still, f"c{next(_NUMBERS)}", nodes=2)
    yield opened
    opened.close()


@pytest.fixture
def slow(kube: Kube) -> Iterator[Kube]:
    """A cluster with two nodes, where pods and volumes have realistic latency."""
    kube.sandbox.control.latency("realistic")
    yield kube
    kube.sandbox.control.latency("instant")
