"""The service: what each method of the API means. Functions on messages and rows; no transport is known here.

A method gets its request as a message that decodes, checks the rules of the schema, does its work in one transaction and returns an
answer (``records``). Both kinds of resources share every line but the few that say otherwise.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import uuid
from typing import TYPE_CHECKING, Any, Final

from planton.schema import validation
from planton_server.service import (
    errors,
    kinds,
    paging,
    records,
    rendering,
    reporters,
    reports,
    resyncs,
    sizes,
    status,
    timestamps,
)
from planton_server.store import access, database, events, lists, resources

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

    from google.protobuf import message

    from planton_server.service.kinds import Kind

_DEFAULT_LIMIT: Final = 50
_EVENTS_LIMIT: Final = 100


@dataclasses.dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request.

    Attributes:
        name: An email address, or a controller's name.
        controller: Whether it is a controller, which sees everything, reports status, and edits no spec.
        may_report: Whether it may report the status of resources that it sees: controllers, and owners on a loopback address.
        reports_as: The controller names under which it may report, with ``*`` for any characters.
    """

    name: str
    controller: bool = False
    may_report: bool = False
    reports_as: tuple[str, ...] = reporters.ANY


@dataclasses.dataclass(frozen=True, slots=True)
class Context:
    """What a call carries beside its message.

    Attributes:
        caller: Who asks.
        now: The time, RFC 3339 with six digits of fraction.
        if_match: The ``If-Match`` header; empty where there is none.
        idempotency_key: The ``Idempotency-Key`` header; empty where there is none.
        in_cluster: Whether a cluster that a list names must be there; else it is a filter.
    """

    caller: Caller
    now: str
    if_match: str = ""
    idempotency_key: str = ""
    in_cluster: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """What the operator decides.

    Attributes:
        expected: Kind's noun and platform → the controllers that must report before a resource is ready.
        deadline: Seconds after which a resource that is not ready has failed, where a controller is expected.
        resync: Seconds between two events that tell again what is wanted; 0 for none.
    """

    expected: Mapping[tuple[str, str], Sequence[str]] = dataclasses.field(default_factory=dict)
    deadline: float = 1800
    resync: float = 3600


class _DryRunError(Exception):
    """Carries the answer out of a transaction that must not be committed."""

    def __init__(self, answer: records.Answer) -> None:
        self.answer = answer


