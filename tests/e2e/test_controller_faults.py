"""Each fault of a cloud is in the status of the resource: its class, the cloud's words, who has to act, and the next attempt.

`make matrix` plays them and writes docs/reference/controller-faults.md. Review the difference before you commit it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from planton.controllers import failures
from support import controllers

#: Each test takes minutes: `make matrix` runs them.
pytestmark = pytest.mark.matrix

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "reference" / "controller-faults.md"
HEAD = """# Faults of controllers

Look up what the status of a node pool reports if a fault strikes while a controller creates it. `make matrix` plays each fault at Civo and DigitalOcean
against the sandbox with real Pulumi, and writes this page. The status has the cloud's own text too. Once its cause has ended,
the controller continues without a restart.

| fault | what happens | `Degraded` | code | who acts | next try, at most |
|---|---|---|---|---|---|
"""
#: The path of requests that create node pools, and what limits the number of nodes of an account.
POOLS = {"civo": "/pools$", "digitalocean": "/node_pools$"}
QUOTAS = {"civo": "instance_count", "digitalocean": "droplet_limit"}


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """A fault.

    Attributes:
        name: Its name in the page.
        code: The class that the status must have.
        actor: Who has to act.
        what: What happens.
        inject: Puts it into the sandbox; the block of the context manager is the fault.
        spec: The fields of the node pool that differ.
    """

    name: str
    code: str
    actor: str
    what: str
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
def lost(world: controllers.World) -> Iterator[None]:
    """Somebody deleted the cluster in the cloud, where it comes last: nothing brings it back."""
    world.control.outside("delete-cluster", cloud=world.cloud, cluster="production")
    yield


@contextlib.contextmanager
def nothing(_world: controllers.World) -> Iterator[None]:
    """The fault is in the spec."""
    yield


#: Refusals in the formats of both clouds.
_EXISTS = {
    "code": "database_kubernetes_pool_duplicate",
    "id": "conflict",
    "reason": "a pool with this name already exists",
    "message": "a pool with this name already exists",
}
_SOLD_OUT = {
    "code": "database_kubernetes_pool_create",
    "id": "unprocessable_entity",
    "reason": "the region is out of capacity for this size",
    "message": "the region is out of capacity for this size",
}
_FAULTS = (
    Fault("quota", "QUOTA_EXCEEDED", "user", "the quota allows no more nodes", used_up),
    Fault("authentication", "AUTHENTICATION_FAILED", "operator", "401", answered(action="status", status=401)),
    Fault("permission", "PERMISSION_DENIED", "operator", "403", answered(action="status", status=403)),
    Fault("network", "NETWORK_FAILED", "nobody", "disconnected before the cloud acts", answered(action="drop")),
    Fault(
        "capacity", "CAPACITY_EXHAUSTED", "nobody", "422: out of capacity", answered(action="status", status=422, body=_SOLD_OUT)
    ),
    Fault("timeout", "TIMEOUT", "nobody", "504", answered(action="status", status=504)),
    Fault("rate limit", "RATE_LIMITED", "nobody", "429", answered(action="status", status=429)),
    Fault("cloud", "CLOUD_FAILED", "nobody", "500", answered(action="status", status=500)),
    Fault("conflict", "CONFLICT", "user", "409: the name is taken", answered(action="status", status=409, body=_EXISTS)),
    Fault("invalid", "INVALID_SPEC", "user", "the size does not exist", nothing, {"size": "no-such-size"}),
    Fault("dependency", "DEPENDENCY_NOT_READY", "nobody", "the cluster was deleted in the cloud", lost),
)
FAULTS = {fault.name: fault for fault in _FAULTS}


@pytest.mark.parametrize("cloud", controllers.SIZES)
def test_each_fault_is_in_the_status_and_ends_with_its_cause(tmp_path: pathlib.Path, cloud: str) -> None:
    """Without a restart. An invalid spec ends with another one."""
    seen: dict[str, tuple[str, str]] = {}
    rows: list[str] = []
    with controllers.world(tmp_path, cloud) as world, controllers.controller(world, "one"):
        cluster = world.create_cluster()
        world.until_ready(f"/clusters/{cluster}")
        for number, (name, fault) in enumerate(FAULTS.items()):
            with fault.inject(world):
                pool = world.create_pool(cluster, f"p{number}", nodeCount=1, **fault.spec)
                path = f"/nodepools/{pool}"
                world.until(path, lambda _, at=path: "last_error" in world.report(at), f"the fault {name}")
                report = world.report(path)
            error = report["last_error"]
            rows.append(row(fault, report))
            seen[name] = (error["error_code"], error["details"]["action"])
            assert error["message"]
            assert "next_try" in error["details"] or fault.actor == "user", error
            world.server.call("DELETE", path)
            world.until_gone(path)
    assert seen == {name: (fault.code, fault.actor) for name, fault in FAULTS.items()}
    page = HEAD + "".join(rows)
    if os.environ.get("UPDATE_GOLDENS"):
        PAGE.write_text(page, "utf-8")
    assert PAGE.read_text("utf-8") == page


def row(fault: Fault, report: dict[str, Any]) -> str:
    """Returns the row of a fault in the page."""
    [degraded] = [each for each in report["conditions"] if each["type"] == "Degraded"]
    error = report["last_error"]
    made = failures.make(failures.Code(error["error_code"]), "")
    first, longest = (made.pause(attempt).total_seconds() for attempt in (1, 30))
    tries = f"{first:.0f} s, {longest:.0f} s"
    return f"| {fault.name} | {fault.what} | `{degraded['reason']}` | `{error['error_code']}` | {error['details']['action']} | {tries} |\n"


def test_the_page_names_who_acts_for_each_fault() -> None:
    """docs/operate/controllers.md has each class in the row of its actor."""
    page = DOCS / "operate" / "controllers.md"
    rows = [
        line.split("|")[1:3] for line in page.read_text("utf-8").splitlines() if line.startswith("| `") and line.count("|") == 3
    ]
    for name, fault in FAULTS.items():
        [actor] = [who for codes, who in rows if f"`{fault.code}`" in codes]
        assert fault.actor in actor, name
