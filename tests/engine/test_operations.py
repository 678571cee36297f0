"""Operations on one stack after a failure, without an engine: retries and records."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import socket
import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from planton import errors
from planton.clouds import answers
from planton.config import settings
from planton.engine import explain, plans, recorders, session, stacks
from planton.recovery import (
    awaiting,
    default_pool,
    destroying,
    drifting,
    importing,
    managed,
    observed,
    ownership,
    previewing,
    recording,
    refreshing,
    resuming,
    updating,
)
from planton.state import journal
from support import disk, mocks

ID = "2f4a1c1e-9f43-4c5e-8a0e-5b1f2d3c4e5f"
URN = "urn:pulumi:a::planton::civo:index/network:Network::network"
NETWORK = {"urn": URN, "type": "civo:index/network:Network", "custom": True, "id": "1", "outputs": {}}
PENDING = {"resources": [{"urn": "x", "type": "x"}], "pending_operations": [{"type": "creating", "resource": {"urn": URN}}]}
NO_RESUMPTION = recording.Resumption()
NAME = stacks.StackName("planton", "a")


@dataclasses.dataclass
class Cloud:
    """An account.

    Attributes:
        existing: Whether the resources of the state exist; None if the cloud does not answer.
        polls: The entries of the cluster, one for each read; the last one repeats.
    """

    existing: bool | None = True
    polls: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    where = "LON1"
    PROVIDER = "civo"

    def exists(self, *_args: object) -> bool:
        """Returns whether a resource exists."""
        if self.existing is None:
            raise errors.PlantonError("no", reason=errors.Reason.CLOUD_UNREACHABLE)
        return self.existing

    def cluster(self, _id: str) -> dict[str, Any]:
        """Returns the cluster."""
        return self.polls[0] if len(self.polls) == 1 else self.polls.pop(0)

    def building(self, id_: str) -> bool:
        """Returns whether the cluster is being created."""
        return self.cluster(id_)["status"] == "BUILDING"

    def names(self, _noun: str) -> list[str]:
        """Returns the names of networks."""
        return ["default"]

    def find(self, *_args: object) -> None:
        """Finds nothing."""

    def pool_import_id(self, cluster: str, pool: str) -> str:
        """Returns the import id of a pool."""
        return f"{cluster}:{pool}"


@dataclasses.dataclass
class Stack:
    """A stack, its state and its session.

    Attributes:
        settings: The settings.
        reason: The reason with which every operation fails.
        state: The state.
        calls: The operations that were called.
        effect: Called by every operation; returns whether the operation succeeds.
        is_locked: Whether the backend refuses to replace the state.
        holders: The holders of locks.
        name: The name.
        sessions: The arguments of the sessions.
        is_in_backend: Whether the backend has the stack.
    """

    settings: settings.Settings
    reason: errors.Reason = errors.Reason.ENGINE_FAILED
    state: Mapping[str, Any] = dataclasses.field(default_factory=lambda: dict(PENDING))
    calls: list[str] = dataclasses.field(default_factory=list)
    effect: Callable[[str], bool] = lambda _operation: False
    is_locked: bool = False
    holders: tuple[tuple[str, int], ...] = ()
    name: stacks.StackName = NAME
    sessions: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    is_in_backend: bool = True

    def export(self) -> dict[str, Any]:
        """Returns the state."""
        return dict(self.state)

    def exists(self) -> bool:
        """Returns whether the stack has resources."""
        return bool(self.state.get("resources"))

    def is_stored(self) -> bool:
        """Returns whether the backend has the stack."""
        return self.is_in_backend

    def lock_holders(self) -> list[tuple[str, int]]:
        """Returns the holders of locks."""
        return list(self.holders)

    def unlock(self) -> None:
        """Removes the lock."""
        self.calls.append("unlock")

    def replace_state(self, state: Mapping[str, Any], **_more: object) -> None:
        """Replaces the state, unless another machine holds the stack."""
        self.calls.append("replace_state")
        if self.is_locked:
            raise errors.PlantonError("no", reason=errors.Reason.STACK_LOCKED)
        self.state = dict(state)

    def in_folder(self, folder: pathlib.Path) -> Stack:
        """Returns the stack in a temporary folder."""
        assert folder.is_dir()
        self.calls.append("in_folder")
        return self

    def run(self, operation: str) -> session.Outcome:
        """Runs an operation, which fails unless `effect` returns True."""
        self.calls.append(operation)
        if self.effect(operation):
            return session.Outcome(plans.Plan(), recorders.Recorder())
        raise explain.OperationError("no", reason=self.reason)


class Session:
    """A session of a `Stack`."""

    def __init__(self, stack: Stack, _input: object, **more: Any) -> None:
        """Stores its arguments."""
        self._stack = stack
        stack.sessions.append(more)

    def __getattr__(self, operation: str) -> Callable[[], session.Outcome]:
        """Returns an operation."""
        return lambda: self._stack.run(operation)


class Lists(observed.Lists):
    """The lists of a cloud that has one network."""

    def of(self, _cloud: object, noun: str) -> list[dict[str, Any]]:
        """Returns them without a request."""
        return {"civo:index/network:Network": [{"id": "n-1", "label": "other"}]}[noun]


LISTS = Lists(answers.Answers())


def _stack(folder: pathlib.Path, progress: Callable[[str], None] = lambda _line: None, **more: Any) -> Stack:
    return Stack(settings.Settings(environ={"PLANTON_DATA_DIR": str(folder)}, progress=progress), **more)


def _managed(stack: Stack, cloud: Cloud | None = None, *, target: Any = None) -> managed.Managed:
    stack_input = mocks.stack_input(target or mocks.target("CivoVpc", {"networkName": "a"}, name="a"))
    opened: Any = cloud or Cloud()
    timing = awaiting.Timing(sleep=lambda _seconds: None)
    return managed.Managed(stack_input, stack, timing=timing, open_cloud=lambda *_: opened, open_session=Session)  # type: ignore[arg-type]


def _plan(*actions: plans.Action) -> plans.Plan:
    return plans.Plan(tuple(plans.Change(URN, "network", "civo:index/network:Network", action) for action in actions))


def _update(subject: managed.Managed, plan: plans.Plan) -> updating.Updated:
    return updating.update(subject, plan, resumption=NO_RESUMPTION, lists=LISTS)


@pytest.mark.parametrize("reason", recording.FINAL)
@pytest.mark.parametrize("operation", ["destroy", "up"])
def test_an_ended_operation_is_not_retried(tmp_path: pathlib.Path, reason: errors.Reason, operation: str) -> None:
    """After Ctrl-C, a timeout, a kill, a lock or a failed write, nothing more is deleted or created."""
    stack = _stack(tmp_path, reason=reason, state={})
    with pytest.raises(errors.PlantonError) as caught:
        destroying.destroy(_managed(stack), plans.Plan()) if operation == "destroy" else _update(_managed(stack), plans.Plan())
    assert caught.value.reason is reason
    assert stack.calls == [operation]


def test_a_missing_resource_is_reported_without_guessing_who_deleted_it(tmp_path: pathlib.Path) -> None:
    """The plugin may have missed the end of its own deletion, or another user deleted the resource."""
    lines: list[str] = []
    stack = _stack(tmp_path, lines.append, state={"resources": [NETWORK]})
    with pytest.raises(explain.OperationError):
        destroying.destroy(_managed(stack, Cloud(existing=False)), _plan(plans.Action.DELETE))
    assert stack.calls == ["destroy", "replace_state", "destroy"]
    assert lines == ["network is gone; the cloud confirms it"]


def test_the_lock_of_another_machine_is_not_removed(tmp_path: pathlib.Path) -> None:
    """Another machine may still be running the pending operations. Only locks recorded by this machine are removed."""
    stack = _stack(tmp_path, is_locked=True)
    with pytest.raises(errors.PlantonError) as caught:
        resuming.recover(_managed(stack))
    assert caught.value.reason is errors.Reason.STACK_LOCKED
    assert stack.calls == ["replace_state"]


@pytest.mark.parametrize("failed", [False, True])
def test_a_lock_is_removed_only_if_its_holder_has_ended(tmp_path: pathlib.Path, *, failed: bool) -> None:
    """The engine of another machine may be working on the stack. A dead process holds no lock.

    A failed operation leaves its lock too: its engine was killed, or lost the backend.
    """
    dead = subprocess.Popen(["true"])
    dead.wait()
    for holders, calls in (([("elsewhere", 1)], []), ([(socket.gethostname(), dead.pid)], ["unlock", "replace_state"])):
        stack = _stack(tmp_path, is_locked=True, holders=tuple(holders))
        subject = _managed(stack)
        subject.journal.write(journal.Record("apply", 0.0, failed=failed))
        with pytest.raises(errors.PlantonError) as caught:
            resuming.recover(subject)
        assert caught.value.reason is errors.Reason.STACK_LOCKED
        assert stack.calls == calls


def test_on_a_full_disk_the_engines_error_is_reported_and_the_record_stays(tmp_path: pathlib.Path) -> None:
    """The failure cannot be saved. The start is recorded, so the next run refreshes first."""
    with contextlib.ExitStack() as filled:

        def fill(_operation: str) -> bool:
            filled.enter_context(disk.full())
            return False

        subject = _managed(_stack(tmp_path, reason=errors.Reason.STATE_NOT_SAVED, state={}, effect=fill))
        with pytest.raises(errors.PlantonError) as caught:
            _update(subject, plans.Plan())
    assert caught.value.reason is errors.Reason.STATE_NOT_SAVED
    assert recording.is_unfinished(subject)


def test_an_operation_that_cannot_be_recorded_does_not_start(tmp_path: pathlib.Path) -> None:
    """On a full disk the cloud stays unchanged."""
    stack = _stack(tmp_path, state={})
    subject = _managed(stack)
    with pytest.raises(errors.PlantonError, match="cannot write"), disk.full():
        _update(subject, plans.Plan())
    assert stack.calls == []


def test_a_killed_refresh_reports_the_kill(tmp_path: pathlib.Path) -> None:
    """The dead engine's lock is removed and the state restored. If that fails, the first error is reported."""
    dead = subprocess.Popen(["true"])
    dead.wait()
    stack = _stack(
        tmp_path,
        reason=errors.Reason.ENGINE_KILLED,
        holders=((socket.gethostname(), dead.pid),),
        state={"resources": []},
        is_locked=True,
    )
    with pytest.raises(errors.PlantonError) as caught:
        refreshing.refresh(_managed(stack))
    assert caught.value.reason is errors.Reason.ENGINE_KILLED
    assert stack.calls == ["refresh", "unlock", "replace_state"]


