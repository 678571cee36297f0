"""Credentials: the account of an operation, and the errors of unusable ones."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from planton import errors
from planton.config import credentials, credentials_file
from planton.schema import references
from support import mocks

ENVIRON = {"CIVO_TOKEN": "environment-token", "CIVO_REGION": "NYC1", "CIVO_API_URL": "https://civo.example.com/"}
LOOPBACK = "http://127.0.0.1:4000"
LON1, FRA1, NYC1 = 1, 3, 4


def _vpc(credential: str = "default") -> Any:
    return mocks.target("CivoVpc", {"civoCredentialId": credential, "networkName": "n", "region": "lon1"})


def _pool() -> Any:
    return mocks.target("CivoKubernetesNodePool", {"nodePoolName": "n", "cluster": {"value": "c"}, "size": "s", "nodeCount": 1})


def _config(**fields: Any) -> Any:
    return mocks.stack_input(_vpc(), **fields).provider_config


@pytest.fixture
def environ(tmp_path: pathlib.Path) -> dict[str, str]:
    """An environment with an account and a credentials file of two entries."""
    path = tmp_path / "credentials.yaml"
    path.write_text(
        "acme:\n  apiToken: acme-token\n  defaultRegion: fra1\nbare:\n  provider: civo\n  api_token: bare-token\n", "utf-8"
    )
    path.chmod(0o600)
    return {**ENVIRON, "PLANTON_CREDENTIALS": str(path)}


def _choose(manifest: Any, environ: dict[str, str], override: Any = None, region: str = "") -> Any:
    return credentials.choose(manifest, override=override, region=region, environ=environ)


@pytest.mark.parametrize("token", ["abc…", "abc\r", "ab c", "ключ"])
def test_a_token_with_invalid_characters_is_refused(token: str, environ: dict[str, str]) -> None:
    """The message does not contain it: it may be a real token, pasted with other text."""
    environ["CIVO_TOKEN"] = token
    for choose in (lambda: _choose(_vpc(), environ), lambda: credentials.from_environment("civo", environ)):
        with pytest.raises(errors.PlantonError, match="the token for civo has spaces or characters that are not ASCII") as caught:
            choose()
        assert (caught.value.code, caught.value.reason) == (errors.Code.MISSING, errors.Reason.CREDENTIAL_INVALID)
        assert token not in f"{caught.value.message} {caught.value.hint}"
        assert "CIVO_TOKEN" in caught.value.hint


def test_an_explicit_provider_config_overrides_everything(environ: dict[str, str]) -> None:
    """Neither the manifest's entry nor the environment's token is used."""
    config = _choose(_vpc("acme"), environ, _config(apiToken="file-token", defaultRegion="fra1"))
    assert (config.api_token, config.default_region) == ("file-token", FRA1)


def test_a_named_credential_overrides_the_environment(environ: dict[str, str]) -> None:
    """Unset settings of the entry come from the environment."""
    config = _choose(_vpc("acme"), environ)
    assert (config.api_token, config.default_region, config.api_endpoint) == ("acme-token", FRA1, "https://civo.example.com")
    config = _choose(_vpc("bare"), environ)
    assert (config.api_token, config.default_region) == ("bare-token", NYC1)


@pytest.mark.parametrize("manifest", [_vpc("default"), _pool()])
def test_the_environment_is_the_default_account(manifest: Any, environ: dict[str, str]) -> None:
    """It is used by manifests without a credential."""
    config = _choose(manifest, environ)
    assert (config.api_token, config.default_region) == ("environment-token", NYC1)


@pytest.mark.parametrize(
    ("field", "annotation", "named"), [("default", "acme", "acme"), ("acme", "", "acme"), ("default", "", "default")]
)
def test_the_annotation_and_the_field_of_a_network_mean_the_same(field: str, annotation: str, named: str) -> None:
    """The field is required, so its default leaves the choice to the annotation, as for every other kind."""
    manifest = _vpc(field)
    if annotation:
        manifest.metadata.annotations["project-planton.org/credential"] = annotation
    assert references.own_credential(manifest) == named


def test_the_credential_of_a_context_overrides_the_environment(environ: dict[str, str]) -> None:
    """A credential in the manifest overrides it. An unknown credential is an error."""
    of_context = {"civo": "acme"}
    without = {name: value for name, value in environ.items() if name != "CIVO_TOKEN"}

    def choose(manifest: Any, environ: dict[str, str], usual: dict[str, str]) -> Any:
        return credentials.choose(manifest, override=None, region="", environ=environ, usual=usual)

    assert choose(_vpc(), without, of_context).api_token == "acme-token"
    assert choose(_pool(), without, of_context).api_token == "acme-token"
    assert choose(_vpc("bare"), without, of_context).api_token == "bare-token"
    assert choose(_vpc(), environ, of_context).api_token == "acme-token"
    assert choose(_vpc(), environ, {"digitalocean": "acme"}).api_token == "environment-token"
    listing: Any = credentials.from_environment("civo", without, of_context)
    assert (listing.api_token, listing.default_region) == ("acme-token", FRA1)
    with pytest.raises(errors.PlantonError) as caught:
        choose(_vpc(), without, {"civo": "acne"})
    assert caught.value.reason is errors.Reason.CREDENTIAL_UNKNOWN


def test_the_source_of_a_token_is_reported(environ: dict[str, str]) -> None:
    """A variable that a context overrides is reported, one that the manifest overrides is not."""

    def source(manifest: Any, override: Any = None, usual: dict[str, str] | None = None) -> credentials.Source:
        return credentials.source(manifest, override=override, environ=environ, usual=usual)

    assert source(_vpc()).text == "CIVO_TOKEN"
    assert source(_vpc("acme")) == credentials.Source(credential="acme")
    assert source(_vpc(), usual={"civo": "acme"}) == credentials.Source(credential="acme", ignored="CIVO_TOKEN")
    assert source(_vpc("bare"), usual={"civo": "acme"}) == credentials.Source(credential="bare")
    assert source(_vpc(), _config(apiToken="file-token"), {"civo": "acme"}).text == "provider config"
    assert credentials.overruled("civo", environ, {"civo": "acme"}) == "CIVO_TOKEN"
    assert credentials.overruled("civo", environ, {}) == ""


def test_a_credential_without_a_token_uses_the_token_of_the_environment(environ: dict[str, str]) -> None:
    """The entry sets only the region."""
    path = pathlib.Path(environ["PLANTON_CREDENTIALS"])
    path.write_text("region:\n  defaultRegion: fra1\n", "utf-8")
    config = _choose(_vpc("region"), environ)
    assert (config.api_token, config.default_region) == ("environment-token", FRA1)
    assert credentials.source(_vpc("region"), override=None, environ=environ) == credentials.Source(variable="CIVO_TOKEN")


@pytest.mark.parametrize("marker", ["", "1"])
@pytest.mark.parametrize("source", ["entry", "config", "context"])
def test_a_credential_is_not_sent_to_the_sandbox_of_the_shell(source: str, marker: str, environ: dict[str, str]) -> None:
    """The address comes from the environment, not from the credential's owner."""
    environ |= {"CIVO_API_URL": LOOPBACK, "CIVO_TOKEN": "sandbox-token", "PLANTON_SANDBOX": marker}
    choices = {
        "entry": lambda: _choose(_vpc("acme"), environ),
        "config": lambda: _choose(_vpc(), environ, _config(apiToken="file-token")),
        "context": lambda: credentials.from_environment("civo", environ, {"civo": "acme"}),
    }
    with pytest.raises(errors.PlantonError, match="is not the sandbox's, and CIVO_API_URL sends it") as caught:
        choices[source]()
    assert caught.value.reason is errors.Reason.CREDENTIAL_INVALID
    assert "sandbox env --unset" in caught.value.hint
    assert "-token" not in f"{caught.value.message} {caught.value.hint}"