class Service:
    """The API's methods.

    Attributes:
        store: Where the rows are.
        policy: What the operator decides.
    """

    def __init__(self, store: database.Database, policy: Policy) -> None:
        self.store = store
        self.policy = policy

    async def call(
        self, rpc: str, request: message.Message, context: Context, violations: Sequence[errors.FieldViolation] = ()
    ) -> records.Answer:
        """Returns the answer of a method.

        Args:
            rpc: The method's name, e.g. ``CreateNodePool``.
            request: Its message.
            context: What the call carries beside it.
            violations: What the transport found wrong with the message, to be told together with the rules that it breaks.

        Raises:
            ApiError: What is wrong, for the caller.
        """
        kind = kinds.of(rpc)
        normalise(request)
        found = [*sizes.cut(request)]
        found += [
            errors.FieldViolation(problem.path, problem.rule_id, problem.message) for problem in validation.violations(request)
        ]
        if found or violations:
            told = {violation.field for violation in violations}
            broken = [one._replace(field=_FIELDS.get(one.rule_id) or _field(one.field)) for one in found]
            raise errors.invalid([*violations, *(one for one in broken if not _is_within(one.field, told))], noun=kind.noun)
        method: Callable[[Kind, Any, Context], Awaitable[records.Answer]] = getattr(self, _METHODS[rpc])
        try:
            return await method(kind, request, context)
        except _DryRunError as dry:
            return dry.answer
        except database.UnavailableError as error:
            raise errors.unavailable() from error

    async def _create(self, kind: Kind, request: Any, context: Context) -> records.Answer:
        digest = hashlib.sha256(kind.noun.encode() + request.SerializeToString(deterministic=True)).hexdigest()
        try:
            return await self._create_once(kind, request, context, digest)
        except database.DuplicateError as error:
            # The name is taken, or there was a request with the same key: then its answer is there.
            known = None
            if context.idempotency_key:
                known = await access.answer(self.store, context.caller.name, context.idempotency_key)
            if known is None:
                raise _name_taken(kind, getattr(request, kind.field).name) from error
        if known["digest"] != digest:
            raise errors.conflict("Idempotency-Key was used for another request")
        return records.Resource(kind, json.loads(known["resource"]))

    async def _create_once(self, kind: Kind, request: Any, context: Context, digest: str) -> records.Answer:
        row = self._new(kind, request, context)
        alone = not (context.idempotency_key or request.dry_run)
        async with self.store.unit() if alone else self.store.transaction() as transaction:
            if context.idempotency_key:
                kept = {"identity": context.caller.name, "key": context.idempotency_key, "digest": digest}
                await access.keep_answer(transaction, kept | {"resource": json.dumps(row), "created_at": context.now})
            if not await resources.insert(transaction, kind.table, row, _event(kind, row, "created", context)):
                raise errors.not_found(kinds.CLUSTER.name)
            return _done(records.Resource(kind, row), request)

    async def _list(self, kind: Kind, request: Any, context: Context) -> records.Answer:
        wanted = lists.Filter(
            owner="" if context.caller.controller else context.caller.name,
            cluster_id=getattr(request, "cluster_id", ""),
            platform=request.platform,
            phases=_phases(request.status, request.health),
            deleting=request.include_deleting,
        )
        after = None
        if request.page_token:
            if request.offset:
                raise errors.bad_field("offset", "list.offset_or_page_token", "must not be given together with page_token")
            try:
                after = paging.place(request.page_token, wanted)
            except ValueError as error:
                raise errors.bad_field("page_token", "list.page_token", str(error)) from error
        limit = request.limit if request.HasField("limit") else _DEFAULT_LIMIT
        rows = await lists.page(self.store, kind.table, wanted, limit=limit + 1, offset=request.offset, after=after)
        if context.in_cluster and wanted.cluster_id and not rows:
            # Where there is a node pool of the caller's, there is its cluster: only an empty page must ask.
            cluster, total = await lists.count_in_cluster(self.store, wanted)
            _visible(kinds.CLUSTER, cluster, context.caller)
        else:
            total = await lists.count(self.store, kind.table, wanted)
        more = paging.token(rows[limit - 1], wanted) if len(rows) > limit else ""
        return records.Page(kind, rows[:limit], total, limit, request.offset, more)

    async def _get(self, kind: Kind, request: Any, context: Context) -> records.Answer:
        return records.Resource(kind, _visible(kind, await resources.get(self.store, kind.table, request.id), context.caller))

    async def _update(self, kind: Kind, request: Any, context: Context) -> records.Answer:
        answer = None
        # Where somebody was quicker, the change is made anew on what is there now; each turn means that another writer is done.
        while answer is None:
            answer = await self._update_once(kind, request, context)
        return answer

    async def _update_once(self, kind: Kind, request: Any, context: Context) -> records.Answer | None:
        """Returns None where the resource was changed between the reading and the writing."""
        async with self.store.transaction() if request.dry_run else self.store.unit() as transaction:
            row = _visible(kind, await resources.get(transaction, kind.table, request.id), context.caller)
            wanted = getattr(request, kind.field)
            expected = _expected_version(kind, row, wanted.resource_version, context.if_match)
            changed, replaced = self._changed(kind, row, wanted, context)
            if changed is None:
                return records.Resource(kind, row)
            event = _event(kind, changed, "updated", context, replaced)
            try:
                if not await resources.update(transaction, kind.table, changed, event, expected=expected):
                    return None
            except database.DuplicateError as error:
                raise _name_taken(kind, changed["name"]) from error
            return _done(records.Resource(kind, changed), request)

    async def _delete(self, kind: Kind, request: Any, context: Context) -> records.Answer:
        async with self.store.transaction() as transaction:
            row = await resources.get_for_update(transaction, kind.table, request.id)
            if row is None or row["owner"] != context.caller.name or (row["deleted_at"] and not request.force):
                raise errors.not_found(kind.name)
            _expected_version(kind, row, "", context.if_match)
            if _is_protected(row):
                raise errors.in_the_way(f"{kind.name} is protected by lifecycle.deletionProtection")
            if kind is kinds.CLUSTER:
                await self._delete_node_pools(transaction, row, context, force=request.force)
            known = [status.parsed(report) for report in await resources.reports(transaction, request.id)]
            leaving = {
                **row,
                "deleted_at": context.now,
                "updated_at": context.now,
                "resource_version": row["resource_version"] + 1,
            }
            leaving |= self._status(kind, leaving, known, context)
            if request.force or not status.holders(known, self._expected(kind, row)):
                await self._remove(transaction, kind, leaving, context)
            else:
                event = _event(kind, leaving, "updated", context)
                await resources.update(transaction, kind.table, leaving, event, expected=row["resource_version"])
            return _done(records.Resource(kind, leaving) if kind is kinds.CLUSTER else records.Nothing(leaving), request)

    async def _delete_node_pools(
        self, transaction: database.Transaction, row: Mapping[str, Any], context: Context, *, force: bool
    ) -> None:
        if not force:
            if await resources.has_node_pools(transaction, row["id"]):
                raise errors.in_the_way("Cluster has node pools", details="delete them first, or give force=true")
            return
        gone = await resources.delete_node_pools(transaction, row["id"])
        # Of the rows that are deleted, and not of those that were there before: an update may come between.
        if names := sorted(pool["name"] for pool in gone if _is_protected(pool)):
            raise errors.in_the_way(f"NodePool '{names[0]}' is protected by lifecycle.deletionProtection")
        told = [_event(kinds.NODE_POOL, pool, "deleted", context) for pool in gone]
        if told:
            await events.append(transaction, self.store.name, told)

    async def _get_status(self, kind: Kind, request: Any, context: Context) -> records.Answer:
        row, reports = await resources.get_with_reports(self.store, kind.table, request.id)
        return records.Statuses(kind, _visible(kind, row, context.caller), reports)

    async def _report_status(self, kind: Kind, request: Any, context: Context) -> records.Answer:
        reports.check(request.report)
        name = request.report.controller_name
        if not reporters.includes(context.caller.reports_as, name):
            own = " or ".join(context.caller.reports_as) or "no controller"
            raise errors.forbidden(f"this caller reports as {own}, not as {name}")
        async with self.store.transaction() as transaction:
            row = _visible(kind, await resources.get_for_update(transaction, kind.table, request.id), context.caller)
            if request.report.observed_generation > row["generation"]:
                raise errors.bad_field(
                    "observed_generation", "status_report.observed_generation_exists", f"must be at most {row['generation']}"
                )
            stored = {report["controller_name"]: report for report in await resources.reports(transaction, request.id)}
            reports.make_room(kind.name, stored, name)
            report = _report(request.report, stored.get(name), request.id, context)
            stored[report["controller_name"]] = report
            await resources.put_report(transaction, report)
            known = [status.parsed(one) for one in stored.values()]
            row = await self._observed(transaction, kind, row, known, context)
            return records.Statuses(kind, row, [stored[name] for name in sorted(stored)])

    async def _observed(
        self,
        transaction: database.Transaction,
        kind: Kind,
        row: Mapping[str, Any],
        known: Sequence[status.Report],
        context: Context,
    ) -> Mapping[str, Any]:
        """Writes what a report changes: the status, or the end of a resource that nobody holds any more. Returns the row."""
        if row["deleted_at"] and not status.holders(known, self._expected(kind, row)):
            await self._remove(transaction, kind, row, context)
            return row
        found = self._status(kind, row, known, context)
        if all(found[name] == row[name] for name in found if name != "status_time"):
            return row
        written = {**row, **found, "updated_at": context.now, "resource_version": row["resource_version"] + 1}
        # There is no event about a cluster's status.
        event = _event(kind, written, "status_updated", context) if kind is kinds.NODE_POOL else None
        await resources.update(transaction, kind.table, written, event, expected=row["resource_version"])
        return written

    async def _list_events(self, _kind: Kind, request: Any, context: Context) -> records.Answer:
        owner = "" if context.caller.controller else context.caller.name
        limit = request.limit if request.HasField("limit") else _EVENTS_LIMIT
        rows = await events.read(self.store, events.cursor(request.after), limit=limit, owner=owner)
        last = str(events.place(rows[-1])) if rows else request.after
        return records.Events(rows, last)

    async def _acknowledge(self, _kind: Kind, request: Any, context: Context) -> records.Answer:
        owner = "" if context.caller.controller else context.caller.name
        async with self.store.transaction() as transaction:
            if not await events.acknowledge(transaction, request.id, now=context.now, owner=owner):
                raise errors.not_found("Event")
        return records.Nothing()

    def _expected(self, kind: Kind, row: Mapping[str, Any]) -> Sequence[str]:
        return self.policy.expected.get((kind.noun, row["platform"]), ())

    def _new(self, kind: Kind, request: Any, context: Context) -> dict[str, Any]:
        wanted = getattr(request, kind.field)
        row = {
            "id": str(uuid.uuid4()), "name": wanted.name, "owner": context.caller.name, "generation": 1, "resource_version": 1,
            "platform": wanted.spec.platform.type, "spec": rendering.to_json(wanted.spec), "phase": "Pending", "reason": "NotObserved",
            "message": "no controller has observed generation 1", "observed_generation": 0, "status_time": context.now, "conditions": "[]",
            "replacement": "", "ready_generation": 0, "deadline": None, "resync_at": None,
            "created_at": context.now, "updated_at": context.now, "deleted_at": None,
        }  # fmt: skip
        row["deadline"] = self._deadline(kind, row, context)
        row["resync_at"] = resyncs.time(row["id"], datetime.datetime.fromisoformat(context.now), self.policy.resync)
        if kind is kinds.CLUSTER:
            return row | {"target_project_id": wanted.target_project_id}
        return row | {"cluster_id": request.cluster_id or wanted.cluster_id}

    def _changed(
        self, kind: Kind, row: Mapping[str, Any], wanted: Any, context: Context
    ) -> tuple[dict[str, Any] | None, Sequence[str]]:
        """Returns the row as an update wants it, or None where it is so already; and the changed fields that replace nodes."""
        before, after = json.loads(row["spec"]), rendering.to_data(wanted.spec)
        if wanted.spec.platform.type != row["platform"]:
            raise errors.bad_field("spec.platform.type", "update.platform_stays", f"must stay {row['platform']}")
        changed = {**row, "name": wanted.name or row["name"]}
        if kind is kinds.CLUSTER:
            changed["target_project_id"] = wanted.target_project_id or row["target_project_id"]
        elif wanted.cluster_id and wanted.cluster_id != row["cluster_id"]:
            raise errors.bad_field("cluster_id", "update.cluster_stays", f"must stay {row['cluster_id']}")
        if before == after and changed == dict(row):
            return None, ()
        replaced = _replaced(kind, before, after)
        changed |= {"updated_at": context.now, "resource_version": row["resource_version"] + 1}
        if before != after:
            pending = {*json.loads(row["replacement"] or "[]"), *replaced}
            changed |= {"spec": rendering.to_json(wanted.spec), "generation": row["generation"] + 1}
            changed["replacement"] = json.dumps(sorted(pending), separators=(",", ":")) if pending else ""
            changed["deadline"] = self._deadline(kind, changed, context)
            observed = changed["observed_generation"]
            # Nobody has observed the new generation, so nothing of the reports but their conditions counts.
            changed |= self._status(kind, changed, [], context) | {"observed_generation": observed}
            changed["conditions"] = _with_conditions(changed["conditions"], row["conditions"])
        return changed, replaced

    def _deadline(self, kind: Kind, row: Mapping[str, Any], context: Context) -> str | None:
        return _later(context.now, self.policy.deadline) if self._expected(kind, row) else None

    def _status(self, kind: Kind, row: Mapping[str, Any], known: Sequence[status.Report], context: Context) -> dict[str, Any]:
        return status.compute(row, known, self._expected(kind, row), now=context.now)._asdict() | {"status_time": context.now}

    async def _remove(self, transaction: database.Transaction, kind: Kind, row: Mapping[str, Any], context: Context) -> None:
        await resources.delete(transaction, kind.table, row["id"])
        await events.append(transaction, self.store.name, [_event(kind, row, "deleted", context)])


