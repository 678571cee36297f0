"""Checks the protos for breaking changes, against the last release, else against the previous commit.

A check against the previous commit covers one commit only, and a shallow clone has no previous commit. So
``tests/wire/fields.txt`` records all numbers, names and types.
Both sides are built into images first, because the proto that ours import is not in the repository.
"""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUF = pathlib.Path(sys.executable).with_name("buf")
RULES = '{"version":"v1","breaking":{"use":["WIRE_JSON"]}}'
#: How buf ends where something breaks.
_FOUND = 100


def main() -> int:
    """Returns 0 where nothing breaks or there is nothing to compare with."""
    base = _git("describe", "--tags", "--abbrev=0", "--match", "v*") or _git("rev-parse", "--verify", "HEAD~1")
    if not base or not _git("ls-tree", base, "proto"):
        print("buf breaking: no release and no commit before to compare with; tests/test_wire.py holds what must last")
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        archive = subprocess.run(["git", "archive", base, "proto", "buf.yaml"], cwd=ROOT, check=True, capture_output=True)
        subprocess.run(["tar", "x", "-C", folder], input=archive.stdout, check=True)
        shutil.copytree(ROOT / ".cache" / "proto", folder / ".cache" / "proto")
        before, now = folder / "before.binpb", folder / "now.binpb"
        build(folder, before)
        build(ROOT, now)
        found = breaking(before, now)
    for line in found:
        print(line)
    return 1 if found else 0


def build(folder: pathlib.Path, image: pathlib.Path) -> None:
    """Builds the protos of a checkout into an image."""
    subprocess.run([BUF, "build", "-o", image], cwd=folder, check=True)


def breaking(before: pathlib.Path, now: pathlib.Path) -> list[str]:
    """Returns what breaks those who have the image from before: a line for each, with file, place and rule."""
    command = [BUF, "breaking", now, "--against", before, "--config", RULES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, _FOUND):
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return done.stdout.splitlines()


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


if __name__ == "__main__":
    sys.exit(main())
