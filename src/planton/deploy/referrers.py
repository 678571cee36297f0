"""Which resources refer to a resource that would be replaced or deleted: by a reference, or by its id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planton.schema import references

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from google.protobuf import message

    from planton.deploy import graph, steps
    from planton.state import inventory


def of(
    step: steps.Step,
    applied: Iterable[inventory.Applied],
    manifests: Sequence[message.Message],
    *,
    replacing: Sequence[message.Message] = (),
) -> list[references.Key]:
    """Returns the resources that refer to one, sorted.

    Args:
        step: The step of the resource.
        applied: All applied resources.
        manifests: The manifests of the run.
        replacing: Manifests that are applied first, so that they replace the applied ones of their resources.
    """
    ids = {each.key: {each.cluster, *_literals(each.manifest)} for each in applied}
    ids |= {references.key(manifest): set(_literals(manifest)) for manifest in replacing}
    own_id = "" if step.applied is None else step.applied.identity
    by_id = [key for key, used in ids.items() if key != step.key and own_id and own_id in used]
    return sorted({*by_id, *references.referrers(step.key, [*manifests, *replacing])})


def outside(
    deleted: Iterable[steps.Step],
    applied: Sequence[inventory.Applied],
    resources: graph.Graph,
    *,
    replacing: graph.Graph | None = None,
) -> dict[references.Key, list[references.Key]]:
    """Returns each deleted resource → the resources outside a graph that refer to it, if there are any.

    Args:
        deleted: The steps that delete resources.
        applied: All applied resources.
        resources: The graph of the deleted resources.
        replacing: The graph that is applied first; None for none.
    """
    first = [] if replacing is None else replacing.manifests
    users = {
        step.key: [user for user in of(step, applied, resources.manifests, replacing=first) if user not in resources.resources]
        for step in deleted
    }
    return {key: listed for key, listed in users.items() if listed}


def relations(
    applied: inventory.Applied, everything: Iterable[inventory.Applied]
) -> tuple[list[references.Key], list[references.Key]]:
    """Returns the applied resources that one uses, and those that use it, sorted.

    Args:
        applied: The resource.
        everything: All applied resources.
    """
    others = [each for each in everything if each.stack != applied.stack]
    ids = {applied.cluster, *_literals(applied.manifest)} - {"", applied.identity}
    used = [each.key for each in others if each.identity in ids]
    users = [each.key for each in others if applied.identity and applied.identity in {each.cluster, *_literals(each.manifest)}]
    return sorted(used), sorted(users)


def _literals(manifest: message.Message) -> list[str]:
    spec = manifest.spec  # type: ignore[attr-defined]  # every manifest has a spec
    return [
        content.value
        for field, content in spec.ListFields()
        if field.message_type is not None and field.message_type.name == "StringValueOrRef"
    ]
