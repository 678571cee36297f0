"""The tables that describe a provider's resources, and the package schema that follows from them.

One table row says everything about a property: what Check accepts, what a plan may change, and what ``GetSchema``
tells. Rows carry two names because texts of the plugins use the snake case one and programs the camel case one.
"""

from __future__ import annotations

import dataclasses
import json
import re
import typing

from planton_sandbox.providers import values

Problem = tuple[str, ...]
"""The texts of what is wrong with a value; empty means nothing."""
Validator = typing.Callable[[values.Json, str], Problem]
"""Takes a known value and its dotted snake case path."""
Suppressor = typing.Callable[[dict[str, values.Json], dict[str, values.Json]], bool]
"""Takes the state before and the inputs, both of the block that a property stands in."""

_MODULE_FORMAT = "(.*)(?:/[^/]*)"
STRING, INT, FLOAT, BOOL = "string", "integer", "number", "boolean"
LIST, SET, MAP, OBJECT = "list", "set", "map", "object"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Property:
    """One property of a resource, of a nested block or of a function.

    Attributes:
        name: the name in programs.
        wire: the name in the plugins' texts.
        type: one of the eight type names above; ``OBJECT`` is a block that occurs at most once.
        items: the type of the items of a ``LIST`` or ``SET`` without ``fields``.
        computed: the cloud fills it in when the program does not.
        output_only: programs may not set it.
        replaces: a change replaces the resource.
        autoname: a name is made up from the logical one when none is given.
        fields: the block's properties, for ``LIST`` and ``SET`` of blocks and for ``OBJECT``.
        quiet: the default stands in plans, but Check does not fill it in.
        fold: items of a ``SET`` that differ only in case are the same.
        check: judges a value; for a ``LIST`` or ``SET`` without ``fields``, each of its items.
        normalize: turns a text into the one that the cloud uses.
        suppress: tells whether a change is none after all.
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
        """The snake case name that follows from the one in programs."""
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
    """Makes a row for something that only the cloud says."""
    return Property(name=name, type=kind, fields=fields, items=items, output_only=True, computed=True)


def package(
    *,
    name: str,
    version: str,
    config: tuple[Property, ...],
    resources: typing.Iterable[Table],
    functions: typing.Iterable[Table],
) -> str:
    """Writes the package schema as JSON."""
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
