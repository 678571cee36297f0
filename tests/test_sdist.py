"""The source distribution holds what the docs link to, and no build results."""

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
    return {one.relative_path for one in sdist.SdistBuilder(str(ROOT)).recurse_included_files()}


def test_it_has_what_the_docs_link_to(files: set[str]) -> None:
    """Each file or folder that a page of the docs or the README links."""
    missing = []
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for link in re.findall(r"\]\(([^)#\s]+)", page.read_text("utf-8")):
            if "://" not in link:
                target = (page.parent / link).resolve().relative_to(ROOT).as_posix()
                missing += [] if any(f"{one}/".startswith(f"{target}/") for one in files) else [f"{page.name}: {link}"]
    assert missing == []


def test_it_has_the_dashboard_and_the_alert_rules(files: set[str]) -> None:
    """The docs name them by their paths."""
    assert {"ops/grafana-dashboard.json", "ops/prometheus-alerts.yaml", "docs/operate/monitoring.md"} <= files


def test_the_stubs_that_are_not_committed_can_be_built(files: set[str]) -> None:
    """The generators, their templates and the protos are there; the TypeScript and Java that they write is not."""
    needed = {"tools/generate.py", "tools/fetch_protos.py", "buf.yaml", "buf.gen.ts.yaml", "buf.gen.java.yaml"}
    assert needed | {"gen/ts/package.json", "gen/java/generator", "gen/java/pom.xml", "Makefile", "requirements.lock"} <= files
    assert [one for one in files if one.startswith(("gen/ts/src/", "gen/java/src/"))] == []


def test_it_has_no_build_results(files: set[str]) -> None:
    """Classes and packages of other languages would take a hundred times the space."""
    assert [one for one in files if BUILT & set(one.split("/"))] == []


def test_the_wheel_has_the_generated_schemas() -> None:
    """`planton schema` prints them; `schemas/` is linked into the package, so that they are committed once."""
    built = {one.distribution_path for one in wheel.WheelBuilder(str(ROOT)).recurse_included_files()}
    expected = {f"planton/schema/files/{path.relative_to(ROOT / 'schemas')}" for path in (ROOT / "schemas").rglob("*.*")}
    assert expected
    assert expected <= built
