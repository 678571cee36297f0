"""Adds an index for the events of one owner."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Makes the change. Servers of the release before must be able to go on while it is made and after.

    Writes wait meanwhile, about a second for each million events; reads do not. An index that is made concurrently would wait for the
    transactions of the servers that wait for this migration.
    """
    op.create_index("ix_events_owner_transaction_id_number", "events", ["owner", "transaction_id", "number"])
