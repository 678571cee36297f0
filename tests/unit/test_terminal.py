"""Text from outside on its way to a terminal: no command prints a control character of it."""

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

#: Writes the clipboard, clears the screen, sets the title, turns the direction, is half a character; begins and ends in plain text.
HOSTILE = "a\x1b]52;c;cm0gLXJm\x07\x1b[2J\x9b31m\x90q\x9c\x00\x7f\r\x08\u202e\u2066\u200f\udc9bz"
#: The same as an argument, which must be one that a server can be asked for.
ARGUMENT = HOSTILE.replace("\udc9b", "").replace("\0", "")
RAW = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class _Bytes(io.BytesIO):
    """What a command writes, with a terminal behind it or not."""

    is_terminal = False

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return self.is_terminal


class Shown:
    """The streams of a command."""

    def __init__(self, *, is_terminal: bool) -> None:
        self._raw = _Bytes(), _Bytes()
        for each in self._raw:
            each.is_terminal = is_terminal
        self.streams = [streams.Writer(raw, encoding="utf-8", write_through=True) for raw in self._raw]

    def run(self, arguments: list[str]) -> int:
        """Run a command and return its exit code."""
        with contextlib.redirect_stdout(self.streams[0]), contextlib.redirect_stderr(self.streams[1]):
            try:
                return cli.main(arguments)
            except SystemExit as end:
                return int(end.code or 0)

    def raw(self) -> str:
        """Return what was written since the last call."""
        text = ""
        for each in self._raw:
            text += each.getvalue().decode("utf-8")
            each.seek(0)
            each.truncate()
        return text

    def text(self) -> str:
        """Return the same without the styles of planton."""
        return re.sub("\r?\x1b\\[[0-9;]*[mK]", "", self.raw())


