"""Adds the span of the request that has last changed a resource."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies the migration. Servers of the previous release do not write the column."""
    for table in ("clusters", "node_pools"):
        op.add_column(table, sa.Column("traceparent", sa.Text(), nullable=True))
