"""``planton server token``: tokens are shown once, kept as hashes, and work until they end."""

from __future__ import annotations

import json
import os
import pathlib
import sqlite3

import pytest

from planton import cli
from support import serving


@pytest.fixture
def run(tmp_path: pathlib.Path, capsys: pytest.CaptureFixture[str]):
    """Runs a command on a database of the test's, and returns its exit code and what it printed."""

    def run(*arguments: str) -> tuple[int, str]:
        code = cli.main(["server", "token", *arguments, "--database-url", f"sqlite:///{tmp_path / 'server.db'}"])
        return code, capsys.readouterr().out

    return run


def test_a_token_is_printed_alone_and_kept_as_a_hash(run, tmp_path) -> None:
    """So that it can go into a file; the database does not know it."""
    code, out = run("create", "user@example.com")
    token = out.strip()
    assert (code, len(token)) == (0, 43)
    assert sqlite3.connect(tmp_path / "server.db").execute("SELECT subject, role FROM tokens").fetchall() == [
        ("user@example.com", "user")
    ]
    assert token.encode() not in b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert (tmp_path / "server.db").stat().st_mode & 0o777 == 0o600


def test_a_token_is_written_into_a_file_that_only_the_user_can_read(run, tmp_path) -> None:
    """Whatever the user's mask says, and it is printed nowhere."""
    file = tmp_path / "token"
    before = os.umask(0)
    try:
        code, out = run("create", "user@example.com", "--out", str(file))
    finally:
        os.umask(before)
    token = file.read_text("utf-8").strip()
    assert (code, len(token), file.stat().st_mode & 0o777) == (0, 43, 0o600)
    assert token not in out
    assert str(file) in out
    assert "token" not in json.loads(run("create", "a@example.com", "--out", str(file), "-o", "json")[1])


def test_a_token_that_cannot_be_written_is_not_made(run, tmp_path) -> None:
    """Nobody could use it."""
    assert run("create", "user@example.com", "--out", str(tmp_path / "absent" / "token"))[0] == 2
    assert run("list", "-o", "json")[1] == "[]\n"


def test_tokens_are_listed_by_what_tells_them_apart(run) -> None:
    """Never the token itself."""
    made = json.loads(run("create", "aws-controller", "--role", "controller", "--expires", "12h", "-o", "json")[1])
    [token] = json.loads(run("list", "-o", "json")[1])
    assert token == {name: value for name, value in made.items() if name != "token"}
    assert (token["subject"], token["role"], token["reports_as"]) == ("aws-controller", "controller", ["aws-controller"])
    assert token["expires_at"] > token["created_at"]
    assert token["id"] in run("list")[1]


def test_a_controller_s_token_has_the_names_that_it_reports_as(run) -> None:
    """As patterns, where that is said; one of an older release shows that it has none."""
    made = json.loads(
        run("create", "gcp", "--role", "controller", "--reports-as", "gcp-*", "--reports-as", "all", "-o", "json")[1]
    )
    assert made["reports_as"] == ["gcp-*", "all"]
    assert "reports as gcp-* or all" in run("list")[1]
    assert "reports_as" not in json.loads(run("create", "user@example.com", "-o", "json")[1])


def test_a_token_of_an_older_release_is_seen_to_report_as_any(run, tmp_path) -> None:
    """So that its owner can replace it."""
    run("create", "old", "--role", "controller")
    with sqlite3.connect(tmp_path / "server.db") as database:
        database.execute("UPDATE tokens SET reports_as = NULL")
    assert "reports as *" in run("list")[1]


def test_a_revoked_token_is_gone(run) -> None:
    """The others stay."""
    first, second = (json.loads(run("create", name, "-o", "json")[1])["id"] for name in ("first", "second"))
    assert run("revoke", first) == (0, "Revoked.\n")
    assert [one["id"] for one in json.loads(run("list", "-o", "json")[1])] == [second]
    assert run("revoke", first)[0] == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "two words"),
        ("create", "a", "--expires", "1y"),
        ("create", "a", "--role", "admin"),
        ("create", "a", "--reports-as", "b"),
        ("create", "a", "--role", "controller", "--reports-as", "two words"),
        ("create", "a", "--role", "controller", "--reports-as", ""),
        ("create", "gcp-*", "--role", "controller"),
        ("revoke", "%%%%"),
        ("revoke", "abc"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(run, arguments: tuple[str, ...]) -> None:
    """A pattern would revoke what nobody named."""
    assert run(*arguments)[0] == 2


def test_a_server_knows_the_tokens_that_were_made(run, tmp_path) -> None:
    """Each with its role; without one nobody is anybody."""
    user, controller = (run("create", "somebody@example.com", "--role", role)[1].strip() for role in ("user", "controller"))
    with serving.running(tmp_path, "--auth", "token", "--tick", "0") as server:

        def status(verb: str, path: str, token: str) -> int:
            return server.client.request(
                verb, path, headers={"Authorization": f"Bearer {token}"}, json=serving.CLUSTER
            ).status_code

        assert status("POST", "/api/v1/clusters", user) == 201
        assert status("POST", "/api/v1/clusters", controller) == 403
        assert status("POST", "/api/v1/clusters", "another") == 401
        assert server.client.post("/api/v1/clusters", json=serving.CLUSTER).status_code == 401
        assert all(token not in server.log.read_text() for token in (user, controller))
