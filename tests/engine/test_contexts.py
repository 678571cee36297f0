"""Contexts: the file, the precedence of names, and the errors of invalid contexts."""

from __future__ import annotations

import dataclasses
import pathlib
import stat
from typing import Any

import pytest

from planton import cli, errors
from planton.config import contexts, settings

STAGING = contexts.Context(
    "staging",
    backend="s3://acme-state",
    env="staging",
    credentials={"civo": "acme-staging"},
    passphrase_file="/etc/planton/passphrase",
)
PRODUCTION = contexts.Context("production", secrets_provider="awskms://alias/planton?region=eu-west-1")


@pytest.fixture
def environ(tmp_path: pathlib.Path) -> dict[str, str]:
    """An environment whose contexts file does not exist yet."""
    return {"PLANTON_CONTEXTS": str(tmp_path / "config" / "contexts.yaml"), "PLANTON_DATA_DIR": str(tmp_path / "data")}


@pytest.fixture
def environ_with_contexts(environ: dict[str, str]) -> dict[str, str]:
    """The same with two contexts, of which `staging` is the current one."""
    contexts.write(contexts.Contexts().having(STAGING).having(PRODUCTION).using("staging"), environ)
    return environ


def test_contexts_survive_writing_and_reading(environ_with_contexts: dict[str, str]) -> None:
    """Only the user may read the file."""
    saved = contexts.read(environ_with_contexts)
    assert saved == contexts.Contexts({"staging": STAGING, "production": PRODUCTION}, "staging")
    assert stat.S_IMODE(contexts.file(environ_with_contexts).stat().st_mode) == 0o600


def test_an_option_overrides_the_variable_and_the_variable_the_current_context(environ_with_contexts: dict[str, str]) -> None:
    """The name ``default`` stands for no context, in the option and in the variable."""
    assert contexts.choose("", environ_with_contexts) == STAGING
    assert contexts.choose("", environ_with_contexts | {"PLANTON_CONTEXT": "production"}) == PRODUCTION
    assert contexts.choose("staging", environ_with_contexts | {"PLANTON_CONTEXT": "production"}) == STAGING
    assert contexts.choose("default", environ_with_contexts) == contexts.Context()
    assert contexts.choose("", environ_with_contexts | {"PLANTON_CONTEXT": "default"}) == contexts.Context()


def test_without_a_file_there_is_no_context(environ: dict[str, str]) -> None:
    """A new user starts without a contexts file."""
    assert contexts.read(environ) == contexts.Contexts()
    assert contexts.choose("", environ) == contexts.Context()


def test_deleting_the_current_context_leaves_none_current() -> None:
    """Deleting another context keeps the current one."""
    saved = contexts.Contexts().having(STAGING).having(PRODUCTION).using("staging")
    assert saved.without("staging") == contexts.Contexts({"production": PRODUCTION}, "")
    assert saved.without("production").current == "staging"
    assert saved.using("default").current == ""


