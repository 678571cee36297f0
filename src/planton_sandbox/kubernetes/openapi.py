"""OpenAPI v3 documents of the served groups, from which kubectl validates and merges.

kubectl needs version 2, too, for lists of objects. That document describes no kind: the server checks fields itself.
"""

from __future__ import annotations

import functools
import hashlib
import json
from typing import Any

from planton_sandbox.kubernetes import discovery, resources, schema

Object = dict[str, Any]
PREFIX = "/openapi/v3"
SWAGGER = "/openapi/v2"
SWAGGER_PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_INFO = {"title": "Kubernetes", "version": "unversioned"}
PATCHES = (
    "application/apply-patch+yaml",
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)
_SCALARS: dict[str, Object] = {
    "string": {"type": "string"},
    "int": {"type": "integer", "format": "int64"},
    "bool": {"type": "boolean"},
    "time": {"type": "string", "format": "date-time"},
    "quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
    "intstr": {"oneOf": [{"type": "integer"}, {"type": "string"}], "format": "int-or-string"},
    "any": {"x-kubernetes-preserve-unknown-fields": True},
}
_QUERY = ("dryRun", "fieldManager", "fieldValidation", "force", "pretty")


def swagger(accept: str) -> tuple[bytes, str]:
    """Returns the document of OpenAPI v2 and its media type, in Protobuf if the client prefers that."""
    if "protobuf" not in accept.partition(",")[0]:
        empty = {"swagger": "2.0", "info": _INFO, "paths": {}, "definitions": {}}
        return json.dumps(empty).encode(), "application/json"
    info = _text(1, _INFO["title"]) + _text(2, _INFO["version"])
    return _text(1, "2.0") + b"\x12" + bytes([len(info)]) + info, SWAGGER_PROTOBUF


def _text(number: int, value: str) -> bytes:
    return bytes([number << 3 | 2, len(value)]) + value.encode()


def document(path: str) -> Object | None:
    """Returns the document at a path below ``/openapi/v3``, or ``None``."""
    if path == PREFIX:
        return {"paths": {_key(group): {"serverRelativeURL": _url(group)} for group in discovery.groups()}}
    for group in discovery.groups():
        if path == f"{PREFIX}/{_key(group)}":
            return _group(group)
    return None


def _key(group: str) -> str:
    member = next(item for item in resources.RESOURCES if item.group == group)
    return f"apis/{member.api_version}" if group else "api/v1"


@functools.cache
def _url(group: str) -> str:
    digest = hashlib.sha256(json.dumps(_group(group), sort_keys=True).encode()).hexdigest()
    return f"{PREFIX}/{_key(group)}?hash={digest.upper()}"


@functools.cache
def _group(group: str) -> Object:
    members = [item for item in resources.RESOURCES if item.group == group]
    paths: Object = {}
    schemas: Object = {}
    for item in members:
        paths |= _paths(item)
        schemas[_name(item.kind, group)] = _top(item)
        for field in schema.of(item.kind).values():
            _collect(field, schemas)
    return {"openapi": "3.0.0", "info": _INFO, "paths": paths, "components": {"schemas": schemas}}


def _collect(field: schema.Field, schemas: Object) -> None:
    fields = schema.fields(field)
    name = _name(field.type)
    if fields is None or name in schemas:
        return
    schemas[name] = _object(fields)
    for inner in fields.values():
        _collect(inner, schemas)


def _name(kind: str, group: str | None = None) -> str:
    return f"io.k8s.types.{kind}" if group is None else f"io.k8s.api.{group.partition('.')[0] or 'core'}.{kind}"


def _top(item: resources.Resource) -> Object:
    return _object(schema.of(item.kind)) | {"x-kubernetes-group-version-kind": [_gvk(item)]}


def _gvk(item: resources.Resource) -> Object:
    return {"group": item.group, "version": item.version, "kind": item.kind}


def _object(fields: schema.Fields) -> Object:
    return {"type": "object", "properties": {name: _property(field) for name, field in fields.items()}}


def _property(field: schema.Field) -> Object:
    one = dict(_SCALARS.get(field.type) or {"$ref": f"#/components/schemas/{_name(field.type)}"})
    if field.shape == "map":
        return {"type": "object", "additionalProperties": one} | ({"x-kubernetes-map-type": "atomic"} if field.atomic else {})
    if field.shape == "set":
        return {"type": "array", "items": one, "x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge"}
    if field.shape == "list" and field.keys:
        keys = [key for key, _ in field.keys]
        merging = {"x-kubernetes-patch-merge-key": keys[0], "x-kubernetes-patch-strategy": "merge"}
        return {"type": "array", "items": one, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys} | merging
    if field.shape == "list":
        return {"type": "array", "items": one, "x-kubernetes-list-type": "atomic"}
    return one


def _paths(item: resources.Resource) -> Object:
    base = f"/apis/{item.api_version}" if item.group else "/api/v1"
    base += ("/namespaces/{namespace}" if item.namespaced else "") + f"/{item.plural}"
    content = {"schema": {"$ref": f"#/components/schemas/{_name(item.kind, item.group)}"}}
    answer = {"200": {"description": "OK", "content": {"application/json": content}}}
    parameters = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in _QUERY]
    common = {"x-kubernetes-group-version-kind": _gvk(item), "responses": answer, "parameters": parameters}
    body = {"requestBody": {"content": {"application/json": content}}}
    one: Object = {}
    if "get" in item.verbs:
        one["get"] = common | {"x-kubernetes-action": "get"}
    if "update" in item.verbs:
        one["put"] = common | body | {"x-kubernetes-action": "put"}
    if "patch" in item.verbs:
        patch = {"schema": {"type": "object"}}
        one["patch"] = common | {"requestBody": {"content": dict.fromkeys(PATCHES, patch)}, "x-kubernetes-action": "patch"}
    many = {"post": common | body | {"x-kubernetes-action": "post"}} if "create" in item.verbs else {}
    return {base: many, f"{base}/{{name}}": one}
