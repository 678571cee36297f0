"""DigitalOceanVpc: what the module asks for."""

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
        ({"description": "ours"}, {"name": "net", "region": "fra1", "description": "ours"}),
    ],
)
def test_a_network_has_just_what_the_manifest_says(spec: dict[str, Any], arguments: dict[str, Any]) -> None:
    """It is called what the manifest is called, an unset field is not sent, and a new one comes after the old one is gone."""
    planned = _plan(**spec)
    options = {"provider": "digitalocean", "delete_before_replace": True}
    assert planned.resources["network"] == mocks.Recorded(NETWORK, arguments, options)
    assert planned.outputs == {"vpc_id": "id-of-network"}
    assert planned.warnings == []


def test_the_provider_gets_the_token_as_a_secret_and_repeats_nothing() -> None:
    """The token is never plain state; an account knows no region; a creation whose answer is lost is not sent again."""
    given = _plan({"apiEndpoint": "https://do.test"}).resources["digitalocean"].inputs
    assert given == {"apiEndpoint": "https://do.test", "httpRetryMax": "0", "token": mocks.Secret(mocks.TOKEN)}


def test_an_account_without_a_token_is_an_error_before_anything_is_made() -> None:
    """What is missing is named, with the variable to set."""
    with pytest.raises(errors.PlantonError, match="the DigitalOcean provider: the token is missing") as caught:
        _plan({"apiToken": ""})
    assert caught.value.reason is errors.Reason.CREDENTIAL_MISSING
    assert "DIGITALOCEAN_TOKEN" in caught.value.hint


def test_a_default_network_is_refused_unless_that_is_waived() -> None:
    """What would change the result is refused, with the field and the way to accept it."""
    with pytest.raises(errors.PlantonError, match=r"spec\.isDefaultForRegion: the first network of a region") as caught:
        _plan(isDefaultForRegion=True)
    assert (caught.value.code, caught.value.reason) == (errors.Code.REFUSED, errors.Reason.UNSUPPORTED_FIELD)
    metadata = {"name": "net", "annotations": {"project-planton.org/allow-unsupported": "isDefaultForRegion"}}
    [warning] = _plan(metadata=metadata, isDefaultForRegion=True).warnings
    assert warning.startswith("spec.isDefaultForRegion: ")
    assert _plan(isDefaultForRegion=False).warnings == []


def test_a_removed_description_stays_and_is_named() -> None:
    """The plugin leaves an empty text out of what it sends, so that the same update would be planned for ever."""
    before = {"resources": [{"urn": "urn::network", "type": NETWORK, "outputs": {"id": "x", "description": "ours"}}]}
    with own.state(before):
        kept, other = _plan(), _plan(description="theirs")
    assert kept.resources["network"].inputs["description"] == "ours"
    [warning] = kept.warnings
    assert "spec.description" in warning
    assert "'ours'" in warning
    assert (other.resources["network"].inputs["description"], other.warnings) == ("theirs", [])
