"""Plans: what the engine's events say will change or has changed, as data that can be shown and judged."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.schema import kinds, references

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pulumi.automation import events

#: Properties that the engine, a plugin or a module keeps for itself.
_INTERNAL = re.compile(r"^__|(^|\.)__defaults$|(^|\.)__provider$|^identity$|^token$")
#: Beginnings of the types of resources that stand for nothing in a cloud.
INTERNAL_TYPES = ("pulumi:", "planton:")
#: What the engine writes in place of a value that is not known yet.
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


_ACTIONS = {
    "create": Action.CREATE,
    "update": Action.UPDATE,
    "replace": Action.REPLACE,
    "create-replacement": Action.REPLACE,
    "delete-replaced": Action.REPLACE,
    "import-replacement": Action.REPLACE,
    "delete": Action.DELETE,
    "import": Action.IMPORT,
    "same": Action.SAME,
    "discard": Action.FORGET,
}


_RECREATING = (Action.CREATE, Action.REPLACE, Action.DELETE, Action.IMPORT)
_LOSSES = {Action.REPLACE: kinds.Loss.REPLACE, Action.DELETE: kinds.Loss.DELETE}


_KEPT_NODES = {"node_pool": "; to keep nodes, change nodePoolName too"}


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
    """

    urn: str
    name: str
    type: str
    action: Action
    differences: tuple[Difference, ...] = ()
    inputs: str = ""
    deletes_first: bool = False

    @property
    def note(self) -> str:
        """The most important fact about a replacement for the user; empty for other actions."""
        if self.action is not Action.REPLACE:
            return ""
        kind = kinds.of_type(self.type)
        noun = "resource" if kind is None else kind.noun
        if not self.deletes_first:
            return f"creates the new {noun} before it deletes the old one"
        if any(each.path == "clusterId" for each in self.differences):
            return f"deletes the old {noun} first: its cluster is another one"
        advice = _KEPT_NODES.get(self.name, "") if kind is not None and kind.is_node_pool else ""
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

    def count(self, action: Action) -> int:
        """Returns how many resources have this action."""
        return sum(change.action is action for change in self.changes)


class Recorder:
    """Collects the engine's events of one operation into a plan, and its diagnostics."""

    def __init__(self) -> None:
        self._changes: dict[str, Change] = {}
        self._deleted_first: set[str] = set()
        self._warnings: list[str] = []
        self.inputs: dict[str, dict[str, Any]] = {}
        self.errors: list[tuple[str, str]] = []
        self.failed: dict[str, str] = {}
        self.finished: set[str] = set()
        self._observed: dict[str, Change] = {}
        self.pending_operations = False

    def __call__(self, event: events.EngineEvent) -> None:
        """Takes one event."""
        if event.resource_pre_event is not None:
            self._add(event.resource_pre_event.metadata)
        elif event.res_outputs_event is not None:
            self.finished.add(event.res_outputs_event.metadata.urn)
            self._observe(event.res_outputs_event.metadata)
        elif event.res_op_failed_event is not None:
            metadata = event.res_op_failed_event.metadata
            self.failed[metadata.urn] = str(getattr(metadata.op, "value", metadata.op))
        elif event.diagnostic_event is not None:
            self._diagnostic(event.diagnostic_event)

    def _diagnostic(self, event: events.DiagnosticEvent) -> None:
        text = plain(event.message)
        if "pending operations" in text:
            self.pending_operations = True
        elif event.severity == "error" and text:
            self.errors.append((event.urn or "", text))
        elif event.severity == "warning" and text and text not in self._warnings:
            self._warnings.append(text)

    def _add(self, metadata: events.StepEventMetadata) -> None:
        action = _action(metadata)
        if action is None or action is Action.SAME or metadata.type.startswith(INTERNAL_TYPES):
            return
        if metadata.new is not None and action in (Action.CREATE, Action.REPLACE):
            self.inputs[metadata.urn] = dict(metadata.new.inputs or {})
        ignored = _ignored(metadata.type)
        found = tuple(each for each in differences(metadata, action) if each.path not in ignored)
        if action is Action.UPDATE and not found:
            found = _renewed(metadata)
        name = metadata.urn.rsplit("::", 1)[-1]
        known = self._changes.get(metadata.urn)
        if known is not None and known.action is Action.IMPORT and action is not Action.REPLACE:
            # A resource that is imported and then updated to its manifest is still an import.
            action = Action.IMPORT
        if known is None and _operation(metadata) == "delete-replaced":
            self._deleted_first.add(metadata.urn)
        if known is not None and action is Action.REPLACE and not found:
            # The step that deletes the old resource has no differences.
            found = known.differences
        first = metadata.urn in self._deleted_first
        digest = _digest(metadata, action)
        self._changes[metadata.urn] = Change(metadata.urn, name, metadata.type, action, found, digest, deletes_first=first)

    def _observe(self, metadata: events.StepEventMetadata) -> None:
        if metadata.type.startswith(INTERNAL_TYPES) or metadata.old is None:
            return
        found: tuple[Difference, ...] = ()
        action = Action.DELETE if metadata.new is None or _action(metadata) is Action.DELETE else Action.UPDATE
        if action is Action.UPDATE:
            found = _observed_differences(metadata)
        ignored = (*_ignored(metadata.type), *_left_to_the_cloud(metadata.old.inputs or {}))
        found = tuple(each for each in found if each.path not in ignored)
        if found or action is Action.DELETE:
            name = metadata.urn.rsplit("::", 1)[-1]
            self._observed[metadata.urn] = Change(metadata.urn, name, metadata.type, action, found)

    def refreshed(self) -> tuple[Change, ...]:
        """Returns how a refresh has found the cloud to differ: what was set and is now something else, or is gone."""
        return tuple(self._observed.values())

    def plan(self) -> Plan:
        """Returns what has been collected so far."""
        return Plan(tuple(self._changes.values()), tuple(self._warnings))


