"""Untrusted text on a terminal: no command prints a control character from it."""

from __future__ import annotations

import contextlib
import http.server
import io
import json
import pathlib
import re
import threading
from collections.abc import Iterator
from typing import Any

import click
import hypothesis
import pytest
import yaml
from hypothesis import strategies

from planton import cli
from planton.base import terminal
from planton.cli import group, output, render, streams
from planton.engine import installing, launchers
from planton.schema import providers

#: Writes the clipboard, clears the screen, sets the title, changes the direction, and ends half a character, in plain text.
HOSTILE = "a\x1b]52;c;cm0gLXJm\x07\x1b[2J\x9b31m\x90q\x9c\x00\x7f\r\x08\u202e\u2066\u200f\udc9bz"
#: The same as an argument: without characters that a process or a request cannot contain.
ARGUMENT = HOSTILE.replace("\udc9b", "").replace("\0", "")
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class _Bytes(io.BytesIO):
    """The output of a command, optionally as a terminal."""

    is_terminal = False

    def isatty(self) -> bool:
        """Returns whether it is a terminal."""
        return self.is_terminal


class Console:
    """The output streams of a command."""

    def __init__(self, *, is_terminal: bool) -> None:
        self._raw = _Bytes(), _Bytes()
        for each in self._raw:
            each.is_terminal = is_terminal
        self.streams = [streams.Writer(raw, encoding="utf-8", write_through=True) for raw in self._raw]

    def run(self, arguments: list[str]) -> int:
        """Runs a command and returns its exit code."""
        with contextlib.redirect_stdout(self.streams[0]), contextlib.redirect_stderr(self.streams[1]):
            try:
                return cli.main(arguments)
            except SystemExit as exit_:
                return int(exit_.code or 0)

    def raw(self) -> str:
        """Returns the output since the last call."""
        text = ""
        for each in self._raw:
            text += each.getvalue().decode("utf-8")
            each.seek(0)
            each.truncate()
        return text

    def text(self) -> str:
        """Returns the output since the last call, without planton's styles and the sequences that draw progress."""
        return re.sub("\r?\x1b\\[([0-9;]*[mK]|[0-9]*A|\\?25[hl])|\r(?=\n)", "", self.raw())


