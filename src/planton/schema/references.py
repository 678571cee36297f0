"""References between manifests: finds, orders and resolves them.

A reference (``valueFrom``) names another resource by kind, environment and name, and a field of it. This module uses only
the schema: the caller's ``lookup`` finds resources in files, clouds or states.
"""

from __future__ import annotations

import dataclasses
import functools
import graphlib
import hashlib
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from org.project_planton.shared.cloudresourcekind import cloud_resource_kind_pb2
from org.project_planton.shared.foreignkey.v1 import foreign_key_pb2
from org.project_planton.shared.relationship.v1 import relationship_pb2
from planton import errors
from planton.base import suggestions
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from google.protobuf import descriptor, message

#: A placeholder for an unknown output: a UUID that clouds accept as an id, and that no cloud issues.
_UNKNOWN = "00000000-0000-5000-8000-"
_UNKNOWN_PATTERN = re.compile(_UNKNOWN + "[0-9a-f]{12}")
#: The credential that means the account of the context, else of the environment.
DEFAULT_CREDENTIAL = "default"
#: Names the entry of the credentials file, for every kind; inherited along references.
CREDENTIAL_ANNOTATION = "project-planton.org/credential"
KNOWN_AFTER_APPLY = "(known after apply)"


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Key:
    """The key of a resource.

    Attributes:
        kind: The kind's name.
        env: The environment; may be empty.
        name: ``metadata.name``.
    """

    kind: str
    env: str
    name: str

    def __str__(self) -> str:
        """Returns ``KIND/NAME`` and the environment, if it has one."""
        return f"{self.kind}/{self.name}" + (f" (env {self.env})" if self.env else "")


@dataclasses.dataclass(frozen=True, slots=True)
class Reference:
    """A reference in a manifest.

    Attributes:
        owner: The resource that refers.
        path: Where, in the manifest's spelling, e.g. ``spec.network``.
        target: The resource that the reference names.
        field_path: The field of the target, in proto spelling, e.g. ``status.outputs.network_id``.
        holder: The message that holds the reference, to be overwritten by ``resolve``.
        meant: The kind that the field is for, where the reference leaves to the field which output it takes; else empty.
    """

    owner: Key
    path: str
    target: Key
    field_path: str
    holder: message.Message = dataclasses.field(compare=False, repr=False)
    meant: str = ""


def key(manifest: message.Message) -> Key:
    """Returns the key of a manifest."""
    metadata = manifest.metadata  # type: ignore[attr-defined]  # every manifest has metadata
    return Key(manifest.DESCRIPTOR.name, metadata.env, metadata.name)


def find(manifest: message.Message) -> list[Reference]:
    """Returns the references in a manifest's spec, in field order."""
    return list(_walk(manifest.spec, "spec", key(manifest)))  # type: ignore[attr-defined]  # every manifest has a spec


def _walk(value: message.Message, path: str, owner: Key) -> Iterator[Reference]:
    for field, content in value.ListFields():
        here = f"{path}.{field.json_name}"
        if field.message_type is None or (field.message_type.GetOptions().map_entry):
            continue
        if field.message_type is foreign_key_pb2.StringValueOrRef.DESCRIPTOR:
            if content.HasField("value_from"):
                yield _reference(field, content, here, owner)
        elif field.is_repeated:
            for index, item in enumerate(content):
                yield from _walk(item, f"{here}[{index}]", owner)
        else:
            yield from _walk(content, here, owner)


def _reference(field: descriptor.FieldDescriptor, holder: foreign_key_pb2.StringValueOrRef, path: str, owner: Key) -> Reference:
    ref = holder.value_from
    options = field.GetOptions().Extensions
    number = ref.kind or options[foreign_key_pb2.default_kind]
    kind = _kind_name(number)
    field_path = ref.field_path or options[foreign_key_pb2.default_kind_field_path]
    target = Key(kind, ref.env or owner.env, ref.name)
    meant = (
        "" if ref.field_path or not options[foreign_key_pb2.default_kind] else _kind_name(options[foreign_key_pb2.default_kind])
    )
    return Reference(owner, path, target, _proto_path(kind, field_path), holder, meant)


