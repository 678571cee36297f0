"""Clusters in one sandbox whose time stands still; each test has its own cluster."""

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
    """A sandbox at a time that only tests move."""
    with support.running(tmp_path_factory.mktemp("kubernetes") / "home", source=lambda: kubernetes.START) as served:
        yield served


@pytest.fixture
def kube(still: Sandbox) -> Iterator[Kube]:
    """A cluster with two nodes, in which everything happens at once."""
    opened = Kube(still, f"c{next(_NUMBERS)}", nodes=2)
    yield opened
    opened.close()


@pytest.fixture
def slow(kube: Kube) -> Iterator[Kube]:
    """A cluster with two nodes, in which pods and volumes take their time."""
    kube.sandbox.control.latency("realistic")
    yield kube
    kube.sandbox.control.latency("instant")
