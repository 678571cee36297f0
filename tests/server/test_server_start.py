"""``planton server start``: its settings, from three places, and what it says when it cannot start."""

from __future__ import annotations

import pathlib
import re
import socket

import click
import psycopg
import pytest

from planton import cli
from planton.cli import server, server_settings
from planton_server import settings
from support import postgres, serving, waiting


@pytest.fixture
def started(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch):
    """Starts with options, and returns the settings that the server would run with."""
    starts: list[settings.Settings] = []
    monkeypatch.setenv("PLANTON_SERVER_DATABASE_URL", f"sqlite:///{tmp_path / 'server.db'}")
    monkeypatch.setenv("PLANTON_SERVER_PORT", str(serving.free_port()))

    def start(*options: str) -> settings.Settings:
        server.start.main(list(options), standalone_mode=False, obj=starts.append)
        return starts.pop()

    return start


#: Setting → another value than the default, as an option, and what the server gets.
VALUES = {
    "host": ("localhost", "localhost"), "port": ("0", 0), "grpc-port": ("0", 0), "workers": ("3", 3), "connections": ("7", 7),
    "jwks-url": ("https://keys", "https://keys"), "issuer": ("i", "i"), "audience": ("a", "a"), "rate": ("2.5", 2.5),
    "burst": ("5", 5), "deadline": ("60", 60.0), "resync": ("0", 0.0), "retention": ("90", 90.0),
    "audit-retention": ("95", 95.0), "credential-keys": ("/keys", "/keys"), "tick": ("30", 30),
    "environment": ("production", "production"), "log-level": ("debug", "debug"), "otlp-endpoint": ("http://c:4317", "http://c:4317"),
    "metrics-pools": ("5", 5), "work-running": ("7", 7), "work-rate": ("30.5", 30.5), "work-attempts": ("3", 3),
}  # fmt: skip


def test_every_setting_is_tried_here() -> None:
    """Those of another form have tests of their own."""
    assert {one.name for one in server_settings.SETTINGS} == {
        *VALUES,
        "auth",
        "trusted-proxy",
        "expect",
        "access-log",
        "unverified-email",
    }


@pytest.mark.parametrize("name", sorted(VALUES))
def test_a_setting_comes_from_an_option_a_variable_or_the_file(started, tmp_path, monkeypatch, name: str) -> None:
    """Each way means the same."""
    text, expected = VALUES[name]
    field = name.replace("-", "_")
    assert getattr(started(f"--{name}", text), field) == expected
    file = tmp_path / "server.toml"
    file.write_text(f"{name} = {expected!r}\n")
    if name == "port":
        monkeypatch.delenv("PLANTON_SERVER_PORT")
    assert getattr(started("--config", str(file)), field) == expected
    monkeypatch.setenv(f"PLANTON_SERVER_{field.upper()}", text)
    assert getattr(started(), field) == expected


def test_an_email_that_says_nothing_of_itself_counts_only_where_that_is_set(started) -> None:
    """By an option without a value."""
    assert (started().trust.unverified_email, started("--unverified-email").trust.unverified_email) == (False, True)


def test_an_option_goes_before_a_variable_and_a_variable_before_the_file(started, tmp_path, monkeypatch) -> None:
    """What is nearest to the operator wins, setting by setting."""
    file = tmp_path / "server.toml"
    file.write_text('burst = 1\nenvironment = "file"\nissuer = "file"\n')
    monkeypatch.setenv("PLANTON_SERVER_CONFIG", str(file))
    monkeypatch.setenv("PLANTON_SERVER_ENVIRONMENT", "variable")
    monkeypatch.setenv("PLANTON_SERVER_ISSUER", "variable")
    chosen = started("--issuer", "option")
    assert (chosen.burst, chosen.environment, chosen.issuer) == (1, "variable", "option")


def test_lists_and_switches_come_from_all_places_too(started, tmp_path, monkeypatch) -> None:
    """A list in the file is a list, in a variable words."""
    file = tmp_path / "server.toml"
    file.write_text('trusted-proxy = ["10.0.0.0/8"]\naccess-log = false\nexpect = ["nodepool/gcp=c"]\n')
    chosen = started("--config", str(file))
    assert (chosen.trusted_proxies, chosen.access_log, chosen.expected) == (("10.0.0.0/8",), False, ("nodepool/gcp=c",))
    monkeypatch.setenv("PLANTON_SERVER_TRUSTED_PROXY", "10.0.0.0/8 192.168.0.0/16")
    assert started("--access-log", "--config", str(file)).trusted_proxies == ("10.0.0.0/8", "192.168.0.0/16")


