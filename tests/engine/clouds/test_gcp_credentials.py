"""Credentials of Google Cloud: where a machine has them, and the errors of invalid ones."""

from __future__ import annotations

import base64
import json
import pathlib

import pytest

from planton import errors
from planton.clouds.gcp import credentials

SECRET = "-----BEGIN PRIVATE KEY-----secret"  # of no key
KEY = json.dumps({"type": "service_account", "project_id": "acme", "private_key": SECRET, "client_email": "a@b"})
FIELD = "service_account_key_base64"


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.fixture
def file(tmp_path: pathlib.Path) -> pathlib.Path:
    """A file with a key."""
    path = tmp_path / "key.json"
    path.write_text(KEY, "utf-8")
    return path


@pytest.mark.parametrize("variable", ["GOOGLE_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS"])
def test_a_variable_names_the_file_of_a_key(variable: str, file: pathlib.Path) -> None:
    """The source is the variable."""
    assert credentials.find({variable: str(file)}) == ({FIELD: _encoded(KEY)}, variable)


def test_a_variable_holds_a_key() -> None:
    """White space before it does not matter."""
    assert credentials.find({"GOOGLE_CREDENTIALS": f"\n {KEY}"}) == ({FIELD: _encoded(f"\n {KEY}")}, "GOOGLE_CREDENTIALS")


@pytest.mark.parametrize(("variable", "folder"), [("CLOUDSDK_CONFIG", "."), ("HOME", ".config/gcloud")])
def test_the_application_default_credentials_come_last(variable: str, folder: str, tmp_path: pathlib.Path) -> None:
    """They are what `gcloud auth application-default login` writes."""
    path = tmp_path / folder / "application_default_credentials.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"type": "authorized_user"}', "utf-8")
    assert credentials.find({variable: str(tmp_path)}) == (
        {FIELD: _encoded('{"type": "authorized_user"}')},
        "application-default credentials",
    )
    assert credentials.find({variable: str(tmp_path), "GOOGLE_CREDENTIALS": KEY})[1] == "GOOGLE_CREDENTIALS"


def test_an_access_token_is_used_before_any_key(file: pathlib.Path) -> None:
    """It is sent as it is."""
    environ = {"GOOGLE_OAUTH_ACCESS_TOKEN": "tok", "GOOGLE_CREDENTIALS": KEY, "GOOGLE_APPLICATION_CREDENTIALS": str(file)}
    assert credentials.find(environ) == ({"access_token": "tok"}, "GOOGLE_OAUTH_ACCESS_TOKEN")
    assert credentials.token(_encoded(KEY), "tok") == credentials.Token("tok")


def test_a_machine_may_have_none(tmp_path: pathlib.Path) -> None:
    """That is no error here: another source may have one."""
    assert credentials.find({}) == ({}, "")
    assert credentials.find({"HOME": str(tmp_path)}) == ({}, "")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (f'{{"private_key": "{SECRET}"', "it is not JSON"),
        (json.dumps({"private_key": SECRET}), "it has no type"),
        (json.dumps([SECRET]), "it has no type"),
    ],
)
def test_an_invalid_file_is_an_error_without_its_content(content: str, why: str, tmp_path: pathlib.Path) -> None:
    """The error names the variable."""
    path = tmp_path / "key.json"
    path.write_text(content, "utf-8")
    with pytest.raises(errors.PlantonError, match=why) as caught:
        credentials.find({"GOOGLE_APPLICATION_CREDENTIALS": str(path)})
    assert caught.value.reason == errors.Reason.CREDENTIAL_INVALID
    assert "GOOGLE_APPLICATION_CREDENTIALS" in caught.value.message
    assert SECRET not in f"{caught.value.message} {caught.value.hint}"


def test_a_missing_file_is_an_error_with_its_path(tmp_path: pathlib.Path) -> None:
    """A folder is no file either."""
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(errors.PlantonError, match="cannot be read") as caught:
            credentials.find({"GOOGLE_APPLICATION_CREDENTIALS": str(path)})
        assert str(path) in caught.value.message


@pytest.mark.parametrize(
    "key",
    [
        "no base64!",
        base64.b64encode(b"\xff").decode(),
        _encoded("{"),
        _encoded(json.dumps({"type": "service_account", "private_key": SECRET})),
        _encoded(json.dumps({"type": "unheard_of", "private_key": SECRET})),
    ],
)
def test_an_invalid_key_gives_no_token(key: str) -> None:
    """The error contains nothing of the key."""
    with pytest.raises(errors.PlantonError, match="cannot be used") as caught:
        credentials.token(key, "")
    assert caught.value.reason == errors.Reason.CREDENTIAL_INVALID
    assert SECRET not in f"{caught.value.message} {caught.value.hint}"
    assert key not in caught.value.message


@pytest.mark.parametrize(
    ("uri", "is_local"),
    [("http://127.0.0.1:4000/token", True), ("https://oauth2.googleapis.com/token", False), ("", False)],
)
def test_a_key_of_the_sandbox_is_known_by_its_token_server(uri: str, *, is_local: bool) -> None:
    """A key of it is never sent to another machine."""
    assert credentials.is_of_this_machine(_encoded(json.dumps({"token_uri": uri}))) is is_local
    assert not credentials.is_of_this_machine("no base64!")


def test_a_key_names_its_project() -> None:
    """It is the default project."""
    assert credentials.project(_encoded(KEY)) == "acme"
    assert credentials.project("") == ""
