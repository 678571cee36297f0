"""The CI recipes in ops/ci have a form that the forges accept. Their steps run in tests/e2e/test_recipes.py."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
from typing import Any

import pytest

from planton.cli import group, markdown
from support import recipes

GITHUB_JOB = {"if", "runs-on", "permissions", "steps", "env", "needs"}
GITHUB_STEP = {"name", "uses", "with", "run", "if", "env", "id"}
GITHUB_PERMISSIONS = {"actions", "contents", "issues", "pull-requests"}
GITLAB_JOB = {"stage", "rules", "script", "artifacts", "resource_group", "before_script", "image"}


@pytest.mark.parametrize("job", ["plan", "apply", "drift"])
def test_a_job_for_github_has_the_form_of_a_job(job: str) -> None:
    """Each step uses an action or runs a script, and only what a job needs is permitted."""
    described = recipes.github()["jobs"][job]
    assert described.keys() <= GITHUB_JOB
    assert {"if", "runs-on", "permissions", "steps"} <= described.keys()
    assert described["permissions"].keys() <= GITHUB_PERMISSIONS
    for step in described["steps"]:
        assert step.keys() <= GITHUB_STEP
        assert ("uses" in step) != ("run" in step)
        assert "run" not in step or "name" in step


def test_the_workflow_for_github_starts_on_its_three_events() -> None:
    """Without a job's own permissions nothing is permitted."""
    workflow = recipes.github()
    assert workflow["on"].keys() == {"pull_request", "push", "schedule"}
    assert workflow["permissions"] == {}
    events = [re.search(r"event_name == '(\w+)'", each["if"]) for each in workflow["jobs"].values()]
    assert {event[1] for event in events if event} == {"pull_request", "push", "schedule"}


def test_no_script_contains_an_expression() -> None:
    """GitHub would paste untrusted text, such as the name of a branch, into the script. Variables of the environment are safe."""
    scripts = [step["run"] for job in recipes.github()["jobs"].values() for step in job["steps"] if "run" in step]
    assert scripts
    assert [script for script in scripts if "${{" in script] == []


@pytest.mark.parametrize("job", ["plan", "apply", "drift"])
def test_a_job_for_gitlab_has_the_form_of_a_job(job: str) -> None:
    """Its stage exists, it has a rule, and each line of its script is a text."""
    pipeline = recipes.gitlab()
    described = pipeline[job]
    assert described.keys() <= GITLAB_JOB
    assert described["stage"] in pipeline["stages"]
    assert all(rule["if"].startswith("$CI_PIPELINE_SOURCE == ") for rule in described["rules"])
    assert all(isinstance(line, str) for line in [*described["script"], *pipeline["default"]["before_script"]])


@pytest.mark.parametrize("script", [recipes.github_script, recipes.gitlab_script])
@pytest.mark.parametrize("job", ["plan", "apply", "drift"])
def test_a_script_is_valid_for_bash(script: Any, job: str) -> None:
    """It is parsed, and not run."""
    subprocess.run(["bash", "-n"], input=script(job), text=True, check=True)


@pytest.mark.parametrize("script", [recipes.github_script, recipes.gitlab_script])
def test_the_comment_is_found_by_the_first_line_of_the_plan(script: Any) -> None:
    """The marker of the recipes is that of the command."""
    assert f'startswith("{markdown.MARKER}")' in script("plan")


def test_the_options_of_the_recipes_exist() -> None:
    """A renamed option would break pipelines that users have copied."""
    for text in (recipes.text("github-planton.yml"), recipes.text("gitlab-ci.yml")):
        uses = re.findall(r"\bplanton (plan|apply|drift|setup)\b([^>|\n]*)", text)
        assert {"plan", "apply", "drift"} <= {command for command, _ in uses}
        for command, rest in uses:
            options = {name for each in group.cli.get_command(None, command).params for name in each.opts}  # type: ignore[arg-type]
            assert set(re.findall(r"(?<= )--?[a-z]+", rest)) <= options


@pytest.mark.skipif(shutil.which("actionlint") is None, reason="actionlint is not installed")
def test_actionlint_accepts_the_workflow(tmp_path: pathlib.Path) -> None:
    """The linter of the community knows the types of expressions and the inputs of actions."""
    file = tmp_path / "planton.yml"
    file.write_text(recipes.text("github-planton.yml"), "utf-8")
    done = subprocess.run(["actionlint", str(file)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
