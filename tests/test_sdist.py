"""The source distribution: what users are told to look at is in it, and nothing that tools have left behind."""

from __future__ import annotations

import pathlib
import re

import pytest
from hatchling.builders import sdist

ROOT = pathlib.Path(__file__).resolve().parents[1]
#: Folders that the tools of other languages make.
LEFT = {"__pycache__", "dist", "node_modules", "target"}


@pytest.fixture(scope="module")
def files() -> set[str]:
    """What the sdist holds, as paths from its root."""
    return {one.relative_path for one in sdist.SdistBuilder(str(ROOT)).recurse_included_files()}


def test_what_docs_lead_to_is_there(files: set[str]) -> None:
    """Each file or folder that a page of the docs or the README links."""
    missing = []
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
            if "://" not in link:
                target = (page.parent / link).resolve().relative_to(ROOT).as_posix()
                missing += [] if any(f"{one}/".startswith(f"{target}/") for one in files) else [f"{page.name}: {link}"]
    assert missing == []


def test_what_operators_use_is_there(files: set[str]) -> None:
    """The dashboard and the alert rules, which the docs name by their paths."""
    assert {"ops/grafana-dashboard.json", "ops/prometheus-alerts.yaml", "docs/operate/monitoring.md"} <= files


def test_the_stubs_that_are_not_committed_can_be_built(files: set[str]) -> None:
    """The generators, their templates and the protos are there; the TypeScript and Java that they write is not."""
    needed = {"tools/generate.py", "tools/fetch_protos.py", "buf.yaml", "buf.gen.ts.yaml", "buf.gen.java.yaml"}
    assert needed | {"gen/ts/package.json", "gen/java/generator", "gen/java/pom.xml", "Makefile", "requirements.lock"} <= files
    assert [one for one in files if one.startswith(("gen/ts/src/", "gen/java/src/"))] == []


def test_nothing_is_there_that_a_tool_has_left(files: set[str]) -> None:
    """Neither built classes nor packages of others, which take a hundred times the room."""
    assert [one for one in files if LEFT & set(one.split("/"))] == []
