"""DigitalOceanVpc: a private network."""

from __future__ import annotations

from planton.modules import unsupported
from planton.schema import kinds

KIND = kinds.Declaration(
    main="network",
    type="digitalocean:index/vpc:Vpc",
    role=kinds.Role.NETWORK,
    noun="VPC",
    fields={"name": "metadata.name", "region": "region", "ipRange": "ipRangeCidr", "description": "description"},
    shown=("name", "region", "ipRange", "description"),
)
UNSUPPORTED = (
    unsupported.Unsupported(
        "spec.is_default_for_region",
        unsupported.Level.REFUSE,
        "the first network of a region becomes its default, and the plugin cannot make another one the default; use the dashboard",
    ),
)
