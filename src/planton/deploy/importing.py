"""Import: an existing cloud resource → the plan of its import under a manifest."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from planton import errors
from planton.deploy import checks, cloud_names, graph, losses, plan, referrers, resolve, steps
from planton.engine import stacks, states
from planton.recovery import importing, recording
from planton.schema import kinds

if TYPE_CHECKING:
    from planton.deploy import runtime
    from planton.manifest import load
    from planton.recovery import managed
    from planton.schema import references


def make(listed: tuple[load.Resource, ...], key: references.Key, import_id: str, run: runtime.Runtime) -> plan.Plan:
    """Returns the plan of an import: the adopted resources, and their changes to what the manifest says.

    Errors about the resource are errors of its step.

    Args:
        listed: The resources; only one of them is imported.
        key: The resource to import.
        import_id: The cloud's id; of a node pool ``CLUSTER:POOL``, or the pool's id or name alone.
        run: What every stage uses.

    Raises:
        InvalidError: ``REFERENCE_INVALID``: a cycle, a duplicate, or one name in the cloud for two resources.
    """
    resources = graph.of(listed)
    cloud_names.check(resources.resources)
    [step], notes = _planned(resources, key, import_id, run)
    lost = step.plan.losses()
    users = {step.key: referrers.of(step, run.inventory.all(), resources.manifests)} if lost else {}
    return plan.Plan("import", run, resources, tuple(losses.of_steps([step], users)), referrers=users, notes=notes)


def _planned(
    resources: graph.Graph, key: references.Key, import_id: str, run: runtime.Runtime
) -> tuple[list[steps.Step], tuple[str, ...]]:
    check = checks.Checks(run.settings.progress, open_cloud=run.open_cloud)
    resource = resources.resources[key]
    applied = run.inventory.read(stacks.name_of(resource.manifest))
    step = dataclasses.replace(steps.of(resource), applied=applied, owner=steps.other_owner(applied, resource))
    try:
        look_up = resolve.lookup(resources, run.inventory, provided={})
        resolved = resolve.resolve(resource, look_up, run.settings)
        step = dataclasses.replace(step, account=resolved.account)
        step = dataclasses.replace(step, stack_input=check.resolved(resource, resolved.stack_input))
        resolve.check_account(applied, step.stack_input)
        subject = run.operations.manage(step.stack_input, run.settings, run.tools, origin=resource.origin)
        adoption = _adoption(step, subject, import_id, run)
        resumption = recording.Resumption(subject.journal.read(), imports=adoption.imports)
        changes = check.planned(
            resource,
            step.stack_input,
            lambda: run.operations.preview(subject, resumption=resumption, creates_stack=False),
            checks.Existing(applied, look_up, is_finished=resumption.record is None, imports=adoption.imports),
        )
    except errors.PlantonError as error:
        return [dataclasses.replace(step, error=checks.placed(error, resource))], ()
    return [dataclasses.replace(step, resumption=resumption, plan=changes)], adoption.notes


def _adoption(step: steps.Step, subject: managed.Managed, import_id: str, run: runtime.Runtime) -> importing.Adoption:
    existing = {states.name_of(each): str(each["id"]) for each in states.cloud_resources(subject.state())}
    if step.main in existing:
        noun, id_ = step.main.replace("_", " "), existing[step.main]
        raise errors.state_unfit(
            f"{step.key} already manages the {noun} {id_}; an import would replace it",
            subject=str(step.key),
            hint=f"planton apply changes it; to manage another one instead: "
            f"planton state forget {step.key.kind}/{step.key.name}, then import",
            metadata={"resource": str(step.key), "id": id_},
        )
    adoption = importing.prepare(subject.cloud, subject.target, step.main, import_id, cluster_id=lambda: _cluster_id(subject))
    imports = {resource: id_ for resource, id_ in adoption.imports.items() if resource not in existing}
    for resource, id_ in imports.items():
        _require_unmanaged(step, subject, resource, id_, run)
    return dataclasses.replace(adoption, imports=imports)


def _cluster_id(subject: managed.Managed) -> str:
    cluster = subject.cluster_id()
    if not cluster:
        raise errors.not_found(
            f"no cluster has the name or id {kinds.get(subject.target.kind).cluster_id(subject.target)!r}",
            hint="correct the cluster in the manifest",
        )
    return cluster


def _require_unmanaged(step: steps.Step, subject: managed.Managed, resource: str, import_id: str, run: runtime.Runtime) -> None:
    resource_type = kinds.resource_types(subject.cloud.PROVIDER)[resource.partition("-")[0]]
    cluster, _, own = import_id.rpartition(":")
    for each in run.inventory.all():
        is_managed = any((resource_type, own) == (type_, id_) and cluster in ("", within) for type_, within, id_ in each.ids)
        if each.stack.matches(subject.name) or not is_managed:
            continue
        raise errors.take_over_refused(
            f"{resource.replace('_', ' ')} {own} belongs to {each.key}, stack {each.stack}"
            + (f", applied from {each.origin}" if each.origin else ""),
            hint=f"one resource has one owner: planton state forget {each.key.kind}/{each.key.name} releases it, then import it "
            f"as {step.key.kind}/{step.key.name}",
            metadata={"resource": str(step.key), "owner": str(each.key)},
        )
