"""The state of the simulated Civo.

These records are the cloud's database rows: mutable, and saved as they are. They hold facts only; ``views`` turns them into
answers.
"""

from __future__ import annotations

import dataclasses

from planton_sandbox import clock, pki

BUILDING = "BUILDING"
ACTIVE = "ACTIVE"
SCALING = "SCALING"
UPGRADING = "UPGRADING"
DELETING = "DELETING"


@dataclasses.dataclass(slots=True)
class Account:
    """A customer, identified by a token."""

    id: str
    token: str
    email: str
    limits: dict[str, int] = dataclasses.field(default_factory=dict)
    regions_seen: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class Network:
    """A private network of an account in a region."""

    id: str
    account: str
    region: str
    label: str
    name: str
    default: bool
    cidr: str
    nameservers: list[str]
    created: float
    building: clock.Timer | None = None
    deleting: clock.Timer | None = None


@dataclasses.dataclass(slots=True)
class Rule:
    """A rule of a firewall; ``ports`` is verbatim from the request."""

    id: str
    protocol: str
    ports: str
    start_port: str
    end_port: str
    cidr: list[str]
    direction: str
    action: str
    label: str = ""


@dataclasses.dataclass(slots=True)
class Firewall:
    """A firewall of a network; a ``hidden`` one was created with its network."""

    id: str
    account: str
    region: str
    network: str
    name: str
    hidden: bool
    rules: list[Rule] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class Taint:
    """A Kubernetes taint."""

    key: str
    value: str
    effect: str


@dataclasses.dataclass(slots=True)
class Node:
    """A machine of a pool."""

    id: str
    hostname: str
    size: str
    version: str
    private_ip: str
    public_ip: str
    created: float
    labels: dict[str, str] = dataclasses.field(default_factory=dict)
    taints: list[Taint] = dataclasses.field(default_factory=list)
    ready: bool = True
    unreachable: bool = False
    cordoned: bool = False
    building: clock.Timer | None = None
    deleting: clock.Timer | None = None


@dataclasses.dataclass(slots=True)
class Pool:
    """A pool of machines of one size; ``nodes`` is in order of creation."""

    id: str
    size: str
    count: int
    public_ip: bool = False
    labels: dict[str, str] = dataclasses.field(default_factory=dict)
    taints: list[Taint] = dataclasses.field(default_factory=list)
    nodes: list[Node] = dataclasses.field(default_factory=list)
    deleting: clock.Timer | None = None


@dataclasses.dataclass(slots=True)
class Application:
    """A marketplace application on a cluster."""

    name: str
    version: str
    category: str
    installed: bool = False
    failing: bool = False
    installing: clock.Timer | None = None


@dataclasses.dataclass(slots=True)
class Cluster:
    """A Kubernetes cluster; the first of ``pools`` is the default pool."""

    id: str
    account: str
    region: str
    name: str
    kind: str
    version: str
    cni: str
    network: str
    firewall: str
    tags: list[str]
    created: float
    port: int
    credentials: pki.Credentials
    pools: list[Pool] = dataclasses.field(default_factory=list)
    applications: list[Application] = dataclasses.field(default_factory=list)
    stuck: bool = False
    built: float | None = None
    building: clock.Timer | None = None
    upgrading: clock.Timer | None = None
    deleting: clock.Timer | None = None


@dataclasses.dataclass(slots=True)
class Associated:
    """A load balancer, a volume or a reserved address of a cluster's workload.

    Attributes:
        sort: The path segment of its kind.
        managed: Whether the simulated Kubernetes API created it.
        balancer: The load balancer that a reserved address is assigned to; empty for none.
    """

    id: str
    account: str
    region: str
    cluster: str
    network: str
    sort: str
    name: str
    created: float
    managed: bool = False
    balancer: str = ""


@dataclasses.dataclass(slots=True)
class State:
    """The whole state of the simulated Civo."""

    accounts: list[Account] = dataclasses.field(default_factory=list)
    networks: list[Network] = dataclasses.field(default_factory=list)
    firewalls: list[Firewall] = dataclasses.field(default_factory=list)
    clusters: list[Cluster] = dataclasses.field(default_factory=list)
    associated: list[Associated] = dataclasses.field(default_factory=list)
    revoked_tokens: list[str] = dataclasses.field(default_factory=list)
    stuck_next: int = 0
    failing_applications: list[str] = dataclasses.field(default_factory=list)
