"""Plans, states after an apply, and inputs read back from states.

These are the rules of the Terraform plugin SDK as the official plugins show them, including null against empty. Where a rule looks
odd, a recorded exchange is the reason.
"""

from __future__ import annotations

import copy
import dataclasses
import typing

from planton_sandbox.providers import checking, schema, values

State = dict[str, values.Json]
_BLOCKS = (schema.LIST, schema.SET)
_NUMBERS = (schema.BOOL, schema.INT, schema.FLOAT)


@dataclasses.dataclass(kw_only=True)
class Data:
    """A resource during one call.

    Attributes:
        table: its properties.
        id: its id; empty if it is missing from the cloud.
        prior: the previous state, or ``None`` for a creation.
        state: the planned state, which the calls turn into the real one.
        spellings: the texts that the plan spells differently, as the program spells them, by snake case name.
        replace: the change needs a replacement, although no single property does.
    """

    table: schema.Table
    id: str = ""
    prior: State | None = None
    state: State = dataclasses.field(default_factory=dict)
    spellings: dict[str, str] = dataclasses.field(default_factory=dict)
    replace: bool = False

    def get(self, name: str) -> values.Json:
        """Returns a value, or ``None`` for an unknown one."""
        value = self.state.get(name)
        return None if value is values.UNKNOWN else value

    def set(self, **changes: values.Json) -> None:
        """Records values from the cloud."""
        self.state.update(changes)

    def changed(self, name: str) -> bool:
        """Returns whether a property differs from the previous state."""
        before = (self.prior or {}).get(name)
        return not same(self.table.by_name[name], before, self.state.get(name))


def plan(table: schema.Table, *, prior: State | None, inputs: State, ignored: typing.Iterable[str] = ()) -> State:
    """Returns the expected state after applying the inputs."""
    planned = _plan_rows(table.properties, prior, inputs)
    for path in ignored:
        _restore(planned, prior or {}, path.split("."))
    return planned


def spelled(table: schema.Table, *, prior: State | None, inputs: State) -> dict[str, str]:
    """Returns the changed texts that the plan spells differently, as the program spells them."""
    rows = ((row, inputs.get(row.name)) for row in table.properties if row.normalize)
    return {
        row.path: text
        for row, text in rows
        if isinstance(text, str) and row.normalize and row.normalize(text) != (prior or {}).get(row.name)
    }


def settle(table: schema.Table, *, planned: State, real: State) -> State:
    """Returns the state after an apply.

    A set that was fully planned stays as planned, whatever the cloud reports. A property that was planned null does not become
    an empty map, list or set of plain values. Both hold until the next refresh.
    """
    return _settle_rows(table.properties, planned, real)


def as_read(table: schema.Table, real: State) -> State:
    """Returns the state after a refresh or an import."""
    state = values.without_unknown(real)
    return {
        row.name: [] if row.type in _BLOCKS and state.get(row.name) is None else state.get(row.name) for row in table.properties
    }


def same(row: schema.Property, old: values.Json, new: values.Json) -> bool:  # noqa: PLR0911  # one return for each type
    """Returns whether two values of a property are the same; unset, empty, zero and false are the same."""
    if old is values.UNKNOWN or new is values.UNKNOWN:
        return old is new
    if values.is_empty(old) and values.is_empty(new):
        return True
    if row.type in _NUMBERS:
        return bool((old or 0) == (new or 0))
    if row.type == schema.OBJECT and isinstance(old, dict) and isinstance(new, dict):
        return _same_block(row, old, new)
    if row.type == schema.MAP and isinstance(old, dict) and isinstance(new, dict):
        return _plain(old) == _plain(new)
    if row.type in _BLOCKS and isinstance(old, list) and isinstance(new, list):
        return _same_items(row, old, new)
    return bool(old == new)


def match(row: schema.Property, olds: list[values.Json], news: list[values.Json]) -> dict[int, int]:
    """Pairs the items of two sets: the index of each new item to the index of its old one."""
    free = list(range(len(olds)))
    pairs: dict[int, int] = {}
    for index, item in enumerate(news):
        for other in free:
            if _same_item(row, olds[other], item):
                pairs[index] = other
                free.remove(other)
                break
    return pairs


def imported(rows: tuple[schema.Property, ...], outputs: State) -> State:
    """Returns the inputs of an imported resource: required settings, and those that are not at their default."""
    inputs: State = {checking.DEFAULTS: []}
    for row in rows:
        if row.output_only:
            continue
        value = _imported_value(row, outputs.get(row.name))
        if row.required or not _is_usual(row, value):
            inputs[row.name] = value
    return inputs


def _is_usual(row: schema.Property, value: values.Json) -> bool:
    # The default of a computed setting is the plugin's code, which the bridge does not see.
    if row.default is not None and not row.computed:
        return bool(value == row.default)
    return not value or value == {checking.DEFAULTS: []}


