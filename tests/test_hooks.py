"""The pre-commit hooks, and the CI recipe that users copy into their repositories."""

from __future__ import annotations

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
from typing import Any

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[1]
KINDS = ROOT / "tests" / "kinds"
VALID = KINDS / "CivoVpc" / "valid" / "minimal.yaml"
INVALID = KINDS / "CivoVpc" / "invalid" / "required@region.yaml"
HOOKS: dict[str, dict[str, Any]] = {
    hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
}
POLICY = str(ROOT / "examples" / "policies" / "tags.policy.yaml")


def environment() -> dict[str, str]:
    return {**os.environ, "PATH": os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ["PATH"]])}


def run_hook(name: str, folder: pathlib.Path, files: list[str], args: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Runs the entry of a hook as pre-commit does, with its arguments and the files that it does not exclude."""
    hook = HOOKS[name]
    included = [file for file in files if not re.search(hook["exclude"], file)]
    command = [*shlex.split(hook["entry"]), *hook.get("args", []), *args, *included]
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def repository(tmp_path: pathlib.Path) -> pathlib.Path:
    """Returns a folder with a valid manifest, an invalid one, and files that are not manifests."""
    (tmp_path / "manifests").mkdir()
    shutil.copy(VALID, tmp_path / "manifests" / "valid.yaml")
    shutil.copy(INVALID, tmp_path / "manifests" / "invalid.yaml")
    for name in ("kustomization.yaml", "acme.policy.yaml", ".hidden.yaml"):
        (tmp_path / "manifests" / name).write_text("a: [\n", "utf-8")
    return tmp_path


def test_the_hook_validates_its_files(repository: pathlib.Path) -> None:
    """A violation fails the commit and is reported with its position. Other files are not checked."""
    completed = run_hook("planton-validate", repository, ["manifests/valid.yaml", "manifests/invalid.yaml"])
    assert completed.returncode == 1
    assert completed.stdout.startswith("manifests/invalid.yaml:5:1: spec.region: value is required [required]\n")
    assert run_hook("planton-validate", repository, ["manifests/valid.yaml"]).returncode == 0


def test_the_hook_skips_other_files(repository: pathlib.Path) -> None:
    """Kustomizations, policies and hidden files may be in the same commit."""
    files = [
        path.relative_to(repository).as_posix() for path in (repository / "manifests").iterdir() if path.name != "invalid.yaml"
    ]
    completed = run_hook("planton-validate", repository, files)
    assert (completed.returncode, completed.stdout) == (0, "1 document in 1 file: valid\n")
    assert len(files) == 4


def test_the_hook_accepts_policies_as_arguments(repository: pathlib.Path) -> None:
    """docs/use/ci.md shows how to pass them."""
    completed = run_hook("planton-validate", repository, ["manifests/valid.yaml"], ("--policy", POLICY))
    assert completed.returncode == 1
    assert "[acme.team_label]" in completed.stdout


def test_the_format_hook_rewrites_files(repository: pathlib.Path) -> None:
    """The result has the canonical form."""
    text = "kind: CivoVpc\n" + VALID.read_text("utf-8").replace("kind: CivoVpc\n", "")
    (repository / "manifests" / "valid.yaml").write_text(text, "utf-8")
    assert run_hook("planton-fmt", repository, ["manifests/valid.yaml"]).returncode == 0
    assert (repository / "manifests" / "valid.yaml").read_text("utf-8") == VALID.read_text("utf-8")


def recipe() -> dict[str, Any]:
    """Returns the validating step of the workflow in ops/ci."""
    workflow = yaml.safe_load((ROOT / "ops" / "ci" / "github-manifests.yml").read_text("utf-8"))
    (step,) = [step for step in workflow["jobs"]["validate"]["steps"] if step.get("name") == "Validate"]
    return dict(step)


def commit(folder: pathlib.Path, *changes: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run([*command, "add", "--", *changes], cwd=folder, check=True)
    subprocess.run([*command, "commit", "--quiet", "--message", "a change"], cwd=folder, check=True)
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def history(repository: pathlib.Path) -> tuple[pathlib.Path, str]:
    """Returns a git repository whose first commit has the valid manifest, and that commit."""
    subprocess.run(["git", "init", "--quiet"], cwd=repository, check=True)
    return repository, commit(repository, "manifests/valid.yaml")


def run_recipe(folder: pathlib.Path, base: str) -> int:
    # GitHub runs a step as `bash -e` in the checkout.
    variables = {**environment(), "BASE": base}
    return subprocess.run(["bash", "-e", "-c", recipe()["run"]], cwd=folder, env=variables, check=False, timeout=60).returncode


def test_the_recipe_checks_the_manifests_of_a_pull_request(history: tuple[pathlib.Path, str]) -> None:
    """The step fails. The SARIF file has the violation with its path in the repository."""
    folder, base = history
    commit(folder, "manifests/invalid.yaml", "manifests/acme.policy.yaml", "manifests/kustomization.yaml")
    assert run_recipe(folder, base) == 1
    (result,) = json.loads((folder / "planton.sarif").read_text("utf-8"))["runs"][0]["results"]
    assert result["ruleId"] == "required"
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "manifests/invalid.yaml"


def test_the_recipe_skips_unchanged_manifests(history: tuple[pathlib.Path, str]) -> None:
    """A pull request without changed manifests, or with deleted ones, passes and writes no SARIF file."""
    folder, first = history
    base = commit(folder, "manifests/invalid.yaml")
    (folder / "manifests" / "invalid.yaml").unlink()
    (folder / "README.md").write_text("text\n", "utf-8")
    commit(folder, "manifests/invalid.yaml", "README.md")
    assert run_recipe(folder, base) == 0
    assert not (folder / "planton.sarif").exists()


def test_the_recipe_checks_everything_on_the_main_branch(history: tuple[pathlib.Path, str]) -> None:
    """There is no base to compare the main branch with."""
    assert run_recipe(history[0], "") == 1
    assert (history[0] / "planton.sarif").exists()
