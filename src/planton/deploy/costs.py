"""Costs: what a step changes in the monthly list price of its nodes and control plane.

Traffic and taxes are not included, and volumes and load balancers only as leftovers of a deleted cluster.
"""

from __future__ import annotations

import dataclasses
import pkgutil
from typing import TYPE_CHECKING, Any

from planton.deploy import lists, subjects
from planton.engine import plans
from planton.schema import kinds, references

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from planton import clouds
    from planton.clouds import answers
    from planton.deploy import leftovers, runtime, steps
    from planton.schema import providers

    #: Size → list price in US dollars per month; None if it is unknown.
    Prices = Mapping[str, float | None]


@dataclasses.dataclass(frozen=True, slots=True)
class Cost:
    """The monthly list price of a resource, in US dollars, before and after a step.

    Attributes:
        before: The price of what was applied; None if it is unknown.
        after: The price after the step, with the initial number of nodes of autoscaled pools; None if it is unknown.
        most: The price with the largest number of nodes of autoscaled pools; None if it is unknown.
        unknown: What has no known price, e.g. sizes.
        kept: What leftovers of deleted clusters go on costing, at most; None if it is unknown. It is in no other price.
    """

    before: float | None
    after: float | None
    most: float | None
    unknown: tuple[str, ...] = ()
    kept: float | None = 0.0

    @property
    def change(self) -> float | None:
        """The difference; None if it is unknown."""
        return None if self.before is None or self.after is None else round(self.after - self.before, 2)

    def as_dict(self) -> dict[str, Any]:
        """Returns the cost as JSON data."""
        return {
            "currency": "USD",
            "monthlyBefore": self.before,
            "monthlyAfter": self.after,
            "monthlyMost": self.most,
            "monthlyChange": self.change,
            "monthlyKept": self.kept,
            "unknown": list(self.unknown),
        }


NOTHING = Cost(0.0, 0.0, 0.0)


def total(costs: Iterable[Cost | None]) -> Cost:
    """Returns the sum of costs. It is unknown if one of them is."""
    result = NOTHING
    for cost in costs:
        if cost is not None:
            result = Cost(
                _sum([result.before, cost.before]),
                _sum([result.after, cost.after]),
                _sum([result.most, cost.most]),
                tuple(dict.fromkeys((*result.unknown, *cost.unknown))),
                _sum([result.kept, cost.kept]),
            )
    return result


def of_steps(
    planned: Iterable[steps.Step],
    run: runtime.Runtime,
    cache: answers.Answers,
    *,
    leftovers_of: Mapping[references.Key, leftovers.Leftovers],
) -> list[steps.Step]:
    """Returns steps with the costs of those that change something. Prices that cannot be read are unknown.

    Args:
        planned: The steps.
        run: What every stage uses.
        cache: The cached responses of the clouds in this run.
        leftovers_of: Cluster that is deleted or replaced → its leftovers.
    """
    return [
        step
        if step.plan.empty
        else dataclasses.replace(step, cost=with_leftovers(_of_step(step, run, cache), leftovers_of.get(step.key)))
        for step in planned
    ]


def with_leftovers(cost: Cost | None, cluster_leftovers: leftovers.Leftovers | None) -> Cost | None:
    """Returns the cost of a step with the leftovers of its cluster: deleted ones are saved, others go on costing."""
    if cost is None or cluster_leftovers is None:
        return cost
    saved = _sum([cost.before, *(item.monthly for item in cluster_leftovers.deleted)])
    is_complete = cluster_leftovers.error is None and not kinds.get(cluster_leftovers.key.kind).cloud.unlisted_leftovers
    kept = _sum(item.monthly for item in cluster_leftovers.kept) if is_complete else None
    unknown = [str(item.sort) for item in cluster_leftovers.deleted if item.monthly is None]
    return dataclasses.replace(cost, before=saved, kept=kept, unknown=tuple(dict.fromkeys((*cost.unknown, *unknown))))


def _of_step(step: steps.Step, run: runtime.Runtime, cache: answers.Answers) -> Cost | None:
    if step.stack_input is None:
        return None
    applied = None if step.applied is None else step.applied.manifest
    after = None if _is_gone(step) else step.stack_input.target
    if not any(manifest is not None and _is_priced(manifest) for manifest in (applied, after)):
        return None
    return of(step, applied, after, _prices(step, run, cache))


