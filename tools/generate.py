"""Generates the stubs in gen/ from the protos, for each language whose tools are installed.

Usage: python tools/generate.py [--check] [LANGUAGE…]

Python's and Go's stubs are committed: ``--check`` compares them with what the generators write now. TypeScript's and Java's are
built where they are needed and ignored by Git: ``--check`` generates them twice, and the two results must be equal. ``--check``
writes nothing to gen/. It prints what differs, and the exit code is 1. A language named on the command line must be installed.
"""

from __future__ import annotations

import argparse
import filecmp
import pathlib
import shutil
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = pathlib.Path(__file__).resolve().parents[1]
BIN = pathlib.Path(sys.executable).parent


class Language(NamedTuple):
    """How one language's stubs are generated.

    Attributes:
        template: buf's template.
        tree: The folder that holds the stubs, and nothing else.
        program: The program that the generators run on; None if `make setup` installs them.
        is_committed: Whether Git has the stubs.
    """

    template: str
    tree: str
    program: str | None
    is_committed: bool


LANGUAGES = {
    "python": Language("buf.gen.yaml", "gen/python/org", None, is_committed=True),
    "go": Language("buf.gen.go.yaml", "gen/go/org", "go", is_committed=True),
    "ts": Language("buf.gen.ts.yaml", "gen/ts/src", "npm", is_committed=False),
    "java": Language("buf.gen.java.yaml", "gen/java/src", "mvn", is_committed=False),
}


def main(arguments: list[str]) -> int:
    """Returns the exit code: 0 if every language was generated, or checked without a difference."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; print what differs")
    parser.add_argument(
        "languages", nargs="*", metavar="LANGUAGE", help=f"one of {', '.join(LANGUAGES)}; by default all that are installed"
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.languages) - set(LANGUAGES):
        parser.error(f"unknown language: {', '.join(sorted(unknown))}")
    problems = []
    for name in options.languages or LANGUAGES:
        language = LANGUAGES[name]
        if language.program and shutil.which(language.program) is None:
            print(f"{name}: skipped: {language.program} is not installed", file=sys.stderr)
            if options.languages:
                return 1
        elif options.check:
            problems += check(language, generate, ROOT)
        else:
            write(language, ROOT)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def write(language: Language, root: pathlib.Path) -> None:
    """Replaces the stubs of a language below a root folder."""
    with tempfile.TemporaryDirectory() as folder:
        generate(language, pathlib.Path(folder))
        shutil.rmtree(root / language.tree, ignore_errors=True)
        shutil.copytree(pathlib.Path(folder) / language.tree, root / language.tree)


def check(language: Language, generator: Callable[[Language, pathlib.Path], None], root: pathlib.Path) -> list[str]:
    """Returns one line for each file that differs from the committed stubs, or from a second run of the generators."""
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        generator(language, pathlib.Path(first))
        stubs = pathlib.Path(first) / language.tree
        if not any(stubs.rglob("*.*")):
            return [f"{language.tree}: the generators wrote no file"]
        if language.is_committed:
            return [f"{language.tree}/{name} is not what `make gen` writes" for name in differences(root / language.tree, stubs)]
        generator(language, pathlib.Path(second))
        changed = differences(pathlib.Path(second) / language.tree, stubs)
        return [f"{language.tree}/{name} differs between two runs of the generators" for name in changed]


def generate(language: Language, folder: pathlib.Path) -> None:
    """Writes a language's stubs below a folder.

    Raises:
        SystemExit: The generators failed; it carries their output.
    """
    # The templates name the programs of `make setup`. Another environment has its own.
    template = (ROOT / language.template).read_text("utf-8").replace(".venv/bin/", f"{BIN.as_posix()}/")
    command = [BIN / "buf", "generate", "--template", template, "--output", folder]
    completed = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if completed.returncode:
        sys.exit(completed.stderr or completed.stdout)


def differences(first: pathlib.Path, second: pathlib.Path) -> list[str]:
    """Returns the files that differ between two folders, or that only one of them has."""
    names = {
        path.relative_to(folder).as_posix()
        for folder in (first, second)
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return sorted(
        name
        for name in names
        if not (first / name).exists()
        or not (second / name).exists()
        or not filecmp.cmp(first / name, second / name, shallow=False)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
