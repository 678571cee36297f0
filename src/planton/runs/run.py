"""Runs: several resources planned, applied and destroyed as one thing, in the order of their references."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

from planton import credentials, errors, flow, kinds, modules, references, stack_input, validation
from planton.engine import guards, inventory, operations, plans, stacks
from planton.modules import unsupported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from google.protobuf import message
    from pulumi.automation import events

    from planton.engine import settings as engine_settings
    from planton.engine import toolchain


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """What happens, or has happened, to one resource of a run.

    Attributes:
        key: The resource.
        stack: Its stack's name.
        plan: What changes.
        up_to_date: Nothing changes, in the cloud or in what the stack keeps.
        outputs: The outputs after an apply; None otherwise.
        error: Why it failed or was not tried; None where all is well.
        skipped: It was not tried because one that it depends on failed.
    """

    key: references.Key
    stack: str
    plan: plans.Plan = dataclasses.field(default_factory=plans.Plan)
    up_to_date: bool = False
    outputs: message.Message | None = None
    error: errors.PlantonError | None = None
    skipped: bool = False


class Run:
    """Operations over several resources."""

    def __init__(
        self,
        wanted: Sequence[flow.Wanted],
        settings: engine_settings.Settings,
        tools: toolchain.Toolchain,
        *,
        allow_unsupported: Sequence[str] = (),
        on_event: Callable[[references.Key, events.EngineEvent], None] | None = None,
    ) -> None:
        """Orders the resources.

        Args:
            wanted: What the user has given, in any order.
            settings: The run's settings.
            tools: The command line to use.
            allow_unsupported: Fields whose refusal the user waives.
            on_event: Is told the engine's events and whose they are, for progress.

        Raises:
            PlantonError: ``REFERENCE_INVALID``: a circle, or one resource given twice.
        """
        self._settings = settings
        self._tools = tools
        self._on_event = on_event
        self._allow = tuple(allow_unsupported)
        self._wanted = _by_key(wanted)
        self._inventory = inventory.Inventory(settings, tools)
        self._known: dict[references.Key, message.Message] = {}
        self._opened: dict[references.Key, operations.Operations] = {}
        self.order = references.order({key: entry.manifest for key, entry in self._wanted.items()})

    def plan(self, *, recover: bool) -> list[Step]:
        """Returns what an apply would do, in order. What is not there yet counts as known after the apply.

        Args:
            recover: Whether to repair stacks whose last operation did not end cleanly; without it they are only named.

        Raises:
            PlantonError: A plan cannot be made; nothing has been changed.
        """
        steps = []
        for key in self.order:
            operation = self._operations(key)
            if recover:
                operation.recover()
            elif operation.unfinished():
                self._settings.progress(f"{key}: the last operation did not end cleanly; an apply will look at the cloud first")
            plan = operation.plan()
            applied = self._inventory.read(operation.name)
            self._remember(key, plan, applied)
            same = plan.empty and applied is not None and _same(applied.manifest, operation.target)
            steps.append(Step(key, str(operation.name), plan, up_to_date=same))
        return steps

    def _remember(self, key: references.Key, plan: plans.Plan, applied: inventory.Applied | None) -> None:
        made = (plans.Action.CREATE, plans.Action.REPLACE, plans.Action.IMPORT)
        main = guards.MAIN[kinds.get(key.kind).stem]
        if applied is None or any(change.name == main and change.action in made for change in plan.changes):
            self._known[key] = references.unknown_outputs(self._wanted[key].manifest)
        else:
            self._known[key] = applied.manifest

    def apply(self, planned: Sequence[Step]) -> list[Step]:
        """Applies what ``plan`` has returned, in order. One that fails stops those that depend on it, and no other."""
        self._known.clear()
        failed: set[references.Key] = set()
        done = []
        for step in planned:
            result = self._apply(step, failed)
            if result.error is not None:
                failed.add(step.key)
            done.append(result)
        return done

    def _apply(self, step: Step, failed: set[references.Key]) -> Step:
        blockers = references.depends_on(self._wanted[step.key].manifest) & failed
        if blockers:
            error = errors.PlantonError(
                f"{step.key} was not tried, because {', '.join(map(str, sorted(blockers)))} failed",
                code=errors.Code.FAILED,
                reason=errors.Reason.ENGINE_FAILED,
                hint="the same command goes on from here",
            )
            return dataclasses.replace(step, error=error, skipped=True)
        try:
            operation = self._operations(step.key, told=True)
            if step.up_to_date:
                applied = self._inventory.read(operation.name)
                outputs = None if applied is None else applied.manifest.status.outputs  # type: ignore[attr-defined]
                return dataclasses.replace(step, outputs=outputs)
            if operation.unfinished():
                operation.recover()
            plan, outputs = operation.apply()
        except errors.PlantonError as error:
            return dataclasses.replace(step, error=error)
        return dataclasses.replace(step, plan=plan, outputs=outputs)

    def adopt(self, key: references.Key, resource: str, id_: str) -> Step:
        """Takes an existing resource into the stack of a manifest, and makes it what the manifest says.

        Args:
            key: The manifest.
            resource: The resource's name in the stack, e.g. ``cluster``.
            id_: The cloud's id; of a node pool ``CLUSTER:POOL``, or the pool's alone.

        Raises:
            PlantonError: It does not exist, or the plugin failed.
        """
        operation = self._operations(key, told=True)
        if resource == "node_pool":
            id_ = operation.pool_import_id(id_)
        plan, outputs = operation.adopt({resource: id_})
        return Step(key, str(operation.name), plan, outputs=outputs)

    def refresh(self) -> list[Step]:
        """Makes the states what the cloud says; what has not been applied is left out.

        Raises:
            PlantonError: What failed; the state is then as it was.
        """
        steps = []
        for key in self.order:
            entry = self._wanted[key]
            if not self._inventory.is_applied(entry.manifest):
                continue
            operation = self._operations(key, applied=True)
            if not operation.recover():
                operation.refresh()
            steps.append(Step(key, str(operation.name)))
        return steps

    def drift(self) -> list[Step]:
        """Returns how the cloud differs from what was applied; nothing is changed.

        Raises:
            PlantonError: ``STACK_NOT_FOUND``; what failed.
        """
        steps = []
        for key in self.order:
            operation = self._operations(key, applied=True)
            steps.append(Step(key, str(operation.name), plans.Plan(operation.drift().changes)))
        return steps

    def plan_destroy(self) -> list[Step]:
        """Returns what a destroy would delete, in its order; what has not been applied is left out."""
        steps = []
        for key in reversed(self.order):
            if self._inventory.is_applied(self._wanted[key].manifest):
                operation = self._operations(key, applied=True)
                steps.append(Step(key, str(operation.name), operation.plan_destroy()))
        return steps

    def destroy(self, planned: Sequence[Step]) -> list[Step]:
        """Destroys what was planned. One that fails keeps those that it depends on, and no other."""
        failed: set[references.Key] = set()
        done = []
        for step in planned:
            users = {other for other in failed if step.key in references.depends_on(self._wanted[other].manifest)}
            try:
                if users:
                    raise errors.PlantonError(
                        f"{step.key} was kept, because {', '.join(map(str, sorted(users)))} could not be destroyed",
                        code=errors.Code.FAILED,
                        reason=errors.Reason.ENGINE_FAILED,
                        hint="the same command goes on from here",
                    )
                operation = self._operations(step.key, told=True, applied=True)
                operation.recover(whole=False)
                operation.destroy()
                result = step
            except errors.PlantonError as error:
                failed.add(step.key)
                result = dataclasses.replace(step, error=error, skipped=bool(users))
            done.append(result)
        return done

    def referrers(self, key: references.Key) -> list[references.Key]:
        """Returns the applied resources, and those of this run, that refer to one, sorted."""
        applied = [found.manifest for found in self._inventory.all() if found.key != key]
        own_id = self._ids(key)
        by_id = [
            references.key(manifest)
            for manifest in applied
            if own_id and own_id in (getattr(manifest.spec, name).value for name in _reference_fields(manifest))  # type: ignore[attr-defined]
        ]
        given = references.referrers(key, [entry.manifest for entry in self._wanted.values()])
        return sorted({*by_id, *given})

    def users_outside(self, keys: Iterable[references.Key]) -> dict[references.Key, list[references.Key]]:
        """Returns for each of these resources the applied ones outside this run that refer to it, if there are any."""
        found = {key: [user for user in self.referrers(key) if user not in self._wanted] for key in keys}
        return {key: users for key, users in found.items() if users}

    def _ids(self, key: references.Key) -> str:
        applied = self._inventory.find(key)
        if applied is None:
            return ""
        outputs = applied.manifest.status.outputs  # type: ignore[attr-defined]  # every manifest has a status
        return str(getattr(outputs, outputs.DESCRIPTOR.fields[0].name))

    def stack_input(self, key: references.Key) -> message.Message:
        """Returns the stack input of a resource: references resolved, account chosen.

        Raises:
            PlantonError: ``REFERENCE_UNRESOLVED``; ``CREDENTIAL_…``; ``MANIFEST_INVALID`` after the resolution.
        """
        return self._stack_input(self._wanted[key])

    def _stack_input(self, entry: flow.Wanted) -> message.Message:
        resolved: Any = references.resolve(entry.manifest, self._look_up)
        found = validation.violations(resolved)
        if found:
            raise errors.InvalidError(
                [errors.Violation(entry.source, 0, 0, each.path, each.message, each.rule_id) for each in found],
                hint="a reference was resolved to a value that the manifest does not allow",
            )
        for field in self._allow:
            annotations = resolved.metadata.annotations
            known = annotations.get(unsupported.ALLOW_ANNOTATION, "")
            annotations[unsupported.ALLOW_ANNOTATION] = f"{known},{field}".strip(",")
        config = credentials.choose(
            resolved,
            given=entry.config,
            region=references.region(entry.manifest, self._look_up) or entry.region,
            environ=self._settings.environ,
        )
        return stack_input.build(resolved, config)

    def _as_applied(self, key: references.Key) -> flow.Wanted:
        # To look at or delete what was applied, the manifest counts as it was then: what it refers to may be gone by now.
        entry = self._wanted[key]
        found = self._inventory.read(stacks.name_of(entry.manifest))
        return entry if found is None else dataclasses.replace(entry, manifest=found.manifest, region=found.region)

    def _look_up(self, key: references.Key) -> message.Message | None:
        if key not in self._known:
            applied = self._inventory.find(key)
            if applied is None:
                return None
            self._known[key] = applied.manifest
        return self._known[key]

    def _operations(self, key: references.Key, *, told: bool = False, applied: bool = False) -> operations.Operations:
        # Before anything else: no account helps a kind that cannot be made.
        modules.require(kinds.get(key.kind))
        given = self._stack_input(self._as_applied(key) if applied else self._wanted[key])
        known = self._opened.get(key)
        if known is None or known.stack_input != given:
            # What a plan has opened serves the apply too, if references still resolve to the same values.
            known = operations.Operations(given, self._settings, self._tools)
            self._opened[key] = known
        known.on_event = functools.partial(self._on_event, key) if told and self._on_event is not None else None
        return known


def _by_key(wanted: Iterable[flow.Wanted]) -> dict[references.Key, flow.Wanted]:
    found: dict[references.Key, flow.Wanted] = {}
    for entry in wanted:
        key = references.key(entry.manifest)
        if key in found:
            raise errors.PlantonError(
                f"{key} is given twice: {found[key].source} and {entry.source}",
                code=errors.Code.INVALID,
                reason=errors.Reason.REFERENCE_INVALID,
                hint="give each resource once, or another metadata.name",
            )
        found[key] = entry
    return found


def _same(applied: message.Message, target: message.Message) -> bool:
    copy = type(applied)()
    copy.CopyFrom(applied)
    copy.ClearField("status")
    other = type(target)()
    other.CopyFrom(target)
    other.ClearField("status")
    return bool(copy == other)


def _reference_fields(manifest: message.Message) -> list[str]:
    spec = manifest.spec  # type: ignore[attr-defined]  # every manifest has a spec
    return [
        field.name
        for field, _ in spec.ListFields()
        if field.message_type is not None and field.message_type.name == "StringValueOrRef"
    ]
