"""The wheel: it installs into an empty environment with its own dependencies, and works there."""

from __future__ import annotations

import pathlib
import subprocess
import sys
import venv

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
MANIFEST = ROOT / "examples" / "civo-dev" / "network.yaml"


@pytest.mark.slow
def test_the_wheel_works_in_an_empty_environment(tmp_path: pathlib.Path) -> None:
    """Without an extra it validates manifests, and names the extra that other commands need."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = (tmp_path / "dist").glob("*.whl")
    venv.create(tmp_path / "venv", with_pip=True)
    programs = tmp_path / "venv" / "bin"
    pip = [str(programs / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)]
    subprocess.run(pip, check=True, capture_output=True, cwd=tmp_path)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(programs / "planton"), *arguments]
        return subprocess.run(command, cwd=tmp_path, env={"HOME": str(tmp_path)}, capture_output=True, text=True, check=False)

    done = run("validate", str(MANIFEST))
    assert (done.returncode, done.stdout) == (0, "1 document in 1 file: valid\n")
    assert run("init", "cluster", "--provider", "civo", "-o", "-").returncode == 0
    failed = run("sandbox", "start")
    assert failed.returncode == 8
    assert "project-planton[sandbox]" in failed.stderr