@pytest.fixture(params=[False, True], ids=["pipe", "terminal"])
def shown(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Shown:
    """The streams of a command, into a pipe and on a terminal."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    return Shown(is_terminal=request.param)


@hypothesis.given(text=strategies.text())
def test_an_escaped_text_has_no_control_characters_and_stays_json(text: str) -> None:
    """The escapes are those of JSON, so a JSON document still says the same; to escape twice changes nothing."""
    assert not RAW.search(terminal.escape(text))
    assert terminal.escape(terminal.escape(text)) == terminal.escape(text)
    assert "\n" not in terminal.one_line(text)
    document = json.dumps({text: text}, ensure_ascii=False)
    assert json.loads(terminal.escape(document)) == {text: text}


@hypothesis.given(text=strategies.text(alphabet=strategies.characters(codec="utf-8")))
def test_a_yaml_document_stays_what_it_is(text: str) -> None:
    """A program reads the same value, and a terminal that shows it obeys nothing."""
    document = render.yaml_text([{"a": text}])
    assert yaml.safe_load(document) == {"a": text}
    assert not RAW.search(document)
    assert terminal.document(document, is_terminal=False) == terminal.document(document, is_terminal=True) == document


def test_a_document_of_the_users_own_has_no_control_characters() -> None:
    """What may be in text, as a right-to-left mark in a comment, stays where no terminal shows it."""
    assert terminal.document("# \u200f\r\n\x1b\x9b\r", is_terminal=False) == "# \u200f\r\n\\u001b\\u009b\\u000d"
    assert terminal.document("# \u200f\n", is_terminal=True) == "# \\u200f\n"


def test_styles_are_plantons_own() -> None:
    """Nobody else can write the mark, and a text that looks like a style is none."""
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
#: Those that run until somebody ends them, or that do what no test may.
NOT_RUN = {("server", "start"), ("sandbox", "start"), ("sandbox", "run"), ("sandbox", "stop"), ("sandbox", "reset"), ("setup",)}


def _arguments(command: click.Command, path: str) -> list[str]:
    """Return a hostile value for every argument and for every option that is required or takes a file."""
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
    """A user whose manifests, states, contexts, clouds and API are hostile."""
    (tmp_path / "data").mkdir()
    environ = {
        "PLANTON_DATA_DIR": str(tmp_path / "data"),
        "PLANTON_CACHE_DIR": str(tmp_path / "cache"),
        "PLANTON_CONTEXTS": str(tmp_path / "contexts.yaml"),
        "PLANTON_SANDBOX_HOME": str(tmp_path / "sandbox"),
        "KUBECONFIG": str(tmp_path / "kubeconfig"),
        "CIVO_TOKEN": "token",
        "CIVO_REGION": "lon1",
        "DIGITALOCEAN_TOKEN": "token",
        "PLANTON_API_USER": "ann@example.com",
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("planton.engine.toolchain.find", lambda *_: _tools(tmp_path))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Cloud)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    for name in ("CIVO_API_URL", "DIGITALOCEAN_API_URL", "PLANTON_API_URL"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
    _manifests(tmp_path)
    _states(tmp_path / "data")
    yield tmp_path
    server.shutdown()
    server.server_close()


def _tools(folder: pathlib.Path) -> Any:
    from planton.engine import toolchain

    program = folder / "pulumi"
    program.write_text("#!/bin/sh\nprintf 'error: a\\033]52;c;x\\007\\233 b\\n' >&2\nexit 255\n", "utf-8")
    program.chmod(0o755)
    return toolchain.Toolchain(program, folder, frozenset(["civo", "digitalocean"]))


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
    """A cloud and an API whose every text is hostile; what is asked twice is refused with a hostile text."""

    def do_GET(self) -> None:
        # A connection that is closed with an unread body is reset, and the client may lose the answer.
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        row = dict.fromkeys(("code", "name", "country_name", "version", "clusterType", "type", "label", "slug"), HOSTILE)
        row |= {"id": HOSTILE, "vcpus": 1, "memory": 1, "disk": 1, "spec": {"platform": {"type": HOSTILE}, HOSTILE: HOSTILE}}
        row |= {"status": {"phase": HOSTILE, "message": HOSTILE, "conditions": [], "health": HOSTILE}, "generation": 1}
        row |= dict.fromkeys(("created_at", "createdAt"), "2025-01-02T03:04:05Z")
        path = self.path.split("?")[0]
        listed: Any = [row, {**row, "name": f"g3.kube.{HOSTILE}"}]
        if path == "/v2/kubernetes/options":
            self._answer(200, {"options": {"regions": listed, "versions": listed, "sizes": listed}})
        elif path.startswith("/v2/"):
            self._answer(200, {"sizes": listed} if "DigitalOcean" in self.headers.get("X-Cloud", "") else listed)
        elif path in ("/api/v1/nodepools", "/api/v1/clusters"):
            self._answer(200, {path.rsplit("/", 1)[1]: listed, "total": 2, "next_page_token": ARGUMENT})
        elif path == "/api/v1/events":
            self._answer(403, {"error": {"code": HOSTILE, "message": HOSTILE, "details": HOSTILE}})
        else:
            violations = [{"field": HOSTILE, "message": HOSTILE, "rule_id": HOSTILE}]
            self._answer(400, {"error": {"code": HOSTILE, "message": HOSTILE, "violations": violations}})

    do_POST = do_PUT = do_DELETE = do_GET  # the methods are the server's own names

    def _answer(self, status: int, data: object) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("path", [path for path in COMMANDS if path not in NOT_RUN], ids=" ".join)
def test_no_command_prints_a_control_character_that_comes_from_outside(
    path: tuple[str, ...], shown: Shown, world: pathlib.Path
) -> None:
    """Each with hostile arguments, and with hostile and good files; as text and in every other form that it has."""
    command = COMMANDS[path]
    forms = next(
        (each.type.choices for each in command.params if each.name == "form" and isinstance(each.type, click.Choice)), [""]
    )
    for form in forms:
        for file in ("good.yaml", "bad.yaml", "kind.json", "raw.yaml"):
            more = ["-o", form] if form else []
            code = shown.run([*path, *_arguments(command, str(world / file)), *more])
            text = shown.text()
            found = RAW.search(text)
            assert not found, f"{path} {form} {file}: {text[max(0, found.start() - 60) : found.end()]!r}"
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
def test_what_is_shown_of_others_is_escaped_and_complete(arguments: list[str], shown: Shown, world: pathlib.Path) -> None:
    """The text is there, readable; as JSON it still has its value."""
    assert world.is_dir()
    assert shown.run(arguments) == 0
    text = shown.text()
    assert not RAW.search(text)
    assert "\\u001b]52" in text or "\\e]52" in text or "\\x1B]52" in text
    if "json" in arguments:
        assert "\\x1b]52" in repr(json.loads(text))


def test_a_place_in_a_manifest_is_shown_under_what_is_shown_of_it(shown: Shown, world: pathlib.Path) -> None:
    """The field's path and the source line are escaped, and the caret stands under the place all the same."""
    assert shown.run(["validate", "-f", str(world / "raw.yaml")]) == 1
    assert not RAW.search(shown.text())


def test_a_message_of_the_framework_is_escaped(shown: Shown) -> None:
    """A wrong option or command is named in it."""
    for arguments in ([f"--{HOSTILE}"], [HOSTILE], ["get", f"--{HOSTILE}"], ["regions", "--provider", HOSTILE]):
        assert shown.run(arguments) == 2
        text = shown.text()
        assert not RAW.search(text)


def test_a_line_that_is_written_over_is_plantons_own() -> None:
    """The mark of it is known to nobody else."""
    own = Shown(is_terminal=True)
    with contextlib.redirect_stdout(own.streams[0]):
        output.echo(terminal.CLEAR_LINE + "\r\x1b[2Kx")
    assert own.raw() == "\r\x1b[2K\\u000d\\u001b[2Kx\n"
