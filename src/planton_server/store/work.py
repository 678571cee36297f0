"""The work queue of controllers: claims, leases, results and limits.

The row of a resource is its place in the queue. Triggers write it with the resource, see ``tables.WORK``. A process has one lease on all
its work: it ends when the process has not been heard of for ``Limits.lease``. Only the database's clock decides, so neither servers nor
processes need a correct one.

One transaction at a time claims work. It can therefore count what an account may still start. That a cluster has one run at a time is an
index, which no statement can break.
"""

from __future__ import annotations

import collections
import functools
import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import sqlalchemy as sa

from planton_server.store import tables
from planton_server.store.database import Database, Row, Statement, Transaction

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The error of work whose process stopped renewing its lease.
LEASE_LOST: Final = "LEASE_LOST"
#: The key of PostgreSQL's advisory lock of a transaction that claims.
_CLAIMING: Final = 0x706C616E746F70
#: The rows of an account that one statement looks at, in addition to its share of twice the limit.
_NEAR: Final = 8
#: Without a limit, an account has this many tokens.
_UNLIMITED: Final = 1e12
#: The seconds of a minute's tokens that an account can use at once.
_BURST: Final = 5


class Limits(NamedTuple):
    """What operators set.

    Attributes:
        lease: Milliseconds of a lease.
        running: The number of works that an account runs at once; 0 for no limit.
        rate: The number of works that an account starts in a minute; 0 for no limit.
        attempts: The number of failed or lost runs in a row after which work is dead.
        look: Milliseconds until the next look after a success, if the result does not say.
        settle: Milliseconds without a newer generation after which work runs again whose last run was superseded.
        settled: Milliseconds after the end of such a run from which it runs again in any case.
        shift: Milliseconds that are added to the database's clock. Only tests and simulations set it.
    """

    lease: int = 8_000
    running: int = 5
    rate: float = 120.0
    attempts: int = 5
    look: int = 3_600_000
    settle: int = 1_500
    settled: int = 10_000
    shift: int = 0


DEFAULTS: Final = Limits()


class Result(NamedTuple):
    """The result of a run.

    Attributes:
        id: Of the work.
        epoch: Of the claim.
        generation: What the run has observed; 0 for the generation of the claim.
        outcome: ``SUCCEEDED``, ``FAILED``, ``POSTPONED`` or ``RELEASED``.
        look: Milliseconds until the next look; None for the default.
        code: Of the error; empty without one.
        message: Of the error.
        jitter: The factor of the backoff, from 1.
    """

    id: str
    epoch: int
    generation: int
    outcome: str
    look: int | None
    code: str
    message: str
    jitter: float


class Finished(NamedTuple):
    """Work whose result was accepted.

    Attributes:
        is_due: Whether it is due again at once.
        is_dead: Whether it is dead now.
    """

    is_due: bool
    is_dead: bool


class Filter(NamedTuple):
    """The work that a list contains; an empty value selects all.

    Attributes:
        owner: Of the resource.
        state: ``waiting``, ``running`` or ``dead``.
        platform: The cloud.
        kind: ``Cluster`` or ``NodePool``.
    """

    owner: str = ""
    state: str = ""
    platform: str = ""
    kind: str = ""


async def lock(transaction: Transaction) -> None:
    """Waits until no other transaction claims. In SQLite, a transaction that writes is alone anyway."""
    if transaction.name == "postgresql":
        await transaction.rows(_LOCK)


async def register(transaction: Transaction, limits: Limits, process: str, *, version: str, platforms: Sequence[str]) -> bool:
    """Registers a process or renews its lease; returns False, and changes nothing, if its lease has ended."""
    values = {"process": process, "version": version, "platforms": _text(platforms)}
    return bool(await transaction.rows(_statement(_REGISTER, transaction.name), **values, **_clock(limits)))


async def renew(transaction: Transaction, limits: Limits, process: str, *, version: str) -> bool:
    """Renews the lease of a process; returns False, and changes nothing, if it has ended or the process is unknown."""
    values = {"process": process, "version": version}
    return bool(await transaction.rows(_statement(_RENEW, transaction.name), **values, **_clock(limits)))


