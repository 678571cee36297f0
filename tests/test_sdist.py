"""The source distribution contains all linked files, and no build results."""

from __future__ import annotations

import pathlib
import re

import pytest
from hatchling.builders import sdist, wheel

ROOT = pathlib.Path(__file__).resolve().parents[1]
#: Folders that the tools of other languages create.
BUILT = {"__pycache__", "dist", "node_modules", "target"}


@pytest.fixture(scope="module")
def files() -> set[str]:
    """The files of the source distribution, as paths from its root."""
    return {file.relative_path for file in sdist.SdistBuilder(str(ROOT)).recurse_included_files()}


def test_the_distribution_contains_all_linked_files(files: set[str]) -> None:
    """The links are those of the docs and the README."""
    missing = []
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
            if "://" not in link:
                target = (page.parent / link).resolve().relative_to(ROOT).as_posix()
                missing += [] if any(f"{file}/".startswith(f"{target}/") for file in files) else [f"{page.name}: {link}"]
    assert missing == []


def test_the_distribution_contains_the_dashboard_and_the_alert_rules(files: set[str]) -> None:
    """The docs mention their paths."""
    assert {"ops/grafana-dashboard.json", "ops/prometheus-alerts.yaml", "docs/operate/monitoring.md"} <= files


def test_uncommitted_stubs_can_be_built_from_the_distribution(files: set[str]) -> None:
    """It contains generators, templates and protos, but no generated TypeScript or Java."""
    needed = {"tools/generate.py", "tools/fetch_protos.py", "buf.yaml", "buf.gen.ts.yaml", "buf.gen.java.yaml"}
    assert needed | {"gen/ts/package.json", "gen/java/generator", "gen/java/pom.xml", "Makefile", "requirements.lock"} <= files
    assert [file for file in files if file.startswith(("gen/ts/src/", "gen/java/src/"))] == []


def test_the_distribution_contains_no_build_results(files: set[str]) -> None:
    """Classes and packages of other languages would make it a hundred times larger."""
    assert [file for file in files if BUILT & set(file.split("/"))] == []


def test_the_wheel_contains_the_generated_schemas() -> None:
    """`planton schema` prints them. `schemas/` is linked into the package, so that they are committed once."""
    built = {file.distribution_path for file in wheel.WheelBuilder(str(ROOT)).recurse_included_files()}
    expected = {f"planton/schema/files/{path.relative_to(ROOT / 'schemas')}" for path in (ROOT / "schemas").rglob("*.*")}
    assert expected
    assert expected <= built