def of(step: steps.Step, applied: Any, after: Any, prices: Prices) -> Cost:  # manifests of any kind, or None
    """Returns the cost of a step.

    Args:
        step: The step.
        applied: The manifest before it; None if there is none.
        after: The manifest after it; None if the resource is deleted.
        prices: The prices of the cloud.
    """
    missing = {change.name for change in step.plan.changes if step.plan.is_recreation(change)}
    before = _items(applied, prices, missing)
    items = _items(after, prices, set())
    unknown = [item.text for item in (*before, *items) if item.price is None]
    return Cost(
        _sum(item.price for item in before),
        _sum(item.price for item in items),
        _sum(item.most for item in items),
        tuple(dict.fromkeys(unknown)),
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _Item:
    text: str
    price: float | None
    most: float | None


def _items(manifest: Any, prices: Prices, missing: set[str]) -> list[_Item]:
    if manifest is None or kinds.get(manifest.kind).main in missing:
        return []
    pools = [pool for name, pool in subjects.pools(manifest).items() if name not in missing]
    items = [
        _Item(text, *(None if price is None else price * count for count in (pool.count, pool.most)))
        for pool in pools
        for text, price in _parts(manifest, pool, prices)
    ]
    declared = kinds.get(manifest.kind).declared
    fees = [declared.fee] if declared.fee else []
    fees += [fee for name, fee in declared.fees.items() if getattr(manifest.spec, name)]
    return items + [_Item(fee.text, fee.monthly, fee.monthly) for fee in fees]


def _parts(manifest: Any, pool: subjects.Pool, prices: Prices) -> Iterable[tuple[str, float | None]]:
    """Returns what a node of a pool consists of, with the price of each."""
    declared = kinds.get(manifest.kind).declared.node_price
    if not declared:
        return [(f"size {pool.size}", prices.get(pool.size.lower()))]
    parts: Callable[[Any], Iterable[tuple[str, float | None]]] = pkgutil.resolve_name(declared)
    return parts(manifest.spec)


def _sum(prices: Iterable[float | None]) -> float | None:
    amounts = list(prices)
    return None if None in amounts else round(sum(price for price in amounts if price is not None), 2)


def _is_gone(step: steps.Step) -> bool:
    return any(change.name == step.main and change.action is plans.Action.DELETE for change in step.plan.changes)


def _is_priced(manifest: Any) -> bool:  # of any kind
    return bool(subjects.pools(manifest)) or kinds.get(manifest.kind).declared.fee is not None


def of_applied(manifest: Any, cloud: clouds.Cloud, cache: answers.Answers) -> Cost | None:  # of any kind
    """Returns the monthly list price of an applied resource; None if its kind has no price.

    Args:
        manifest: Its manifest.
        cloud: Its account, in its region.
        cache: The cached responses of the clouds in this run.
    """
    if not _is_priced(manifest):
        return None
    items = _items(manifest, _listed(kinds.get(manifest.kind).cloud, lambda: cloud, cache), set())
    price = _sum(item.price for item in items)
    unknown = tuple(dict.fromkeys(item.text for item in items if item.price is None))
    return Cost(price, price, _sum(item.most for item in items), unknown)


def _prices(step: steps.Step, run: runtime.Runtime, cache: answers.Answers) -> Prices:
    def cloud() -> clouds.Cloud:
        return run.open_cloud(step.stack_input.provider_config, references.own_region(step.stack_input.target))

    return _listed(kinds.get(step.key.kind).cloud, cloud, cache)


def _listed(provider: providers.Provider, cloud: Callable[[], clouds.Cloud], cache: answers.Answers) -> Prices:
    declared = provider.prices
    if declared is None:
        return {}
    # A table of an earlier day needs no request, even if it is not one of sizes.
    if declared.read:
        return {size.lower(): price for size, price in declared.monthly.items()}
    # A price is no reason to fail, or to warn.
    rows = lists.of(cloud(), cache, lambda _note: None).sizes() or {}
    return {size.lower(): row.get("price") for size, row in rows.items()}
