"""Manifests in an editor: the YAML language server, with the schema and the modeline of docs/use/editors.md."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import threading
from collections.abc import Iterator
from typing import IO, Any

import pytest

from support import languages

ROOT = pathlib.Path(__file__).resolve().parents[2]
KINDS = ROOT / "tests" / "kinds"
CLUSTER = ROOT / "examples" / "civo-dev" / "cluster.yaml"
MODELINE = "# yaml-language-server: $schema=planton.schema.json\n"
SECONDS = 60

#: Where npm installs the server.
FOLDER = pathlib.Path(__file__).parent / "editor"
ONLY = "ts"
pytestmark = [pytest.mark.language, pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not on this machine")]


class Editor:
    """A client of a language server, as an editor is."""

    def __init__(self, process: subprocess.Popen[bytes], folder: pathlib.Path) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._to: IO[bytes] = process.stdin
        self._from: IO[bytes] = process.stdout
        self._folder = folder
        root = {"rootUri": folder.as_uri(), "workspaceFolders": [{"uri": folder.as_uri(), "name": "manifests"}]}
        self.request("initialize", {"processId": os.getpid(), "capabilities": {}, **root})
        self._send({"method": "initialized", "params": {}})

    def request(self, method: str, params: dict[str, Any]) -> Any:
        """Returns the result of a request."""
        self._send({"id": method, "method": method, "params": params})
        return next(message["result"] for message in self._messages() if message.get("id") == method)

    def open(self, name: str, text: str) -> list[str]:
        """Opens a file and returns the server's diagnostics, as ``line:column: message``."""
        uri = (self._folder / name).as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        diagnostics = next(
            message["params"]["diagnostics"]
            for message in self._messages()
            if message.get("method") == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri
        )
        places = [(each["range"]["start"], each["message"]) for each in diagnostics]
        return sorted(f"{start['line'] + 1}:{start['character'] + 1}: {text}" for start, text in places)

    def request_at(self, method: str, name: str, text: str, before: str) -> Any:
        """Returns the result of a request about the position after a part of the text."""
        above = text[: text.index(before) + len(before)].split("\n")
        position = {"line": len(above) - 1, "character": len(above[-1])}
        return self.request(method, {"textDocument": {"uri": (self._folder / name).as_uri()}, "position": position})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._to.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._to.flush()

    def _messages(self) -> Iterator[dict[str, Any]]:
        while header := self._from.readline():
            length = int(header.partition(b":")[2])
            while self._from.readline() != b"\r\n":
                pass
            message: dict[str, Any] = json.loads(self._from.read(length))
            if "id" in message and "method" in message:
                # The server requests the editor's settings: there are none.
                items = message.get("params", {}).get("items", [])
                self._send({"id": message["id"], "result": [{} for _ in items]})
            yield message


@contextlib.contextmanager
def editing(folder: pathlib.Path, server: str) -> Iterator[Editor]:
    """Starts a language server and stops it."""
    process = subprocess.Popen([server, "--stdio"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    # A silent server must not block the tests: reading ends with its process.
    watch = threading.Timer(SECONDS, process.kill)
    watch.start()
    try:
        yield Editor(process, folder)
    finally:
        watch.cancel()
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    """An editor in a folder that has the schema."""
    completed = languages.run(("npm", "--prefix", str(FOLDER), "ci"))
    assert completed.returncode == 0, completed.stderr
    folder = tmp_path_factory.mktemp("manifests")
    shutil.copy(ROOT / "schemas" / "planton.schema.json", folder)
    with editing(folder, str(FOLDER / "node_modules" / ".bin" / "yaml-language-server")) as client:
        yield client


@pytest.mark.parametrize(
    "path",
    [
        CLUSTER,
        KINDS / "CivoFirewall" / "valid" / "rules.yaml",
        KINDS / "DigitalOceanKubernetesCluster" / "valid" / "snake-case.yaml",
        KINDS / "yaml" / "valid" / "merge-keys.yaml",
    ],
    ids=lambda path: path.stem,
)
def test_a_valid_manifest_has_no_diagnostics(path: pathlib.Path, editor: Editor) -> None:
    """This holds for both spellings, and with merge keys."""
    assert editor.open(f"valid-{path.name}", MODELINE + path.read_text("utf-8")) == []


def test_errors_are_reported_at_their_positions(editor: Editor) -> None:
    """The errors are an invalid value, a misspelt field, and the field that is missing because of it."""
    text = CLUSTER.read_text("utf-8").replace("region: lon1", "region: mars1").replace("nodeCount", "nodeCuont")
    diagnostics = editor.open("bad.yaml", MODELINE + text)
    assert diagnostics == [
        '10:11: Value is not accepted. Valid values: "lon1", "lon2", "fra1", "nyc1", "phx1", "mum1".',
        '15:3: Missing property "nodeCount".',
        "17:5: Property nodeCuont is not allowed.",
    ]


def test_an_invalid_number_or_boolean_is_reported_in_words(editor: Editor) -> None:
    """The schema's patterns for quoted values would not help users."""
    text = CLUSTER.read_text("utf-8").replace("nodeCount: 1", "nodeCount: one")
    diagnostics = editor.open("words.yaml", f"{MODELINE}{text}  highlyAvailable: maybe\n")
    assert diagnostics == ["17:16: must be a whole number from 1 to 4294967295", "21:20: must be true or false"]


def test_without_the_modeline_nothing_is_checked(editor: Editor) -> None:
    """The modeline selects the schema, not a built-in list of schemas."""
    assert editor.open("plain.yaml", CLUSTER.read_text("utf-8").replace("region: lon1", "region: mars1")) == []


def test_completion_and_hover_use_the_schema(editor: Editor) -> None:
    """Completion offers enum values and fields in the manifest's spelling. Hover shows comments of the protos."""
    text = MODELINE + CLUSTER.read_text("utf-8")
    editor.open("hover.yaml", text)
    completions = editor.request_at("textDocument/completion", "hover.yaml", text, "  region: ")
    assert [item["label"] for item in completions["items"]] == ["lon1", "lon2", "fra1", "nyc1", "phx1", "mum1"]
    hover = editor.request_at("textDocument/hover", "hover.yaml", text, "  kubernetes")
    assert "Kubernetes cannot go back." in hover["contents"]["value"]
    fields = editor.request_at("textDocument/completion", "hover.yaml", text, "spec:\n  ")
    labels = {item["label"] for item in fields["items"]}
    assert "highlyAvailable" in labels
    assert [label for label in labels if "_" in label] == []