def stale(why: str) -> errors.PlantonError:
    """Returns the error for a plan that does not say what would happen now."""
    return errors.PlantonError(
        why,
        code=errors.Code.REFUSED,
        reason=errors.Reason.PLAN_STALE,
        hint="plan again, which reads the cloud: planton apply, or planton plan --out FILE",
    )


def _ignored(type_: str) -> tuple[str, ...]:
    kind = kinds.of_type(type_)
    return () if kind is None else kind.declared.ignored_inputs


def _left_to_the_cloud(inputs: Mapping[str, Any]) -> list[str]:
    # An autoscaler moves the number of nodes, and automatic upgrades move the version, as the manifest says that they may.
    scaled = (inputs.get("nodePool") or {}).get("autoScale")
    moved = {
        "nodeCount": inputs.get("autoScale"),
        "nodePool.nodeCount": scaled,
        "nodePool.actualNodeCount": scaled,
        "version": inputs.get("autoUpgrade"),
    }
    return [path for path, left in moved.items() if left]


def _action(metadata: events.StepEventMetadata) -> Action | None:
    return _ACTIONS.get(_operation(metadata))


def _operation(metadata: events.StepEventMetadata) -> str:
    return str(getattr(metadata.op, "value", metadata.op))


def _digest(metadata: events.StepEventMetadata, action: Action) -> str:
    # Nobody sees what something new is made with; a plan that was saved must not be another one there.
    if action not in (Action.CREATE, Action.IMPORT) or metadata.new is None:
        return ""
    inputs = {path: value for path, value in _leaves(metadata.new.inputs or {}) if not _INTERNAL.search(path)}
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, default=str).encode()).hexdigest()


def _observed_differences(metadata: events.StepEventMetadata) -> tuple[Difference, ...]:
    # Only what the manifest sets can drift; what the cloud adds (addresses, node names, times) changes as it likes.
    assert metadata.old is not None, "the caller has looked"
    assert metadata.new is not None, "the caller has looked"
    old, new = dict(metadata.old.outputs or {}), dict(metadata.new.outputs or {})
    inputs = metadata.old.inputs or {}
    if "actual_node_count" in old:
        if old.get("node_count") is None:
            return ()
        return compare({"node_count": old["actual_node_count"]}, {"node_count": new.get("actual_node_count")})
    parents = {_parent(path) for path, _ in _leaves(inputs)} | {path for path, _ in _leaves(inputs)}
    changed = compare({key: old.get(key) for key in inputs}, {key: new.get(key) for key in inputs})
    found = tuple(difference for difference in changed if difference.path in parents or _parent(difference.path) in parents)
    # The plugin tells the number of nodes of a default pool twice, and after an import only the second time.
    twice = "nodePool.actualNodeCount" if any(each.path == "nodePool.nodeCount" for each in found) else None
    return tuple(each for each in found if each.path != twice)


