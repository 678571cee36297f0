"""Credentials: which account an operation uses, and what is said about one that cannot be used."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from planton import errors
from planton.config import credentials
from support import mocks

ENVIRON = {"CIVO_TOKEN": "of-environment", "CIVO_REGION": "NYC1", "CIVO_API_URL": "https://civo.example.com/"}
HERE = "http://127.0.0.1:4000"
LON1, FRA1, NYC1 = 1, 3, 4


def _vpc(credential: str = "default") -> Any:
    return mocks.target("CivoVpc", {"civoCredentialId": credential, "networkName": "n", "region": "lon1"})


def _pool() -> Any:
    return mocks.target("CivoKubernetesNodePool", {"nodePoolName": "n", "cluster": {"value": "c"}, "size": "s", "nodeCount": 1})


def _given(**fields: Any) -> Any:
    return mocks.stack_input(_vpc(), **fields).provider_config


@pytest.fixture
def environ(tmp_path: pathlib.Path) -> dict[str, str]:
    """An environment with an account and a credentials file of two entries."""
    path = tmp_path / "credentials.yaml"
    path.write_text("acme:\n  apiToken: of-acme\n  defaultRegion: fra1\nbare:\n  provider: civo\n  api_token: of-bare\n", "utf-8")
    path.chmod(0o600)
    return {**ENVIRON, "PLANTON_CREDENTIALS": str(path)}


def _choose(manifest: Any, environ: dict[str, str], given: Any = None, region: str = "") -> Any:
    return credentials.choose(manifest, override=given, region=region, environ=environ)


@pytest.mark.parametrize("token", ["abc…", "abc\r", "ab c", "ключ"])
def test_a_token_that_no_request_can_carry_is_refused(token: str, environ: dict[str, str]) -> None:
    """It is not shown, for it may be one that was pasted with something beside it."""
    environ["CIVO_TOKEN"] = token
    for use in (lambda: _choose(_vpc(), environ), lambda: credentials.from_environment("civo", environ)):
        with pytest.raises(errors.PlantonError, match="the token for civo has characters that no token has") as caught:
            use()
        assert (caught.value.code, caught.value.reason) == (errors.Code.MISSING, errors.Reason.CREDENTIAL_INVALID)
        assert token not in f"{caught.value.message} {caught.value.hint}"
        assert "CIVO_TOKEN" in caught.value.hint


def test_a_given_config_goes_before_everything(environ: dict[str, str]) -> None:
    """Neither the manifest's entry nor the environment's token is used."""
    config = _choose(_vpc("acme"), environ, _given(apiToken="of-file", defaultRegion="fra1"))
    assert (config.api_token, config.default_region) == ("of-file", FRA1)


def test_a_named_credential_goes_before_the_environment(environ: dict[str, str]) -> None:
    """The entry's own settings are kept and the rest is filled in."""
    config = _choose(_vpc("acme"), environ)
    assert (config.api_token, config.default_region, config.api_endpoint) == ("of-acme", FRA1, "https://civo.example.com")
    config = _choose(_vpc("bare"), environ)
    assert (config.api_token, config.default_region) == ("of-bare", NYC1)


@pytest.mark.parametrize("manifest", [_vpc("default"), _pool()])
def test_the_environment_is_the_last(manifest: Any, environ: dict[str, str]) -> None:
    """A manifest that names no entry uses the account of the shell."""
    config = _choose(manifest, environ)
    assert (config.api_token, config.default_region) == ("of-environment", NYC1)


def test_the_entry_of_a_context_goes_before_the_environment(environ: dict[str, str]) -> None:
    """An entry that the manifest names goes before it; an unknown entry is an error."""
    usual = {"civo": "acme"}
    without = {name: value for name, value in environ.items() if name != "CIVO_TOKEN"}

    def choose(manifest: Any, environ: dict[str, str], usual: dict[str, str]) -> Any:
        return credentials.choose(manifest, override=None, region="", environ=environ, usual=usual)

    assert choose(_vpc(), without, usual).api_token == "of-acme"
    assert choose(_pool(), without, usual).api_token == "of-acme"
    assert choose(_vpc("bare"), without, usual).api_token == "of-bare"
    assert choose(_vpc(), environ, usual).api_token == "of-acme"
    assert choose(_vpc(), environ, {"digitalocean": "acme"}).api_token == "of-environment"
    listing: Any = credentials.from_environment("civo", without, usual)
    assert (listing.api_token, listing.default_region) == ("of-acme", FRA1)
    with pytest.raises(errors.PlantonError) as caught:
        choose(_vpc(), without, {"civo": "acne"})
    assert caught.value.reason is errors.Reason.CREDENTIAL_UNKNOWN


