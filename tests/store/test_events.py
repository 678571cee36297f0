"""The cost of reading events: an owner's events are read without those of others."""

import pytest
import sqlalchemy as sa

from planton_server.store import events, tables
from support import rows


@pytest.mark.parametrize("after", [events.Cursor(), events.Cursor(0, 700)])
@pytest.mark.parametrize("analyzed", ["before", "between", "never"])
def test_an_owners_events_are_read_through_the_owners_index(engine, plan, after, analyzed):
    """This holds for stale statistics too, from a time when all events were this owner's."""
    rows.event(engine, owner="few@example.com")
    first = {name: value for name, value in rows.events(engine)[0].items() if name != "number"}
    with engine.begin() as connection:
        if analyzed == "before":
            connection.exec_driver_sql("ANALYZE")
        for owner in ("few@example.com", "many@example.com"):
            batch = [first | {"id": f"{owner}-{number}", "owner": owner} for number in range(1000)]
            connection.execute(sa.insert(tables.EVENTS), batch)
            if analyzed == "between" and owner.startswith("few"):
                connection.exec_driver_sql("ANALYZE")
    text = plan(lambda store: events.read(store, after, limit=100, owner="few@example.com"))
    assert "ix_events_owner_transaction_id_number" in text
