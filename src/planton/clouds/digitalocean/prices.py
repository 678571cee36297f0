"""List prices of DigitalOcean's load balancers, in US dollars per month. The API reports only the prices of machine sizes.

Source: https://docs.digitalocean.com/products/networking/load-balancers/details/pricing/, as of 2025-02-28.
To update: read the page, replace the prices and the day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_HTTP: Final = "REGIONAL"
#: Type of load balancer → price of each of its nodes.
_PER_NODE: Final = {_HTTP: 12.0, "REGIONAL_NETWORK": 15.0}


def load_balancer(entry: Mapping[str, Any]) -> float | None:
    """Returns the price of a load balancer in its entry of the list; None if it is unknown."""
    price, nodes = _PER_NODE.get(str(entry.get("type") or _HTTP)), entry.get("size_unit")
    return None if price is None or not isinstance(nodes, int) else price * nodes
