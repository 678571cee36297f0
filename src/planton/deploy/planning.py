"""Plan: resources → a `Plan`. Reads the cloud, checks what can be checked before a request, and lists the changes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from planton import errors, modules
from planton.deploy import (
    autoscaler_plans,
    checks,
    cloud_names,
    costs,
    destroy,
    egress,
    graph,
    leftovers,
    losses,
    networks,
    plan,
    progress,
    protection,
    prune,
    referrers,
    resolve,
    running,
    steps,
)
from planton.recovery import observed, recording
from planton.schema import kinds, references

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf import message

    from planton.deploy import runtime
    from planton.engine import plans
    from planton.manifest import load
    from planton.recovery import managed
    from planton.state import inventory

_WITHOUT_READING = "--refresh=false plans without reading the cloud"


def make(listed: tuple[load.Resource, ...], options: plan.Options, run: runtime.Runtime) -> plan.Plan:
    """Returns the plan of an apply. Nothing in a cloud is changed.

    A resource that cannot be planned has an error, and its dependants are skipped. Values that do not exist yet are unknown.

    Args:
        listed: The resources to apply.
        options: How to plan.
        run: What every stage uses.

    Raises:
        InvalidError: ``REFERENCE_INVALID``: a cycle, a duplicate, or one name in the cloud for two resources;
            ``REFERENCE_UNRESOLVED``: a reference without a target; ``MANIFEST_INVALID``: networks that overlap.
        PlantonError: ``KIND_UNSUPPORTED``.
    """
    resources = graph.of(listed)
    pruned_resources = graph.Graph() if options.selection is None else prune.select(options.selection, resources, run.inventory)
    outside = resolve.externals(resources, run.inventory)
    _check(resources, pruned_resources, outside, run)
    check = checks.Checks(run.settings.progress, open_cloud=run.open_cloud)
    planning = _Planning(options, run, resources, outside, check, observed.Lists(check.answers))
    planned = running.run(
        [steps.of(resources.resources[key]) for key in resources.order],
        [planning.resolve, progress.announced(planning.plan, run.on_progress, "plan")],
        resources,
        run.settings,
        dependencies=resources.dependencies,
        why="cannot be planned",
    )
    pruned = destroy.planned(pruned_resources, run, recover=not options.is_preview, first=resources)
    leftovers_of = {**leftovers.of_steps(planned, run, resources), **leftovers.of_steps(pruned, run, pruned_resources)}
    everything = run.inventory.all() if pruned or any(step.plan.losses() for step in planned) else []
    users = {step.key: referrers.of(step, everything, resources.manifests) for step in planned if step.plan.losses()}
    priced, priced_pruned = (
        costs.of_steps(leftovers.warned(each, leftovers_of), run, check.answers, leftovers_of=leftovers_of)
        for each in (planned, pruned)
    )
    return plan.Plan(
        "apply",
        run,
        resources,
        tuple(losses.of_steps(priced, users)),
        options,
        pruned_resources,
        tuple(priced_pruned),
        users,
        referrers.outside(pruned, everything, pruned_resources, replacing=resources),
        leftovers_of,
        autoscalers=autoscaler_plans.changes(planned, pruned, run, autoscaler_plans.Reading(options.refresh)),
    )


def _check(
    resources: graph.Graph,
    pruned: graph.Graph,
    outside: Mapping[references.Key, message.Message | None],
    run: runtime.Runtime,
) -> None:
    graph.check_targets(resources.resources, outside.get, lambda: (each.key for each in run.inventory.all()), pruned=pruned.order)
    networks.check(resources.resources.values())
    cloud_names.check(resources.resources)
    for key in resources.order:
        # Before anything else: no account helps a kind without a module.
        modules.require(kinds.get(key.kind))


@dataclasses.dataclass(frozen=True, slots=True)
class _Planning:
    """The stages of one step, with what all steps share."""

    options: plan.Options
    run: runtime.Runtime
    resources: graph.Graph
    outside: Mapping[references.Key, message.Message | None]
    checks: checks.Checks
    lists: observed.Lists

    def look_up(self, done: running.Done) -> resolve.Lookup:
        """Returns the look-up of references: planned resources, then applied ones."""
        return resolve.lookup(self.resources, self.run.inventory, provided=running.provided(self.outside, done))

    def resolve(self, step: steps.Step, done: running.Done) -> steps.Step:
        """Adds the stack input and the account to a step."""
        resource = self.resources.resources[step.key]
        resolved = resolve.resolve(
            resource, self.look_up(done), self.run.settings, allow_unsupported=self.options.allow_unsupported
        )
        step = dataclasses.replace(step, account=resolved.account)
        return dataclasses.replace(step, stack_input=self.checks.resolved(resource, resolved.stack_input))

    def plan(self, step: steps.Step, done: running.Done) -> steps.Step:
        """Adds the changes to a step."""
        resource = self.resources.resources[step.key]
        subject = self.run.operations.manage(step.stack_input, self.run.settings, self.run.tools, origin=resource.origin)
        applied = self.run.inventory.read(subject.name)
        resolve.check_account(applied, step.stack_input)
        owner = steps.other_owner(applied, resource)
        # A stack of another folder is not touched before the user consents to taking it over.
        recovers = not self.options.is_preview and not owner
        resumption = recording.Resumption()
        is_finished = True
        if recovers:
            recovery = self.run.operations.recover(subject)
            resumption = recovery.resumption
            applied = self.run.inventory.read(subject.name) if recovery.is_changed else applied
        elif recording.is_unfinished(subject):
            is_finished = False
            self.run.settings.progress(
                f"{step.key}: the last operation did not end cleanly; an apply will look at the cloud first"
            )
        is_checked = self.options.refresh and is_finished
        step = dataclasses.replace(step, applied=applied, owner=owner, resumption=resumption, is_checked=is_checked)
        step = self._with_changes(step, done, subject, is_finished=is_finished)
        if not self.options.refresh and recovers and step.is_lost and self._is_in_new(step, done):
            # It would be replaced because what it was in no longer exists; it may have been deleted with that.
            self.run.operations.refresh(subject)
            step = dataclasses.replace(
                step, plan=self._preview(step, subject, refresh=False), applied=self.run.inventory.read(subject.name)
            )
        return self._judged(self._with_egress(step, done), subject)

    def _with_egress(self, step: steps.Step, done: running.Done) -> steps.Step:
        warnings = egress.warnings(self.resources.resources[step.key].manifest, self.look_up(done))
        return dataclasses.replace(step, plan=dataclasses.replace(step.plan, warnings=(*step.plan.warnings, *warnings)))

    def _is_in_new(self, step: steps.Step, done: running.Done) -> bool:
        return any(key in done and done[key].is_created for key in self.resources.dependencies[step.key])

    def _with_changes(self, step: steps.Step, done: running.Done, subject: managed.Managed, *, is_finished: bool) -> steps.Step:
        is_adopting = bool(step.resumption.imports)
        refresh = step.is_checked and not is_adopting and self._differs(step.key, subject)
        self._tell(step.key, "computing the changes")
        planned = self.checks.planned(
            self.resources.resources[step.key],
            step.stack_input,
            lambda: self._preview(step, subject, refresh=refresh),
            # A resource that is to be adopted has the name already.
            checks.Existing(
                step.applied,
                self.look_up(done),
                is_finished=is_finished and not is_adopting,
                imports=step.resumption.imports,
            ),
        )
        return dataclasses.replace(step, plan=planned)

    def _preview(self, step: steps.Step, subject: managed.Managed, *, refresh: bool) -> plans.Plan:
        return self.run.operations.preview(
            subject, resumption=step.resumption, creates_stack=not self.options.is_preview, refresh=refresh
        )

    def _tell(self, key: references.Key, stage: str) -> None:
        self.run.on_progress(progress.Event(key, "plan", progress.Moment.STAGE, text=stage))

    def _differs(self, key: references.Key, subject: managed.Managed) -> bool:
        self._tell(key, "reading the cloud")
        try:
            return self.run.operations.differs(subject, self.lists)
        except errors.PlantonError as error:
            raise error.with_hint(_WITHOUT_READING) from None

    def _judged(self, step: steps.Step, subject: managed.Managed) -> steps.Step:
        resource, applied = self.resources.resources[step.key], step.applied
        is_known = applied is not None and applied.complete and not step.is_new
        provided = applied.manifest if applied is not None and is_known else references.unknown_outputs(resource.manifest)
        step = dataclasses.replace(step, plan=self._with_missing(step), provided=provided)
        if applied is None:
            return step
        refusal = self._refusal(applied) if step.is_lost else None
        if refusal is not None:
            return dataclasses.replace(step, error=refusal)
        is_same = _is_same(applied.manifest, subject.target) and applied.origin == resource.origin
        up_to_date = step.plan.empty and is_same and applied.complete and not step.plan.is_refreshed
        return dataclasses.replace(step, up_to_date=up_to_date)

    def _refusal(self, applied: inventory.Applied) -> errors.PlantonError | None:
        manifests = self.resources.resources
        return protection.refusal(applied, "replace", manifests=manifests, everything=self.run.inventory.all)

    def _with_missing(self, step: steps.Step) -> plans.Plan:
        warnings = []
        for change in step.plan.changes:
            if not step.plan.is_recreation(change):
                continue
            text = f"{change.name} is missing from the cloud and would be recreated, with a new id"
            # Dependants refer to the main resource of a kind, never to an additional pool.
            is_main = change.name == step.main
            users = referrers.of(step, self.run.inventory.all(), self.resources.manifests) if is_main else []
            warnings.append(text + (f"; {', '.join(map(str, users))} refer to it" if users else ""))
        return dataclasses.replace(step.plan, warnings=(*warnings, *step.plan.warnings))


def _is_same(applied: message.Message, target: message.Message) -> bool:
    copies = []
    for manifest in (applied, target):
        copy = type(manifest)()
        copy.CopyFrom(manifest)
        copy.ClearField("status")
        copies.append(copy)
    return bool(copies[0] == copies[1])