def test_the_source_of_a_token_is_known(environ: dict[str, str]) -> None:
    """A variable that a context overrules is named; one that the manifest's own entry overrules is not."""

    def source(manifest: Any, given: Any = None, usual: dict[str, str] | None = None) -> credentials.Source:
        return credentials.source(manifest, override=given, environ=environ, usual=usual)

    assert source(_vpc()).text == "CIVO_TOKEN"
    assert source(_vpc("acme")) == credentials.Source(credential="acme")
    assert source(_vpc(), usual={"civo": "acme"}) == credentials.Source(credential="acme", ignored="CIVO_TOKEN")
    assert source(_vpc("bare"), usual={"civo": "acme"}) == credentials.Source(credential="bare")
    assert source(_vpc(), _given(apiToken="of-file"), {"civo": "acme"}).text == "given provider config"
    assert credentials.overruled("civo", environ, {"civo": "acme"}) == "CIVO_TOKEN"
    assert credentials.overruled("civo", environ, {}) == ""


def test_an_entry_without_a_token_takes_that_of_the_environment(environ: dict[str, str]) -> None:
    """It says the region alone."""
    path = pathlib.Path(environ["PLANTON_CREDENTIALS"])
    path.write_text("region:\n  defaultRegion: fra1\n", "utf-8")
    config = _choose(_vpc("region"), environ)
    assert (config.api_token, config.default_region) == ("of-environment", FRA1)
    assert credentials.source(_vpc("region"), override=None, environ=environ) == credentials.Source(variable="CIVO_TOKEN")


@pytest.mark.parametrize("marker", ["", "1"])
@pytest.mark.parametrize("way", ["entry", "given", "context"])
def test_a_credential_is_not_sent_to_the_sandbox_of_the_shell(way: str, marker: str, environ: dict[str, str]) -> None:
    """Its owner did not say so: the address comes from the environment alone."""
    environ |= {"CIVO_API_URL": HERE, "CIVO_TOKEN": "sandbox-token", "PLANTON_SANDBOX": marker}
    ways = {
        "entry": lambda: _choose(_vpc("acme"), environ),
        "given": lambda: _choose(_vpc(), environ, _given(apiToken="of-file")),
        "context": lambda: credentials.from_environment("civo", environ, {"civo": "acme"}),
    }
    with pytest.raises(errors.PlantonError, match="is not the sandbox's, and CIVO_API_URL sends it") as caught:
        ways[way]()
    assert caught.value.reason is errors.Reason.CREDENTIAL_INVALID
    assert "sandbox env --unset" in caught.value.hint
    assert "of-" not in f"{caught.value.message} {caught.value.hint}"


def test_a_token_of_the_shell_is_not_sent_to_the_sandbox_of_the_shell(environ: dict[str, str]) -> None:
    """Where the shell is the sandbox's; else the address may be that of a proxy, as the user has set both."""
    environ |= {"CIVO_API_URL": HERE}
    assert _choose(_vpc(), environ).api_token == "of-environment"
    with pytest.raises(errors.PlantonError, match="is not the sandbox's"):
        _choose(_vpc(), environ | {"PLANTON_SANDBOX": "1"})


@pytest.mark.parametrize("address", [HERE, "http://localhost:4000/", "http://[::1]:4000"])
def test_a_credential_with_an_address_of_its_own_goes_there(address: str, environ: dict[str, str]) -> None:
    """Also on this machine: the owner of the credential has said so."""
    given = _given(apiToken="of-file", apiEndpoint=address)
    config = _choose(_vpc(), environ | {"PLANTON_SANDBOX": "1"}, given)
    assert config.api_endpoint == address


