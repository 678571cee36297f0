"""Resources of the NodePool API → manifests. What belongs to single kinds is in their declarations (``KIND.api_fields``)."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import json_format

from org.project_planton.shared.foreignkey.v1 import foreign_key_pb2
from planton import errors
from planton.deploy import loading, subjects
from planton.manifest import origins, stack_names
from planton.schema import deletion, kinds, providers, references

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from google.protobuf import descriptor, message

    from planton.manifest import load

#: The Pulumi project of the stacks of API resources. A stack's name in it is the id of the resource.
PROJECT: Final = "planton-api"
#: The label of the nodes of a pool, whose value is the pool's name.
NODE_LABEL: Final = "nodepool"
_REVISION: Final = re.compile(r"(?:-r([1-9][0-9]{0,8}))?")
#: The label that gives a manifest the stack of an object.
STACK_LABEL: Final = f"{stack_names.PREFIX}stack.fqdn"


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """A resource of the API as JSON data, with what its manifest needs in addition.

    Attributes:
        id: Its id.
        kind: The kind of its manifest.
        data: ``name`` and ``spec``, as the API returns them.
        cluster: ``id`` (in the cloud), ``name`` and the cloud's object of the cluster of a node pool; empty for a cluster.
        default: Values for what the spec leaves open: ``version``, ``network``.
        existing: The spec of the manifest of the existing resource that is adopted; empty if it is created.
        credential: The name of the account's credential; empty for the default.
        revision: Which pool of the resource it is: a replacement makes the next one, with a name and a stack of its own.
    """

    id: str
    kind: kinds.Kind
    data: Mapping[str, Any]
    cluster: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    default: Mapping[str, str] = dataclasses.field(default_factory=dict)
    existing: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    credential: str = ""
    revision: int = 1

    @property
    def name(self) -> str:
        """The name in the cloud: that of the resource, with the revision if it is not the first."""
        suffix = suffix_of(self.revision)
        name = str(self.data["name"])
        # A name that is too long by itself is refused, and not shortened.
        return f"{name[: self.kind.declared.longest_name - len(suffix)]}{suffix}" if suffix else name

    @property
    def spec(self) -> Mapping[str, Any]:
        """The spec."""
        return dict(self.data.get("spec") or {})

    @property
    def platform(self) -> Mapping[str, Any]:
        """The object of the cloud in the spec."""
        named = self.spec.get("platform") or {}
        return dict(named.get(named.get("type", "")) or {})

    def value(self, path: str) -> Any:  # JSON data
        """Returns the value at a path of ``KIND.api_fields``; None if there is none."""
        root, *parts = path.split(".")
        roots: dict[str, Any] = {"name": self.name, "spec": self.spec, "platform": self.platform, "cluster": self.cluster}
        roots["existing"] = self.existing
        autoscaling = self.spec.get("autoscaling") or {}
        bounds = {**autoscaling, "nodeCount": self.spec.get("nodeCount")}
        roots["bounds"] = bounds if autoscaling.get("enabled") else {}
        value = roots.get(root, self._defaults() if root == "default" else None)
        for part in parts:
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def _defaults(self) -> dict[str, Any]:
        least = (self.spec.get("autoscaling") or {}).get("minNodes") or 1
        labels = {**(self.spec.get("labels") or {}), NODE_LABEL: str(self.data["name"])}
        return {"nodes": least, "labels": labels, **self.default}


def suffix_of(revision: int) -> str:
    """Returns how the names of a revision end: empty for the first."""
    return "" if revision == 1 else f"-r{revision}"


def stack_of(resource_id: str, revision: int) -> str:
    """Returns the name of the stack of a revision of a resource."""
    return f"{resource_id}{suffix_of(revision)}"


def revisions(resource_id: str, stacks: Iterable[str]) -> list[int]:
    """Returns the revisions of a resource that have stacks, in order.

    Args:
        resource_id: The id of the resource.
        stacks: The names of stacks of `PROJECT`.
    """
    own = (name.removeprefix(resource_id) for name in stacks if name.startswith(resource_id))
    matches = (_REVISION.fullmatch(suffix) for suffix in own)
    return sorted(int(each[1] or 1) for each in matches if each is not None)


def resource_of(stack: str) -> str:
    """Returns the id of the resource that a stack of `PROJECT` belongs to."""
    return re.sub(f"{_REVISION.pattern}$", "", stack)


def kind_of(role: kinds.Role, platform: str) -> kinds.Kind | None:
    """Returns the kind that a resource of the API becomes on a cloud; None if there is none."""
    if platform not in providers.names():
        return None
    return next((kind for kind in kinds.of_role(role, platform) if kind.declared.api_fields), None)


def platforms() -> tuple[str, ...]:
    """Returns the clouds on which this version can create clusters and node pools, sorted."""
    roles = (kinds.Role.CLUSTER, kinds.Role.NODE_POOL)
    return tuple(name for name in providers.names() if all(kind_of(role, name) is not None for role in roles))


def fixed(data: Mapping[str, Any], nodes: int) -> dict[str, Any]:
    """Returns a node pool of the API with a fixed number of nodes in place of its autoscaling."""
    spec = {name: value for name, value in (data.get("spec") or {}).items() if name != "autoscaling"}
    return {**data, "spec": {**spec, "nodeCount": nodes}}


def is_autoscaled(manifest: message.Message) -> bool:
    """Returns whether the manifest of a node pool has an autoscaler of the cloud."""
    return bool(subjects.autoscaling(manifest))


def resized(resource: load.Resource, nodes: int) -> load.Resource:
    """Returns the resource of a node pool with a fixed number of nodes."""
    manifest: Any = type(resource.manifest)()
    manifest.CopyFrom(resource.manifest)
    for name in subjects.autoscaling(manifest):
        manifest.spec.ClearField(name)
    setattr(manifest.spec, kinds.get(manifest.kind).declared.count_field, nodes)
    return dataclasses.replace(resource, manifest=manifest)


def as_data(resource: message.Message) -> dict[str, Any]:
    """Returns a resource of the API as JSON data, with the names of the API."""
    data: dict[str, Any] = json_format.MessageToDict(resource)
    return data


def resource(source: Source) -> load.Resource:
    """Returns the resource of the pipeline.

    Raises:
        InvalidError: The manifest would be invalid; the violations name fields of the API.
    """
    try:
        [loaded] = loading.load(json.dumps(_manifest(source)))
    except errors.InvalidError as error:
        raise errors.InvalidError([_of_api(source, each) for each in error.violations], hint="correct the spec") from None
    return dataclasses.replace(loaded, source="the spec", origin=origins.NODE_POOL_API, document=None)


def declared(source: Source) -> dict[str, Any]:
    """Returns the values of the resource by the path of their field in its manifest's spec; unset ones are left out."""
    fields = {}
    for path, alternatives in source.kind.declared.api_fields.items():
        value = next((each for each in map(source.value, alternatives) if each not in (None, "", [], {})), None)
        if value is not None:
            fields[path] = value
    return fields