def test_an_unconfirmed_drift_reports_the_plugins_error(tmp_path: pathlib.Path) -> None:
    """The cloud answers neither the plugin nor planton, so no deletion is reported."""
    stack = _stack(tmp_path, reason=errors.Reason.CLOUD_FAILED, state={"resources": [NETWORK]})
    with pytest.raises(errors.PlantonError) as caught:
        drifting.drift(_managed(stack, Cloud(existing=None)))
    assert caught.value.reason is errors.Reason.CLOUD_FAILED


CLUSTER_TYPE = "civo:index/kubernetesCluster:KubernetesCluster"


def test_the_default_pool_is_restored_after_a_killed_operation(tmp_path: pathlib.Path) -> None:
    """The plugin may have stored the first pool of the cloud's list. The record identifies the default pool."""
    mine = {"label": "mine", "nodeCount": 1, "size": "s", "instanceNames": ["a"]}
    other = {**mine, "label": "other", "nodeCount": 3}
    cluster = {"urn": f"a::{CLUSTER_TYPE}::cluster", "type": CLUSTER_TYPE, "custom": True, "id": "c"}
    state = {"resources": [{**cluster, "inputs": {"pools": {"nodeCount": 3}}, "outputs": {"pools": other}}]}
    pools = [{"id": name, "count": count, "size": "s", "instance_names": []} for name, count in (("other", 3), ("mine", 1))]
    stack = _stack(tmp_path, state=state, effect=lambda _operation: True)
    subject = _managed(stack, Cloud(polls=[{"status": "ACTIVE", "pools": pools}]))
    pool = default_pool.DefaultPool(f"a::{CLUSTER_TYPE}::cluster", "c", "mine", {"nodeCount": 1}, mine)
    subject.journal.write(journal.Record("apply", 0.0, default_pool=dataclasses.asdict(pool)))
    assert resuming.recover(subject).is_changed
    assert stack.state["resources"][0]["outputs"]["pools"] == {**mine, "instanceNames": []}
    assert stack.state["resources"][0]["inputs"]["pools"] == {"nodeCount": 1}