@pytest.mark.parametrize("address", ["", "https://civo.example.com", "http://127.0.0.1.example.com", "http://[::1"])
@pytest.mark.parametrize("way", ["environment", "given"])
def test_a_token_of_the_sandbox_stays_on_this_machine(way: str, address: str, environ: dict[str, str]) -> None:
    """A cloud would get a token that it did not give out, and the user would wonder why it is refused."""
    environ |= {"CIVO_API_URL": address, "CIVO_TOKEN": "sandbox-token"}
    given = _given(apiToken="sandbox-token") if way == "given" else None
    with pytest.raises(errors.PlantonError, match="is the sandbox's, and") as caught:
        _choose(_vpc(), environ, given)
    assert caught.value.reason is errors.Reason.CREDENTIAL_INVALID


def test_the_sandbox_is_known_as_such(environ: dict[str, str]) -> None:
    """By its token, or because the shell is the sandbox's; a proxy on this machine is no sandbox."""
    config = _choose(_vpc(), environ | {"CIVO_API_URL": HERE, "CIVO_TOKEN": "sandbox-token"})
    assert credentials.is_sandbox(config, {})
    proxy = _choose(_vpc(), environ | {"CIVO_API_URL": HERE})
    assert not credentials.is_sandbox(proxy, {})
    assert credentials.is_sandbox(proxy, {"PLANTON_SANDBOX": "1"})
    assert not credentials.is_sandbox(_choose(_vpc(), environ), {"PLANTON_SANDBOX": "1"})


def test_manifests_of_one_run_may_use_different_accounts(environ: dict[str, str]) -> None:
    """Each choice stands by itself."""
    assert [_choose(_vpc(name), environ).api_token for name in ("acme", "bare", "default")] == [
        "of-acme",
        "of-bare",
        "of-environment",
    ]


@pytest.mark.parametrize(("region", "expected"), [("fra1", FRA1), ("LON1", LON1), ("", NYC1), ("sin1", NYC1)])
def test_the_region_of_the_references_goes_before_the_default(region: str, expected: int, environ: dict[str, str]) -> None:
    """A pool is where its cluster is; a region without a number leaves the default."""
    assert _choose(_pool(), environ, region=region).default_region == expected


def test_an_unknown_credential_lists_the_known_ones(environ: dict[str, str]) -> None:
    """The file and the names in it are told, no token is."""
    with pytest.raises(errors.PlantonError, match=r"unknown credential 'acm'; .* has: acme, bare") as caught:
        _choose(_vpc("acm"), environ)
    assert caught.value.reason is errors.Reason.CREDENTIAL_UNKNOWN
    assert "of-acme" not in str(caught.value.as_dict())


def test_a_file_that_is_not_there_knows_no_credential(tmp_path: pathlib.Path) -> None:
    """Its absence matters only to who names an entry."""
    environ = {**ENVIRON, "PLANTON_CREDENTIALS": str(tmp_path / "none.yaml")}
    assert _choose(_vpc(), environ).api_token == "of-environment"
    with pytest.raises(errors.PlantonError, match=r"has: none$"):
        _choose(_vpc("acme"), environ)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_may_read_is_not_used(mode: int, environ: dict[str, str]) -> None:
    """The error gives the command that mends it."""
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
def test_an_unreadable_file_is_an_error_that_shows_none_of_it(text: str, environ: dict[str, str]) -> None:
    """Whatever is wrong with it, no token gets into a message."""
    pathlib.Path(environ["PLANTON_CREDENTIALS"]).write_text(text, "utf-8")
    with pytest.raises(errors.PlantonError, match="cannot use the credentials file") as caught:
        _choose(_vpc("acme"), environ)
    assert "s3cret" not in str(caught.value.as_dict())


def test_no_credentials_at_all_is_an_error_that_offers_the_sandbox() -> None:
    """A user without an account is shown how to go on without one."""
    with pytest.raises(errors.PlantonError, match="no credentials for civo") as caught:
        _choose(_vpc(), {})
    assert caught.value.reason is errors.Reason.CREDENTIAL_MISSING
    assert "planton sandbox env" in caught.value.hint


def test_the_environment_alone_may_leave_fields_open() -> None:
    """Listing commands ask for what is there, without an error for what is not."""
    config: Any = credentials.from_environment(
        "digitalocean", {"DIGITALOCEAN_ACCESS_TOKEN": "second", "DIGITALOCEAN_REGION": "fra1"}
    )
    assert (config.api_token, config.default_region, config.api_endpoint) == ("second", 3, "")
    config = credentials.from_environment("digitalocean", {"DIGITALOCEAN_TOKEN": "first", "DIGITALOCEAN_ACCESS_TOKEN": "second"})
    assert config.api_token == "first"
