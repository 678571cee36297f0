"""Tables, which kubectl requests instead of objects."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]
_NODE_COLUMNS = (
    ("Name", 0),
    ("Status", 0),
    ("Roles", 0),
    ("Age", 0),
    ("Version", 0),
    ("Internal-IP", 1),
    ("External-IP", 1),
    ("OS-Image", 1),
    ("Kernel-Version", 1),
    ("Container-Runtime", 1),
)
_NAMESPACE_COLUMNS = (("Name", 0), ("Status", 0), ("Age", 0))
_PLAIN_COLUMNS = (("Name", 0), ("Age", 0))
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def requested(accept: str) -> bool:
    """Returns whether an ``Accept`` header prefers a table."""
    return "as=Table" in accept.partition(",")[0]


def table(kind: str, items: Sequence[Object], *, version: str, include: str, now: float) -> dict[str, Any]:
    """Returns the objects of a kind as a table.

    Args:
        kind: The kind, such as ``Node``.
        items: The objects.
        version: The list's resource version.
        include: What each row has besides the cells: ``None``, ``Metadata`` or ``Object``.
        now: The current time in seconds since the epoch, for ages.
    """
    columns = {"Node": _NODE_COLUMNS, "Namespace": _NAMESPACE_COLUMNS}.get(kind, _PLAIN_COLUMNS)
    rows = []
    for item in items:
        row: dict[str, Any] = {"cells": _cells(kind, item, now=now)}
        if include == "Object":
            row["object"] = item
        elif include != "None":
            row["object"] = {
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": item["metadata"],
            }
        rows.append(row)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": [
            {
                "name": name,
                "type": "string",
                "format": "name" if name == "Name" else "",
                "description": name,
                "priority": priority,
            }
            for name, priority in columns
        ],
        "rows": rows,
    }


def age(created: str, *, now: float) -> str:
    """Returns the time since ``created`` as kubectl prints it, in one or two units."""
    moment = datetime.datetime.strptime(created, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.UTC)
    seconds = max(int(now - moment.timestamp()), 0)
    if seconds < 2 * _MINUTE:
        return f"{seconds}s"
    if seconds < 10 * _MINUTE:
        return _two(seconds, _MINUTE, "m", 1, "s")
    if seconds < 3 * _HOUR:
        return f"{seconds // _MINUTE}m"
    if seconds < 8 * _HOUR:
        return _two(seconds, _HOUR, "h", _MINUTE, "m")
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR}h"
    return f"{seconds // _DAY}d"


def _two(seconds: int, large: int, large_name: str, small: int, small_name: str) -> str:
    rest = seconds % large // small
    return f"{seconds // large}{large_name}" + (f"{rest}{small_name}" if rest else "")


def _cells(kind: str, item: Object, *, now: float) -> list[str]:
    name, since = item["metadata"]["name"], age(item["metadata"]["creationTimestamp"], now=now)
    if kind == "Namespace":
        return [name, "Active", since]
    if kind != "Node":
        return [name, since]
    status = item["status"]
    info, addresses = status["nodeInfo"], {entry["type"]: entry["address"] for entry in status["addresses"]}
    return [
        name,
        _status(item),
        "<none>",
        since,
        info["kubeletVersion"],
        addresses.get("InternalIP", "<none>"),
        addresses.get("ExternalIP", "<none>"),
        info["osImage"],
        info["kernelVersion"],
        info["containerRuntimeVersion"],
    ]


def _status(item: Object) -> str:
    ready = any(entry["type"] == "Ready" and entry["status"] == "True" for entry in item["status"]["conditions"])
    return ("Ready" if ready else "NotReady") + (",SchedulingDisabled" if item["spec"].get("unschedulable") else "")
