"""Prices for people: list prices in US dollars per month."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planton.base import terminal

if TYPE_CHECKING:
    from planton.deploy import costs


def amount(price: float | None) -> str:
    """Returns a price, e.g. ``$48`` or ``$10.86``; ``unknown`` for None."""
    return "unknown" if price is None else f"${price:,.2f}".removesuffix(".00")


def change(cost: costs.Cost) -> str:
    """Returns what a step or a plan changes, e.g. ``+ $48/month``; empty if the price stays the same."""
    if cost.change is None:
        listed = ", ".join(map(terminal.one_line, cost.unknown))
        return "cost unknown" + (f" ({listed})" if listed else "")
    most = _most(cost)
    if not cost.change:
        return most.removeprefix(", ")
    return f"{'+' if cost.change > 0 else '-'} {amount(abs(cost.change))}/month{most}"


def total(cost: costs.Cost) -> str:
    """Returns what a plan changes, and what leftovers of deleted clusters go on costing; empty for nothing."""
    kept = f"leftovers: up to {amount(cost.kept)}/month" if cost.kept else ""
    kept = "leftovers: price unknown" if cost.kept is None else kept
    return "; ".join(text for text in (change(cost), kept) if text)


def _most(cost: costs.Cost) -> str:
    is_scaled = cost.most is not None and cost.after is not None and cost.most > cost.after
    return f", up to {amount(cost.most)}/month when scaled" if is_scaled else ""
