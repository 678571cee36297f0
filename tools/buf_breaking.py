"""Checks that the protos break nobody: against the last release, else against the commit before.

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


def main() -> int:
    """Returns 0 where nothing breaks or there is nothing to compare with."""
    base = _git("describe", "--tags", "--abbrev=0", "--match", "v*") or _git("rev-parse", "--verify", "HEAD~1")
    if not base or not _git("ls-tree", base, "proto"):
        print("buf breaking: nothing to compare with")
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        archive = subprocess.run(["git", "archive", base, "proto", "buf.yaml"], cwd=ROOT, check=True, capture_output=True)
        subprocess.run(["tar", "x", "-C", folder], input=archive.stdout, check=True)
        shutil.copytree(ROOT / ".cache" / "proto", folder / ".cache" / "proto")
        before, now = folder / "before.binpb", folder / "now.binpb"
        subprocess.run([BUF, "build", "-o", before], cwd=folder, check=True)
        subprocess.run([BUF, "build", "-o", now], cwd=ROOT, check=True)
        return subprocess.run([BUF, "breaking", now, "--against", before, "--config", RULES], check=False).returncode


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


if __name__ == "__main__":
    sys.exit(main())
