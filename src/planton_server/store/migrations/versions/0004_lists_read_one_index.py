"""Gives each list an index that has all columns that lists filter by."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

#: Table → the new indexes, by name, with their columns.
_CREATED = {
    "clusters": {
        "ix_clusters_list_owner": ("owner", "created_at", "id", "platform", "phase"),
        "ix_clusters_list_all": ("created_at", "id", "platform", "phase"),
    },
    "node_pools": {
        "ix_node_pools_list_cluster_id": ("cluster_id", "created_at", "id", "owner", "platform", "phase"),
        "ix_node_pools_list_owner_phase": ("owner", "phase", "created_at", "id", "platform"),
        "ix_node_pools_list_owner": ("owner", "created_at", "id", "platform", "phase"),
        "ix_node_pools_list_phase": ("phase", "created_at", "id", "platform"),
        "ix_node_pools_list_platform": ("platform", "created_at", "id", "phase"),
        "ix_node_pools_list_all": ("created_at", "id", "platform", "phase"),
    },
}
#: Table → the indexes that the new ones begin with.
_DROPPED = {
    "clusters": ("ix_clusters_owner_created_at_id", "ix_clusters_created_at_id"),
    "node_pools": (
        "ix_node_pools_cluster_id_created_at_id",
        "ix_node_pools_owner_created_at_id",
        "ix_node_pools_phase_created_at_id",
        "ix_node_pools_platform_created_at_id",
        "ix_node_pools_created_at_id",
    ),
}


def upgrade() -> None:
    """Applies the migration. Servers of the previous release must keep working during and after it.

    Their statements use the new indexes as they used the old ones. Writes wait during the migration, about ten seconds for each
    million node pools; reads do not wait until the old indexes are dropped at its end.
    """
    for table, indexes in _CREATED.items():
        for name, columns in indexes.items():
            op.create_index(name, table, list(columns))
    for table, names in _DROPPED.items():
        for name in names:
            op.drop_index(name, table)
