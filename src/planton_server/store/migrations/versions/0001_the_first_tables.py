"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the change. Servers of the release before must be able to go on while it is made and after."""
    op.create_table(
        "answers",
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("identity", "key", name="pk_answers"),
    )
    op.create_index("ix_answers_created_at", "answers", ["created_at"])

    op.create_table(
        "clusters",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("resource_version", sa.BigInteger(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("observed_generation", sa.BigInteger(), nullable=False),
        sa.Column("status_time", sa.Text(), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("replacement", sa.Text(), nullable=False),
        sa.Column("ready_generation", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.Text(), nullable=True),
        sa.Column("resync_at", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.Column("deleted_at", sa.Text(), nullable=True),
        sa.Column("target_project_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_clusters"),
        sa.UniqueConstraint("owner", "name", name="uq_clusters_owner_name"),
    )
    op.create_index("ix_clusters_created_at_id", "clusters", ["created_at", "id"])
    op.create_index(
        "ix_clusters_deadline",
        "clusters",
        ["deadline"],
        postgresql_where=sa.text("deadline IS NOT NULL AND phase <> 'Failed' AND deleted_at IS NULL"),
        sqlite_where=sa.text("deadline IS NOT NULL AND phase <> 'Failed' AND deleted_at IS NULL"),
    )
    op.create_index("ix_clusters_owner_created_at_id", "clusters", ["owner", "created_at", "id"])
    op.create_index(
        "ix_clusters_resync_at",
        "clusters",
        ["resync_at"],
        postgresql_where=sa.text("resync_at IS NOT NULL"),
        sqlite_where=sa.text("resync_at IS NOT NULL"),
    )

    op.create_table(
        "events",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("transaction_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.Text(), nullable=False),
        sa.Column("cluster_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("time", sa.Text(), nullable=False),
        sa.Column("replacement", sa.Text(), nullable=False),
        sa.Column("acknowledged_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("number", name="pk_events"),
        sa.UniqueConstraint("id", name="uq_events_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_events_time", "events", ["time"])
    op.create_index(
        "ix_events_unacknowledged",
        "events",
        ["time"],
        postgresql_where=sa.text("acknowledged_at IS NULL AND type IN ('cluster.deleted', 'nodepool.deleted')"),
        sqlite_where=sa.text("acknowledged_at IS NULL AND type IN ('cluster.deleted', 'nodepool.deleted')"),
    )
    op.create_index("ix_events_transaction_id_number", "events", ["transaction_id", "number"])

    op.create_table(
        "reports",
        sa.Column("resource_id", sa.Text(), nullable=False),
        sa.Column("controller_name", sa.Text(), nullable=False),
        sa.Column("observed_generation", sa.BigInteger(), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("metadata", sa.Text(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("resource_id", "controller_name", name="pk_reports"),
    )
    op.create_table(
        "tokens",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name="pk_tokens"),
    )
    op.create_table(
        "node_pools",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("resource_version", sa.BigInteger(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("observed_generation", sa.BigInteger(), nullable=False),
        sa.Column("status_time", sa.Text(), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("replacement", sa.Text(), nullable=False),
        sa.Column("ready_generation", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.Text(), nullable=True),
        sa.Column("resync_at", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("updated_at", sa.Text(), nullable=False),
        sa.Column("deleted_at", sa.Text(), nullable=True),
        sa.Column("cluster_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cluster_id"],
            ["clusters.id"],
        ),
        sa.PrimaryKeyConstraint("id", name="pk_node_pools"),
        sa.UniqueConstraint("cluster_id", "name", name="uq_node_pools_cluster_id_name"),
    )
    op.create_index("ix_node_pools_cluster_id_created_at_id", "node_pools", ["cluster_id", "created_at", "id"])
    op.create_index("ix_node_pools_created_at_id", "node_pools", ["created_at", "id"])
    op.create_index(
        "ix_node_pools_deadline",
        "node_pools",
        ["deadline"],
        postgresql_where=sa.text("deadline IS NOT NULL AND phase <> 'Failed' AND deleted_at IS NULL"),
        sqlite_where=sa.text("deadline IS NOT NULL AND phase <> 'Failed' AND deleted_at IS NULL"),
    )
    op.create_index("ix_node_pools_owner_created_at_id", "node_pools", ["owner", "created_at", "id"])
    op.create_index("ix_node_pools_phase_created_at_id", "node_pools", ["phase", "created_at", "id"])
    op.create_index("ix_node_pools_platform_created_at_id", "node_pools", ["platform", "created_at", "id"])
    op.create_index(
        "ix_node_pools_resync_at",
        "node_pools",
        ["resync_at"],
        postgresql_where=sa.text("resync_at IS NOT NULL"),
        sqlite_where=sa.text("resync_at IS NOT NULL"),
    )
    op.create_table(
        "tallies",
        sa.Column("cluster_id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("cluster_id", "owner", "platform", "phase", "shard", name="pk_tallies"),
    )
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(statement)


#: Rows that a change of one node pool adds, in the order of their key, so that two connections never wait for each other in a circle.
_COUNT = """
INSERT INTO tallies AS t (cluster_id, owner, platform, phase, shard, number)
SELECT * FROM (VALUES {values}) AS changes ORDER BY 1, 2, 3, 4
ON CONFLICT (cluster_id, owner, platform, phase, shard) DO UPDATE SET number = t.number + excluded.number;
"""
_LESS = "('', OLD.owner, OLD.platform, OLD.phase, {shard}, -1), (OLD.cluster_id, OLD.owner, OLD.platform, OLD.phase, {shard}, -1)"
_MORE = "('', NEW.owner, NEW.platform, NEW.phase, {shard}, 1), (NEW.cluster_id, NEW.owner, NEW.platform, NEW.phase, {shard}, 1)"
#: Event → the rows; a phase is all that an update changes of what is counted.
_EVENTS = {"INSERT": _MORE, "DELETE": _LESS, "UPDATE": f"{_LESS}, {_MORE}"}
_SHARDS = 64
#: A statement that changes many phases counts for itself: one row that is written thousands of times in a transaction gets slower each time.
_CHANGED = "OLD.phase <> NEW.phase AND current_setting('planton.counts', true) IS DISTINCT FROM 'itself'"


def _postgresql(event: str) -> list[str]:
    name, changed = f"tally_{event.lower()}", f" WHEN ({_CHANGED})" if event == "UPDATE" else ""
    count = _COUNT.format(values=_EVENTS[event].format(shard=f"pg_backend_pid() % {_SHARDS}"))
    return [
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {count} RETURN NULL; END $$",
        f"CREATE TRIGGER {name} AFTER {event} ON node_pools FOR EACH ROW{changed} EXECUTE FUNCTION {name}()",
    ]


#: A cluster can be deleted with thousands of node pools in one statement, which are counted together.
_DELETED = """
CREATE OR REPLACE FUNCTION tally_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
INSERT INTO tallies AS t (cluster_id, owner, platform, phase, shard, number)
SELECT cluster, owner, platform, phase, mod(pg_backend_pid(), 64), -count(*)
FROM (SELECT '' AS cluster, owner, platform, phase FROM gone UNION ALL SELECT cluster_id, owner, platform, phase FROM gone) AS changes
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
ON CONFLICT (cluster_id, owner, platform, phase, shard) DO UPDATE SET number = t.number + excluded.number;
RETURN NULL; END $$
"""
_ON_DELETE = """
CREATE TRIGGER tally_delete AFTER DELETE ON node_pools REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION tally_delete()
"""


def _sqlite(event: str) -> str:
    changed = " WHEN OLD.phase <> NEW.phase" if event == "UPDATE" else ""
    # SQLite's parser would take ON CONFLICT for a join's ON; a condition in between says that it is none. The view has no names for columns.
    count = _COUNT.format(values=_EVENTS[event].format(shard="0")).replace(" AS t ", " ").replace("t.number", "number")
    count = count.replace(" AS changes ORDER BY 1, 2, 3, 4", " WHERE true")
    return f"CREATE TRIGGER tally_{event.lower()} AFTER {event} ON node_pools{changed} BEGIN {count} END"


_SQLITE = [_sqlite(event) for event in _EVENTS]
_POSTGRESQL = [*_postgresql("INSERT"), *_postgresql("UPDATE"), _DELETED, _ON_DELETE]
