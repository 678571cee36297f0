"""Checks that gen/python, the comments in the package and the reference docs are what would be generated now."""

from __future__ import annotations

import filecmp
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUF = pathlib.Path(sys.executable).with_name("buf")


def main() -> int:
    """Returns 0 where nothing differs."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for part in ("proto", ".cache/proto"):
            shutil.copytree(ROOT / part, folder / part)
        for part in ("buf.yaml", "buf.gen.yaml"):
            shutil.copy(ROOT / part, folder / part)
        (folder / ".venv").symlink_to(ROOT / ".venv")
        subprocess.run([BUF, "generate"], cwd=folder, check=True, capture_output=True)
        stale = differences(ROOT / "gen" / "python", folder / "gen" / "python")
    for path in stale:
        print(f"gen/python/{path} is not what `make gen` writes")
    reference = subprocess.run([sys.executable, ROOT / "tools" / "reference.py", "--check"], check=False)
    return 1 if stale else reference.returncode


def differences(committed: pathlib.Path, fresh: pathlib.Path) -> list[str]:
    """Returns the files that differ, or that only one side has."""
    names = {
        path.relative_to(folder).as_posix()
        for folder in (committed, fresh)
        for path in folder.rglob("*")
        if path.suffix in (".py", ".pyi")
    }
    return sorted(
        name
        for name in names
        if not (committed / name).exists()
        or not (fresh / name).exists()
        or not filecmp.cmp(committed / name, fresh / name, shallow=False)
    )


if __name__ == "__main__":
    sys.exit(main())