@pytest.mark.parametrize("waits", [True, False])
def test_a_recovery_waits_for_a_cluster_unless_it_will_be_destroyed(tmp_path: pathlib.Path, *, waits: bool) -> None:
    """The state is read when the cluster is ready, so that the outputs are complete."""
    cloud = Cloud(polls=[{"status": "BUILDING"}, {"status": "BUILDING"}, {"status": "ACTIVE"}])
    cluster = {"urn": f"a::{CLUSTER_TYPE}::cluster", "type": CLUSTER_TYPE, "custom": True, "id": "c"}
    subject = _managed(_stack(tmp_path, state={"resources": [cluster]}, effect=lambda _operation: True), cloud)
    subject.journal.write(journal.Record("apply", 0.0, failed=True))
    assert resuming.recover(subject, waits=waits).is_changed
    assert len(cloud.polls) == (1 if waits else 3)


@pytest.mark.parametrize(
    ("resource", "id_", "message"),
    [
        ("network", "0000", "no network has the id '0000' in LON1; networks there: default"),
        ("node_pool", "0000:workers", "'0000:workers' is no id of a node pool"),
        ("node_pool", f"{ID}:workers", f"no node pool has the id or name 'workers' in cluster {ID} in LON1"),
    ],
)
def test_a_missing_resource_is_not_imported(resource: str, id_: str, message: str) -> None:
    """The error comes before the engine writes a state, and lists existing resources."""
    cloud: Any = Cloud(existing=False)
    with pytest.raises(errors.PlantonError) as caught:
        importing.prepare(cloud, mocks.target("CivoVpc", {}), resource, id_, cluster_id=lambda: "")
    assert (caught.value.reason, caught.value.message) == (errors.Reason.NOT_FOUND, message)


