"""The state of the simulated Google Cloud.

These records are the cloud's database rows: mutable, and saved as they are. They hold facts only; ``views`` turns them into
answers. Settings that have no effect are kept as in the request.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from planton_sandbox import clock, pki

CREATE_CLUSTER = "CREATE_CLUSTER"
DELETE_CLUSTER = "DELETE_CLUSTER"
UPDATE_CLUSTER = "UPDATE_CLUSTER"
UPGRADE_MASTER = "UPGRADE_MASTER"
CREATE_POOL = "CREATE_NODE_POOL"
DELETE_POOL = "DELETE_NODE_POOL"
RESIZE_POOL = "SET_NODE_POOL_SIZE"
UPGRADE_NODES = "UPGRADE_NODES"
SET_MANAGEMENT = "SET_NODE_POOL_MANAGEMENT"

STOCKOUT = "GCE_STOCKOUT"
QUOTA = "GCE_QUOTA_EXCEEDED"
ADDRESSES = "IP_SPACE_EXHAUSTED"


@dataclasses.dataclass(slots=True)
class Account:
    """A service account, identified by its permanent token."""

    id: str
    token: str
    email: str


@dataclasses.dataclass(slots=True)
class Token:
    """An access token of an account."""

    text: str
    account: str
    expires: float


@dataclasses.dataclass(slots=True)
class Key:
    """The key of the default service account, in PEM."""

    id: str
    private: str


@dataclasses.dataclass(slots=True)
class Project:
    """A project.

    Attributes:
        limits: The regional limits that differ from the usual ones, by region and metric.
        stockouts: The zones, or ``zone/machine type``, that have no machines left.
    """

    id: str
    number: int
    account: str
    limits: dict[str, dict[str, float]] = dataclasses.field(default_factory=dict)
    stockouts: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class Operation:
    """A change of a cluster or pool.

    Attributes:
        cluster: The cluster's id.
        pool: The pool's name; empty for the cluster.
        target: The path of the resource below the API's version.
        ended: When it ended, in seconds since the epoch; ``None`` while it runs.
        aborting: It was cancelled.
    """

    name: str
    kind: str
    project: str
    location: str
    cluster: str
    pool: str
    target: str
    started: float
    timer: clock.Timer
    ended: float | None = None
    error: str = ""
    code: int = 0
    conditions: list[dict[str, str]] = dataclasses.field(default_factory=list)
    aborting: bool = False


@dataclasses.dataclass(slots=True)
class Node:
    """A machine of a pool.

    Attributes:
        template: The pool's template at its creation.
        draining: It is removed at the end of the current upgrade step.
        updated: When it became ready, in seconds since the epoch.
        idle: Since when the autoscaler does not need it; ``None`` if it does.
    """

    id: str
    name: str
    zone: str
    template: int
    version: str
    machine: str
    disk: int
    private_ip: str
    public_ip: str
    created: float
    labels: dict[str, str] = dataclasses.field(default_factory=dict)
    taints: list[dict[str, str]] = dataclasses.field(default_factory=list)
    ready: bool = True
    unreachable: bool = False
    cordoned: bool = False
    draining: bool = False
    updated: float = 0.0
    idle: float | None = None
    building: clock.Timer | None = None
    deleting: clock.Timer | None = None


@dataclasses.dataclass(slots=True)
class Pool:
    """A node pool.

    Attributes:
        zones: Its zones, sorted.
        targets: The desired number of nodes by zone.
        initial: ``initialNodeCount``, which follows the client's resizes, but not the autoscaler.
        config: The machines, with all defaults.
        template: A number that grows with every change that replaces nodes.
        previous: What an upgrade in progress returns to.
        groups: The suffix of each zone's instance group.
        shortages: The code of what keeps machines from being created, by zone.
        load: How many nodes the workload needs; ``None`` if unset.
        scaling: When the autoscaler acts on the load.
        lacking: How many more nodes pending pods need.
        looked: When the autoscaler looked at the cluster last.
    """

    name: str
    zones: list[str]
    targets: dict[str, int]
    initial: int
    config: dict[str, Any]
    version: str
    management: dict[str, Any]
    upgrade: dict[str, Any]
    max_pods: int
    pod_range: str
    autoscaling: dict[str, Any] = dataclasses.field(default_factory=dict)
    network: dict[str, Any] = dataclasses.field(default_factory=dict)
    extra: dict[str, Any] = dataclasses.field(default_factory=dict)
    template: int = 1
    revision: int = 1
    previous: dict[str, Any] = dataclasses.field(default_factory=dict)
    groups: dict[str, str] = dataclasses.field(default_factory=dict)
    nodes: list[Node] = dataclasses.field(default_factory=list)
    shortages: dict[str, str] = dataclasses.field(default_factory=dict)
    failure: str = ""
    load: int | None = None
    scaling: clock.Timer | None = None
    lacking: int = 0
    looked: float = 0.0


@dataclasses.dataclass(slots=True)
class Cluster:
    """A cluster.

    Attributes:
        zones: The zones of its nodes, sorted.
        settings: The other settings, by the name of their field.
        failure: Why its state is ``ERROR``; empty otherwise.
        degraded: The condition of the state ``DEGRADED``; empty otherwise.
    """

    id: str
    project: str
    location: str
    name: str
    zones: list[str]
    version: str
    initial_version: str
    network: str
    subnetwork: str
    created: float
    port: int
    credentials: pki.Credentials
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    labels: dict[str, str] = dataclasses.field(default_factory=dict)
    pools: list[Pool] = dataclasses.field(default_factory=list)
    initial: int = 0
    revision: int = 1
    stuck: bool = False
    failure: str = ""
    degraded: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(slots=True)
class Subnetwork:
    """A subnetwork.

    Attributes:
        ranges: Its secondary ranges by name.
        taken: The nodes whose addresses something else has, in each range.
    """

    project: str
    region: str
    network: str
    name: str
    cidr: str
    ranges: dict[str, str] = dataclasses.field(default_factory=dict)
    taken: int = 0


@dataclasses.dataclass(slots=True)
class Associated:
    """A disk or forwarding rule of a cluster's workload; ``sort`` is ``disks`` or ``forwardingRules``.

    Attributes:
        managed_by: The id of the cluster whose Kubernetes API created it; empty for another origin.
    """

    id: str
    project: str
    region: str
    cluster: str
    sort: str
    name: str
    created: float
    managed_by: str = ""


@dataclasses.dataclass(slots=True)
class State:
    """The whole state of the simulated Google Cloud."""

    accounts: list[Account] = dataclasses.field(default_factory=list)
    tokens: list[Token] = dataclasses.field(default_factory=list)
    key: Key | None = None
    projects: list[Project] = dataclasses.field(default_factory=list)
    subnetworks: list[Subnetwork] = dataclasses.field(default_factory=list)
    clusters: list[Cluster] = dataclasses.field(default_factory=list)
    operations: list[Operation] = dataclasses.field(default_factory=list)
    associated: list[Associated] = dataclasses.field(default_factory=list)
    revoked_tokens: list[str] = dataclasses.field(default_factory=list)
    stuck_next: int = 0
    last_number: int = 0
