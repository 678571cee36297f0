"""Observes a resource: its state, the cloud's lists and the cluster's nodes. It starts no engine and changes nothing."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from planton import clouds, errors
from planton.controllers import failures, kubernetes, manifests, recent, values
from planton.deploy import checks, drain, draining, resolve
from planton.engine import plans, stacks, states
from planton.modules import stored_json
from planton.recovery import guards, observed, recording

if TYPE_CHECKING:
    import datetime
    from collections.abc import Hashable, Iterable

    from planton.clouds import kubernetes as kubernetes_api
    from planton.controllers import workload
    from planton.deploy import runtime
    from planton.manifest import load
    from planton.recovery import managed
    from planton.schema import kinds
    from planton.state import inventory


def revisions(states_: inventory.Inventory, resource_id: str) -> list[int]:
    """Returns the revisions of a resource of the API that have states, in order. It lists all states."""
    names = [name.stack for name in states_.names if name.project == manifests.PROJECT]
    own = {
        each: stacks.StackName(manifests.PROJECT, manifests.stack_of(resource_id, each))
        for each in manifests.revisions(resource_id, names)
    }
    return [each for each, stack in own.items() if states_.read(stack) is not None]


@dataclasses.dataclass(frozen=True, slots=True)
class Subject:
    """A resource with its stack and its account.

    Attributes:
        managed: The stack with its stack input.
        state: Its state; empty if it has none.
        applied: The resource as applied; None if it was not.
        nodes: The nodes of the resource are those with this value of the label ``nodepool``; empty for those without the label.
        is_autoscaled: Whether the cloud's autoscaler decides the number of nodes.
        is_scaled: Whether the controller's autoscaler decides it.
    """

    managed: managed.Managed
    state: dict[str, Any]
    applied: inventory.Applied | None
    nodes: str
    is_autoscaled: bool
    is_scaled: bool = False

    @property
    def kind(self) -> kinds.Kind:
        """The kind of the manifest."""
        return self.managed.kind

    @property
    def main(self) -> dict[str, Any] | None:
        """The main resource of the state; None if it has none."""
        listed = states.cloud_resources(self.state)
        return next((each for each in listed if states.name_of(each) == self.kind.main), None)

    @property
    def account(self) -> Hashable:
        """The scope of the account's lists."""
        cloud = self.managed.cloud
        return (cloud.PROVIDER, cloud.address, cloud)

    @property
    def cluster_id(self) -> str:
        """The cloud's id of the cluster; empty if there is none yet."""
        return states.cluster(self.state)