async def expired(database: Database | Transaction, limits: Limits) -> bool:
    """Returns whether a lease has ended whose work has not been taken back."""
    rows = await database.rows(_statement(_EXPIRED, database.name), **_clock(limits))
    return bool(rows[0]["number"])


async def sweep(transaction: Transaction, limits: Limits) -> int:
    """Takes back the work of processes whose lease has ended; returns how much that was. Needs a transaction."""
    # A process that renews at this moment waits for the mark, and then learns that its lease has ended.
    await transaction.rows(_statement(_END, transaction.name), **_clock(limits))
    values = {"attempts": limits.attempts, "shift": limits.shift}
    return len(await transaction.rows(_statement(_LOSE, transaction.name), **values))


async def revive(transaction: Transaction, limits: Limits, process: str) -> None:
    """Gives a process a new lease, after its work was taken back."""
    await transaction.rows(_statement(_REVIVE, transaction.name), process=process, shift=limits.shift)


async def held(database: Database | Transaction, process: str) -> Sequence[Row]:
    """Returns the work that a process holds: ``id``, ``epoch``, ``touched``."""
    return await database.rows(_HELD, process=process)


async def next_due(database: Database, limits: Limits, platforms: Sequence[str]) -> int | None:
    """Returns the milliseconds until work may be due, at most 0 if some is; None if there is no work.

    It considers the rate of accounts, but neither their running work nor that of clusters.
    """
    values = {"platforms": _text(platforms), "token": 60_000 / limits.rate if limits.rate else 0.0, "shift": limits.shift}
    [row] = await database.rows(_statement(_NEXT, database.name), **values)
    return None if row["due"] is None else int(row["due"] - row["now"])


async def claim(transaction: Transaction, limits: Limits, process: str, *, platforms: Sequence[str], limit: int) -> Sequence[Row]:
    """Claims work that is due for a live process, the longest due first, and returns its rows. Needs :func:`lock`."""
    rate = limits.rate / 60_000 if limits.rate else _UNLIMITED
    bucket = {"rate": rate, "burst": max(1.0, limits.rate * _BURST / 60) if limits.rate else _UNLIMITED, "shift": limits.shift}
    values = {"process": process, "platforms": _text(platforms), "lease": limits.lease}
    values |= {"settle": limits.settle, "settled": limits.settled}
    values["running"] = limits.running or 1_000_000
    claimed: list[Row] = []
    # A cluster with more due works than one statement looks at hides others. It has a run after the first statement.
    while len(claimed) < limit:
        more = await transaction.rows(_statement(_CLAIM, transaction.name), **values, **bucket, limit=limit - len(claimed))
        if not more:
            break
        claimed += more
        started = collections.Counter((row["platform"], row["account"]) for row in more)
        spent = [{"platform": platform, "name": name, "number": number, **bucket} for (platform, name), number in started.items()]
        await transaction.many(_statement(_SPEND, transaction.name), spent)
    return sorted(claimed, key=lambda row: (row["due"], row["id"]))


async def finish(
    transaction: Transaction, limits: Limits, process: str, results: Sequence[Result]
) -> Mapping[tuple[str, int], Finished]:
    """Stores results of a process in one statement; returns the accepted ones by id and epoch."""
    values = {
        "process": process,
        "results": json.dumps([result._asdict() for result in results]),
        "attempts": limits.attempts,
        "look": limits.look,
        **_clock(limits),
    }
    rows = await transaction.rows(_statement(_FINISH, transaction.name), **values)
    return {(row["id"], row["epoch"]): Finished(row["due"] <= row["now"], row["dead_at"] is not None) for row in rows}


async def is_claimed(transaction: Transaction, identifier: str) -> bool:
    """Returns whether the work of a resource has ever been claimed. It cannot be claimed until the end of the transaction."""
    rows = await transaction.rows(_statement(_EPOCH, transaction.name), id=identifier)
    return bool(rows and rows[0]["epoch"])


