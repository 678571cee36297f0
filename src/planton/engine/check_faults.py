"""Inputs that a plugin refuses when it checks them, as faults of fields of the manifest."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: The engine's line for a failed check, with the property in the line or at the end of the plugin's text.
_PROBLEM = re.compile(
    r"(?P<type>\S+) resource '(?P<resource>[^']+)'(?:: property (?P<property>\S+) value .*?)? has a problem: (?P<text>.*)",
    re.DOTALL,
)
_PLACE = re.compile(r"\s*Examine values at '[^'.]*\.?(?P<property>[^']*)'\.\s*$")
#: The engine's line for a failed diff.
_DIFFERENCE = re.compile(r"diffing urn:\S+::(?P<resource>[^:\s]+): (?P<text>.*)", re.DOTALL)
_COUNTED = re.compile(r"^\d+ errors? occurred:?$")
#: The prefix of the types of providers, whose settings are no fields of a manifest.
_PROVIDERS = "pulumi:providers:"
_POOL = {
    "size": "size",
    "nodeCount": "nodeCount",
    "labels": "labels",
    "taints": "taints",
    "tags": "tags",
    "autoScale": "autoScale",
    "minNodes": "minNodes",
    "maxNodes": "maxNodes",
}
#: Lists with the same order in manifest and plugin, so that an index is valid in both.
_SAME_ORDER = ("inboundRules", "outboundRules", "taints")


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """A field that a plugin refuses.

    Attributes:
        path: The field, in the manifest's spelling; empty for the whole manifest.
        text: The plugin's own text.
    """

    path: str
    text: str


def find(texts: Iterable[str], target: Any) -> tuple[Fault, ...]:  # a manifest of any kind
    """Returns the distinct faults among the engine's error messages.

    Args:
        texts: The messages.
        target: The manifest.
    """
    return tuple(dict.fromkeys(_faults(texts, target)))


def _faults(texts: Iterable[str], target: Any) -> Iterator[Fault]:  # a manifest of any kind
    for text in texts:
        problem = _PROBLEM.search(text)
        if problem is not None and not problem["type"].startswith(_PROVIDERS):
            place = _PLACE.search(problem["text"])
            named = problem["property"] or ("" if place is None else place["property"])
            yield Fault(_path(problem["resource"], named, target), _plain(_PLACE.sub("", problem["text"])))
        difference = _DIFFERENCE.search(text)
        if difference is not None:
            yield Fault("", _plain(difference["text"]))


def _plain(text: str) -> str:
    lines = (line.strip(" \t*") for line in text.splitlines())
    return " ".join(line for line in lines if line and not _COUNTED.match(line))


def _path(resource: str, named: str, target: Any) -> str:  # a manifest of any kind
    if resource.startswith("node_pool-"):
        return _path_of_additional(resource.removeprefix("node_pool-"), named, target)
    head, *indexes = re.findall(r"[^.\[\]]+", named) or [""]
    kind = kinds.get(target.kind)
    if resource != kind.main:
        return kind.declared.own_firewall_fields.get(head, "") if resource == kinds.Role.FIREWALL else ""
    field = {**(_POOL if kind.is_node_pool else {}), **kind.declared.fields}.get(head)
    if field is None or field == "metadata.name":
        return field or ""
    if field == "defaultNodePool" and indexes and indexes[0] in _POOL:
        return f"spec.{field}.{_POOL[indexes[0]]}"
    return f"spec.{field}" + (f"[{indexes[0]}]" if indexes and field in _SAME_ORDER and indexes[0].isdecimal() else "")


def _path_of_additional(name: str, named: str, target: Any) -> str:  # a manifest of any kind
    names = [pool.name for pool in getattr(target.spec, "additional_node_pools", ())]
    if name not in names:
        return ""
    head, *indexes = re.findall(r"[^.\[\]]+", named) or [""]
    path = f"spec.additionalNodePools[{names.index(name)}]"
    if head in ("label", "name"):
        return f"{path}.name"
    index = f"[{indexes[0]}]" if indexes and head in _SAME_ORDER and indexes[0].isdecimal() else ""
    return f"{path}.{_POOL[head]}{index}" if head in _POOL else path
