"""Resources for the tests of the DigitalOcean stand-in, and look-ups of its requests."""

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
CREATED = {"name": "c", "region": "fra1", "version": "1.33.1-do.0", "nodePool": MAIN}
RULE = {"protocol": "tcp", "portRange": "443", "sourceAddresses": ["0.0.0.0/0"]}
CLUSTERS = "/v2/kubernetes/clusters"


def connect(ocean: conftest.Scene, **config: str) -> conftest.Engine:
    """Creates a configured connection."""
    connected = ocean.connect()
    connected.configure(**config)
    return connected


def cluster(engine: conftest.Engine, **more: Json) -> tuple[str, Json, Json]:
    """Creates a cluster; returns id, inputs and state."""
    return engine.create(CLUSTER, **{**CREATED, **more})


def pool(engine: conftest.Engine, cluster: str, **more: Json) -> tuple[str, Json, Json]:
    """Creates a pool; returns id, inputs and state."""
    return engine.create(POOL, **{"clusterId": cluster, "name": "workers", "size": "s-1", "nodeCount": 1, **more})


def bodies(ocean: conftest.Scene, method: str) -> dict[str, Json]:
    """Returns the bodies of the requests with a method, by path."""
    return {request.path: request.body for request in ocean.cloud.requests if request.method == method}


def is_kept(error: grpc.RpcError) -> bool:
    """Returns whether an error tells the engine to keep the resource."""
    return any(key == "grpc-status-details-bin" for key, _ in error.trailing_metadata() or ())
