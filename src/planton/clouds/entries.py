"""Rows of the lists of any cloud: the resources of an account, and its quotas."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A network, a firewall, a cluster or a node pool of an account.

    Attributes:
        id: The cloud's id.
        name: The name in the cloud; for a network without a name, its label.
        region: The region's name in the spelling of manifests, in lower case; empty if the list has none.
        cidr: The range of a network, e.g. ``10.10.0.0/20``; empty for anything else.
        network: The id of its network; empty if the list has none.
        firewall: The id of the firewall of a cluster; empty if the list has none.
        version: The Kubernetes version of a cluster; empty for anything else.
        is_being_deleted: Whether it is being deleted.
        is_default: Whether it is the network that resources without a network use.
        has_public_nodes: Whether new nodes of a cluster get public addresses, if the cloud has a quota of those.
        pools: The node pools of a cluster.
    """

    id: str
    name: str
    region: str = ""
    cidr: str = ""
    network: str = ""
    firewall: str = ""
    version: str = ""
    is_being_deleted: bool = False
    is_default: bool = False
    has_public_nodes: bool = False
    pools: tuple[Entry, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Quota:
    """A quota of an account.

    Attributes:
        used: The number in use.
        limit: The largest number.
    """

    used: int
    limit: int


@dataclasses.dataclass(frozen=True, slots=True)
class Refusal:
    """A value that the cloud would refuse where it is to be used.

    Attributes:
        path: The manifest's field.
        text: The message, with the values.
        hint: The one thing to do next.
        rule: The rule that it breaks.
    """

    path: str
    text: str
    hint: str
    rule: str = "cloud.offered_in_zones"
