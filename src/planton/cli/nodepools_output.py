"""The output of ``planton nodepools`` and ``planton clusters``: tables, events and statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from planton.cli import render, times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_HEALTH: Final = {"Ready": "healthy", "Degraded": "unhealthy", "Failed": "unhealthy"}


class Kind(NamedTuple):
    """The differences between the two groups of commands.

    Attributes:
        plural: The name of the group and of the resources in paths.
        noun: The name of a resource in texts.
        header: The header of the table.
        row: Returns the row of a resource.
    """

    plural: str
    noun: str
    header: tuple[str, ...]
    row: Callable[[Mapping[str, Any]], tuple[str, ...]]


def _columns(item: Mapping[str, Any]) -> tuple[str, ...]:
    phase = item["status"]["phase"]
    is_paused = any(each["type"] == "Paused" and each["status"] == "True" for each in item["status"]["conditions"])
    shown = f"{phase}, paused" if is_paused else phase
    return (shown, _HEALTH.get(phase, "unknown"), str(item["generation"]), times.age(item["created_at"]), item["id"])


def _pool_row(item: Mapping[str, Any]) -> tuple[str, ...]:
    spec = item["spec"]
    scaling = spec.get("autoscaling", {})
    bounds = f" ({scaling.get('minNodes', 0)}–{scaling.get('maxNodes', 0)})" if scaling.get("enabled") else ""
    return (item["name"], spec["platform"]["type"], f"{spec.get('nodeCount', '-')}{bounds}", *_columns(item))


def _cluster_row(item: Mapping[str, Any]) -> tuple[str, ...]:
    return (item["name"], item["spec"]["platform"]["type"], *_columns(item))


_COLUMNS: Final = ("PHASE", "HEALTH", "GENERATION", "AGE", "ID")
NODE_POOL: Final = Kind("nodepools", "node pool", ("NAME", "PLATFORM", "NODES", *_COLUMNS), _pool_row)
CLUSTER: Final = Kind("clusters", "cluster", ("NAME", "PLATFORM", *_COLUMNS), _cluster_row)


def show_data(data: Any, form: str) -> None:  # JSON data
    """Prints data as ``json`` or ``yaml``."""
    if form == "json":
        render.echo_json(data)
    else:
        render.echo_yaml([data])


def show(kind: Kind, item: Mapping[str, Any], form: str) -> None:
    """Prints a resource as ``table``, ``json`` or ``yaml``."""
    if form == "table":
        render.echo_lines(render.table([kind.header, kind.row(item)]))
    else:
        show_data(item, form)


def event_line(event: Mapping[str, Any]) -> str:
    """Returns the line of an event."""
    replaced = f"; replaces nodes: {', '.join(event['replacement']['fields'])}" if "replacement" in event else ""
    return (
        f"{event['time']}  {event['type']:24}  {event['resource']['name']}  generation {event['generation']}  {event['actor']}{replaced}"
        f"  {event['cursor']}"
    )


def status_lines(data: Mapping[str, Any]) -> Sequence[str]:
    """Returns the lines of a status, with the report of each controller."""
    status = data["status"]
    lines = [f"{status['phase']}: {status['message']}", *(_condition_lines(status["conditions"]))]
    for report in data["controller_status"]:
        lines += [
            "",
            f"{report['controller_name']}, generation {report['observed_generation']}, {report['updated_at']}",
            *_condition_lines(report["conditions"]),
        ]
        if error := report.get("last_error"):
            lines.append(f"  {error['error_type']} {error.get('error_code', '')}: {error.get('message', '')}")
    return lines


def _condition_lines(conditions: Sequence[Mapping[str, Any]]) -> list[str]:
    return [
        f"  {condition['type']}={condition['status']}  {condition['reason']}  {condition['message']}".rstrip()
        for condition in conditions
    ]
