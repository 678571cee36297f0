"""Operations over several resources."""

from __future__ import annotations

import dataclasses
import functools
import logging
from typing import TYPE_CHECKING, Any

from planton import clouds, errors, modules
from planton.clouds import answers
from planton.config import credentials
from planton.deploy import accounts, checks, cloud_names, graph, leftovers, networks, protection, schedule
from planton.deploy.steps import Step, blocked
from planton.engine import plans, stacks
from planton.manifest import load, origins, stack_input
from planton.modules import unsupported
from planton.recovery import default_pool, importing, observed, operations
from planton.schema import kinds, references, validation
from planton.state import inventory, journal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from google.protobuf import message
    from pulumi.automation import events

    from planton.config import settings as engine_settings
    from planton.engine import toolchain


_LOG = logging.getLogger(__name__)
_WITHOUT_READING = "--refresh=false plans without reading the cloud"


class Run:
    """Operations over several resources."""

    def __init__(
        self,
        wanted: Sequence[load.Resource],
        settings: engine_settings.Settings,
        tools: toolchain.Toolchain,
        *,
        allow_unsupported: Sequence[str] = (),
        on_event: Callable[[references.Key, events.EngineEvent], None] | None = None,
        beside: Mapping[references.Key, load.Resource] | None = None,
        plan_checks: checks.Checks | None = None,
    ) -> None:
        """Orders the resources.

        Args:
            wanted: The manifests from the user, in any order.
            settings: The run's settings.
            tools: The command line to use.
            allow_unsupported: Fields whose refusal the user waives.
            on_event: Receives the engine's events and their resource, for progress.
            beside: The run that the same command applies first; its manifests count as applied.
            plan_checks: The checks against the clouds' lists; None for the default checks.

        Raises:
            PlantonError: ``REFERENCE_INVALID``: a circle, or one resource given twice.
        """
        self._settings = settings
        self._tools = tools
        self._on_event = on_event
        self._allow = tuple(allow_unsupported)
        self._wanted = graph.by_key(wanted)
        self._beside = dict(beside or {})
        self._inventory = inventory.Inventory(settings, tools)
        self._known: dict[references.Key, message.Message] = {}
        self._lists = observed.Lists(answers.Answers())
        self._opened: dict[references.Key, operations.Operations] = {}
        self._checks = checks.Checks(settings.progress) if plan_checks is None else plan_checks
        self._anew: set[references.Key] = set()
        self._accounts: dict[references.Key, accounts.Account] = {}
        self.order = graph.order(self._wanted)
        self._needs = {key: references.depends_on(entry.manifest) for key, entry in self._wanted.items()}

    def plan(
        self, *, recover: bool, aside: bool = False, going: Collection[references.Key] = (), refresh: bool = True
    ) -> list[Step]:
        """Returns the steps of an apply, in order. Values that do not exist yet are known after the apply.

        A resource that cannot be planned has an error; those that depend on it are skipped. Nothing is changed.

        Args:
            recover: Whether to recover stacks whose last operation did not end cleanly; otherwise they are only reported.
            aside: Whether no apply follows, so that the backend stays unchanged.
            going: The resources to prune after the apply, so that nothing may refer to them.
            refresh: Whether to read the cloud first: one list per account and kind. Without it, the last apply counts.

        Raises:
            PlantonError: ``REFERENCE_INVALID``: two resources have one name in the cloud; ``REFERENCE_UNRESOLVED``: references that
                lead nowhere; ``MANIFEST_INVALID``: networks that overlap;
                ``KIND_UNKNOWN``.
        """
        graph.check_targets(self._wanted, self._applied, lambda: (found.key for found in self._inventory.all()), going=going)
        networks.check(self._wanted.values())
        cloud_names.check(self._wanted)
        for key in self.order:
            # Before anything else: no account helps a kind that cannot be made.
            modules.require(kinds.get(key.kind))
        self._lists = observed.Lists(self._checks.answers)
        work = functools.partial(self._plan, recover=recover, aside=aside, refresh=refresh)
        return self._each(self._steps(self.order), self._needs, work, why="cannot be planned")

    def _plan(self, step: Step, *, recover: bool, aside: bool, refresh: bool) -> Step:
        key = step.key
        operation = self._operations(key)
        applied = self._inventory.read(operation.name)
        owner = "" if applied is None else _other_owner(applied, self._wanted[key])
        # What another folder applied is not touched before the user consents to taking it over.
        recover = recover and not owner
        if recover:
            applied = self._inventory.read(operation.name) if operation.recover() else applied
        elif operation.unfinished():
            self._settings.progress(f"{key}: the last operation did not end cleanly; an apply will look at the cloud first")
        is_finished = recover or not operation.unfinished()
        is_checked = refresh and is_finished
        plan = self._checks.planned(
            self._wanted[key],
            operation.stack_input,
            functools.partial(operation.plan, aside=aside, refresh=is_checked and self._is_changed(operation)),
            applied=applied,
            look_up=self._look_up,
            # What is to be adopted has the name already.
            is_finished=is_finished and not operation.is_adopting,
        )
        if not refresh and recover and _is_lost(key, plan) and self._needs[key] & self._anew:
            # It would be replaced because what it was in is not there any more; it may be gone with that.
            operation.refresh()
            plan = operation.plan(aside=aside)
            applied = self._inventory.read(operation.name)
        self._remember(key, plan, applied)
        step = dataclasses.replace(step, plan=self._with_missing(key, plan), is_checked=is_checked, owner=owner)
        if applied is None:
            return step
        error = self._refusal(applied, "replace") if _is_lost(key, plan) else None
        if error is not None:
            return dataclasses.replace(step, error=error)
        same = _same(applied.manifest, operation.target) and applied.origin == self._wanted[key].origin
        up_to_date = plan.empty and same and applied.complete and not plan.is_refreshed
        return dataclasses.replace(step, up_to_date=up_to_date)

    def _is_changed(self, operation: operations.Operations) -> bool:
        try:
            return operation.is_changed(self._lists)
        except errors.PlantonError as error:
            # One answer may be that of several resources.
            if _WITHOUT_READING not in error.hint:
                error.hint = f"{error.hint}; {_WITHOUT_READING}".removeprefix("; ")
            raise

    def _with_missing(self, key: references.Key, plan: plans.Plan) -> plans.Plan:
        warnings = []
        for change in plan.changes:
            if not plan.is_recreation(change):
                continue
            text = f"{change.name} is missing from the cloud and would be recreated, with a new id"
            # Dependants refer to the main resource of a kind, never to an additional pool.
            users = self.referrers(key) if change.name == kinds.get(key.kind).main else []
            warnings.append(text + (f"; {', '.join(map(str, users))} refer to it" if users else ""))
        return dataclasses.replace(plan, warnings=(*warnings, *plan.warnings))

    def _each(
        self,
        steps: Sequence[Step],
        needs: Mapping[references.Key, set[references.Key]],
        work: Callable[[Step], Step],
        *,
        why: str,
    ) -> list[Step]:
        failed: set[references.Key] = set()
        by_key = {step.key: step for step in steps}

        def guarded(key: references.Key) -> Step:
            step = by_key[key]
            blockers = needs.get(key, set()) & failed
            try:
                self._settings.interruption.check()
                step = blocked(step, blockers, why=why) if blockers else work(step)
            except errors.PlantonError as error:
                _LOG.error("%s: %s: %s", key, error.reason, error.message)
                step = dataclasses.replace(step, error=checks.placed(error, self._wanted[key]))
            if step.error is not None:
                failed.add(key)
            return step

        return schedule.each(
            list(by_key), needs, guarded, parallel=self._settings.parallel, interrupt=self._settings.interruption.ask
        )

    def _steps(self, keys: Iterable[references.Key]) -> list[Step]:
        return [Step(key, str(stacks.name_of(self._wanted[key].manifest))) for key in keys]

    def _remember(self, key: references.Key, plan: plans.Plan, applied: inventory.Applied | None) -> None:
        made = (plans.Action.CREATE, plans.Action.REPLACE, plans.Action.IMPORT)
        main = kinds.get(key.kind).main
        if any(change.name == main and change.action is plans.Action.CREATE for change in plan.changes):
            self._anew.add(key)
        if (
            applied is None
            or not applied.complete
            or any(change.name == main and change.action in made for change in plan.changes)
        ):
            self._known[key] = references.unknown_outputs(self._wanted[key].manifest)
        else:
            self._known[key] = applied.manifest

    def apply(self, planned: Sequence[Step], *, exact: bool = False) -> list[Step]:
        """Applies what ``plan`` has returned, in order. One that fails stops those that depend on it, and no other.

        Args:
            planned: What ``plan`` has returned.
            exact: Whether nothing else may be done; without it, what follows from new outputs of others is updated too.
        """
        self._known.clear()
        # The existing resources before the first request; one list for all creations.
        self._lists = observed.Lists(answers.Answers())
        return self._each(planned, self._needs, functools.partial(self._apply, exact=exact), why="failed")

    def _apply(self, step: Step, *, exact: bool) -> Step:
        before = self._opened.get(step.key)
        operation = self._operations(step.key, told=True)
        if before is not None and before is not operation and not references.is_unknown(str(before.target)):
            step = _planned_again(step, operation.plan(), exact=exact)
        if step.up_to_date:
            applied = self._inventory.read(operation.name)
            outputs = None if applied is None else applied.manifest.status.outputs  # type: ignore[attr-defined]
            return dataclasses.replace(step, outputs=outputs)
        if operation.unfinished():
            operation.recover()
        operation.lists = self._lists
        plan, outputs = operation.apply(step.plan)
        return dataclasses.replace(step, plan=plan, outputs=outputs)

    def adoption(self, key: references.Key, id_: str) -> importing.Adoption:
        """Returns the resources that an import would adopt into the stack of a manifest; nothing is changed.

        Args:
            key: The manifest.
            id_: The cloud's id; of a node pool ``CLUSTER:POOL``, or the pool's id or name alone.

        Raises:
            PlantonError: ``NOT_FOUND``: there is no such resource; ``TAKE_OVER_REFUSED``: it belongs to another stack; the cloud
                could not be asked.
        """
        cloud_names.check(self._wanted)
        operation = self._operations(key)
        main = kinds.get(key.kind).main
        managed = operation.ids()
        if main in managed:
            raise errors.PlantonError(
                f"{key} already manages the {main.replace('_', ' ')} {managed[main]}; an import would replace it",
                code=errors.Code.REFUSED,
                reason=errors.Reason.STATE_UNFIT,
                hint=f"planton apply changes it; to manage another one instead: planton state forget {key.kind}/{key.name}, then import",
                metadata={"resource": str(key), "id": managed[main]},
            )
        adoption = operation.adoption(main, id_)
        imports = {resource: found for resource, found in adoption.imports.items() if resource not in managed}
        for resource, found in imports.items():
            self._require_unmanaged(key, operation, resource, found)
        return dataclasses.replace(adoption, imports=imports)

    def adopt(self, key: references.Key, adoption: importing.Adoption) -> Step:
        """Adopts existing resources into the stack of a manifest, and updates them to the manifest.

        Args:
            key: The manifest.
            adoption: The result of ``adoption``.

        Raises:
            PlantonError: The plugin failed.
        """
        operation = self._operations(key, told=True)
        plan, outputs = operation.adopt(adoption.imports)
        return Step(key, str(operation.name), plan, outputs=outputs)

    def _require_unmanaged(self, key: references.Key, operation: operations.Operations, resource: str, id_: str) -> None:
        type_ = operation.resource_type(resource.partition("-")[0])
        cluster, _, own = id_.rpartition(":")
        for each in self._inventory.all():
            if each.stack.means(operation.name) or not any(
                (type_, own) == (other, known) and cluster in ("", within) for other, within, known in each.ids
            ):
                continue
            raise errors.PlantonError(
                f"{resource.replace('_', ' ')} {own} belongs to {each.key}, stack {each.stack}"
                + (f", applied from {each.origin}" if each.origin else ""),
                code=errors.Code.REFUSED,
                reason=errors.Reason.TAKE_OVER_REFUSED,
                hint=f"one resource has one owner: planton state forget {each.key.kind}/{each.key.name} releases it, then import it "
                f"as {key.kind}/{key.name}",
                metadata={"resource": str(key), "owner": str(each.key)},
            )

    def owned(self, key: references.Key) -> Step:
        """Returns a step of a resource without a plan. It names the other folder that applied the resource, if any."""
        name = stacks.name_of(self._wanted[key].manifest)
        applied = self._inventory.read(name)
        return Step(key, str(name), owner="" if applied is None else _other_owner(applied, self._wanted[key]))

    def refresh(self) -> list[Step]:
        """Makes the states what the cloud says; what has not been applied is left out. A state that fails stays as it was."""
        applied = [key for key in self.order if self._inventory.is_applied(self._wanted[key].manifest)]
        return self._each(self._steps(applied), {}, self._refresh, why="failed")

    def _refresh(self, step: Step) -> Step:
        operation = self._operations(step.key, applied=True)
        operation.recover()
        if not operation.is_adopting:
            operation.refresh()
        return step

    def drift(self) -> list[Step]:
        """Returns how the cloud differs from what was applied; nothing is changed. What was not applied has an error."""
        return self._each(self._steps(self.order), {}, self._drift, why="failed")

    def _drift(self, step: Step) -> Step:
        return dataclasses.replace(step, plan=plans.Plan(self._operations(step.key, applied=True).drift().changes))

    def plan_destroy(self, *, recover: bool = True) -> list[Step]:
        """Returns the steps of a destroy, in order, without resources that were never applied.

        Args:
            recover: Whether to first recover stacks whose last operation did not end cleanly, so that the list is complete.
        """
        steps = []
        for key in reversed(self.order):
            if self._inventory.is_applied(self._wanted[key].manifest):
                steps.append(self._plan_destroy(key, recover=recover))
            elif recover:
                self._forget(key)
        return steps

    def _plan_destroy(self, key: references.Key, *, recover: bool) -> Step:
        step = Step(key, str(stacks.name_of(self._wanted[key].manifest)))
        try:
            operation = self._operations(key, applied=True)
            applied = self._inventory.read(operation.name)
            owner = "" if applied is None else _other_owner(applied, self._wanted[key])
            if recover and not owner and operation.recover(whole=False, to_destroy=True):
                applied = self._inventory.read(operation.name)
            error = None if applied is None else self._refusal(applied, "delete")
            return dataclasses.replace(step, plan=operation.plan_destroy(), error=error, owner=owner)
        except errors.PlantonError as error:
            return dataclasses.replace(step, error=error)

    def _refusal(self, applied: inventory.Applied, what: str) -> errors.PlantonError | None:
        given = {**self._beside, **self._wanted}
        return protection.refusal(applied, what, given=given, everything=self._inventory.all)

    def _forget(self, key: references.Key) -> None:
        # A destroy that was killed after its last deletion has left a record, and nothing else.
        records = journal.Journal(self._settings.data, self._settings.backend_url, stacks.name_of(self._wanted[key].manifest))
        if records.read() is not None:
            with records.hold("destroy", self._settings):
                records.clear()

    def destroy(self, planned: Sequence[Step], *, left: Mapping[references.Key, leftovers.Leftovers] | None = None) -> list[Step]:
        """Destroys the planned resources. A resource that fails keeps its dependencies, and no others.

        Args:
            planned: The result of ``plan_destroy``.
            left: The result of ``left_behind``: the leftovers to delete with the clusters.
        """
        users: dict[references.Key, set[references.Key]] = {step.key: set() for step in planned}
        for key in users:
            for target in self._needs[key] & users.keys():
                users[target].add(key)
        last: dict[references.Key, references.Key] = {}
        delete = functools.partial(self._destroy, left=left or {})

        def work(step: Step) -> Step:
            try:
                return delete(step)
            except errors.PlantonError as error:
                cluster = self._with_id(users, error.metadata.get(default_pool.LAST_OF, ""))
                if cluster is None:
                    raise
                last[step.key] = cluster
                return step

        steps = {step.key: step for step in self._each(planned, users, work, why="could not be destroyed")}
        # The cloud keeps the last pool of a cluster, and deletes it with the cluster. Only its stack remains.
        pools = [key for key, cluster in last.items() if steps[cluster].error is None]
        steps |= {step.key: step for step in self._each([steps[key] for key in pools], {}, delete, why="failed")}
        for key in last.keys() - set(pools):
            steps[key] = blocked(steps[key], [last[key]], why="could not be destroyed")
        return list(steps.values())

    def _with_id(self, keys: Iterable[references.Key], id_: str) -> references.Key | None:
        return next((key for key in keys if id_ and self._ids(key) == id_), None)

    def _destroy(self, step: Step, *, left: Mapping[references.Key, leftovers.Leftovers]) -> Step:
        operation = self._operations(step.key, told=True, applied=True)
        operation.recover(whole=False, to_destroy=True)
        operation.destroy(step.plan, around=leftovers.deleting(left.get(step.key)))
        return step

    def referrers(self, key: references.Key) -> list[references.Key]:
        """Returns the applied resources, and those of this run, that refer to one, sorted."""
        ids = {found.key: {found.cluster, *_literals(found.manifest)} for found in self._inventory.all()}
        ids |= {name: set(_literals(entry.manifest)) for name, entry in self._beside.items()}
        own_id = self._ids(key)
        by_id = [name for name, used in ids.items() if name != key and own_id and own_id in used]
        given = references.referrers(key, [entry.manifest for entry in [*self._wanted.values(), *self._beside.values()]])
        return sorted({*by_id, *given})

    def pruning(self, folders: Iterable[str], means: Callable[[message.Message], bool]) -> Run:
        """Returns the run over what was applied from folders and is not among the resources of this one.

        Args:
            folders: Names of folders (`planton.manifest.origins`).
            means: Says whether the user means a manifest.
        """
        names = list(folders)
        return self._over(
            found
            for found in self._inventory.all()
            if found.key not in self._wanted
            and any(origins.within(found.origin, name) for name in names)
            and means(found.manifest)
        )

    def destroying(self, names: Mapping[str, str]) -> Run:
        """Returns the run over applied resources.

        Args:
            names: Key, as text → folder that the resource was applied from. One that another folder has taken over since is left out.
        """
        return self._over(each for each in self._inventory.all() if names.get(str(each.key)) == each.origin)

    def origins(self) -> dict[str, str]:
        """Returns the key, as text, of each resource → the folder that it comes from."""
        return {str(key): entry.origin for key, entry in self._wanted.items()}

    def _over(self, found: Iterable[inventory.Applied]) -> Run:
        wanted = [load.Resource(each.manifest, None, str(each.stack), each.region, origin=each.origin) for each in found]
        return Run(wanted, self._settings, self._tools, on_event=self._on_event, beside=self._wanted)

    def users_outside(self, keys: Iterable[references.Key]) -> dict[references.Key, list[references.Key]]:
        """Returns for each of these resources the applied ones outside this run that refer to it, if there are any."""
        found = {key: [user for user in self.referrers(key) if user not in self._wanted] for key in keys}
        return {key: users for key, users in found.items() if users}

    def _ids(self, key: references.Key) -> str:
        applied = self._found(key)
        if applied is None:
            return ""
        outputs = applied.manifest.status.outputs  # type: ignore[attr-defined]  # every manifest has a status
        return str(getattr(outputs, outputs.DESCRIPTOR.fields[0].name))

    def stack_input(self, key: references.Key) -> message.Message:
        """Returns the stack input of a resource: references resolved, account chosen.

        Raises:
            PlantonError: ``REFERENCE_UNRESOLVED``; ``CREDENTIAL_…``; ``MANIFEST_INVALID`` after the resolution.
        """
        entry = self._wanted[key]
        graph.check_applied(entry, self._wanted, self._look_up)
        return self._stack_input(entry)

    def _stack_input(self, entry: load.Resource, *, applied: bool = False) -> message.Message:
        resolved: Any = references.resolve(entry.manifest, self._look_up)
        # What was valid when it was applied can be looked at and deleted, whatever rules have come since.
        found = [] if applied else validation.violations(resolved)
        if found:
            raise errors.InvalidError(
                [entry.violation(each.place, each.message, each.rule_id) for each in found],
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
            usual=self._settings.context.credentials,
        )
        self._accounts[references.key(resolved)] = accounts.of(
            resolved, given=entry.config, config=config, settings=self._settings
        )
        return stack_input.build(resolved, config)

    def used_accounts(self) -> list[accounts.Account]:
        """Returns the distinct accounts of the planned operations, sorted."""
        return sorted(set(self._accounts.values()))

    def left_behind(self, steps: Iterable[Step], *, sorts: Collection[str] = ()) -> dict[references.Key, leftovers.Leftovers]:
        """Returns the leftovers of the clusters that these steps delete or replace (`leftovers.find`).

        Raises:
            PlantonError: Leftovers are to be deleted with a cluster, and cannot be listed.
        """
        found = (self._leftovers(step, sorts) for step in steps if step.error is None and leftovers.loses_cluster(step.plan))
        return {each.key: each for each in found if each is not None}

    def _leftovers(self, step: Step, sorts: Collection[str]) -> leftovers.Leftovers | None:
        given: Any = self._stack_input(self._as_applied(step.key), applied=True)
        cloud = clouds.of(given.provider_config, references.own_region(given.target))
        cluster = self._inventory.cluster_id(stacks.name_of(self._wanted[step.key].manifest))
        return leftovers.find(step.key, cluster, cloud, sorts=sorts)

    def _as_applied(self, key: references.Key) -> load.Resource:
        # To look at or delete what was applied, the manifest counts as it was then: what it refers to may be gone by now.
        entry = self._wanted[key]
        found = self._inventory.read(stacks.name_of(entry.manifest))
        if found is None:
            return entry
        return dataclasses.replace(entry, manifest=found.manifest, region=found.region, origin=found.origin)

    def _look_up(self, key: references.Key) -> message.Message | None:
        if key not in self._known:
            found = self._applied(key)
            if found is None:
                return None
            self._known[key] = found
        return self._known[key]

    def _applied(self, key: references.Key) -> message.Message | None:
        found = self._found(key)
        return None if found is None or not found.complete else found.manifest

    def _found(self, key: references.Key) -> inventory.Applied | None:
        # What is given says where it is; there may be another stack of the same kind, environment and name.
        entry = self._wanted.get(key)
        return self._inventory.find(key) if entry is None else self._inventory.read(stacks.name_of(entry.manifest))

    def _operations(self, key: references.Key, *, told: bool = False, applied: bool = False) -> operations.Operations:
        entry = self._as_applied(key) if applied else self._wanted[key]
        given = self._stack_input(entry, applied=applied)
        if not applied:
            given = self._checks.resolved(entry, given)
        known = self._opened.get(key)
        if known is None or known.stack_input != given:
            # What a plan has opened serves the apply too, if references still resolve to the same values.
            known = operations.Operations(given, self._settings, self._tools, origin=entry.origin)
            self._opened[key] = known
        known.on_event = functools.partial(self._on_event, key) if told and self._on_event is not None else None
        return known


