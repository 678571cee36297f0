"""CivoFirewall: a firewall in a network."""

from __future__ import annotations

from planton.modules import unsupported
from planton.schema import kinds

#: The range of all addresses.
ANYWHERE = "0.0.0.0/0"
KIND = kinds.Declaration(
    main="firewall",
    type="civo:index/firewall:Firewall",
    role=kinds.Role.FIREWALL,
    cloud_name="spec.name",
    scope=kinds.Scope.REGION,
    fields={
        "name": "name",
        "region": "region",
        "networkId": "networkId",
        "ingressRules": "inboundRules",
        "egressRules": "outboundRules",
    },
    shown=("name", "region", "networkId", "ingressRules", "egressRules"),
)
UNSUPPORTED = (unsupported.Unsupported("spec.tags", unsupported.Level.WARN, "Civo firewalls have no tags"),)
