"""The applied resources with their condition in the cloud: one list per account and kind. No engine starts, and nothing is changed."""

from __future__ import annotations

import concurrent.futures
import dataclasses
from typing import TYPE_CHECKING, Any, Final

from planton import clouds, errors
from planton.clouds import answers, views
from planton.deploy import access, subjects
from planton.engine import stacks, states
from planton.recovery import guards, observed
from planton.schema import kinds, references

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planton.deploy import runtime
    from planton.engine import plans
    from planton.state import inventory

#: The status of a resource that could not be looked up, that the cloud does not have, and whose apply did not end.
UNKNOWN, MISSING, INCOMPLETE = "Unknown", "Missing", "Incomplete"
#: The status of a resource of a cloud whose lists planton does not read.
APPLIED = "Applied"
#: The number of requests at a time.
_PARALLEL: Final = 8


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """An applied resource with its condition in the cloud.

    Attributes:
        applied: The resource as it was applied.
        state: The state of its stack, secrets encrypted.
        summary: Its condition. Without the cloud, what the manifest says, with the status `UNKNOWN`.
        drift: The properties in which the cloud differs from what was applied; None if that is unknown.
        missing: The names in the stack of the resources that the cloud does not have.
        problem: Why the cloud could not be read; None if it could, or was not to be.
    """

    applied: inventory.Applied
    state: dict[str, Any]
    summary: views.Summary
    drift: tuple[plans.Difference, ...] | None = None
    missing: tuple[str, ...] = ()
    problem: errors.PlantonError | None = None

    @property
    def key(self) -> references.Key:
        """The key of the resource."""
        return self.applied.key

    @property
    def kind(self) -> kinds.Kind:
        """The kind of the resource."""
        return kinds.get(self.applied.key.kind)

    @property
    def region(self) -> str:
        """Its region, in lower case; empty if it has none."""
        return (references.own_region(self.applied.manifest) or self.applied.region).lower()

    @property
    def differs(self) -> bool:
        """Whether the cloud differs from what was applied."""
        return bool(self.drift or self.missing)

    @property
    def is_unfinished(self) -> bool:
        """Whether the last operation on it has left something to do."""
        return not self.applied.complete or bool(states.pending(self.state)) or states.half_updated(self.state)

    def as_dict(self) -> dict[str, Any]:
        """Returns the condition as JSON data."""
        summary = self.summary
        nodes = None if summary.desired is None else {"ready": summary.ready, "desired": summary.desired}
        drift = None if self.drift is None else list(map(str, self.drift))
        return {
            "status": summary.status,
            "version": summary.version,
            "region": self.region,
            "nodes": nodes,
            "sizes": list(summary.sizes),
            "created": summary.created,
            "drift": drift,
            "missing": list(self.missing),
            "problem": None if self.problem is None else self.problem.as_dict(),
        }


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which applied resources are listed.

    Attributes:
        kinds: Only those of these kinds; empty for all.
        env: Only those of this environment; None for all.
        labels: Only those with these labels in their metadata.
        stack: Only that of this stack, ``PROJECT/STACK``; empty for all.
    """

    kinds: tuple[kinds.Kind, ...] = ()
    env: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    stack: str = ""

    def matches(self, applied: inventory.Applied) -> bool:
        """Returns whether a resource is listed."""
        labels: Any = applied.manifest.metadata.labels  # type: ignore[attr-defined]  # every manifest has metadata
        return (
            (not self.kinds or applied.key.kind in [kind.name for kind in self.kinds])
            and self.env in (None, applied.key.env)
            and all(labels.get(name) == value for name, value in self.labels)
            and (not self.stack or stacks.parse(self.stack).matches(applied.stack))
        )


def read(run: runtime.Runtime, listed: Filter, *, offline: bool = False) -> list[Overview]:
    """Returns applied resources with their condition, by key. A cloud that cannot be read leaves `UNKNOWN` ones.

    Args:
        run: What every stage uses.
        listed: Which resources are listed.
        offline: Whether to read no cloud.
    """
    resources = [each for each in run.inventory.all_with_states() if listed.matches(each[0])]
    return of_all(resources, run, offline=offline)


def of_all(
    resources: Sequence[tuple[inventory.Applied, dict[str, Any]]],
    run: runtime.Runtime,
    *,
    lists: observed.Lists | None = None,
    offline: bool = False,
) -> list[Overview]:
    """Returns resources with their condition, in their order.

    Args:
        resources: The resources, each with its state.
        run: What every stage uses.
        lists: The lists of the accounts; None for new ones.
        offline: Whether to read no cloud.
    """
    if offline:
        return [_unread(applied, state) for applied, state in resources]
    chosen = lists or observed.Lists(answers.Answers())
    with concurrent.futures.ThreadPoolExecutor(_PARALLEL) as pool:
        return list(pool.map(lambda each: of(each[0], each[1], run, chosen), resources))


def of(applied: inventory.Applied, state: dict[str, Any], run: runtime.Runtime, lists: observed.Lists) -> Overview:
    """Returns one resource with its condition.

    Args:
        applied: The resource as it was applied.
        state: The state of its stack.
        run: What every stage uses.
        lists: The lists of the accounts, each fetched once.
    """
    if not kinds.get(applied.key.kind).cloud.views:
        return dataclasses.replace(_unread(applied, state), summary=views.Summary(status=APPLIED))
    try:
        return _read(applied, state, access.cloud_of(applied, run), lists)
    except errors.PlantonError as error:
        return dataclasses.replace(_unread(applied, state), problem=error)


def _read(applied: inventory.Applied, state: dict[str, Any], cloud: clouds.Cloud, lists: observed.Lists) -> Overview:
    kind = kinds.get(applied.key.kind)
    absent = [each for each in states.cloud_resources(state) if observed.entry_of(each, cloud, lists) is None]
    # A list may omit a resource for a moment. "Not found" for its id is reliable.
    gone = guards.missing(absent, clouds.remembering(cloud, lists.answers))
    main = next((each for each in states.cloud_resources(state) if states.name_of(each) == kind.main), None)
    summary = views.Summary(status=INCOMPLETE)
    if main is not None and main["urn"] in gone:
        summary = dataclasses.replace(_expected(applied), status=MISSING)
    elif main is not None:
        summary = _summary(main, applied, cloud, lists)
    is_autoscaled = states.autoscaled(state) or bool(subjects.autoscaling(applied.manifest))
    drift = observed.drift_of_state(state, kind.cloud, cloud, lists, is_autoscaled=is_autoscaled)
    missing = tuple(states.name_of(each) for each in absent if each["urn"] in gone)
    return Overview(applied=applied, state=state, summary=summary, drift=drift, missing=missing)


def _summary(main: dict[str, Any], applied: inventory.Applied, cloud: clouds.Cloud, lists: observed.Lists) -> views.Summary:
    entry = observed.entry_of(main, cloud, lists)
    if entry is None:
        return _expected(applied)
    by_type = clouds.views_of_type(main["type"]).BY_TYPE
    summary = by_type[main["type"]].summary(entry)
    if kinds.get(applied.key.kind).is_node_pool and not summary.version:
        type_ = kinds.type_of(kinds.Role.CLUSTER, cloud.PROVIDER)
        clusters = [each for each in lists.of(cloud, type_) if each["id"] == applied.cluster]
        summary = dataclasses.replace(summary, version=next((by_type[type_].summary(each).version for each in clusters), ""))
    # Not every list has the time; the engine has noted its own.
    return summary if summary.created else dataclasses.replace(summary, created=str(main.get("created") or ""))


def _unread(applied: inventory.Applied, state: dict[str, Any]) -> Overview:
    summary = _expected(applied) if applied.complete else views.Summary(status=INCOMPLETE)
    return Overview(applied=applied, state=state, summary=summary)


def _expected(applied: inventory.Applied) -> views.Summary:
    """Returns what an applied manifest and its outputs say, for a resource whose condition is unknown."""
    manifest: Any = applied.manifest
    pools = subjects.pools(manifest).values()
    return views.Summary(
        status=UNKNOWN,
        version=str(getattr(manifest.spec, "kubernetes_version", "")),
        sizes=views.distinct(pool.size for pool in pools),
        desired=sum(pool.count for pool in pools) if pools else None,
        created=str(getattr(manifest.status.outputs, "created_at_rfc3339", "")),
    )
