"""Rows of the lists of any cloud: what an account has, and how much more it may have."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A network, a firewall, a cluster or a node pool of an account.

    Attributes:
        id: The cloud's id.
        name: What the cloud calls it; of a network at Civo, its label.
        region: The region's name as manifests write it, in lower case; empty where the list does not say.
        cidr: The range of a network, e.g. ``10.10.0.0/20``; empty for anything else.
        network: The id of the network that it is in; empty where the list does not say.
        version: The Kubernetes version of a cluster; empty for anything else.
        is_going: Whether it is being deleted.
        pools: The node pools of a cluster.
    """

    id: str
    name: str
    region: str = ""
    cidr: str = ""
    network: str = ""
    version: str = ""
    is_going: bool = False
    pools: tuple[Entry, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Quota:
    """How much of something an account has, and how much it may have.

    Attributes:
        used: The number in use.
        limit: The largest number.
    """

    used: int
    limit: int