@pytest.mark.parametrize(
    ("options", "header"),
    [
        ((), True),
        (("--auth", "token"), False),
        (("--host", "0.0.0.0"), False),
        (("--host", "0.0.0.0", "--trusted-proxy", "10.0.0.0/8"), True),
        (("--host", "0.0.0.0", "--trusted-proxy", "10.0.0.0/8", "--auth", "token"), False),
    ],
)
def test_a_header_is_believed_only_where_no_stranger_can_send_it(started, options: tuple[str, ...], header: bool) -> None:
    """On loopback, or from named proxies."""
    assert started(*options).trusted_header is header


@pytest.mark.parametrize(
    ("options", "report"), [((), True), (("--trusted-proxy", "127.0.0.1"), False), (("--auth", "token"), False)]
)
def test_owners_report_only_where_no_proxy_brings_them(started, options: tuple[str, ...], report: bool) -> None:
    """Behind one on this machine they come from loopback too."""
    assert started(*options).trust.owners_report is report


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--auth", "header", "--host", "0.0.0.0"), "would trust X-User-Email from any address"),
        (("--auth", "none"), "must be header or token"),
        (("--trusted-proxy", "10.0.0.1/8"), "has host bits set"),
        (("--expect", "pool/gcp=c"), "KIND/PLATFORM=NAME"),
        (("--tick", "301"), "not in the range"),
        (("--expect", "nodepool/gpc=c"), "one of gcp, aws, azure, civo, digitalocean"),
        (("--port", "many"), "not a valid integer"),
        (("--port", "8080", "--grpc-port", "8080"), "must not be the port of REST"),
        (("--database-url", "mysql://host/db"), "sqlite:///PATH or postgresql://"),
        (("--config", "/nowhere.toml"), "cannot be read"),
    ],
)
def test_what_cannot_be_meant_is_told_before_anything_is_done(options: tuple[str, ...], said: str, capsys) -> None:
    """Exit code 2."""
    with pytest.raises(SystemExit) as ended:
        raise SystemExit(cli.main(["server", "start", *options]))
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", -5), ("port", 99999), ("grpc-port", 65536), ("workers", 0), ("connections", 0), ("rate", -1.0), ("burst", 0),
        ("rate", float("nan")), ("deadline", float("inf")), ("resync", 1e300), ("retention", float("nan")),
        ("deadline", -1.0), ("resync", -1.0), ("retention", -1.0), ("tick", -10), ("log-level", "verbose"), ("log-level", "trace"),
        ("metrics-pools", -1),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_meant_is_refused_from_each_place(name: str, value: object, tmp_path, monkeypatch, capsys) -> None:
    """An option, a variable or the file; before the database is touched."""
    monkeypatch.setenv("PLANTON_SERVER_DATABASE_URL", f"sqlite:///{tmp_path / 'new' / 'server.db'}")
    assert cli.main(["server", "start", f"--{name}={value}"]) == 2
    file = tmp_path / "server.toml"
    file.write_text(f"{name} = {value!r}\n")
    assert cli.main(["server", "start", "--config", str(file)]) == 2
    monkeypatch.setenv(f"PLANTON_SERVER_{name.replace('-', '_').upper()}", str(value))
    assert cli.main(["server", "start"]) == 2
    assert capsys.readouterr().err.count(f"'--{name}'") == 3
    assert not (tmp_path / "new").exists()


def test_a_file_with_an_unknown_setting_is_refused(tmp_path, capsys) -> None:
    """A misspelt setting would have no effect."""
    file = tmp_path / "server.toml"
    file.write_text("prot = 80\n")
    assert cli.main(["server", "start", "--config", str(file)]) == 2
    assert "unknown settings: prot" in capsys.readouterr().err


def test_it_says_where_it_listens_and_what_it_believes(started, capsys) -> None:
    """One line for people; never the URL of the database, which may hold a password."""
    port, grpc = serving.free_port(), serving.free_port()
    started("--port", str(port), "--grpc-port", str(grpc))
    line = capsys.readouterr().err
    assert f"http://127.0.0.1:{port}" in line
    assert f"gRPC on 127.0.0.1:{grpc}" in line
    assert "server.db" in line
    assert "X-User-Email" in line
    started("--port", str(port), "--host", "::1")
    assert f"http://[::1]:{port}" in capsys.readouterr().err