_METHODS: Final = {
    **{f"{verb}{name}": f"_{verb.lower()}" for verb in ("Create", "Get", "Update", "Delete") for name in ("Cluster", "NodePool")},
    **{f"List{name}": "_list" for name in ("Clusters", "NodePools")},
    **{f"Get{name}Status": "_get_status" for name in ("Cluster", "NodePool")},
    **{f"Report{name}Status": "_report_status" for name in ("Cluster", "NodePool")},
    "ListEvents": "_list_events",
    "AcknowledgeEvent": "_acknowledge",
}


#: Rules that compare a field with others, and so are the whole message's → the field that they are about.
_FIELDS: Final = {
    "new_node_pool.gcp_name_is_short": "name",
    "node_pool_update.gcp_name_is_short": "name",
    "create_node_pool_request.one_cluster": "cluster_id",
    "create_node_pool_request.has_cluster": "cluster_id",
}


def normalise(request: message.Message) -> None:
    """Converts ids, ``platform.type`` and machine sizes to lower case, the stored form."""
    for field, value in request.ListFields():
        if field.name in {"id", "cluster_id"}:
            setattr(request, field.name, value.lower())
        elif field.name in {"node_pool", "cluster"}:
            normalise(value)
        elif field.name == "spec":
            value.platform.type = value.platform.type.lower() if value.HasField("platform") else ""
            for _, cloud in (pair for pair in value.platform.ListFields() if pair[0].message_type is not None):
                _lower_sizes(cloud)