def _manifest(source: Source) -> dict[str, Any]:
    kind = source.kind
    described: Any = kind.message.DESCRIPTOR
    spec: dict[str, Any] = {}
    for path, value in declared(source).items():
        if not _is_excluded(spec, path, described.fields_by_name["spec"].message_type):
            _put(spec, path.split("."), value, described.fields_by_name["spec"].message_type)
    annotations = {references.CREDENTIAL_ANNOTATION: source.credential} if source.credential else {}
    if (source.spec.get("lifecycle") or {}).get("deletionProtection"):
        annotations[deletion.PROTECTION_ANNOTATION] = "true"
    metadata = {
        "name": source.name,
        "id": source.id,
        "labels": {STACK_LABEL: f"/{PROJECT}/{stack_of(source.id, source.revision)}"},
        "annotations": annotations,
    }
    return {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, "spec": spec}


def _is_excluded(spec: Mapping[str, Any], path: str, described: descriptor.Descriptor) -> bool:
    """Returns whether the manifest has another field of the same oneof: the first one in ``KIND.api_fields`` counts."""
    name = path.partition(".")[0]
    oneof = next(field for field in described.fields if field.json_name == name).containing_oneof
    return oneof is not None and any(other.json_name in spec for other in oneof.fields if other.json_name != name)


def _put(target: dict[str, Any], path: list[str], value: Any, described: descriptor.Descriptor) -> None:  # JSON data
    name, *rest = path
    field = next(each for each in described.fields if each.json_name == name)
    if rest:
        assert field.message_type is not None, "only messages have fields"
        _put(target.setdefault(name, {}), rest, value, field.message_type)
    else:
        target[name] = _converted(value, field)


def _converted(value: Any, field: descriptor.FieldDescriptor) -> Any:  # JSON data
    if field.message_type is foreign_key_pb2.StringValueOrRef.DESCRIPTOR:
        return {"value": value}
    if field.enum_type is None:
        return value
    return next((each.name for each in field.enum_type.values if each.name.lower() == str(value).lower()), str(value))


def _of_api(source: Source, violation: errors.Violation) -> errors.Violation:
    return dataclasses.replace(violation, file="the spec", line=0, column=0, source="", path=api_path(source, violation.path))


def api_path(source: Source, path: str) -> str:
    """Returns the path in the API's resource of a path in its manifest; the same path if it has none of its own."""
    own = path.removeprefix("spec.").partition("[")[0]
    for declared, alternatives in source.kind.declared.api_fields.items():
        if declared != own and not declared.startswith(f"{own}."):
            continue
        parts = alternatives[0].split(".")
        parts = parts[: len(parts) - declared.count(".") + own.count(".")]
        if parts[0] == "bounds":
            parts = ["spec", *([] if parts[1:] == ["nodeCount"] else ["autoscaling"]), *parts[1:]]
        if parts[0] == "platform":
            parts = ["spec", "platform", source.kind.provider, *parts[1:]]
        return ".".join(parts)
    return path
