"""The detailed difference between a state and a plan, in the format of older plugins.

Items of a set have no identity: a changed item is one removal and one addition, with all its keys.
"""

from __future__ import annotations

import dataclasses
import typing

from pulumi.runtime.proto import provider_pb2

from planton_sandbox.providers import planning, schema, values

Kind: typing.TypeAlias = provider_pb2.PropertyDiff.Kind.ValueType
_ADD = provider_pb2.PropertyDiff.ADD
_DELETE = provider_pb2.PropertyDiff.DELETE
_UPDATE = provider_pb2.PropertyDiff.UPDATE
REPLACING: typing.Final = {
    _ADD: provider_pb2.PropertyDiff.ADD_REPLACE,
    _DELETE: provider_pb2.PropertyDiff.DELETE_REPLACE,
    _UPDATE: provider_pb2.PropertyDiff.UPDATE_REPLACE,
}
"""The kinds of change that need a replacement, by the kinds that do not."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Difference:
    """The differences.

    Attributes:
        kinds: the kind of change by path.
        replaces: the top-level properties that need a replacement.
        stables: the unchanged top-level properties whose change would need a replacement.
    """

    kinds: dict[str, Kind]
    replaces: tuple[str, ...]
    stables: tuple[str, ...]

    @property
    def properties(self) -> tuple[str, ...]:
        """The top-level properties that change."""
        return tuple(sorted({top(path) for path in self.kinds}))


def top(path: str) -> str:
    """Returns the top-level property of a path."""
    return path.split(".", maxsplit=1)[0].split("[", maxsplit=1)[0]


def difference(table: schema.Table, old: planning.State, new: planning.State) -> Difference:
    """Compares a state with a plan; properties that only the cloud sets do not count."""
    kinds: dict[str, Kind] = {}
    replaces: list[str] = []
    for row in table.properties:
        changes: dict[str, Kind] = {}
        _compare_row(row, old.get(row.name), new.get(row.name), row.name, changes)
        if changes and row.replaces:
            replaces.append(row.name)
            changes = {path: REPLACING[kind] for path, kind in changes.items()}
        kinds.update(changes)
    return conclude(table, kinds, replaces)


def conclude(table: schema.Table, kinds: dict[str, Kind], replaces: typing.Iterable[str]) -> Difference:
    """Returns the difference with these kinds and these top-level properties that need a replacement."""
    needing = sorted(set(replaces))
    stables = sorted(row.name for row in table.properties if row.replaces and row.name not in needing)
    return Difference(kinds=kinds, replaces=tuple(needing), stables=tuple(stables))


def _note(kinds: dict[str, Kind], path: str, kind: Kind) -> None:
    kinds[path] = _UPDATE if path in kinds and kinds[path] != kind else kind


def _compare_row(row: schema.Property, old: values.Json, new: values.Json, path: str, kinds: dict[str, Kind]) -> None:
    if row.output_only or planning.same(row, old, new):
        return
    if new is values.UNKNOWN:
        _note(kinds, path, _ADD if values.is_empty(old) else _UPDATE)
    elif row.type == schema.OBJECT:
        for field in row.fields:
            _compare_row(field, (old or {}).get(field.name), (new or {}).get(field.name), f"{path}.{field.name}", kinds)
    elif row.type == schema.MAP:
        _compare_maps(old or {}, new or {}, path, kinds)
    elif row.type == schema.LIST:
        _compare_lists(old or [], new or [], path, kinds)
    elif row.type == schema.SET:
        _compare_sets(row, old or [], new or [], path, kinds)
    elif new is None:
        _note(kinds, path, _DELETE)
    else:
        _note(kinds, path, _ADD if values.is_empty(old) else _UPDATE)


def _compare_maps(old: planning.State, new: planning.State, path: str, kinds: dict[str, Kind]) -> None:
    if len(old) != len(new):
        _note(kinds, path, _UPDATE)
    for key in {**old, **new}:
        if key not in new:
            _note(kinds, f"{path}.{key}", _DELETE)
        elif key not in old:
            _note(kinds, f"{path}.{key}", _ADD)
        elif old[key] != new[key]:
            _note(kinds, f"{path}.{key}", _UPDATE)


def _compare_lists(old: list[values.Json], new: list[values.Json], path: str, kinds: dict[str, Kind]) -> None:
    if len(old) != len(new):
        _note(kinds, path, _UPDATE)
    for index in range(max(len(old), len(new))):
        if index >= len(new):
            _note(kinds, f"{path}[{index}]", _DELETE)
        elif index >= len(old):
            _note(kinds, f"{path}[{index}]", _ADD)
        elif old[index] != new[index]:
            _note(kinds, f"{path}[{index}]", _UPDATE)


def _compare_sets(
    row: schema.Property, old: list[values.Json], new: list[values.Json], path: str, kinds: dict[str, Kind]
) -> None:
    if len(old) != len(new):
        _note(kinds, path, _UPDATE)
    pairs = planning.match(row, old, new)
    matched = set(pairs.values())
    for index, item in enumerate(old):
        if index not in matched:
            _whole_item(row, item, f"{path}[{index}]", _DELETE, kinds)
    for index, item in enumerate(new):
        if index not in pairs:
            _whole_item(row, item, f"{path}[{index}]", _ADD, kinds)


def _whole_item(row: schema.Property, item: values.Json, path: str, kind: Kind, kinds: dict[str, Kind]) -> None:
    if not row.fields:
        _note(kinds, path, kind)
        return
    for field in row.fields:
        value = item.get(field.name)
        if field.output_only or values.is_empty(value):
            continue
        at = f"{path}.{field.name}"
        if isinstance(value, list):
            _note(kinds, at, _UPDATE)
            for index in range(len(value)):
                _note(kinds, f"{at}[{index}]", kind)
        else:
            _note(kinds, at, kind)
