"""List prices of Civo in US dollars per month: node sizes, load balancers and volumes. Civo's API reports no prices.

Civo charges the same in all regions, and nothing for the control plane. What is not listed here, such as other sizes and reserved
addresses, has an unknown price. To update: read the page, replace the prices and the days.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from planton.clouds import associated
from planton.schema import providers

if TYPE_CHECKING:
    from collections.abc import Mapping

PRICES = providers.Prices(
    source="https://www.civo.com/pricing",
    read="2026-09-22",
    monthly={
        "g4s.kube.xsmall": 5.43,
        "g4s.kube.small": 10.86,
        "g4s.kube.medium": 21.73,
        "g4s.kube.large": 43.45,
        "g4p.kube.small": 86.91,
        "g4m.kube.small": 78.21,
    },
)

#: From the same page, as of 2026-09-06: a load balancer for each started unit of concurrent requests, and a gigabyte of a volume.
_PER_BALANCER_UNIT: Final = 10.86
_REQUESTS_PER_UNIT: Final = 10_000
_PER_GIGABYTE: Final = 0.11


def leftover(sort: associated.Leftover, entry: Mapping[str, Any]) -> float | None:
    """Returns the price of a leftover in its entry of the list; None if it is unknown."""
    if sort == associated.LOAD_BALANCER:
        # The API omits the default.
        requests = entry.get("max_concurrent_requests") or _REQUESTS_PER_UNIT
        return round(math.ceil(requests / _REQUESTS_PER_UNIT) * _PER_BALANCER_UNIT, 2)
    size = entry.get("size_gb") if sort == associated.VOLUME else None
    return None if size is None else round(size * _PER_GIGABYTE, 2)
