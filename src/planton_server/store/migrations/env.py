"""What Alembic runs for each migration: on the connection that ``planton_server.store.schema`` gives it."""

from __future__ import annotations

from alembic import context

from planton_server.store import tables

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=tables.METADATA, render_as_batch=connection.dialect.name == "sqlite")
with context.begin_transaction():
    context.run_migrations()
