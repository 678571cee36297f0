"""Strategic merge patches, which merge lists by the keys of their items.

The directives are ``$patch``, ``$retainKeys``, ``$setElementOrder/FIELD`` and ``$deleteFromPrimitiveList/FIELD``.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

from planton_sandbox.kubernetes import errors, schema

Object = dict[str, Any]
_ORDER, _DELETE, _RETAIN = "$setElementOrder/", "$deleteFromPrimitiveList/", "$retainKeys"


def merge(base: Object, patch: Object, fields: schema.Fields | None) -> Object:
    """Returns ``base`` after a patch; ``fields`` are those of its type, ``None`` if it has none.

    Raises:
        errors.ApiError: when the patch is malformed.
    """
    directive = patch.get("$patch")
    if directive == "delete":
        return {}
    if directive == "replace":
        return {key: copy.deepcopy(value) for key, value in patch.items() if key != "$patch"}
    merged = dict(base)
    if _RETAIN in patch:
        merged = {key: value for key, value in merged.items() if key in patch[_RETAIN]}
    for key, value in patch.items():
        if key.startswith(_DELETE):
            name = key.removeprefix(_DELETE)
            merged[name] = [item for item in merged.get(name, []) if item not in value]
        elif key.startswith(_ORDER) or key in ("$patch", _RETAIN):
            continue
        elif value is None:
            merged.pop(key, None)
        else:
            merged[key] = _value(merged.get(key), value, (fields or {}).get(key, schema.UNKNOWN))
    for key, order in patch.items():
        name = key.removeprefix(_ORDER)
        if key.startswith(_ORDER) and isinstance(merged.get(name), list):
            merged[name] = _ordered(merged[name], order, (fields or {}).get(name, schema.UNKNOWN))
    return merged


def _value(base: Any, value: Any, field: schema.Field) -> Any:
    if isinstance(value, dict):
        inner = schema.fields(field) if field.shape == "one" else None
        return merge(base if isinstance(base, dict) else {}, value, inner)
    if isinstance(value, list) and field.shape == "set":
        present = list(base or [])
        return present + [item for item in value if item not in present]
    if isinstance(value, list) and field.keys:
        return _items(list(base or []), value, field)
    return copy.deepcopy(value)


def _items(base: list[Object], patch: list[Object], field: schema.Field) -> list[Object]:
    key, inner = field.keys[0][0], schema.fields(field)
    if any(isinstance(item, dict) and item.get("$patch") == "replace" for item in patch):
        return [copy.deepcopy(item) for item in patch if item.get("$patch") != "replace"]
    merged = list(base)
    for item in patch:
        if not isinstance(item, dict) or key not in item:
            raise errors.bad_request(f"map: {item} does not contain declared merge key: {key}")
        index = next((place for place, present in enumerate(merged) if present.get(key) == item[key]), None)
        if item.get("$patch") == "delete":
            merged = [present for present in merged if present.get(key) != item[key]]
        elif index is None:
            merged.append(merge({}, item, inner))
        else:
            merged[index] = merge(merged[index], item, inner)
    return merged


def _ordered(items: list[Any], order: Sequence[Any], field: schema.Field) -> list[Any]:
    """Returns the items in the patch's order; an item that it does not name stays behind its predecessor."""
    key = field.keys[0][0] if field.keys else ""
    names = [item.get(key) if isinstance(item, dict) else item for item in order]

    def name(item: Any) -> Any:
        return item.get(key) if isinstance(item, dict) else item

    listed = iter(sorted((item for item in items if name(item) in names), key=lambda item: names.index(name(item))))
    return [next(listed) if name(item) in names else item for item in items]
