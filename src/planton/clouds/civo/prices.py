"""List prices of Civo's node sizes. Civo's API reports sizes without prices.

Civo charges the same in all regions, and nothing for the control plane. Sizes that are not listed here have an unknown price.
To update: read the page, replace the prices and the day.
"""

from __future__ import annotations

from planton.schema import providers

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
