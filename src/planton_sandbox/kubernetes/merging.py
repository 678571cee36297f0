"""JSON patches and JSON merge patches (RFC 6902 and 7396)."""

from __future__ import annotations

import copy
import json
from typing import Any

from planton_sandbox.kubernetes import errors

MAXIMUM_OPERATIONS = 10_000
MAXIMUM_COPIED = 3 * 1024 * 1024
_MISSING = object()


def merge(base: Any, patch: Any) -> Any:
    """Returns ``base`` after a JSON merge patch."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    merged = dict(base) if isinstance(base, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def operate(base: Any, patch: Any) -> Any:
    """Returns ``base`` after a JSON patch.

    Raises:
        errors.ApiError: 400 when the patch is malformed, 422 when it cannot be applied.
    """
    if not isinstance(patch, list) or not all(isinstance(item, dict) for item in patch):
        raise errors.bad_request("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    if len(patch) > MAXIMUM_OPERATIONS:
        raise errors.too_large(MAXIMUM_OPERATIONS)
    document = copy.deepcopy(base)
    copied = 0
    for item in patch:
        try:
            if item.get("op") == "copy":
                # A few copies of copies could make a small patch as large as the memory.
                copied += len(json.dumps(_read(document, _steps(item["from"]))))
            if copied > MAXIMUM_COPIED:
                raise errors.too_large(MAXIMUM_COPIED)
            document = _apply(document, item)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            message = (
                f"the server rejected our request due to an error in our request: {item.get('op')} {item.get('path')}: {error}"
            )
            raise errors.ApiError(422, "Invalid", message) from error
    return document


def _apply(document: Any, item: dict[str, Any]) -> Any:
    operation, path = item["op"], _steps(item["path"])
    if operation == "test":
        if _read(document, path) != item["value"]:
            message = "testing the value failed"
            raise ValueError(message)
        return document
    if operation in ("move", "copy"):
        moved = copy.deepcopy(_read(document, _steps(item["from"])))
        if operation == "move":
            document = _write(document, _steps(item["from"]), _MISSING, replace=True)
        return _write(document, path, moved, replace=False)
    if operation == "remove":
        return _write(document, path, _MISSING, replace=True)
    if operation in ("add", "replace"):
        return _write(document, path, copy.deepcopy(item["value"]), replace=operation == "replace")
    message = f"unknown operation {operation!r}"
    raise ValueError(message)


def _steps(path: str) -> list[str]:
    if path and not path.startswith("/"):
        message = f"{path!r} is not a JSON pointer"
        raise ValueError(message)
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]


def _read(document: Any, path: list[str]) -> Any:
    for step in path:
        document = document[int(step)] if isinstance(document, list) else document[step]
    return document


def _write(document: Any, path: list[str], value: Any, *, replace: bool) -> Any:
    if not path:
        return value
    parent, last = _read(document, path[:-1]), path[-1]
    if isinstance(parent, list):
        _write_item(parent, last, value, replace=replace)
    elif value is _MISSING:
        del parent[last]
    elif replace and last not in parent:
        raise KeyError(last)
    else:
        parent[last] = value
    return document


def _write_item(parent: list[Any], step: str, value: Any, *, replace: bool) -> None:
    index = len(parent) if step == "-" else int(step)
    if not 0 <= index <= len(parent):
        message = f"index {index} is out of bounds"
        raise IndexError(message)
    if value is _MISSING:
        del parent[index]
    elif replace:
        parent[index] = value
    else:
        parent.insert(index, value)
