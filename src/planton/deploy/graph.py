"""How the resources of a run hang together: what is given twice, what refers to nothing, what goes in a circle.

Every error names both ends, each with its file and line where it has one.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from planton import errors
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
        InvalidError: ``REFERENCE_INVALID``: a circle, or one resource given twice.
    """
    known = by_key(resources)
    dependencies = {key: frozenset(references.depends_on(entry.manifest)) for key, entry in known.items()}
    return Graph(known, tuple(order(known)), dependencies)


def by_key(wanted: Iterable[load.Resource]) -> dict[references.Key, load.Resource]:
    """Returns resources by what they are found by.

    Raises:
        InvalidError: ``REFERENCE_INVALID``: one is given twice.
    """
    found: dict[references.Key, load.Resource] = {}
    twice = []
    for entry in wanted:
        key = references.key(entry.manifest)
        if key in found:
            twice.append(given_twice(key, found[key], entry))
        found.setdefault(key, entry)
    if twice:
        hint = "give each resource once, or another metadata.name"
        raise errors.InvalidError(twice, reason=errors.Reason.REFERENCE_INVALID, hint=hint)
    return found


def given_twice(key: references.Key, first: load.Resource, second: load.Resource) -> errors.Violation:
    """Returns what is wrong with the second of two that are given for one resource."""
    place = first.place("metadata.name")
    text = f"{key} is given twice: also at {place}"
    return second.violation("metadata.name", text, "reference.given_once", target=errors.Target(str(key), "", place))


def order(wanted: Mapping[references.Key, load.Resource]) -> list[references.Key]:
    """Returns the keys so that each comes after those it depends on; otherwise as given.

    Raises:
        InvalidError: ``REFERENCE_INVALID``: they go in a circle, which is named with the place of each reference in it.
    """
    found = circle(wanted)
    if found is not None:
        raise errors.InvalidError([found], reason=errors.Reason.REFERENCE_INVALID, hint="remove one of these references")
    return references.order({key: entry.manifest for key, entry in wanted.items()})


def circle(wanted: Mapping[references.Key, load.Resource]) -> errors.Violation | None:
    """Returns a circle among resources, with the place of each reference in it; None where there is none."""
    found = references.circle({key: references.depends_on(entry.manifest) for key, entry in wanted.items()})
    if not found:
        return None
    steps = [f"{key} ({wanted[key].place(_path_to(wanted[key], after))})" for key, after in _pairs(found)]
    first = wanted[found[0]]
    text = f"the references go in a circle: {' → '.join([*steps, str(found[0])])}"
    return first.violation(_path_to(first, found[1 % len(found)]), text, "reference.no_circle")


def _pairs(circle: Sequence[references.Key]) -> list[tuple[references.Key, references.Key]]:
    return list(zip(circle, [*circle[1:], circle[0]], strict=True))


def _path_to(entry: load.Resource, target: references.Key) -> str:
    return next((path for key, path in references.uses(entry.manifest) if key == target), "")


def is_cluster(key: references.Key) -> bool:
    """Returns whether a resource is a Kubernetes cluster, of any cloud."""
    kind = kinds.find(key.kind)
    return kind is not None and kind.is_cluster


def goes_with(user: references.Key, target: references.Key) -> bool:
    """Returns whether what refers to a resource is deleted with it, as a node pool is with its cluster."""
    kind = kinds.find(user.kind)
    return is_cluster(target) and kind is not None and kind.is_node_pool


def check_targets(
    wanted: Mapping[references.Key, load.Resource],
    applied: Callable[[references.Key], message.Message | None],
    known: Callable[[], Iterable[references.Key]],
    *,
    pruned: Collection[references.Key] = (),
) -> None:
    """Checks that everything that is referred to is given or applied, and has what is referred to.

    Args:
        wanted: What is given.
        applied: Gives the manifest, with outputs, of what has been applied.
        known: Gives the keys of everything that has been applied, to find a near one.
        pruned: The applied resources to prune after the apply; nothing may refer to them.

    Raises:
        InvalidError: ``REFERENCE_UNRESOLVED``: every reference that leads nowhere.
    """
    wrong = []
    for entry in wanted.values():
        for target, path in references.uses(entry.manifest):
            if target in pruned:
                text = f"refers to {target}, which is no longer among the manifests given, so that --prune would destroy it"
                other = errors.Target(str(target), "")
                wrong.append(entry.violation(path, text, "reference.target_exists", target=other))
            elif target not in wanted and applied(target) is None:
                wrong.append(_missing(entry, path, target, [*wanted], list(known())))
        for reference in references.find(entry.manifest):
            given = wanted.get(reference.target)
            made = None if given is not None or reference.target in pruned else applied(reference.target)
            if given is not None and not references.may_be_known(given.manifest, reference.field_path):
                wrong.append(_unset(entry, reference, given))
            if made is not None and not references.value(made, reference.field_path):
                wrong.append(_empty(entry, reference))
    if wrong:
        hint = "give the other manifests too (-f), apply them first, or correct the kind, env or name"
        hint += "; without --prune they stay" if pruned else ""
        if all(each.rule_id == _EMPTY for each in wrong):
            hint = "set that field, or refer to another one (fieldPath)"
        raise errors.InvalidError(wrong, reason=errors.Reason.REFERENCE_UNRESOLVED, hint=hint)


def check_applied(
    entry: load.Resource,
    wanted: Mapping[references.Key, load.Resource],
    applied: Callable[[references.Key], message.Message | None],
) -> None:
    """Checks that everything that a resource takes a value from has been applied and has the value.

    Args:
        entry: The resource.
        wanted: What is given, to say where a target that has not been applied stands.
        applied: Gives the manifest, with outputs, of what has been applied.

    Raises:
        InvalidError: ``REFERENCE_UNRESOLVED``: every reference without a value.
    """
    wrong = []
    for reference in references.find(entry.manifest):
        made = applied(reference.target)
        if made is None:
            given = wanted.get(reference.target)
            where = "" if given is None else f" ({given.place('metadata.name')})"
            text = f"refers to {reference.target}{where}, which has not been applied yet"
            target = errors.Target(str(reference.target), "", "" if given is None else given.place("metadata.name"))
            wrong.append(entry.violation(reference.path, text, "reference.target_applied", target=target))
        elif not references.value(made, reference.field_path):
            wrong.append(_empty(entry, reference))
    if wrong:
        hint = "apply the other resource first, or correct the kind, env or name"
        raise errors.InvalidError(wrong, reason=errors.Reason.REFERENCE_UNRESOLVED, hint=hint)


def _empty(entry: load.Resource, reference: references.Reference) -> errors.Violation:
    text = f"refers to {reference.field_path} of {reference.target}, which has been applied, but that field is empty"
    return entry.violation(reference.path, text, _EMPTY, target=errors.Target(str(reference.target), ""))


def _unset(entry: load.Resource, reference: references.Reference, given: load.Resource) -> errors.Violation:
    place = given.place("metadata.name")
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
        text = "not among the manifests given, and whose last apply did not come to its end"
    else:
        text = "neither among the manifests given nor applied"
        keys = [*manifests, *applied]
        same_name = sorted({key for key in keys if key.name == target.name and key != target})
        if same_name:
            text += f"; there is {', '.join(map(str, same_name))}"
        else:
            suggestion = kinds.nearest(target.name, [key.name for key in keys if key.kind == target.kind])
    return entry.violation(
        path,
        f"refers to {target}, which is {text}",
        "reference.target_exists",
        target=errors.Target(str(target), ""),
        suggestion=suggestion,
    )
