"""What it costs to read events: what is read is what is answered, whoever else has any."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from planton_server.store import database, events, tables
from support import api, rows


@pytest.fixture
def plan(url: str) -> Any:  # a function
    """Returns how a database runs a statement."""
    loop = api.Loop()
    store = loop.run(database.connect(url))

    class Explained(database.Statement):
        def compiled(self, name: str, values: Any) -> tuple[str, list[Any]]:
            text, given = super().compiled(name, values)
            return f"{'EXPLAIN QUERY PLAN' if name == 'sqlite' else 'EXPLAIN'} {text}", given

    def explain(statement: database.Statement, **values: Any) -> str:
        return "\n".join(str(tuple(row)) for row in loop.run(store.rows(Explained(statement.clause), **values)))

    yield explain
    loop.run(store.close())
    loop.close()


@pytest.mark.parametrize("after", [events.Cursor(), events.Cursor(0, 700)])
def test_an_owner_reads_own_events_only(engine: sa.Engine, plan: Any, after: events.Cursor) -> None:
    """Through the index on owners, from the cursor on: a stream of who has few events reads nobody else's."""
    rows.event(engine, owner="few@example.com")
    first = {name: value for name, value in rows.told(engine)[0].items() if name != "number"}
    many = [first | {"id": str(number), "owner": "many@example.com"} for number in range(1000)]
    with engine.begin() as connection:
        connection.execute(sa.insert(tables.EVENTS), many)
        connection.exec_driver_sql("ANALYZE")
    statement = events._read(engine.dialect.name, owned=True)
    found = plan(statement, owner="few@example.com", transaction_id=after.transaction_id, number=after.number, limit=100)
    assert "ix_events_owner_transaction_id_number" in found