def _planned_again(step: Step, plan: plans.Plan, *, exact: bool) -> Step:
    # References had values when it was planned, and have others now.
    known = {(change.urn, change.action) for change in step.plan.changes}
    found = [change for change in plan.changes if exact or change.action in (plans.Action.DELETE, plans.Action.REPLACE)]
    unplanned = [f"{change.action} {change.name}" for change in found if (change.urn, change.action) not in known]
    if unplanned:
        raise plans.stale(f"what {step.key} refers to has changed, and this would {', '.join(unplanned)}, which was not planned")
    return dataclasses.replace(step, plan=plan, up_to_date=False)


def _is_lost(key: references.Key, plan: plans.Plan) -> bool:
    main = kinds.get(key.kind).main
    return any(change.name == main and change.action in (plans.Action.DELETE, plans.Action.REPLACE) for change in plan.changes)


def _other_owner(applied: inventory.Applied, entry: load.Resource) -> str:
    return applied.origin if applied.origin != entry.origin else ""


def _same(applied: message.Message, target: message.Message) -> bool:
    copy = type(applied)()
    copy.CopyFrom(applied)
    copy.ClearField("status")
    other = type(target)()
    other.CopyFrom(target)
    other.ClearField("status")
    return bool(copy == other)


def _literals(manifest: message.Message) -> list[str]:
    spec = manifest.spec  # type: ignore[attr-defined]  # every manifest has a spec
    return [
        content.value
        for field, content in spec.ListFields()
        if field.message_type is not None and field.message_type.name == "StringValueOrRef"
    ]