def test_a_real_token_is_not_sent_to_the_sandbox_of_the_shell(environ: dict[str, str]) -> None:
    """This needs the sandbox's marker. Without it the address may be a proxy, because the user set both."""
    environ |= {"CIVO_API_URL": LOOPBACK}
    assert _choose(_vpc(), environ).api_token == "environment-token"
    with pytest.raises(errors.PlantonError, match="is not the sandbox's"):
        _choose(_vpc(), environ | {"PLANTON_SANDBOX": "1"})


def test_an_error_names_the_sort_of_the_credential(environ: dict[str, str]) -> None:
    """Some clouds have several."""
    environ |= {"GOOGLE_API_URL": LOOPBACK, "GOOGLE_OAUTH_ACCESS_TOKEN": "a-token", "PLANTON_SANDBOX": "1"}
    with pytest.raises(errors.PlantonError, match=r"^the access token for gcp \(GOOGLE_OAUTH_ACCESS_TOKEN\)"):
        credentials.from_environment("gcp", environ, {})


@pytest.mark.parametrize("address", [LOOPBACK, "http://localhost:4000/", "http://[::1]:4000"])
def test_a_credential_with_its_own_address_is_sent_there(address: str, environ: dict[str, str]) -> None:
    """A loopback address is allowed: the credential's owner chose it."""
    override = _config(apiToken="file-token", apiEndpoint=address)
    config = _choose(_vpc(), environ | {"PLANTON_SANDBOX": "1"}, override)
    assert config.api_endpoint == address


