"""The scripts of the CI recipes in ops/ci run against the sandbox, with stand-ins for the forges."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from support import forge, recipes
from support import planton as support

SHA, HEAD = "a" * 40, "b" * 40
GITHUB = {"GITHUB_REPOSITORY": "acme/infra", "GITHUB_SHA": SHA, "PR": "5"}
GITLAB = {"CI_PROJECT_ID": "7", "CI_MERGE_REQUEST_IID": "5", "CI_COMMIT_SHA": SHA}
pytestmark = pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")


class Forge:
    """A repository at a forge, with machines that run its jobs."""

    def __init__(self, user: support.Planton, script: Callable[[str], str], variables: dict[str, str]) -> None:
        """Has no comments and no issues."""
        self._user, self._script, self._variables = user, script, variables
        self._state = user.folder / "forge.json"
        self.write({"fixed": {}, "files": {}, "lists": {}, "runs": {}, "last": 0})
        self._programs = user.folder / "bin"
        self._programs.mkdir()
        for name in ("gh", "glab"):
            program = self._programs / name
            program.write_text(f"#!{sys.executable}\n{pathlib.Path(forge.__file__).read_text('utf-8')}", "utf-8")
            program.chmod(0o755)

    def read(self) -> Any:
        """Returns what the forge keeps."""
        return json.loads(self._state.read_text("utf-8"))

    def write(self, state: Any) -> None:
        """Changes what the forge keeps."""
        self._state.write_text(json.dumps(state), "utf-8")

    def job(self, name: str, machine: str, *, code: int = 0) -> pathlib.Path:
        """Runs a job in a new clone on a machine of its own, and returns the clone."""
        folder = self._user.folder / machine
        clone = folder / "infra"
        shutil.rmtree(clone, ignore_errors=True)
        shutil.copytree(self._user.folder / "origin", clone)
        path = os.pathsep.join([str(self._programs), str(pathlib.Path(sys.executable).parent), self._user.environ["PATH"]])
        backend = self._user.folder / "backend"
        backend.mkdir(exist_ok=True)
        environ = self._user.environ | {
            **self._variables,
            "PATH": path,
            "FORGE_STATE": str(self._state),
            "PLANTON_DATA_DIR": str(folder / "data"),
            "PULUMI_BACKEND_URL": backend.as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "secret",
        }
        command = ["bash", "-c", self._script(name)]
        done = subprocess.run(
            command, cwd=clone, env=environ, capture_output=True, text=True, check=False, timeout=support.SECONDS
        )
        assert done.returncode == code, f"{done.stdout}\n{done.stderr}"
        return clone

    def bodies(self, path: str, field: str) -> list[str]:
        """Returns the texts of the comments or issues of a path."""
        return [item[field] for item in self.read()["lists"].get(path, [])]


def _github(plan: pathlib.Path) -> dict[str, Any]:
    return {
        "fixed": {
            "repos/acme/infra/commits/" + SHA + "/pulls": [{"number": 5}],
            "repos/acme/infra/pulls/5": {"head": {"sha": HEAD}},
        },
        "files": {"41/plan": str(plan)},
        "runs": {"41": HEAD},
    }


def _gitlab(plan: pathlib.Path) -> dict[str, Any]:
    return {
        "fixed": {
            f"projects/7/repository/commits/{SHA}/merge_requests": [{"iid": 5}],
            "projects/7/merge_requests/5/pipelines": [{"id": 9, "status": "failed"}, {"id": 8, "status": "success"}],
            "projects/7/pipelines/8/jobs": [{"id": 1, "name": "validate"}, {"id": 2, "name": "plan"}],
        },
        "files": {"projects/7/jobs/2/artifacts/plan.json": str(plan)},
    }


@pytest.mark.parametrize(
    ("script", "variables", "artifact", "comments", "issues"),
    [
        (recipes.github_script, GITHUB, _github, ("repos/acme/infra/issues/5/comments", "body"), ("issues", "body")),
        (
            recipes.gitlab_script,
            GITLAB,
            _gitlab,
            ("projects/7/merge_requests/5/notes", "body"),
            ("projects/7/issues", "description"),
        ),
    ],
    ids=["github", "gitlab"],
)
def test_a_pull_request_is_planned_applied_and_watched(
    planton: support.Planton, script: Any, variables: Any, artifact: Any, comments: tuple[str, str], issues: tuple[str, str]
) -> None:
    """One comment is updated, exactly the saved plan is applied on another machine, and drift opens one issue."""
    origin = planton.folder / "origin"
    (origin / "manifests").mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet"], cwd=origin, check=True)
    subprocess.run(["git", "remote", "add", "origin", "https://forge.example.com/acme/infra.git"], cwd=origin, check=True)
    manifest = origin / "manifests" / "net.yaml"
    at = Forge(planton, script, variables)

    manifest.write_text(json.dumps(support.network(region="nowhere")), "utf-8")
    at.job("plan", "first", code=1)
    manifest.write_text(json.dumps(support.network()), "utf-8")
    clone = at.job("plan", "first")
    (body,) = at.bodies(*comments)
    assert body.startswith("<!-- planton plan -->\n### Plan: 1 to create\n")
    assert '"net"' not in json.dumps(planton.sandbox.control.resources()), "a plan changes nothing"

    plan = shutil.copy(clone / "plan.json", planton.folder / "artifact.json")
    at.write(at.read() | artifact(plan))
    at.job("apply", "second")
    assert '"net"' in json.dumps(planton.sandbox.control.resources())

    at.job("drift", "third")
    assert at.bodies(*issues) == []
    planton.sandbox.control.outside("delete-network", network="net")
    for machine in ("third", "fourth"):
        at.job("drift", machine)
    (text,) = at.bodies(*issues)
    assert "- delete network" in text
