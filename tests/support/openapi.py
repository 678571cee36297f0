"""A published OpenAPI description in YAML files with references, and checks of responses against it."""

from __future__ import annotations

import functools
import pathlib
import re
from collections.abc import Iterator
from typing import Any

import yaml


class Description:
    """The description in an entry file; its use needs jsonschema."""

    def __init__(self, entry: pathlib.Path) -> None:
        """Reads the entry file; the others are read on demand."""
        self._entry = entry.resolve()
        self._paths: dict[str, Any] = _document(self._entry)["paths"]

    def operation(self, method: str, path: str) -> Any | None:
        """Returns the operation of a request, or None; a path part in braces matches anything."""
        for template, item in self._paths.items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method.lower() in item:
                return self._resolved(item[method.lower()], self._entry)
        return None

    def problems(self, method: str, path: str, *, status: int, body: Any) -> Iterator[str]:
        """Yields the differences of a response: its status, its schema, and undescribed fields."""
        operation = self.operation(method, path)
        if operation is None:
            yield "is not described"
            return
        responses = {str(code): response for code, response in operation["responses"].items()}
        response = responses.get(str(status)) or (responses["default"] if status >= 400 else None)
        if response is None:
            yield f"status {status} is not described"
            return
        content = response.get("content", {})
        if not content or isinstance(body, str):
            if bool(content) is not bool(body):
                yield f"has the body {body!r}, described are {sorted(content)}"
            return
        yield from _invalid(content["application/json"]["schema"], body)

    def _resolved(self, node: Any, file: pathlib.Path) -> Any:
        """Returns a part of the description with its references resolved."""
        if isinstance(node, list):
            return [self._resolved(item, file) for item in node]
        if not isinstance(node, dict):
            return node
        if isinstance(node.get("$ref"), str):
            name, _, pointer = node["$ref"].partition("#")
            target = (file.parent / name).resolve() if name else file
            resolved = _document(target)
            for part in filter(None, pointer.split("/")):
                resolved = resolved[part.replace("~1", "/").replace("~0", "~")]
            return self._resolved(resolved, target)
        return {key: self._resolved(item, file) for key, item in node.items() if key not in ("example", "examples")}


@functools.cache
def _document(path: pathlib.Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def _invalid(schema: Any, body: Any) -> Iterator[str]:
    import jsonschema

    strict = _plain(schema)
    for error in jsonschema.Draft7Validator(strict).iter_errors(body):
        yield f"{error.json_path}: {error.message[:200]}"
    for path in _undescribed(strict, body, "$"):
        yield f"{path} is not described"


def _plain(node: Any) -> Any:
    """Converts a schema of OpenAPI 3.0 to JSON Schema."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _plain(item) for key, item in node.items() if key != "nullable"}
    return {"anyOf": [{"type": "null"}, plain]} if node.get("nullable") is True else plain


def _undescribed(schema: Any, body: Any, path: str) -> Iterator[str]:
    if isinstance(body, list):
        for item in body:
            for part in _parts(schema):
                if "items" in part:
                    yield from _undescribed(part["items"], item, f"{path}[]")
    if isinstance(body, dict):
        property_lists = [part["properties"] for part in _parts(schema) if "properties" in part]
        for key, value in body.items():
            schemas = [properties[key] for properties in property_lists if key in properties]
            if property_lists and not schemas:
                yield f"{path}.{key}"
            for part in schemas:
                yield from _undescribed(part, value, f"{path}.{key}")


def _parts(schema: Any) -> Iterator[Any]:
    yield schema
    for word in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(word, []):
            yield from _parts(part)
