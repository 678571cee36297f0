"""What operations do after a failure, without an engine: a second try, or none."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import socket
import subprocess
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
from pulumi import automation

from planton import errors
from planton.clouds import answers
from planton.clouds.civo import client as civo
from planton.config import settings
from planton.engine import explain, session, toolchain
from planton.recovery import default_pool, observed, operations
from support import disk, mocks

ID = "2f4a1c1e-9f43-4c5e-8a0e-5b1f2d3c4e5f"
PENDING = {"resources": [{"urn": "x"}], "pending_operations": [{"type": "creating", "resource": {"urn": "urn::a::network"}}]}


class Session:
    """A session whose operations fail for a reason; it keeps what it was asked."""

    def __init__(self, reason: errors.Reason) -> None:
        """Fails nothing yet."""
        self.reason = reason
        self.message = ""
        self.marker = ""
        self.asked: list[str] = []

    def _fail(self, what: str) -> Any:
        self.asked.append(what)
        raise explain.OperationError("no", code=errors.Code.FAILED, reason=self.reason)

    def up(self, _watch: object) -> Any:
        """Fails."""
        return self._fail("up")

    def destroy(self, _watch: object) -> Any:
        """Fails."""
        return self._fail("destroy")

    def refresh(self, _watch: object) -> Any:
        """Fails."""
        return self._fail("refresh")

    def export(self) -> dict[str, Any]:
        """Returns a state in which a creation has begun."""
        return dict(PENDING)

    def exists(self) -> bool:
        """Says that there is a stack."""
        return True

    holders: tuple[tuple[str, int], ...] = ()

    def lock_holders(self) -> list[tuple[str, int]]:
        """Returns who holds the stack in the backend."""
        return list(self.holders)

    def unlock(self) -> None:
        """Is told to remove the lock."""
        self.asked.append("unlock")

    def replace_state(self, _state: object) -> None:
        """Finds the stack locked, as the backend does where another machine works."""
        self._fail("replace_state")


class Lists(observed.Lists):
    """The lists of a cloud that has one network."""

    def of(self, _cloud: object, noun: str) -> list[dict[str, Any]]:
        """Returns them without a request."""
        return {"civo:index/network:Network": [{"id": "n-1", "label": "other"}]}[noun]


def _silent(_line: str) -> None:
    """Says nothing."""


@pytest.fixture
def make(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Returns a maker of operations over a session that fails."""

    def operations_over(failing: Session, progress: Callable[[str], None] = _silent) -> operations.Operations:
        monkeypatch.setattr(operations.session, "Session", lambda *_args, **_more: failing)
        chosen = settings.Settings(environ={"PLANTON_DATA_DIR": str(tmp_path)}, progress=progress)
        given = mocks.stack_input(mocks.target("CivoVpc", {"networkName": "a"}, name="a"))
        made = operations.Operations(given, chosen, toolchain.Toolchain(pathlib.Path("pulumi"), tmp_path, frozenset()))
        made.lists = Lists(answers.Answers())
        return made

    return operations_over


@pytest.mark.parametrize("reason", operations._FINAL)
@pytest.mark.parametrize("operation", ["destroy", "apply"])
def test_what_was_ended_is_not_tried_again(make: Any, reason: errors.Reason, operation: str) -> None:
    """After Ctrl-C, a timeout, a kill or a lock, or when nothing can be kept, nothing more is deleted or made."""
    failing = Session(reason)
    with pytest.raises(errors.PlantonError) as caught:
        getattr(make(failing), operation)()
    assert caught.value.reason is reason
    assert failing.asked == ["destroy" if operation == "destroy" else "up"]


