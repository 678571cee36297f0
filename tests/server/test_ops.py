"""The dashboard and the alert rules ask for numbers that a server has, with labels that they have."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import NamedTuple

import pytest
import yaml
from prometheus_client import parser

from support import metrics_of_controllers, serving

ROOT = pathlib.Path(__file__).resolve().parents[2]
DASHBOARD = ROOT / "ops" / "grafana-dashboard.json"
RULES = ROOT / "ops" / "prometheus-alerts.yaml"
#: Words of PromQL that are no names of numbers.
WORDS = {"sum", "max", "min", "by", "rate", "increase", "histogram_quantile", "absent", "vector", "or", "unless"}
#: Labels that Prometheus adds.
ADDED = {"instance", "job"}


class Selector(NamedTuple):
    """A number that a query asks for, and the labels that it must have."""

    name: str
    matchers: dict[str, str]


def selectors(query: str) -> list[Selector]:
    """Return what a query asks for."""
    text = re.sub(r"\[[^\]]*\]", "", query)
    text = re.sub(r"\bby\s*\([^)]*\)", "", text)
    matches = re.finditer(r"\b([a-z_][a-z0-9_]*)\b(?:\{([^}]*)\})?", re.sub(r'"[^"]*"(?![^{]*\})', "", text))
    return [
        Selector(one[1], dict(re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"', one[2] or "")))
        for one in matches
        if one[1] not in WORDS
    ]


def grouped(query: str) -> set[str]:
    """Return the labels by which a query groups."""
    return {label.strip() for labels in re.findall(r"\bby\s*\(([^)]*)\)", query) for label in labels.split(",")}


def wrong(query: str, exported: dict[str, set[str]]) -> list[str]:
    """Return what is wrong with a query, given the names and labels of numbers."""
    asked = selectors(query)
    if not asked:
        return ["asks for nothing"]
    missing = [f"{one.name} is no number" for one in asked if one.name not in exported]
    labels = {label for one in asked for label in exported.get(one.name, ())} | ADDED
    missing += [
        f"{one.name} has no {label}" for one in asked for label in one.matchers if label not in exported.get(one.name, ())
    ]
    missing += [f"nothing has {label}" for label in grouped(query) - labels]
    if query.count("(") != query.count(")"):
        missing.append("brackets do not match")
    return missing


def dashboard() -> Iterator[tuple[str, dict[str, str]]]:
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", ()):
            yield f"{panel['title']} {target['refId']}", target


def rules() -> Iterator[tuple[str, dict[str, object]]]:
    for group in yaml.safe_load(RULES.read_text())["groups"]:
        for rule in group["rules"]:
            yield rule["alert"], rule


@pytest.fixture(scope="module")
def exported(loop, new_url) -> dict[str, set[str]]:
    """Name → labels of each number that a server with a pool and a controller has, and of those of a controller."""
    with serving.within(loop, new_url("sqlite")) as server:
        _, pool = server.pool()
        server.call("PUT", f"/nodepools/{pool}/status", serving.REPORT)
        claim = {"process": "p", "platforms": ["gcp"], "limit": 1}
        server.call("POST", "/work/claims", claim, headers={"X-User-Email": "controller@system.local"})
        text = server.anonymous.get("/metrics").text + metrics_of_controllers.text()
        families = parser.text_string_to_metric_families(text)
        labels: dict[str, set[str]] = {}
        for family in families:
            for sample in family.samples:
                labels.setdefault(sample.name, set()).update(sample.labels)
        return labels


@pytest.mark.parametrize(("title", "target"), [pytest.param(*one, id=one[0]) for one in dashboard()])
def test_panels_ask_for_what_there_is(exported: dict[str, set[str]], title: str, target: dict[str, str]) -> None:
    """And name their lines by labels that the answer has."""
    assert wrong(target["expr"], exported) == []
    assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= grouped(target["expr"])


def test_no_panel_lies_on_another() -> None:
    """Each has its place in the 24 columns."""
    places = [panel["gridPos"] for panel in json.loads(DASHBOARD.read_text())["panels"]]
    fields = [(place["x"] + x, place["y"] + y) for place in places for x in range(place["w"]) for y in range(place["h"])]
    assert len(fields) == len(set(fields))
    assert {x for x, _ in fields} == set(range(24))


@pytest.mark.parametrize(("name", "rule"), [pytest.param(*one, id=one[0]) for one in rules()])
def test_alerts_ask_for_what_there_is(exported: dict[str, set[str]], name: str, rule: dict[str, object]) -> None:
    """And say what is wrong by labels that the answer has, and what to do."""
    assert wrong(rule["expr"], exported) == []
    assert set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])) <= grouped(rule["expr"])
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["description"].endswith("."), name


def test_every_number_of_ours_is_shown_and_described(exported: dict[str, set[str]]) -> None:
    """A number that nobody looks at costs and tells nothing."""
    ours = {name for name in exported if name.startswith("planton_") and not name.endswith(("_created", "_sum", "_count"))}
    shown = {one.name for _, target in dashboard() for one in selectors(target["expr"])}
    assert ours == shown
    rows = [line for line in (ROOT / "docs" / "reference" / "metrics.md").read_text().splitlines() if line.startswith("| `")]
    for name in ours:
        [row] = [row for row in rows if f"`{name.removesuffix('_bucket')}`" in row]
        assert [label for label in exported[name] - {"le"} if f"`{label}`" not in row] == [], name


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('sum(rate(planton_requests_total{code="500"}[5m]))', []),
        ("sum(rate(planton_request_total[5m]))", ["planton_request_total is no number"]),
        ('planton_nodepools{fase="Failed"}', ["planton_nodepools has no fase"]),
        ("sum by (cloud) (planton_nodepools)", ["nothing has cloud"]),
        ("sum(planton_nodepools", ["brackets do not match"]),
        ("1 > 0", ["asks for nothing"]),
    ],
)
def test_a_wrong_query_would_be_found(exported: dict[str, set[str]], query: str, expected: list[str]) -> None:
    """What reads the queries sees their mistakes."""
    assert wrong(query, exported) == expected


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not on PATH")
def test_prometheus_takes_the_rules() -> None:
    """By its own program, where that is installed."""
    done = subprocess.run(["promtool", "check", "rules", str(RULES)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
