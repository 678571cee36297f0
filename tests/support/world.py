"""The real stages of the pipeline, with stacks that change at once and without engine or cloud."""

from __future__ import annotations

import pathlib
from typing import Any

from planton.config import settings
from planton.deploy import runtime
from planton.engine import plans, stacks, states, toolchain
from planton.modules import stored_json
from planton.recovery import operations, resuming, updating
from planton.schema import kinds
from planton.state import inventory
from support import offers

TOOLS = toolchain.Toolchain(pathlib.Path("pulumi"), pathlib.Path(), frozenset())


class Inventory(inventory.Inventory):
    """The applied resources of a world."""

    def __init__(self, world: World) -> None:
        super().__init__(world.settings, TOOLS)
        self._world = world

    def all(self) -> list[inventory.Applied]:
        """Returns all applied resources."""
        return list(self._world.applied.values())

    def find(self, key: Any) -> inventory.Applied | None:
        """Returns the applied resource with a name, or None."""
        return self._world.applied.get(key.name)

    def read(self, name: stacks.StackName) -> inventory.Applied | None:
        """Returns the applied resource of a stack, or None."""
        return self._world.applied.get(name.stack.rpartition(".")[2])

    def is_applied(self, manifest: Any) -> bool:
        """Returns whether a resource was applied."""
        return manifest.metadata.name in self._world.applied


class World:
    """Stacks whose changes are set by a test.

    Attributes:
        applied: Name → applied resource.
        actions: Name → the action of its next plan; None for no changes.
        planned: Name → its plans.
        updates: Name → the plan of its last update.
        refreshed: The names with a refreshed state.
        changed: The names that differ in the cloud's lists.
        destroyed: The names of deleted stacks.
        origins: Name → the folder that it is applied from.
        id: The ID of the next created resource.
    """

    def __init__(self, folder: pathlib.Path, **variables: str) -> None:
        """Starts without applied resources.

        Args:
            folder: The data folder.
            variables: The environment, e.g. the credential; that of Civo by default.
        """
        environ = {"PLANTON_DATA_DIR": str(folder), **(variables or {"CIVO_TOKEN": "token", "CIVO_REGION": "lon1"})}
        self.progress: list[str] = []
        self.settings = settings.Settings(environ=environ, progress=self.progress.append)
        self.applied: dict[str, inventory.Applied] = {}
        self.actions: dict[str, plans.Action | None] = {}
        self.planned: dict[str, list[plans.Plan]] = {}
        self.updates: dict[str, plans.Plan] = {}
        self.refreshed: list[str] = []
        self.changed: set[str] = set()
        self.destroyed: list[str] = []
        self.origins: dict[str, str] = {}
        self.id = "11111111-1111-1111-1111-111111111111"

    @property
    def run(self) -> runtime.Runtime:
        """The runtime of this world."""
        world_operations = operations.Operations(
            recover=lambda *_arguments, **_options: resuming.Recovery(),
            preview=self._preview,
            differs=lambda subject, _lists: subject.key.name in self.changed,
            update=self._update,
            refresh=self._refresh,
            deletions=lambda subject: plans.Plan((_change(subject.target, plans.Action.DELETE),)),
            destroy=self._destroy,
        )
        return runtime.Runtime(
            self.settings, TOOLS, Inventory(self), open_cloud=lambda *_arguments: offers.Cloud(), operations=world_operations
        )

    def _preview(self, subject: Any, *, refresh: bool = False, **_options: object) -> plans.Plan:
        name = subject.key.name
        applied = self.applied.get(name)
        default = None if applied is not None and _same(applied.manifest, subject.target) else plans.Action.CREATE
        action = self.actions.get(name, default)
        missing = frozenset({_urn(subject.target)} if refresh else ())
        changes = () if action is None else (_change(subject.target, action),)
        planned = plans.Plan(changes, missing=missing, is_refreshed=refresh)
        self.planned.setdefault(name, []).append(planned)
        return planned

    def _update(self, subject: Any, plan: plans.Plan, **_options: object) -> updating.Updated:
        name, target = subject.key.name, subject.target
        self.updates[name] = plan
        outputs = self.outputs(subject)
        recorded = {states.MANIFEST: stored_json(target), states.ORIGIN: self.origins.get(name, "")}
        state = {"resources": [{"urn": "urn::stack", "type": "pulumi:pulumi:Stack", "outputs": {**outputs, **recorded}}]}
        applied = self.run.inventory.understand(subject.name, state)
        assert applied is not None
        self.applied[name] = applied
        return updating.Updated(plan, state)

    def outputs(self, subject: Any) -> dict[str, Any]:
        """Returns the outputs of an apply, by name."""
        return {subject.target.status.outputs.DESCRIPTOR.fields[0].name: self.id}

    def _refresh(self, subject: Any) -> plans.Plan:
        self.refreshed.append(subject.key.name)
        self.actions[subject.key.name] = plans.Action.CREATE
        return plans.Plan()

    def _destroy(self, subject: Any, plan: plans.Plan, **_options: object) -> plans.Plan:
        self.destroyed.append(subject.key.name)
        self.applied.pop(subject.key.name)
        return plan


def _urn(target: Any) -> str:
    return f"urn::{kinds.get(target.kind).main}"


def _change(target: Any, action: plans.Action) -> plans.Change:
    kind = kinds.get(target.kind)
    return plans.Change(_urn(target), kind.main, kind.declared.type, action)


def _same(applied: Any, target: Any) -> bool:
    copies = [type(each)() for each in (applied, target)]
    for copy, each in zip(copies, (applied, target), strict=True):
        copy.CopyFrom(each)
        copy.ClearField("status")
    return bool(copies[0] == copies[1])
