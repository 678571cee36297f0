"""Other forms of objects that clients request: tables, and metadata only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from planton_sandbox.kubernetes import columns

Object = Mapping[str, Any]


def requested(accept: str) -> bool:
    """Returns whether an ``Accept`` header prefers a table."""
    return "as=Table" in accept.partition(",")[0]


def table(kind: str, items: Sequence[Object], *, meta: Object, include: str, now: float) -> dict[str, Any]:
    """Returns the objects of a kind as a table.

    Args:
        kind: The kind, such as ``Node``.
        items: The objects.
        meta: The metadata of the list.
        include: What each row has besides the cells: ``None``, ``Metadata`` or ``Object``.
        now: The current time in seconds since the epoch, for ages.
    """
    chosen = columns.COLUMNS.get(kind, columns.PLAIN)
    rows = []
    for item in items:
        row: dict[str, Any] = {"cells": [column.cell(item, now) for column in chosen]}
        if include == "Object":
            row["object"] = item
        elif include != "None":
            row["object"] = partial(item)
        rows.append(row)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": meta,
        "columnDefinitions": [
            {
                "name": column.title,
                "type": "string",
                "format": "name" if column.title == "Name" else "",
                "description": column.title,
                "priority": column.priority,
            }
            for column in chosen
        ],
        "rows": rows,
    }


def partial(item: Object) -> dict[str, Any]:
    """Returns an object without its spec and status."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item["metadata"]}


def is_partial(accept: str) -> bool:
    """Returns whether an ``Accept`` header prefers metadata only."""
    return "as=PartialObjectMetadata" in accept.partition(",")[0]
