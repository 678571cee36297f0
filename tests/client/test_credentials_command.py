"""``planton credentials``: values come from a file or standard input, and are never printed."""

from __future__ import annotations

import base64
import io
import json
import os
import pathlib
import types
from collections.abc import Callable, Iterator

import pytest
import yaml

from planton import cli, client
from support import serving

Run = Callable[..., tuple[int, str, str]]
SECRET = "the-secret-token"  # of no account


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.Server]:
    """A server with a key."""
    folder = tmp_path_factory.mktemp("server")
    keys = folder / "keys"
    keys.touch(mode=0o600)
    keys.write_text(base64.b64encode(os.urandom(32)).decode(), "ascii")
    with serving.running(folder, "--tick", "0", "--credential-keys", str(keys)) as running:
        yield running


@pytest.fixture
def run(server: serving.Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command with an input, and returns its exit code and what it wrote to both streams."""
    monkeypatch.setenv("PLANTON_API_URL", server.url)
    monkeypatch.setenv("PLANTON_API_USER", "user@example.com")

    def run(*arguments: str, text: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", types.SimpleNamespace(buffer=io.BytesIO(text.encode()), isatty=lambda: False))
        code = cli.main(arguments)
        written = capsys.readouterr()
        assert SECRET not in written.out + written.err
        return code, written.out, written.err

    return run


@pytest.mark.parametrize("text", [f"{SECRET}\n", f"api_token: {SECRET}", f'{{"apiToken": "{SECRET}", "default_region": "lon1"}}'])
def test_a_credential_is_stored_listed_and_deleted(run: Run, server: serving.Server, text: str) -> None:
    """A token alone, or the fields of an entry of the credentials file."""
    assert run("credentials", "list")[1] == "there are no credentials\n"
    code, shown, _ = run("credentials", "set", "acme", "--platform", "civo", text=text)
    header, row = shown.splitlines()
    assert (code, header.split(), row.split()[:2]) == (0, ["NAME", "PLATFORM", "FIELDS", "KEY", "UPDATED"], ["acme", "civo"])
    assert run("credentials", "list", "-o", "name")[1] == "acme\n"
    [listed] = json.loads(run("credentials", "list", "-o", "json")[1])["credentials"]
    with client.Client(server.url, email="user@example.com") as api:
        assert [each.key for each in api.list_credentials()] == [listed["key"]]
    assert run("credentials", "delete", "acme", "--platform", "civo", "--yes")[0] == 0
    assert run("credentials", "delete", "acme", "--platform", "civo", "--yes")[0] == 1


def test_a_credential_is_read_from_a_file(run: Run, tmp_path: pathlib.Path) -> None:
    """And printed as data without its value."""
    file = tmp_path / "entry.yaml"
    file.write_text(f"api_token: {SECRET}", "utf-8")
    code, shown, _ = run("credentials", "set", "ocean", "--platform", "digitalocean", "-f", str(file), "-o", "yaml")
    assert (code, yaml.safe_load(shown)["fields"]) == (0, ["api_token"])
    assert run("credentials", "delete", "ocean", "--platform", "digitalocean", "--yes", "-o", "json")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "text", "message"),
    [
        (("--platform", "nowhere"), SECRET, "the clouds with controllers are: civo"),
        (("--platform", "civo"), "", "neither a token nor a YAML mapping"),
        (("--platform", "civo"), f"[{SECRET}]", "neither a token nor a YAML mapping"),
        (("--platform", "civo"), f"tokn: {SECRET}", "only these fields"),
        (("--platform", "civo"), f"{{api_token: {SECRET}, api_endpoint: http://127.0.0.1}}", "must not set api_endpoint"),
    ],
)
def test_an_invalid_credential_is_refused_without_its_value(
    run: Run, arguments: tuple[str, ...], text: str, message: str
) -> None:
    """Nothing is stored."""
    code, _, error = run("credentials", "set", "acme", *arguments, text=text)
    assert code != 0
    assert message in error
    assert run("credentials", "list")[1] == "there are no credentials\n"
