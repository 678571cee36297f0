"""Everything about one applied resource, as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planton.base import terminal
from planton.cli import render, times
from planton.manifest import stack_input

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import planton


def lines(overview: planton.Overview) -> list[str]:
    """Returns a resource: its condition, its manifest and its outputs."""
    data: Any = stack_input.as_dict(overview.applied.manifest)
    outputs = (data.get("status") or {}).get("outputs") or {}
    return [
        *fields(_condition(overview)),
        *section("Labels", _yaml(data["metadata"].get("labels"))),
        *section("Annotations", _yaml(data["metadata"].get("annotations"))),
        *section("Drift", drift(overview)),
        *section("Spec", _yaml(data.get("spec"))),
        *section("Outputs", _yaml(outputs)),
    ]


def _condition(overview: planton.Overview) -> list[tuple[str, str]]:
    applied, summary = overview.applied, overview.summary
    ready = "?" if summary.ready is None else str(summary.ready)
    return [
        ("Name", applied.key.name),
        ("Kind", applied.key.kind),
        ("Environment", applied.key.env),
        ("ID", applied.identity),
        ("Status", summary.status),
        ("Version", summary.version),
        ("Region", overview.region),
        ("Nodes", "" if summary.desired is None else f"{ready} of {summary.desired} active"),
        ("Sizes", ", ".join(summary.sizes)),
        ("Created", f"{times.utc(summary.created)} ({times.age(summary.created)} ago)" if summary.created else ""),
        ("Applied", times.utc(applied.updated)),
        ("Stack", str(applied.stack)),
        ("Folder", applied.origin),
        ("Protected", "yes" if applied.protected else ""),
    ]


def drift(overview: planton.Overview) -> list[str]:
    """Returns how the cloud differs from what was applied, a line each; none if it does not."""
    missing = [f"{name}: missing from the cloud" for name in overview.missing]
    return [*missing, *map(str, overview.drift or ())]


def fields(listed: Iterable[tuple[str, str]]) -> list[str]:
    """Returns names and values as aligned lines, without those that have no value."""
    rows = [(f"{name}:", terminal.one_line(value)) for name, value in listed if value]
    width = max((len(name) for name, _ in rows), default=0)
    return [f"{name.ljust(width)}  {value}" for name, value in rows]


def section(title: str, body: Sequence[str]) -> list[str]:
    """Returns lines under a title; none without lines."""
    return ["", terminal.style(f"{title}:", "bold"), *(f"  {line}" for line in body)] if body else []


def _yaml(data: Any) -> list[str]:  # JSON data
    return render.yaml_text([data]).splitlines() if data else []
