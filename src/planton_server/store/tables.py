"""The tables. What changes here needs a migration in ``migrations/versions``, which a test compares with this.

Times are texts in RFC 3339, UTC, with six digits of fraction: they sort as times do, in both databases, and are the same on every
read. ``spec``, ``conditions`` and the like are JSON texts that are stored as they are shown; what is searched for has a column.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

METADATA: Final = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)
#: Grows without gaps that matter in SQLite only where the column is an INTEGER.
_SEQUENCE: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _resource(name: str, *own: sa.Column[str] | sa.UniqueConstraint) -> sa.Table:
    return sa.Table(
        name,
        METADATA,
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("resource_version", sa.BigInteger, nullable=False),
        sa.Column("platform", sa.Text, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("phase", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("observed_generation", sa.BigInteger, nullable=False),
        sa.Column("status_time", sa.Text, nullable=False),
        sa.Column("conditions", sa.Text, nullable=False),
        sa.Column("replacement", sa.Text, nullable=False),
        sa.Column("ready_generation", sa.BigInteger, nullable=False),
        sa.Column("deadline", sa.Text),
        sa.Column("resync_at", sa.Text),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("updated_at", sa.Text, nullable=False),
        sa.Column("deleted_at", sa.Text),
        #: The span of the request that has last changed the spec, or deleted the resource; NULL if it was not traced.
        sa.Column("traceparent", sa.Text),
        *own,
    )


CLUSTERS: Final = _resource(
    "clusters", sa.Column("target_project_id", sa.Text, nullable=False), sa.UniqueConstraint("owner", "name")
)
NODE_POOLS: Final = _resource(
    "node_pools",
    sa.Column("cluster_id", sa.Text, sa.ForeignKey("clusters.id"), nullable=False),
    sa.UniqueConstraint("cluster_id", "name"),
)
#: Table → the leading columns of the indexes of its lists. A list uses the first one whose columns are all in its filter. Node pools of one
#: owner in one phase have an index, because an owner can have very many and few that have failed; those of one cluster are few enough.
LISTS: Final[dict[sa.Table, tuple[tuple[str, ...], ...]]] = {
    CLUSTERS: (("owner",), ()),
    NODE_POOLS: (("cluster_id",), ("owner", "phase"), ("owner",), ("phase",), ("platform",), ()),
}
for _table, _indexes in LISTS.items():
    for _leading in _indexes:
        _filtered = ("owner", "platform", "phase") if "cluster_id" in _leading else ("platform", "phase")
        sa.Index(
            f"ix_{_table.name}_list_{'_'.join(_leading) or 'all'}",
            *(_table.c[name] for name in (*_leading, "created_at", "id")),
            *(_table.c[name] for name in _filtered if name not in _leading),
        )
#: What an index on times holds, so that a tick sees what it has to do and nothing else; statements must say it in these words.
DUE: Final = {
    "deadline": sa.text("deadline IS NOT NULL AND phase <> 'Failed' AND deleted_at IS NULL"),
    "resync_at": sa.text("resync_at IS NOT NULL"),
}
for _table in (CLUSTERS, NODE_POOLS):
    for _time, _due in DUE.items():
        sa.Index(None, _table.c[_time], postgresql_where=_due, sqlite_where=_due)

#: How many node pools there are, kept by triggers of ``node_pools``: a list's total is a sum over a few rows, however long the list is.
#: Each is counted under its cluster and, with an empty ``cluster_id``, under its owner. A connection counts in a shard of its own, so that
#: writers do not wait for each other; the number of a shard can be negative.
TALLIES: Final = sa.Table(
    "tallies",
    METADATA,
    sa.Column("cluster_id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("phase", sa.Text, primary_key=True),
    sa.Column("shard", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, nullable=False),
)

#: What each controller reported last. ``resource_id`` is a cluster's or a node pool's; ids are never used twice.
REPORTS: Final = sa.Table(
    "reports",
    METADATA,
    sa.Column("resource_id", sa.Text, primary_key=True),
    sa.Column("controller_name", sa.Text, primary_key=True),
    sa.Column("observed_generation", sa.BigInteger, nullable=False),
    sa.Column("conditions", sa.Text, nullable=False),
    sa.Column("metadata", sa.Text, nullable=False),
    sa.Column("last_error", sa.Text, nullable=False),
    sa.Column("updated_at", sa.Text, nullable=False),
)

#: What the index on deletions that wait to be acknowledged holds; statements must say it in these words.
UNACKNOWLEDGED: Final = sa.text("acknowledged_at IS NULL AND type IN ('cluster.deleted', 'nodepool.deleted')")
#: The outbox. ``transaction_id`` orders what was committed (see ``events``); it is 0 in SQLite, where one transaction writes at a time.
EVENTS: Final = sa.Table(
    "events",
    METADATA,
    sa.Column("number", _SEQUENCE, primary_key=True, autoincrement=True),
    sa.Column("transaction_id", sa.BigInteger, nullable=False),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("resource_id", sa.Text, nullable=False),
    sa.Column("cluster_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("time", sa.Text, nullable=False),
    sa.Column("replacement", sa.Text, nullable=False),
    sa.Column("acknowledged_at", sa.Text),
    sa.Index(None, "transaction_id", "number"),
    # An owner who has few events must not read everybody's.
    sa.Index(None, "owner", "transaction_id", "number"),
    sa.Index(None, "time"),
    sa.Index("ix_events_unacknowledged", "time", postgresql_where=UNACKNOWLEDGED, sqlite_where=UNACKNOWLEDGED),
    sqlite_autoincrement=True,
)

#: What controllers have changed in the cloud. Rows stay after their resource is deleted, so the columns that answers show are copies.
AUDIT: Final = sa.Table(
    "audit",
    METADATA,
    sa.Column("resource_id", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("cluster_id", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("requested_by", sa.Text, nullable=False),
    sa.Column("controller_name", sa.Text, nullable=False),
    sa.Column("process", sa.Text, nullable=False),
    sa.Column("recorded_by", sa.Text, nullable=False),
    sa.Column("changes", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False, index=True),
    sa.Column("ended_at", sa.Text),
    sa.Index(None, "resource_id", "created_at", "id"),
)

#: First answers to requests that carry an ``Idempotency-Key``.
ANSWERS: Final = sa.Table(
    "answers",
    METADATA,
    sa.Column("identity", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("resource", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False, index=True),
)

#: Static bearer tokens; only the SHA-256 of each is kept.
TOKENS: Final = sa.Table(
    "tokens",
    METADATA,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("expires_at", sa.Text),
    #: Patterns of the names under which a controller's token reports, separated by spaces. NULL, of an older release, means any
    #: name.
    sa.Column("reports_as", sa.Text),
)

#: Credentials of users for clouds. ``fields`` has the names of their fields, ``secret`` their encrypted values.
CREDENTIALS: Final = sa.Table(
    "credentials",
    METADATA,
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("fields", sa.Text, nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("updated_at", sa.Text, nullable=False),
)

#: The holder of the timed work and its beats. A server that sees no new beats takes it over; no clock decides that.
LEASES: Final = sa.Table(
    "leases",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("beats", sa.BigInteger, nullable=False),
    sa.Column("steps", sa.BigInteger, nullable=False),
    #: Additional seconds to keep rows, because the clock has stepped forward, and the end of that.
    sa.Column("kept_seconds", sa.Float, nullable=False),
    sa.Column("kept_until", sa.Text, nullable=False),
)

#: What the indexes on work hold; statements must say it in these words.
FREE: Final = sa.text("process IS NULL AND dead_at IS NULL")
RUNNING: Final = sa.text("process IS NOT NULL")
DEAD: Final = sa.text("dead_at IS NOT NULL")
#: The work queue of controllers: a row for each cluster and node pool, which triggers of their tables create, change and delete. So a
#: change and its work are one write, whichever release of the server writes it. Times are milliseconds since 1970 of the database's clock,
#: because the statements compute with them.
WORK: Final = sa.Table(
    "work",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("cluster_id", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("platform", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("generation", sa.BigInteger, nullable=False),
    sa.Column("done_generation", sa.BigInteger, nullable=False),
    sa.Column("deleting", sa.Boolean, nullable=False),
    sa.Column("due", sa.BigInteger, nullable=False),
    sa.Column("process", sa.Text),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    #: The time of the claim; of waiting work whose last run was superseded, the end of that run.
    sa.Column("since", sa.BigInteger),
    #: Whether the resource has changed since the claim.
    sa.Column("touched", sa.Boolean, nullable=False),
    sa.Column("attempt", sa.Integer, nullable=False),
    sa.Column("error_code", sa.Text, nullable=False),
    sa.Column("error_message", sa.Text, nullable=False),
    sa.Column("dead_at", sa.BigInteger),
    sa.Index("ix_work_free", "platform", "account", "due", "id", postgresql_where=FREE, sqlite_where=FREE),
    #: The limit of a cluster: one run at a time.
    sa.Index("uq_work_running_cluster_id", "cluster_id", unique=True, postgresql_where=RUNNING, sqlite_where=RUNNING),
    sa.Index("ix_work_running", "platform", "account", "process", postgresql_where=RUNNING, sqlite_where=RUNNING),
    sa.Index("ix_work_dead", "id", postgresql_where=DEAD, sqlite_where=DEAD),
)

#: Processes of controllers. A process whose lease has ended is marked by the first server that notices, before its work is given to others.
PROCESSES: Final = sa.Table(
    "processes",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, nullable=False),
    #: Between spaces, so that a comparison with ``% civo %`` finds one.
    sa.Column("platforms", sa.Text, nullable=False),
    sa.Column("started_at", sa.BigInteger, nullable=False),
    sa.Column("beat", sa.BigInteger, nullable=False),
    sa.Column("ended_at", sa.BigInteger),
)

#: The token bucket of each account of a cloud.
ACCOUNTS: Final = sa.Table(
    "accounts",
    METADATA,
    sa.Column("platform", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("tokens", sa.Float, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)
