"""The differences between a state and the plugin's own format of it, which newer plugins add to the state.

The plugin's own format has snake case names, and a list where programs have a block that occurs once. Only what does not follow
from the names in programs is recorded.
"""

from __future__ import annotations

from planton_sandbox.providers import planning, schema, values

KEY = "__pulumi_raw_state_delta"
"""The key of the differences in a state."""


def delta(rows: tuple[schema.Property, ...], state: planning.State) -> planning.State:
    """Returns the differences of a block or a resource."""
    described_rows = {row.name: _value(row, state.get(row.name)) for row in rows}
    described: planning.State = {}
    parts = {name: part for name, part in described_rows.items() if part is not None}
    renamed = {row.name: row.wire for row in rows if row.wire and row.wire != row.plain_path}
    if parts:
        described["ps"] = parts
    if renamed:
        described["renamed"] = renamed
    return {"obj": described}


def _value(row: schema.Property, value: values.Json) -> planning.State | None:
    if row.type == schema.OBJECT:
        return {"plu": {"i": {} if value is None else delta(row.fields, value)}}
    if isinstance(value, dict):
        return {"map": {}}
    if not isinstance(value, list):
        return None
    items = {str(index): delta(row.fields, item) for index, item in enumerate(value)} if row.fields else {}
    return {"arr": {"el": items} if items else {}}