async def retry(transaction: Transaction, limits: Limits, identifier: str, *, owner: str = "") -> bool:
    """Makes work due at once, also dead work, and forgets its attempts; returns whether it exists, of the owner if one is named."""
    values = {"id": identifier, "owner": owner, "shift": limits.shift}
    return bool(await transaction.rows(_statement(_RETRY, transaction.name), **values))


async def get(database: Database | Transaction, identifier: str) -> Row | None:
    """Returns work with the name of its resource, or None."""
    rows = await database.rows(_GET, id=identifier)
    return rows[0] if rows else None


async def page(database: Database, selection: Filter, *, limit: int, after: str = "") -> Sequence[Row]:
    """Returns a page of a list of work, by id.

    Args:
        database: The database.
        selection: The work that the list contains.
        limit: The maximum number of rows.
        after: The id of the row after which the page begins.
    """
    values = {name: value for name, value in selection._asdict().items() if value and name != "state"}
    owner, _, platform, kind = ("?" if value else "" for value in selection)
    form = Filter(owner, selection.state, platform, kind)
    return await database.rows(_page(form), **values, after=after, limit=limit)


async def processes(database: Database, limits: Limits) -> Sequence[Row]:
    """Returns the processes, the latest heartbeat first: ``alive`` and ``running`` in addition to their columns."""
    return await database.rows(_statement(_PROCESSES, database.name), **_clock(limits))


async def served(database: Database | Transaction, limits: Limits) -> frozenset[str]:
    """Returns the platforms that live processes serve."""
    rows = await database.rows(_statement(_SERVED, database.name), **_clock(limits))
    return frozenset(platform for row in rows for platform in row["platforms"].split())


async def measures(database: Database, limits: Limits) -> Sequence[Row]:
    """Returns for each cloud the numbers of ``due``, ``running`` and ``dead`` works, and ``age``, the milliseconds of the longest due one."""
    return await database.rows(_statement(_MEASURES, database.name), shift=limits.shift)


def _text(platforms: Sequence[str]) -> str:
    return f" {' '.join(platforms)} "


def _clock(limits: Limits) -> dict[str, int]:
    return {"lease": limits.lease, "shift": limits.shift}


@functools.cache
def _statement(text: str, database: str) -> Statement:
    """Returns a statement with the words of a database."""
    words = {name: forms[database == "sqlite"] for name, forms in _WORDS.items()}
    return Statement(_typed(text.format(**words)))


def _typed(text: str) -> sa.TextClause:
    """Returns a text with the types of its parameters, which PostgreSQL cannot always infer."""
    clause = sa.text(text)
    return clause.bindparams(*(sa.bindparam(name, type_=_TYPES[name]) for name in clause.compile().params))


@functools.cache
def _page(form: Filter) -> Statement:
    conditions = [f"work.{name} = :{name}" for name in ("platform", "kind") if getattr(form, name)]
    if form.owner:
        # An index on the owner would slow every write of a resource; those of the resources serve as well.
        conditions.append(_OWNED)
    states = {"waiting": str(tables.FREE), "running": str(tables.RUNNING), "dead": str(tables.DEAD)}
    if form.state:
        conditions.append(states[form.state])
    where = " AND ".join(["work.id > :after", *conditions])
    return Statement(_typed(f"{_LISTED} WHERE {where} ORDER BY work.id LIMIT :limit"))


