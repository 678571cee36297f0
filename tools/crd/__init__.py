"""Generates CustomResourceDefinitions of kinds: a Kubernetes cluster can store manifests, and its API server checks them.

``structural`` writes the schema of a kind's message, ``cel`` translates its rules, and ``syntax`` parses the text of the rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from crd import structural
from org.project_planton.shared import metadata_pb2
from planton.schema import describe, kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Fields of ``metadata`` that Kubernetes has too, with the same meaning.
SHARED_METADATA: Final = ("name", "labels", "annotations")
_CATEGORY: Final = "planton"
#: Field of a spec → its column in ``kubectl get``.
_COLUMNS: Final = {
    "region": "Region",
    "size": "Size",
    "node_count": "Nodes",
    "auto_scale": "Autoscale",
    "kubernetes_version": "Version",
    "ip_range_cidr": "Range",
}
_AGE: Final = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}


def names() -> list[str]:
    """Returns the names of kinds with a definition."""
    return [kind.name for kind in kinds.all_kinds()]


def document(name: str, *, comments: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Returns the definition of a kind.

    Args:
        name: A kind in singular or plural and any case.
        comments: Full name → comment of the proto; by default the comments of the package.

    Raises:
        PlantonError: ``KIND_UNKNOWN``, with the nearest name as a hint.
    """
    kind = kinds.parse(name)
    group, version = kind.api_version.split("/")
    singular = kind.name.lower()
    message_type = kind.message.DESCRIPTOR
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{singular}s.{group}"},
        "spec": {
            "group": group,
            "names": {
                "kind": kind.name,
                "listKind": f"{kind.name}List",
                "plural": f"{singular}s",
                "singular": singular,
                "categories": [_CATEGORY],
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": _schema(message_type, describe.comments() if comments is None else comments)},
                    **({"subresources": {"status": {}}} if "status" in message_type.fields_by_name else {}),
                    "additionalPrinterColumns": _columns(message_type),
                }
            ],
        },
    }


def _schema(message_type: Any, comments: Mapping[str, str]) -> dict[str, Any]:  # a message's descriptor, here and below
    """Returns the schema of a manifest. Kubernetes allows a schema of ``metadata`` to restrict only the name."""
    schema = structural.Schemas(message_type, comments).message(message_type)
    metadata = metadata_pb2.CloudResourceMetadata.DESCRIPTOR
    unsupported = sorted(field.json_name for field in metadata.fields if field.json_name not in SHARED_METADATA)
    schema["description"] += f" Kubernetes has no metadata.{{{','.join(unsupported)}}}: these are refused or dropped."
    unchecked = describe.message_rules(metadata)
    schema["description"] += "".join(f" Not checked here: metadata.{rule.text} [{rule.id}]." for rule in unchecked)
    schema["properties"]["metadata"] = {"type": "object", "properties": {"name": {"type": "string", "minLength": 1}}}
    return schema


def _columns(message_type: Any) -> list[dict[str, str]]:
    """Returns the columns of ``kubectl get``."""
    columns = []
    for field in message_type.fields_by_name["spec"].message_type.fields:
        if field.name in _COLUMNS and field.message_type is None:
            kind = {field.TYPE_STRING: "string", field.TYPE_ENUM: "string", field.TYPE_BOOL: "boolean"}.get(field.type, "integer")
            columns.append({"name": _COLUMNS[field.name], "type": kind, "jsonPath": f".spec.{field.json_name}"})
    return [*columns, _AGE]
