"""The detailed difference between a state and a plan, in the format of newer plugins.

Unlike ``diffing`` it compares each value by itself. A replacement marks only the value that causes it. An item of a set keeps its
index in the program. A block that is added or removed is one change.
"""

from __future__ import annotations

import json
import re
import typing

from pulumi.runtime.proto import provider_pb2

from planton_sandbox.providers import diffing, planning, schema, values

_ADD = provider_pb2.PropertyDiff.ADD
_DELETE = provider_pb2.PropertyDiff.DELETE
_UPDATE = provider_pb2.PropertyDiff.UPDATE
_IDENTIFIER: typing.Final = re.compile(r"[a-zA-Z_$][a-zA-Z0-9_$]*")
_Kinds: typing.TypeAlias = dict[str, diffing.Kind]


def difference(table: schema.Table, old: planning.State, new: planning.State) -> diffing.Difference:
    """Compares a state with a plan; properties that only the cloud sets do not count."""
    kinds: _Kinds = {}
    _compare_rows(table.properties, old, new, "", kinds)
    needing = diffing.REPLACING.values()
    return diffing.conclude(table, kinds, (diffing.top(path) for path, kind in kinds.items() if kind in needing))


def _compare_rows(
    rows: tuple[schema.Property, ...], old: planning.State, new: planning.State, prefix: str, kinds: _Kinds
) -> None:
    for row in rows:
        if not row.output_only:
            _compare(row, old.get(row.name), new.get(row.name), prefix + row.name, kinds)


def _compare(row: schema.Property, old: values.Json, new: values.Json, path: str, kinds: _Kinds) -> None:
    """Compares two values; an empty list counts as unset, and a map that is unset counts as emptied."""
    if planning.same(row, old, new):
        return
    before, after = (None if value == [] else value for value in (old, new))
    if row.type == schema.MAP and after is None:
        after = {}
    if before is None or after is None or after is values.UNKNOWN:
        _compare_presence(row, before, after, path, kinds)
    elif row.type == schema.OBJECT:
        _compare_rows(row.fields, before, after, f"{path}.", kinds)
    elif row.type == schema.MAP:
        for key in sorted({**before, **after}):
            _compare(schema.Property(name=key), before.get(key), after.get(key), path + _step(key), kinds)
    elif row.type == schema.LIST:
        _compare_items(row, dict(enumerate(before)), dict(enumerate(after)), path, kinds)
    elif row.type == schema.SET:
        pairs = planning.match(row, before, after)
        removed = {index: item for index, item in enumerate(before) if index not in pairs.values()}
        added = {index: item for index, item in enumerate(after) if index not in pairs}
        _compare_items(row, removed, added, path, kinds)
    elif before != after:
        kinds[path] = diffing.REPLACING[_UPDATE] if row.replaces else _UPDATE


def _step(key: str) -> str:
    """Returns a key as a part of a path; one that is no identifier is quoted."""
    return f".{key}" if _IDENTIFIER.fullmatch(key) else f"[{json.dumps(key)}]"


def _compare_presence(row: schema.Property, old: values.Json, new: values.Json, path: str, kinds: _Kinds) -> None:
    if old is None and new is None:
        return
    kind = _ADD if old is None else _DELETE if new is None else _UPDATE
    kinds[path] = diffing.REPLACING[kind] if row.replaces or any(field.replaces for field in row.fields) else kind


def _compare_items(
    row: schema.Property, old: dict[int, values.Json], new: dict[int, values.Json], path: str, kinds: _Kinds
) -> None:
    kind, replaces = (schema.OBJECT, False) if row.fields else (row.items, row.replaces)
    item = schema.Property(name=row.name, type=kind, fields=row.fields, replaces=replaces)
    for index in sorted({**old, **new}):
        _compare(item, old.get(index), new.get(index), f"{path}[{index}]", kinds)
