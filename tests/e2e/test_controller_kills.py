"""``kill -9`` of a controller and its engine at each command of the engine: another controller finishes the same work."""

from __future__ import annotations

import dataclasses
import pathlib
import signal
from collections.abc import Callable

import pytest

from support import controllers, kills, waiting

#: More commands than any run for one node pool has.
_MOST = 8
#: The commands of the engine that each operation has at least.
_LEAST = {"create": 3, "update": 2, "delete": 2}


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """An operation on the node pool.

    Attributes:
        name: Its name.
        request: Sends it to the API.
        is_done: Whether it has ended.
        nodes: The number of nodes in the end.
    """

    name: str
    request: Callable[[], object]
    is_done: Callable[[], bool]
    nodes: int


@pytest.mark.parametrize("when", ["lock", "end"])
def test_a_controller_that_was_killed_anywhere_is_continued_by_another(tmp_path: pathlib.Path, when: str) -> None:
    """Create, update and delete: no second pool, no lock that stays, and the next change of the stack succeeds."""
    killed = dict.fromkeys(_LEAST, 0)
    with controllers.world(tmp_path, "civo") as world:
        killer = kills.killer(world.user, when)
        with controllers.controller(world, "first"):
            cluster = world.create_cluster()
            world.until_ready(f"/clusters/{cluster}")
        for at in range(1, _MOST):
            before = dict(killed)
            for case in _cases(world, cluster):
                killed[case.name] += _is_killed(world, killer, at, case)
                assert len(world.nodes("nodepool=workers")) == case.nodes
                pools = [each["id"] for each in world.clusters()[0]["pools"]]
                assert pools.count("workers") == len(set(pools)) - 1 == (1 if case.nodes else 0)
            if killed == before:
                break
    assert {name for name, least in _LEAST.items() if killed[name] < least} == set(), killed


def _cases(world: controllers.World, cluster: str) -> list[Case]:
    ids: list[str] = []

    def is_ready(generation: int) -> bool:
        own = world.status(f"/nodepools/{ids[0]}")["status"]
        return (own["phase"], own["observedGeneration"]) == ("Ready", generation)

    def is_gone() -> bool:
        return not world.status(f"/nodepools/{ids[0]}") and not list(world.api.list_node_pools(includeDeleting="true"))

    return [
        Case("create", lambda: ids.append(world.create_pool(cluster)), lambda: is_ready(1), 2),
        Case("update", lambda: world.update_pool(ids[0], nodeCount=3), lambda: is_ready(2), 3),
        Case("delete", lambda: world.server.call("DELETE", f"/nodepools/{ids[0]}"), is_gone, 0),
    ]


def _is_killed(world: controllers.World, killer: kills.Killer, at: int, case: Case) -> bool:
    """Runs an operation in a controller that is killed at a command, and then in another; returns whether it came to that."""
    case.request()
    with controllers.controller(world, f"{case.name}-{at}", **killer.arm(at)) as first:
        waiting.until(lambda: first.process.poll() is not None or case.is_done(), f"{case.name}, killed at command {at}")
    if first.process.returncode == 0:
        return False
    assert first.process.returncode == -signal.SIGKILL, first.log.read_text("utf-8")
    with controllers.controller(world, f"{case.name}-{at}-next") as second:
        waiting.until(case.is_done, f"{case.name} to be finished after a kill at command {at}")
    assert second.process.returncode == 0
    return True
