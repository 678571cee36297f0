"""CivoFirewall: the requested resources."""

from __future__ import annotations

from typing import Any

import pytest

from planton import errors
from support import mocks

SPEC = {"name": "fw-b", "networkId": {"value": mocks.NETWORK_ID}}
ANYWHERE = ["0.0.0.0/0"]


def _plan(cloud: mocks.Civo | None = None, **spec: Any) -> mocks.Planned:
    return mocks.plan(mocks.stack_input(mocks.target("CivoFirewall", {**SPEC, **spec})), cloud=cloud)


def test_a_firewall_is_in_its_network_and_has_only_the_rules_of_the_manifest() -> None:
    """The cloud's default rules are never created. A change of region replaces the firewall."""
    planned = _plan(inboundRules=[{"protocol": "tcp", "portRange": "22", "cidrs": ["10.0.0.0/8"], "label": "ssh"}])
    assert planned.resources["firewall"] == mocks.Recorded(
        "civo:index/firewall:Firewall",
        {
            "name": "fw-b",
            "networkId": mocks.NETWORK_ID,
            "region": "LON1",
            "createDefaultRules": False,
            "ingressRules": [{"protocol": "tcp", "portRange": "22", "cidrs": ["10.0.0.0/8"], "action": "allow", "label": "ssh"}],
            "egressRules": [],
        },
        {"provider": "civo", "replace_on_changes": ["region"], "delete_before_replace": True},
    )
    assert planned.outputs == {"firewall_id": "id-of-firewall", "created_at_rfc3339": ""}
    assert planned.warnings == []
    assert planned.calls == []


@pytest.mark.parametrize("direction", ["inboundRules", "outboundRules"])
@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"protocol": "tcp"}, {"protocol": "tcp", "portRange": "1-65535", "cidrs": ANYWHERE, "action": "allow"}),
        ({"protocol": "icmp"}, {"protocol": "icmp", "cidrs": ANYWHERE, "action": "allow"}),
        (
            {"protocol": "udp", "portRange": "53-54", "action": "deny", "cidrs": ["10.0.0.0/8", "10.1.0.0/16"]},
            {"protocol": "udp", "portRange": "53-54", "action": "deny", "cidrs": ["10.0.0.0/8", "10.1.0.0/16"]},
        ),
    ],
)
def test_unset_fields_of_a_rule_have_defaults(direction: str, rule: dict[str, Any], expected: dict[str, Any]) -> None:
    """Ports, sources and action have the documented defaults, in both directions."""
    inputs = _plan(**{direction: [rule]}).resources["firewall"].inputs
    assert inputs["ingressRules" if direction == "inboundRules" else "egressRules"] == [expected]
    assert inputs["egressRules" if direction == "inboundRules" else "ingressRules"] == []


def test_a_firewall_without_rules_denies_everything() -> None:
    """The plugin cannot create it without any rule, so there is one that denies all traffic."""
    inputs = _plan().resources["firewall"].inputs
    assert inputs["ingressRules"] == [
        {"action": "deny", "protocol": "tcp", "portRange": "1-65535", "cidrs": ANYWHERE, "label": "deny all"}
    ]
    assert inputs["egressRules"] == []


def test_tags_are_a_warning() -> None:
    """A cosmetic field is ignored, and the warning names it."""
    assert _plan(tags=["a"]).warnings == ["spec.tags: Civo firewalls have no tags (ignored)"]


def test_the_region_of_the_manifest_overrides_the_accounts_region() -> None:
    """Provider, firewall and network look-up use one region."""
    planned = _plan(region="fra1", networkId={"value": "net-a"})
    assert planned.resources["civo"].inputs["region"] == "FRA1"
    assert planned.resources["firewall"].inputs["region"] == "FRA1"
    assert planned.calls == [("civo:index/getNetwork:getNetwork", {"label": "net-a", "region": "FRA1"})]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("net", ""),
        ("net-zz", ""),
        ("e", "; its name is a part of several names$"),
    ],
)
def test_a_part_of_a_networks_name_does_not_match(text: str, cause: str) -> None:
    """The plugin accepts a partial match, the module does not."""
    cloud = mocks.Civo(networks={"net-a": mocks.NETWORK_ID, "test": "44444444-4444-4444-8444-444444444444"})
    with pytest.raises(
        errors.PlantonError, match=f"no network has the name or id '{text}' in region LON1{cause or '$'}"
    ) as caught:
        _plan(cloud, networkId={"value": text})
    assert caught.value.reason is errors.Reason.NOT_FOUND
    assert caught.value.metadata == {"what": "network", "name": text, "region": "LON1"}


def test_an_unreachable_cloud_is_not_a_missing_network() -> None:
    """The name may be correct, so the error reports the look-up, with the plugin's text."""
    failure = "connecting to Civo's API: AuthenticationError: authentication error"
    with pytest.raises(errors.PlantonError, match=r"failed to look up the network 'net-a' in region LON1: .*failed: ") as caught:
        _plan(mocks.Civo(failure=failure), networkId={"value": "net-a"})
    assert (caught.value.reason, caught.value.code) == (errors.Reason.CLOUD_AUTH, errors.Code.FAILED)
    assert failure in caught.value.message


def test_an_id_that_is_not_a_uuid_must_match_exactly() -> None:
    """It is accepted if the cloud has exactly that id."""
    planned = _plan(mocks.Civo(networks={"net-a": "network-123"}), networkId={"value": "network-123"})
    assert planned.resources["firewall"].inputs["networkId"] == "network-123"


def test_an_unresolved_reference_names_both_ends() -> None:
    """A module cannot read manifests, so the hint names the command that writes a resolved stack input."""
    with pytest.raises(errors.PlantonError, match=r"spec\.networkId of 'dev' refers to 'main'") as caught:
        _plan(networkId={"valueFrom": {"name": "main"}})
    assert caught.value.reason is errors.Reason.REFERENCE_UNRESOLVED
    assert "planton stack-input" in caught.value.hint
    assert caught.value.metadata == {"from": "dev", "to": "main", "field": "spec.networkId"}
