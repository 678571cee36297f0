"""What a piece of work is about: its resource in the API, what is desired of it, and what the cloud and the cluster have."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.client import transport
from planton.controllers import conditions, desired, execute, failures, manifests, observe, turnover, values

if TYPE_CHECKING:
    import datetime

    from planton.client import api
    from planton.config import settings as engine_settings
    from planton.controllers import queue
    from planton.manifest import load
    from planton.schema import kinds


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """A look at a resource.

    Attributes:
        data: The resource as the API returns it.
        target: What is desired of it.
        observed: What the cloud and the cluster have.
        revision: The revision of the pool that was observed.
    """

    data: dict[str, Any]
    target: desired.Target
    observed: values.Observed
    revision: int = 1

    def of(self, revision: int) -> values.Observed:
        """Returns what was observed of a pool of the resource."""
        if revision == self.revision:
            return self.observed
        return self.observed.successor or values.Observed(presence=values.Presence.NEVER)


@dataclasses.dataclass(frozen=True, slots=True)
class Subjects:
    """Reads resources.

    Attributes:
        client: The API.
        observer: Observes clouds and clusters.
        work: The claimed work.
        settings: The settings of the run.
        problem: Why the cloud cannot be asked; None if it can.
    """

    client: api.Client
    observer: observe.Observer
    work: queue.Work
    settings: engine_settings.Settings
    problem: errors.PlantonError | None = None

    def read(self) -> dict[str, Any]:
        """Returns the resource as the API returns it."""
        client = self.client
        resource = client.get_node_pool(self.work.id) if self.work.kind == "NodePool" else client.get_cluster(self.work.id)
        return manifests.as_data(resource)

    def look(self, data: dict[str, Any], memory: values.Memory, now: datetime.datetime) -> Seen:
        """Returns a look at a resource.

        Args:
            data: The resource as the API returns it.
            memory: What the controller has reported last.
            now: The time.

        Raises:
            PlantonError: ``INTERRUPTED``; ``KIND_UNSUPPORTED``; the API cannot be reached.
        """
        generation = int(data["generation"])
        kind = self._kind()
        if waits_for := self._dependants(data):
            waiting = values.Desired(generation=generation, is_deleting=True, waits_for=waits_for)
            return Seen(data, desired.Target(waiting, None), values.Observed(presence=values.Presence.UNKNOWN))
        if self.problem is not None:
            target, observed = _unread(generation, data, self.failure(self.problem))
            return Seen(data, target, observed, memory.revision)
        try:
            target, observed = self._observed(kind, data, memory, now)
        except transport.ApiError:
            raise
        except errors.PlantonError as error:
            if error.reason is errors.Reason.INTERRUPTED:
                raise
            target, observed = _unread(generation, data, self.failure(error))
        return Seen(data, target, observed, memory.revision)

    def remembered(self, memory: values.Memory) -> values.Memory:
        """Returns a memory for a pool without a report of this controller: which revisions it has follows from the states."""
        if self.work.kind != "NodePool":
            return memory
        revisions = self.observer.revisions(self.work.id)
        if not revisions:
            return memory
        applied = self.observer.applied(self.work.id, revisions[0])
        rolling = desired.count(applied) if applied is not None and len(revisions) > 1 else None
        return dataclasses.replace(memory, revision=revisions[0], rolling=rolling)

    def resource(self, seen: Seen, decision: values.Decision) -> load.Resource:
        """Returns the resource of the pipeline that a decision is about.

        A pool that does not fit the spec stays as it was applied, apart from its number of nodes.
        """
        applied = self.observer.applied(self.work.id, decision.revision)
        is_kept = decision.action is values.Action.DELETE or bool(seen.of(decision.revision).replaced_by)
        if applied is not None and is_kept:
            resource = desired.as_applied(applied)
        elif decision.revision == seen.revision:
            assert seen.target.resource is not None, "an action needs a resource"
            resource = seen.target.resource
        else:
            made = desired.target(
                self._kind(), seen.data, self.settings, applied=applied, cluster=self._cluster(decision.revision)
            ).resource
            assert made is not None, "a desired state without problems has a resource"
            resource = made
        return resource if decision.count is None else manifests.resized(resource, decision.count)

    def place(self, resource: load.Resource) -> execute.Place:
        """Returns where the nodes of a pool are."""
        subject = self.observer.subject(resource)
        main, cloud, cluster = subject.main, subject.managed.cloud, subject.cluster_id
        pool = "" if main is None else str(main["id"])
        return execute.Place(cloud, cluster, pool, lambda: self.observer.clusters.api(cloud, cluster))

    def _observed(
        self, kind: kinds.Kind, data: dict[str, Any], memory: values.Memory, now: datetime.datetime
    ) -> tuple[desired.Target, values.Observed]:
        target, observed, subject = self._one(kind, data, memory.revision, is_steady=_is_steady(data, memory))
        if memory.rolling is not None:
            _, successor, other = self._one(kind, data, memory.revision + 1)
            observed = dataclasses.replace(observed, successor=successor)
            subject = subject if observed.presence is values.Presence.PRESENT else other
        policy = target.desired.turnover
        if policy is None or subject is None:
            return target, observed
        if turnover.needs_workload(target.desired, observed):
            observed = self.observer.workload(subject, observed)
        return target, self.observer.drains(subject, observed, policy.limit, now)

    def _one(
        self, kind: kinds.Kind, data: dict[str, Any], revision: int, *, is_steady: bool = False
    ) -> tuple[desired.Target, values.Observed, observe.Subject | None]:
        applied = self.observer.applied(self.work.id, revision)
        cluster = self._cluster(revision) if self.work.kind == "NodePool" else None
        target = desired.target(kind, data, self.settings, applied=applied, cluster=cluster)
        # Before the first request the state has the manifest, so without one there is nothing to delete.
        has_nothing = applied is None and (target.desired.is_deleting or target.desired.waits_for)
        if target.resource is None or has_nothing:
            return target, values.Observed(presence=values.Presence.NEVER), None
        is_left = desired.is_left_by_autoscaler(target, applied)
        is_native = is_left or (target.desired.nodes is None and not target.desired.is_deleting)
        is_scaled = target.desired.scaling is not None
        subject = self.observer.subject(target.resource, nodes=target.label, is_autoscaled=is_native, is_scaled=is_scaled)
        # The autoscaler samples more often than in each interval.
        observed = self.observer.look(subject, is_steady=is_steady and not is_scaled)
        # The manifest has the initial number. The cloud has the last one.
        is_moved = is_left and bool(observed.cloud_nodes)
        return desired.resized(target, observed.cloud_nodes or 0) if is_moved else target, observed, subject

    def failure(self, error: errors.PlantonError) -> failures.Failure:
        """Returns the failure of a look or of an action.

        The id of the cluster in the manifest of a node pool is no value that the user wrote, so the spec is not invalid without it.
        """
        violations = error.violations if isinstance(error, errors.InvalidError) else ()
        is_lost = error.reason is errors.Reason.NOT_FOUND and any(each.path == "spec.cluster" for each in violations)
        if self.work.kind != "NodePool" or not is_lost:
            return failures.of(error)
        cluster = self.client.get_cluster(self.work.cluster_id)
        text = f"cluster {cluster.name} is missing from the cloud"
        return failures.make(
            failures.Code.DEPENDENCY, text, hint="set lifecycle.recreate in the cluster, or delete the node pool"
        )

    def _kind(self) -> kinds.Kind:
        role = desired.ROLES[self.work.kind]
        kind = manifests.kind_of(role, self.work.platform)
        if kind is None:
            text = f"this controller cannot create a {role} on {self.work.platform}"
            raise errors.kind_unsupported(text)
        return kind

    def _cluster(self, revision: int) -> desired.Cluster:
        data = manifests.as_data(self.client.get_cluster(self.work.cluster_id))
        return desired.Cluster(data, self.observer.applied(self.work.cluster_id), revision)

    def _dependants(self, data: dict[str, Any]) -> str:
        """Returns which node pools a deleted cluster waits for; empty if it waits for none. They need the cluster to be deleted."""
        if self.work.kind == "NodePool" or "deleted_at" not in data:
            return ""
        pools = self.client.list_node_pools(clusterId=self.work.id, includeDeleting="true")
        names = ", ".join(sorted(pool.name for pool in pools))
        return f"its node pools are deleted first: {names}" if names else ""


def _is_steady(data: dict[str, Any], memory: values.Memory) -> bool:
    """Returns whether the last look found a resource as its spec says."""
    ready = memory.by_type.get(conditions.READY)
    is_current = memory.observed == int(data["generation"]) and "deleted_at" not in data
    return is_current and memory.probe_failed is None and ready is not None and ready.status == "True"


def _unread(generation: int, data: dict[str, Any], failure: failures.Failure) -> tuple[desired.Target, values.Observed]:
    problem = failure if failure.is_permanent else None
    desired_state = values.Desired(generation=generation, is_deleting="deleted_at" in data, problem=problem)
    return desired.Target(desired_state, None), values.Observed(presence=values.Presence.UNKNOWN, problem=failure)