@dataclasses.dataclass(frozen=True, slots=True)
class Observer:
    """Observes resources.

    Attributes:
        run: What every stage of the pipeline uses.
        lists: The recent lists of accounts.
        nodes: The recent nodes of clusters.
        clusters: The connections to Kubernetes APIs.
    """

    run: runtime.Runtime
    lists: recent.Recent = dataclasses.field(default_factory=recent.Recent)
    nodes: recent.Recent = dataclasses.field(default_factory=recent.Recent)
    clusters: kubernetes.Clusters = dataclasses.field(default_factory=kubernetes.Clusters)

    @classmethod
    def every(cls, run: runtime.Runtime, interval: datetime.timedelta) -> Observer:
        """Returns an observer whose looks at what is as desired share one list of each sort in an interval.

        Args:
            run: What every stage of the pipeline uses.
            interval: The longest time between two looks at a resource.
        """
        seconds = interval.total_seconds()
        return cls(run, recent.Recent(seconds), recent.Recent(seconds))

    def subject(
        self, resource: load.Resource, *, nodes: str = "", is_autoscaled: bool = False, is_scaled: bool = False
    ) -> Subject:
        """Returns a resource with its stack and its account.

        Raises:
            PlantonError: The account or a name in the spec cannot be found; the state cannot be read.
        """
        resolved = resolve.resolve(resource, lambda _key: None, self.run.settings)
        check = checks.Checks(self.run.settings.progress, open_cloud=self.run.open_cloud)
        stack_input = check.resolved(resource, resolved.stack_input)
        subject = self.run.operations.manage(stack_input, self.run.settings, self.run.tools, origin=resource.origin)
        state = subject.state()
        applied = self.run.inventory.understand(subject.name, state) if state else None
        resolve.check_account(applied, stack_input)
        return Subject(subject, state, applied, nodes, is_autoscaled, is_scaled)

    def applied(self, resource_id: str, revision: int = 1) -> inventory.Applied | None:
        """Returns a resource of the API as it was applied; None if it was not."""
        return self.run.inventory.read(stacks.StackName(manifests.PROJECT, manifests.stack_of(resource_id, revision)))

    def revisions(self, resource_id: str) -> list[int]:
        """Returns the revisions of a resource that have states, in order. It lists all states."""
        return revisions(self.run.inventory, resource_id)

    def drains(
        self, subject: Subject, observation: values.Observed, limit: drain.Limit, now: datetime.datetime
    ) -> values.Observed:
        """Returns an observation with the next steps of the drains that have begun."""
        if not any(node.draining_since for node in observation.nodes or ()):
            return observation
        try:
            api = self.clusters.api(subject.managed.cloud, subject.cluster_id)
            nodes = tuple(_draining(api, node, limit, now) for node in observation.nodes or ())
        except errors.PlantonError as error:
            self.nodes.forget(("nodes", subject.cluster_id))
            return dataclasses.replace(observation, nodes=None, problem=failures.of(error))
        return dataclasses.replace(observation, nodes=nodes)

    def workload(self, subject: Subject, observation: values.Observed) -> values.Observed:
        """Returns an observation with what runs on the nodes."""
        try:
            running = self.clusters.workload(subject.managed.cloud, subject.cluster_id)
        except errors.PlantonError as error:
            return dataclasses.replace(observation, nodes=None, problem=failures.of(error))
        return dataclasses.replace(observation, workload=running)

    def look(self, subject: Subject, *, is_steady: bool = False) -> values.Observed:
        """Returns what the cloud and the cluster have of a resource.

        What recent lists report as missing or changed is confirmed with new ones.

        Args:
            subject: The resource.
            is_steady: Whether all recent lists serve, because it was as desired. Otherwise those of the last seconds do.
        """
        silenced = self.lists.silenced(subject.account)
        if silenced is not None:
            return values.Observed(presence=values.Presence.UNKNOWN, problem=failures.of(silenced))
        since = None if is_steady else self.lists.now() - recent.SECONDS
        try:
            observation = self._cloud(subject, since)
            if observation.drift or observation.presence is values.Presence.MISSING:
                observation = self._cloud(subject, self.lists.now())
        except errors.PlantonError as error:
            self.lists.forget(subject.account)
            problem = failures.of(error)
            if problem.wait or problem.code is failures.Code.RATE_LIMIT:
                # Other resources of the account would ask the same.
                self.lists.silence(subject.account, problem.pause(1).total_seconds(), error)
            return values.Observed(presence=values.Presence.UNKNOWN, problem=problem)
        return self._with_nodes(subject, observation, since=None if is_steady else self.nodes.now() - recent.SECONDS)

    def _cloud(self, subject: Subject, since: float | None) -> values.Observed:
        main = subject.main
        if main is None:
            is_left = bool(states.cloud_resources(subject.state)) or recording.is_unfinished(subject.managed, subject.state)
            return values.Observed(presence=values.Presence.PARTIAL if is_left else values.Presence.NEVER)
        lists = observed.Lists(self.lists.of(subject.account, since=since))
        entry = observed.entry_of(main, subject.managed.cloud, lists)
        changed = _changed(subject)
        is_applied = not changed and _is_finished(subject)
        if entry is None:
            is_gone = bool(guards.missing([main], subject.managed.cloud))
            presence = values.Presence.MISSING if is_gone else values.Presence.UNKNOWN
            return values.Observed(presence=presence, is_applied=is_applied, changed=changed)
        replaced_by = tuple(path for path in changed if _replaces(subject.kind, path))
        return values.Observed(
            presence=values.Presence.PRESENT,
            is_applied=is_applied,
            changed=changed,
            replaced_by=replaced_by,
            is_rollable=all(_is_rollable(subject.kind, path) for path in replaced_by),
            is_autoscaled=subject.kind.is_node_pool and _is_autoscaled(subject),
            members=observed.node_names(entry) if subject.kind.is_node_pool else frozenset(),
            drift=_drift(subject, lists),
            cloud_nodes=_count(subject, main, entry),
            zones=clouds.views_of(subject.kind.cloud).BY_TYPE[main["type"]].zones(entry),
            trouble=_trouble(subject, main, entry),
        )

    def _with_nodes(self, subject: Subject, observation: values.Observed, *, since: float | None) -> values.Observed:
        if observation.presence is not values.Presence.PRESENT:
            return observation
        scope = ("nodes", subject.cluster_id)
        answers = self.nodes.of(scope, since=since)
        cloud = subject.managed.cloud
        try:
            listed = answers.get(scope, lambda: self.clusters.nodes(cloud, subject.cluster_id))
            observation = dataclasses.replace(observation, nodes=tuple(_own(listed, subject.nodes)))
            if subject.is_scaled:
                running = answers.get((*scope, "workload"), lambda: self.clusters.workload(cloud, subject.cluster_id))
                observation = dataclasses.replace(observation, workload=_own_workload(running, subject.nodes))
        except errors.PlantonError as error:
            self.nodes.forget(scope)
            return dataclasses.replace(observation, problem=failures.of(error))
        return observation