def test_an_unknown_context_is_an_error_with_the_nearest_name(environ_with_contexts: dict[str, str]) -> None:
    """The variable is checked like the option."""
    with pytest.raises(errors.PlantonError, match="unknown context 'stagign'; known: production, staging") as caught:
        contexts.choose("", environ_with_contexts | {"PLANTON_CONTEXT": "stagign"})
    assert (caught.value.reason, caught.value.code) == (errors.Reason.CONTEXT_UNKNOWN, errors.Code.USAGE)
    assert "staging" in caught.value.hint


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "a/b"}, "cannot name a context"),
        ({"name": "default"}, "cannot name a context"),
        ({"credentials": {"aws": "x"}}, "'aws' is not a cloud; the clouds are: civo, digitalocean"),
        ({"secrets_provider": "passphrase"}, "must begin with one of awskms://"),
        ({"secrets_provider": "awskms://k", "passphrase_file": "p"}, "exclude each other"),
    ],
)
def test_an_invalid_context_is_refused(fields: dict[str, Any], message: str) -> None:
    """The check runs before the file is written."""
    with pytest.raises(errors.PlantonError, match=message):
        contexts.checked(contexts.Context(**{"name": "a", **fields}))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("contexts: {a: {backedn: x}}", "context 'a' has backedn; known: backend, env"),
        ("contexts: [a]", "contexts file"),
        ("contexts: {a: {credentials: {aws: x}}}", "'aws' is not a cloud"),
        ("{", "contexts file"),
        ("", "it is empty"),
        ("# contexts:", "it is empty"),
        ("a", "contexts file"),
    ],
)
def test_an_invalid_contexts_file_is_an_error_with_its_path(environ: dict[str, str], content: str, message: str) -> None:
    """A misspelt setting must not be ignored silently."""
    path = contexts.file(environ)
    path.parent.mkdir()
    path.write_text(content, "utf-8")
    with pytest.raises(errors.PlantonError, match=message) as caught:
        contexts.read(environ)
    assert caught.value.reason is errors.Reason.CONTEXT_UNKNOWN
    assert str(path) in caught.value.message


def test_options_and_environment_override_a_context(environ: dict[str, str]) -> None:
    """This holds for the backend and for the passphrase."""
    file = pathlib.Path(environ["PLANTON_CONTEXTS"]).parent / "passphrase"
    file.parent.mkdir(exist_ok=True)
    file.write_text("context passphrase", "utf-8")
    config = settings.Settings(environ=environ, context=dataclasses.replace(STAGING, passphrase_file=str(file)))
    assert config.backend_url == "s3://acme-state"
    assert config.passphrase() == {"PULUMI_CONFIG_PASSPHRASE_FILE": str(file)}
    overridden = environ | {"PULUMI_BACKEND_URL": "file:///own", "PULUMI_CONFIG_PASSPHRASE": "own"}
    config = settings.Settings(environ=overridden, context=STAGING)
    assert config.backend_url == "file:///own"
    assert config.passphrase() == {"PULUMI_CONFIG_PASSPHRASE": "own"}
    assert settings.Settings(backend="gs://option", environ=overridden, context=STAGING).backend_url == "gs://option"


def test_pins_survive_writing_and_apply_in_every_context(environ_with_contexts: dict[str, str]) -> None:
    """They are the user's. A pin that is not understood is an error, not ignored."""
    pinned = contexts.read(environ_with_contexts).pinning("prod", {"civo": "acme"})
    contexts.write(pinned, environ_with_contexts)
    assert contexts.read(environ_with_contexts) == pinned
    for name in ("", "production", "default"):
        assert contexts.choose(name, environ_with_contexts).pins == {"prod": {"civo": "acme"}}
    assert pinned.pinning("prod", {}).pins == {}
    assert pinned.without("staging").pins == pinned.pins
    path = contexts.file(environ_with_contexts)
    path.write_text(path.read_text("utf-8").replace("civo: acme\n", "cifo: acme\n"), "utf-8")
    with pytest.raises(errors.PlantonError, match="'cifo' is not a cloud"):
        contexts.read(environ_with_contexts)


def test_the_command_shows_and_changes_pins(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a subcommand it shows what is in use, without a password in an address."""
    for name, value in (environ | {"CIVO_TOKEN": "secret", "PULUMI_BACKEND_URL": "postgres://me:hidden@db/state"}).items():
        monkeypatch.setenv(name, value)
    assert cli.main(["context", "pin", "prod", "civo=acme"]) == 0
    capsys.readouterr()
    assert cli.main(["context"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "name: default",
        "current: yes",
        "backend: postgres://db/state",
        "env: -",
        "accounts: civo=CIVO_TOKEN, the public cloud",
        "pins: prod: civo=acme",
    ]
    assert cli.main(["context", "unpin", "prod"]) == 0
    assert cli.main(["context", "unpin", "prod"]) == errors.Code.USAGE
    assert cli.main(["context", "pin", "prod", "cifo=acme"]) == errors.Code.USAGE