#: Word → its forms in PostgreSQL and SQLite.
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "now": (
        "(CAST(extract(epoch FROM statement_timestamp()) * 1000 AS bigint) + :shift)",
        "(CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) + :shift)",
    ),
    # A planner that expects many ids joins with the whole table, but it expects few elements of an array.
    "one_of": ("= ANY(ARRAY(", "IN ("),
    "end": ("))", ")"),
    "for_update": ("FOR UPDATE", ""),
    "skip_locked": ("FOR UPDATE SKIP LOCKED", ""),
    "free": (str(tables.FREE), str(tables.FREE)),
    "running": (str(tables.RUNNING), str(tables.RUNNING)),
    "dead": (str(tables.DEAD), str(tables.DEAD)),
    "lost": (LEASE_LOST, LEASE_LOST),
    "near": (str(_NEAR), str(_NEAR)),
    "each": ("json_array_elements(CAST(:results AS json)) AS one(value)", "json_each(:results) AS one"),
}
_TYPES: Final[Mapping[str, Any]] = {
    "after": sa.Text(), "attempts": sa.Integer(), "burst": sa.Double(), "id": sa.Text(), "kind": sa.Text(), "lease": sa.BigInteger(),
    "limit": sa.Integer(), "look": sa.BigInteger(), "name": sa.Text(), "number": sa.Integer(), "owner": sa.Text(),
    "platform": sa.Text(), "platforms": sa.Text(), "process": sa.Text(), "rate": sa.Double(), "results": sa.Text(),
    "running": sa.Integer(), "settle": sa.BigInteger(), "settled": sa.BigInteger(), "shift": sa.BigInteger(), "token": sa.Double(), "version": sa.Text(),
}  # fmt: skip
_LOCK: Final = Statement(sa.text(f"SELECT pg_advisory_xact_lock({_CLAIMING})"))
_REGISTER: Final = """
INSERT INTO processes (id, version, platforms, started_at, beat, ended_at) VALUES (:process, :version, :platforms, {now}, {now}, NULL)
ON CONFLICT (id) DO UPDATE SET version = excluded.version, platforms = excluded.platforms, beat = excluded.beat
WHERE processes.ended_at IS NULL AND processes.beat > {now} - :lease
RETURNING id
"""
_RENEW: Final = """
UPDATE processes SET beat = {now}, version = :version WHERE id = :process AND ended_at IS NULL AND beat > {now} - :lease RETURNING id
"""
_EXPIRED: Final = "SELECT count(*) AS number FROM processes WHERE ended_at IS NULL AND beat <= {now} - :lease"
_END: Final = "UPDATE processes SET ended_at = {now} WHERE ended_at IS NULL AND beat <= {now} - :lease"
_REVIVE: Final = "UPDATE processes SET beat = {now}, ended_at = NULL WHERE id = :process"
#: A resource that has changed since the claim is due anyway, and the lost run says nothing about it.
#: Statements that lock several rows lock them by id, so that two of them cannot wait for each other.
_LOSE: Final = """
WITH locked AS MATERIALIZED (
  SELECT id FROM work
  WHERE process IS NOT NULL AND NOT EXISTS (SELECT 1 FROM processes WHERE processes.id = work.process AND ended_at IS NULL)
  ORDER BY id {for_update}
)
UPDATE work SET process = NULL, since = NULL, touched = false, due = {now}, attempt = attempt + 1, error_code = '{lost}',
  error_message = 'process ' || process || ' stopped renewing its lease',
  dead_at = CASE WHEN attempt + 1 >= :attempts AND NOT touched THEN {now} END
WHERE id IN (SELECT id FROM locked)
  AND process IS NOT NULL AND NOT EXISTS (SELECT 1 FROM processes WHERE processes.id = work.process AND ended_at IS NULL)
RETURNING id
"""
_HELD: Final = Statement(
    sa.text("SELECT id, epoch, touched FROM work WHERE process = :process ORDER BY id").bindparams(
        sa.bindparam("process", type_=sa.Text)
    )
)
_NEXT: Final = """
SELECT {now} AS now, (
  SELECT min(CASE WHEN due < ready THEN ready ELSE due END) FROM (
    SELECT a.at + CAST((1 - a.tokens) * :token AS bigint) AS ready, (
      SELECT w.due FROM work AS w WHERE w.platform = a.platform AND w.account = a.name AND w.process IS NULL AND w.dead_at IS NULL
      ORDER BY w.due LIMIT 1
    ) AS due
    FROM accounts AS a WHERE :platforms LIKE '% ' || a.platform || ' %'
  ) AS heads WHERE due IS NOT NULL
) AS due
"""
#: The accounts that may start work, with how much; the first work of each cluster that has none running; of these, the first of each
#: account. The candidates of an account are read from its part of an index, so the waiting work of other accounts costs nothing.
#: Work has a `since` without a process if its last run was superseded: more changes may follow, and share a run. Each sets `due`.
_CLAIM: Final = """
WITH room AS MATERIALIZED (
  SELECT platform, name, CASE WHEN places < tokens THEN places ELSE tokens END AS number FROM (
    SELECT a.platform, a.name, CASE WHEN a.tokens + ({now} - a.at) * :rate < :burst THEN a.tokens + ({now} - a.at) * :rate ELSE :burst END AS tokens,
      :running - (SELECT count(*) FROM work AS r WHERE r.platform = a.platform AND r.account = a.name AND r.process IS NOT NULL) AS places
    FROM accounts AS a WHERE :platforms LIKE '% ' || a.platform || ' %'
  ) AS buckets WHERE places >= 1 AND tokens >= 1
), near AS (
  SELECT w.id, w.platform, w.account, w.due, room.number, row_number() OVER (PARTITION BY w.cluster_id ORDER BY w.due, w.id) AS in_cluster
  FROM room JOIN work AS w ON w.id {one_of}
    SELECT x.id FROM work AS x
    WHERE x.platform = room.platform AND x.account = room.name AND x.process IS NULL AND x.dead_at IS NULL AND x.due <= {now}
      AND (x.since IS NULL OR x.deleting OR x.due <= {now} - :settle OR x.since <= {now} - :settled)
      AND NOT EXISTS (SELECT 1 FROM work AS o WHERE o.cluster_id = x.cluster_id AND o.process IS NOT NULL)
    ORDER BY x.due, x.id LIMIT (SELECT {near} + 2 * :limit / count(*) FROM room)
  {end}
), heads AS (
  SELECT id, due, number, row_number() OVER (PARTITION BY platform, account ORDER BY due, id) AS in_account FROM near WHERE in_cluster = 1
), taken AS (
  SELECT id FROM work
  WHERE process IS NULL AND EXISTS (SELECT 1 FROM processes WHERE processes.id = :process AND ended_at IS NULL AND beat > {now} - :lease)
  AND id {one_of}
    SELECT id FROM heads WHERE in_account <= number ORDER BY due, id LIMIT :limit
  {end} {skip_locked}
)
UPDATE work SET process = :process, epoch = epoch + 1, since = {now}, touched = false WHERE id IN (SELECT id FROM taken)
RETURNING id, kind, cluster_id, platform, account, generation, attempt, epoch, due, deleting, done_generation,
  CASE kind WHEN 'Cluster' THEN (SELECT traceparent FROM clusters WHERE clusters.id = work.id)
    ELSE (SELECT traceparent FROM node_pools WHERE node_pools.id = work.id) END AS traceparent
"""
_SPEND: Final = """
UPDATE accounts SET at = {now},
  tokens = CASE WHEN tokens + ({now} - at) * :rate < :burst THEN tokens + ({now} - at) * :rate ELSE :burst END - :number
WHERE platform = :platform AND name = :name
"""
_FINISH: Final = """
WITH r AS MATERIALIZED (
  SELECT value ->> 'id' AS id, CAST(value ->> 'epoch' AS bigint) AS epoch, CAST(value ->> 'generation' AS bigint) AS generation,
    value ->> 'outcome' AS outcome, CAST(value ->> 'look' AS bigint) AS look, value ->> 'code' AS code, value ->> 'message' AS message,
    CAST(value ->> 'jitter' AS double precision) AS jitter
  FROM {each}
), locked AS MATERIALIZED (
  SELECT id FROM work WHERE id {one_of} SELECT id FROM r {end} ORDER BY id {for_update}
)
UPDATE work SET process = NULL, touched = false,
  since = CASE WHEN NOT deleting AND r.outcome <> 'RELEASED'
    AND CASE WHEN r.generation > 0 THEN r.generation < work.generation ELSE touched END THEN {now} END,
  done_generation = CASE
    WHEN r.outcome = 'SUCCEEDED' AND r.generation > done_generation THEN r.generation
    WHEN r.outcome = 'SUCCEEDED' AND r.generation = 0 AND NOT touched THEN work.generation ELSE done_generation END,
  attempt = CASE r.outcome WHEN 'SUCCEEDED' THEN 0 WHEN 'FAILED' THEN attempt + 1 ELSE attempt END,
  error_code = CASE r.outcome WHEN 'RELEASED' THEN error_code ELSE r.code END,
  error_message = CASE r.outcome WHEN 'RELEASED' THEN error_message ELSE r.message END,
  due = {now} + CASE
    WHEN touched OR r.outcome = 'RELEASED' OR (r.outcome = 'SUCCEEDED' AND r.generation > 0 AND r.generation < work.generation) THEN 0
    WHEN r.look IS NOT NULL THEN r.look
    WHEN r.outcome IN ('FAILED', 'POSTPONED') THEN CAST(r.jitter * CASE WHEN attempt < 9 THEN 1000 * (1 << attempt) ELSE 300000 END AS bigint)
    ELSE :look END,
  dead_at = CASE WHEN r.outcome = 'FAILED' AND attempt + 1 >= :attempts AND NOT touched THEN {now} END
FROM r
WHERE work.id IN (SELECT id FROM locked) AND work.id = r.id AND work.epoch = r.epoch AND work.process = :process
  AND EXISTS (SELECT 1 FROM processes WHERE processes.id = :process AND ended_at IS NULL AND beat > {now} - :lease)
RETURNING work.id AS id, work.epoch AS epoch, work.due AS due, {now} AS now, work.dead_at AS dead_at
"""
_EPOCH: Final = "SELECT epoch FROM work WHERE id = :id {for_update}"
_RETRY: Final = """
UPDATE work SET due = {now}, touched = process IS NOT NULL, attempt = 0, dead_at = NULL, since = CASE WHEN process IS NOT NULL THEN since END
WHERE id = :id AND (owner = :owner OR :owner = '')
RETURNING id
"""
_LISTED: Final = """
SELECT work.id, work.kind, coalesce(pools.name, clusters.name) AS name, work.cluster_id, work.platform, account, work.generation,
  done_generation, deleting, due, process, since, attempt, error_code, error_message, dead_at, work.owner
FROM work LEFT JOIN node_pools AS pools ON pools.id = work.id LEFT JOIN clusters ON clusters.id = work.id
"""
_OWNED: Final = """work.id IN (
  SELECT id FROM clusters WHERE owner = :owner UNION ALL SELECT id FROM node_pools WHERE owner = :owner
)"""
_GET: Final = Statement(_typed(f"{_LISTED} WHERE work.id = :id"))
_PROCESSES: Final = """
SELECT id, version, platforms, started_at, beat, ended_at IS NULL AND beat > {now} - :lease AS alive,
  (SELECT count(*) FROM work WHERE process = processes.id) AS running
FROM processes ORDER BY beat DESC, id
"""
_SERVED: Final = "SELECT platforms FROM processes WHERE ended_at IS NULL AND beat > {now} - :lease"
_MEASURES: Final = """
SELECT platform, sum(due) AS due, sum(running) AS running, sum(dead) AS dead, max(age) AS age FROM (
  SELECT platform, count(*) AS due, 0 AS running, 0 AS dead, {now} - min(work.due) AS age FROM work WHERE {free} AND due <= {now} GROUP BY platform
  UNION ALL SELECT platform, 0, count(*), 0, 0 FROM work WHERE {running} GROUP BY platform
  UNION ALL SELECT platform, 0, 0, count(*), 0 FROM work WHERE {dead} GROUP BY platform
) AS numbers GROUP BY platform
"""
