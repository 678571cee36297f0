"""One run of a controller, with a cloud, an API and an engine in memory."""

from __future__ import annotations

import dataclasses
import datetime
import types
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf import json_format

from org.project_planton.cluster.v1 import audit_pb2, cluster_pb2, credential_pb2, status_pb2
from org.project_planton.nodepool.v1 import nodepool_pb2
from planton import errors
from planton.client import transport
from planton.config import credentials_file
from planton.config import settings as engine_settings
from planton.controllers import lease, manifests, queue, reconcile, values
from planton.engine import plans, stacks
from planton.schema import kinds, references
from planton.state import inventory

POOL = "3f2c8a11-0c1d-4c7e-9b67-0d7a5f9a2b11"
CLUSTER = "9c1d2e3f-4a5b-4c6d-8e7f-0a1b2c3d4e5f"
NOW = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC)


@dataclasses.dataclass
class Api:
    """An API with one node pool.

    Attributes:
        generation: The generation of the node pool.
        is_deleted: Whether its deletion was requested.
        recorded: The ids and records of the audit.
        failure: What recording fails with; None if it does not.
        reported: The reports.
        credential: The credential of the cluster that the API has, or the error of reading it; None if it has none.
    """

    generation: int = 1
    is_deleted: bool = False
    recorded: list[tuple[str, audit_pb2.AuditRecord]] = dataclasses.field(default_factory=list)
    failure: errors.PlantonError | None = None
    reported: list[status_pb2.StatusReport] = dataclasses.field(default_factory=list)
    credential: credential_pb2.GetClusterCredentialResponse | transport.ApiError | None = None

    def record_node_pool_event(self, _identifier: str, event_id: str, event: audit_pb2.AuditRecord) -> None:
        """Takes a record of the audit."""
        if self.failure is not None:
            raise self.failure
        kept = audit_pb2.AuditRecord()
        kept.CopyFrom(event)
        self.recorded.append((event_id, kept))

    def get_node_pool(self, identifier: str) -> nodepool_pb2.NodePool:
        """Returns the node pool."""
        spec = {"nodeCount": self.generation, "platform": {"type": "civo", "civo": {"size": "g4s.kube.small"}}}
        data = {"id": identifier, "name": "workers", "cluster_id": CLUSTER, "generation": str(self.generation), "spec": spec}
        return json_format.ParseDict(
            data | ({"deleted_at": "2026-11-30T12:00:00Z"} if self.is_deleted else {}), nodepool_pb2.NodePool()
        )

    def get_cluster(self, identifier: str) -> cluster_pb2.Cluster:
        """Returns its cluster."""
        spec = {"platform": {"type": "civo", "civo": {"region": "LON1"}}}
        return json_format.ParseDict(
            {"id": identifier, "name": "production", "generation": "1", "spec": spec}, cluster_pb2.Cluster()
        )

    def get_cluster_credential(self, _identifier: str) -> credential_pb2.GetClusterCredentialResponse:
        """Returns the credential of the cluster."""
        if self.credential is None:
            raise transport.ApiError(404, {"code": "NOT_FOUND", "message": "Credential not found"}, "r-1")
        if isinstance(self.credential, transport.ApiError):
            raise self.credential
        return self.credential

    def get_node_pool_status(self, _identifier: str) -> Any:
        """Returns no reports."""
        return types.SimpleNamespace(controller_status=[])

    def report_node_pool_status(self, _identifier: str, report: status_pb2.StatusReport) -> Any:
        """Takes a report."""
        self.reported.append(report)
        return types.SimpleNamespace(controller_status=[])


