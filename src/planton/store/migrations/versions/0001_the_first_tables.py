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
