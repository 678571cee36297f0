"""CivoVpc: the requested resources."""

from __future__ import annotations

import json
from typing import Any

import pytest

from planton import errors
from planton.base import ids
from planton.modules import own
from support import mocks

SPEC = {"civoCredentialId": "default", "networkName": "net-b", "region": "lon1"}
NETWORK = "civo:index/network:Network"


def _plan(config: dict[str, Any] | None = None, metadata: dict[str, Any] | None = None, **spec: Any) -> mocks.Planned:
    manifest = mocks.target("CivoVpc", {**SPEC, **spec}, **(metadata or {}))
    return mocks.plan(mocks.stack_input(manifest, **(config or {})))


@pytest.mark.parametrize(
    ("spec", "arguments", "trigger"),
    [
        ({}, {"label": "net-b", "region": "LON1"}, ""),
        ({"region": "FRA1"}, {"label": "net-b", "region": "FRA1"}, ""),
        ({"region": "sin1"}, {"label": "net-b", "region": "SIN1"}, ""),
        ({"ipRangeCidr": "10.20.0.0/24"}, {"label": "net-b", "region": "LON1", "cidrV4": "10.20.0.0/24"}, "10.20.0.0/24"),
        ({"nameservers": ["9.9.9.9"]}, {"label": "net-b", "region": "LON1", "nameserversV4s": ["9.9.9.9"]}, ""),
    ],
)
def test_a_network_has_only_the_fields_of_the_manifest(spec: dict[str, Any], arguments: dict[str, Any], trigger: str) -> None:
    """Unset fields are not sent. The region is in upper case. A changed range replaces the network."""
    planned = _plan(**spec)
    assert planned.resources["network"] == mocks.Recorded(
        NETWORK, arguments, {"provider": "civo", "replacement_trigger": trigger, "delete_before_replace": True}
    )
    assert planned.warnings == []


def test_the_outputs_are_complete_except_for_the_creation_time() -> None:
    """The range that the cloud chose is an output. The cloud does not report a creation time."""
    assert _plan().outputs == {"network_id": "id-of-network", "cidr_block": "192.168.1.0/24", "created_at_rfc3339": ""}


def test_the_provider_gets_the_token_as_a_secret_and_the_region_of_the_network() -> None:
    """The token is never stored in plain text. The network's region overrides the account's default."""
    planned = _plan({"apiEndpoint": "https://civo.test", "defaultRegion": "nyc1"}, region="fra1")
    assert planned.resources["civo"].inputs == {
        "apiEndpoint": "https://civo.test",
        "region": "FRA1",
        "token": mocks.Secret(mocks.TOKEN),
    }


def test_a_description_is_a_warning() -> None:
    """A cosmetic field is ignored, and the warning names it."""
    planned = _plan(description="a network")
    assert planned.warnings == ["spec.description: Civo networks have no description (ignored)"]
    assert "network" in planned.resources


def test_a_default_network_is_refused() -> None:
    """The error names the field and the option that waives the refusal."""
    with pytest.raises(errors.PlantonError, match=r"spec\.isDefaultForRegion: Civo has no way") as caught:
        _plan(isDefaultForRegion=True)
    assert (caught.value.code, caught.value.reason) == (errors.Code.REFUSED, errors.Reason.UNSUPPORTED_FIELD)
    assert caught.value.hint.endswith("--allow-unsupported spec.isDefaultForRegion")
    assert caught.value.metadata == {"fields": "spec.isDefaultForRegion"}


@pytest.mark.parametrize(
    "field", ["spec.isDefaultForRegion", "isDefaultForRegion", "is_default_for_region", "x, spec.is_default_for_region"]
)
def test_a_refusal_can_be_waived_by_field_name(field: str) -> None:
    """The annotation accepts both spellings, with or without ``spec.``. The refusal becomes a warning."""
    planned = _plan(metadata={"annotations": {"project-planton.org/allow-unsupported": field}}, isDefaultForRegion=True)
    assert [warning.split(":")[0] for warning in planned.warnings] == ["spec.isDefaultForRegion"]


@pytest.mark.parametrize(
    ("config", "region", "missing"), [({"apiToken": ""}, "lon1", "the token"), ({"defaultRegion": 0}, "", "the region")]
)
def test_an_incomplete_account_is_an_error_before_the_first_resource(config: dict[str, Any], region: str, missing: str) -> None:
    """The error names the missing setting and the provider."""
    with pytest.raises(errors.PlantonError, match=f"failed to setup Civo provider: {missing} is missing") as caught:
        _plan(config, region=region)
    assert caught.value.reason is errors.Reason.CREDENTIAL_MISSING
    assert "CIVO_TOKEN" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (mocks.NETWORK_ID, True),
        (mocks.NETWORK_ID.upper(), True),
        ("network-123", False),
        ("11111111111141118111111111111111", False),
        ("", False),
    ],
)
def test_only_a_whole_uuid_is_an_id(text: str, *, expected: bool) -> None:
    """Anything else is a name, or an exact id that is looked up in the cloud."""
    assert ids.is_id(text) is expected


def test_removed_nameservers_stay_and_are_a_warning() -> None:
    """To the plugin a missing list equals every list, so no change is planned."""
    manifest = json.dumps({"spec": {"nameservers": ["9.9.9.9", "1.1.1.1"]}})
    with own.state({"resources": [{"urn": "s", "type": "pulumi:pulumi:Stack", "outputs": {"manifest": manifest}}]}):
        [warning] = _plan().warnings
        assert _plan(nameservers=["9.9.9.9"]).warnings == []
    assert "spec.nameservers" in warning
    assert "9.9.9.9, 1.1.1.1" in warning
