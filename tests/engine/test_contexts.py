"""Contexts: what is kept, which one counts, and what is said about those that cannot be used."""

from __future__ import annotations

import dataclasses
import pathlib
import stat
from typing import Any

import pytest

from planton import errors
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
    """An environment whose contexts file is not there yet."""
    return {"PLANTON_CONTEXTS": str(tmp_path / "config" / "contexts.yaml"), "PLANTON_DATA_DIR": str(tmp_path / "data")}


@pytest.fixture
def kept(environ: dict[str, str]) -> dict[str, str]:
    """The same with two contexts, of which one is the current one."""
    contexts.write(contexts.Contexts().having(STAGING).having(PRODUCTION).using("staging"), environ)
    return environ


def test_what_is_written_is_read(kept: dict[str, str]) -> None:
    """Nothing is lost, and nobody else may read it."""
    known = contexts.read(kept)
    assert known == contexts.Contexts({"staging": STAGING, "production": PRODUCTION}, "staging")
    assert stat.S_IMODE(contexts.file(kept).stat().st_mode) == 0o600


def test_the_name_that_is_given_goes_before_the_variable_and_that_before_the_current_one(kept: dict[str, str]) -> None:
    """``default`` is none, wherever it stands."""
    assert contexts.choose("", kept) == STAGING
    assert contexts.choose("", kept | {"PLANTON_CONTEXT": "production"}) == PRODUCTION
    assert contexts.choose("staging", kept | {"PLANTON_CONTEXT": "production"}) == STAGING
    assert contexts.choose("default", kept) == contexts.Context()
    assert contexts.choose("", kept | {"PLANTON_CONTEXT": "default"}) == contexts.Context()


def test_without_a_file_there_is_no_context(environ: dict[str, str]) -> None:
    """That is how everybody begins."""
    assert contexts.read(environ) == contexts.Contexts()
    assert contexts.choose("", environ) == contexts.Context()


def test_the_current_one_can_go() -> None:
    """Then none is current; another one stays."""
    known = contexts.Contexts().having(STAGING).having(PRODUCTION).using("staging")
    assert known.without("staging") == contexts.Contexts({"production": PRODUCTION}, "")
    assert known.without("production").current == "staging"
    assert known.using("default").current == ""


def test_an_unknown_name_is_an_error_with_the_nearest_one(kept: dict[str, str]) -> None:
    """Whichever way it was given."""
    with pytest.raises(errors.PlantonError, match="unknown context 'stagign'; known: production, staging") as caught:
        contexts.choose("", kept | {"PLANTON_CONTEXT": "stagign"})
    assert (caught.value.reason, caught.value.code) == (errors.Reason.CONTEXT_UNKNOWN, errors.Code.USAGE)
    assert "staging" in caught.value.hint


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "a/b"}, "cannot name a context"),
        ({"name": "default"}, "cannot name a context"),
        ({"credentials": {"aws": "x"}}, "'aws' is not a cloud; the clouds are: civo, digitalocean"),
        ({"secrets_provider": "passphrase"}, "must begin with one of awskms://"),
        ({"secrets_provider": "awskms://k", "passphrase_file": "p"}, "exclude each other"),
    ],
)
def test_what_cannot_be_used_is_refused(wrong: dict[str, Any], said: str) -> None:
    """Before it is written."""
    with pytest.raises(errors.PlantonError, match=said):
        contexts.checked(contexts.Context(**{"name": "a", **wrong}))


@pytest.mark.parametrize(
    ("content", "said"),
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
def test_a_file_that_is_none_is_named(environ: dict[str, str], content: str, said: str) -> None:
    """A misspelt setting would otherwise be one that has no effect."""
    path = contexts.file(environ)
    path.parent.mkdir()
    path.write_text(content, "utf-8")
    with pytest.raises(errors.PlantonError, match=said) as caught:
        contexts.read(environ)
    assert caught.value.reason is errors.Reason.CONTEXT_UNKNOWN
    assert str(path) in caught.value.message


def test_a_context_counts_where_neither_options_nor_the_environment_say_otherwise(environ: dict[str, str]) -> None:
    """For the backend and for the passphrase."""
    file = pathlib.Path(environ["PLANTON_CONTEXTS"]).parent / "passphrase"
    file.parent.mkdir(exist_ok=True)
    file.write_text("of the context", "utf-8")
    chosen = settings.Settings(environ=environ, context=dataclasses.replace(STAGING, passphrase_file=str(file)))
    assert chosen.backend_url == "s3://acme-state"
    assert chosen.passphrase() == {"PULUMI_CONFIG_PASSPHRASE_FILE": str(file)}
    own = environ | {"PULUMI_BACKEND_URL": "file:///own", "PULUMI_CONFIG_PASSPHRASE": "own"}
    chosen = settings.Settings(environ=own, context=STAGING)
    assert chosen.backend_url == "file:///own"
    assert chosen.passphrase() == {"PULUMI_CONFIG_PASSPHRASE": "own"}
    assert settings.Settings(backend="gs://given", environ=own, context=STAGING).backend_url == "gs://given"