def test_the_history_lists_the_planned_changes(tmp_path: pathlib.Path) -> None:
    """The history shows what the user approved."""
    stack = _stack(tmp_path, reason=errors.Reason.INTERRUPTED, state={})
    with pytest.raises(errors.PlantonError):
        _update(_managed(stack), _plan(plans.Action.CREATE))
    assert stack.sessions[-1]["message"].endswith(": planton apply CivoVpc/a: create network")


def test_a_creation_is_recorded_with_its_tag_and_the_existing_resources(tmp_path: pathlib.Path) -> None:
    """Both are saved before the request, so that the next process can prove ownership."""
    records: list[journal.Record | None] = []

    def read_record(_operation: str) -> bool:
        records.append(subject.journal.read())
        return False

    stack = _stack(tmp_path, reason=errors.Reason.INTERRUPTED, state={}, effect=read_record)
    subject = _managed(stack)
    with pytest.raises(errors.PlantonError):
        _update(subject, _plan(plans.Action.CREATE))
    [record] = records
    assert record is not None
    assert record.before == {URN: ("n-1",)}
    assert record.marker == stack.sessions[-1]["marker"]
    assert record.marker.startswith("planton-creation:")
    assert not record.failed


def test_a_destroy_deletes_only_listed_resources(tmp_path: pathlib.Path) -> None:
    """Another command may have created a resource between the list and the approval."""
    stack = _stack(tmp_path, state={"resources": [NETWORK]})
    with pytest.raises(errors.PlantonError, match="also has network, which was not listed; nothing was deleted") as caught:
        destroying.destroy(_managed(stack), plans.Plan())
    assert caught.value.reason is errors.Reason.PLAN_STALE
    assert stack.calls == []


@pytest.mark.parametrize(
    ("plan", "is_retried"),
    [
        (_plan(plans.Action.REPLACE), True),
        (_plan(plans.Action.UPDATE), False),
        (_plan(), False),
        (_plan(plans.Action.IMPORT), True),
    ],
)
def test_a_missing_resource_is_recreated_only_as_planned(tmp_path: pathlib.Path, plan: plans.Plan, *, is_retried: bool) -> None:
    """A replacement continues after its deletion. An approved update must not become a create."""
    stack = _stack(tmp_path, state={"resources": [NETWORK]})
    with pytest.raises(errors.PlantonError) as caught:
        _update(_managed(stack, Cloud(existing=False)), plan)
    assert stack.calls == (["up", "replace_state", "up"] if is_retried else ["up", "replace_state", "replace_state"])
    assert caught.value.reason is (errors.Reason.ENGINE_FAILED if is_retried else errors.Reason.PLAN_STALE)


