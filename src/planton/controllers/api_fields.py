"""Manifests → resources of the NodePool API: the reverse of `manifests`, by the same declarations (``KIND.api_fields``)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from planton.controllers import manifests
from planton.modules import stored_json, unsupported
from planton.schema import deletion, references

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf import message

    from planton.engine import plans
    from planton.schema import kinds


def plain(value: Any) -> str:  # JSON data
    """Returns the value of a field that may be a reference, whose target has been resolved."""
    return str((value.get("value") if isinstance(value, dict) else value) or "")


def unwrapped(value: Any) -> Any:  # JSON data
    """Returns a value as it is, without the reference around it."""
    return value["value"] if isinstance(value, dict) and set(value) == {"value"} else value


def body(kind: kinds.Kind, manifest: message.Message) -> dict[str, Any]:
    """Returns ``name`` and ``spec`` of the object that a manifest becomes."""
    annotations = manifest.metadata.annotations  # type: ignore[attr-defined]  # every manifest has metadata
    roots = _roots(kind, manifest)
    labels = {name: value for name, value in (roots["spec"].pop("labels", None) or {}).items() if name != manifests.NODE_LABEL}
    if labels:
        roots["spec"]["labels"] = labels
    if (roots["spec"].get("autoscaling") or {}).get("enabled"):
        roots["spec"].pop("nodeCount", None)
    bounds = roots.pop("bounds", None)
    if bounds:
        count = {"nodeCount": bounds.pop("nodeCount")} if "nodeCount" in bounds else {}
        roots["spec"] |= {"autoscaling": {"enabled": True, **bounds}, **count}
    if kind.is_cluster and annotations.get(references.CREDENTIAL_ANNOTATION):
        roots["platform"]["credential"] = annotations[references.CREDENTIAL_ANNOTATION]
    if deletion.is_protected(manifest):
        roots["spec"]["lifecycle"] = {"deletionProtection": True}
    return {
        "name": roots["name"],
        "spec": {**roots["spec"], "platform": {"type": kind.provider, kind.provider: roots["platform"]}},
    }


def cluster(kind: kinds.Kind, manifest: message.Message) -> dict[str, Any]:
    """Returns what the manifest of a node pool says about its cluster, as `manifests.Source.cluster`."""
    return dict(_roots(kind, manifest)["cluster"])


def defaults(kind: kinds.Kind, spec: Mapping[str, Any]) -> dict[str, str]:
    """Returns the values that controllers choose where the API's spec leaves them open, from a manifest's spec."""
    chosen = {}
    for path, alternatives in kind.declared.api_fields.items():
        name = alternatives[-1].removeprefix("default.")
        if len(alternatives) > 1 and name in ("version", "network"):
            chosen[name] = plain(_value(spec, path))
    return {name: value for name, value in chosen.items() if value}


def is_lost(kind: kinds.Kind, difference: plans.Difference, made: Mapping[str, Any]) -> bool:
    """Returns whether a difference between a manifest and the one of its object is a field that the API cannot express.

    Args:
        kind: The kind.
        difference: The difference, by path below ``spec``.
        made: The object.
    """
    # The API replaces a field with the account's credential by the credential's name.
    labels = (path for path, alternatives in kind.declared.api_fields.items() if "default.labels" in alternatives)
    own = [f"{path}.{manifests.NODE_LABEL}" for path in labels]
    if difference.path in (*own, unsupported.json_path(kind.declared.credential_field)):
        return False
    # The autoscaler decides how many nodes there are.
    is_scaled = bool((made["spec"].get("autoscaling") or {}).get("enabled"))
    return not (is_scaled and kind.is_node_pool and difference.path == "nodeCount")


def _roots(kind: kinds.Kind, manifest: message.Message) -> dict[str, Any]:
    """Returns the values of a manifest by the paths of ``KIND.api_fields``, the first one of each."""
    spec = json.loads(stored_json(manifest)).get("spec") or {}
    roots: dict[str, Any] = {"spec": {}, "platform": {}, "cluster": {}}
    for path, alternatives in kind.declared.api_fields.items():
        value = _value(spec, path)
        name = alternatives[0].replace("default.", "spec.", 1)
        if value not in (None, "", [], {}, False) and not name.startswith("existing."):
            _put(roots, name.split("."), value)
    if kind.declared.api_place is not None:
        for name, value in kind.declared.api_place(_value(spec, kind.declared.region_field)).items():
            _put(roots, name.split("."), value)
        roots["platform"] = {name: value for name, value in roots["platform"].items() if value != ""}
    return roots


def _value(spec: Mapping[str, Any], path: str) -> Any:  # JSON data
    value: Any = spec
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return unwrapped(value)


def _put(roots: dict[str, Any], path: list[str], value: Any) -> None:  # JSON data
    *parents, name = path
    for part in parents:
        roots = roots.setdefault(part, {})
    roots[name] = value
