"""Checks against an account's quotas: the additional needs of all resources of a run together."""

from __future__ import annotations

import collections
import pkgutil
import threading
from typing import TYPE_CHECKING, Any

from planton.deploy import problems, subjects
from planton.engine import plans
from planton.schema import references

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from planton.clouds import entries
    from planton.deploy import lists

    _Needs = Callable[[Any, Mapping[str, Any], Mapping[str, entries.Quota]], Iterable[tuple[str, int]]]

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


def check(subject: subjects.Subject, account: lists.Lists, needs: Needs) -> Iterator[problems.Problem]:
    """Yields the quotas that this resource would exceed, together with the resources checked before it."""
    need, path, hint = _need(subject, account)
    if not need:
        return
    total = needs.add(account.cloud.account, references.key(subject.target), need)
    for quota_name, quota in (account.quotas() or {}).items():
        if need[quota_name] and quota.used + total[quota_name] > quota.limit:
            unit = _UNITS.get(quota_name, quota_name)
            yield problems.Problem(
                path,
                f"needs {need[quota_name]} more {unit}, and this run {total[quota_name]} in all; the account has {quota.used} of "
                f"{quota.limit} in use",
                "cloud.quota_left",
                hint,
                {"quota": quota_name, "used": str(quota.used), "limit": str(quota.limit)},
            )


def _need(subject: subjects.Subject, account: lists.Lists) -> tuple[collections.Counter[str], str, str]:
    """Returns the need of a resource, the field that it comes from, and what to do if there is too little."""
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
    return need, path, hint


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
        each = dict(needs(subject.target.spec, row, account.quotas() or {}))
    return collections.Counter({quota_name: number * nodes for quota_name, number in each.items() if number})