def _lower_sizes(cloud: message.Message) -> None:
    """Converts machine sizes to lower case, except Azure's."""
    for field, value in cloud.ListFields():
        if field.name in {"machine_type", "instance_type", "size"}:
            setattr(cloud, field.name, value.lower())
        elif field.name == "default_pool":
            _lower_sizes(value)


def _done(answer: records.Answer, request: Any) -> records.Answer:
    """Returns the answer, or leaves the transaction with it where nothing may be stored."""
    if request.dry_run:
        raise _DryRunError(answer)
    return answer


def _visible(kind: Kind, row: Mapping[str, Any] | None, caller: Caller) -> Mapping[str, Any]:
    if row is None or not (caller.controller or (row["owner"] == caller.name and not row["deleted_at"])):
        raise errors.not_found(kind.name)
    return row


def _is_protected(row: Mapping[str, Any]) -> bool:
    return bool(json.loads(row["spec"]).get("lifecycle", {}).get("deletionProtection"))


def _expected_version(kind: Kind, row: Mapping[str, Any], in_body: str, if_match: str) -> int:
    """Returns the version that a write expects, after the comparison with what the caller has read."""
    current = str(row["resource_version"])
    if if_match and if_match.strip() != "*" and f'"{current}"' not in {tag.strip() for tag in if_match.split(",")}:
        raise errors.precondition_failed()
    if in_body and in_body != current:
        raise _stale(kind)
    return int(row["resource_version"])


