"""Kinds as CustomResourceDefinitions, so that a Kubernetes cluster can store manifests, and its API server checks them.

A definition is made from a kind's message, as JSON Schema is: ``structural`` makes the schema, ``cel`` translates the rules, ``syntax`` reads
their text. Nothing here asks a cluster, and nothing is read from one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from org.project_planton.shared import metadata_pb2
from planton import errors, json_schema
from planton.crd import structural
from planton.schema import describe, kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What Kubernetes has in ``metadata`` too, with the same meaning.
SHARED_METADATA: Final = ("name", "labels", "annotations")
_CATEGORY: Final = "planton"
#: Field of a spec → the column that ``kubectl get`` shows it in.
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
    """Returns the kinds that there are definitions of."""
    return [kind.name for kind in kinds.all_kinds()]


def documents(*, comments: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    """Returns the definitions of all kinds, by name; see ``document``."""
    return [document(name, comments=comments) for name in names()]


def document(name: str, *, comments: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Returns the definition of a kind.

    Args:
        name: A kind in singular or plural and any case.
        comments: Full name → comment of the proto; those of the package where None.

    Raises:
        PlantonError: ``KIND_UNKNOWN``, with the nearest name as a hint; ``USAGE``: policies are checked and not stored.
    """
    if name.lower() == json_schema.POLICY.lower():
        raise errors.PlantonError(
            "policies have no CustomResourceDefinition: they are rules over manifests, which no cluster stores",
            code=errors.Code.USAGE,
            reason=errors.Reason.USAGE,
            hint="give a kind, or none for all of them",
        )
    kind = kinds.parse(name)
    group, version = kind.api_version.split("/")
    singular = kind.name.lower()
    described = kind.message.DESCRIPTOR
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
                    "schema": {"openAPIV3Schema": _schema(described, describe.comments() if comments is None else comments)},
                    **({"subresources": {"status": {}}} if "status" in described.fields_by_name else {}),
                    "additionalPrinterColumns": _columns(described),
                }
            ],
        },
    }


def _schema(described: Any, comments: Mapping[str, str]) -> dict[str, Any]:  # a message's descriptor, here and below
    """Returns the schema of a manifest. Kubernetes lets it say no more of ``metadata`` than how the name must be."""
    schema = structural.Schemas(described, comments).message(described)
    given = metadata_pb2.CloudResourceMetadata.DESCRIPTOR
    others = sorted(field.json_name for field in given.fields if field.json_name not in SHARED_METADATA)
    schema["description"] += f" Kubernetes has no metadata.{{{','.join(others)}}}: these are refused or dropped."
    beyond = describe.message_rules(given)
    schema["description"] += "".join(f" Not checked here: metadata.{rule.text} [{rule.id}]." for rule in beyond)
    schema["properties"]["metadata"] = {"type": "object", "properties": {"name": {"type": "string", "minLength": 1}}}
    return schema


def _columns(described: Any) -> list[dict[str, str]]:
    """Returns what ``kubectl get`` shows."""
    found = []
    for field in described.fields_by_name["spec"].message_type.fields:
        if field.name in _COLUMNS and field.message_type is None:
            kind = {field.TYPE_STRING: "string", field.TYPE_ENUM: "string", field.TYPE_BOOL: "boolean"}.get(field.type, "integer")
            found.append({"name": _COLUMNS[field.name], "type": kind, "jsonPath": f".spec.{field.json_name}"})
    return [*found, _AGE]
