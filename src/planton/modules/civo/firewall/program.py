"""The program of CivoFirewall: a firewall in a network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
import pulumi_civo

from planton.modules import lookups, unsupported
from planton.modules.civo import firewall, provider

if TYPE_CHECKING:
    from org.project_planton.provider.civo.civofirewall.v1 import spec_pb2, stack_input_pb2


_ALL_PORTS = "1-65535"


def resources(stack_input: stack_input_pb2.CivoFirewallStackInput) -> dict[str, pulumi.Input[object]]:
    """Creates the firewall and returns its outputs.

    ``created_at_rfc3339`` is empty: the cloud does not report when a firewall was created.

    Raises:
        PlantonError: ``UNSUPPORTED_FIELD``; ``CREDENTIAL_MISSING``; ``NOT_FOUND``; ``REFERENCE_UNRESOLVED``.
    """
    target = stack_input.target
    spec = target.spec
    for warning in unsupported.warnings(target, firewall.UNSUPPORTED):
        pulumi.log.warn(warning)
    account = provider.account(stack_input.provider_config, region=spec.region)
    created = pulumi_civo.Firewall(
        "firewall",
        name=spec.name,
        network_id=provider.network_id(lookups.Field(spec.network_id, "spec.networkId", target.metadata), account),
        region=account.region,
        # The cloud's default rules allow all traffic. Without a rule in the manifest, traffic must stay blocked.
        create_default_rules=False,
        ingress_rules=_ingress(spec),
        egress_rules=[pulumi_civo.FirewallEgressRuleArgs(**_rule(rule)) for rule in spec.outbound_rules],
        opts=pulumi.ResourceOptions(provider=account.provider, replace_on_changes=["region"], delete_before_replace=True),
    )
    return {"firewall_id": created.id, "created_at_rfc3339": ""}


def _ingress(spec: spec_pb2.CivoFirewallSpec) -> list[pulumi_civo.FirewallIngressRuleArgs]:
    if not spec.inbound_rules and not spec.outbound_rules:
        # The plugin refuses to create a firewall without rules. A firewall without rules denies all traffic.
        return [
            pulumi_civo.FirewallIngressRuleArgs(
                action="deny", protocol="tcp", port_range=_ALL_PORTS, cidrs=[firewall.ANYWHERE], label="deny all"
            )
        ]
    return [pulumi_civo.FirewallIngressRuleArgs(**_rule(rule)) for rule in spec.inbound_rules]


def _rule(rule: spec_pb2.CivoFirewallInboundRule | spec_pb2.CivoFirewallOutboundRule) -> dict[str, Any]:
    return {
        "protocol": rule.protocol,
        "port_range": rule.port_range or (None if rule.protocol == "icmp" else _ALL_PORTS),
        "cidrs": list(rule.cidrs) or [firewall.ANYWHERE],
        "action": rule.action or "allow",
        "label": rule.label or None,
    }
