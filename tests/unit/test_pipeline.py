"""The stages of the pipeline with several resources, without an engine."""

from __future__ import annotations

import ast
import dataclasses
import pathlib
from typing import Any

import pytest

from planton import errors
from planton.deploy import apply, approve, destroy, graph, plan, planning, prune, saved, steps
from planton.engine import plans, stacks
from planton.manifest import load
from planton.state import journal
from support import mocks, world

CONSENT = approve.Consent(changes=True, deletions=True)
NETWORK = load.Resource(
    mocks.target("CivoVpc", {"civoCredentialId": "default", "networkName": "net", "region": "lon1"}, name="net", env="dev"),
    None,
    "dev.yaml",
)
FIREWALL = load.Resource(
    mocks.target(
        "CivoFirewall",
        {"networkId": {"valueFrom": {"name": "net", "fieldPath": "status.outputs.networkId"}}, "name": "fw"},
        name="fw",
        env="dev",
    ),
    None,
    "dev.yaml",
)


@pytest.fixture
def civo(tmp_path: pathlib.Path) -> world.World:
    """Returns a world without applied resources."""
    return world.World(tmp_path)


def _plan(civo: world.World, **options: Any) -> plan.Plan:
    return planning.make((NETWORK, FIREWALL), plan.Options(**options), civo.run)


def _apply(civo: world.World, **options: Any) -> list[steps.Step]:
    return apply.apply(approve.Approved(_plan(civo, **options), CONSENT))


def _applied(civo: world.World) -> None:
    _apply(civo)
    assert all(step.up_to_date for step in _plan(civo).steps)
    civo.updates.clear()


def _saved(planned: plan.Plan) -> saved.Saved:
    changes = {str(step.key): saved.changes(step.plan) for step in planned.steps}
    return saved.Saved((NETWORK, FIREWALL), changes, {}, {}, (), (), (), "2026-01-01T00:00:00Z", refresh=True, is_signed=True)


def test_destroying_deleted_resources_removes_the_journal_record(civo: world.World) -> None:
    """An earlier destroy was killed after its last deletion, and nothing is left to recover."""
    records = journal.Journal(civo.settings.data, civo.settings.backend_url, stacks.name_of(NETWORK.manifest))
    records.write(journal.Record("destroy", 1.0))
    assert destroy.make([NETWORK], civo.run).steps == ()
    assert records.read() is None


def test_the_journal_record_of_a_running_first_apply_stays(civo: world.World) -> None:
    """The backend may not have its stack yet."""
    records = journal.Journal(civo.settings.data, civo.settings.backend_url, stacks.name_of(NETWORK.manifest))
    records.write(journal.Record("destroy", 1.0))
    with records.hold("apply", civo.settings), pytest.raises(errors.PlantonError, match="apply by"):
        destroy.make([NETWORK], civo.run)
    assert records.read() is not None


def test_a_reference_to_a_new_resource_is_applied_as_planned(civo: world.World) -> None:
    """The reference is resolved during the apply. The plan of the step is the approved one."""
    assert [step.error for step in _apply(civo)] == [None, None]
    assert [change.action for change in civo.updates["fw"].changes] == [plans.Action.CREATE]
    assert civo.updates["fw"] == civo.planned["fw"][0]
    assert civo.applied["fw"].manifest.spec.network_id.value == civo.id  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("action", "is_saved", "is_done"),
    [(plans.Action.UPDATE, False, True), (plans.Action.UPDATE, True, False), (plans.Action.REPLACE, False, False)],
)
def test_a_dependant_of_changed_outputs_is_planned_again(
    civo: world.World, action: plans.Action, *, is_saved: bool, is_done: bool
) -> None:
    """Its plan used the old outputs. An unapproved replacement is refused, and so is any change of a saved plan."""
    _applied(civo)
    civo.actions = {"net": plans.Action.UPDATE}
    planned = _plan(civo, saved=_saved(_plan(civo)) if is_saved else None)
    assert [step.up_to_date for step in planned.steps] == [False, True]
    civo.id = "22222222-2222-2222-2222-222222222222"
    civo.actions["fw"] = action
    network, firewall = apply.apply(approve.Approved(planned, CONSENT))
    assert network.error is None
    if is_done:
        assert [change.action for change in firewall.plan.changes] == [action]
        assert civo.applied["fw"].manifest.spec.network_id.value == civo.id  # type: ignore[attr-defined]
    else:
        assert firewall.error is not None
        assert firewall.error.reason is errors.Reason.PLAN_STALE
        assert firewall.error.message.endswith(f"has changed, and this would {action} firewall, which was not planned")
        assert list(civo.updates) == ["net"]


