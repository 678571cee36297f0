"""Each fault of a cloud is in the status of the resource: its class, the cloud's words, who has to act, and the next attempt."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support import controllers

#: Each test takes minutes: `make matrix` runs them.
pytestmark = pytest.mark.matrix

#: The path of requests that create node pools, and what limits the number of nodes of an account.
POOLS = {"civo": "/pools$", "digitalocean": "/node_pools$"}
QUOTAS = {"civo": "instance_count", "digitalocean": "droplet_limit"}


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """A fault.

    Attributes:
        code: The class that the status must have.
        actor: Who has to act.
        inject: Puts it into the sandbox; the block of the context manager is the fault.
        spec: The fields of the node pool that differ.
    """

    code: str
    actor: str
    inject: Callable[[controllers.World], contextlib.AbstractContextManager[None]]
    spec: dict[str, Any] = dataclasses.field(default_factory=dict)


def answered(**rule: Any) -> Callable[[controllers.World], contextlib.AbstractContextManager[None]]:
    """Returns a fault of each request that creates a node pool."""

    @contextlib.contextmanager
    def inject(world: controllers.World) -> Iterator[None]:
        world.control.fault(cloud=world.cloud, method="POST", path=POOLS[world.cloud], times=0, **rule)
        yield
        world.control.clear_faults()

    return inject


@contextlib.contextmanager
def used_up(world: controllers.World) -> Iterator[None]:
    """The quota allows no more nodes."""
    world.control.outside("quota", cloud=world.cloud, **{QUOTAS[world.cloud]: 1})
    yield
    world.control.outside("quota", cloud=world.cloud, **{QUOTAS[world.cloud]: 100})


@contextlib.contextmanager
def nothing(_world: controllers.World) -> Iterator[None]:
    """The fault is in the spec."""
    yield


#: A refusal in the formats of both clouds.
_SOLD_OUT = {
    "code": "database_kubernetes_pool_create",
    "id": "unprocessable_entity",
    "reason": "the region is out of capacity for this size",
    "message": "the region is out of capacity for this size",
}
FAULTS = {
    "quota": Fault("QUOTA_EXCEEDED", "user", used_up),
    "authentication": Fault("AUTHENTICATION_FAILED", "operator", answered(action="status", status=401)),
    "permission": Fault("PERMISSION_DENIED", "operator", answered(action="status", status=403)),
    "network": Fault("NETWORK_FAILED", "nobody", answered(action="drop")),
    "capacity": Fault("CAPACITY_EXHAUSTED", "nobody", answered(action="status", status=422, body=_SOLD_OUT)),
    "timeout": Fault("TIMEOUT", "nobody", answered(action="status", status=504)),
    "rate limit": Fault("RATE_LIMITED", "nobody", answered(action="status", status=429)),
    "cloud": Fault("CLOUD_FAILED", "nobody", answered(action="status", status=500)),
    "invalid": Fault("INVALID_SPEC", "user", nothing, {"size": "no-such-size"}),
}


@pytest.mark.parametrize("cloud", controllers.SIZES)
def test_each_fault_is_in_the_status_and_ends_with_its_cause(tmp_path: pathlib.Path, cloud: str) -> None:
    """Without a restart. An invalid spec ends with another one."""
    seen: dict[str, tuple[str, str]] = {}
    with controllers.world(tmp_path, cloud) as world, controllers.controller(world, "one"):
        cluster = world.create_cluster()
        world.until_ready(f"/clusters/{cluster}")
        for number, (name, fault) in enumerate(FAULTS.items()):
            with fault.inject(world):
                pool = world.create_pool(cluster, f"p{number}", nodeCount=1, **fault.spec)
                path = f"/nodepools/{pool}"
                world.until(path, lambda _, at=path: "last_error" in world.report(at), f"the fault {name}")
                error = world.report(path)["last_error"]
            seen[name] = (error["error_code"], error["details"]["action"])
            assert error["message"]
            assert "next_try" in error["details"] or fault.actor == "user", error
            world.server.call("DELETE", path)
            world.until_gone(path)
    assert seen == {name: (fault.code, fault.actor) for name, fault in FAULTS.items()}


def test_the_page_names_who_acts_for_each_fault() -> None:
    """docs/operate/controllers.md has each class in the row of its actor."""
    page = pathlib.Path(__file__).resolve().parents[2] / "docs" / "operate" / "controllers.md"
    rows = [
        line.split("|")[1:3] for line in page.read_text("utf-8").splitlines() if line.startswith("| `") and line.count("|") == 3
    ]
    for name, fault in FAULTS.items():
        [actor] = [who for codes, who in rows if f"`{fault.code}`" in codes]
        assert fault.actor in actor, name
