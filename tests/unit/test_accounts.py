"""Accounts in plans and prompts: the source of the token, the endpoint it is sent to, and never the token itself."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from planton import errors
from planton.cli import planning
from planton.config import contexts, credentials, settings
from planton.deploy import accounts, resolve
from planton.manifest import load
from support import mocks

SECRET = "a-secret-token"


@pytest.fixture
def environ(tmp_path: pathlib.Path) -> dict[str, str]:
    """Returns an environment with tokens and a credentials file with one entry."""
    path = tmp_path / "credentials.yaml"
    path.write_text(f"acme:\n  apiToken: {SECRET}\n", "utf-8")
    path.chmod(0o600)
    return {"CIVO_TOKEN": SECRET, "DIGITALOCEAN_TOKEN": SECRET, "PLANTON_CREDENTIALS": str(path)}


def _account(
    environ: dict[str, str], context: contexts.Context | None = None, *, kind: str = "CivoVpc", override: Any = None
) -> accounts.Account:
    target = mocks.target(kind, {"networkName": "n"} if kind == "CivoVpc" else {"region": "fra1"})
    chosen = settings.Settings(environ=environ, context=context or contexts.Context())
    config = credentials.choose(target, override=override, region="", environ=environ, usual=chosen.context.credentials)
    return accounts.of(target, override=override, config=config, settings=chosen)


def test_the_public_cloud_is_named_by_its_address(environ: dict[str, str]) -> None:
    """Each cloud has its own address."""
    assert str(_account(environ)) == "civo, CIVO_TOKEN, https://api.civo.com"
    ocean = _account(environ, kind="DigitalOceanVpc")
    assert str(ocean) == "digitalocean, DIGITALOCEAN_TOKEN, https://api.digitalocean.com"


def test_a_context_is_shown_with_the_variable_it_overrides(environ: dict[str, str]) -> None:
    """A context without a credential overrides nothing."""
    with_credential = contexts.Context("staging", credentials={"civo": "acme"})
    account = _account(environ, with_credential)
    assert str(account) == "civo, context staging, credential acme, https://api.civo.com; CIVO_TOKEN is ignored"
    assert str(_account(environ, contexts.Context("dev"))) == "civo, context dev, CIVO_TOKEN, https://api.civo.com"


def test_the_sandbox_is_marked(environ: dict[str, str]) -> None:
    """The JSON form has a field for it."""
    account = _account(environ | {"CIVO_TOKEN": "sandbox-token", "CIVO_API_URL": "http://127.0.0.1:4000/"})
    assert str(account) == "civo, CIVO_TOKEN, http://127.0.0.1:4000 (sandbox)"
    assert account.as_dict() == {
        "provider": "civo",
        "context": "",
        "source": "CIVO_TOKEN",
        "endpoint": "http://127.0.0.1:4000",
        "sandbox": True,
        "ignored": "",
    }


def test_no_secret_is_shown(environ: dict[str, str]) -> None:
    """Not the token, and no password in an endpoint."""
    environ |= {"CIVO_API_URL": "https://user:hidden@proxy.example.com/civo?key=hidden"}
    for account in (_account(environ), _account(environ, contexts.Context("c", credentials={"civo": "acme"}))):
        output = f"{account} {account.as_dict()} {planning.question('Apply', [account])}"
        assert SECRET not in output
        assert "hidden" not in output
        assert account.endpoint == "https://proxy.example.com/civo"


def test_a_prompt_names_every_account(environ: dict[str, str]) -> None:
    """A prompt without accounts is the question alone."""
    both = [_account(environ), _account(environ, kind="DigitalOceanVpc")]
    assert planning.question("Destroy", both) == f"Destroy (account: {both[0]}; {both[1]})?"
    assert planning.question("Apply", []) == "Apply?"


def _check(environ: dict[str, str], *, env: str = "prod", usual: dict[str, str] | None = None, pin: str = "acme") -> None:
    target = mocks.target("CivoVpc", {"networkName": "n"}, name="net", env=env)
    context = contexts.Context("c", credentials=usual or {}, pins={"prod": {"civo": pin}})
    config = credentials.choose(target, override=None, region="", environ=environ, usual=context.credentials)
    accounts.check_pin(target, config, settings.Settings(environ=environ, context=context))


def test_an_environment_that_is_pinned_refuses_other_accounts(environ: dict[str, str]) -> None:
    """The token decides, wherever it comes from."""
    _check(environ)
    _check(environ | {"CIVO_TOKEN": "another"}, usual={"civo": "acme"})
    _check(environ | {"CIVO_TOKEN": "another"}, env="dev")
    with pytest.raises(errors.PlantonError, match="'prod' is pinned to the credential acme of civo") as caught:
        _check(environ | {"CIVO_TOKEN": "another"})
    assert (caught.value.reason, caught.value.code) == (errors.Reason.ACCOUNT_REFUSED, errors.Code.REFUSED)
    assert SECRET not in str(caught.value.as_dict())
    with pytest.raises(errors.PlantonError) as caught:
        _check(environ, pin="missing")
    assert caught.value.reason is errors.Reason.CREDENTIAL_UNKNOWN


def test_a_plan_of_a_pinned_environment_with_another_account_is_refused(environ: dict[str, str]) -> None:
    """The guard is in the pipeline, so that every caller has it."""
    pinned = contexts.Context(pins={"prod": {"civo": "acme"}})
    chosen = settings.Settings(environ=environ | {"CIVO_TOKEN": "another"}, context=pinned)
    network = mocks.target("CivoVpc", {"civoCredentialId": "default", "networkName": "n", "region": "lon1"}, name="n", env="prod")
    with pytest.raises(errors.PlantonError) as caught:
        resolve.resolve(load.Resource(network, None, "n.yaml"), lambda _key: None, chosen)
    assert caught.value.reason is errors.Reason.ACCOUNT_REFUSED
