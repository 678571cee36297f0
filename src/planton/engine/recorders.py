"""Collects the events of one engine operation into a plan."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

from planton.engine import plans
from planton.schema import kinds, providers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pulumi.automation import events

_ACTIONS = {
    "create": plans.Action.CREATE,
    "update": plans.Action.UPDATE,
    "replace": plans.Action.REPLACE,
    "create-replacement": plans.Action.REPLACE,
    "delete-replaced": plans.Action.REPLACE,
    "import-replacement": plans.Action.REPLACE,
    "delete": plans.Action.DELETE,
    "import": plans.Action.IMPORT,
    "same": plans.Action.SAME,
    "discard": plans.Action.FORGET,
}


class Recorder:
    """Collects the engine's events of one operation into a plan, and its diagnostics."""

    def __init__(self) -> None:
        self._changes: dict[str, plans.Change] = {}
        self._deleted_first: set[str] = set()
        self._warnings: list[str] = []
        self.inputs: dict[str, dict[str, Any]] = {}
        self.errors: list[tuple[str, str]] = []
        self.failed: dict[str, str] = {}
        self.finished: set[str] = set()
        self._observed: dict[str, plans.Change] = {}
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
        text = plans.plain(event.message)
        if "pending operations" in text:
            self.pending_operations = True
        elif event.severity == "error" and text:
            self.errors.append((event.urn or "", text))
        elif event.severity == "warning" and text and text not in self._warnings and not providers.is_silenced(text):
            self._warnings.append(text)

    def _add(self, metadata: events.StepEventMetadata) -> None:
        action = _action(metadata)
        if action is None or action is plans.Action.SAME or metadata.type.startswith(plans.INTERNAL_TYPES):
            return
        if metadata.new is not None and action in (plans.Action.CREATE, plans.Action.REPLACE):
            self.inputs[metadata.urn] = dict(metadata.new.inputs or {})
        ignored = _ignored(metadata.type)
        changed = tuple(each for each in differences(metadata, action) if not _is_below(each.path, ignored))
        if action is plans.Action.UPDATE and not changed:
            changed = _renewed(metadata)
        name = metadata.urn.rsplit("::", 1)[-1]
        previous = self._changes.get(metadata.urn)
        if previous is not None and previous.action is plans.Action.IMPORT and action is not plans.Action.REPLACE:
            # A resource that is imported and then updated to its manifest is still an import.
            action = plans.Action.IMPORT
        if previous is None and _operation(metadata) == "delete-replaced":
            self._deleted_first.add(metadata.urn)
        if previous is not None and action is plans.Action.REPLACE and not changed:
            # The step that deletes the old resource has no differences.
            changed = previous.differences
        # The events of a replacement complete each other.
        earlier = previous if previous is not None else plans.Change(metadata.urn, name, metadata.type, action)
        self._changes[metadata.urn] = plans.Change(
            metadata.urn,
            name,
            metadata.type,
            action,
            changed,
            _digest(metadata, action),
            deletes_first=metadata.urn in self._deleted_first,
            properties=_properties(metadata, action) or earlier.properties,
            forcing=_forcing(metadata, action, changed) or earlier.forcing,
        )

    def _observe(self, metadata: events.StepEventMetadata) -> None:
        if metadata.type.startswith(plans.INTERNAL_TYPES) or metadata.old is None:
            return
        observed: tuple[plans.Difference, ...] = ()
        action = plans.Action.DELETE if metadata.new is None or _action(metadata) is plans.Action.DELETE else plans.Action.UPDATE
        if action is plans.Action.UPDATE:
            observed = _observed_differences(metadata)
        ignored = (*_ignored(metadata.type), *_cloud_managed(metadata.old.inputs or {}))
        observed = tuple(each for each in observed if not _is_below(each.path, ignored))
        if observed or action is plans.Action.DELETE:
            name = metadata.urn.rsplit("::", 1)[-1]
            self._observed[metadata.urn] = plans.Change(metadata.urn, name, metadata.type, action, observed)

    def refreshed(self) -> tuple[plans.Change, ...]:
        """Returns the differences between state and cloud that a refresh observed: changed and missing properties and resources."""
        return tuple(self._observed.values())

    def plan(self) -> plans.Plan:
        """Returns what has been collected so far."""
        return plans.Plan(tuple(self._changes.values()), tuple(self._warnings))


def _ignored(type_: str) -> tuple[str, ...]:
    kind = kinds.of_type(type_)
    return () if kind is None else kind.declared.ignored_inputs


def _is_below(path: str, parents: Iterable[str]) -> bool:
    return any(plans.is_within(path, parent) for parent in parents)


def _cloud_managed(inputs: Mapping[str, Any]) -> list[str]:
    # An autoscaler changes the number of nodes, and automatic upgrades change the version, if the manifest allows it.
    scaled = (inputs.get("nodePool") or {}).get("autoScale")
    managed = {
        "nodeCount": inputs.get("autoScale"),
        "nodePool.nodeCount": scaled,
        "nodePool.actualNodeCount": scaled,
        "version": inputs.get("autoUpgrade"),
    }
    return [path for path, is_managed in managed.items() if is_managed]


