"""Decodes the bodies of requests, and checks them against the fields of their kinds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from planton_sandbox import clock
from planton_sandbox.kubernetes import errors, quantities, resources, schema

MAXIMUM_BODY = 3 * 1024 * 1024
MAXIMUM_DEPTH = 64
Object = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """A loader without aliases, which could make a small text large."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            message = "aliases are not supported"
            raise yaml.YAMLError(message)
        return super().compose_node(parent, index)


# Times stay texts, as in JSON.
_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def value(text: bytes, *, kind: str) -> Any:
    """Returns the JSON value of a body; YAML if its media type says so.

    Raises:
        errors.ApiError: when it is malformed, too large or too deep.
    """
    if len(text) > MAXIMUM_BODY:
        raise errors.too_large(MAXIMUM_BODY)
    try:
        decoded = yaml.load(text, _Loader) if kind.endswith("yaml") else json.loads(text)  # noqa: S506 - a safe loader
        json.dumps(decoded, allow_nan=False)
    except (ValueError, TypeError, yaml.YAMLError, RecursionError) as error:
        raise errors.bad_request(f"error decoding the body: {error}") from error
    _check_depth(decoded, MAXIMUM_DEPTH)
    return decoded


def typed(resource: resources.Resource, body: Any) -> tuple[Object, list[str]]:
    """Returns an object with the fields that its kind has, and the unknown ones.

    Raises:
        errors.ApiError: when the body is no object of this kind.
    """
    if not isinstance(body, dict):
        raise errors.bad_request("the body of the request must be an object")
    # Patches can nest deeper than their bodies.
    _check_depth(body, MAXIMUM_DEPTH)
    body = {"apiVersion": resource.api_version, "kind": resource.kind} | body
    if body["kind"] != resource.kind or body["apiVersion"] != resource.api_version:
        offered, expected = f"{body['apiVersion']}, {body['kind']}", f"{resource.api_version}, {resource.kind}"
        raise errors.bad_request(f"the API version and kind in the data ({offered}) do not match the expected ones ({expected})")
    unknown: list[str] = []
    walk = _Walk(resource.kind, resource.version, unknown)
    checked = walk.object(body, schema.of(resource.kind), "")
    if not isinstance(checked.get("metadata"), dict):
        checked["metadata"] = {}
    return checked, unknown


class _Walk:
    """A walk through a body that collects unknown fields."""

    def __init__(self, kind: str, version: str, unknown: list[str]) -> None:
        self._kind = kind
        self._version = version
        self._unknown = unknown

    def object(self, body: Object, fields: schema.Fields, path: str) -> Object:
        checked = {}
        for name, item in body.items():
            place = f"{path}.{name}" if path else name
            field = fields.get(name)
            if field is None:
                self._unknown.append(place)
            elif item is not None:
                checked[name] = self._field(item, field, place)
        return checked

    def _field(self, item: Any, field: schema.Field, path: str) -> Any:
        if field.shape in ("list", "set"):
            if not isinstance(item, list):
                raise self._mismatch(item, path, f"[]{field.type}")
            return [self._one(one, field, f"{path}[{index}]") for index, one in enumerate(item)]
        if field.shape == "map":
            if not isinstance(item, dict):
                raise self._mismatch(item, path, f"map[string]{field.type}")
            return {key: self._one(one, field, f"{path}.{key}") for key, one in item.items() if one is not None}
        return self._one(item, field, path)

    def _one(self, item: Any, field: schema.Field, path: str) -> Any:
        fields = schema.fields(field)
        if fields is not None:
            if not isinstance(item, dict):
                raise self._mismatch(item, path, field.type)
            return self.object(item, fields, path)
        if field.type == "quantity":
            return self._quantity(item, path)
        if not _FITS[field.type](item):
            raise self._mismatch(item, path, field.type)
        return item

    def _quantity(self, item: Any, path: str) -> str:
        try:
            quantities.parse(item)
        except ValueError as error:
            raise self._unreadable(f"{error} ({path})") from error
        return str(item)

    def _mismatch(self, item: Any, path: str, expected: str) -> errors.ApiError:
        names = {dict: "object", list: "array", str: "string", bool: "bool"}
        kind = names.get(type(item), "number")
        return self._unreadable(f"json: cannot unmarshal {kind} into Go struct field {self._kind}.{path} of type {expected}")

    def _unreadable(self, why: str) -> errors.ApiError:
        return errors.bad_request(f'{self._kind} in version "{self._version}" cannot be handled as a {self._kind}: {why}')


def _is_time(text: str) -> bool:
    try:
        clock.parse(text)
    except ValueError:
        return False
    return True


_FITS: Mapping[str, Callable[[Any], bool]] = {
    "any": lambda _item: True,
    "string": lambda item: isinstance(item, str),
    "time": lambda item: isinstance(item, str) and _is_time(item),
    "bool": lambda item: isinstance(item, bool),
    "int": lambda item: isinstance(item, int) and not isinstance(item, bool) and abs(item) < 1 << 63,
    "intstr": lambda item: isinstance(item, int | str) and not isinstance(item, bool),
}


def _check_depth(item: Any, levels: int) -> None:
    if levels < 0:
        raise errors.bad_request("the body of the request has too many levels")
    for inner in item.values() if isinstance(item, dict) else item if isinstance(item, list) else ():
        _check_depth(inner, levels - 1)
