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
#: The exit code of buf for breaking changes.
_BREAKING_EXIT_CODE = 100


def main() -> int:
    """Returns 0 if nothing breaks, or without a base to compare with."""
    base = _git("describe", "--tags", "--abbrev=0", "--match", "v*") or _git("rev-parse", "--verify", "HEAD~1")
    if not base or not _git("ls-tree", base, "proto"):
        print("buf breaking: no release and no previous commit to compare with; tests/test_wire.py compares the recorded facts")
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        archive = subprocess.run(["git", "archive", base, "proto", "buf.yaml"], cwd=ROOT, check=True, capture_output=True)
        subprocess.run(["tar", "x", "-C", folder], input=archive.stdout, check=True)
        shutil.copytree(ROOT / ".cache" / "proto", folder / ".cache" / "proto")
        before, after = folder / "before.binpb", folder / "now.binpb"
        build(folder, before)
        build(ROOT, after)
        changes = breaking(before, after)
    for line in changes:
        print(line)
    return 1 if changes else 0


def build(folder: pathlib.Path, image: pathlib.Path) -> None:
    """Builds the protos of a checkout into an image."""
    subprocess.run([BUF, "build", "-o", image], cwd=folder, check=True)


def breaking(before: pathlib.Path, after: pathlib.Path) -> list[str]:
    """Returns a line for each change that breaks users of the previous image, with file, place and rule."""
    command = [BUF, "breaking", after, "--against", before, "--config", RULES]
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    if completed.returncode not in (0, _BREAKING_EXIT_CODE):
        raise subprocess.CalledProcessError(completed.returncode, command, completed.stdout, completed.stderr)
    return completed.stdout.splitlines()


def _git(*arguments: str) -> str:
    completed = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return completed.stdout.strip() if completed.returncode == 0 else ""


if __name__ == "__main__":
    sys.exit(main())
