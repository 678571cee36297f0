"""Runs over several resources, without an engine."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Any

import pytest

from planton import errors
from planton.config import settings
from planton.deploy import checks, run, steps
from planton.engine import plans, stacks, toolchain
from planton.manifest import load
from planton.schema import references
from planton.state import inventory, journal
from support import mocks, offers


@pytest.fixture
def chosen(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> settings.Settings:
    """The settings of a machine on which nothing is applied."""
    monkeypatch.setattr(inventory.Inventory, "is_applied", lambda *_given: False)
    return settings.Settings(environ={"PLANTON_DATA_DIR": str(tmp_path)})


def _left(chosen: settings.Settings) -> tuple[run.Run, journal.Journal]:
    manifest = mocks.target("CivoVpc", {"networkName": "net"}, name="net", env="dev")
    records = journal.Journal(chosen.data, chosen.backend_url, stacks.name_of(manifest))
    records.write(journal.Record("destroy", 1.0))
    tools = toolchain.Toolchain(pathlib.Path("pulumi"), pathlib.Path(), frozenset())
    return run.Run([load.Resource(manifest, None, "net.yaml")], chosen, tools), records


def test_a_destroy_of_what_is_gone_leaves_no_record(chosen: settings.Settings) -> None:
    """The one before was killed after its last deletion; nothing is left that could be recovered."""
    destroying, records = _left(chosen)
    assert destroying.plan_destroy() == []
    assert records.read() is None


def test_the_record_of_a_first_apply_that_goes_on_stays(chosen: settings.Settings) -> None:
    """Its stack may not be in the backend yet."""
    destroying, records = _left(chosen)
    with records.hold("apply", chosen), pytest.raises(errors.PlantonError, match="apply by"):
        destroying.plan_destroy()
    assert records.read() is not None


TYPES = {"CivoVpc": ("network", "civo:index/network:Network"), "CivoFirewall": ("firewall", "civo:index/firewall:Firewall")}


class World:
    """Operations of an engine that plans what it is told to and makes everything at once."""

    def __init__(self) -> None:
        """Has applied nothing."""
        self.applied: dict[str, inventory.Applied] = {}
        self.actions: dict[str, plans.Action | None] = {}
        self.planned: dict[str, list[plans.Plan]] = {}
        self.told: dict[str, plans.Plan] = {}
        self.refreshed: list[str] = []
        self.changed: set[str] = set()
        self.origins: dict[str, str] = {}
        self.makes = "11111111-1111-1111-1111-111111111111"

    def plan(self, target: Any) -> plans.Plan:
        """Returns the plan of a resource: a creation, nothing, or what the test says."""
        applied = self.applied.get(target.metadata.name)
        usual = None if applied is not None and run._same(applied.manifest, target) else plans.Action.CREATE
        action = self.actions.get(target.metadata.name, usual)
        name, type_ = TYPES[target.kind]
        made = plans.Plan(() if action is None else (plans.Change(f"urn::{name}", name, type_, action),))
        self.planned.setdefault(target.metadata.name, []).append(made)
        return made

    def apply(self, target: Any, planned: plans.Plan) -> None:
        """Makes a resource, whose first output is an id."""
        self.told[target.metadata.name] = planned
        manifest = type(target)()
        manifest.CopyFrom(target)
        outputs = manifest.status.outputs
        setattr(outputs, outputs.DESCRIPTOR.fields[0].name, self.makes)
        name = stacks.name_of(manifest)
        origin = self.origins.get(target.metadata.name, "")
        self.applied[target.metadata.name] = inventory.Applied(references.key(manifest), name, manifest, 1, "", "", origin)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Runs work on this world instead of an engine."""
    made = World()

    class Operations:
        """The operations on one resource of the world."""

        on_event = None
        is_adopting = False

        def __init__(self, stack_input: Any, *_given: object, **_more: object) -> None:
            """Opens nothing."""
            self.stack_input = stack_input
            self.target = stack_input.target
            self.name = stacks.name_of(self.target)

        def plan(self, *, aside: bool = False, refresh: bool = False) -> plans.Plan:
            """Plans it."""
            assert not aside
            missing = frozenset({f"urn::{TYPES[self.target.kind][0]}"} if refresh else ())
            return dataclasses.replace(made.plan(self.target), missing=missing, is_refreshed=refresh)

        def is_changed(self, _lists: object) -> bool:
            """Says whether the cloud differs from the state."""
            return self.target.metadata.name in made.changed

        def apply(self, planned: plans.Plan) -> tuple[plans.Plan, Any]:
            """Makes it."""
            made.apply(self.target, planned)
            return planned, made.applied[self.target.metadata.name].manifest.status.outputs  # type: ignore[attr-defined]

        def refresh(self) -> None:
            """Finds that it is gone."""
            made.refreshed.append(self.target.metadata.name)
            made.actions[self.target.metadata.name] = plans.Action.CREATE

        def unfinished(self) -> bool:
            """Says that all has ended well."""
            return False

        def recover(self) -> bool:
            """Finds nothing to do."""
            return False

    monkeypatch.setattr(run.operations, "Operations", Operations)
    monkeypatch.setattr(inventory.Inventory, "find", lambda _self, key: made.applied.get(key.name))
    monkeypatch.setattr(inventory.Inventory, "read", lambda _self, name: made.applied.get(name.stack.rpartition(".")[2]))
    return made


