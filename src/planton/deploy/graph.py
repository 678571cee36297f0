"""Graph: resources → their dependencies. Duplicates, missing dependencies and cycles are errors.

Every error names both ends, with file and line as far as they are known.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from planton import errors
from planton.base import suggestions
from planton.schema import kinds, references

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from google.protobuf import message

    from planton.manifest import load


_EMPTY: Final = "reference.value_is_known"


@dataclasses.dataclass(frozen=True, slots=True)
class Graph:
    """The resources of a run and their dependencies.

    Attributes:
        resources: The resources by key, in the order of the user.
        order: The keys, dependencies first.
        dependencies: Key → the resources that it refers to, in the graph or not.
    """

    resources: Mapping[references.Key, load.Resource] = dataclasses.field(default_factory=dict)
    order: tuple[references.Key, ...] = ()
    dependencies: Mapping[references.Key, frozenset[references.Key]] = dataclasses.field(default_factory=dict)

    @property
    def manifests(self) -> list[message.Message]:
        """The manifests, in the order of the user."""
        return [resource.manifest for resource in self.resources.values()]

    def dependants(self, keys: Collection[references.Key]) -> dict[references.Key, set[references.Key]]:
        """Returns each of these resources → those of them that refer to it."""
        return {key: {each for each in keys if key in self.dependencies[each]} for key in keys}


def of(resources: Iterable[load.Resource]) -> Graph:
    """Returns the graph of resources.

    Raises:
        InvalidError: ``REFERENCE_INVALID``: a cycle, or one resource given twice.
    """
    nodes = by_key(resources)
    dependencies = {key: frozenset(references.depends_on(entry.manifest)) for key, entry in nodes.items()}
    return Graph(nodes, tuple(order(nodes)), dependencies)


def by_key(resources: Iterable[load.Resource]) -> dict[references.Key, load.Resource]:
    """Returns resources by key.

    Raises:
        InvalidError: ``REFERENCE_INVALID``: one is given twice.
    """
    unique: dict[references.Key, load.Resource] = {}
    duplicates = []
    for entry in resources:
        key = references.key(entry.manifest)
        if key in unique:
            duplicates.append(duplicate_violation(key, unique[key], entry))
        unique.setdefault(key, entry)
    if duplicates:
        hint = "pass each resource once, or change its metadata.name"
        raise errors.InvalidError(duplicates, reason=errors.Reason.REFERENCE_INVALID, hint=hint)
    return unique


def duplicate_violation(key: references.Key, first: load.Resource, second: load.Resource) -> errors.Violation:
    """Returns the violation for a second manifest of one resource."""
    place = first.place("metadata.name")
    text = f"{key} occurs twice: also at {place}"
    return second.violation("metadata.name", text, "reference.given_once", target=errors.Target(str(key), "", place))


def order(resources: Mapping[references.Key, load.Resource]) -> list[references.Key]:
    """Returns the keys, dependencies first, otherwise in the order of the resources.

    Raises:
        InvalidError: ``REFERENCE_INVALID``: a cycle, with the place of each of its references.
    """
    cycle = cycle_violation(resources)
    if cycle is not None:
        raise errors.InvalidError([cycle], reason=errors.Reason.REFERENCE_INVALID, hint="remove one of these references")
    return references.order({key: entry.manifest for key, entry in resources.items()})


def cycle_violation(resources: Mapping[references.Key, load.Resource]) -> errors.Violation | None:
    """Returns the violation for a cycle of references, with the place of each of them; None without a cycle."""
    cycle = references.find_cycle({key: references.depends_on(entry.manifest) for key, entry in resources.items()})
    if not cycle:
        return None
    steps = [f"{key} ({resources[key].place(_path_to(resources[key], after))})" for key, after in _pairs(cycle)]
    first = resources[cycle[0]]
    text = f"the references form a cycle: {' → '.join([*steps, str(cycle[0])])}"
    return first.violation(_path_to(first, cycle[1 % len(cycle)]), text, "reference.no_circle")


def _pairs(cycle: Sequence[references.Key]) -> list[tuple[references.Key, references.Key]]:
    return list(zip(cycle, [*cycle[1:], cycle[0]], strict=True))


def _path_to(entry: load.Resource, target: references.Key) -> str:
    return next((path for key, path in references.uses(entry.manifest) if key == target), "")


def is_cluster(key: references.Key) -> bool:
    """Returns whether a resource is a Kubernetes cluster, of any cloud."""
    kind = kinds.find(key.kind)
    return kind is not None and kind.is_cluster


def check_targets(
    resources: Mapping[references.Key, load.Resource],
    applied: Callable[[references.Key], message.Message | None],
    applied_keys: Callable[[], Iterable[references.Key]],
    *,
    pruned: Collection[references.Key] = (),
) -> None:
    """Checks that every dependency is in the run or applied, and has the field of the reference.

    Args:
        resources: The resources of the run.
        applied: Returns the manifest, with outputs, of an applied resource, or None.
        applied_keys: Returns the keys of all applied resources, to suggest a similar one.
        pruned: The applied resources to prune after the apply; nothing may refer to them.

    Raises:
        InvalidError: ``REFERENCE_UNRESOLVED``: every reference without a target.
    """
    wrong = []
    for entry in resources.values():
        for target, path in references.uses(entry.manifest):
            if target in pruned:
                text = f"refers to {target}, which is no longer among the manifests, so that --prune would destroy it"
                violated = errors.Target(str(target), "")
                wrong.append(entry.violation(path, text, "reference.target_exists", target=violated))
            elif target not in resources and applied(target) is None:
                wrong.append(_missing(entry, path, target, [*resources], list(applied_keys())))
        for reference in references.find(entry.manifest):
            dependency = resources.get(reference.target)
            is_outside = dependency is None and reference.target not in pruned
            manifest = applied(reference.target) if is_outside else None
            if dependency is not None and not references.may_be_known(dependency.manifest, reference.field_path):
                wrong.append(_unset(entry, reference, dependency))
            if manifest is not None and not references.value(manifest, reference.field_path):
                wrong.append(_empty(entry, reference))
    if wrong:
        hint = "pass the other manifests too (-f), apply them first, or correct the kind, env or name"
        hint += "; without --prune they stay" if pruned else ""
        if all(each.rule_id == _EMPTY for each in wrong):
            hint = "set that field, or refer to another one (fieldPath)"
        raise errors.InvalidError(wrong, reason=errors.Reason.REFERENCE_UNRESOLVED, hint=hint)


def check_applied(
    entry: load.Resource,
    resources: Mapping[references.Key, load.Resource],
    applied: Callable[[references.Key], message.Message | None],
) -> None:
    """Checks that every dependency of a resource was applied and has the field of the reference.

    Args:
        entry: The resource.
        resources: The resources of the run, for the places of dependencies that were not applied.
        applied: Returns the manifest, with outputs, of an applied resource, or None.

    Raises:
        InvalidError: ``REFERENCE_UNRESOLVED``: every reference without a value.
    """
    wrong = []
    for reference in references.find(entry.manifest):
        manifest = applied(reference.target)
        if manifest is None:
            other = resources.get(reference.target)
            where = "" if other is None else f" ({other.place('metadata.name')})"
            text = f"refers to {reference.target}{where}, which has not been applied yet"
            target = errors.Target(str(reference.target), "", "" if other is None else other.place("metadata.name"))
            wrong.append(entry.violation(reference.path, text, "reference.target_applied", target=target))
        elif not references.value(manifest, reference.field_path):
            wrong.append(_empty(entry, reference))
    if wrong:
        hint = "apply the other resource first, or correct the kind, env or name"
        raise errors.InvalidError(wrong, reason=errors.Reason.REFERENCE_UNRESOLVED, hint=hint)


def _empty(entry: load.Resource, reference: references.Reference) -> errors.Violation:
    text = f"refers to {reference.field_path} of {reference.target}, which has been applied, but that field is empty"
    return entry.violation(reference.path, text, _EMPTY, target=errors.Target(str(reference.target), ""))


def _unset(entry: load.Resource, reference: references.Reference, other: load.Resource) -> errors.Violation:
    place = other.place("metadata.name")
    text = f"refers to {reference.field_path} of {reference.target} ({place}), which is not set there"
    return entry.violation(reference.path, text, _EMPTY, target=errors.Target(str(reference.target), "", place))


def _missing(
    entry: load.Resource,
    path: str,
    target: references.Key,
    manifests: Sequence[references.Key],
    applied: Sequence[references.Key],
) -> errors.Violation:
    suggestion = ""
    if target in applied:
        text = "not among the manifests, and whose last apply did not finish"
    else:
        text = "neither among the manifests nor applied"
        keys = [*manifests, *applied]
        same_name = sorted({key for key in keys if key.name == target.name and key != target})
        if same_name:
            text += f"; there is {', '.join(map(str, same_name))}"
        else:
            suggestion = suggestions.nearest(target.name, [key.name for key in keys if key.kind == target.kind])
    return entry.violation(
        path,
        f"refers to {target}, which is {text}",
        "reference.target_exists",
        target=errors.Target(str(target), ""),
        suggestion=suggestion,
    )
