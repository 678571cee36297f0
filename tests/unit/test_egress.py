"""Warnings about firewalls that leave the nodes of a cluster without a way out."""

from __future__ import annotations

from typing import Any

import pytest

from planton.deploy import egress
from support import mocks

INBOUND = {"protocol": "tcp", "portRange": "6443", "cidrs": ["203.0.113.0/24"], "label": "K8s API restricted"}
CLUSTER = mocks.target("CivoKubernetesCluster", {"firewall": {"valueFrom": {"name": "office"}}}, name="prod")


@pytest.mark.parametrize(
    ("rules", "is_warning"),
    [
        ({"inboundRules": [INBOUND]}, True),
        ({}, True),
        ({"inboundRules": [INBOUND], "outboundRules": [{"protocol": "tcp"}]}, False),
    ],
)
def test_a_firewall_without_outbound_rules_is_a_warning(rules: dict[str, Any], *, is_warning: bool) -> None:
    """It denies all outbound traffic, so nodes cannot pull images."""
    firewall = mocks.target("CivoFirewall", rules, name="office")
    warnings = list(egress.warnings(CLUSTER, lambda key: firewall if key.name == "office" else None))
    assert [warning.startswith("spec.firewall: CivoFirewall/office has no outboundRules") for warning in warnings] == (
        [True] if is_warning else []
    )


def test_an_unknown_firewall_is_no_warning() -> None:
    """It may belong to another backend."""
    assert list(egress.warnings(CLUSTER, lambda _key: None)) == []
    assert list(egress.warnings(mocks.target("CivoFirewall", {}, name="office"), lambda _key: None)) == []
