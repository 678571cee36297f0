"""Views: how the entries of a cloud's lists correspond to the properties of Pulumi resources. Shared parts and types."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

#: The prefixes of tags that a cloud or a plugin adds.
_SYSTEM_TAGS = ("k8s", "terraform:")


#: The status of a resource that is as it should be, and of one whose nodes are not.
READY, NOT_READY = "Ready", "NotReady"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """A resource as an entry of a cloud's list describes it, in the words of all clouds.

    Attributes:
        status: ``Ready``, ``NotReady``, or what the cloud does with it, e.g. ``Upgrading``.
        version: The Kubernetes version of a cluster; empty if it has none.
        sizes: The machine sizes of its nodes, each once.
        ready: The number of active nodes; None if it has no nodes.
        desired: The desired number of nodes; None if it has no nodes.
        created: When it was created, RFC 3339; empty if the list does not say it.
    """

    status: str = READY
    version: str = ""
    sizes: tuple[str, ...] = ()
    ready: int | None = None
    desired: int | None = None
    created: str = ""


def created(entry: Mapping[str, Any]) -> Summary:
    """Returns the summary of a resource of which a list has only the name and the time of its creation."""
    return Summary(created=str(entry.get("created_at") or ""))


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """The comparable properties of the resources of a Pulumi type.

    Attributes:
        of_properties: Returns them from the properties of a state or a request.
        of_entry: Returns them from an entry of the cloud's list, and the properties of the same resource.
        summary: Returns the summary of an entry of the cloud's list.
        zones: Returns the number of zones over which the cloud spreads the nodes of a pool evenly, from its entry.
        troubles: Returns what the cloud reports to be wrong, from an entry of its list: its codes and texts.
        requested: Returns the properties in whose place a state is compared by what was requested, from the inputs of the resource:
            its plugin reads another value after an update that did not set them.
    """

    of_properties: Callable[[Mapping[str, Any]], dict[str, Any]]
    of_entry: Callable[[Mapping[str, Any], Mapping[str, Any]], dict[str, Any]]
    summary: Callable[[Mapping[str, Any]], Summary] = created
    requested: Callable[[Mapping[str, Any]], dict[str, Any]] = lambda _inputs: {}
    zones: Callable[[Mapping[str, Any]], int] = lambda _entry: 1
    troubles: Callable[[Mapping[str, Any]], list[str]] = lambda _entry: []


@dataclasses.dataclass(frozen=True, slots=True)
class DefaultPool:
    """How a cloud and its plugin treat the default pool of a cluster.

    Attributes:
        property: The property of the cluster's resource that describes the pool.
        id_key: The part of that property with the pool's id.
        request: Returns the body of the request that recreates the pool, from its id, its outputs and its number of nodes.
        tag: The tag by which the plugin identifies the pool; empty if it does not.
        reported: Returns the parts of the property from the pool's entry in the cloud. It is set if the plugin may describe
            another pool, so that planton corrects the state; else None.
        compared: The parts of the property that can drift.
        names_key: The part of the property with the names of the nodes.
    """

    property: str
    id_key: str
    request: Callable[[str, Mapping[str, Any], int], dict[str, Any]]
    tag: str = ""
    reported: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None
    compared: tuple[str, ...] = ()
    names_key: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Condition:
    """The condition of a cluster in the cloud.

    Attributes:
        state: The cloud's own word, e.g. ``UPGRADING``.
        ready: The number of active nodes.
        nodes: The desired number of nodes.
        settled: Whether no operation is in progress.
    """

    state: str
    ready: int
    nodes: int
    settled: bool

    def __str__(self) -> str:
        """Returns the condition as one line."""
        return f"{self.state}, {self.ready} of {self.nodes} nodes active"

    def status(self, healthy: str) -> str:
        """Returns the condition as the status of a summary.

        Args:
            healthy: The cloud's word for a cluster with which nothing happens.
        """
        if self.settled:
            return READY
        return NOT_READY if self.state == healthy else self.state.capitalize()


class Views(Protocol):
    """The module ``views`` of a cloud."""

    #: Pulumi type → the comparable properties.
    BY_TYPE: Mapping[str, View]
    #: The default pool of its clusters; None if they have none.
    DEFAULT_POOL: DefaultPool | None
    #: The compared properties that only the cloud decides, e.g. the ids of nodes.
    REPORTED: frozenset[str]
    #: Pulumi type → the compared property with the number of nodes.
    COUNTS: Mapping[str, str]

    def name(self, entry: Mapping[str, Any]) -> str:
        """Returns the name of a resource in its entry of a list."""
        ...

    def nodes(self, pool: Mapping[str, Any]) -> list[str]:
        """Returns the names of the machines in the entry of a node pool, which are those of the nodes in Kubernetes."""
        ...

    def condition(self, cluster: Mapping[str, Any], pool: str = "") -> Condition:
        """Returns the condition of a cluster in the form of the cloud's API; with the name of a pool, the nodes of that pool."""
        ...


def of_pool(entry: Mapping[str, Any], *, ready: int, listed: int) -> Summary:
    """Returns the summary of a node pool.

    Args:
        entry: Its entry, with ``count`` and ``size``.
        ready: The number of active nodes.
        listed: The number of all nodes that the cloud lists.
    """
    desired = int(entry.get("count") or 0)
    return Summary(
        status=READY if ready == desired == listed else NOT_READY,
        sizes=distinct([entry.get("size")]),
        ready=ready,
        desired=desired,
        created=str(entry.get("created_at") or ""),
    )


def distinct(texts: Iterable[Any]) -> tuple[str, ...]:  # JSON data
    """Returns texts, each once and in their order, without missing ones."""
    return tuple(dict.fromkeys(str(text) for text in texts if text))


def labels(entry: Mapping[str, Any]) -> dict[str, str]:
    """Returns the labels of a resource in its entry, and its tags of the form ``KEY:VALUE``."""
    listed = entry.get("tags") or ()
    tags = [str(tag).partition(":") for tag in (listed.split() if isinstance(listed, str) else listed)]
    nested = (entry.get("labels"), entry.get("resourceLabels"), (entry.get("config") or {}).get("labels"))
    return {key: value for key, sign, value in tags if sign} | {
        key: value for each in nested for key, value in (each or {}).items()
    }


def taints(listed: Any) -> Any:  # JSON data
    """Returns taints in a form that can be compared; None for None."""
    if listed is None:
        return None
    return sorted((each["key"], each.get("value") or "", each["effect"]) for each in listed)


def tags(listed: Any) -> Any:  # JSON data
    """Returns tags in a form that can be compared, without those of the system; None for None.

    The clouds ignore the order and the case of tags.
    """
    if listed is None:
        return None
    texts = listed.split() if isinstance(listed, str) else listed
    return sorted({tag.lower() for tag in texts if not tag.lower().startswith(_SYSTEM_TAGS)})