def _parent(path: str) -> str:
    return re.sub(r"(\.[^.\[]+|\[\d+\])$", "", path)


def differences(metadata: events.StepEventMetadata, action: Action) -> tuple[Difference, ...]:
    """Returns which inputs of a resource change: those in both states, compared leaf by leaf."""
    if action not in (Action.UPDATE, Action.REPLACE) or metadata.old is None or metadata.new is None:
        return ()
    old, new = dict(metadata.old.inputs or {}), dict(metadata.new.inputs or {})
    outputs = dict(metadata.old.outputs or {})
    seen = outputs.get("actual_node_count")
    if seen is not None and new.get("node_count") is not None:
        old["node_count"] = seen
    reported = [path for path in metadata.detailed_diff or {} if not _INTERNAL.search(path)]
    changed = compare(old, new)
    # Setting a property to the value that the cloud already has is no change. Nor is a difference that the plugin ignores, such
    # as a property that an import writes into the state and that no manifest sets.
    real = tuple(
        each if each.old is not None else Difference(each.path, _at(outputs, each.path), each.new)
        for each in changed
        if _covers(reported, each.path) or (not (reported and action is Action.UPDATE) and not _is_set_already(each, outputs))
    )
    paths = [each.path for each in real]
    unnamed = [path for path in reported if not _covers(paths, path) and path not in _ignored(metadata.type)]
    found = (*real, *(Difference(path, _at(outputs, path), _at(new, path)) for path in unnamed))
    return found or changed


def _renewed(metadata: events.StepEventMetadata) -> tuple[Difference, ...]:
    # An update always names its cause, even a secret one: the token that a resource of ours keeps.
    return tuple(Difference(path, "(as before)", "(renewed)") for path in metadata.diffs or ("token",))


def _is_set_already(difference: Difference, outputs: Mapping[str, Any]) -> bool:
    return difference.old is None and _same(_at(outputs, difference.path), difference.new)


def _covers(paths: Iterable[str], path: str) -> bool:
    return any(
        path == each or path.startswith((f"{each}.", f"{each}[")) or each.startswith((f"{path}.", f"{path}[")) for each in paths
    )


def _at(value: Any, path: str) -> Any:  # JSON data
    for part in re.findall(r"[^.\[\]]+", path):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Returns the leaves in which two property maps differ, by path."""
    olds, news = dict(_leaves(old)), dict(_leaves(new))
    return tuple(
        Difference(path, olds.get(path), news.get(path))
        for path in sorted(olds.keys() | news.keys())
        if not _same(olds.get(path), news.get(path)) and not _INTERNAL.search(path)
    )


def _same(old: Any, new: Any) -> bool:  # JSON data
    # An empty list or map is what an unset one becomes on its way through a plugin.
    return bool(old == new or (old in (None, [], {}, "") and new in (None, [], {}, "")))


def _leaves(value: Any, path: str = "") -> list[tuple[str, Any]]:  # JSON data
    if isinstance(value, dict) and value:
        return [leaf for key, item in value.items() for leaf in _leaves(item, f"{path}.{key}" if path else str(key))]
    if isinstance(value, list) and value:
        return [leaf for index, item in enumerate(value) for leaf in _leaves(item, f"{path}[{index}]")]
    if isinstance(value, str):
        value = references.KNOWN_AFTER_APPLY if value == ENGINE_UNKNOWN else references.show_unknown(value)
    return [(path, value)]


def plain(text: str) -> str:
    """Returns a text of the engine without its marks for colours, ``<{%name%}>``."""
    return re.sub(r"<\{%[^%]*%\}>", "", text).strip()
