"""Checks against an account's quotas: the additional needs of all resources of a run together."""

from __future__ import annotations

import collections
import dataclasses
import pkgutil
import threading
from typing import TYPE_CHECKING, Any

from planton.deploy import problems, subjects
from planton.engine import plans
from planton.schema import kinds, references

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from planton.clouds import entries
    from planton.deploy import lists

    _Needs = Callable[[Any, Mapping[str, Any], Mapping[str, entries.Quota], Any], Iterable[tuple[str, int]]]
    _FirstNeeds = Callable[[Any], Iterable[tuple[str, int]]]

#: Units of quotas, for messages.
_UNITS = {"memory": "MiB of memory", "disk": "GiB of disk"}
#: Properties of resources with a number of nodes.
_COUNTS = ("pools.nodeCount", "nodePool.nodeCount", "nodeCount", "node_count")


class Needs:
    """The needs of the resources of a run, by account. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._needs: dict[object, dict[references.Key, collections.Counter[str]]] = {}

    def add(self, account: object, key: references.Key, need: collections.Counter[str]) -> collections.Counter[str]:
        """Adds the needs of a resource, and returns the total for the account."""
        with self._lock:
            by_key = self._needs.setdefault(account, {})
            by_key[key] = need
            return sum(by_key.values(), collections.Counter())


@dataclasses.dataclass(frozen=True, slots=True)
class _Need:
    """What a resource needs of the account's quotas.

    Attributes:
        amounts: Name of a quota → how much of it.
        path: The field that it comes from.
        hint: What to do if there is too little.
        while_creating: Whether it ends with the creation, before anything else of the resource counts.
    """

    amounts: collections.Counter[str]
    path: str
    hint: str
    while_creating: bool = False


def check(subject: subjects.Subject, account: lists.Lists, needs: Needs) -> Iterator[problems.Problem]:
    """Yields the quotas that this resource would exceed, together with the resources checked before it."""
    for need in (_lasting(subject, account), _while_creating(subject)):
        if need.amounts:
            yield from _exceeded(subject, account, needs, need)


def _exceeded(subject: subjects.Subject, account: lists.Lists, needs: Needs, need: _Need) -> Iterator[problems.Problem]:
    # The first nodes of a cluster are gone before its pools are created. Those of several clusters exist at once.
    group = (account.cloud.account, need.while_creating)
    total = needs.add(group, references.key(subject.target), need.amounts)
    for quota_name, quota in (account.quotas() or {}).items():
        if need.amounts[quota_name] and quota.used + total[quota_name] > quota.limit:
            unit = _UNITS.get(quota_name, quota_name)
            moment = " while it is created" if need.while_creating else ""
            yield problems.Problem(
                need.path,
                f"needs {need.amounts[quota_name]} more {unit}{moment}, and this run {total[quota_name]} in all; the account has "
                f"{quota.used} of {quota.limit} in use",
                "cloud.quota_left",
                need.hint,
                {"quota": quota_name, "used": str(quota.used), "limit": str(quota.limit)},
            )


def _while_creating(subject: subjects.Subject) -> _Need:
    """Returns the need of the nodes that exist only while a cluster is created."""
    first, main = subject.kind.declared.first_nodes, subject.changes.get(subject.kind.main)
    if first is None or main is None or main.action is not plans.Action.CREATE:
        return _Need(collections.Counter(), "", "")
    each: _FirstNeeds = pkgutil.resolve_name(first.needs)
    number, spec = first.count(subject.target.spec), subject.target.spec
    amounts = collections.Counter({quota_name: amount * number for quota_name, amount in each(spec)})
    return _Need(amounts, first.path, first.hint, while_creating=True)


def _lasting(subject: subjects.Subject, account: lists.Lists) -> _Need:
    """Returns the need of what stays, and of the nodes that an update adds for a while."""
    need: collections.Counter[str] = collections.Counter()
    path, hint = "metadata.name", "ask the cloud for a higher quota, or use fewer or smaller machines"
    pools = subjects.pools(subject.target)
    for resource, change in subject.changes.items():
        if change.action is plans.Action.CREATE and resource in ("network", "firewall"):
            need[f"{resource}s"] += 1
        pool = pools.get(resource.replace("node_pool_size", "node_pool"))
        if pool is None:
            continue
        nodes, surge = _more_nodes(change, pool), _surge(subject, change)
        if nodes + surge > 0:
            path = f"{pool.path}.{'nodeCount' if nodes > 0 else 'upgrade'}"
            need += _machines(subject, pool, max(nodes, 0) + surge, account)
        if surge and nodes <= 0:
            hint = "ask the cloud for a higher quota, or let the change take nodes away first: maxSurge: 0, maxUnavailable: 1"
    return _Need(need, path, hint)


def _surge(subject: subjects.Subject, change: plans.Change) -> int:
    """Returns the nodes that an update adds for as long as it takes."""
    surge = subject.kind.declared.surge
    if surge is None or change.action is not plans.Action.UPDATE:
        return 0
    return surge(subject.target.spec, [each.path for each in change.differences])


def _more_nodes(change: plans.Change, pool: subjects.Pool) -> int:
    if change.action is plans.Action.CREATE:
        # A module may declare the number of nodes as a separate resource; the pool creates the first nodes.
        return 0 if change.name.startswith("node_pool_size") else pool.count
    if change.action is not plans.Action.UPDATE:
        return 0
    return sum(_more(each, pool) for each in change.differences if each.path in _COUNTS)


def _more(difference: plans.Difference, pool: subjects.Pool) -> int:
    old, new = _number(difference.old), _number(difference.new)
    # The property may count the nodes of one zone.
    return (new - old) * max(1, pool.count // new if new else 1)


def _number(value: Any) -> int:  # JSON data
    return int(value) if isinstance(value, int | float) else 0


def _machines(subject: subjects.Subject, pool: subjects.Pool, nodes: int, account: lists.Lists) -> collections.Counter[str]:
    row = (account.sizes() or {}).get(pool.size) or {}
    each = {"nodes": 1, **{quota_name: int(row.get(quota_name) or 0) for quota_name in ("cpus", "memory", "disk")}}
    if subject.kind.declared.needs:
        needs: _Needs = pkgutil.resolve_name(subject.kind.declared.needs)
        each = dict(needs(subject.target.spec, row, account.quotas() or {}, _cluster(subject, account)))
    return collections.Counter({quota_name: number * nodes for quota_name, number in each.items() if number})


def _cluster(subject: subjects.Subject, account: lists.Lists) -> Any:  # a manifest, an entry or None
    """Returns the manifest of a pool's cluster, or else the cluster's entry; None if neither is known."""
    manifests = (each for each in subject.referenced.values() if kinds.get(each.DESCRIPTOR.name).is_cluster)
    entries = (each for each in account.existing("cluster") or () if each.id == subject.cluster_id)
    return next(manifests, None) or next(entries, None)
