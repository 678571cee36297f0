"""The state of the simulated DigitalOcean.

These records are the cloud's database rows: mutable, and saved as they are. They hold facts only; ``views`` turns them into
answers.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from planton_sandbox import clock, pki

PROVISIONING = "provisioning"
RUNNING = "running"
UPGRADING = "upgrading"
ERROR = "error"
DRAINING = "draining"
DELETING = "deleting"


@dataclasses.dataclass(slots=True)
class Account:
    """A customer, identified by a token."""

    id: str
    token: str
    email: str
    droplet_limit: int


@dataclasses.dataclass(slots=True)
class Vpc:
    """A private network of an account in a region."""

    id: str
    account: str
    region: str
    name: str
    ip_range: str
    created: float
    description: str = ""
    default: bool = False


@dataclasses.dataclass(slots=True)
class Rule:
    """A rule of a firewall; ``peers`` are the sources or destinations from the request."""

    protocol: str
    ports: str
    peers: dict[str, list[Any]]


@dataclasses.dataclass(slots=True)
class Firewall:
    """A firewall of droplets, which it selects by id and by tag."""

    id: str
    account: str
    name: str
    created: float
    inbound: list[Rule] = dataclasses.field(default_factory=list)
    outbound: list[Rule] = dataclasses.field(default_factory=list)
    droplets: list[int] = dataclasses.field(default_factory=list)
    tags: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class Tag:
    """A tag of an account, in the spelling of its first use."""

    account: str
    name: str


@dataclasses.dataclass(slots=True)
class Taint:
    """A Kubernetes taint."""

    key: str
    value: str
    effect: str


@dataclasses.dataclass(slots=True)
class Node:
    """A machine of a pool, and its droplet.

    Attributes:
        draining: It is removed at the end of the current upgrade step.
        idle: Since when the autoscaler does not need it; ``None`` if it does.
    """

    id: str
    name: str
    droplet: int
    version: str
    private_ip: str
    public_ip: str
    created: float
    updated: float
    labels: dict[str, str] = dataclasses.field(default_factory=dict)
    taints: list[Taint] = dataclasses.field(default_factory=list)
    ready: bool = True
    unreachable: bool = False
    cordoned: bool = False
    draining: bool = False
    idle: float | None = None
    building: clock.Timer | None = None
    deleting: clock.Timer | None = None


@dataclasses.dataclass(slots=True)
class Pool:
    """A pool of machines of one size; ``nodes`` is in order of creation.

    Attributes:
        tags: The client's tags, without those that the cloud adds.
        load: How many nodes the workload needs; ``None`` if unset.
        scaling: When the autoscaler acts on the load.
        lacking: How many more nodes pending pods need.
        looked: When the autoscaler looked at the cluster last.
    """

    id: str
    name: str
    size: str
    count: int
    auto_scale: bool = False
    min_nodes: int = 0
    max_nodes: int = 0
    tags: list[str] = dataclasses.field(default_factory=list)
    labels: dict[str, str] = dataclasses.field(default_factory=dict)
    taints: list[Taint] = dataclasses.field(default_factory=list)
    nodes: list[Node] = dataclasses.field(default_factory=list)
    load: int | None = None
    scaling: clock.Timer | None = None
    lacking: int = 0
    looked: float = 0.0
    deleting: clock.Timer | None = None


@dataclasses.dataclass(slots=True)
class Window:
    """A maintenance window: a day or ``any``, and the time ``HH:MM`` in UTC."""

    day: str
    start: str


@dataclasses.dataclass(slots=True)
class Guard:
    """The firewall of a control plane."""

    enabled: bool
    addresses: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class Token:
    """A bearer token for a cluster's Kubernetes API."""

    text: str
    expires: float


@dataclasses.dataclass(slots=True)
class Cluster:
    """A Kubernetes cluster; the first of ``pools`` was created with it.

    Attributes:
        tags: The client's tags, without those that the cloud adds.
        autoscaler: The settings of the autoscaler; ``None`` if unset.
        blocks: Other blocks of settings, verbatim from requests.
        watched: From when on maintenance windows count, in seconds since the epoch.
        failure: The message of the state ``error``; empty in other states.
    """

    id: str
    account: str
    region: str
    name: str
    version: str
    vpc: str
    cluster_subnet: str
    service_subnet: str
    tags: list[str]
    created: float
    updated: float
    port: int
    credentials: pki.Credentials
    ha: bool
    auto_upgrade: bool
    surge_upgrade: bool
    window: Window
    watched: float
    pools: list[Pool] = dataclasses.field(default_factory=list)
    registry: bool = False
    guard: Guard | None = None
    autoscaler: dict[str, Any] | None = None
    blocks: dict[str, Any] = dataclasses.field(default_factory=dict)
    tokens: list[Token] = dataclasses.field(default_factory=list)
    stuck: bool = False
    failure: str = ""
    built: float | None = None
    building: clock.Timer | None = None
    upgrading: clock.Timer | None = None
    deleting: clock.Timer | None = None


@dataclasses.dataclass(slots=True)
class Associated:
    """A load balancer, volume or snapshot of a cluster's workload.

    Attributes:
        sort: The key of its kind in answers.
        managed: Whether the simulated Kubernetes API created it.
    """

    id: str
    account: str
    region: str
    cluster: str
    sort: str
    name: str
    created: float
    managed: bool = False


@dataclasses.dataclass(slots=True)
class State:
    """The whole state of the simulated DigitalOcean."""

    accounts: list[Account] = dataclasses.field(default_factory=list)
    vpcs: list[Vpc] = dataclasses.field(default_factory=list)
    firewalls: list[Firewall] = dataclasses.field(default_factory=list)
    tags: list[Tag] = dataclasses.field(default_factory=list)
    clusters: list[Cluster] = dataclasses.field(default_factory=list)
    associated: list[Associated] = dataclasses.field(default_factory=list)
    revoked_tokens: list[str] = dataclasses.field(default_factory=list)
    stuck_next: int = 0
    last_droplet: int = 400_000_000
