"""Resyncs: how they are spread, at the creation as at a tick, both ways."""

import collections
import datetime
import uuid

import pytest
import sqlalchemy as sa

from planton_server import settings
from planton_server.service import contexts, resyncs, timers
from planton_server.store import engines, tables
from support import api, rows

NOW = datetime.datetime.fromisoformat(rows.HOUR)


def test_places_are_even_and_within_the_last_quarter():
    """The one is told after the whole interval, the others up to a quarter of it earlier."""
    times = resyncs.times(NOW, 3600.0)
    assert (times["00"], times["80"]) == ("2026-01-01T12:00:00.000000Z", "2026-01-01T11:52:30.000000Z")
    assert len(set(times.values())) == 256
    assert min(times.values()) > "2026-01-01T11:45:00.000000Z"


def test_a_resource_has_its_place_for_ever():
    """By its id: the same at each time and for one as for all."""
    for identifier in map(str, (uuid.UUID(int=0), uuid.UUID(int=2**128 - 1), uuid.uuid4())):
        assert resyncs.time(identifier, NOW, 60.0) == resyncs.times(NOW, 60.0)[identifier[:2]]


def test_without_an_interval_there_is_no_next_time():
    """Neither for one nor for all."""
    assert resyncs.times(NOW, 0.0) is None
    assert resyncs.time(str(uuid.uuid4()), NOW, 0.0) is None


def test_thousands_do_not_stay_together():
    """Of ten thousand that are told at once no tick of ten seconds has more than a few in a hundred an hour later."""
    moments = [datetime.datetime.fromisoformat(resyncs.time(str(uuid.uuid4()), NOW, 3600.0)) for _ in range(10_000)]
    ticks = collections.Counter(int((moment - NOW).total_seconds()) // 10 for moment in moments)
    assert len(ticks) >= 90
    assert max(ticks.values()) < 300


@pytest.mark.parametrize("door", ["rest", "grpc"])
def test_created_at_once_is_told_apart(private, engine, door):
    """What is made together has its first resync where its later ones would be."""
    server = private(engine, policy=contexts.Policy(resync=3600.0))
    client = api.Api(server, door)
    cluster = client.cluster()["id"]
    made = [client.pool(cluster=cluster, name=f"p{number}") for number in range(8)]
    opened = engines.blocking(server.url)
    try:
        times = {one["id"]: rows.read(opened, tables.NODE_POOLS, one["id"])["resync_at"] for one in made}
    finally:
        opened.dispose()
    created = {one["id"]: datetime.datetime.fromisoformat(one["created_at"]) for one in made}
    assert times == {identifier: resyncs.time(identifier, created[identifier], 3600.0) for identifier in times}


def test_due_at_once_is_told_apart_the_next_time(new_url, engine):
    """After an outage one tick tells of all, and the next ones of some each; the total of an interval is the same."""
    url = new_url(engine)
    opened = engines.blocking(url)
    try:
        cluster = rows.cluster(opened)
        pools = [rows.node_pool(opened, cluster, resync_at=rows.MINUTE) for _ in range(64)]
        timers.tick(opened, settings.Settings(url, resync=3600.0), NOW)
        assert len(rows.events(opened)) == 64
        with opened.connect() as connection:
            column = tables.NODE_POOLS.c
            times = {row.id: row.resync_at for row in connection.execute(sa.select(column.id, column.resync_at))}
        assert times == {pool: resyncs.time(pool, NOW, 3600.0) for pool in pools}
        counts, before = [], 64
        for seconds in range(2700, 3601, 60):
            timers.tick(opened, settings.Settings(url, resync=3600.0), NOW + datetime.timedelta(seconds=seconds))
            now = len(rows.events(opened))
            counts.append(now - before)
            before = now
        assert sum(counts) == 64
        assert max(counts) < 32
    finally:
        opened.dispose()