def test_without_consent_no_change_comes_up_after_the_plan(civo: world.World) -> None:
    """A plan without changes needs no consent. Another process then changes what the firewall refers to."""
    _applied(civo)
    planned = _plan(civo)
    approved = approve.Approved(planned, approve.Consent())
    civo.id = "22222222-2222-2222-2222-222222222222"
    civo.actions = {"net": plans.Action.UPDATE}
    apply.apply(approve.Approved(planning.make((NETWORK,), plan.Options(), civo.run), CONSENT))
    civo.updates.clear()
    civo.actions = {"fw": plans.Action.UPDATE}
    _, firewall = apply.apply(approved)
    assert firewall.error is not None
    assert firewall.error.reason is errors.Reason.PLAN_STALE
    assert civo.updates == {}


def test_a_stage_accepts_only_an_approval_of_its_own_operation(civo: world.World) -> None:
    """A plan is no approval, and the approval of an apply is none of a destroy."""
    planned, deletion = _plan(civo), destroy.make([NETWORK], civo.run)
    for stage in (apply.apply, destroy.destroy):
        with pytest.raises(TypeError, match="Plan is not an approved plan"):
            stage(planned)  # type: ignore[arg-type]  # that is the point
    for stage, other in ((apply.apply, deletion), (destroy.destroy, planned)):
        with pytest.raises(errors.PlantonError, match="of an operation of another kind") as caught:
            stage(approve.Approved(other, CONSENT))
        assert caught.value.reason is errors.Reason.USAGE
    assert (civo.updates, civo.destroyed) == ({}, [])


@pytest.mark.parametrize(
    ("call", "files"),
    [("operations.update", {"apply.py"}), ("operations.destroy", {"destroy.py"}), ("run_steps", {"apply.py", "destroy.py"})],
)
def test_only_the_stages_of_approved_plans_change_a_cloud(call: str, files: set[str]) -> None:
    """The engine's updates and deletions have no other caller."""
    texts = [(path.name, path.read_text("utf-8")) for path in pathlib.Path(apply.__file__).parents[1].rglob("*.py")]
    callers = {
        name
        for name, text in texts
        if f"{call.rpartition('.')[2]}(" in text
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and f".{ast.unparse(node.func)}".endswith(f".{call}")
    }
    assert callers == files


@pytest.mark.parametrize(
    ("target", "action"), [(plans.Action.CREATE, plans.Action.CREATE), (plans.Action.REPLACE, plans.Action.REPLACE)]
)
def test_a_resource_inside_a_missing_one_is_refreshed(civo: world.World, target: plans.Action, action: plans.Action) -> None:
    """It was deleted with its parent and needs no consent. An existing resource is replaced with its parent."""
    _applied(civo)
    civo.actions = {"net": target, "fw": plans.Action.REPLACE}
    planned = _plan(civo, refresh=False)
    assert [[change.action for change in step.plan.changes] for step in planned.steps] == [[target], [action]]
    assert civo.refreshed == (["fw"] if target is plans.Action.CREATE else [])


def test_a_dependant_of_unchanged_outputs_is_not_planned_again(civo: world.World) -> None:
    """One plan per resource is enough."""
    _applied(civo)
    civo.actions = {"net": plans.Action.UPDATE}
    civo.planned.clear()
    assert [step.error for step in _apply(civo)] == [None, None]
    assert list(civo.updates) == ["net"]
    assert [len(attempts) for attempts in civo.planned.values()] == [1, 1]


def test_only_a_stack_that_differs_from_the_cloud_is_refreshed(civo: world.World) -> None:
    """The lists of the cloud show the difference, so that an unchanged stack needs no engine start."""
    _applied(civo)
    civo.changed = {"fw"}
    assert [(step.is_checked, step.plan.is_refreshed, step.up_to_date) for step in _plan(civo).steps] == [
        (True, False, True),
        (True, True, False),
    ]
    for step in _plan(civo, refresh=False).steps:
        assert (step.is_checked, step.up_to_date) == (False, True)