@pytest.mark.parametrize("address", ["", "https://civo.example.com", "http://127.0.0.1.example.com", "http://[::1"])
@pytest.mark.parametrize("source", ["environment", "config"])
def test_a_token_of_the_sandbox_stays_on_this_machine(source: str, address: str, environ: dict[str, str]) -> None:
    """A real cloud would refuse it with a confusing error."""
    environ |= {"CIVO_API_URL": address, "CIVO_TOKEN": "sandbox-token"}
    override = _config(apiToken="sandbox-token") if source == "config" else None
    with pytest.raises(errors.PlantonError, match="is the sandbox's, and") as caught:
        _choose(_vpc(), environ, override)
    assert caught.value.reason is errors.Reason.CREDENTIAL_INVALID


def test_the_sandbox_is_detected_by_its_token_or_marker(environ: dict[str, str]) -> None:
    """A proxy on this machine is not a sandbox."""
    config = _choose(_vpc(), environ | {"CIVO_API_URL": LOOPBACK, "CIVO_TOKEN": "sandbox-token"})
    assert credentials.is_sandbox(config, {})
    proxy = _choose(_vpc(), environ | {"CIVO_API_URL": LOOPBACK})
    assert not credentials.is_sandbox(proxy, {})
    assert credentials.is_sandbox(proxy, {"PLANTON_SANDBOX": "1"})
    assert not credentials.is_sandbox(_choose(_vpc(), environ), {"PLANTON_SANDBOX": "1"})


def test_manifests_of_one_run_may_use_different_accounts(environ: dict[str, str]) -> None:
    """Each manifest has its own choice."""
    assert [_choose(_vpc(name), environ).api_token for name in ("acme", "bare", "default")] == [
        "acme-token",
        "bare-token",
        "environment-token",
    ]


@pytest.mark.parametrize(("region", "expected"), [("fra1", FRA1), ("LON1", LON1), ("", NYC1), ("sin1", NYC1)])
def test_the_region_of_references_overrides_the_default(region: str, expected: int, environ: dict[str, str]) -> None:
    """A pool is in the region of its cluster. An unknown region keeps the default."""
    assert _choose(_pool(), environ, region=region).default_region == expected


