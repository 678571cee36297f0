"""Adds the work queue of controllers, and the triggers that fill it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies the migration. Servers of the previous release must keep working during and after it.

    The triggers queue their writes too. Writes wait during the migration, about ten seconds for each million resources.
    """
    op.create_table(
        "work",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("cluster_id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.Column("done_generation", sa.BigInteger(), nullable=False),
        sa.Column("deleting", sa.Boolean(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("process", sa.Text(), nullable=True),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=True),
        sa.Column("touched", sa.Boolean(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("error_code", sa.Text(), nullable=False),
        sa.Column("error_message", sa.Text(), nullable=False),
        sa.Column("dead_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_work"),
    )
    op.create_table(
        "processes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("platforms", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("beat", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_processes"),
    )
    op.create_table(
        "accounts",
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "name", name="pk_accounts"),
    )
    for statement in _SQLITE if op.get_bind().dialect.name == "sqlite" else _POSTGRESQL:
        op.execute(sa.text(statement.replace(":", r"\:")))
    for name, columns, condition in _INDEXES:
        where = sa.text(condition)
        op.create_index(name, "work", columns, unique=name.startswith("uq_"), postgresql_where=where, sqlite_where=where)


_INDEXES = (
    ("ix_work_free", ["platform", "account", "due", "id"], "process IS NULL AND dead_at IS NULL"),
    ("uq_work_running_cluster_id", ["cluster_id"], "process IS NOT NULL"),
    ("ix_work_running", ["platform", "account", "process"], "process IS NOT NULL"),
    ("ix_work_dead", ["id"], "dead_at IS NOT NULL"),
)
#: Database → the milliseconds since 1970 of its clock, and the credential in the spec of a row.
_NOW = {
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)",
    "sqlite": "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
}
_CREDENTIAL = {
    "postgresql": "coalesce(CAST({row}.spec AS json) -> 'platform' -> {row}.platform ->> 'credential', '')",
    "sqlite": "coalesce(json_extract({row}.spec, '$.platform.' || {row}.platform || '.credential'), '')",
}
#: Kind → its table, its cluster's id, and its account: a node pool has that of its cluster.
_KINDS = {
    "Cluster": ("clusters", "{row}.id", "{credential}"),
    "NodePool": (
        "node_pools",
        "{row}.cluster_id",
        "coalesce((SELECT account FROM work AS above WHERE above.id = {row}.cluster_id), '')",
    ),
}
#: A bucket of a new account is full, whatever its size.
_ACCOUNT = "INSERT INTO accounts (platform, name, tokens, at) {rows} ON CONFLICT (platform, name) DO NOTHING;"
_WORK = """
INSERT INTO work (id, kind, cluster_id, owner, platform, account, generation, done_generation, deleting, due, process, epoch, since, touched,
  attempt, error_code, error_message, dead_at)
SELECT {row}.id, '{kind}', {cluster}, {row}.owner, {row}.platform, {account}, {row}.generation, 0, {row}.deleted_at IS NOT NULL, {now}, NULL, 0,
  NULL, false, 0, '', '', NULL
"""
#: A change of what a controller must do. It revives dead work, and makes running work due again at its end.
_CHANGED = "OLD.generation <> NEW.generation OR OLD.deleted_at {is_not} NEW.deleted_at"
_UPDATE = """
UPDATE work SET generation = NEW.generation, deleting = NEW.deleted_at IS NOT NULL, due = {now}, touched = process IS NOT NULL, attempt = 0,
  error_code = '', error_message = '', dead_at = NULL
WHERE id = NEW.id;
"""
#: A change of the credential of a cluster.
_MOVE = """
UPDATE work SET account = {new} WHERE id = NEW.id OR id IN (SELECT id FROM node_pools WHERE cluster_id = NEW.id);
"""


def _inserted(database: str, kind: str, row: str) -> tuple[str, str]:
    """Returns the start of the statement that creates work, and the account of a row."""
    _, cluster, account = _KINDS[kind]
    account = account.format(row=row, credential=_CREDENTIAL[database].format(row=row))
    work = _WORK.format(row=row, kind=kind, cluster=cluster.format(row=row), account=account, now=_NOW[database])
    return work, account


def _bodies(database: str, kind: str) -> dict[str, tuple[str, str]]:
    """Returns event → condition and statements of the triggers of a kind."""
    now, is_not = _NOW[database], "IS DISTINCT FROM" if database == "postgresql" else "IS NOT"
    work, account = _inserted(database, kind, "NEW")
    # SQLite's parser would take ON CONFLICT for a join's ON without a condition in between.
    one = _ACCOUNT.format(rows=f"SELECT NEW.platform, {account}, 1000000, {now} WHERE true")
    bodies = {
        "INSERT": ("", f"{work}; {one}" if kind == "Cluster" else f"{work};"),
        "UPDATE": (_CHANGED.format(is_not=is_not), _UPDATE.format(now=now)),
    }
    if kind == "Cluster":
        old, new = (_CREDENTIAL[database].format(row=row) for row in ("OLD", "NEW"))
        bodies["MOVE"] = (f"{old} <> {new}", f"{_MOVE.format(new=new)} {one}")
    return bodies


def _triggers(database: str) -> list[str]:
    statements = []
    for kind, (table, _, _) in _KINDS.items():
        for name, (condition, body) in _bodies(database, kind).items():
            event, trigger = "UPDATE" if name == "MOVE" else name, f"work_{table}_{name.lower()}"
            when = f" WHEN ({condition})" if condition else ""
            if database == "sqlite":
                statements.append(f"CREATE TRIGGER {trigger} AFTER {event} ON {table}{when} BEGIN {body} END")
                continue
            function = (
                f"CREATE OR REPLACE FUNCTION {trigger}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN NULL; END $$"
            )
            statements += [
                function,
                f"CREATE TRIGGER {trigger} AFTER {event} ON {table} FOR EACH ROW{when} EXECUTE FUNCTION {trigger}()",
            ]
    return statements


def _deletions(database: str) -> list[str]:
    tables = [table for table, _, _ in _KINDS.values()]
    if database == "sqlite":
        return [
            f"CREATE TRIGGER work_{table}_delete AFTER DELETE ON {table} BEGIN DELETE FROM work WHERE id = OLD.id; END"  # noqa: S608 - names of our tables
            for table in tables
        ]
    return [
        """CREATE OR REPLACE FUNCTION work_delete() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        DELETE FROM work USING gone WHERE work.id = gone.id; RETURN NULL; END $$""",
        *(
            f"CREATE TRIGGER work_{table}_delete AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone FOR EACH STATEMENT"
            " EXECUTE FUNCTION work_delete()"
            for table in tables
        ),
    ]


def _existing(database: str) -> list[str]:
    """Returns the statements that create the work of resources that exist, clusters first."""
    fills = [f"{_inserted(database, kind, 'resource')[0]} FROM {table} AS resource" for kind, (table, _, _) in _KINDS.items()]
    accounts = f"SELECT DISTINCT platform, account, 1000000, {_NOW[database]} FROM work WHERE true"  # noqa: S608 - a constant
    return [*fills, _ACCOUNT.format(rows=accounts)]


_SQLITE, _POSTGRESQL = (
    [*_triggers(database), *_deletions(database), *_existing(database)] for database in ("sqlite", "postgresql")
)