@dataclasses.dataclass
class Cloud:
    """A cloud whose node pool is never as desired."""

    run: Any = dataclasses.field(default_factory=lambda: types.SimpleNamespace(tools=None))
    lists: Any = dataclasses.field(default_factory=lambda: types.SimpleNamespace(forget=lambda _: None))
    nodes: Any = dataclasses.field(default_factory=lambda: types.SimpleNamespace(forget=lambda _: None))

    def applied(self, identifier: str, _revision: int = 1) -> inventory.Applied:
        """Returns a node pool as it was applied."""
        kind = manifests.kind_of(kinds.Role.NODE_POOL, "civo")
        assert kind is not None
        data = json_format.MessageToDict(Api().get_node_pool(identifier))
        manifest: Any = manifests.resource(manifests.Source(POOL, kind, data, {"id": CLUSTER, "region": "lon1"})).manifest
        # It has an output, so an apply has finished.
        setattr(manifest.status.outputs, manifest.status.outputs.DESCRIPTOR.fields[0].name, "p-1")
        return inventory.Applied(references.key(manifest), stacks.name_of(manifest), manifest, 1, "", "")

    def revisions(self, _identifier: str) -> list[int]:
        """Returns the revisions with states."""
        return [1]

    def subject(self, _resource: object, **_: object) -> Any:
        """Returns what locates the resource."""
        return types.SimpleNamespace(account="a", cluster_id=CLUSTER, main=None, managed=types.SimpleNamespace(cloud=None))

    def look(self, _subject: object, **_: object) -> values.Observed:
        """Returns a node pool with another number of nodes."""
        return values.Observed(presence=values.Presence.PRESENT, changed=("nodeCount",), cloud_nodes=0, nodes=())

    def drains(self, _subject: object, observation: values.Observed, *_: object) -> values.Observed:
        """Returns an observation without drains."""
        return observation


def actions(api: Api, after: dict[str, Any]) -> tuple[list[tuple[str, int]], reconcile.Done]:
    """Runs once, and returns each action with the generation that it applied, and the end of the run.

    Args:
        api: The API.
        after: Attributes of the API that the first action meanwhile gets.
    """
    made: list[tuple[str, int]] = []

    def act(action: values.Action, *_: object, **__: object) -> None:
        made.append((str(action), api.generation))
        if len(made) == 1:
            for name, value in after.items():
                setattr(api, name, value)

    return made, run(api, act)


def run(api: Api, act: Callable[..., None], *, account: str = "") -> reconcile.Done:
    """Runs once, with the credential of this name."""
    held = lease.Lease()
    held.renewed(lease.clock(), 3600)
    settings = engine_settings.Settings(environ={}, interruption=lease.Interruption(held))
    any_api: Any = api
    cloud: Any = Cloud()
    reconciler = reconcile.Reconciler(any_api, cloud, now=lambda: NOW, act=act, process="worker-1")
    return reconciler.run(queue.Work(POOL, "NodePool", CLUSTER, "civo", 1, account), settings)


def planned(*changes: plans.Change) -> Any:
    """Returns a plan with changes."""
    steps = [types.SimpleNamespace(plan=types.SimpleNamespace(changes=changes))]
    return types.SimpleNamespace(all_steps=steps, autoscalers=())


RESIZED = planned(plans.Change("u", "node_pool", "t", plans.Action.UPDATE, (plans.Difference("nodeCount", 0, 1),)))


def test_a_change_during_an_action_is_left_to_the_next_run() -> None:
    """The queue starts that run when the changes have ended, so that they share an action."""
    made, done = actions(Api(), {"generation": 7})
    assert (made, done.generation) == ([("update", 1)], 1)


def test_a_deletion_during_an_action_is_begun_at_once() -> None:
    """No further change can follow."""
    made, _ = actions(Api(), {"generation": 7, "is_deleted": True})
    assert made[1] == ("delete", 7)


def test_an_action_is_recorded_before_it_changes_anything_and_when_it_ends() -> None:
    """With its cause, the process and both values, under one id."""
    api, before = Api(), []

    def act(*_: object, begin: Callable[[object], None], **__: object) -> None:
        begin(RESIZED)
        before.append(api.recorded[-1][1].outcome)
        api.generation += 1

    run(api, act)
    (first_id, first), (last_id, last) = api.recorded
    assert (before, first_id == last_id, last.outcome) == (["Started"], True, "Succeeded")
    assert (first.controller_name, first.process, first.generation) == ("planton-civo", "worker-1", 1)
    assert (first.action, first.cause, first.reason) == ("update", "SpecChange", "nodeCount is being changed")
    [change] = last.changes
    assert (change.resource, change.field, change.before, change.after) == ("node_pool", "nodeCount", "0", "1")


