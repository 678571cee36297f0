"""CivoVpc: a private network."""

from __future__ import annotations

from planton.modules import unsupported
from planton.schema import kinds

KIND = kinds.Declaration(
    main="network",
    type="civo:index/network:Network",
    role=kinds.Role.NETWORK,
    cloud_name="spec.network_name",
    scope=kinds.Scope.REGION,
    credential_field="civo_credential_id",
    fields={"label": "networkName", "region": "region", "cidrV4": "ipRangeCidr", "nameserversV4s": "nameservers"},
    shown=("label", "region", "cidrV4", "nameserversV4s"),
    typical_seconds={"create": 7, "delete": 6},
)
UNSUPPORTED = (
    unsupported.Unsupported(
        "spec.is_default_for_region",
        unsupported.Level.REFUSE,
        "Civo has no way to make a network the default of its region; pick the default in the dashboard",
    ),
    unsupported.Unsupported("spec.description", unsupported.Level.WARN, "Civo networks have no description"),
)
