"""Generates the stubs in gen/ from the protos, for each language whose tools are on this machine.

Usage: python tools/generate.py [--check] [LANGUAGE…]. With ``--check`` nothing is written: what is stale is named, and the exit code
is 1. Languages that are asked for by name must be there.
"""

from __future__ import annotations

import argparse
import filecmp
import pathlib
import shutil
import subprocess
import sys
import tempfile
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUF = pathlib.Path(sys.executable).with_name("buf")


class Language(NamedTuple):
    """How one language's stubs are made.

    Attributes:
        template: buf's template.
        tree: The folder that holds what is generated, and nothing else.
        needs: The program that the generators run on; none where set-up brings them.
    """

    template: str
    tree: str
    needs: str | None


LANGUAGES = {
    "python": Language("buf.gen.yaml", "gen/python/org", None),
    "go": Language("buf.gen.go.yaml", "gen/go/org", "go"),
    "ts": Language("buf.gen.ts.yaml", "gen/ts/src", "npm"),
    "java": Language("buf.gen.java.yaml", "gen/java/src/main/java", "mvn"),
}


def main(arguments: list[str]) -> int:
    """Returns 0 where everything that was looked at is, or has become, what it should be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument(
        "languages", nargs="*", metavar="LANGUAGE", help=f"of {', '.join(LANGUAGES)}; all that are there, where none is given"
    )
    options = parser.parse_args(arguments)
    if unknown := set(options.languages) - set(LANGUAGES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    stale = []
    for name in options.languages or LANGUAGES:
        language = LANGUAGES[name]
        if language.needs and shutil.which(language.needs) is None:
            print(f"{name}: not looked at, for {language.needs} is not on this machine", file=sys.stderr)
            if options.languages:
                return 1
            continue
        with tempfile.TemporaryDirectory() as folder:
            fresh = pathlib.Path(folder)
            generate(language, fresh)
            if options.check:
                stale += [f"{language.tree}/{path}" for path in differences(ROOT / language.tree, fresh / language.tree)]
            else:
                shutil.rmtree(ROOT / language.tree, ignore_errors=True)
                shutil.copytree(fresh / language.tree, ROOT / language.tree)
    for path in stale:
        print(f"{path} is not what `make gen` writes")
    return 1 if stale else 0


def generate(language: Language, folder: pathlib.Path) -> None:
    """Writes a language's stubs below a folder; ends the program with what the generators said where they fail."""
    command = [BUF, "generate", "--template", language.template, "--output", folder]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr or done.stdout)


def differences(committed: pathlib.Path, fresh: pathlib.Path) -> list[str]:
    """Returns the files that differ, or that only one side has."""
    names = {
        path.relative_to(folder).as_posix()
        for folder in (committed, fresh)
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return sorted(
        name
        for name in names
        if not (committed / name).exists()
        or not (fresh / name).exists()
        or not filecmp.cmp(committed / name, fresh / name, shallow=False)
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
