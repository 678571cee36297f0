"""Invalid requests to the simulated Google Cloud: all are refused, and none makes it fail later."""

from __future__ import annotations

import copy
import random
from typing import Any

from planton_sandbox import clock, wire
from planton_sandbox.clouds.gcp import cloud

PLACE = "projects/sandbox-project/locations/us-central1"

CLUSTER = {
    "name": "c9",
    "initialNodeCount": 1,
    "locations": ["us-central1-a"],
    "network": "default",
    "ipAllocationPolicy": {"clusterSecondaryRangeName": "pods"},
    "releaseChannel": {"channel": "STABLE"},
    "masterAuthorizedNetworksConfig": {"enabled": True, "cidrBlocks": [{"cidrBlock": "127.0.0.0/8"}]},
    "privateClusterConfig": {"enablePrivateNodes": True},
    "addonsConfig": {"httpLoadBalancing": {"disabled": True}},
    "resourceLabels": {"a": "b"},
    "loggingService": "none",
}
POOL = {
    "name": "p9",
    "initialNodeCount": 1,
    "config": {
        "machineType": "n1-standard-4",
        "diskSizeGb": 50,
        "labels": {"a": "b"},
        "taints": [{"key": "a", "value": "b", "effect": "NO_SCHEDULE"}],
        "accelerators": [{"acceleratorType": "nvidia-tesla-t4", "acceleratorCount": "1"}],
    },
    "locations": ["us-central1-a"],
    "autoscaling": {"enabled": True, "totalMaxNodeCount": 3},
    "upgradeSettings": {"strategy": "SURGE", "maxSurge": 1},
    "management": {"autoUpgrade": True, "autoRepair": True},
}
UPDATE = {"machineType": "e2-standard-4", "labels": {"labels": {"c": "d"}}, "locations": ["us-central1-b"], "diskSizeGb": "60"}
DESIRED = {"desiredReleaseChannel": {"channel": "RAPID"}, "desiredLocations": ["us-central1-b"], "desiredLoggingService": "x"}
VALUES: tuple[Any, ...] = (None, True, -1, 0, 10**30, 1.5, "", "x", [], [1], {}, {"x": {}}, [{}], "1.0.0.0/40", "\x00")


def _spoiled(chance: random.Random, body: Any) -> Any:
    """Returns a body with one value replaced."""
    body = copy.deepcopy(body)
    place = body
    while True:
        key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
        if isinstance(place[key], dict | list) and place[key] and chance.random() < 0.6:
            place = place[key]
            continue
        place[key] = chance.choice(VALUES)
        return body


class Cloud:
    """The simulated cloud without its sockets, at a clock that moves."""

    def __init__(self) -> None:
        """Creates a cloud with a cluster and a pool."""
        self.cloud = cloud.Gcp(pace=clock.Pace(), reserve_port=lambda: 1)
        self.now = 1_800_000_000.0
        self.call("POST", f"/v1/{PLACE}/clusters", {"cluster": {**CLUSTER, "name": "c1"}})
        self.call("POST", f"/v1/{PLACE}/clusters/c1/nodePools", {"nodePool": {**POOL, "name": "p1"}})

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> int:
        """Sends a request, moves the clock, and returns the status; malformed values are refused by the front."""
        request = wire.Request(method=method, path=path, query={}, body=body or {}, token="sandbox-token", now=self.now)
        try:
            status = self.cloud.handle(request).status
        except (TypeError, ValueError, LookupError, AttributeError):
            status = 400
        self.now += 1
        self.cloud.settle(self.now)
        self.cloud.kubernetes(client="127.0.0.1", now=self.now)
        return status


def test_random_bodies_do_not_break_the_cloud() -> None:
    """Each gets an answer of the cloud, and later reads succeed."""
    chance = random.Random(5)
    simulated = Cloud()
    cluster = f"{PLACE}/clusters/c1"
    requests = (
        ("POST", f"/v1/{PLACE}/clusters", "cluster", CLUSTER),
        ("POST", f"/v1/{cluster}/nodePools", "nodePool", POOL),
        ("PUT", f"/v1/{cluster}/nodePools/p1", "", UPDATE),
        ("PUT", f"/v1/{cluster}", "update", DESIRED),
        ("POST", f"/v1/{cluster}/nodePools/p1:setAutoscaling", "autoscaling", POOL["autoscaling"]),
    )
    statuses = set()
    for number in range(400):
        method, path, key, body = chance.choice(requests)
        spoiled = _spoiled(chance, body)
        statuses.add(simulated.call(method, path, {key: spoiled} if key else spoiled))
        for read in (f"/v1/{PLACE}/clusters", "/compute/v1/projects/sandbox-project/zones/us-central1-a/instances"):
            assert simulated.call("GET", read) == 200, (number, path, spoiled)
        simulated.call("DELETE", f"/v1/{PLACE}/clusters/c9")
        simulated.call("DELETE", f"/v1/{cluster}/nodePools/p9")
    assert {200, 400} <= statuses <= {200, 400, 403, 409, 429}
