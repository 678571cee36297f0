"""The product with the official plugin: one environment that comes up, changes in every way, and goes.

The tests follow one another, for the plugin waits up to ten seconds in each operation; each starts from what the one
before wanted.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest

from support import official
from support import planton as manifests

pytestmark = pytest.mark.official

EXTRA = {"name": "extra-pool", "size": "g4s.kube.small", "nodeCount": 1}
OTHER = {"name": "other-pool", "size": "g4s.kube.small", "nodeCount": 1, "labels": {"pool": "other"}}


@dataclasses.dataclass
class Environment:
    """A network, a cluster with its firewall, and a pool, as they are wanted at the moment."""

    user: official.User
    cluster: dict[str, Any] = dataclasses.field(default_factory=lambda: {"additionalNodePools": [EXTRA]})
    pool: dict[str, Any] = dataclasses.field(default_factory=lambda: {"labels": {"tier": "web"}})

    def wanted(self, cluster: dict[str, Any] | None = None, pool: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Return the manifests with further changes, which are not remembered."""
        return [
            manifests.network(), manifests.cluster(**(self.cluster | (cluster or {}))), manifests.pool(**(self.pool | (pool or {})))
        ]

    def apply(self, *, cluster: dict[str, Any] | None = None, pool: dict[str, Any] | None = None) -> dict[str, str]:
        """Remember changes, apply everything, and return what was done."""
        self.cluster |= cluster or {}
        self.pool |= pool or {}
        return self.user.apply(*self.wanted())

    def plan(self, *, cluster: dict[str, Any] | None = None, pool: dict[str, Any] | None = None) -> dict[str, str]:
        """Return what an apply with further changes would do."""
        return self.user.plan(*self.wanted(cluster, pool))


@pytest.fixture(scope="module")
def environment(plugin: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """An environment that is up."""
    with official.using(tmp_path_factory.mktemp("official") / "user", plugin) as user:
        made = Environment(user)
        done = made.apply()
        assert set(done.values()) == {"create"}, done
        yield made


def test_the_official_plugin_made_it(environment: Environment) -> None:
    """Network, firewall, cluster and pools are there, by requests of the plugin and of no stand-in."""
    there = environment.user.sandbox.control.resources()
    assert [network["label"] for network in there["networks"]] == ["default", "net"]
    assert [cluster["status"] for cluster in there["clusters"]] == ["ACTIVE"]
    assert set(environment.user.pools()) >= {"extra-pool", "workers"}
    log = environment.user.sandbox.home / "no stand-in was asked"
    assert not log.exists()


def test_nothing_is_to_be_done_after_it(environment: Environment) -> None:
    """A second plan is empty, also after a refresh, and also with the additional pools in another order."""
    assert environment.plan() == {}
    environment.user.run("refresh", "-f", "wanted.yaml")
    assert environment.plan() == {}
