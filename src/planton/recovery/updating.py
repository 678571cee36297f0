"""Updates: apply a plan to one stack, with guards against faults of plugins."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

from planton import clouds, errors
from planton.engine import explain, plans, states
from planton.modules import texts
from planton.recovery import awaiting, default_pool, guards, observed, ownership, previewing, recording, refreshing
from planton.schema import kinds
from planton.state import history

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from planton.engine import session
    from planton.recovery import managed

_CREATIONS = (plans.Action.CREATE, plans.Action.REPLACE)
#: Actions after which the applications of a cluster are installed.
_INSTALLS = (*_CREATIONS, plans.Action.IMPORT)


@dataclasses.dataclass(frozen=True, slots=True)
class Updated:
    """The result of an update.

    Attributes:
        plan: The changes that were made.
        state: The state after them.
    """

    plan: plans.Plan
    state: Mapping[str, Any]


def update(subject: managed.Managed, plan: plans.Plan, *, resumption: recording.Resumption, lists: observed.Lists) -> Updated:
    """Applies a plan to a stack.

    Args:
        subject: The stack.
        plan: The approved plan.
        resumption: What a recovery found, or what is imported.
        lists: The lists of the cloud from before the first request of the run.

    Raises:
        PlantonError: ``PLAN_STALE``: a resource is missing that the plan does not recreate. Other errors: the state holds what
            was done, and the next run resumes.
    """
    # An interrupted operation continues with its own tag.
    marker = resumption.marker or ownership.new_marker()
    before = _ids_before(subject, plan, lists)
    with recording.recorded(subject, "apply", resumption=resumption, marker=marker, before=before) as record:
        message = history.message("apply", subject.key, plan)
        opened = subject.session(imports=resumption.imports, marker=marker, message=message, record=record)
        _refresh_if_stale(subject, opened, plan)
        recreated = _recreate_default_pool(subject, opened, plan)
        pool = subject.default_pool()
        outcome = _up(subject, opened, plan)
        _complete_bounds(subject, opened, plan)
        refreshing.bind(subject, pool, is_refreshed=False)
        warnings = _await_cloud(subject, opened, outcome.plan)
    changes = (*recreated, *outcome.plan.changes)
    done = dataclasses.replace(outcome.plan, changes=changes, warnings=(*outcome.plan.warnings, *warnings))
    return Updated(done, subject.stack.export())


def _up(subject: managed.Managed, opened: session.Session, plan: plans.Plan) -> session.Outcome:
    try:
        return opened.up()
    except explain.OperationError as error:
        _name_owner(subject, error)
        _add_conditions(subject, error)
        failed = {} if error.reason in recording.FINAL else subject.stack.export()
        missing = refreshing.remove_missing(subject, failed)
        if not missing:
            raise
        _require_planned(subject, plan, missing, failed)
        return opened.up()


def _complete_bounds(subject: managed.Managed, opened: session.Session, plan: plans.Plan) -> None:
    # A plugin omits a bound of 0 from the request for a new pool, and sends it with an update.
    is_new = any(change.action in _CREATIONS for change in plan.changes)
    if is_new and states.lacks_bounds(subject.stack.export()):
        opened.up()


def _refresh_if_stale(subject: managed.Managed, opened: session.Session, plan: plans.Plan) -> None:
    before = subject.state()
    # The plugin sends the number of nodes with every update, and the state has the number of the last read.
    if before.get("resources") and (plan.is_refreshed or states.autoscaled(before)):
        refreshing.read_cloud(subject, opened)
        dropped = guards.dropped(before, subject.stack.export())
        _require_planned(subject, plan, (each["urn"] for each in dropped), before)


def _recreate_default_pool(subject: managed.Managed, opened: session.Session, plan: plans.Plan) -> tuple[plans.Change, ...]:
    pool = subject.default_pool()
    if pool is None or previewing.is_new(pool.cluster, plan):
        return ()
    cluster = subject.cloud.cluster(pool.cluster_id)
    if cluster is None:
        return ()
    existing = default_pool.find(cluster, pool)
    if existing is None:
        _require_planned(subject, plan, [pool.urn], subject.stack.export())
        subject.settings.progress(f"  {subject.target.metadata.name}: recreating the default pool, which is missing")
        subject.cloud.create_pool(pool.cluster_id, default_pool.request(pool))
        awaiting.until_settled(
            lambda: subject.cloud.cluster(pool.cluster_id), subject.settings, subject.target, timing=subject.timing
        )
    if existing is None or existing["id"] != pool.id:
        refreshing.read_cloud(subject, opened)
    return (default_pool.creation(pool),) if existing is None else ()


def _await_cloud(subject: managed.Managed, opened: session.Session, plan: plans.Plan) -> tuple[str, ...]:
    clusters = [change for change in plan.changes if kinds.has_role(change.type, kinds.Role.CLUSTER)]
    pool = subject.default_pool() if clusters else None
    if pool is None:
        return ()

    def look() -> Mapping[str, Any] | None:
        return subject.cloud.cluster(pool.cluster_id)

    is_slow = any(awaiting.takes_time(change) for change in clusters)
    if is_slow:
        awaiting.until_settled(look, subject.settings, subject.target, timing=subject.timing)
    failed: list[str] = []
    applications = getattr(subject.target.spec, "applications", ())
    if applications and any(change.action in _INSTALLS for change in clusters):
        is_slow = bool(awaiting.uninstalled(look() or {}, applications)) or is_slow
        failed = awaiting.until_installed(look, subject.settings, subject.target, timing=subject.timing)
    if is_slow:
        # The plugin read the outputs before the cloud had finished.
        refreshing.read_cloud(subject, opened)
    return tuple(_report_failed(subject, name) for name in failed)


def _report_failed(subject: managed.Managed, application: str) -> str:
    minutes = f"{awaiting.APPLICATION_SECONDS / 60:g} minutes after the cluster was ready"
    warning = texts.not_installed(application, when=minutes)
    subject.settings.progress(f"  ! {warning}")
    return warning


def _ids_before(subject: managed.Managed, plan: plans.Plan, lists: observed.Lists) -> dict[str, tuple[str, ...]]:
    # Resources that exist before the first request cannot be the result of one.
    ids: dict[str, tuple[str, ...]] = {}
    for change in plan.changes:
        if change.action not in _CREATIONS or not clouds.is_resource(change.type):
            continue
        is_pool = kinds.has_role(change.type, kinds.Role.NODE_POOL)
        cluster = subject.cluster_id() if is_pool else ""
        entries = lists.entries(subject.cloud, change.type, cluster) if cluster or not is_pool else []
        ids[change.urn] = tuple(str(each["id"]) for each in entries)
    return ids


def _require_planned(subject: managed.Managed, plan: plans.Plan, missing: Iterable[str], state: dict[str, Any]) -> None:
    # An approved update must not become a create. A resource that the plan reported missing, and that the manifest no longer has,
    # needs nothing. The state is restored, so that the next plan asks for consent.
    unplanned = set(missing) - plan.recreated() - plan.missing
    if unplanned:
        names = ", ".join(sorted(map(states.short_name, unplanned)))
        subject.stack.replace_state(state)
        raise plans.stale(f"{names} is missing from the cloud, and the plan does not recreate it; nothing was created")


def _name_owner(subject: managed.Managed, error: explain.OperationError) -> None:
    # The cloud says that a name exists, and not which resource has it.
    failed = () if error.recorder is None else error.recorder.failed
    for urn in failed if error.reason is errors.Reason.CLOUD_NAME_TAKEN else ():
        type_, name = states.type_and_name(urn)
        with contextlib.suppress(errors.PlantonError):
            id_ = subject.cloud.find(type_, guards.cloud_name(name, subject.target), subject.cluster_id())
            if not id_:
                continue
            error.metadata |= {"id": id_, "region": subject.cloud.where}
            error.hint = f"it exists in {subject.cloud.where} with id {id_}: {_way_out(subject, type_, name, id_)}"


def _add_conditions(subject: managed.Managed, error: explain.OperationError) -> None:
    # A plugin may report only the state that a resource has ended in, and the cloud why.
    failed = () if error.recorder is None else error.recorder.failed
    for urn in failed if error.reason is errors.Reason.ENGINE_FAILED else ():
        type_, name = states.type_and_name(urn)
        if not clouds.is_resource(type_):
            continue
        with contextlib.suppress(errors.PlantonError):
            texts_ = _conditions(subject, type_, guards.cloud_name(name, subject.target))
            if texts_:
                explain.add_condition(error, "; ".join(dict.fromkeys(texts_)), subject.target)


def _conditions(subject: managed.Managed, type_: str, name: str) -> list[str]:
    """Returns what the cloud reports of a cluster or node pool."""
    is_pool = kinds.has_role(type_, kinds.Role.NODE_POOL)
    id_ = subject.cluster_id() if is_pool else subject.cloud.find(type_, name)
    cluster = subject.cloud.cluster(id_) if id_ and (is_pool or kinds.has_role(type_, kinds.Role.CLUSTER)) else None
    if cluster is None:
        return []
    entries = observed.pools_of(cluster) if is_pool else [cluster]
    named = [each for each in entries if observed.name_of(type_, each) == name]
    return [text for each in named for text in clouds.views_of_type(type_).BY_TYPE[type_].troubles(each)]


def _way_out(subject: managed.Managed, type_: str, name: str, id_: str) -> str:
    kind = kinds.of_type(type_)
    if name == subject.kind.main:
        return f"adopt it (planton import {subject.key.kind}/{subject.key.name} {id_} -f FILE), or choose another name"
    if kind is not None and kind.declared.role is kinds.Role.FIREWALL:
        return guards.own_firewall_hint(kind.provider, id_)
    return "delete it there, or choose another name"
