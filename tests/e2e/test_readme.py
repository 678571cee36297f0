"""Pages with console blocks do what they show: every command runs, in order, in one shell."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
import sys

import pytest

from planton.config import folders

ROOT = pathlib.Path(__file__).resolve().parents[2]
SECONDS = 300
MARK = "::command-ended::"
PAGES = [
    "README.md",
    "docs/use/getting-started.md",
    "docs/use/manifests.md",
    "docs/use/editors.md",
    "docs/use/sandbox.md",
    "docs/operate/controllers.md",
]


def blocks(text: str) -> list[tuple[str, list[str]]]:
    """Returns the commands of the console blocks and the lines that they show."""
    commands: list[tuple[str, list[str]]] = []
    for block in re.findall(r"^```console\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
        for line in block.splitlines():
            if line.startswith("$ "):
                commands.append((line[2:], []))
            else:
                commands[-1][1].append(line)
    return commands


def files(text: str) -> dict[str, str]:
    """Returns the files that fenced blocks name in their first line, as ``# name.yaml``."""
    named = re.findall(r"^```yaml\n(# (\S+\.yaml)\n.*?)^```", text, re.DOTALL | re.MULTILINE)
    return {name: content for content, name in named}


def run(commands: list[str], folder: pathlib.Path) -> list[str]:
    """Runs commands in one shell and returns the output of each."""
    script = "\n".join(f"{command}\necho '{MARK}'" for command in commands)
    environ = {
        "PATH": os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(folder),
        # The installed Pulumi is shared; everything else of this user is out of reach.
        "PLANTON_CACHE_DIR": str(folders.cache()),
    }
    try:
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    finally:
        subprocess.run(["planton", "sandbox", "stop"], env=environ, capture_output=True, check=False)
    return done.stdout.split(MARK + "\n")


def missing(shown: list[str], real: list[str]) -> str | None:
    """Returns the first shown line that the real output lacks, in order.

    A line ``...`` stands for any lines, and ``…`` within a line for any text.
    """
    rest = iter(real)
    for line in shown:
        pattern = re.compile(".*".join(map(re.escape, line.rstrip().split("…"))))
        if line.strip() not in ("", "...") and not any(pattern.fullmatch(printed.rstrip()) for printed in rest):
            return line
    return None


@pytest.mark.parametrize("page", PAGES)
def test_a_page_does_what_it_shows(page: str, tmp_path: pathlib.Path) -> None:
    """Every command of the page runs, and every line that it shows is printed."""
    text = (ROOT / page).read_text("utf-8")
    for name, content in files(text).items():
        (tmp_path / name).write_text(content, "utf-8")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    commands = blocks(text)
    assert commands, "the page shows no commands"
    printed = run([command for command, _ in commands], tmp_path)
    for (command, shown), output in zip(commands, printed, strict=False):
        absent = missing(shown, output.splitlines())
        assert absent is None, f"$ {command}\ndoes not print: {absent}\nbut:\n{output}"
    assert len(printed) == len(commands) + 1


def test_the_demo_ends_as_it_should() -> None:
    """The README's first command."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "demo.py")], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