@pytest.fixture(params=[False, True], ids=["pipe", "terminal"])
def console(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Console:
    """Returns the output streams of a command, as a pipe and as a terminal."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Console(is_terminal=request.param)


@hypothesis.given(text=strategies.text())
def test_escaped_text_has_no_control_characters(text: str) -> None:
    """The escapes are those of JSON, so a JSON document keeps its value. Escaping twice changes nothing."""
    assert not RAW.search(terminal.escape(text))
    assert terminal.escape(terminal.escape(text)) == terminal.escape(text)
    assert "\n" not in terminal.one_line(text)
    document = json.dumps({text: text}, ensure_ascii=False)
    assert json.loads(terminal.escape(document)) == {text: text}


@hypothesis.given(text=strategies.text(alphabet=strategies.characters(codec="utf-8")))
def test_a_yaml_document_keeps_its_value_without_control_characters(text: str) -> None:
    """A program reads the same value, and the document is safe on a terminal."""
    document = render.yaml_text([{"a": text}])
    assert yaml.safe_load(document) == {"a": text}
    assert not RAW.search(document)
    assert terminal.document(document, is_terminal=False) == terminal.document(document, is_terminal=True) == document


def test_a_users_document_has_no_control_characters() -> None:
    """Marks such as right-to-left are escaped on a terminal only."""
    assert terminal.document("# \u200f\r\n\x1b\x9b\r", is_terminal=False) == "# \u200f\r\n\\u001b\\u009b\\u000d"
    assert terminal.document("# \u200f\n", is_terminal=True) == "# \\u200f\n"


def test_only_planton_can_add_styles() -> None:
    """Its marker is escaped in untrusted text, and escape sequences are too."""
    styled = terminal.style(f"x{HOSTILE}", "red", "bold") + terminal.CLEAR_LINE
    assert terminal.resolve(styled, colours=True).startswith("\x1b[31;1mxa\\u001b]52")
    assert "\x1b" not in terminal.resolve(styled, colours=False).replace("\r\x1b[2K", "")
    assert terminal.resolve(terminal.escape_all_but_styles("\x1b[31mx"), colours=True) == "\\u001b[31mx"


def _leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        child = command.get_command(context, name)
        assert child is not None
        yield from _leaves(child, (*path, name))


COMMANDS = dict(_leaves(group.cli))
#: Commands that run until they are stopped, or that change the machine.
NOT_RUN = {
    *(("server", "start"), ("controller", "run"), ("sandbox", "start"), ("sandbox", "run")),
    *(("sandbox", "stop"), ("sandbox", "reset"), ("setup",)),
}


def _arguments(command: click.Command, path: str) -> list[str]:
    """Returns a hostile value for every argument and for every option that is required or takes a file."""
    words: list[str] = []
    for each in command.params:
        if isinstance(each, click.Argument):
            words += [f"civovpcs/{ARGUMENT}"] * (each.nargs if each.nargs > 0 else 1)
        elif isinstance(each, click.Option) and not isinstance(each.type, click.Choice):
            if {"-f", "--file"} & set(each.opts):
                words += [each.opts[0], path]
            elif each.required:
                words += [each.opts[0], ARGUMENT]
        elif isinstance(each, click.Option) and each.required and isinstance(each.type, click.Choice):
            words += [each.opts[0], str(each.type.choices[0])]
    return words


@pytest.fixture
def world(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[pathlib.Path]:
    """Returns the folder of a user whose manifests, states, contexts, clouds, and API contain hostile text."""
    (tmp_path / "data").mkdir()
    environ = {
        "PLANTON_DATA_DIR": str(tmp_path / "data"),
        "PLANTON_CACHE_DIR": str(tmp_path / "cache"),
        "PLANTON_CONTEXTS": str(tmp_path / "contexts.yaml"),
        "PLANTON_SANDBOX_HOME": str(tmp_path / "sandbox"),
        "PULUMI_HOME": str(tmp_path / "pulumi"),
        "KUBECONFIG": str(tmp_path / "kubeconfig"),
        "CIVO_TOKEN": "token",
        "CIVO_REGION": "lon1",
        "DIGITALOCEAN_TOKEN": "token",
        "PLANTON_API_USER": "ann@example.com",
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    _install_tools(tmp_path / "cache", tmp_path / "pulumi")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Cloud)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    for name in ("CIVO_API_URL", "DIGITALOCEAN_API_URL", "PLANTON_API_URL"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
    _manifests(tmp_path)
    _states(tmp_path / "data")
    yield tmp_path
    server.shutdown()
    server.server_close()


def _install_tools(cache: pathlib.Path, home: pathlib.Path) -> None:
    """Installs a command line that fails with hostile text, and the official plugins."""
    binaries = cache / f"pulumi-{installing.text(installing.VERSION)}" / "bin"
    program = binaries / "pulumi"
    launchers.write_dynamic(binaries)
    program.write_text("#!/bin/sh\nprintf 'error: a\\033]52;c;x\\007\\233 b\\n' >&2\nexit 255\n", "utf-8")
    program.chmod(0o755)
    for name, version in providers.plugins().items():
        (home / "plugins" / f"resource-{name}-v{version}").mkdir(parents=True)


def _manifests(folder: pathlib.Path) -> None:
    text = json.dumps(HOSTILE)
    (folder / "bad.yaml").write_text(
        f"apiVersion: civo.project-planton.org/v1\nkind: CivoVpc\nmetadata: {{name: {text}, env: {text}}}\nspec: {{{text}: {text}}}\n",
        "utf-8",
    )
    (folder / "kind.json").write_text(json.dumps({"apiVersion": HOSTILE, "kind": HOSTILE, "metadata": {HOSTILE: 1}}), "utf-8")
    (folder / "raw.yaml").write_bytes(b"kind: \x1b]52;c;x\x07\n\xc2\x9b: 1\n")
    (folder / "raw.policy.yaml").write_bytes(b"kind: \x1b]52;c;x\x07\n")
    (folder / "good.yaml").write_text(
        json.dumps(
            {
                "apiVersion": "civo.project-planton.org/v1",
                "kind": "CivoVpc",
                "metadata": {"name": "net", "env": "dev", "labels": {"a": HOSTILE}, "annotations": {HOSTILE: HOSTILE}},
                "spec": {"civoCredentialId": "default", "networkName": "net", "region": "lon1"},
            }
        ),
        "utf-8",
    )
    (folder / "contexts.yaml").write_text(f"contexts: {{a: {{env: {text}, backend: {text}}}}}\n", "utf-8")


def _states(data: pathlib.Path) -> None:
    manifest = {
        "apiVersion": "civo.project-planton.org/v1",
        "kind": "CivoVpc",
        "metadata": {"name": ARGUMENT, "env": ARGUMENT},
        "spec": {"networkName": ARGUMENT},
    }
    outputs = {"manifest": json.dumps(manifest), "network_id": ARGUMENT, "cidr_block": ARGUMENT}
    urn = f"urn:pulumi:dev.CivoVpc.net::planton::civo:index/network:Network::{HOSTILE}"
    resources = [
        {"urn": "urn:a", "type": "pulumi:pulumi:Stack", "outputs": outputs},
        {"urn": urn, "type": "civo:index/network:Network", "custom": True, "id": HOSTILE, "inputs": {HOSTILE: HOSTILE}},
    ]
    folder = data / "state" / ".pulumi" / "stacks" / "planton"
    folder.mkdir(parents=True)
    latest = {"manifest": {"time": HOSTILE}, "resources": resources}
    (folder / "dev.CivoVpc.net.json").write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}), "utf-8")
    lock = data / "state" / ".pulumi" / "locks" / "organization" / "planton" / "dev.CivoVpc.net"
    lock.mkdir(parents=True)
    (lock / "a.json").write_text(json.dumps({"pid": 1, "hostname": HOSTILE}), "utf-8")


class _Cloud(http.server.BaseHTTPRequestHandler):
    """A cloud and an API with hostile text in every response, errors included."""

    def do_GET(self) -> None:
        # Closing a connection with an unread body resets it, and the client may lose the response.
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        row = dict.fromkeys(("code", "name", "country_name", "version", "clusterType", "type", "label", "slug"), HOSTILE)
        row |= {"id": HOSTILE, "vcpus": 1, "memory": 1, "disk": 1, "spec": {"platform": {"type": HOSTILE}, HOSTILE: HOSTILE}}
        row |= {"status": {"phase": HOSTILE, "message": HOSTILE, "conditions": [], "health": HOSTILE}, "generation": 1}
        row |= dict.fromkeys(("created_at", "createdAt"), "2025-01-02T03:04:05Z")
        path = self.path.split("?")[0]
        rows: Any = [row, {**row, "name": f"g3.kube.{HOSTILE}"}]
        if path == "/v2/kubernetes/options":
            self._respond(200, {"options": {"regions": rows, "versions": rows, "sizes": rows}})
        elif path.startswith("/v2/"):
            self._respond(200, {"sizes": rows} if "DigitalOcean" in self.headers.get("X-Cloud", "") else rows)
        elif path in ("/api/v1/nodepools", "/api/v1/clusters"):
            self._respond(200, {path.rsplit("/", 1)[1]: rows, "total": 2, "next_page_token": ARGUMENT})
        elif path == "/api/v1/events":
            self._respond(403, {"error": {"code": HOSTILE, "message": HOSTILE, "details": HOSTILE}})
        else:
            violations = [{"field": HOSTILE, "message": HOSTILE, "rule_id": HOSTILE}]
            self._respond(400, {"error": {"code": HOSTILE, "message": HOSTILE, "violations": violations}})

    do_POST = do_PUT = do_DELETE = do_GET  # the server requires these names

    def _respond(self, status: int, data: object) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing."""


@pytest.mark.parametrize("path", [path for path in COMMANDS if path not in NOT_RUN], ids=" ".join)
def test_no_command_prints_control_characters_of_untrusted_text(
    path: tuple[str, ...], console: Console, world: pathlib.Path
) -> None:
    """Every command runs with hostile arguments and files, in each of its output formats."""
    command = COMMANDS[path]
    forms = next(
        (each.type.choices for each in command.params if each.name == "form" and isinstance(each.type, click.Choice)), [""]
    )
    for form in forms:
        for file in ("good.yaml", "bad.yaml", "kind.json", "raw.yaml"):
            options = ["-o", form] if form else []
            code = console.run([*path, *_arguments(command, str(world / file)), *options])
            text = console.text()
            control = RAW.search(text)
            assert not control, f"{path} {form} {file}: {text[max(0, control.start() - 60) : control.end()]!r}"
            assert code != 70, text


@pytest.mark.parametrize(
    "arguments",
    [
        ["get"],
        ["get", "-o", "yaml"],
        ["state", "list"],
        ["state", "list", "-o", "json"],
        ["state", "show", "--stack", "planton/dev.CivoVpc.net"],
        ["state", "show", "--stack", "planton/dev.CivoVpc.net", "-o", "json"],
        ["state", "export", "--stack", "planton/dev.CivoVpc.net"],
        ["context", "list"],
        ["context", "show", "a"],
        ["regions", "--provider", "civo"],
        ["sizes", "--provider", "civo"],
        ["versions", "--provider", "civo"],
        ["versions", "--provider", "digitalocean", "-o", "json"],
        ["versions", "--provider", "digitalocean"],
        ["nodepools", "list"],
        ["clusters", "list", "-o", "name"],
        ["nodepools", "list", "-o", "json"],
    ],
    ids=" ".join,
)
def test_untrusted_text_is_escaped_and_complete(arguments: list[str], console: Console, world: pathlib.Path) -> None:
    """It stays readable, and JSON output keeps its value."""
    assert world.is_dir()
    assert console.run(arguments) == 0
    text = console.text()
    assert not RAW.search(text)
    assert "\\u001b]52" in text or "\\e]52" in text or "\\x1B]52" in text
    if "json" in arguments:
        assert "\\x1b]52" in repr(json.loads(text))


def test_a_violation_shows_escaped_source_lines(console: Console, world: pathlib.Path) -> None:
    """The path of the field is escaped too."""
    assert console.run(["validate", "-f", str(world / "raw.yaml")]) == 1
    assert not RAW.search(console.text())


def test_a_usage_error_is_escaped(console: Console) -> None:
    """It contains the wrong option or command."""
    for arguments in ([f"--{HOSTILE}"], [HOSTILE], ["get", f"--{HOSTILE}"], ["regions", "--provider", HOSTILE]):
        assert console.run(arguments) == 2
        text = console.text()
        assert not RAW.search(text)


def test_only_planton_can_clear_a_line() -> None:
    """The sequence is escaped in other text."""
    stream = Console(is_terminal=True)
    with contextlib.redirect_stdout(stream.streams[0]):
        output.echo(terminal.CLEAR_LINE + "\r\x1b[2Kx")
    assert stream.raw() == "\r\x1b[2K\\u000d\\u001b[2Kx\n"
