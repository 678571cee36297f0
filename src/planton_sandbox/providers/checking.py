"""The Check call: defaults, generated names, and errors in the inputs of a resource.

The error texts are those of plugins that are built on Terraform providers. Unknown values are not validated.
"""

from __future__ import annotations

import dataclasses
import hashlib
import typing

from planton_sandbox.providers import schema, values

DEFAULTS = "__defaults"
"""The key under which the plugins list the inputs that they filled in."""
_NAME_DIGITS = 7
_UNKNOWN_KEY = "Invalid or unknown key"
_NOT_SINGLE = "Attribute must be a single value, not a list"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Naming:
    """How to name a resource that has no name.

    Attributes:
        logical: the resource's name in the program.
        seed: the seed of the suffix, which makes it repeatable.
        proposed: the engine's proposal, which takes precedence.
        disabled: no name is generated.
    """

    logical: str
    seed: bytes = b""
    proposed: str = ""
    disabled: bool = False

    def name(self) -> str | None:
        """Returns the name to use, or ``None`` if no name may be generated."""
        if self.disabled:
            return None
        suffix = hashlib.sha256(self.seed + self.logical.encode()).hexdigest()[:_NAME_DIGITS]
        return self.proposed or f"{self.logical}-{suffix}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Failure:
    """An error in the inputs, and its path from the resource's properties."""

    reason: str
    path: str

    def text(self, logical: str) -> str:
        """Returns the text that Check reports for a resource with this logical name."""
        return f"{self.reason}. Examine values at '{logical}.{self.path}'."


def check(
    table: schema.Table, *, olds: dict[str, values.Json], news: dict[str, values.Json], naming: Naming
) -> tuple[dict[str, values.Json], tuple[Failure, ...]]:
    """Fills in defaults and validates the inputs.

    Args:
        table: the resource.
        olds: the inputs of the last operation, whose generated values are kept.
        news: the inputs of the program.
        naming: how to generate a name.

    Returns:
        The complete inputs, and their errors.
    """
    inputs = _fill(table.properties, olds, news, naming)
    return inputs, tuple(_errors(table.properties, inputs, prefix="", top=""))


def without_empty_notes(inputs: values.Json) -> values.Json:
    """Removes empty lists of defaults, at any depth."""
    if isinstance(inputs, list):
        return [without_empty_notes(item) for item in inputs]
    if isinstance(inputs, dict):
        return {key: without_empty_notes(value) for key, value in inputs.items() if (key, value) != (DEFAULTS, [])}
    return inputs


def validate(table: schema.Table, inputs: dict[str, values.Json]) -> tuple[str, ...]:
    """Validates the arguments of a function; the texts carry no path."""
    rows = tuple(row for row in table.properties if not row.output_only)
    return tuple(failure.reason for failure in _errors(rows, inputs, prefix="", top=""))


def _fill(
    rows: tuple[schema.Property, ...], olds: dict[str, values.Json], news: dict[str, values.Json], naming: Naming
) -> dict[str, values.Json]:
    filled = {key: value for key, value in news.items() if value is not None and key != DEFAULTS}
    defaulted: list[str] = []
    for row in rows:
        if row.name in filled:
            filled[row.name] = _fill_value(row, olds.get(row.name), filled[row.name], naming)
            continue
        default = naming.name() if row.autoname else None if row.quiet else row.default
        if olds.get(row.name) is not None and _keeps_old_value(row, olds.get(DEFAULTS)):
            default = olds[row.name]
        if default is not None:
            filled[row.name] = default
            defaulted.append(row.name)
    return {**filled, DEFAULTS: sorted(defaulted)}


def _keeps_old_value(row: schema.Property, defaulted: values.Json) -> bool:
    """Returns whether an old value that the program no longer sets is kept.

    A former default is kept. After a refresh there is no list of defaults; then any value that could be a default counts as one.
    """
    return row.autoname or row.default is not None if defaulted is None else row.name in defaulted


