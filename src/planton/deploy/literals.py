"""Replaces literal names of cloud resources by ids, from the cloud's whole list, before a module runs."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from org.project_planton.shared.cloudresourcekind import cloud_resource_kind_pb2
from org.project_planton.shared.foreignkey.v1 import foreign_key_pb2
from planton.base import ids
from planton.deploy import problems
from planton.schema import kinds, references

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
        is_replaced: Whether the id replaces a name, because the module needs it.
    """

    field: str
    path: str
    resource_type: str
    text: str
    is_replaced: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Regions:
    """The search for a cluster in all regions.

    Attributes:
        searched: The other regions that were searched; empty if there was no need.
        having: Those that have such a cluster.
    """

    searched: tuple[str, ...] = ()
    having: tuple[str, ...] = ()


def find(manifest: message.Message) -> Iterator[Literal]:
    """Yields the literals of a manifest whose references are not resolved."""
    for field, content in manifest.spec.ListFields():  # type: ignore[attr-defined]  # every manifest has a spec
        if field.message_type is not foreign_key_pb2.StringValueOrRef.DESCRIPTOR or content.HasField("value_from"):
            continue
        options = field.GetOptions().Extensions
        number, path = options[foreign_key_pb2.default_kind], options[foreign_key_pb2.default_kind_field_path]
        kind = kinds.find(cloud_resource_kind_pb2.CloudResourceKind.Name(number)) if number else None
        if kind is None or path not in ("", "metadata.name", f"status.outputs.{kind.id_output}", kind.declared.reference):
            continue  # it names no resource that this version knows
        owner = kinds.get(manifest.DESCRIPTOR.name)
        text = owner.cluster_id(manifest) if owner.is_node_pool and kind.is_cluster else content.value
        yield Literal(field.name, f"spec.{field.json_name}", kind.main, text, is_replaced=not kind.declared.reference)


def regions_of_cluster(
    target: Any,  # any manifest
    literals: list[Literal],
    account: lists.Lists,
    *,
    in_region: Callable[[str], lists.Lists],
) -> Regions:
    """Returns where the cluster is that a manifest without a region names, if it is not in the account's region.

    Args:
        target: The manifest.
        literals: Its literals.
        account: The lists of the region that the account chooses.
        in_region: Returns the lists of another region.
    """
    literal = next((each for each in literals if each.resource_type == kinds.Role.CLUSTER.value), None)
    is_regional = kinds.get(target.kind).cloud.networks.are_regional
    if literal is None or not is_regional or references.own_region(target):
        return Regions()
    listed = account.existing(literal.resource_type)
    if listed is None or _matches(literal, listed):
        return Regions()
    codes = [str(row["region"]).lower() for row in account.regions() or ()]
    others = [code for code in codes if code != account.where.lower()]
    having = [code for code in others if _matches(literal, in_region(code).existing(literal.resource_type) or [])]
    return Regions(tuple(others), tuple(having))


def _matches(literal: Literal, listed: list[entries.Entry]) -> list[entries.Entry]:
    by_id = [each for each in listed if literal.text == each.id]
    return by_id or [each for each in listed if literal.text == each.name]


def resolve(
    target: Any,  # any manifest
    literals: list[Literal],
    account: lists.Lists,
    *,
    regions: Regions | None = None,
) -> list[problems.Problem]:
    """Replaces names in a manifest by ids, and returns the problems of the names.

    If the list cannot be read, the name stays, and the module looks it up.

    Args:
        target: The manifest; it is modified.
        literals: Its literals.
        account: The lists.
        regions: The search for its cluster in other regions.
    """
    regions = regions or Regions()
    wrong = []
    for literal in literals:
        listed = None if ids.is_id(literal.text) else account.existing(literal.resource_type)
        if listed is None:
            continue
        matches = _matches(literal, listed)
        if len(matches) == 1 and not literal.is_replaced:
            continue
        if len(matches) == 1:
            getattr(target.spec, literal.field).value = matches[0].id
        elif matches:
            wrong.append(_ambiguous(literal, matches, account))
        else:
            wrong.append(_elsewhere(literal, regions, missing(literal, listed, account)))
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


def _elsewhere(literal: Literal, regions: Regions, here: problems.Problem) -> problems.Problem:
    others = ", ".join(regions.searched)
    if literal.resource_type != kinds.Role.CLUSTER.value or not others:
        return here
    if not regions.having:
        return dataclasses.replace(here, text=f"{here.text}; none in {others} either")
    return problems.Problem(
        literal.path,
        f"clusters in {', '.join(regions.having)} have the name {literal.text!r}",
        "cloud.reference_unambiguous",
        "write the id of the cluster that you mean",
        here.metadata,
    )


def missing(literal: Literal, listed: list[entries.Entry], account: lists.Lists) -> problems.Problem:
    """Returns the problem of a literal without a cloud resource, with the existing names, or ids if they have the place in them."""
    is_path = "/" in literal.text
    names = problems.offered(literal.text, {each.id if is_path else each.name for each in listed})
    hint = f"write the id of a {literal.resource_type}, or the exact name of one in this region and account"
    return problems.Problem(
        literal.path,
        f"no {literal.resource_type} has the name or id {literal.text!r} in {account.where}; {literal.resource_type}s there: {names}",
        "cloud.reference_found",
        f"correct the name of the {literal.resource_type}, or its place" if is_path else hint,
        {"what": literal.resource_type, "name": literal.text},
    )
