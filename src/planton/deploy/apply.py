"""Apply: approved `Plan` → steps with outputs. It does exactly what the plan says."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from planton.clouds import answers
from planton.deploy import approve, autoscaler_plans, autoscalers, destroy, literals, progress, resolve, running, watching
from planton.engine import outputs, plans, states
from planton.recovery import observed, recording
from planton.schema import kinds, references

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf import message

    from planton.deploy import plan as plan_of_run
    from planton.deploy import steps
    from planton.recovery import managed


def apply(approved: approve.Approved) -> list[steps.Step]:
    """Applies a plan, and returns its steps with outputs and errors. A step that fails stops only its dependants.

    Pruned resources are destroyed at the end, if every step succeeded.

    Args:
        approved: The approved plan of an apply or an import.

    Raises:
        PlantonError: ``USAGE``: it is the plan of a destroy.
    """
    plan = approve.plan_of(approved, "apply", "import")
    settings = plan.run.settings
    outside = resolve.externals(plan.resources, plan.run.inventory)
    # The resources that exist before the first request; one list for all creations.
    watches = watching.Watches(plan.operation, plan.run.on_progress)
    # Without consent to changes, and after a saved plan, not even an update may come up.
    is_exact = plan.options.saved is not None or not approved.consent.changes
    stages = _Applying(plan, is_exact, outside, observed.Lists(answers.Answers()), watches)
    autoscaler_plans.release(plan.steps, plan.run, autoscaler_plans.Reading())
    done = running.run(
        plan.steps, [stages.apply], plan.resources, settings, dependencies=plan.resources.dependencies, why="failed"
    )
    done = autoscalers.fit([watches.ended(step) for step in done], plan.run)
    if not plan.pruned:
        return done
    if any(step.error is not None for step in done):
        listed = ", ".join(str(step.key) for step in plan.pruned)
        settings.progress(f"nothing was pruned, because something failed; still there: {listed}")
        return done
    return done + destroy.run_steps(plan.pruned, plan.pruned_resources, plan.run, leftovers_of={})


@dataclasses.dataclass(frozen=True, slots=True)
class _Applying:
    """The stage of one step, with what all steps share."""

    plan: plan_of_run.Plan
    is_exact: bool
    outside: Mapping[references.Key, message.Message | None]
    lists: observed.Lists
    watches: watching.Watches

    def apply(self, step: steps.Step, done: running.Done) -> steps.Step:
        """Applies a step."""
        if step.up_to_date:
            return self._apply(step, done)
        return progress.announced(self._apply, self.plan.run.on_progress, self.plan.operation)(step, done)

    def _apply(self, step: steps.Step, done: running.Done) -> steps.Step:
        run, resource = self.plan.run, self.plan.resources.resources[step.key]
        watch = self.watches.start(step.key)
        stack_input = self._stack_input(step, done)
        subject = run.operations.manage(stack_input, run.settings, run.tools, origin=resource.origin, on_event=watch.on_event)
        if stack_input != step.stack_input:
            # References that were unknown have a value now. Those whose value has changed need a new plan.
            had_value = not references.is_unknown(str(step.stack_input.target))
            if self.plan.operation != "import":
                step = dataclasses.replace(step, resumption=recording.Resumption())
            step = self._replanned(step, subject) if had_value else step
        if step.up_to_date:
            applied = run.inventory.read(subject.name)
            return step if applied is None else _with_manifest(step, applied.manifest)
        if not step.resumption.imports and recording.is_unfinished(subject):
            step = dataclasses.replace(step, resumption=run.operations.recover(subject).resumption)
        with watch.working(subject):
            updated = run.operations.update(subject, step.plan, resumption=step.resumption, lists=self.lists)
        step = dataclasses.replace(step, plan=updated.plan, done=updated.plan.changes)
        applied = run.inventory.understand(subject.name, updated.state)
        step = step if applied is None else _with_manifest(step, applied.manifest)
        kind = kinds.get(step.key.kind)
        return dataclasses.replace(step, outputs=outputs.parse(kind, states.outputs(updated.state)))

    def _stack_input(self, step: steps.Step, done: running.Done) -> Any:  # of any kind
        run, resource = self.plan.run, self.plan.resources.resources[step.key]
        look_up = resolve.lookup(self.plan.resources, run.inventory, provided=running.provided(self.outside, done))
        allowed = self.plan.options.allow_unsupported
        resolved = resolve.resolve(resource, look_up, run.settings, allow_unsupported=allowed).stack_input
        # The names of cloud resources were replaced by ids when the plan was made.
        literals.copy(resource.manifest, step.stack_input.target, resolved.target)
        return resolved

    def _replanned(self, step: steps.Step, subject: managed.Managed) -> steps.Step:
        plan = self.plan.run.operations.preview(subject, resumption=step.resumption)
        planned = {(change.urn, change.action) for change in step.plan.changes}
        grave = (plans.Action.DELETE, plans.Action.REPLACE)
        changes = [change for change in plan.changes if self.is_exact or change.action in grave]
        unplanned = [f"{change.action} {change.name}" for change in changes if (change.urn, change.action) not in planned]
        if unplanned:
            listed = ", ".join(unplanned)
            raise plans.stale(f"what {step.key} refers to has changed, and this would {listed}, which was not planned")
        return dataclasses.replace(step, plan=plan, up_to_date=False)


def _with_manifest(step: steps.Step, manifest: Any) -> steps.Step:  # of any kind
    return dataclasses.replace(step, provided=manifest, outputs=manifest.status.outputs)
