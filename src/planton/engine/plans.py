"""Plans: the changes of one stack, as data."""

from __future__ import annotations

import dataclasses
import enum
import re
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.base import terminal
from planton.schema import kinds, references

if TYPE_CHECKING:
    from collections.abc import Mapping


#: Properties that the engine, a plugin or a module keeps for itself.
INTERNAL = re.compile(r"^__|(^|\.)__defaults(\[|$)|(^|\.)__provider$|^identity$|^token$")
#: Beginnings of the types of resources that stand for nothing in a cloud.
INTERNAL_TYPES = ("pulumi:", "planton:")
#: The engine's placeholder for an unknown value.
ENGINE_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


class Action(enum.StrEnum):
    """What happens to a resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    IMPORT = "import"
    SAME = "same"
    FORGET = "forget"


_RECREATING = (Action.CREATE, Action.REPLACE, Action.DELETE, Action.IMPORT)
_LOSSES = {Action.REPLACE: kinds.Loss.REPLACE, Action.DELETE: kinds.Loss.DELETE}


_KEEP_NODES_HINTS = {"node_pool": "; to keep nodes, change nodePoolName too"}


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """One property that changes.

    Attributes:
        path: The property, e.g. ``pools.nodeCount``.
        old: Its value now; secrets are not shown.
        new: Its value afterwards.
    """

    path: str
    old: Any
    new: Any

    def __str__(self) -> str:
        """Returns the property with both values, for a terminal."""
        return f"{self.path}: {terminal.value(self.old)} → {terminal.value(self.new)}"


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """A change of one resource of a stack.

    Attributes:
        urn: The engine's name of the resource.
        name: Its name in the stack, e.g. ``cluster``.
        type: Its type, e.g. ``civo:index/kubernetesCluster:KubernetesCluster``.
        action: The action.
        differences: The properties that change; empty for a creation or deletion.
        inputs: A digest of the inputs of a creation or an import; empty otherwise.
        deletes_first: Whether a replacement deletes the old resource before it creates the new one.
        properties: Path and value of each input of a new resource; secrets are not shown. Empty for an update or a deletion.
        forcing: The paths whose change forces a replacement, as far as the plugin or the kind names them.
    """

    urn: str
    name: str
    type: str
    action: Action
    differences: tuple[Difference, ...] = ()
    inputs: str = ""
    deletes_first: bool = False
    properties: tuple[tuple[str, Any], ...] = ()
    forcing: tuple[str, ...] = ()

    @property
    def important(self) -> tuple[tuple[str, Any], ...]:
        """The properties that matter to users, in the order in which the kind declares them."""
        kind = kinds.of_type(self.type)
        shown = () if kind is None else kind.declared.shown
        return tuple((path, value) for name in shown for path, value in self.properties if is_within(path, name))

    @property
    def note(self) -> str:
        """The most important fact about a replacement for the user; empty for other actions."""
        if self.action is not Action.REPLACE:
            return ""
        kind = kinds.of_type(self.type)
        noun = "resource" if kind is None else kind.noun
        if not self.deletes_first:
            return f"creates the new {noun} before it deletes the old one"
        if kind is not None and any(each.path == kind.declared.cluster_property for each in self.differences):
            return f"deletes the old {noun} first: its cluster is another one"
        advice = _KEEP_NODES_HINTS.get(self.name, "") if kind is not None and kind.is_node_pool else ""
        if self.name.startswith("node_pool-"):
            advice = "; to keep nodes, change its name in additionalNodePools too"
        return f"deletes the old {noun} first: its name stays the same{advice}"

    @property
    def noun(self) -> str:
        """The type for people, e.g. ``KubernetesCluster``."""
        return self.type.rsplit(":", 1)[-1]


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """All changes of a stack, without unchanged resources.

    Attributes:
        changes: In the order of the engine.
        warnings: The warnings of the module and the plugin.
        missing: URNs of applied resources that are missing from the cloud.
        is_refreshed: Whether the cloud differs from the state, so that an apply refreshes first.
    """

    changes: tuple[Change, ...] = ()
    warnings: tuple[str, ...] = ()
    missing: frozenset[str] = frozenset()
    is_refreshed: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return not self.changes

    def losses(self) -> tuple[Change, ...]:
        """Returns the changes that destroy nodes or workloads, as declared by the kinds."""
        return tuple(change for change in self.changes if self._is_loss(change))

    def _is_loss(self, change: Change) -> bool:
        kind = kinds.of_type(change.type)
        loss = kinds.Loss.RECREATE if self.is_recreation(change) else _LOSSES.get(change.action)
        return kind is not None and loss in kind.declared.losses

    def is_recreation(self, change: Change) -> bool:
        """Returns whether a change recreates an applied resource that is missing from the cloud."""
        return change.action is Action.CREATE and change.urn in self.missing

    def recreated(self) -> set[str]:
        """Returns the URNs of the resources that the plan creates, replaces, imports or deletes."""
        return {change.urn for change in self.changes if change.action in _RECREATING}

    def count(self, action: str) -> int:
        """Returns how many resources have this action."""
        return sum(change.action == action for change in self.changes)


def stale(why: str) -> errors.PlantonError:
    """Returns the error for a plan that does not say what would happen now."""
    return errors.plan_stale(
        why,
        hint="plan again, which reads the cloud: planton apply, or planton plan --out FILE",
    )


def at(value: Any, path: str) -> Any:  # JSON data
    """Returns the value at a path of properties; None if there is none."""
    for part in re.findall(r"[^.\[\]]+", path):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def plain_path(path: str) -> str:
    """Returns a path of the engine in the form of `leaves`; the engine quotes keys such as ``a-b``: ``labels["a-b"]``."""
    return re.sub(r'\["((?:[^"\\]|\\.)*)"\]', r".\1", path).removeprefix(".")


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Returns the leaves in which two property maps differ, by path."""
    olds, news = dict(leaves(old)), dict(leaves(new))
    return tuple(
        Difference(path, olds.get(path), news.get(path))
        for path in sorted(olds.keys() | news.keys())
        if not same(olds.get(path), news.get(path)) and not INTERNAL.search(path)
    )


def same(old: Any, new: Any) -> bool:  # JSON data
    """Returns whether two values are equal for a plugin."""
    # An empty list or map is what an unset one becomes on its way through a plugin.
    return bool(old == new or (old in (None, [], {}, "") and new in (None, [], {}, "")))


def leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:  # JSON data
    """Returns path and value of every leaf of properties."""
    if isinstance(value, dict) and value:
        return [leaf for key, item in value.items() for leaf in leaves(item, f"{path}.{key}" if path else str(key))]
    if isinstance(value, list) and value:
        return [leaf for index, item in enumerate(value) for leaf in leaves(item, f"{path}[{index}]")]
    if isinstance(value, str):
        value = references.KNOWN_AFTER_APPLY if value == ENGINE_UNKNOWN else references.show_unknown(value)
    return [(path, value)]


def is_within(path: str, parent: str) -> bool:
    """Returns whether a path of properties is another one, or is below it."""
    return path == parent or path.startswith((f"{parent}.", f"{parent}["))


def plain(text: str) -> str:
    """Returns a text of the engine without its marks for colours, ``<{%name%}>``."""
    return re.sub(r"<\{%[^%]*%\}>", "", text).strip()
