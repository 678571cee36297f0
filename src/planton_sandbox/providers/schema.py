"""The tables that describe a provider's resources, and the package schema that follows from them.

A row describes a property completely: for Check, for plans and for ``GetSchema``. It has two names because the plugins' texts use
snake case and programs use camel case.
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing

from planton_sandbox.providers import values

Problem = tuple[str, ...]
"""The error texts about a value; empty if it is valid."""
Validator = typing.Callable[[values.Json, str], Problem]
"""Validates a known value; the second argument is its dotted snake case path."""
Suppressor = typing.Callable[[dict[str, values.Json], dict[str, values.Json]], bool]
"""Returns whether a change is ignored; its arguments are the previous state and the inputs of the property's block."""

_MODULE_FORMAT = "(.*)(?:/[^/]*)"
STRING, INT, FLOAT, BOOL = "string", "integer", "number", "boolean"
LIST, SET, MAP, OBJECT = "list", "set", "map", "object"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Property:
    """One property of a resource, of a nested block or of a function.

    Attributes:
        name: the name in programs.
        wire: the name in the plugins' texts; derived from ``name`` if empty.
        type: one of the eight type names of this module; ``OBJECT`` is a block that occurs at most once.
        items: the type of the items of a ``LIST`` or ``SET`` without ``fields``.
        computed: the cloud sets it if the program does not.
        output_only: programs cannot set it.
        replaces: a change replaces the resource.
        autoname: a missing name is generated from the logical one.
        fields: the block's properties, for ``LIST`` and ``SET`` of blocks and for ``OBJECT``.
        quiet: the default is part of plans, but Check does not fill it in.
        fold: items of a ``SET`` that differ only in case are the same.
        check: validates a value, or each item of a ``LIST`` or ``SET`` without ``fields``.
        normalize: converts a text to the cloud's spelling.
        suppress: returns whether a change is ignored.
    """

    name: str
    wire: str = ""
    type: str = STRING
    items: str = STRING
    doc: str = ""
    required: bool = False
    computed: bool = False
    output_only: bool = False
    replaces: bool = False
    secret: bool = False
    autoname: bool = False
    deprecated: str = ""
    default: values.Json = None
    fields: tuple[Property, ...] = ()
    quiet: bool = False
    fold: bool = False
    check: Validator | None = None
    normalize: typing.Callable[[str], str] | None = None
    suppress: Suppressor | None = None

    @property
    def path(self) -> str:
        """The snake case name."""
        return self.wire or self.plain_path

    @property
    def plain_path(self) -> str:
        """The snake case name that follows from the name in programs."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.name).lower()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """The properties of one resource or function, by its type token."""

    token: str
    doc: str
    properties: tuple[Property, ...]

    @property
    def by_name(self) -> dict[str, Property]:
        """The properties by their name in programs."""
        return {row.name: row for row in self.properties}


def out(name: str, kind: str = STRING, fields: tuple[Property, ...] = (), *, items: str = STRING) -> Property:
    """Creates a row for a property that only the cloud sets."""
    return Property(name=name, type=kind, fields=fields, items=items, output_only=True, computed=True)


def package(
    *,
    name: str,
    version: str,
    config: tuple[Property, ...],
    resources: typing.Iterable[Table],
    functions: typing.Iterable[Table],
) -> str:
    """Returns the package schema as JSON."""
    types: dict[str, values.Json] = {}
    provider = {row.name: _row(row, "Provider", types, name) for row in config}
    document = {
        "name": name,
        "version": version,
        "meta": {"moduleFormat": _MODULE_FORMAT},
        "config": {"variables": provider},
        "provider": {"inputProperties": provider, "properties": provider, "type": "object"},
        "resources": {table.token: _resource(table, types, name) for table in resources},
        "functions": {table.token: _function(table, types, name) for table in functions},
        "types": types,
        "language": {},
    }
    return json.dumps(document)


def _resource(table: Table, types: dict[str, values.Json], package_name: str) -> values.Json:
    stem = table.token.rsplit(":", 1)[-1]
    rows = {row.name: _row(row, stem, types, package_name) for row in table.properties}
    inputs = [row for row in table.properties if not row.output_only]
    settled = [row.name for row in table.properties if row.required or row.computed or row.output_only]
    return {
        "description": table.doc,
        "properties": rows,
        "required": settled,
        "inputProperties": {row.name: rows[row.name] for row in inputs},
        "requiredInputs": [row.name for row in inputs if row.required],
        "stateInputs": {"properties": rows, "type": "object"},
    }


def _function(table: Table, types: dict[str, values.Json], package_name: str) -> values.Json:
    stem = table.token.rsplit(":", 1)[-1]
    rows = {row.name: _row(row, stem, types, package_name) for row in table.properties}
    inputs = {row.name: rows[row.name] for row in table.properties if not row.output_only}
    outputs = {"properties": {**rows, "id": {"type": "string"}}, "type": "object", "required": ["id"]}
    return {"description": table.doc, "inputs": {"properties": inputs, "type": "object"}, "outputs": outputs}


def _row(row: Property, stem: str, types: dict[str, values.Json], package_name: str) -> dict[str, values.Json]:
    described: dict[str, values.Json] = {"description": row.doc}
    if row.default is not None:
        described["default"] = row.default
    if row.secret:
        described["secret"] = True
    if row.deprecated:
        described["deprecationMessage"] = row.deprecated
    if row.replaces:
        described["willReplaceOnChanges"] = True
    return {**described, **_type(row, stem, types, package_name)}


def _type(row: Property, stem: str, types: dict[str, values.Json], package_name: str) -> dict[str, values.Json]:
    if row.type == MAP:
        return {"type": "object", "additionalProperties": {"type": "string"}}
    if not row.fields:
        return {"type": "array", "items": {"type": row.items}} if row.type in (LIST, SET) else {"type": row.type}
    singular = row.name if row.type == OBJECT else row.name.removesuffix("s")
    title = stem[0].upper() + stem[1:] + singular[0].upper() + singular[1:]
    token = f"{package_name}:index/{title}:{title}"
    types[token] = {
        "type": "object",
        "properties": {field.name: _row(field, title, types, package_name) for field in row.fields},
        "required": [field.name for field in row.fields if field.required],
    }
    reference = {"$ref": f"#/types/{token}"}
    return reference if row.type == OBJECT else {"type": "array", "items": reference}