def test_a_cloud_that_cannot_be_read_is_explained_once_for_each_resource(civo: world.World) -> None:
    """The resources of an account share the list of the cloud, and so its error."""
    _applied(civo)
    shared = errors.PlantonError("the cloud does not answer", reason=errors.Reason.CLOUD_UNREACHABLE, hint="check the address")

    def differs(_subject: object, _lists: object) -> bool:
        raise shared

    run = dataclasses.replace(civo.run, operations=dataclasses.replace(civo.run.operations, differs=differs))
    hints = [step.own_error.hint for step in planning.make((NETWORK,), plan.Options(), run).steps if step.own_error]
    assert hints == ["check the address; --refresh=false plans without reading the cloud"]
    assert shared.hint == "check the address"


def test_a_missing_resource_is_a_warning_with_its_dependants(civo: world.World) -> None:
    """Its ID changes, so its dependants must change too."""
    _applied(civo)
    civo.changed, civo.actions = {"net"}, {"net": plans.Action.CREATE}
    network, firewall = _plan(civo).steps
    assert network.plan.warnings == (
        "network is missing from the cloud and would be recreated, with a new id; CivoFirewall/fw (env dev) refer to it",
    )
    assert firewall.plan.warnings == ()


def test_a_resource_of_another_folder_needs_consent_to_take_it_over(civo: world.World) -> None:
    """The step names that folder, and the consent names the resource."""
    civo.origins = {"net": "example.com/acme//envs"}
    _apply(civo)
    planned = _plan(civo)
    assert [step.owner for step in planned.steps] == ["example.com/acme//envs", ""]
    with pytest.raises(errors.PlantonError) as caught:
        approve.Approved(planned, CONSENT)
    assert caught.value.reason is errors.Reason.TAKE_OVER_REFUSED
    approve.Approved(planned, approve.Consent(changes=True, take_over=("CivoVpc/net",)))


def test_prune_destroys_resources_without_a_manifest(civo: world.World) -> None:
    """They are part of the plan and need consent to deletions."""
    civo.origins = {"net": "folder", "fw": "folder"}
    _apply(civo)
    network = load.Resource(NETWORK.manifest, None, "dev.yaml", origin="folder")
    planned = planning.make((network,), plan.Options(selection=prune.Pruning(("folder",))), civo.run)
    assert [step.key.name for step in planned.pruned] == ["fw"]
    with pytest.raises(errors.PlantonError) as caught:
        approve.Approved(planned, approve.Consent(changes=True))
    assert caught.value.reason is errors.Reason.CONSENT_REQUIRED
    apply.apply(approve.Approved(planned, CONSENT))
    assert civo.destroyed == ["fw"]
    assert list(civo.applied) == ["net"]


def test_a_destroy_deletes_dependants_first(civo: world.World) -> None:
    """The cloud refuses to delete a network in use."""
    _apply(civo)
    destroy.destroy(approve.Approved(destroy.make([NETWORK, FIREWALL], civo.run), CONSENT))
    assert civo.destroyed == ["fw", "net"]


def test_a_graph_orders_dependencies_first() -> None:
    """The order of the manifests does not matter."""
    resources = graph.of([FIREWALL, NETWORK])
    assert [key.name for key in resources.order] == ["net", "fw"]
    assert resources.dependants(resources.order) == {resources.order[0]: {resources.order[1]}, resources.order[1]: set()}


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:8080", "", None])
def test_the_state_of_a_sandbox_cannot_be_used_with_a_cloud(civo: world.World, endpoint: str | None) -> None:
    """The cloud would report its resources as missing, and they would be recreated. Older states have no endpoint."""
    _apply(civo)
    civo.applied = {name: dataclasses.replace(each, endpoint=endpoint) for name, each in civo.applied.items()}
    planned, listed = _plan(civo), destroy.make([NETWORK, FIREWALL], civo.run)
    reasons = {None if step.error is None else step.error.reason for step in (planned.steps[0], *listed.steps)}
    assert reasons == {errors.Reason.STATE_UNFIT if endpoint else None}