def test_a_missing_resource_that_was_removed_from_the_manifest_does_not_stop_the_apply(tmp_path: pathlib.Path) -> None:
    """It was deleted in the cloud, and the manifest does not contain it any more."""

    def lose(operation: str) -> bool:
        stack.state = {"resources": []}
        return operation == "refresh"

    stack = _stack(tmp_path, state={"resources": [NETWORK]}, effect=lose)
    with pytest.raises(errors.PlantonError) as caught:
        _update(_managed(stack, Cloud(existing=False)), plans.Plan(missing=frozenset({URN}), is_refreshed=True))
    assert caught.value.reason is errors.Reason.ENGINE_FAILED
    assert stack.calls == ["refresh", "up"], "the apply continues"


def test_a_record_of_another_command_is_not_overwritten(tmp_path: pathlib.Path) -> None:
    """That record is the only trace of resources that the other command may have created."""
    stack = _stack(tmp_path, state={})
    subject = _managed(stack)
    record = journal.Record("apply", 0.0, failed=True, uncertain={URN: journal.Creation("a")})
    subject.journal.write(record)
    with pytest.raises(errors.PlantonError, match="failed meanwhile") as caught:
        _update(subject, _plan(plans.Action.CREATE))
    assert caught.value.reason is errors.Reason.PLAN_STALE
    assert stack.calls == []
    assert subject.journal.read() == record


def test_an_apply_stops_if_its_refresh_finds_a_pool_missing(tmp_path: pathlib.Path) -> None:
    """With an autoscaler the state is refreshed first. This must not turn an update into a create."""
    pool = {**NETWORK, "outputs": {"autoScale": True}}

    def lose(_operation: str) -> bool:
        stack.state = {"resources": []}
        return True

    stack = _stack(tmp_path, state={"resources": [pool]}, effect=lose)
    with pytest.raises(
        errors.PlantonError, match="network is missing from the cloud, and the plan does not recreate it"
    ) as caught:
        _update(_managed(stack, Cloud(existing=False)), _plan(plans.Action.UPDATE))
    assert caught.value.reason is errors.Reason.PLAN_STALE
    assert "up" not in stack.calls
    assert stack.state == {"resources": [pool]}, "the next plan reports it missing and needs consent"


@pytest.mark.parametrize(("creates_stack", "is_in_backend"), [(False, False), (False, True), (True, False)])
def test_a_preview_without_an_apply_creates_no_stack(tmp_path: pathlib.Path, *, creates_stack: bool, is_in_backend: bool) -> None:
    """A resource without a stack is planned in a temporary folder."""
    stack = _stack(tmp_path, state={}, effect=lambda _operation: True)
    stack.is_in_backend = is_in_backend
    assert previewing.preview(_managed(stack), resumption=NO_RESUMPTION, creates_stack=creates_stack).empty
    assert stack.calls == (["preview"] if creates_stack or is_in_backend else ["in_folder", "preview"])


def test_an_interrupted_operation_continues_with_its_own_tag(tmp_path: pathlib.Path) -> None:
    """The created resource has that tag, and the next search needs it as proof of ownership."""
    stack = _stack(tmp_path, reason=errors.Reason.INTERRUPTED, state={})
    subject = _managed(stack)
    marker = ownership.new_marker()
    resumption = recording.Resumption(journal.Record("apply", 1.0, marker=marker), imports={"network": "n-1"})
    with pytest.raises(errors.PlantonError):
        updating.update(subject, _plan(plans.Action.IMPORT), resumption=resumption, lists=LISTS)
    assert (stack.sessions[-1]["marker"], stack.sessions[-1]["imports"]) == (marker, {"network": "n-1"})
    record = subject.journal.read()
    assert record is not None
    assert record.started == 1.0
