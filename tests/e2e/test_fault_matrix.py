"""The fault matrix: cloud × operation × fault. It writes docs/reference/fault-matrix.md.

``make test`` runs some cells; ``make matrix`` runs all and rewrites the page. Review the difference before you commit it.
"""

from __future__ import annotations

import copy
import dataclasses
import os
import pathlib
from typing import Any

import pytest

from planton import errors
from support import matrix_faults, matrix_page, matrix_world
from support.worlds import Worlds

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "reference" / "fault-matrix.md"


@dataclasses.dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the matrix.

    Attributes:
        name: Its name in the page.
        command: The arguments before ``-f FILE``.
        method: The method of the request that the fault strikes.
        path: The path of that request, with CLUSTERS and POOLS for the cloud's words.
        world: The world that it starts in.
        subject: The manifest that it uses.
        then: The next command.
        change: The fields that it changes in the manifest.
    """

    name: str
    command: tuple[str, ...]
    method: str
    path: str
    world: str = "pool"
    subject: str = "pool"
    then: tuple[str, ...] = ("apply", "--yes")
    change: tuple[tuple[str, Any], ...] = ()

    @property
    def ends(self) -> str:
        """The world that it ends in, apart from its changes."""
        before = matrix_world.WORLDS.index(self.subject) - 1
        return matrix_world.WORLDS[before] if self.then[0] == "destroy" else self.subject


_APPLY = ("apply", "--yes")
_DESTROY = ("destroy", "--yes")
_NETWORK = "/v2/(networks|vpcs)"
_POOL = "CLUSTERS/[^/]+/POOLS/[^/]+$"
_READ = "CLUSTERS/[^/]+(/POOLS/[^/]+)?$"
_OPERATIONS = (
    Operation("create a network", _APPLY, "POST", f"{_NETWORK}$", "nothing", "network"),
    Operation("create a cluster", _APPLY, "POST", "CLUSTERS$", "network", "cluster"),
    Operation("create a cluster, then destroy it", _APPLY, "POST", "CLUSTERS$", "network", "cluster", _DESTROY),
    Operation("create a pool", _APPLY, "POST", "/POOLS$", "cluster"),
    Operation("scale a pool", _APPLY, "PUT", _POOL, change=(("nodeCount", 4),)),
    Operation("relabel a pool", _APPLY, "PUT", _POOL, change=(("labels", {"tier": "web"}),)),
    Operation("refresh", ("refresh",), "GET", _READ),
    Operation("drift", ("drift", "--full"), "GET", _READ),
    Operation("destroy a pool", _DESTROY, "DELETE", _POOL, then=_DESTROY),
    Operation("destroy a cluster", _DESTROY, "DELETE", "CLUSTERS/[^/]+$", "cluster", "cluster", _DESTROY),
    Operation("destroy a network", _DESTROY, "DELETE", f"{_NETWORK}/[^/]+$", "network", "network", _DESTROY),
)
OPERATIONS = {operation.name: operation for operation in _OPERATIONS}
FAULTS = {fault.name: fault.description for fault in matrix_faults.FAULTS.values()}
CELLS = [
    matrix_page.Cell(cloud, operation, fault)
    for cloud in matrix_world.CLOUDS
    for operation in OPERATIONS
    for fault in matrix_faults.FAULTS
]


def _applies(cell: matrix_page.Cell) -> bool:
    operation = OPERATIONS[cell.operation]
    if operation.subject not in matrix_world.CLOUDS[cell.cloud].subjects:
        return False
    creates = operation.method == "POST"
    if cell.fault == "quota":
        return (creates and operation.subject != "network") or "nodeCount" in dict(operation.change)
    return cell.fault != "stuck" or (creates and operation.subject == "cluster")


#: The cells that do not apply.
EMPTY = {cell for cell in CELLS if not _applies(cell)}


#: The cells that `make test` plays: a lost answer, an error of the cloud, and an engine that is killed.
FEW = {
    matrix_page.Cell("civo", "create a cluster", "dropped after"),
    matrix_page.Cell("civo", "create a pool", "engine killed"),
    matrix_page.Cell("digitalocean", "scale a pool", "quota"),
}
#: The cells that `make test-all` plays: each fault once, a lost answer at each cloud, and each operation at least once.
USUAL = {
    matrix_page.Cell("civo", "create a network", "429, Retry-After"),
    matrix_page.Cell("digitalocean", "refresh", "429"),
    matrix_page.Cell("civo", "drift", "500"),
    matrix_page.Cell("digitalocean", "destroy a network", "timeout"),
    matrix_page.Cell("civo", "relabel a pool", "dropped before"),
    matrix_page.Cell("civo", "create a cluster", "dropped after"),
    matrix_page.Cell("digitalocean", "create a pool", "dropped after"),
    matrix_page.Cell("civo", "destroy a pool", "slow"),
    matrix_page.Cell("digitalocean", "scale a pool", "quota"),
    matrix_page.Cell("civo", "create a cluster, then destroy it", "stuck"),
    matrix_page.Cell("digitalocean", "create a cluster", "planton killed"),
    matrix_page.Cell("civo", "create a pool", "engine killed"),
    matrix_page.Cell("digitalocean", "destroy a cluster", "provider killed"),
    matrix_page.Cell("civo", "create a network", "disk full"),
    matrix_page.Cell("digitalocean", "create a network", "backend lost"),
    matrix_page.Cell("gcp", "create a cluster, then destroy it", "dropped after"),
    matrix_page.Cell("gcp", "scale a pool", "provider killed"),
}


def _parameter(cell: matrix_page.Cell) -> Any:
    marks = [] if cell in FEW else [pytest.mark.variant] if cell in USUAL else [pytest.mark.matrix]
    return pytest.param(cell, id=str(cell), marks=marks)


@pytest.mark.parametrize("cell", [_parameter(cell) for cell in CELLS if cell not in EMPTY])
def test_the_report_is_true_and_the_next_command_succeeds(cell: matrix_page.Cell, worlds: Worlds) -> None:
    """Cloud, state and report agree after the fault; the next command succeeds, and creates nothing twice."""
    operation, fault, cloud = OPERATIONS[cell.operation], matrix_faults.FAULTS[cell.fault], matrix_world.CLOUDS[cell.cloud]
    row = matrix_page.FAILED
    try:
        with matrix_world.applied(worlds, cloud, operation.world) as world:
            played = _play(world, operation, fault)
        if operation.method == "POST":
            with matrix_world.applied(worlds, cloud, operation.world) as world:
                played = dataclasses.replace(played, stranger=_with_stranger(world, operation, fault))
        row = played
    finally:
        if os.environ.get("UPDATE_GOLDENS"):
            matrix_page.write(PAGE, {cell: row}, head=_head(), faults=FAULTS, order=CELLS)
    assert row == matrix_page.read(PAGE).get(cell)


def test_the_usual_cells_meet_each_fault_and_each_operation() -> None:
    """What `make test-all` leaves to `make matrix` is a combination of what it has played."""
    assert set(CELLS) - set(EMPTY) >= USUAL >= FEW
    assert {cell.fault for cell in USUAL} == set(matrix_faults.FAULTS)
    assert {cell.operation for cell in USUAL} == set(OPERATIONS)
    assert {cell.cloud for cell in USUAL} == set(matrix_world.CLOUDS)


def test_the_page_has_every_cell_and_no_failure() -> None:
    """The committed page is complete and has the form that the matrix writes."""
    rows = matrix_page.read(PAGE)
    assert PAGE.read_text("utf-8") == matrix_page.render(rows, head=_head(), faults=FAULTS, order=CELLS)
    assert set(rows) == set(CELLS) - EMPTY
    assert matrix_page.FAILED not in rows.values()


def _play(world: matrix_world.World, operation: Operation, fault: matrix_faults.Fault) -> matrix_page.Row:
    manifest = copy.deepcopy(getattr(world.cloud, operation.subject))
    manifest["spec"] |= {world.cloud.labels if field == "labels" else field: value for field, value in operation.change}
    file = world.user.write(f"{operation.subject}.yaml", manifest)
    method, path = world.cloud.request(operation.name, operation.method, operation.path)
    mark, before = world.user.sandbox.control.mark(), _outcome(world)
    result = matrix_faults.run(world, (*operation.command, "-f", file), fault, method=method, path=path)
    outcome = _outcome(world)
    outcome.check(result)
    if result.code == 0 and operation.command == operation.then:
        _check_end(world, operation, before)
    then = matrix_faults.finish(world, (*operation.then, "-f", file))
    assert then.code == 0, then.text
    _check_end(world, operation, before)
    if operation.method == "POST":
        made = world.creations(mark, path, lost=fault.name == "dropped after")
        assert made <= 1 if operation.then == _DESTROY else made == 1, f"made {made} times"
    under_way = "".join(f" ({each})" for each in outcome.pending)
    return matrix_page.Row(
        str(result),
        _difference(before.cloud, outcome.cloud),
        "what the engine wrote last" if fault.races else _difference(before.states, outcome.states) + under_way,
        f"`{operation.then[0]}`" + ("" if fault.races else _said(then)),
    )


def _with_stranger(world: matrix_world.World, operation: Operation, fault: matrix_faults.Fault) -> str:
    # Between the two commands, somebody else creates a resource of the same name.
    file = world.user.write(f"{operation.subject}.yaml", getattr(world.cloud, operation.subject))
    method, path = world.cloud.request(operation.name, operation.method, operation.path)
    matrix_faults.run(world, (*operation.command, "-f", file), fault, method=method, path=path)
    stranger = world.intrude(operation.subject)
    if stranger is None:
        return "not possible"
    then = matrix_faults.finish(world, (*operation.then, "-f", file))
    assert stranger in world.of_name(operation.subject), "the stranger's resource was changed or deleted"
    recorded = {thing.id for thing in world.in_states()}
    assert stranger["id"] not in recorded or operation.subject == "pool", "the stranger's resource was adopted"
    assert then.code == 0 or {errors.Reason.CLOUD_NAME_EXISTS, errors.Reason.OWNER_UNPROVEN} & set(then.reasons), then.text
    return f"{then}; left alone"


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """The resources and records after a command.

    Attributes:
        cloud: In the cloud.
        states: In the states.
        pending: What the engine has noted down as being under way: what and where.
        noted: What planton has noted down: names of what may have been made.
        unfinished: How many operations planton knows to go on with.
    """

    cloud: frozenset[matrix_world.Thing]
    states: frozenset[matrix_world.Thing]
    pending: tuple[str, ...]
    noted: frozenset[str]
    unfinished: int

    def check(self, result: matrix_faults.Result) -> None:
        """Checks that cloud and state agree with the report, or that the difference is recorded."""
        if result.code == 0:
            assert self.cloud == self.states
        if self.cloud != self.states or self.pending:
            assert self.unfinished == 1, "nobody knows that there is more to do"
            assert result.code != 0
        recorded = {thing.key for thing in self.states}
        creating = any(each.startswith("creating") for each in self.pending)
        unknown = {thing.name for thing in self.cloud if thing.key not in recorded}
        assert creating or unknown <= self.noted, f"nobody knows of {unknown - self.noted}"


def _outcome(world: matrix_world.World) -> Outcome:
    records = world.open_records()
    noted = frozenset(creation["name"] for record in records for creation in record["uncertain"].values())
    return Outcome(world.in_cloud(), world.in_states(), tuple(world.pending()), noted, len(records))


def _check_end(world: matrix_world.World, operation: Operation, before: Outcome) -> None:
    end = _outcome(world)
    assert end.cloud == end.states
    assert (end.pending, end.unfinished) == ((), 0)
    worlds = matrix_world.WORLDS[1 : matrix_world.WORLDS.index(operation.ends) + 1]
    assert sorted(thing.key for thing in end.cloud) == sorted(key for world_ in worlds for key in world.cloud.resources[world_])
    if operation.then != _DESTROY:
        assert {thing.id for thing in before.cloud} <= {thing.id for thing in end.cloud}, "something was replaced"
    changed = dict(operation.change)
    for pool in (thing for thing in end.cloud if thing.noun == "pool"):
        assert pool.size == changed.get("nodeCount", world.cloud.pool["spec"]["nodeCount"])
        assert pool.tier == changed.get("labels", {}).get("tier", "")


def _difference(before: frozenset[matrix_world.Thing], after: frozenset[matrix_world.Thing]) -> str:
    old, new = {thing.id for thing in before}, {thing.id for thing in after}
    words = [f"+ {thing}" for thing in sorted(after) if thing.id not in old]
    words += [f"- {thing}" for thing in sorted(before) if thing.id not in new]
    words += [f"~ {thing}" for thing in sorted(after - before) if thing.id in old]
    return ", ".join(words) or "unchanged"


_SAID = {
    "was interrupted": "reports the interruption",
    "UTC) failed": "reports the failure",
    "adopting": "adopts",
}


def _said(then: matrix_faults.Result) -> str:
    return "".join(f", {words}" for text, words in _SAID.items() if text in then.text)


def _head() -> str:
    return _HEAD.format(cells=len(CELLS) - len(EMPTY), played=len(USUAL))


_HEAD = """\
# The fault matrix

Look up what happens if a fault strikes in the middle of an operation. `make matrix` plays all {cells} cells against the sandbox with real
Pulumi and writes this page:

```sh
make matrix        # all cells; make test-all plays {played}: each fault, each operation
```

The fault strikes the request that the operation is about. After it, the test checks that

- exit code 0 means that cloud and state agree and nothing is left to do;
- every other difference is recorded, as pending in the state or in a record of planton;
- the next command, without the fault, succeeds, and cloud and state then have the desired state;
- nothing was created twice, replaced or left behind, and no record remains.

In the last column, somebody else creates a resource of that name before the next command, where the cloud allows it. The resource is neither
adopted nor changed nor deleted. `+` was created, `-` deleted, `~` changed.

"""