def _stale(kind: Kind) -> errors.ApiError:
    return errors.conflict(f"{kind.name} has been changed", details="read it again, and repeat the change")


def _name_taken(kind: Kind, name: str) -> errors.ApiError:
    where = " in cluster" if kind is kinds.NODE_POOL else ""
    return errors.already_exists(f"{kind.name} with name '{name}' already exists{where}")


def _field(path: str) -> str:
    """Returns a path as the body has it: without the request's field that holds the body."""
    for holder in ("nodePool", "cluster", "report"):
        if path == holder or path.startswith(f"{holder}."):
            return path.removeprefix(holder).removeprefix(".")
    return path


def _is_within(field: str, others: Collection[str]) -> bool:
    """Returns whether a field is one of others, or a part of one."""
    return any(field == other or field.startswith((f"{other}.", f"{other}[")) for other in others)


def _phases(phase: str, health: str) -> tuple[str, ...]:
    if phase and health:
        # A phase that does not mean this health matches nothing.
        return (phase,) if phase in status.PHASES[health] else ("none",)
    return (phase,) if phase else status.PHASES.get(health, ())


def _replaced(kind: Kind, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Returns the paths of changed fields that no cloud can change in place."""
    cloud = after["platform"]["type"]
    old, new = (spec["platform"].get(cloud, {}) for spec in (before, after))
    return [
        f"spec.platform.{cloud}.{name}"
        for name in sorted({*old, *new} & kind.replaced_by)
        if _meaning(old.get(name), name) != _meaning(new.get(name), name)
    ]


def _meaning(value: Any, name: str) -> Any:  # of any JSON value
    """Returns the normalized form for comparison: false, zero and empty equal absent; zones are unordered; sizes ignore case."""
    if name in kinds.SIZES and isinstance(value, str):
        return value.lower() or None
    if isinstance(value, list):
        return sorted(map(json.dumps, value)) or None
    return value or None


def _with_conditions(new: str, old: str) -> str:
    """Returns the conditions of ``new`` and those of ``old`` that are not among them, sorted by type."""
    merged = {condition["type"]: condition for condition in (*json.loads(old), *json.loads(new))}
    return json.dumps([merged[kind] for kind in sorted(merged)], separators=(",", ":"))


def _report(report: Any, before: Mapping[str, Any] | None, identifier: str, context: Context) -> dict[str, Any]:
    data = rendering.to_data(report)
    conditions = status.transitions(status.parsed(before) if before else None, data.get("conditions", ()), now=context.now)
    error = data.get("last_error")
    if error is not None:
        error.setdefault("timestamp", context.now)
    return {
        "resource_id": identifier,
        "controller_name": report.controller_name,
        "observed_generation": report.observed_generation,
        "conditions": json.dumps(conditions, separators=(",", ":")),
        "metadata": json.dumps(data.get("metadata", {}), separators=(",", ":")),
        "last_error": json.dumps(error, separators=(",", ":")) if error is not None else "",
        "updated_at": context.now,
    }


def _event(kind: Kind, row: Mapping[str, Any], what: str, context: Context, replaced: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "type": f"{kind.noun}.{what}",
        "kind": kind.name,
        "resource_id": row["id"],
        "cluster_id": row["cluster_id"] if kind is kinds.NODE_POOL else row["id"],
        "name": row["name"],
        "owner": row["owner"],
        "generation": row["generation"],
        "actor": context.caller.name,
        "time": context.now,
        "replacement": json.dumps(replaced, separators=(",", ":")) if replaced else "",
    }


def _later(now: str, seconds: float) -> str | None:
    return timestamps.text(datetime.datetime.fromisoformat(now) + datetime.timedelta(seconds=seconds)) if seconds else None
