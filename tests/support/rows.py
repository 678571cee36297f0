"""Rows of the API's tables for tests; unset columns have default values."""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from planton_server.store import tables

#: The creation time of rows, and the times one minute and one hour later.
THEN, MINUTE, HOUR = "2026-01-01T10:00:00.000000Z", "2026-01-01T10:01:00.000000Z", "2026-01-01T11:00:00.000000Z"
_RESOURCE = {
    "owner": "user@example.com", "generation": 3, "resource_version": 7, "platform": "gcp", "spec": "{}", "phase": "Progressing",
    "reason": "", "message": "", "observed_generation": 0, "status_time": THEN, "conditions": "[]", "replacement": "",
    "ready_generation": 0, "deadline": None, "resync_at": None, "created_at": THEN, "updated_at": THEN, "deleted_at": None,
}  # fmt: skip
_EVENT = {
    "transaction_id": 0, "type": "nodepool.updated", "kind": "NodePool", "resource_id": "r", "cluster_id": "c", "name": "n",
    "owner": "user@example.com", "generation": 1, "actor": "user@example.com", "time": THEN, "replacement": "",
}  # fmt: skip

_AUDIT = {
    "resource_id": "r", "kind": "NodePool", "cluster_id": "c", "name": "n", "owner": "user@example.com", "generation": 1,
    "action": "scale", "cause": "Autoscaling", "reason": "", "outcome": "Started", "error": "", "requested_by": "",
    "controller_name": "planton-civo", "process": "", "recorded_by": "", "changes": "[]", "created_at": THEN, "ended_at": None,
}  # fmt: skip


def cluster(engine: sa.Engine, **values: object) -> str:
    """Inserts a cluster and returns its ID."""
    identifier = str(uuid.uuid4())
    row = _RESOURCE | {"id": identifier, "name": f"cluster-{identifier}", "target_project_id": ""} | values
    _insert(engine, tables.CLUSTERS, row)
    return identifier


def node_pool(engine: sa.Engine, cluster_id: str, **values: object) -> str:
    """Inserts a node pool and returns its ID."""
    identifier = str(uuid.uuid4())
    _insert(
        engine, tables.NODE_POOLS, _RESOURCE | {"id": identifier, "name": f"pool-{identifier}", "cluster_id": cluster_id} | values
    )
    return identifier


def event(engine: sa.Engine, **values: object) -> str:
    """Inserts an event and returns its ID."""
    identifier = str(uuid.uuid4())
    _insert(engine, tables.EVENTS, _EVENT | {"id": identifier} | values)
    return identifier


def audit(engine: sa.Engine, **values: object) -> str:
    """Inserts an action of a controller and returns its ID."""
    identifier = str(uuid.uuid4())
    _insert(engine, tables.AUDIT, _AUDIT | {"id": identifier} | values)
    return identifier


def read(engine: sa.Engine, table: sa.Table, identifier: str) -> sa.RowMapping:
    """Returns the row with an ID."""
    with engine.connect() as connection:
        return connection.execute(sa.select(table).where(table.c.id == identifier)).mappings().one()


def events(engine: sa.Engine) -> list[sa.RowMapping]:
    """Returns all events by their numbers."""
    with engine.connect() as connection:
        return list(connection.execute(sa.select(tables.EVENTS).order_by(tables.EVENTS.c.number)).mappings())


def _insert(engine: sa.Engine, table: sa.Table, row: dict[str, object]) -> None:
    with engine.begin() as connection:
        connection.execute(sa.insert(table).values(row))
