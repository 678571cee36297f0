"""The pages about the server: every setting is there, and what they show is what one sees."""

from __future__ import annotations

import pathlib
import re
import subprocess

import pytest

from planton.cli import server
from support import serving

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"


def _default(setting: server.Setting) -> str:
    if isinstance(setting.default, bool):
        return "on" if setting.default else "off"
    if setting.default in ("", ()):
        return ""
    return f"`{setting.default:g}`" if isinstance(setting.default, float) else f"`{setting.default}`"


@pytest.mark.parametrize("setting", server.SETTINGS, ids=[one.name for one in server.SETTINGS])
def test_every_setting_has_its_row(setting: server.Setting) -> None:
    """Option, variable, default and the words of the help."""
    variable = f"PLANTON_SERVER_{setting.name.replace('-', '_').upper()}"
    row = f"| `--{setting.name}` | `{variable}` | {_default(setting)} | {setting.text} |"
    assert row in (DOCS / "operate" / "server.md").read_text("utf-8").splitlines()


def test_no_row_is_of_a_setting_that_is_no_more() -> None:
    """The table is complete in both directions."""
    found = re.findall(r"(?m)^\| `--([a-z-]+)` \|", (DOCS / "operate" / "server.md").read_text("utf-8"))
    assert sorted(found) == sorted([one.name for one in server.SETTINGS] + ["database-url", "config", "migrate"])


def _pattern(shown: str) -> str:
    """Return what an output must look like to be what a page shows, where … stands for anything."""
    return ".*".join(re.escape(part) for part in shown.strip().split("…"))


def test_the_walk_through_shows_what_one_sees(tmp_path: pathlib.Path) -> None:
    """Each command of the page on the API as it is written, in its order, and what it shows."""
    blocks = re.findall(r"(?ms)^```(sh|text)\n(.*?)^```", (DOCS / "operate" / "nodepool-api.md").read_text("utf-8"))
    assert len(blocks) >= 13
    with serving.running(tmp_path, "--tick", "0") as started:
        script = ["set -e"]
        for number, (form, text) in enumerate(blocks):
            if form == "sh":
                script += [f"exec > out-{number}", text.replace("http://127.0.0.1:8080", started.url)]
        done = subprocess.run(["bash", "-c", "\n".join(script)], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    for number, (form, text) in enumerate(blocks):
        if form == "text":
            said = (tmp_path / f"out-{number - 1}").read_text()
            assert re.fullmatch(_pattern(text), said.strip(), re.DOTALL), said
