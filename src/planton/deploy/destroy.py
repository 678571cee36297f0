"""Destroy: delete applied resources, dependants first."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from planton import errors
from planton.clouds import answers
from planton.deploy import (
    approve,
    autoscaler_plans,
    autoscalers,
    costs,
    graph,
    leftovers,
    plan,
    progress,
    protection,
    referrers,
    resolve,
    running,
    steps,
    watching,
)
from planton.engine import stacks
from planton.recovery import default_pool
from planton.state import journal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from planton.deploy import runtime
    from planton.manifest import load
    from planton.recovery import managed
    from planton.schema import references


def make(resources: Iterable[load.Resource], run: runtime.Runtime, *, sorts: Collection[str] = ()) -> plan.Plan:
    """Returns the plan of a destroy: exactly the listed resources are deleted.

    Args:
        resources: The resources; those that were never applied are left out.
        run: What every stage uses.
        sorts: The sorts of leftovers to delete with their clusters: ``volume``, ``snapshot``, ``load balancer``.

    Raises:
        InvalidError: ``REFERENCE_INVALID``: a cycle, or a duplicate.
        PlantonError: Leftovers are to be deleted, and cannot be listed.
    """
    resource_graph = graph.of(resources)
    listed = planned(resource_graph, run, recover=True)
    leftovers_of = leftovers.of_steps(listed, run, resource_graph, sorts=sorts)
    users = referrers.outside(listed, run.inventory.all() if listed else [], resource_graph)
    described = costs.of_steps(leftovers.warned(listed, leftovers_of), run, answers.Answers(), leftovers_of=leftovers_of)
    scaled = autoscaler_plans.changes((), listed, run, autoscaler_plans.Reading())
    return plan.Plan("destroy", run, resource_graph, tuple(described), users=users, leftovers=leftovers_of, autoscalers=scaled)


def planned(resources: graph.Graph, run: runtime.Runtime, *, recover: bool, first: graph.Graph | None = None) -> list[steps.Step]:
    """Returns the steps of a destroy, dependants first, without resources that were never applied.

    Args:
        resources: The resources.
        run: What every stage uses.
        recover: Whether to first recover stacks whose last operation did not end cleanly, so that the list is complete.
        first: The resources that the same run applies before; their manifests can protect resources.
    """
    listed = []
    for key in reversed(resources.order):
        resource = resources.resources[key]
        if run.inventory.is_applied(resource.manifest):
            manifests = {**({} if first is None else first.resources), **resources.resources}
            listed.append(_planned(steps.of(resource), resources, run, manifests, recover=recover))
        elif recover:
            _clear_record(key, resources, run)
    return listed


def _planned(
    step: steps.Step,
    resources: graph.Graph,
    run: runtime.Runtime,
    manifests: Mapping[references.Key, load.Resource],
    *,
    recover: bool,
) -> steps.Step:
    resource = resources.resources[step.key]
    try:
        step, subject = opened(step, resources, run)
        applied = step.applied
        owner = steps.other_owner(applied, resource)
        if recover and not owner and run.operations.recover(subject, waits=False, to_destroy=True).is_changed:
            applied = run.inventory.read(subject.name)
        refusal = None
        if applied is not None:
            refusal = protection.refusal(applied, "delete", manifests=manifests, everything=run.inventory.all)
        deletions = run.operations.deletions(subject)
        return dataclasses.replace(step, plan=deletions, error=refusal, owner=owner, applied=applied)
    except errors.PlantonError as error:
        return dataclasses.replace(step, error=error)


def opened(
    step: steps.Step, resources: graph.Graph, run: runtime.Runtime, *, watch: watching.Watch | None = None
) -> tuple[steps.Step, managed.Managed]:
    """Returns a step with the account of its applied manifest, and its stack, to read or delete it.

    Args:
        step: The step.
        resources: The resources of the run.
        run: What every stage uses.
        watch: Watches the engine's work on the stack; None for nothing.
    """
    resource = resources.resources[step.key]
    applied = run.inventory.read(stacks.name_of(resource.manifest))
    step = dataclasses.replace(step, applied=applied)
    resource = resolve.as_applied(resource, applied)
    look_up = resolve.lookup(resources, run.inventory, provided={})
    resolved = resolve.resolve(resource, look_up, run.settings, is_applied=True)
    step = dataclasses.replace(step, account=resolved.account, stack_input=resolved.stack_input)
    resolve.check_account(applied, resolved.stack_input)
    subject = run.operations.manage(
        resolved.stack_input, run.settings, run.tools, origin=resource.origin, on_event=None if watch is None else watch.on_event
    )
    return step, subject


def _clear_record(key: references.Key, resources: graph.Graph, run: runtime.Runtime) -> None:
    # A destroy that was killed after its last deletion left only a record.
    name = stacks.name_of(resources.resources[key].manifest)
    records = journal.Journal(run.settings.data, run.settings.backend_url, name)
    if records.read() is not None:
        with records.hold("destroy", run.settings):
            records.clear()


def run_steps(
    listed: Sequence[steps.Step],
    resources: graph.Graph,
    run: runtime.Runtime,
    *,
    leftovers_of: Mapping[references.Key, leftovers.Leftovers],
) -> list[steps.Step]:
    """Deletes the planned resources. A resource that fails keeps its dependencies, and no others.

    Args:
        listed: The approved steps.
        resources: Their resources.
        run: What every stage uses.
        leftovers_of: Cluster → its leftovers, with those to delete.
    """
    watches = watching.Watches("destroy", run.on_progress)
    stages = _Destroying(listed, resources, run, leftovers_of, watches)
    ended = running.run(
        listed,
        [stages.delete_unless_last],
        resources,
        run.settings,
        dependencies=resources.dependants([step.key for step in listed]),
        why="could not be destroyed",
    )
    by_key = {step.key: dataclasses.replace(step, last_of=None) for step in ended}
    waiting = {step.key: step.last_of for step in ended if step.last_of is not None}
    # The cloud keeps the last pool of a cluster, and deletes it with the cluster. Only its stack remains.
    ready = [by_key[key] for key, cluster in waiting.items() if by_key[cluster].error is None]
    last = running.run(ready, [stages.delete], resources, run.settings, dependencies={}, why="failed")
    by_key |= {step.key: step for step in last}
    for key, cluster in waiting.items():
        if by_key[cluster].error is not None:
            by_key[key] = steps.blocked(by_key[key], [cluster], why="could not be destroyed")
    return autoscalers.fit([watches.ended(step) for step in by_key.values()], run, are_deleted=True)


@dataclasses.dataclass(frozen=True, slots=True)
class _Destroying:
    """The stage of one step, with what all steps share."""

    listed: Sequence[steps.Step]
    resources: graph.Graph
    run: runtime.Runtime
    leftovers_of: Mapping[references.Key, leftovers.Leftovers]
    watches: watching.Watches

    def delete_unless_last(self, step: steps.Step, done: running.Done) -> steps.Step:
        """Deletes the resources of a step, unless it is the last pool of a cluster that is deleted too."""
        try:
            return self.delete(step, done)
        except errors.PlantonError as error:
            cluster = _with_id(self.listed, error.metadata.get(default_pool.LAST_OF, ""))
            if cluster is None:
                raise
            return dataclasses.replace(step, last_of=cluster)

    def delete(self, step: steps.Step, done: running.Done) -> steps.Step:
        """Deletes the resources of a step."""
        return progress.announced(self._delete, self.run.on_progress, "destroy")(step, done)

    def _delete(self, step: steps.Step, _done: running.Done) -> steps.Step:
        watch = self.watches.start(step.key)
        _, subject = opened(step, self.resources, self.run, watch=watch)
        self.run.operations.recover(subject, waits=False, to_destroy=True)
        with watch.working(subject):
            self.run.operations.destroy(subject, step.plan, around=leftovers.deleting(self.leftovers_of.get(step.key)))
        return dataclasses.replace(step, done=step.plan.changes)


def _with_id(listed: Iterable[steps.Step], id_: str) -> references.Key | None:
    return next((step.key for step in listed if id_ and step.applied is not None and step.applied.identity == id_), None)


def destroy(approved: approve.Approved) -> list[steps.Step]:
    """Deletes what an approved plan of a destroy lists, and returns its steps.

    Args:
        approved: The approved plan.

    Raises:
        PlantonError: ``USAGE``: it is not the plan of a destroy.
    """
    listed = approve.plan_of(approved, "destroy")
    return run_steps(listed.steps, listed.resources, listed.run, leftovers_of=listed.leftovers)
