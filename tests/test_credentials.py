"""Credentials: which account an operation uses, and what is said about one that cannot be used."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from planton import credentials, errors
from support import mocks

ENVIRON = {"CIVO_TOKEN": "of-environment", "CIVO_REGION": "NYC1", "CIVO_API_URL": "http://127.0.0.1:1/"}
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
    return credentials.choose(manifest, given=given, region=region, environ=environ)


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
    assert (config.api_token, config.default_region, config.api_endpoint) == ("of-acme", FRA1, "http://127.0.0.1:1")
    config = _choose(_vpc("bare"), environ)
    assert (config.api_token, config.default_region) == ("of-bare", NYC1)


@pytest.mark.parametrize("manifest", [_vpc("default"), _pool()])
def test_the_environment_is_the_last(manifest: Any, environ: dict[str, str]) -> None:
    """A manifest that names no entry uses the account of the shell."""
    config = _choose(manifest, environ)
    assert (config.api_token, config.default_region) == ("of-environment", NYC1)


def test_the_entry_of_a_context_is_the_last(environ: dict[str, str]) -> None:
    """A token of the shell and an entry that the manifest names go before it; an unknown entry is an error."""
    usual = {"civo": "acme"}
    without = {name: value for name, value in environ.items() if name != "CIVO_TOKEN"}

    def choose(manifest: Any, environ: dict[str, str], usual: dict[str, str]) -> Any:
        return credentials.choose(manifest, given=None, region="", environ=environ, usual=usual)

    assert choose(_vpc(), without, usual).api_token == "of-acme"
    assert choose(_pool(), without, usual).api_token == "of-acme"
    assert choose(_vpc("bare"), without, usual).api_token == "of-bare"
    assert choose(_vpc(), environ, usual).api_token == "of-environment"
    listing: Any = credentials.from_environment("civo", without, usual)
    assert (listing.api_token, listing.default_region) == ("of-acme", FRA1)
    with pytest.raises(errors.PlantonError) as caught:
        choose(_vpc(), without, {"civo": "acne"})
    assert caught.value.reason is errors.Reason.CREDENTIAL_UNKNOWN


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
    with pytest.raises(errors.PlantonError, match=r"unknown credential 'acm'; known in .*: acme, bare") as caught:
        _choose(_vpc("acm"), environ)
    assert caught.value.reason is errors.Reason.CREDENTIAL_UNKNOWN
    assert "of-acme" not in str(caught.value.as_dict())


def test_a_file_that_is_not_there_knows_no_credential(tmp_path: pathlib.Path) -> None:
    """Its absence matters only to who names an entry."""
    environ = {**ENVIRON, "PLANTON_CREDENTIALS": str(tmp_path / "none.yaml")}
    assert _choose(_vpc(), environ).api_token == "of-environment"
    with pytest.raises(errors.PlantonError, match=r"known in .*: none$"):
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