def test_what_is_gone_is_said_to_be_gone_and_not_who_deleted_it(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A destroy whose plugin saw no end of its own deletion finds the same as one after somebody else's."""
    told: list[str] = []
    failing = Session(errors.Reason.ENGINE_FAILED)
    monkeypatch.setattr(Session, "replace_state", lambda *_: None)
    monkeypatch.setattr(operations.guards, "missing", lambda *_: {"urn::a::network"})
    with pytest.raises(explain.OperationError):
        make(failing, told.append).destroy()
    assert failing.asked == ["destroy", "destroy"]
    assert told == ["network is gone; the cloud confirms it"]


def test_the_lock_of_another_machine_is_not_removed(make: Any) -> None:
    """A state with pending operations may be that of a machine at work: only what this machine has recorded is unlocked."""
    failing = Session(errors.Reason.STACK_LOCKED)
    with pytest.raises(errors.PlantonError) as caught:
        make(failing).recover()
    assert caught.value.reason is errors.Reason.STACK_LOCKED
    assert failing.asked == ["replace_state"]


@pytest.mark.parametrize("failed", [False, True])
def test_a_lock_that_was_left_goes_only_when_nobody_works_behind_it(make: Any, *, failed: bool) -> None:
    """The engine of another machine may work on the stack that this machine has left; a dead process holds nothing.

    An engine that was killed, or whose backend went away, leaves its lock too, and the operation has failed then.
    """
    dead = subprocess.Popen(["true"])
    dead.wait()
    for holders, asked in (([("elsewhere", 1)], []), ([(socket.gethostname(), dead.pid)], ["unlock", "replace_state"])):
        failing = Session(errors.Reason.STACK_LOCKED)
        failing.holders = tuple(holders)
        operation = make(failing)
        operation._journal.write(operations.journal.Record("apply", 0.0, failed=failed))
        with pytest.raises(errors.PlantonError) as caught:
            operation.recover()
        assert caught.value.reason is errors.Reason.STACK_LOCKED
        assert failing.asked == asked


def test_on_a_full_disk_the_error_is_that_of_the_engine_and_the_record_stays(make: Any, tmp_path: pathlib.Path) -> None:
    """That it failed cannot be kept; that it began is known, so the next run looks at the cloud."""
    failing = Session(errors.Reason.STATE_NOT_SAVED)
    fail = failing.up

    def up(watch: object) -> Any:
        """Fills the disk, and fails."""
        filled.enter_context(disk.full())
        return fail(watch)

    failing.up = up  # type: ignore[method-assign]
    operation = make(failing)
    with pytest.raises(errors.PlantonError) as caught, contextlib.ExitStack() as filled:
        operation.apply()
    assert caught.value.reason is errors.Reason.STATE_NOT_SAVED
    assert operation.unfinished()
    assert [path.suffix for path in sorted((tmp_path / "runs").iterdir())] == [".json", ".lock"]


def test_nothing_is_begun_that_cannot_be_recorded(make: Any) -> None:
    """On a full disk the cloud is left alone."""
    failing = Session(errors.Reason.ENGINE_FAILED)
    operation = make(failing)
    with pytest.raises(errors.PlantonError, match="cannot write"), disk.full():
        operation.apply()
    assert failing.asked == []


def test_a_refresh_that_was_killed_says_so(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock of the dead engine goes, the state is put back, and where that fails the first error counts."""
    dead = subprocess.Popen(["true"])
    dead.wait()
    failing = Session(errors.Reason.ENGINE_KILLED)
    failing.holders = ((socket.gethostname(), dead.pid),)

    def locked(_state: object) -> None:
        failing.asked.append("replace_state")
        raise errors.PlantonError("no", code=errors.Code.LOCKED, reason=errors.Reason.STACK_LOCKED)

    monkeypatch.setattr(failing, "replace_state", locked)
    monkeypatch.setattr(failing, "export", lambda: {"resources": []})
    with pytest.raises(errors.PlantonError) as caught:
        make(failing).refresh()
    assert caught.value.reason is errors.Reason.ENGINE_KILLED
    assert failing.asked == ["refresh", "unlock", "replace_state"]


def test_a_drift_that_nobody_can_look_for_says_why(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin has not said that anything is gone when the cloud answers neither it nor us."""

    def silent(*_given: object) -> None:
        raise errors.PlantonError("no", code=errors.Code.FAILED, reason=errors.Reason.CLOUD_UNREACHABLE)

    failing = Session(errors.Reason.CLOUD_FAILED)
    monkeypatch.setattr(failing, "refresh", lambda _watch, **_more: failing._fail("refresh"))
    monkeypatch.setattr(operations.guards, "missing", silent)
    with pytest.raises(errors.PlantonError) as caught:
        make(failing).drift()
    assert caught.value.reason is errors.Reason.CLOUD_FAILED


def test_a_killed_operation_leaves_no_other_pool_in_the_state(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plugin may have written the pool that the cloud lists first; the record says which one is the default pool."""
    type_ = "civo:index/kubernetesCluster:KubernetesCluster"
    mine = {"label": "mine", "nodeCount": 1, "size": "s", "instanceNames": ["a"]}
    other = {**mine, "label": "other", "nodeCount": 3}
    cluster = {"urn": f"a::{type_}::cluster", "type": type_, "custom": True, "id": "c"}
    state = {"resources": [{**cluster, "inputs": {"pools": {"nodeCount": 3}}, "outputs": {"pools": other}}]}
    pools = [{"id": name, "count": count, "size": "s", "instance_names": []} for name, count in (("other", 3), ("mine", 1))]
    monkeypatch.setattr(civo.Cloud, "cluster", lambda _self, _id: {"status": "ACTIVE", "pools": pools})
    failing = Session(errors.Reason.ENGINE_FAILED)
    written: list[Any] = []
    monkeypatch.setattr(failing, "export", lambda: state)
    monkeypatch.setattr(failing, "replace_state", written.append)
    monkeypatch.setattr(failing, "refresh", lambda _watch: operations.session.Outcome(operations.plans.Plan(), None))
    operation = make(failing)
    pool = default_pool.DefaultPool(f"a::{type_}::cluster", "c", "mine", {"nodeCount": 1}, mine)
    operation._journal.write(operations.journal.Record("apply", 0.0, default_pool=dataclasses.asdict(pool)))
    assert operation.recover()
    [corrected] = written
    assert corrected["resources"][0]["outputs"]["pools"] == {**mine, "instanceNames": []}
    assert corrected["resources"][0]["inputs"]["pools"] == {"nodeCount": 1}


@pytest.mark.parametrize("whole", [True, False])
def test_a_cluster_that_builds_is_waited_for_unless_it_shall_go(
    make: Any, monkeypatch: pytest.MonkeyPatch, *, whole: bool
) -> None:
    """After a failed apply the state is read when the cluster is there, so that the outputs are complete."""
    answers = [{"status": "BUILDING"}, {"status": "ACTIVE"}]
    monkeypatch.setattr(civo.Cloud, "cluster", lambda _self, _id: answers.pop(0))
    monkeypatch.setattr(operations.time, "sleep", lambda _seconds: None)
    failing = Session(errors.Reason.ENGINE_FAILED)
    cluster = {
        "urn": "a::civo:index/kubernetesCluster:KubernetesCluster::cluster",
        "type": "civo:index/kubernetesCluster:KubernetesCluster",
        "custom": True,
        "id": "c",
    }
    monkeypatch.setattr(failing, "export", lambda: {"resources": [cluster]})
    monkeypatch.setattr(failing, "refresh", lambda _watch: operations.session.Outcome(operations.plans.Plan(), None))
    operation = make(failing)
    operation._journal.write(operations.journal.Record("apply", 0.0, failed=True))
    assert operation.recover(whole=whole)
    assert len(answers) == (0 if whole else 2)


@pytest.mark.parametrize(
    ("resource", "id_", "said"),
    [
        ("network", "0000", "no network has the id '0000' in LON1; networks there: known"),
        ("node_pool", "0000:workers", "'0000:workers' is no id of a node pool"),
        ("node_pool", f"{ID}:workers", f"no node pool has the id or name 'workers' in cluster {ID} in LON1"),
    ],
)
def test_what_is_not_there_is_not_imported(
    make: Any, monkeypatch: pytest.MonkeyPatch, resource: str, id_: str, said: str
) -> None:
    """A wrong id is an error of its own, before the engine writes a state; what there is, is listed."""
    failing = Session(errors.Reason.ENGINE_FAILED)
    cloud = civo.Cloud("token", "LON1")
    monkeypatch.setattr(operations.clouds, "of", lambda *_given: cloud)
    monkeypatch.setattr(civo.Cloud, "get", lambda _self, path: [{"label": "known"}] if path == "/v2/networks" else None)
    with pytest.raises(errors.PlantonError) as caught:
        make(failing).adoption(resource, id_)
    assert (caught.value.reason, caught.value.message) == (errors.Reason.NOT_FOUND, said)
    assert failing.asked == []


@pytest.mark.parametrize("call", ["unlock", "remove", "replace_state"])
def test_a_backend_that_fails_is_an_error_of_ours(call: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Pulumi's commands on a stack complain of has a reason, and is not a mistake of planton."""

    class Stack:
        """A stack of a backend that fails."""

        work_dir = str(tmp_path)
        env_vars: ClassVar = {}

        def _fail(self, *_args: object, **_more: object) -> None:
            raise automation.CommandError(automation.CommandResult("", "error: the stack is currently locked by 1 lock(s)", 255))

        cancel = run = remove_stack = _fail

        @property
        def workspace(self) -> Any:
            """The workspace, which fails too."""
            return self

    name = operations.stacks.StackName("planton", "a", "owner")  # a folder has no owners
    chosen = settings.Settings(environ={"PLANTON_DATA_DIR": str(tmp_path)})
    opened = session.Session(name, None, chosen, toolchain.Toolchain(pathlib.Path("pulumi"), tmp_path, frozenset()))
    monkeypatch.setattr(opened, "_open", lambda **_more: Stack())
    monkeypatch.setattr(opened, "_command", Stack())
    with pytest.raises(errors.PlantonError) as caught:
        getattr(opened, call)(*([{}] if call == "replace_state" else []))
    assert caught.value.reason is errors.Reason.STACK_LOCKED


def test_the_history_says_what_was_seen_before_references_were_known(make: Any) -> None:
    """The operation that applies is then another one than the one that has planned."""
    failing = Session(errors.Reason.INTERRUPTED)
    change = operations.plans.Change("urn:a::network", "network", "civo:index/network:Network", operations.plans.Action.CREATE)
    with pytest.raises(errors.PlantonError):
        make(failing).apply(operations.plans.Plan((change,)))
    assert failing.message.endswith(": planton apply CivoVpc/a: create network")


def test_a_creation_is_recorded_with_its_tag_and_with_what_there_was_before(make: Any) -> None:
    """Both are on the disk before the request: whatever becomes of this process, the next one can tell what is ours."""
    failing = Session(errors.Reason.INTERRUPTED)
    change = operations.plans.Change("urn:a::network", "network", "civo:index/network:Network", operations.plans.Action.CREATE)
    operation = make(failing)
    seen: list[Any] = []
    fail = failing.up

    def up(watch: object) -> Any:
        seen.append((operation._journal.read(), failing.marker))
        return fail(watch)

    failing.up = up  # type: ignore[method-assign]
    with pytest.raises(errors.PlantonError):
        operation.apply(operations.plans.Plan((change,)))
    [(record, marker)] = seen
    assert record.before == {"urn:a::network": ("n-1",)}
    assert record.marker == marker
    assert marker.startswith("planton-creation:")
    assert not record.failed


def test_a_destroy_deletes_nothing_that_was_not_listed(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another command may have applied something between the list and the consent."""
    failing = Session(errors.Reason.ENGINE_FAILED)
    network = {"urn": GONE, "type": "civo:index/network:Network", "custom": True, "id": "1"}
    monkeypatch.setattr(failing, "export", lambda: {"resources": [network]})
    with pytest.raises(errors.PlantonError, match="also has network, which was not listed; nothing was deleted") as caught:
        make(failing).destroy(operations.plans.Plan())
    assert caught.value.reason is errors.Reason.PLAN_STALE
    assert failing.asked == []


GONE = "urn:pulumi:a::planton::civo:index/network:Network::network"


def _plan(action: operations.plans.Action) -> operations.plans.Plan:
    return operations.plans.Plan((operations.plans.Change(GONE, "network", "civo:index/network:Network", action),))


@pytest.mark.parametrize(
    ("planned", "again"),
    [
        (_plan(operations.plans.Action.REPLACE), True),
        (_plan(operations.plans.Action.UPDATE), False),
        (operations.plans.Plan(), False),
        (None, True),
    ],
)
def test_what_is_gone_is_made_anew_only_as_planned(
    make: Any, monkeypatch: pytest.MonkeyPatch, planned: operations.plans.Plan | None, *, again: bool
) -> None:
    """A replacement whose deletion was done goes on; an update becomes no creation. An import has no plan to hold to."""
    failing = Session(errors.Reason.ENGINE_FAILED)
    states: list[object] = []
    monkeypatch.setattr(failing, "replace_state", states.append)
    monkeypatch.setattr(operations.guards, "missing", lambda *_: {GONE})
    with pytest.raises(errors.PlantonError) as caught:
        make(failing).apply(planned)
    assert failing.asked == ["up", "up"] if again else ["up"]
    assert caught.value.reason is (errors.Reason.ENGINE_FAILED if again else errors.Reason.PLAN_STALE)
    assert len(states) == (1 if again else 2)


def test_what_a_plan_found_missing_and_the_manifest_no_longer_has_stops_nothing(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody deleted it in the cloud, and the user removed it from the manifest: nothing is left to do with it."""
    failing = Session(errors.Reason.ENGINE_FAILED)
    state: dict[str, Any] = {
        "resources": [{"urn": GONE, "type": "civo:index/network:Network", "custom": True, "id": "1", "outputs": {}}]
    }

    def refresh(_watch: object) -> Any:
        state["resources"] = []
        return operations.session.Outcome(operations.plans.Plan(), operations.plans.Recorder())

    monkeypatch.setattr(failing, "export", lambda: dict(state))
    monkeypatch.setattr(failing, "refresh", refresh)
    monkeypatch.setattr(operations.guards, "still_there", lambda *_: [])
    monkeypatch.setattr(operations.guards, "missing", lambda *_: set())
    with pytest.raises(errors.PlantonError) as caught:
        make(failing).apply(operations.plans.Plan(missing=frozenset({GONE}), is_refreshed=True))
    assert caught.value.reason is errors.Reason.ENGINE_FAILED
    assert failing.asked == ["up"], "the apply goes on"


def test_a_record_that_another_command_left_meanwhile_is_not_overwritten(make: Any) -> None:
    """It alone knows what that command may have created."""
    failing = Session(errors.Reason.ENGINE_FAILED)
    operation = make(failing)
    left = operations.journal.Record("apply", 0.0, failed=True, uncertain={GONE: operations.journal.Creation("a")})
    operation._journal.write(left)
    with pytest.raises(errors.PlantonError, match="failed meanwhile") as caught:
        operation.apply(_plan(operations.plans.Action.CREATE))
    assert caught.value.reason is errors.Reason.PLAN_STALE
    assert failing.asked == []
    assert operation._journal.read() == left


def test_a_look_before_a_change_that_finds_a_pool_gone_does_not_make_another(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an autoscaler decides, the state is refreshed first, which must not turn an update into a creation."""
    failing = Session(errors.Reason.ENGINE_FAILED)
    pool = {"urn": GONE, "type": "civo:index/network:Network", "custom": True, "id": "1", "outputs": {"autoScale": True}}
    state: dict[str, Any] = {"resources": [pool]}

    def refresh(_watch: object) -> Any:
        state["resources"] = []
        return operations.session.Outcome(operations.plans.Plan(), operations.plans.Recorder())

    monkeypatch.setattr(failing, "export", lambda: dict(state))
    monkeypatch.setattr(failing, "refresh", refresh)
    monkeypatch.setattr(failing, "replace_state", state.update)
    monkeypatch.setattr(operations.guards, "still_there", lambda *_: [])
    with pytest.raises(
        errors.PlantonError, match="network is missing from the cloud, and the plan does not recreate it"
    ) as caught:
        make(failing).apply(_plan(operations.plans.Action.UPDATE))
    assert caught.value.reason is errors.Reason.PLAN_STALE
    assert failing.asked == []
    assert state == {"resources": [pool]}, "the next plan finds it missing, and asks for consent"


@pytest.mark.parametrize(("aside", "known"), [(True, False), (True, True), (False, False)])
def test_a_plan_that_no_apply_follows_makes_no_stack(
    make: Any, monkeypatch: pytest.MonkeyPatch, *, aside: bool, known: bool
) -> None:
    """What has no stack yet is planned in a folder that is gone afterwards; an owner in the backend is none there."""
    opened: list[tuple[str, str]] = []

    class Planning(Session):
        """A session that plans, and keeps where."""

        def __init__(self, name: Any, backend: str) -> None:
            """Knows its stack."""
            super().__init__(errors.Reason.ENGINE_FAILED)
            self.where = (str(name), backend)

        def export(self) -> dict[str, Any]:
            """Returns a state without resources."""
            return {}

        def is_there(self) -> bool:
            """Says whether the stack is in the backend."""
            return known

        def preview(self, _watch: object) -> Any:
            """Plans nothing."""
            opened.append(self.where)
            folder = pathlib.Path(self.where[1].removeprefix("file://"))
            assert folder.is_dir() or folder == pathlib.Path("/backend")
            return operations.session.Outcome(operations.plans.Plan(), operations.plans.Recorder())

    operation = make(Session(errors.Reason.ENGINE_FAILED))
    monkeypatch.setattr(operations.session, "Session", lambda name, _input, chosen, *_, **__: Planning(name, chosen.backend_url))
    operation.name = operations.stacks.StackName("planton", "a", "acme")
    operation._settings = dataclasses.replace(operation._settings, backend="file:///backend")
    operation._session = operation._open()
    assert operation.plan(aside=aside).empty
    [(name, backend)] = opened
    if aside and not known:
        assert name == "planton/a"
        assert not pathlib.Path(backend.removeprefix("file://")).exists()
    else:
        assert (name, backend) == ("acme/planton/a", "file:///backend")