def _folder(tmp_path: pathlib.Path) -> run.Run:
    network = mocks.target(
        "CivoVpc", {"civoCredentialId": "default", "networkName": "net", "region": "lon1"}, name="net", env="dev"
    )
    reference = {"valueFrom": {"name": "net", "fieldPath": "status.outputs.networkId"}}
    firewall = mocks.target("CivoFirewall", {"networkId": reference, "name": "fw"}, name="fw", env="dev")
    chosen = settings.Settings(environ={"PLANTON_DATA_DIR": str(tmp_path), "CIVO_TOKEN": "token", "CIVO_REGION": "lon1"})
    tools = toolchain.Toolchain(pathlib.Path("pulumi"), pathlib.Path(), frozenset())
    lists = checks.Checks(chosen.progress, open_cloud=lambda *_given: offers.Cloud())
    return run.Run([load.Resource(each, None, "dev.yaml") for each in (network, firewall)], chosen, tools, plan_checks=lists)


def test_what_was_planned_is_known_to_the_apply_of_what_refers_to_something_new(world: World, tmp_path: pathlib.Path) -> None:
    """Its reference resolves only then; the history says all the same what was to change."""
    folder = _folder(tmp_path)
    assert [step.error for step in folder.apply(folder.plan(recover=True))] == [None, None]
    assert [change.action for change in world.told["fw"].changes] == [plans.Action.CREATE]
    assert world.told["fw"] == world.planned["fw"][0]


def _made(world: World, tmp_path: pathlib.Path) -> list[steps.Step]:
    folder = _folder(tmp_path)
    folder.apply(folder.plan(recover=True))
    planned = _folder(tmp_path).plan(recover=True)
    assert all(step.up_to_date for step in planned)
    world.told.clear()
    return planned


@pytest.mark.parametrize(
    ("action", "exact", "done"),
    [
        (plans.Action.UPDATE, False, True),
        (plans.Action.UPDATE, True, False),
        (plans.Action.REPLACE, False, False),
    ],
)
def test_what_refers_to_outputs_that_have_changed_is_not_up_to_date(
    world: World, tmp_path: pathlib.Path, action: plans.Action, *, exact: bool, done: bool
) -> None:
    """It was planned with the old ones; what nobody has consented to is not done, and nothing but what a saved plan says."""
    _made(world, tmp_path)
    world.actions = {"net": plans.Action.UPDATE}
    folder = _folder(tmp_path)
    planned = folder.plan(recover=True)
    assert [step.up_to_date for step in planned] == [False, True]
    world.makes = "22222222-2222-2222-2222-222222222222"
    world.actions["fw"] = action
    network, firewall = folder.apply(planned, exact=exact)
    assert network.error is None
    if done:
        assert [change.action for change in firewall.plan.changes] == [action]
        assert world.applied["fw"].manifest.spec.network_id.value == world.makes  # type: ignore[attr-defined]
    else:
        assert firewall.error is not None
        assert firewall.error.reason is errors.Reason.PLAN_STALE
        assert firewall.error.message.endswith(f"has changed, and this would {action} firewall, which was not planned")
        assert list(world.told) == ["net"]


@pytest.mark.parametrize(
    ("target", "action"), [(plans.Action.CREATE, plans.Action.CREATE), (plans.Action.REPLACE, plans.Action.REPLACE)]
)
def test_what_was_in_something_that_is_gone_is_looked_for(
    world: World, tmp_path: pathlib.Path, target: plans.Action, action: plans.Action
) -> None:
    """It is gone with it, and needs no consent to be replaced; what is there is replaced with what it is in."""
    _made(world, tmp_path)
    world.actions = {"net": target, "fw": plans.Action.REPLACE}
    network, firewall = _folder(tmp_path).plan(recover=True, refresh=False)
    assert [[change.action for change in step.plan.changes] for step in (network, firewall)] == [[target], [action]]
    assert world.refreshed == (["fw"] if target is plans.Action.CREATE else [])


def test_what_refers_to_outputs_that_stay_is_left_alone(world: World, tmp_path: pathlib.Path) -> None:
    """Nothing is planned a second time."""
    _made(world, tmp_path)
    world.actions = {"net": plans.Action.UPDATE}
    folder = _folder(tmp_path)
    world.planned.clear()
    assert [step.error for step in folder.apply(folder.plan(recover=True))] == [None, None]
    assert list(world.told) == ["net"]
    assert [len(made) for made in world.planned.values()] == [1, 1]


def test_only_what_differs_from_the_lists_of_the_cloud_is_refreshed(world: World, tmp_path: pathlib.Path) -> None:
    """A stack that is as the cloud says costs no engine start of its own."""
    _made(world, tmp_path)
    world.changed = {"fw"}
    network, firewall = _folder(tmp_path).plan(recover=True)
    assert [(step.is_checked, step.plan.is_refreshed, step.up_to_date) for step in (network, firewall)] == [
        (True, False, True),
        (True, True, False),
    ]
    for step in _folder(tmp_path).plan(recover=True, refresh=False):
        assert (step.is_checked, step.up_to_date) == (False, True)


def test_what_is_missing_from_the_cloud_is_a_warning_with_what_refers_to_it(world: World, tmp_path: pathlib.Path) -> None:
    """Its id changes, so that those must change too."""
    _made(world, tmp_path)
    world.changed, world.actions = {"net"}, {"net": plans.Action.CREATE}
    network, firewall = _folder(tmp_path).plan(recover=True)
    assert network.plan.warnings == (
        "network is missing from the cloud and would be recreated, with a new id; CivoFirewall/fw (env dev) refer to it",
    )
    assert firewall.plan.warnings == ()


def test_what_another_folder_applied_is_named_with_that_folder(world: World, tmp_path: pathlib.Path) -> None:
    """The command then demands a consent by name."""
    world.origins = {"net": "example.com/acme//envs"}
    _folder(tmp_path).apply(_folder(tmp_path).plan(recover=True))
    network, firewall = _folder(tmp_path).plan(recover=True)
    assert (network.owner, firewall.owner) == ("example.com/acme//envs", "")
