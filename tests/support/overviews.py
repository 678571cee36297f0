"""Applied resources with a condition, made without a backend and a cloud."""

from __future__ import annotations

import json
from typing import Any

import planton
from planton.clouds import views
from planton.engine import stacks
from planton.schema import references
from planton.state import inventory
from support import planton as support


def cluster(name: str, *, summary: views.Summary | None = None, **condition: Any) -> planton.Overview:
    """Returns a cluster."""
    return _of(support.cluster(network={"value": "net"}), name, summary, condition)


def network(name: str, *, summary: views.Summary | None = None, **condition: Any) -> planton.Overview:
    """Returns a network."""
    return _of(support.network(), name, summary, condition)


def _of(data: dict[str, Any], name: str, summary: views.Summary | None, condition: dict[str, Any]) -> planton.Overview:
    data["metadata"]["name"] = name
    (resource,) = planton.load(json.dumps(data))
    key = references.key(resource.manifest)
    stack = stacks.derived(key.kind, key.name, key.env)
    applied = inventory.Applied(key, stack, resource.manifest, 1, "2026-01-01T00:00:00Z", "lon1")
    return planton.Overview(applied=applied, state={}, summary=summary or views.Summary(), **condition)
