"""Sets of fields, in the format of ``managedFields``.

A field is a path of steps: ``f:NAME``, ``k:{KEYS}`` for an item of a list with keys, ``v:VALUE`` for an item of a set.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from planton_sandbox.kubernetes import schema

Object = dict[str, Any]
Path = tuple[str, ...]
#: Fields of the server, which no manager owns.
_SERVERS = frozenset(
    {
        "name", "generateName", "namespace", "uid", "resourceVersion", "selfLink", "generation", "creationTimestamp",
        "deletionTimestamp", "deletionGracePeriodSeconds", "managedFields",
    }
)  # fmt: skip
_SELF = "."


class _Owned(dict[Path, Any]):
    """Fields with their values, and those that occur twice."""

    def __init__(self) -> None:
        super().__init__()
        self.twice: list[Path] = []

    def __setitem__(self, path: Path, value: Any) -> None:
        if path in self:
            self.twice.append(path)
        super().__setitem__(path, value)


def values(item: Object, kind: str) -> dict[Path, Any]:
    """Returns the owned fields of an object with their values; ``None`` for an item of a list with keys."""
    return _values(item, kind)


def repeated(item: Object, kind: str) -> list[Path]:
    """Returns the items that lists with keys have twice."""
    return [path for path in _values(item, kind).twice if path[-1].startswith("k:")]


def _values(item: Object, kind: str) -> _Owned:
    owned = _Owned()
    fields = schema.of(kind)
    for name, value in item.items():
        if name == "metadata":
            inner = {key: one for key, one in value.items() if key not in _SERVERS}
            if inner:
                _collect(inner, fields[name], ("f:metadata",), owned)
        elif name not in ("apiVersion", "kind"):
            _collect(value, fields.get(name, schema.UNKNOWN), (f"f:{name}",), owned)
    return owned


def encode(paths: Iterable[Path]) -> Object:
    """Returns a set of fields as ``fieldsV1``."""
    tree: Object = {}
    members = sorted(paths)
    for path in members:
        place = tree
        for step in path:
            place = place.setdefault(step, {})
    for path in members:
        place = tree
        for step in path:
            place = place[step]
        if place:
            place[_SELF] = {}
    return tree


def decode(tree: Any) -> set[Path]:
    """Returns the set of fields of ``fieldsV1``."""
    paths: set[Path] = set()

    def visit(place: Any, path: Path) -> None:
        if not isinstance(place, Mapping):
            return
        if path and (not place or _SELF in place):
            paths.add(path)
        for step, inner in place.items():
            if step != _SELF:
                visit(inner, (*path, step))

    visit(tree, ())
    return paths


def text(path: Path) -> str:
    """Returns a field as error messages show it, such as ``.spec.template.spec.containers[name="web"].image``."""
    shown = ""
    for step in path:
        sort, _, rest = step.partition(":")
        if sort == "f":
            shown += f".{rest}"
        elif sort == "k":
            pairs = ",".join(f"{key}={json.dumps(value)}" for key, value in json.loads(rest).items())
            shown += f"[{pairs}]"
        else:
            shown += f"[={rest}]"
    return shown


def merge(base: Any, config: Any, field: schema.Field, *, is_item: bool = False) -> Any:
    """Returns ``base`` with the fields of an applied configuration."""
    if isinstance(config, dict) and isinstance(base, dict) and not field.atomic:
        inner = schema.fields(field) if is_item or field.shape == "one" else None
        merged = dict(base)
        for name, value in config.items():
            merged[name] = merge(base.get(name), value, (inner or {}).get(name, schema.UNKNOWN))
        return merged
    if isinstance(config, list) and isinstance(base, list) and field.shape == "set":
        return base + [item for item in config if item not in base]
    if isinstance(config, list) and isinstance(base, list) and field.keys:
        merged_items = {_key(item, field): item for item in base}
        for item in config:
            key = _key(item, field)
            merged_items[key] = merge(merged_items[key], item, field, is_item=True) if key in merged_items else item
        return list(merged_items.values())
    return config


def remove(item: Any, path: Path, field: schema.Field, *, is_item: bool = False) -> Any:
    """Returns a value without a field; objects that become empty go with it."""
    step, rest = path[0], path[1:]
    sort, _, name = step.partition(":")
    if sort == "f" and isinstance(item, dict) and name in item:
        inner = schema.fields(field) if is_item or field.shape == "one" else None
        remainder = remove(item[name], rest, (inner or {}).get(name, schema.UNKNOWN)) if rest else None
        others = {key: value for key, value in item.items() if key != name}
        return others if remainder in (None, {}, []) else item | {name: remainder}
    if sort == "v" and isinstance(item, list):
        return [one for one in item if json.dumps(one) != name]
    if sort == "k" and isinstance(item, list):
        kept = []
        for one in item:
            remainder = one
            if _key(one, field) == step:
                remainder = remove(one, rest, field, is_item=True) if rest else None
            kept += [] if remainder is None else [remainder]
        return kept
    return item


def _collect(value: Any, field: schema.Field, path: Path, owned: dict[Path, Any], *, is_item: bool = False) -> None:
    if isinstance(value, dict) and value and (is_item or not field.atomic):
        inner = schema.fields(field) if is_item or field.shape == "one" else None
        for name, one in value.items():
            _collect(one, (inner or {}).get(name, schema.UNKNOWN), (*path, f"f:{name}"), owned)
    elif isinstance(value, list) and value and field.shape == "set":
        owned.update({(*path, f"v:{json.dumps(one)}"): one for one in value})
    elif isinstance(value, list) and value and field.keys:
        for one in value:
            place = (*path, _key(one, field))
            owned[place] = None
            _collect(one, field, place, owned, is_item=True)
    else:
        owned[path] = value


def _key(item: Object, field: schema.Field) -> str:
    keys = {key: item.get(key, default) for key, default in field.keys}
    return f"k:{json.dumps(keys, separators=(',', ':'))}"
