"""The table of applied resources."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

import planton
from planton import errors
from planton.cli import columns, times, watching
from planton.clouds import views
from planton.engine import plans
from support import overviews

CLUSTER = views.Summary(version="1.30.5-k3s1", sizes=("small", "large"), ready=2, desired=3, created="2026-01-01T00:00:00Z")


def _names(listed: list[planton.Overview]) -> list[str]:
    return [each.key.name for each in listed]


def test_a_row_shows_condition_nodes_sizes_and_drift() -> None:
    """What is unknown is a question mark; what a resource does not have is a dash."""
    drift = (plans.Difference("pools.nodeCount", 2, 3),)
    row = columns.row(overviews.cluster("dev", summary=CLUSTER, drift=drift))
    assert row[:8] == ("dev", "CivoKubernetesCluster", "dev", "Ready", "1.30.5-k3s1", "lon1", "2/3", "small +1")
    assert row[9] == "1"
    network = columns.row(
        overviews.network("net", summary=views.Summary(status="Unknown"), drift=None, problem=errors.usage("no"))
    )
    assert network[3:10] == ("Unknown", "-", "lon1", "-", "-", "-", "?")
    assert columns.drift(overviews.network("net", missing=("network",))) == "missing"
    assert columns.drift(overviews.network("net", drift=())) == "no"


@pytest.mark.parametrize(
    ("width", "lost"),
    [
        (200, set()),
        (95, {"SIZE"}),
        (61, {"SIZE", "REGION", "AGE", "VERSION"}),
        (10, {"SIZE", "REGION", "AGE", "VERSION", "ENV", "KIND"}),
    ],
)
def test_a_narrow_terminal_loses_the_least_important_columns(width: int, lost: set[str]) -> None:
    """Name, status, nodes and drift stay."""
    rows = [columns.HEADER, columns.row(overviews.cluster("dev-cluster", summary=CLUSTER))[:10]]
    assert set(columns.HEADER) - set(columns.fit(rows, width)[0]) == lost


@pytest.mark.parametrize(
    ("by", "order"),
    [
        ("", ["b", "a", "net"]),
        ("name", ["a", "b", "net"]),
        ("age", ["a", "b", "net"]),
        ("nodes", ["net", "b", "a"]),
        (".metadata.name", ["a", "b", "net"]),
        ("{.observed.nodes.desired}", ["b", "a", "net"]),
    ],
)
def test_resources_are_sorted_by_a_column_or_a_path(by: str, order: list[str]) -> None:
    """The youngest comes first; what has no such value comes last."""
    listed = [
        overviews.cluster("b", summary=views.Summary(desired=1, created="2026-01-01T00:00:00Z")),
        overviews.cluster("a", summary=views.Summary(desired=2, created="2026-01-02T00:00:00Z")),
        overviews.network("net"),
    ]
    assert _names(columns.sort(listed, by)) == order


def test_an_unknown_column_lists_the_columns() -> None:
    """It is a mistake in the command."""
    with pytest.raises(errors.PlantonError) as caught:
        columns.sort([], "colour")
    assert caught.value.code == errors.Code.USAGE
    assert "status" in caught.value.hint


def test_a_watch_shows_only_what_changes() -> None:
    """A line for each resource that is new, has changed or is gone; its age alone is no change."""
    waits: list[float] = []
    snapshots: Any = iter(
        [
            [overviews.cluster("dev", summary=CLUSTER)],
            [
                overviews.cluster(
                    "dev", summary=views.Summary(version="1.30.5-k3s1", sizes=("small", "large"), ready=2, desired=3)
                )
            ],
            [overviews.cluster("dev", summary=views.Summary(status="Upgrading"))],
            [overviews.network("net")],
        ]
    )
    lines = watching.rows(watching.repeat(lambda: next(snapshots), 5.0, wait=waits.append), wide=False)
    assert next(lines).split()[:4] == ["NAME", "KIND", "ENV", "STATUS"]
    assert next(lines).split()[3] == "Ready"
    assert waits == []
    assert next(lines).split()[3] == "Upgrading"
    assert waits == [5.0, 5.0]
    assert next(lines).split()[:1] == ["net"]
    assert next(lines).split()[3] == "Deleted"


@pytest.mark.parametrize(
    ("text", "age"),
    [
        ("2026-01-01T00:00:00Z", "9d"),
        ("2026-01-09T23:00:00Z", "1h"),
        ("2026-01-09T23:59:59Z", "1s"),
        ("2026-01-11T00:00:00Z", "0s"),
        ("", "-"),
        ("soon", "-"),
        ("2026-01-01T00:00:00", "-"),
    ],
)
def test_an_age_is_in_its_largest_unit(text: str, age: str) -> None:
    """As kubectl shows it; a text that is no moment has none."""
    assert times.age(text, datetime.datetime(2026, 1, 10, tzinfo=datetime.UTC)) == age
