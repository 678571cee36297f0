"""The pages about the server: every setting is listed with its default, and the walk-through runs."""

from __future__ import annotations

import pathlib
import re
import subprocess

import pytest

from planton.cli import server, server_settings
from support import serving

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"


def _options() -> dict[str, str]:
    """Returns the text of each option of ``planton server start`` in the reference, by its long name."""
    page = (DOCS / "reference" / "cli.md").read_text("utf-8")
    section = page.partition("\n## planton server start\n")[2].partition("\n## ")[0]
    listed = re.findall(r"(?m)^- `(?:-\w, )?--([a-z-]+)[^`]*`: (.*)$", section)
    return dict(listed) | dict.fromkeys(re.findall(r"`--([a-z-]+)`", section.partition("\nShared: ")[2]), "")


def _default(setting: server.Setting) -> str:
    if isinstance(setting.default, bool):
        return f"[default: {'' if setting.default else 'no-'}{setting.name}]"
    return "" if setting.default in ("", ()) else f"[default: {setting.default}"


@pytest.mark.parametrize("setting", server_settings.SETTINGS, ids=[one.name for one in server_settings.SETTINGS])
def test_every_setting_is_listed_with_its_default(setting: server.Setting) -> None:
    """The reference has the option, its description and its default."""
    text = _options()[setting.name]
    assert " ".join(setting.text.split()) in text
    assert _default(setting) in text


def test_the_reference_lists_no_other_setting() -> None:
    """The list is complete in both directions."""
    assert sorted(_options()) == sorted(
        [one.name for one in server_settings.SETTINGS] + ["database-url", "config", "migrate", "with-controllers"]
    )


def test_the_page_says_how_a_variable_is_named() -> None:
    """Every setting can be a variable, named after the option."""
    page = (DOCS / "operate" / "server.md").read_text("utf-8")
    [(name, value)] = re.findall(r"\| option \| `--([a-z-]+) (\w+)` \|", page)
    assert name in {one.name for one in server_settings.SETTINGS}
    assert f"`PLANTON_SERVER_{name.replace('-', '_').upper()}={value}`" in page


def _pattern(shown: str) -> str:
    """Returns a pattern for the output that a page shows, in which … stands for any text."""
    return ".*".join(re.escape(part) for part in shown.strip().split("…"))


def test_the_walk_through_shows_the_real_output(tmp_path: pathlib.Path) -> None:
    """Each command of the API page runs as written, in order, and prints what the page shows."""
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
            printed = (tmp_path / f"out-{number - 1}").read_text()
            assert re.fullmatch(_pattern(text), printed.strip(), re.DOTALL), printed