def _kind_name(number: int) -> str:
    value = cloud_resource_kind_pb2.CloudResourceKind.DESCRIPTOR.values_by_number.get(number)
    return value.name if value is not None else str(number)


@functools.lru_cache(maxsize=256)
def _proto_path(kind_name: str, field_path: str) -> str:
    # Clouds show names, and accept ids for clusters and networks.
    kind = kinds.find(kind_name)
    if kind is not None and field_path in ("", "metadata.name"):
        return kind.declared.reference or f"status.outputs.{kind.id_output}"
    return ".".join(re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", part).lower() for part in field_path.split("."))


class Problem(NamedTuple):
    """A reference that the schema does not allow.

    Attributes:
        path: The field of the reference that is wrong.
        detail: The condition that must hold.
        rule_id: The rule's id.
        target: The resource that the reference names; None if its kind is unknown.
        suggestion: An existing field that is close to the unknown one; empty if there is none.
    """

    path: str
    detail: str
    rule_id: str
    target: errors.Target | None = None
    suggestion: str = ""


def problems(manifest: message.Message) -> list[Problem]:
    """Returns each reference with an unknown kind, with a kind that the field does not accept, or with an unknown field."""
    problems = []
    for reference in find(manifest):
        kind = kinds.find(reference.target.kind)
        if kind is None:
            text = f"refers to kind {reference.target.kind!r}, which this version cannot look up"
            problems.append(Problem(f"{reference.path}.valueFrom.kind", text, "reference.kind_is_known"))
        elif reference.meant not in ("", kind.name):
            text = f"must be {reference.meant}; to refer to another field of a {kind.name}, set fieldPath"
            target = errors.Target(str(reference.target))
            problems.append(Problem(f"{reference.path}.valueFrom.kind", text, "reference.kind_fits", target))
        else:
            text, suggestion = _wrong_step(kind.message.DESCRIPTOR, reference.field_path)
            if text:
                path = f"{reference.path}.valueFrom.fieldPath"
                target = errors.Target(str(reference.target))
                problems.append(Problem(path, text, "reference.field_path_exists", target, suggestion))
    return problems


def _wrong_step(described: Any, field_path: str) -> tuple[str, str]:
    """Returns the error in a field path, and a similar name; both empty for a valid path."""
    seen: list[str] = []
    for step in field_path.split("."):
        names = [] if described is None else list(described.fields_by_name)
        if step not in names:
            noun = "output" if seen == ["status", "outputs"] else f"field in {'.'.join(seen) or described.name}"
            return f"no such {noun} {step!r}", suggestions.nearest(step, names)
        seen.append(step)
        field = described.fields_by_name[step]
        described = field.message_type
        if described is not None and field.is_repeated:
            return f"{'.'.join(seen)!r} is not a single value", ""
    if described is None or described is foreign_key_pb2.StringValueOrRef.DESCRIPTOR:
        return "", ""
    return f"{'.'.join(seen)!r} is not a single value; it has {', '.join(described.fields_by_name)}", ""


def depends_on(manifest: message.Message) -> set[Key]:
    """Returns the resources that must be there before this one: those it refers to and its ``depends_on`` relations."""
    return {target for target, _ in uses(manifest)}


def uses(manifest: message.Message) -> list[tuple[Key, str]]:
    """Returns what a manifest depends on, and where it says so: its references, then its ``depends_on`` relations."""
    owner = key(manifest)
    depends_on = relationship_pb2.CloudResourceRelationship.depends_on
    related = [
        (Key(_kind_name(relation.kind), relation.env or owner.env, relation.name), f"metadata.relationships[{index}]")
        for index, relation in enumerate(manifest.metadata.relationships)  # type: ignore[attr-defined]  # every manifest has it
        if relation.type == depends_on
    ]
    return [*((reference.target, reference.path) for reference in find(manifest)), *related]


def order(manifests: Mapping[Key, message.Message]) -> list[Key]:
    """Returns the keys in dependency order; otherwise in the order of the input.

    Raises:
        PlantonError: ``REFERENCE_INVALID``: they form a cycle.
    """
    try:
        return list(_sorter({name: depends_on(manifest) for name, manifest in manifests.items()}).static_order())
    except graphlib.CycleError as error:
        raise errors.PlantonError(
            f"the references form a cycle: {' → '.join(map(str, reversed(error.args[1])))}",
            reason=errors.Reason.REFERENCE_INVALID,
            hint="remove one of these references",
        ) from None


def find_cycle(needs: Mapping[Key, Iterable[Key]]) -> list[Key]:
    """Returns resources each of which depends on the next, and the last on the first; empty where there are none.

    Args:
        needs: The dependencies of each resource; those that are not keys are ignored.
    """
    try:
        _sorter(needs).prepare()
    except graphlib.CycleError as error:
        # Each element precedes the next, and the first is repeated at the end.
        return [*reversed(error.args[1][1:])]
    return []


def _sorter(needs: Mapping[Key, Iterable[Key]]) -> graphlib.TopologicalSorter[Key]:
    return graphlib.TopologicalSorter(
        {name: [other for other in sorted(dependencies) if other in needs] for name, dependencies in needs.items()}
    )


def resolve(manifest: message.Message, lookup: Callable[[Key], message.Message | None]) -> message.Message:
    """Returns a copy of a manifest in which every reference has become a literal.

    Args:
        manifest: The manifest; it is not changed.
        lookup: Gives the manifest of a resource with ``status.outputs`` filled, or None if it is unknown.

    Raises:
        PlantonError: ``REFERENCE_UNRESOLVED``: a target is missing, or the field of it is empty. Both ends are named.
    """
    copy = type(manifest)()
    copy.CopyFrom(manifest)
    for reference in find(copy):
        reference.holder.value = _value(reference, lookup(reference.target))  # type: ignore[attr-defined]
    _inherit_region(manifest, copy, lookup)
    named = credential(manifest, lookup)
    if named and not own_credential(copy):
        copy.metadata.annotations[CREDENTIAL_ANNOTATION] = named  # type: ignore[attr-defined]  # every manifest has metadata
    return copy


def _value(reference: Reference, target: message.Message | None) -> str:
    ends = {"from": str(reference.owner), "to": str(reference.target), "field": reference.path}
    if target is None:
        raise errors.reference_unresolved(
            f"{reference.owner}: {reference.path} refers to {reference.target}, which is neither among the manifests nor applied",
            hint="pass its manifest too (-f), apply it first, or correct the kind, env or name",
            metadata=ends,
        )
    content = value(target, reference.field_path)
    if not content:
        raise errors.reference_unresolved(
            f"{reference.owner}: {reference.path} refers to {reference.field_path} of {reference.target}, which is empty",
            hint="apply the other resource again, or refer to another field of it",
            metadata=ends,
        )
    return content


def value(manifest: message.Message, field_path: str) -> str:
    """Returns a field of a manifest, in proto spelling, as a text; empty where it is not set.

    The value of an enum is its name. A list with one item has the value of the item; any other list is unset. A field that may hold
    a reference has its literal.
    """
    content: Any = manifest
    field: Any = None
    for step in field_path.split("."):
        field = content.DESCRIPTOR.fields_by_name[step]
        content = getattr(content, step)
    if field.is_repeated:
        content = content[0] if len(content) == 1 else ""
    if field.message_type is foreign_key_pb2.StringValueOrRef.DESCRIPTOR:
        content = content.value
    if field.enum_type is not None:
        return str(field.enum_type.values_by_number[content].name) if content else ""
    return str(content or "")


def may_be_known(manifest: message.Message, field_path: str) -> bool:
    """Returns whether a field of a manifest has a value, or can have one after its apply.

    Outputs come with the apply; so does what a reference in it stands for, and the region of a resource that refers to another.
    """
    steps = field_path.split(".")
    if steps[0] == "status" or value(manifest, field_path):
        return True
    if field_path == "spec.region":
        return bool(find(manifest))
    return any(_proto_path("", reference.path) in (field_path, field_path.removesuffix(".value")) for reference in find(manifest))


def _inherit_region(manifest: message.Message, copy: message.Message, lookup: Callable[[Key], message.Message | None]) -> None:
    # A resource without a region of its own lives where the one it refers to lives.
    spec = copy.spec  # type: ignore[attr-defined]
    field = spec.DESCRIPTOR.fields_by_name.get("region")
    if field is not None and field.type == field.TYPE_STRING and not spec.region:
        spec.region = region(manifest, lookup)


def region(manifest: message.Message, lookup: Callable[[Key], message.Message | None]) -> str:
    """Returns the region of a manifest: its own, else that of its first dependency that has one; else empty.

    The name is the enum's or the text of the field, e.g. ``lon1``.
    """
    own = own_region(manifest)
    if own:
        return own
    for reference in find(manifest):
        target = lookup(reference.target)
        if target is not None and target is not manifest:
            code = region(target, lookup)
            if code:
                return code
    return ""


def credential(manifest: message.Message, lookup: Callable[[Key], message.Message | None]) -> str:
    """Returns the credential of a manifest: its own, else that of its first dependency that has one; else empty."""
    named = own_credential(manifest)
    if named:
        return named
    targets = (lookup(reference.target) for reference in find(manifest))
    return next(filter(None, (credential(target, lookup) for target in targets if target is not None)), "")


def own_credential(manifest: message.Message) -> str:
    """Returns the entry of the credentials file that a manifest names; empty if it names none.

    The annotation and the field of the kinds that have one mean the same. The field of such a kind is required, so the default in it
    leaves the choice to the annotation.
    """
    annotations = manifest.metadata.annotations  # type: ignore[attr-defined]  # every manifest has metadata
    spec = manifest.spec  # type: ignore[attr-defined]  # every manifest has a spec
    kind = kinds.find(manifest.DESCRIPTOR.name)
    field = "" if kind is None else kind.declared.credential_field
    named = str(getattr(spec, field)) if field else ""
    annotated = str(annotations.get(CREDENTIAL_ANNOTATION, ""))
    return annotated or named if named in ("", DEFAULT_CREDENTIAL) else named


def own_region(manifest: message.Message) -> str:
    """Returns the region that a manifest itself says, as the enum's name or the field's text; empty where it says none."""
    kind = kinds.find(manifest.DESCRIPTOR.name)
    name = "region" if kind is None else kind.declared.region_field
    spec = manifest.spec  # type: ignore[attr-defined]
    return value(manifest, f"spec.{name}") if name in spec.DESCRIPTOR.fields_by_name else ""


def unknown_outputs(manifest: message.Message) -> message.Message:
    """Returns a copy of a manifest with placeholders for outputs that are known only after an apply.

    Text outputs become placeholders, which ``is_unknown`` and ``show_unknown`` recognise; the others stay empty.
    """
    copy = type(manifest)()
    copy.CopyFrom(manifest)
    outputs = copy.status.outputs  # type: ignore[attr-defined]  # every manifest has a status
    for field in outputs.DESCRIPTOR.fields:
        if field.type == field.TYPE_STRING and not field.is_repeated:
            digest = hashlib.sha256(f"{key(manifest)} {field.name}".encode()).hexdigest()
            setattr(outputs, field.name, _UNKNOWN + digest[:12])
    return copy


def is_unknown(text: str) -> bool:
    """Returns whether a text is or contains a placeholder of ``unknown_outputs``."""
    return _UNKNOWN_PATTERN.search(text) is not None


def show_unknown(text: str) -> str:
    """Returns a text with placeholders replaced by ``(known after apply)``."""
    return _UNKNOWN_PATTERN.sub(KNOWN_AFTER_APPLY, text)


def referrers(target: Key, manifests: Iterable[message.Message]) -> list[Key]:
    """Returns which of the manifests depend on a resource, sorted."""
    return sorted({key(manifest) for manifest in manifests if target in depends_on(manifest)})