def refreshed(rows: tuple[schema.Property, ...], inputs: State, outputs: State) -> State:
    """Returns the inputs updated from the outputs. No key is added, nor an item of a list of plain values."""
    by_name = {row.name: row for row in rows}
    fresh: State = {}
    for key, old in inputs.items():
        row = by_name.get(key)
        value = outputs.get(key)
        if row is None or (value is None and old is not None and values.is_empty(old)):
            fresh[key] = old
        elif value is not None:
            fresh[key] = _refreshed_value(row, old, value)
    return fresh


def _plan_rows(rows: tuple[schema.Property, ...], prior: State | None, inputs: State) -> State:
    return {row.name: _plan_row(row, prior, inputs) for row in rows}


def _plan_row(row: schema.Property, prior: State | None, inputs: State) -> values.Json:
    before = None if prior is None else prior.get(row.name)
    value = inputs.get(row.name)
    if row.suppress is not None and value is not values.UNKNOWN and row.suppress(prior or {}, inputs):
        return before
    if value is not None and not row.output_only:
        return _plan_value(row, before, value)
    if row.default is not None:
        return row.default
    if row.computed or row.output_only:
        return values.UNKNOWN if prior is None else copy.deepcopy(before)
    if before is not None and (values.is_empty(before) or before == 0):
        return copy.deepcopy(before)
    return [] if row.type in _BLOCKS and (row.fields or (row.type == schema.SET and before)) else None


def _plan_value(row: schema.Property, before: values.Json, value: values.Json) -> values.Json:
    if value is values.UNKNOWN:
        return value
    if row.type == schema.OBJECT:
        return _plan_rows(row.fields, before if isinstance(before, dict) else None, value)
    if row.type == schema.MAP:
        return _plain(value)
    olds = before if isinstance(before, list) else []
    if not row.fields:
        same_set = row.fold and olds and _same_items(row, olds, value)
        return copy.deepcopy(olds if same_set else row.normalize(value) if row.normalize else value)
    pairs = match(row, olds, value) if row.type == schema.SET else {index: index for index in range(len(olds))}
    return [_plan_rows(row.fields, olds[pairs[i]] if i in pairs else None, item) for i, item in enumerate(value)]


def _restore(planned: State, prior: State, path: list[str]) -> None:
    head, subpath = path[0], path[1:]
    if subpath and isinstance(planned.get(head), dict) and isinstance(prior.get(head), dict):
        _restore(planned[head], prior[head], subpath)
    elif not subpath and head in planned:
        planned[head] = copy.deepcopy(prior.get(head))


def _settle_rows(rows: tuple[schema.Property, ...], planned: State, real: State) -> State:
    return {row.name: _settle_row(row, planned.get(row.name), real.get(row.name)) for row in rows}


def _settle_row(row: schema.Property, planned: values.Json, real: values.Json) -> values.Json:
    if row.type == schema.OBJECT and isinstance(planned, dict) and isinstance(real, dict):
        return _settle_rows(row.fields, planned, real)
    if row.type == schema.SET and planned is not None and values.is_known(planned):
        return planned
    if not row.fields and planned is None and isinstance(real, (list, dict)) and not real:
        return None
    if real is values.UNKNOWN:
        return [] if row.type in _BLOCKS else None
    return values.without_unknown(real)


def _plain(value: State) -> State:
    return {key: item for key, item in value.items() if key != checking.DEFAULTS}


def _same_block(row: schema.Property, old: State, new: State) -> bool:
    fields = (field for field in row.fields if not field.output_only)
    return all(same(field, old.get(field.name), new.get(field.name)) for field in fields)


def _same_item(row: schema.Property, old: values.Json, new: values.Json) -> bool:
    if row.fields and isinstance(old, dict) and isinstance(new, dict):
        return _same_block(row, old, new)
    if row.fold and isinstance(old, str) and isinstance(new, str):
        return old.casefold() == new.casefold()
    return bool(old == new)


def _same_items(row: schema.Property, old: list[values.Json], new: list[values.Json]) -> bool:
    if len(old) != len(new):
        return False
    if row.type == schema.LIST:
        return all(_same_item(row, before, after) for before, after in zip(old, new, strict=True))
    return len(match(row, old, new)) == len(new)


def _imported_value(row: schema.Property, value: values.Json) -> values.Json:
    if value is None:
        return None
    if row.type == schema.MAP:
        return {checking.DEFAULTS: [], **value}
    if row.type == schema.OBJECT:
        return imported(row.fields, value)
    if row.fields:
        return [imported(row.fields, item) for item in value]
    return copy.deepcopy(value)


def _refreshed_value(row: schema.Property, old: values.Json, value: values.Json) -> values.Json:
    if row.type == schema.OBJECT and isinstance(old, dict):
        return refreshed(row.fields, old, value)
    if row.type == schema.MAP and isinstance(old, dict):
        return {key: value[key] for key in old if key in value}
    if row.type == schema.SET and isinstance(old, list) and _same_items(row, old, value):
        return old
    if not row.fields or not isinstance(old, list):
        return copy.deepcopy(value[: len(old)] if isinstance(old, list) else value)
    pairs = match(row, old, value)
    return [
        refreshed(row.fields, old[pairs[index]], item) if index in pairs else imported(row.fields, item)
        for index, item in enumerate(value)
    ]
