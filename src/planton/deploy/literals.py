"""Replaces literal names of cloud resources by ids, from the cloud's whole list, before a module runs."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from org.project_planton.shared.cloudresourcekind import cloud_resource_kind_pb2
from org.project_planton.shared.foreignkey.v1 import foreign_key_pb2
from planton.base import ids
from planton.deploy import problems
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf import message

    from planton.clouds import entries
    from planton.deploy import lists


@dataclasses.dataclass(frozen=True, slots=True)
class Literal:
    """A field of a spec that names a cloud resource by name or id, not by a reference.

    Attributes:
        field: The field's name, in proto spelling.
        path: The field, in the manifest's spelling.
        what: ``network``, ``firewall`` or ``cluster``.
        text: The name or id.
    """

    field: str
    path: str
    resource_type: str
    text: str


def find(manifest: message.Message) -> Iterator[Literal]:
    """Yields the literals of a manifest whose references are not resolved."""
    for field, content in manifest.spec.ListFields():  # type: ignore[attr-defined]  # every manifest has a spec
        if field.message_type is not foreign_key_pb2.StringValueOrRef.DESCRIPTOR or content.HasField("value_from"):
            continue
        number = field.GetOptions().Extensions[foreign_key_pb2.default_kind]
        if not number:
            continue  # it names nothing in the cloud
        kind = cloud_resource_kind_pb2.CloudResourceKind.DESCRIPTOR.values_by_number[number].name
        yield Literal(field.name, f"spec.{field.json_name}", kinds.get(kind).main, content.value)


def resolve(target: Any, literals: list[Literal], account: lists.Lists) -> list[problems.Problem]:  # any manifest
    """Replaces names in a manifest by ids, and returns the problems of the names.

    If the list cannot be read, the name stays, and the module looks it up.

    Args:
        target: The manifest; it is modified.
        literals: Its literals.
        account: The lists.
    """
    wrong = []
    for literal in literals:
        listed = None if ids.is_id(literal.text) else account.existing(literal.resource_type)
        if listed is None:
            continue
        matches = [each for each in listed if literal.text == each.id] or [each for each in listed if literal.text == each.name]
        if len(matches) == 1:
            getattr(target.spec, literal.field).value = matches[0].id
        elif matches:
            wrong.append(_ambiguous(literal, matches, account))
        else:
            wrong.append(missing(literal, listed, account))
    return wrong


def copy(manifest: message.Message, planned: Any, target: Any) -> None:  # manifests of one kind
    """Copies the ids that replaced literal names from a planned manifest.

    Args:
        manifest: The manifest with the names.
        planned: The manifest with the ids.
        target: The manifest to modify.
    """
    for literal in find(manifest):
        getattr(target.spec, literal.field).value = getattr(planned.spec, literal.field).value


def _ambiguous(literal: Literal, matches: list[entries.Entry], account: lists.Lists) -> problems.Problem:
    listed = ", ".join(f"{each.id}" + (f" in {each.region}" if each.region else "") for each in matches)
    return problems.Problem(
        literal.path,
        f"{len(matches)} {literal.resource_type}s have the name {literal.text!r} in {account.where}: {listed}",
        "cloud.reference_unambiguous",
        f"write the id of the {literal.resource_type} that you mean",
        {"what": literal.resource_type, "name": literal.text, "ids": ",".join(each.id for each in matches)},
    )


def missing(literal: Literal, listed: list[entries.Entry], account: lists.Lists) -> problems.Problem:
    """Returns the problem of a literal without a cloud resource, with the existing names."""
    names = problems.offered(literal.text, {each.name for each in listed})
    return problems.Problem(
        literal.path,
        f"no {literal.resource_type} has the name or id {literal.text!r} in {account.where}; {literal.resource_type}s there: {names}",
        "cloud.reference_found",
        f"write the id of a {literal.resource_type}, or the exact name of one in this region and account",
        {"what": literal.resource_type, "name": literal.text},
    )