def test_an_unknown_credential_is_an_error_that_lists_the_names(environ: dict[str, str]) -> None:
    """The error contains the file and its names, but no token."""
    with pytest.raises(errors.PlantonError, match=r"unknown credential 'acm'; .* has: acme, bare") as caught:
        _choose(_vpc("acm"), environ)
    assert caught.value.reason is errors.Reason.CREDENTIAL_UNKNOWN
    assert "acme-token" not in str(caught.value.as_dict())


def test_a_missing_credentials_file_has_no_credentials(tmp_path: pathlib.Path) -> None:
    """It is an error only for manifests that name a credential."""
    environ = {**ENVIRON, "PLANTON_CREDENTIALS": str(tmp_path / "none.yaml")}
    assert _choose(_vpc(), environ).api_token == "environment-token"
    with pytest.raises(errors.PlantonError, match=r"has: none$"):
        _choose(_vpc("acme"), environ)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_credentials_file_readable_by_others_is_refused(mode: int, environ: dict[str, str]) -> None:
    """The error contains the command that fixes it."""
    pathlib.Path(environ["PLANTON_CREDENTIALS"]).chmod(mode)
    with pytest.raises(errors.PlantonError, match="run: chmod 600"):
        _choose(_vpc("acme"), environ)


@pytest.mark.parametrize(
    "text",
    [
        "acme: {apiToken: s3cret, : [",
        "- s3cret\n",
        "acme: s3cret\n",
        "acme:\n  apiToken: [s3cret]\n",
        "acme:\n  apiTokn: s3cret\n",
        "acme:\n  s3cret: x\n",
    ],
)
def test_an_invalid_credentials_file_is_an_error_without_its_content(text: str, environ: dict[str, str]) -> None:
    """No token appears in the message."""
    pathlib.Path(environ["PLANTON_CREDENTIALS"]).write_text(text, "utf-8")
    with pytest.raises(errors.PlantonError, match="cannot use the credentials file") as caught:
        _choose(_vpc("acme"), environ)
    assert "s3cret" not in str(caught.value.as_dict())


def test_missing_credentials_are_an_error_that_mentions_the_sandbox() -> None:
    """A user without an account can continue with the sandbox."""
    with pytest.raises(errors.PlantonError, match="no credentials for civo") as caught:
        _choose(_vpc(), {})
    assert caught.value.reason is errors.Reason.CREDENTIAL_MISSING
    assert "planton sandbox env" in caught.value.hint


def test_the_environment_alone_may_be_incomplete() -> None:
    """Commands that list offers use the set fields, without an error for unset ones."""
    config: Any = credentials.from_environment(
        "digitalocean", {"DIGITALOCEAN_ACCESS_TOKEN": "second", "DIGITALOCEAN_REGION": "fra1"}
    )
    assert (config.api_token, config.default_region, config.api_endpoint) == ("second", 3, "")
    config = credentials.from_environment("digitalocean", {"DIGITALOCEAN_TOKEN": "first", "DIGITALOCEAN_ACCESS_TOKEN": "second"})
    assert config.api_token == "first"


def test_an_added_entry_takes_precedence_over_the_file(environ: dict[str, str]) -> None:
    """Of the same cloud and name only. An invalid one is an error without its content."""
    added = credentials_file.with_entry(environ, "civo", "acme", {"api_token": "added-token"})
    assert _choose(_vpc("acme"), added).api_token == "added-token"
    elsewhere = credentials_file.with_entry(environ, "digitalocean", "acme", {"api_token": "added-token"})
    assert _choose(_vpc("acme"), elsewhere).api_token == "acme-token"
    with pytest.raises(errors.PlantonError, match="cannot use credential acme of the API") as caught:
        _choose(_vpc("acme"), credentials_file.with_entry(environ, "civo", "acme", {"apiTokn": "s3cret"}))
    assert "s3cret" not in str(caught.value.as_dict())
