"""Servers of earlier releases work on the current schema: migrations only add, and statements of older servers succeed."""

from __future__ import annotations

import dataclasses
import itertools
import pathlib
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from planton_server.store import engines, schema

REVISIONS = schema.supported_revisions()
#: Database → the query for the names of its triggers.
_TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """What statements of a server depend on.

    Attributes:
        columns: Name → type, and whether an INSERT may omit it.
        restrictions: The primary key, unique columns, foreign keys and checks, as text.
    """

    columns: dict[str, tuple[str, bool]]
    restrictions: frozenset[str]


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Iterator[sa.Engine]:
    """The engine of a database without tables."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'server.db'}"
    else:
        cluster = request.getfixturevalue("cluster")
        url = cluster.url(cluster.create())
    blocking = engines.blocking(url)
    yield blocking
    blocking.dispose()


def _tables(connection: sa.Connection) -> dict[str, Table]:
    inspector = sa.inspect(connection)
    tables = {}
    for name in inspector.get_table_names():
        columns = {
            each["name"]: (str(each["type"]), bool(each["nullable"] or each["default"] is not None))
            for each in inspector.get_columns(name)
        }
        unique = [each for each in inspector.get_indexes(name) if each["unique"]]
        restrictions = [
            ("primary key", inspector.get_pk_constraint(name)["constrained_columns"]),
            *(("unique", each["column_names"]) for each in inspector.get_unique_constraints(name)),
            *(("unique", each["column_names"]) for each in unique),
            *(("foreign key", each["constrained_columns"]) for each in inspector.get_foreign_keys(name)),
            *(("check", [each["sqltext"]]) for each in inspector.get_check_constraints(name)),
        ]
        tables[name] = Table(columns, frozenset(f"{what} {columns}" for what, columns in restrictions))
    return tables


def _triggers(connection: sa.Connection) -> set[str]:
    return set(connection.execute(sa.text(_TRIGGERS[connection.dialect.name])).scalars())


def _breaks(before: dict[str, Table], after: dict[str, Table]) -> list[str]:
    """Returns why statements for the tables before would fail on those after."""
    breaks = [f"{name} is gone" for name in before if name not in after]
    for name, old in before.items():
        new = after.get(name, old)
        for column, (type_, is_optional) in old.columns.items():
            now_type, is_optional_now = new.columns.get(column, ("nothing", True))
            if now_type != type_ or is_optional > is_optional_now:
                breaks.append(f"{name}.{column}: {type_} became {now_type}, optional: {is_optional_now}")
        added = new.columns.keys() - old.columns.keys()
        breaks += [f"{name}.{column} must be set" for column in added if not new.columns[column][1]]
        breaks += [f"{name}: {each}" for each in new.restrictions - old.restrictions]
    return breaks


@pytest.mark.parametrize(("before", "after"), list(itertools.pairwise(REVISIONS)))
def test_a_migration_only_adds(engine: sa.Engine, before: str, after: str) -> None:
    """Tables, columns that may be empty, and triggers. Nothing is removed, renamed, or restricted."""
    with engine.begin() as connection:
        schema.upgrade(connection, before)
        tables, triggers = _tables(connection), _triggers(connection)
    with engine.begin() as connection:
        schema.upgrade(connection, after)
        assert _breaks(tables, _tables(connection)) == []
        assert triggers <= _triggers(connection)


@pytest.mark.parametrize(
    ("statements", "reason"),
    [
        (["DROP TABLE tokens"], "tokens is gone"),
        (["ALTER TABLE tokens DROP COLUMN expires_at"], "tokens.expires_at: TEXT became nothing"),
        (["ALTER TABLE tokens RENAME COLUMN role TO roles"], "tokens.roles must be set"),
        (["CREATE UNIQUE INDEX one ON tokens (subject)"], "tokens: unique ['subject']"),
        (["ALTER TABLE tokens DROP COLUMN role", "ALTER TABLE tokens ADD COLUMN role BIGINT"], "tokens.role: TEXT became BIGINT"),
    ],
)
def test_other_migrations_are_noticed(statements: Sequence[str], reason: str) -> None:
    """The check of the previous test can fail."""
    with sa.create_engine("sqlite://").connect() as connection:
        schema.upgrade(connection)
        tables = _tables(connection)
        for each in statements:
            connection.execute(sa.text(each))
        assert any(each.startswith(reason) for each in _breaks(tables, _tables(connection)))


@pytest.mark.parametrize("release", REVISIONS[:-1])
def test_statements_of_an_earlier_schema_work_on_the_current_one(engine: sa.Engine, release: str) -> None:
    """Each table takes rows with the columns of that time, changes and deletes them; triggers of later releases run."""
    old = sa.MetaData()
    with engine.begin() as connection:
        schema.upgrade(connection, release)
        old.reflect(connection)
    old.remove(old.tables["alembic_version"])
    with engine.begin() as connection:
        schema.upgrade(connection)
    rows = {table: [_row(table, each) for each in ("a", "b")] for table in old.sorted_tables}
    with engine.begin() as connection:
        for table, values in rows.items():
            connection.execute(table.insert(), values)
        for table, values in rows.items():
            changed = {name: value for name, value in values[0].items() if name not in table.primary_key.columns}
            # The second row keeps its own values where they must differ.
            assert connection.execute(table.update().where(*_is(table, values[0])).values(changed)).rowcount == 1
            read = connection.execute(table.select().where(*_is(table, values[0]))).mappings().one()
            assert {**read} == values[0]
        for table in reversed(old.sorted_tables):
            for each in rows[table]:
                connection.execute(table.delete().where(*_is(table, each)))
        assert connection.execute(sa.text("SELECT count(*) FROM work")).scalar() == 0


def _row(table: sa.Table, name: str) -> dict[str, Any]:
    """Returns a row that refers to the rows of this name in other tables. Texts are valid as JSON too; ids are of one table."""
    values: dict[type, Any] = {str: f'"{name}"', int: ord(name), float: 1.0, bool: True}
    row = {column.name: values[column.type.python_type] for column in table.columns}
    ids = {column.name: f"{table.name}-{name}" for column in table.columns if column.name == "id"}
    references = {key.parent.name: f"{key.column.table.name}-{name}" for key in table.foreign_keys}
    return row | ids | references


def _is(table: sa.Table, row: dict[str, Any]) -> list[sa.ColumnElement[bool]]:
    return [column == row[column.name] for column in table.primary_key.columns]