def test_a_failed_action_is_recorded_with_the_text_of_the_cloud_escaped() -> None:
    """An answer of a cloud may contain anything."""
    api = Api()

    def act(*_: object, begin: Callable[[object], None], **__: object) -> None:
        begin(RESIZED)
        raise errors.PlantonError("quota \x1b[2Jexceeded", reason=errors.Reason.API_UNREACHABLE)

    run(api, act)
    last = api.recorded[-1][1]
    assert (last.outcome, last.error) == ("Failed", "quota \\u001b[2Jexceeded")


def test_an_interrupted_action_says_so() -> None:
    """Another process continues it."""
    api = Api()

    def act(*_: object, begin: Callable[[object], None], **__: object) -> None:
        begin(RESIZED)
        raise errors.PlantonError("stopped", reason=errors.Reason.INTERRUPTED)

    with pytest.raises(errors.PlantonError):
        run(api, act)
    assert [each.outcome for _, each in api.recorded] == ["Started", "Interrupted"]


def test_an_action_without_changes_is_not_recorded() -> None:
    """The plan is empty, or it was not reached."""
    api = Api()

    def act(*_: object, begin: Callable[[object], None], **__: object) -> None:
        begin(planned())
        api.generation += 1

    run(api, act)
    assert api.recorded == []


def test_a_cluster_that_the_cloud_lost_is_no_mistake_in_the_spec_of_its_pool() -> None:
    """The user did not write its id."""
    api = Api()

    def act(*_: object, **__: object) -> None:
        missing = errors.Violation(
            "the spec", 0, 0, "spec.cluster", f"no cluster has the name or id {CLUSTER}", "cloud.reference_found"
        )
        raise errors.InvalidError([missing], reason=errors.Reason.NOT_FOUND)

    run(api, act)
    error = api.reported[-1].last_error
    assert (error.error_code, error.message) == ("DEPENDENCY_NOT_READY", "cluster production is missing from the cloud")


def test_nothing_is_changed_if_the_audit_cannot_be_written() -> None:
    """No change is without its record."""
    api, changed = Api(failure=errors.PlantonError("gone", reason=errors.Reason.API_UNREACHABLE)), []

    def act(*_: object, begin: Callable[[object], None], **__: object) -> None:
        begin(RESIZED)
        changed.append(True)

    run(api, act)
    assert changed == []


@pytest.mark.parametrize("is_stored", [True, False])
def test_a_run_uses_the_credential_that_the_api_has_now(*, is_stored: bool) -> None:
    """Each run reads it again. Without one, the name is an entry of this machine's file."""
    field = credential_pb2.CredentialField(name="api_token", value="stored-token")
    stored = credential_pb2.GetClusterCredentialResponse(platform="civo", name="acme", fields=[field])
    api, used = Api(credential=stored if is_stored else None), []
    kind = manifests.kind_of(kinds.Role.NODE_POOL, "civo")
    assert kind is not None

    def act(_action: object, _resource: object, settings: engine_settings.Settings, **_: object) -> None:
        environ = {**settings.environ, "PLANTON_CREDENTIALS": "/none"}
        try:
            used.append(getattr(credentials_file.entry(kind, "acme", environ), "api_token"))  # noqa: B009  # a field of one cloud
        except errors.PlantonError as error:
            used.append(str(error.reason))
        api.generation += 1

    run(api, act, account="acme")
    assert used == ["stored-token" if is_stored else "CREDENTIAL_UNKNOWN"]


def test_a_credential_that_cannot_be_decrypted_is_in_the_status_and_nothing_is_done() -> None:
    """Another account must not be used in its place. The operator has the keys of the server."""
    error = transport.ApiError(409, {"code": "CONFLICT", "message": "credential acme cannot be decrypted"}, "r-1")
    api, acted = Api(credential=error), []
    done = run(api, lambda *_, **__: acted.append(True), account="acme")
    [report] = api.reported
    assert (report.last_error.error_code, report.last_error.user_actionable) == ("AUTHENTICATION_FAILED", False)
    assert report.last_error.message == "credential acme cannot be decrypted"
    assert json_format.MessageToDict(report.last_error.details)["action"] == "operator"
    degraded = next(each for each in report.conditions if each.type == "Degraded")
    assert (degraded.status, degraded.reason, degraded.message) == ("True", "AuthenticationFailed", report.last_error.message)
    assert acted == []
    assert done.next_look is not None
    assert done.next_look <= datetime.timedelta(minutes=1)
