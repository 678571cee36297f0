"""A published OpenAPI description, in YAML files that refer to each other, and whether answers keep to it."""

from __future__ import annotations

import functools
import pathlib
import re
from collections.abc import Iterator
from typing import Any

import yaml


class Description:
    """The description that begins in a file; jsonschema is needed to use it."""

    def __init__(self, entry: pathlib.Path) -> None:
        """Read the entry file; the others follow when they are needed."""
        self._entry = entry.resolve()
        self._paths: dict[str, Any] = _document(self._entry)["paths"]

    def operation(self, method: str, path: str) -> Any | None:
        """Return what is said about a request, or None; a part in braces stands for anything."""
        for template, item in self._paths.items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method.lower() in item:
                return self._resolved(item[method.lower()], self._entry)
        return None

    def problems(self, method: str, path: str, *, status: int, body: Any) -> Iterator[str]:
        """Say how an answer differs from the description: in status, in form, in fields that are not described."""
        operation = self.operation(method, path)
        if operation is None:
            yield "is not described"
            return
        responses = {str(code): answer for code, answer in operation["responses"].items()}
        answer = responses.get(str(status)) or (responses["default"] if status >= 400 else None)
        if answer is None:
            yield f"status {status} is not described"
            return
        content = answer.get("content", {})
        if not content or isinstance(body, str):
            if bool(content) is not bool(body):
                yield f"has the body {body!r}, described are {sorted(content)}"
            return
        yield from _invalid(content["application/json"]["schema"], body)

    def _resolved(self, node: Any, file: pathlib.Path) -> Any:
        """Return a part of the description with what it refers to in its place."""
        if isinstance(node, list):
            return [self._resolved(item, file) for item in node]
        if not isinstance(node, dict):
            return node
        if isinstance(node.get("$ref"), str):
            name, _, pointer = node["$ref"].partition("#")
            target = (file.parent / name).resolve() if name else file
            found = _document(target)
            for part in filter(None, pointer.split("/")):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            return self._resolved(found, target)
        return {key: self._resolved(item, file) for key, item in node.items() if key not in ("example", "examples")}


@functools.cache
def _document(path: pathlib.Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


def _invalid(schema: Any, body: Any) -> Iterator[str]:
    import jsonschema

    strict = _plain(schema)
    for error in jsonschema.Draft7Validator(strict).iter_errors(body):
        yield f"{error.json_path}: {error.message[:200]}"
    for where in _undescribed(strict, body, "$"):
        yield f"{where} is not described"


def _plain(node: Any) -> Any:
    """Return a schema of OpenAPI 3.0 as JSON Schema."""
    if isinstance(node, list):
        return [_plain(item) for item in node]
    if not isinstance(node, dict):
        return node
    plain = {key: _plain(item) for key, item in node.items() if key != "nullable"}
    return {"anyOf": [{"type": "null"}, plain]} if node.get("nullable") is True else plain


def _undescribed(schema: Any, body: Any, where: str) -> Iterator[str]:
    if isinstance(body, list):
        for item in body:
            for part in _parts(schema):
                if "items" in part:
                    yield from _undescribed(part["items"], item, f"{where}[]")
    if isinstance(body, dict):
        known = [part["properties"] for part in _parts(schema) if "properties" in part]
        for key, value in body.items():
            described = [properties[key] for properties in known if key in properties]
            if known and not described:
                yield f"{where}.{key}"
            for part in described:
                yield from _undescribed(part, value, f"{where}.{key}")


def _parts(schema: Any) -> Iterator[Any]:
    yield schema
    for word in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(word, []):
            yield from _parts(part)