def _action(metadata: events.StepEventMetadata) -> plans.Action | None:
    return _ACTIONS.get(_operation(metadata))


def _operation(metadata: events.StepEventMetadata) -> str:
    return str(getattr(metadata.op, "value", metadata.op))


def _properties(metadata: events.StepEventMetadata, action: plans.Action) -> tuple[tuple[str, Any], ...]:
    if action not in (plans.Action.CREATE, plans.Action.IMPORT, plans.Action.REPLACE) or metadata.new is None:
        return ()
    # An empty list or map is an unset one.
    leaves = plans.leaves(metadata.new.inputs or {})
    return tuple((path, value) for path, value in leaves if not plans.INTERNAL.search(path) and value not in (None, [], {}))


def _forcing(metadata: events.StepEventMetadata, action: plans.Action, changed: Iterable[plans.Difference]) -> tuple[str, ...]:
    if action is not plans.Action.REPLACE:
        return ()
    kind = kinds.of_type(metadata.type)
    keys = set(metadata.keys or ())
    return tuple(
        each.path
        for each in changed
        if any(plans.is_within(each.path, key) for key in keys) or (kind is not None and kind.is_replaced_by(each.path))
    )


def _digest(metadata: events.StepEventMetadata, action: plans.Action) -> str:
    # A plan does not show the inputs of a creation. The digest detects that those of a saved plan have changed.
    if action not in (plans.Action.CREATE, plans.Action.IMPORT) or metadata.new is None:
        return ""
    inputs = {path: value for path, value in plans.leaves(metadata.new.inputs or {}) if not plans.INTERNAL.search(path)}
    return hashlib.sha256(json.dumps(inputs, sort_keys=True, default=str).encode()).hexdigest()


def _observed_differences(metadata: events.StepEventMetadata) -> tuple[plans.Difference, ...]:
    # Only what the manifest sets can drift; what the cloud adds (addresses, node names, times) changes as it likes.
    assert metadata.old is not None, "the caller has looked"
    assert metadata.new is not None, "the caller has looked"
    old, new = dict(metadata.old.outputs or {}), dict(metadata.new.outputs or {})
    inputs = metadata.old.inputs or {}
    if "actual_node_count" in old:
        if old.get("node_count") is None:
            return ()
        return plans.compare({"node_count": old["actual_node_count"]}, {"node_count": new.get("actual_node_count")})
    parents = {_parent(path) for path, _ in plans.leaves(inputs)} | {path for path, _ in plans.leaves(inputs)}
    changed = plans.compare({key: old.get(key) for key in inputs}, {key: new.get(key) for key in inputs})
    result = tuple(difference for difference in changed if difference.path in parents or _parent(difference.path) in parents)
    # The plugin reports the number of nodes of a default pool in two properties, and after an import only in the second.
    twice = "nodePool.actualNodeCount" if any(each.path == "nodePool.nodeCount" for each in result) else None
    return tuple(each for each in result if each.path != twice)


def _parent(path: str) -> str:
    return re.sub(r"(\.[^.\[]+|\[\d+\])$", "", path)


def differences(metadata: events.StepEventMetadata, action: plans.Action) -> tuple[plans.Difference, ...]:
    """Returns which inputs of a resource change: those in both states, compared leaf by leaf."""
    if action not in (plans.Action.UPDATE, plans.Action.REPLACE) or metadata.old is None or metadata.new is None:
        return ()
    old, new = dict(metadata.old.inputs or {}), dict(metadata.new.inputs or {})
    outputs = dict(metadata.old.outputs or {})
    seen = outputs.get("actual_node_count")
    if seen is not None and new.get("node_count") is not None:
        old["node_count"] = seen
    reported = [path for path in map(plans.plain_path, metadata.detailed_diff or {}) if not plans.INTERNAL.search(path)]
    changed = plans.compare(old, new)
    # Setting a property to the value that the cloud already has is no change. Nor is a difference that the plugin ignores, such
    # as a property that an import writes into the state and that no manifest sets.
    real = tuple(
        each if each.old is not None else plans.Difference(each.path, plans.at(outputs, each.path), each.new)
        for each in changed
        if _covers(reported, each.path)
        or (not (reported and action is plans.Action.UPDATE) and not _is_set_already(each, outputs))
    )
    paths = [each.path for each in real]
    unnamed = [path for path in reported if not _covers(paths, path) and not _is_below(path, _ignored(metadata.type))]
    result = (*real, *(plans.Difference(path, plans.at(outputs, path), plans.at(new, path)) for path in unnamed))
    return result or changed


def _renewed(metadata: events.StepEventMetadata) -> tuple[plans.Difference, ...]:
    # An update always names its cause, even a secret one: the token that a resource of ours keeps.
    return tuple(plans.Difference(path, "(as before)", "(renewed)") for path in metadata.diffs or ("token",))


def _is_set_already(difference: plans.Difference, outputs: Mapping[str, Any]) -> bool:
    return difference.old is None and plans.same(plans.at(outputs, difference.path), difference.new)


def _covers(paths: Iterable[str], path: str) -> bool:
    return any(plans.is_within(path, each) or plans.is_within(each, path) for each in paths)
