"""DigitalOceanVpc: the requested resources."""

from __future__ import annotations

from typing import Any

import pytest

from planton import errors
from planton.modules import own
from support import mocks

NETWORK = "digitalocean:index/vpc:Vpc"


def _plan(config: dict[str, Any] | None = None, metadata: dict[str, Any] | None = None, **spec: Any) -> mocks.Planned:
    manifest = mocks.target("DigitalOceanVpc", {"region": "fra1", **spec}, **(metadata or {"name": "net"}))
    return mocks.plan(mocks.stack_input(manifest, **(config or {})))


@pytest.mark.parametrize(
    ("spec", "arguments"),
    [
        ({}, {"name": "net", "region": "fra1"}),
        ({"region": "nyc3"}, {"name": "net", "region": "nyc3"}),
        ({"ipRangeCidr": "10.10.0.0/20"}, {"name": "net", "region": "fra1", "ipRange": "10.10.0.0/20"}),
        ({"description": "old text"}, {"name": "net", "region": "fra1", "description": "old text"}),
    ],
)
def test_a_network_has_only_the_fields_of_the_manifest(spec: dict[str, Any], arguments: dict[str, Any]) -> None:
    """It has the manifest's name, and unset fields are not sent. A replacement deletes the old network first."""
    planned = _plan(**spec)
    options = {"provider": "digitalocean", "delete_before_replace": True}
    assert planned.resources["network"] == mocks.Recorded(NETWORK, arguments, options)
    assert planned.outputs == {"vpc_id": "id-of-network"}
    assert planned.warnings == []


def test_the_provider_gets_the_token_as_a_secret_and_retries_nothing() -> None:
    """The token is never stored in plain text. A create whose response is lost is not sent again."""
    inputs = _plan({"apiEndpoint": "https://do.test"}).resources["digitalocean"].inputs
    assert inputs == {"apiEndpoint": "https://do.test", "httpRetryMax": "0", "token": mocks.Secret(mocks.TOKEN)}


def test_an_account_without_a_token_is_an_error_before_the_first_resource() -> None:
    """The hint names the variable to set."""
    with pytest.raises(errors.PlantonError, match="DigitalOcean provider: the token is missing") as caught:
        _plan({"apiToken": ""})
    assert caught.value.reason is errors.Reason.CREDENTIAL_MISSING
    assert "DIGITALOCEAN_TOKEN" in caught.value.hint


def test_a_default_network_is_refused_unless_the_refusal_is_waived() -> None:
    """Waived, it is a warning."""
    with pytest.raises(errors.PlantonError, match=r"spec\.isDefaultForRegion: the first network of a region") as caught:
        _plan(isDefaultForRegion=True)
    assert (caught.value.code, caught.value.reason) == (errors.Code.REFUSED, errors.Reason.UNSUPPORTED_FIELD)
    metadata = {"name": "net", "annotations": {"project-planton.org/allow-unsupported": "isDefaultForRegion"}}
    [warning] = _plan(metadata=metadata, isDefaultForRegion=True).warnings
    assert warning.startswith("spec.isDefaultForRegion: ")
    assert _plan(isDefaultForRegion=False).warnings == []


def test_a_removed_description_stays_and_is_a_warning() -> None:
    """The plugin does not send an empty text, so the same update would be planned forever."""
    before = {"resources": [{"urn": "urn::network", "type": NETWORK, "outputs": {"id": "x", "description": "old text"}}]}
    with own.state(before):
        unset, changed = _plan(), _plan(description="new text")
    assert unset.resources["network"].inputs["description"] == "old text"
    [warning] = unset.warnings
    assert "spec.description" in warning
    assert "'old text'" in warning
    assert (changed.resources["network"].inputs["description"], changed.warnings) == ("new text", [])
