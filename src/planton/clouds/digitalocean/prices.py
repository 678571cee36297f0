"""List prices of DigitalOcean's load balancers, volumes and snapshots, in US dollars per month.

The API reports only the prices of machine sizes. Sources, with the day of the prices:

- https://docs.digitalocean.com/products/networking/load-balancers/details/pricing/, 2025-02-28
- https://docs.digitalocean.com/products/volumes/details/pricing/, 2026-07-13
- https://docs.digitalocean.com/products/snapshots/details/pricing/, 2024-05-08

To update: read the pages, replace the prices and the days.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from planton.clouds import associated

if TYPE_CHECKING:
    from collections.abc import Mapping

_HTTP: Final = "REGIONAL"
#: Type of load balancer → price of each of its nodes.
_PER_NODE: Final = {_HTTP: 12.0, "REGIONAL_NETWORK": 15.0}
_PER_GIGABYTE: Final = {associated.VOLUME: 0.10, associated.SNAPSHOT: 0.06}


def leftover(sort: associated.Leftover, entry: Mapping[str, Any]) -> float | None:
    """Returns the price of a leftover in its entry of the list; None if it is unknown."""
    if sort == associated.LOAD_BALANCER:
        price, count = _PER_NODE.get(str(entry.get("type") or _HTTP)), entry.get("size_unit")
    else:
        price, count = _PER_GIGABYTE[sort], entry.get("size_gigabytes")
    return None if price is None or count is None else round(price * count, 2)
