"""The targets of request paths."""

from __future__ import annotations

import dataclasses

from planton_sandbox.kubernetes import resources

_CORE, _NAMED, _SUB = 2, 2, 3


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """The target of a path.

    Attributes:
        namespace: Empty for all namespaces, and for resources without one.
        name: Empty for the whole collection.
        subresource: Such as ``status``; empty for the object itself.
    """

    resource: resources.Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def target(path: str) -> Target | None:
    """Returns the target of a path, or ``None``."""
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) > _CORE:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > _CORE + 1:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > _NAMED and rest[2] not in resources.NAMESPACES.subresources:
        namespace, rest = rest[1], rest[2:]
    resource = resources.at(group, version, rest[0])
    if resource is None or len(rest) > _SUB or "" in rest or (namespace and not resource.namespaced):
        return None
    name, subresource = [*rest[1:], "", ""][:2]
    if name and resource.namespaced and not namespace:
        return None
    if subresource and subresource not in resource.subresources:
        return None
    return Target(resource, namespace, name, subresource)
