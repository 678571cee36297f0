"""docs/use/references.md shows real errors: each broken reference, its manifests, the command and the output."""

from __future__ import annotations

import dataclasses
import json
import pathlib
import re
import shlex

import pytest

from planton import cli
from planton.engine import stacks
from planton.manifest import load, stack_input

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "use" / "references.md"
NETWORK, WEB = "CivoVpc/dev-network (env dev)", "CivoFirewall/web (env dev)"
ID = "0b1d6e3a-3f0e-4c1c-9a39-2f6f3d2f1a77"


@dataclasses.dataclass(frozen=True)
class Section:
    """A section of the page: its files, changed ends of files, a command, and what the command prints."""

    files: dict[str, str]
    ends: list[tuple[str, int, str]]
    command: str = ""
    printed: str = ""


def _sections() -> dict[str, Section]:
    parts = re.split(r"^## (.*)\n", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    return {title: _section(text) for title, text in zip(["", *parts[1::2]], parts[::2], strict=True)}


def _section(text: str) -> Section:
    files = {name: content for content, name in re.findall(r"^```yaml\n(# (\S+)\n.*?)^```", text, re.DOTALL | re.MULTILINE)}
    ends = [
        (name, int(line), end)
        for name, line, end in re.findall(r"^```yaml\n# (\S+), from line (\d+)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    ]
    console = re.search(r"^```console\n\$ planton (.*)\n((?:.*\n)*?)```", text, re.MULTILINE)
    return Section(files, ends, *(console.groups() if console else ()))


def _apply(path: pathlib.Path, data: pathlib.Path) -> None:
    """Writes the state that an apply of a manifest writes."""
    manifest = load.load([str(path)])[0].message
    name = stacks.name_of(manifest)
    outputs = {"manifest": json.dumps(stack_input.as_dict(manifest)), "network_id": ID}
    resources = [{"type": "pulumi:pulumi:Stack", "outputs": outputs}]
    state = data / "state" / ".pulumi" / "stacks" / name.project / f"{name.stack}.json"
    state.parent.mkdir(parents=True)
    state.write_text(json.dumps({"version": 3, "checkpoint": {"latest": {"resources": resources}}}), "utf-8")


SECTIONS = _sections()
#: Section → the place of the reference, and the other ends, with their places if their manifests are passed.
ENDS = {
    "The target is missing": ("./firewall.yaml:9:3: spec.networkId", ["CivoVpc/dev-netwrok (env dev)"]),
    "The references form a cycle": (
        "./firewall.yaml:9:3: spec.networkId",
        [f"{WEB} (./firewall.yaml:9:3)", f"{NETWORK} (./network.yaml:8:7)"],
    ),
    "The kind does not fit": ("./cluster.yaml:13:13: spec.network.valueFrom.kind", [f"{WEB} (./firewall.yaml:5:9)"]),
    "The output does not exist": (
        "./firewall.yaml:12:18: spec.networkId.valueFrom.fieldPath",
        [f"{NETWORK} (./network.yaml:5:9)"],
    ),
    "The target has not been applied": ("firewall.yaml:9:3: spec.networkId", [f"{NETWORK} (network.yaml:5:9)"]),
    "The field is not set": ("./firewall.yaml:9:3: spec.networkId", [f"metadata.id of {NETWORK} (./network.yaml:5:9)"]),
    "The field is empty": ("firewall.yaml:9:3: spec.networkId", [f"metadata.id of {NETWORK}"]),
}


@pytest.fixture
def data(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Returns the data folder of a user in an empty folder, whose account must not be queried."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.setenv("PLANTON_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("CIVO_TOKEN", "unused")
    monkeypatch.setenv("CIVO_API_URL", "http://127.0.0.1:9")
    return tmp_path / "data"


def test_the_page_has_a_section_for_each_way_to_break_a_reference() -> None:
    """The page and this test have the same sections."""
    assert [title for title in SECTIONS if title] == list(ENDS)


@pytest.mark.parametrize("title", ENDS)
def test_the_error_names_both_ends_of_a_reference_as_the_page_shows(
    title: str, data: pathlib.Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The output equals the page: the reference with its place, and its target."""
    section = SECTIONS[title]
    for name, content in (SECTIONS[""].files | section.files).items():
        pathlib.Path(name).write_text(content, "utf-8")
    ends = SECTIONS["The field is not set"].ends if title == "The field is empty" else section.ends
    for name, line, end in ends:
        file = pathlib.Path(name)
        file.write_text("".join(file.read_text("utf-8").splitlines(keepends=True)[: line - 1]) + end, "utf-8")
    if title == "The field is empty":
        _apply(pathlib.Path("network.yaml"), data)
    assert cli.main(shlex.split(section.command)) == 1
    captured = capsys.readouterr()
    printed = captured.out + captured.err
    place, targets = ENDS[title]
    assert printed.startswith(f"{place}: ")
    assert [end for end in targets if end not in printed] == []
    assert printed == section.printed