def _fill_value(row: schema.Property, old: values.Json, new: values.Json, naming: Naming) -> values.Json:
    if row.fields and isinstance(new, dict):
        return _fill(row.fields, old if isinstance(old, dict) else {}, new, naming)
    if row.fields and isinstance(new, list):
        olds = old if isinstance(old, list) else []
        pairs = ((olds[index] if index < len(olds) else {}, item) for index, item in enumerate(new))
        return [_fill_value(row, before, item, naming) for before, item in pairs]
    if row.type == schema.INT and (isinstance(new, float) or (isinstance(new, str) and new.isdecimal())):
        return int(new)
    if row.type == schema.BOOL and new in ("true", "false"):
        return new == "true"
    if row.type == schema.STRING and isinstance(new, (bool, int, float)):
        return str(new).lower() if isinstance(new, bool) else f"{new:g}"
    return new


def _errors(
    rows: tuple[schema.Property, ...], inputs: dict[str, values.Json], *, prefix: str, top: str
) -> typing.Iterator[Failure]:
    settable = {row.name: row for row in rows if not row.output_only}
    for row in settable.values():
        path = prefix + row.path
        at = top or row.name
        if row.name in inputs:
            yield from _value_errors(row, inputs[row.name], path=path, at=at)
        elif row.required:
            missing = f'Missing required argument. The argument "{path}" is required, but no definition was found.'
            yield Failure(reason=missing, path=at)
    for key in sorted(set(inputs) - set(settable) - {DEFAULTS}):
        yield Failure(reason=_UNKNOWN_KEY, path=f"{top}.{key}" if top else key)


def _value_errors(row: schema.Property, value: values.Json, *, path: str, at: str) -> typing.Iterator[Failure]:
    if value is values.UNKNOWN:
        return
    if row.type == schema.OBJECT and isinstance(value, dict):
        yield from _block_errors(row, value, prefix=f"{path}.0.", at=at)
        return
    if row.type in (schema.LIST, schema.SET) and isinstance(value, list):
        for index, item in enumerate(value):
            for reason in _item_errors(row, item, f"{path}.{index}"):
                yield Failure(reason=reason, path=at)
        return
    if row.type == schema.MAP and isinstance(value, dict):
        return
    wrong = _wrong_type(row, value, path)
    for reason in wrong or (row.check(value, path) if row.check else ()):
        yield Failure(reason=reason, path=at)


def _item_errors(row: schema.Property, item: values.Json, path: str) -> typing.Iterable[str]:
    """Validates an item of a list or set; errors within it are reported at the list."""
    if row.fields and isinstance(item, dict):
        return [failure.reason for failure in _errors(row.fields, item, prefix=f"{path}.", top=path)]
    return row.check(item, path) if row.check and item is not values.UNKNOWN else ()


def _block_errors(row: schema.Property, value: dict[str, values.Json], *, prefix: str, at: str) -> typing.Iterator[Failure]:
    for field in row.fields:
        single_field = {key: item for key, item in value.items() if key == field.name}
        if not field.output_only:
            for failure in _errors((field,), single_field, prefix=prefix, top=""):
                yield Failure(reason=failure.reason, path=f"{at}.{failure.path}")
    for key in sorted(set(value) - {field.name for field in row.fields if not field.output_only} - {DEFAULTS}):
        yield Failure(reason=_UNKNOWN_KEY, path=f"{at}.{key}")


def _wrong_type(row: schema.Property, value: values.Json, path: str) -> schema.Problem:
    if row.type in (schema.STRING, schema.INT, schema.FLOAT, schema.BOOL) and isinstance(value, (list, dict)):
        return (_NOT_SINGLE,)
    if row.type == schema.FLOAT and isinstance(value, str):
        return (f"cannot parse '{path}' as float: strconv.ParseFloat: parsing \"{value}\": invalid syntax",)
    if row.type == schema.INT and isinstance(value, str):
        return (f"cannot parse '{path}' as int: strconv.ParseInt: parsing \"{value}\": invalid syntax",)
    if row.type == schema.BOOL and not isinstance(value, bool):
        return (f"cannot parse '{path}' as bool: strconv.ParseBool: parsing \"{value}\": invalid syntax",)
    if row.type in (schema.LIST, schema.SET, schema.MAP, schema.OBJECT):
        return (f"{path}: should be a {row.type}",)
    return ()
