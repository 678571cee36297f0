"""The CI recipes in ops/ci, as data."""

from __future__ import annotations

import pathlib
import re
from typing import Any

import yaml

_FOLDER = pathlib.Path(__file__).resolve().parents[2] / "ops" / "ci"


class _Loader(yaml.SafeLoader):
    """Reads ``on`` as a word, as the forges do."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in listed if tag != "tag:yaml.org,2002:bool"]
    for first, listed in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), list("tf"))


def text(name: str) -> str:
    """Returns a recipe."""
    return (_FOLDER / name).read_text("utf-8")


def github() -> Any:
    """Returns the workflow for GitHub Actions."""
    return yaml.load(text("github-planton.yml"), Loader=_Loader)  # a subclass of the safe loader


def gitlab() -> Any:
    """Returns the pipeline for GitLab CI."""
    return yaml.load(text("gitlab-ci.yml"), Loader=_Loader)  # a subclass of the safe loader


def github_script(job: str) -> str:
    """Returns the steps of a job, without its installation, as one script that continues after a failed step if the step says so."""
    steps = [step for step in github()["jobs"][job]["steps"] if "run" in step and step["name"] != "Install"]
    parts = ["failed=0"]
    for step in steps:
        guard = "true" if step.get("if") == "always()" else '[ "$failed" -eq 0 ]'
        # GitHub writes each step into a file for `bash -e`.
        parts.append(f"if {guard}; then bash -e <<'STEP' || failed=$?\n{step['run']}\nSTEP\nfi")
    return "\n".join([*parts, 'exit "$failed"'])


def gitlab_script(job: str) -> str:
    """Returns the lines of a job as one script, as a runner does."""
    return "\n".join(["set -eo pipefail", *gitlab()[job]["script"]])