def test_an_address_that_is_taken_is_told(tmp_path, capsys) -> None:
    """Exit code 6, with what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        url = f"sqlite:///{tmp_path / 'server.db'}"
        assert cli.main(["server", "start", "--port", port, "--database-url", url]) == 6
    said = capsys.readouterr().err
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in said
    assert "--port" in said


@pytest.mark.parametrize(
    "command", [("start",), ("migrate",), ("token", "list"), ("backup", "file"), ("restore", "pyproject.toml")]
)
def test_a_database_that_is_gone_is_told_without_its_password(command: tuple[str, ...], capsys, tmp_path, monkeypatch) -> None:
    """Exit code 6, for each command that needs one."""
    monkeypatch.setenv("PLANTON_SERVER_DATABASE_URL", f"postgresql://u:s3cret@127.0.0.1:{serving.free_port()}/db")
    arguments = [str(tmp_path / "file") if one == "file" else one for one in command]
    assert cli.main(["server", *arguments]) == 6
    said = capsys.readouterr()
    assert "s3cret" not in said.out + said.err
    assert "Error: " in said.err


def test_a_server_that_may_create_nothing(cluster: postgres.Cluster, tmp_path: pathlib.Path) -> None:
    """Once another role has migrated, the rights that the docs name are enough, for timed work too."""
    name = cluster.create()
    assert cli.main(["server", "migrate", "--database-url", cluster.url(name)]) == 0
    page = pathlib.Path(__file__).resolve().parents[2] / "docs" / "operate" / "server.md"
    [grants] = re.findall(r"(?ms)^```sql\n(.*?)^```", page.read_text("utf-8"))
    with psycopg.connect(cluster.url(name), autocommit=True) as connection:
        connection.execute(grants)
    url = cluster.url(name).replace("postgres@", "server@")
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("CREATE TABLE forbidden ()")
    with serving.running(tmp_path, "--database-url", url, "--no-migrate", "--tick=1") as started:
        _, pool = started.pool()
        assert started.call("PUT", f"/nodepools/{pool}/status", serving.REPORT)["status"]["phase"] == "Ready"
        ticks = 'planton_ticks_total{work="tick"}'
        waiting.until(lambda: f"{ticks} 0.0" not in started.client.get("/metrics").text, "a tick")
        assert started.stop() == 0
        assert [line["message"] for line in started.lines() if line["level"] in {"warning", "error"}] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--trusted-proxy", "0.0.0.0/0"), "--trusted-proxy 0.0.0.0/0"),
        (("--trusted-proxy", "10.0.0.1", "--trusted-proxy", "::/0"), "--trusted-proxy ::/0"),
        (("--trusted-proxy", "0.0.0.0/1"), "--trusted-proxy 0.0.0.0/1"),
        (("--jwks-url", "https://keys"), "--jwks-url without --issuer and --audience"),
        (("--jwks-url", "https://keys", "--issuer", "i"), "--jwks-url without --audience"),
        (("--jwks-url", "https://keys", "--audience", "a"), "--jwks-url without --issuer"),
        (("--jwks-url", "https://keys", "--issuer", "i", "--audience", "a"), ""),
        (("--trusted-proxy", "10.0.0.0/8", "--trusted-proxy", "fd00::/8"), ""),
        ((), ""),
    ],
)
def test_settings_that_believe_too_much_are_warned_of(started, capsys, options: tuple[str, ...], said: str) -> None:
    """The server starts, and says what it believes."""
    started(*options)
    error = capsys.readouterr().err
    assert ("Warning: " in error) is bool(said)
    assert said in error


def test_a_folder_that_cannot_be_made_is_a_database_that_cannot_be_reached(tmp_path, capsys) -> None:
    """For SQLite."""
    (tmp_path / "file").touch()
    assert cli.main(["server", "migrate", "--database-url", f"sqlite:///{tmp_path / 'file' / 'server.db'}"]) == 6
    assert "the database cannot be reached" in capsys.readouterr().err


def test_each_command_has_help_with_its_exit_codes() -> None:
    """Groups only lead to commands."""
    commands = [server.server.commands[name] for name in server.server.commands]
    commands += list(server.server.commands["token"].commands.values())
    silent = [one.name for one in commands if not isinstance(one, click.Group) and "Exit codes: 0" not in (one.help or "")]
    assert silent == ["openapi"]