def _own_workload(running: workload.Workload, pool: str) -> workload.Workload:
    own = tuple(node for node in running.nodes if node.labels.get(manifests.NODE_LABEL, "") == pool)
    return dataclasses.replace(running, nodes=own)


def _own(listed: Iterable[kubernetes.Node], pool: str) -> Iterable[values.Node]:
    for node in listed:
        if node.labels.get(manifests.NODE_LABEL, "") == pool:
            yield values.Node(
                node.name, node.is_ready, node.version, node.created, node.since, node.is_cordoned, node.draining_since
            )


def _draining(api: kubernetes_api.Api, node: values.Node, limit: drain.Limit, now: datetime.datetime) -> values.Node:
    if node.draining_since is None:
        return node
    state = draining.read(api, node.name)
    step = drain.Step(stage=drain.Stage.DONE, message=f"node {node.name} is gone") if state is None else state.step(limit, now)
    return dataclasses.replace(node, drain=step)


def _is_finished(subject: Subject) -> bool:
    is_clean = not states.pending(subject.state) and not states.half_updated(subject.state)
    return (
        subject.applied is not None
        and subject.applied.complete
        and is_clean
        and not recording.is_unfinished(subject.managed, subject.state)
    )


def _changed(subject: Subject) -> tuple[str, ...]:
    if subject.applied is None:
        return ()
    before, after = (json.loads(stored_json(each)) for each in (subject.applied.manifest, subject.managed.target))
    paths = {each.path.partition("[")[0].removeprefix("spec.") for each in plans.compare(before, after)}
    return tuple(sorted(paths))


def _replaces(kind: kinds.Kind, path: str) -> bool:
    return any(path == each or path.startswith(f"{each}.") for each in kind.declared.replacing)


def _is_autoscaled(subject: Subject) -> bool:
    return subject.applied is not None and manifests.is_autoscaled(subject.applied.manifest)


def _is_rollable(kind: kinds.Kind, path: str) -> bool:
    """Returns whether a pool with another value of a field can exist beside the present one: it is a field of the cloud."""
    alternatives = kind.declared.api_fields.get(path, ())
    return kind.is_node_pool and any(each.startswith("platform.") for each in alternatives)


def _drift(subject: Subject, lists: observed.Lists) -> tuple[values.Difference, ...]:
    differences = observed.drift_of_state(
        subject.state, subject.kind.cloud, subject.managed.cloud, lists, is_autoscaled=subject.is_autoscaled
    )
    return tuple(values.Difference(each.path, str(each.old), str(each.new)) for each in differences)


def _count(subject: Subject, main: dict[str, Any], entry: dict[str, Any]) -> int | None:
    views = clouds.views_of(subject.kind.cloud)
    view = views.BY_TYPE[main["type"]]
    if subject.kind.is_node_pool:
        # A property of the plugin may count the nodes of one zone.
        return view.summary(entry).desired
    property_ = views.COUNTS.get(main["type"], "")
    count = view.of_entry(entry, main.get("outputs") or {}).get(property_)
    return None if count is None else int(count)


def _trouble(subject: Subject, main: dict[str, Any], entry: dict[str, Any]) -> failures.Failure | None:
    texts = clouds.views_of(subject.kind.cloud).BY_TYPE[main["type"]].troubles(entry)
    return failures.of_cloud(subject.kind.cloud.lacking(texts[0]), "; ".join(texts)) if texts else None
