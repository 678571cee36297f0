"""What the tests of the DigitalOcean stand-in make, and how they look at what was sent."""

from __future__ import annotations

import typing

import grpc

from . import conftest

Json = typing.Any
URN = "urn:pulumi:dev::demo::digitalocean:index/{0}::x"
VPC = URN.format("vpc:Vpc")
FIREWALL = URN.format("firewall:Firewall")
CLUSTER = URN.format("kubernetesCluster:KubernetesCluster")
POOL = URN.format("kubernetesNodePool:KubernetesNodePool")
MAIN = {"name": "main", "size": "s-1", "nodeCount": 2}
MADE = {"name": "c", "region": "fra1", "version": "1.33.1-do.0", "nodePool": MAIN}
RULE = {"protocol": "tcp", "portRange": "443", "sourceAddresses": ["0.0.0.0/0"]}
CLUSTERS = "/v2/kubernetes/clusters"


def connect(ocean: conftest.Scene, **config: str) -> conftest.Engine:
    """Makes a connection that is configured."""
    connected = ocean.connect()
    connected.configure(**config)
    return connected


def cluster(engine: conftest.Engine, **more: Json) -> tuple[str, Json, Json]:
    """Makes a cluster; returns id, inputs and state."""
    return engine.create(CLUSTER, **{**MADE, **more})


def pool(engine: conftest.Engine, cluster: str, **more: Json) -> tuple[str, Json, Json]:
    """Makes a pool; returns id, inputs and state."""
    return engine.create(POOL, **{"clusterId": cluster, "name": "workers", "size": "s-1", "nodeCount": 1, **more})


def bodies(ocean: conftest.Scene, method: str) -> dict[str, Json]:
    """Returns what was sent by a method, by path."""
    return {seen.path: seen.body for seen in ocean.cloud.seen if seen.method == method}


def is_kept(error: grpc.RpcError) -> bool:
    """Tells whether an error says that the resource is there all the same."""
    return any(key == "grpc-status-details-bin" for key, _ in error.trailing_metadata() or ())
