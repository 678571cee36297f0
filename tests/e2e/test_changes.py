"""Changes of every field that can change, planned by the real engine against the sandbox: in place, or as a replacement.

What is wrong with a plugin shows up here as an error of a plan, which no mock would give.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf import json_format

from planton.config import contexts, credentials, settings
from planton.engine import outputs, plans, session, stacks, states, stored, toolchain
from planton.manifest import stack_input
from planton.schema import kinds, references
from support import key_service, mocks
from support import sandbox as support

SSH = {"protocol": "tcp", "portRange": "22", "cidrs": ["192.0.2.0/24"], "label": "ssh"}


@dataclasses.dataclass
class World:
    """A network, a cluster and a pool that are up."""

    settings: settings.Settings
    tools: toolchain.Toolchain
    applied: dict[references.Key, Any] = dataclasses.field(default_factory=dict)

    def _session(self, manifest: Any) -> session.Session:
        resolved = references.resolve(manifest, self.applied.get)
        region = references.region(manifest, self.applied.get)
        config = credentials.choose(resolved, override=None, region=region, environ=self.settings.environ)
        stack = stored.StoredStack(stacks.name_of(manifest), self.settings, self.tools)
        return session.Session(stack, stack_input.build(resolved, config))

    def plan(self, manifest: Any) -> dict[str, str]:
        """Returns what an apply would do: resource → action."""
        return _actions(self._session(manifest).preview().plan)

    def updates(self, manifest: Any) -> dict[str, set[str]]:
        """Returns what an apply would update, all of which are updates: resource → properties, without places in lists."""
        changes = self._session(manifest).preview().plan.changes
        assert {change.action.value for change in changes} <= {"update"}
        return {change.name: {each.path.partition("[")[0] for each in change.differences} for change in changes}

    def apply(self, manifest: Any) -> dict[str, str]:
        """Applies a manifest and remembers its outputs for those that refer to it."""
        opened = self._session(manifest)
        outcome = opened.up()
        applied = type(manifest)()
        applied.CopyFrom(manifest)
        applied.status.outputs.CopyFrom(outputs.parse(kinds.get(manifest.kind), states.outputs(opened.stack.export())))
        self.applied[references.key(manifest)] = applied
        return _actions(outcome.plan)


def _actions(plan: plans.Plan) -> dict[str, str]:
    return {change.name: change.action.value for change in plan.changes}


def _vpc(**spec: Any) -> Any:
    base = {"civoCredentialId": "default", "networkName": "net-a", "region": "lon1", "ipRangeCidr": "10.20.0.0/24"}
    return mocks.target("CivoVpc", base | spec, name="net")


def _firewall(**spec: Any) -> Any:
    base = {"name": "fw-a", "networkId": {"valueFrom": {"name": "net"}}, "inboundRules": [SSH]}
    return mocks.target("CivoFirewall", base | spec, name="fw")


def _cluster(**spec: Any) -> Any:
    base = {
        "clusterName": "prod",
        "region": "lon1",
        "kubernetesVersion": "1.30.5-k3s1",
        "clusterType": "k3s",
        "network": {"valueFrom": {"name": "net"}},
        "apiServerAllowedCidrs": ["192.0.2.0/24"],
        "defaultNodePool": {"size": "g4s.kube.small", "nodeCount": 1},
        "additionalNodePools": [
            {"name": "web", "size": "g4s.kube.small", "nodeCount": 1},
            {"name": "db", "size": "g4s.kube.small", "nodeCount": 1},
        ],
    }
    return mocks.target("CivoKubernetesCluster", base | spec, name="cluster")


def _pool(**spec: Any) -> Any:
    base = {
        "nodePoolName": "workers",
        "cluster": {"valueFrom": {"name": "cluster"}},
        "size": "g4s.kube.small",
        "nodeCount": 2,
        "labels": {"role": "web"},
    }
    return mocks.target("CivoKubernetesNodePool", base | spec, name="pool")


def _do_vpc(**spec: Any) -> Any:
    return mocks.target("DigitalOceanVpc", {"region": "fra1", "ipRangeCidr": "10.10.0.0/20"} | spec, name="net")


def _do_cluster(**spec: Any) -> Any:
    base = {
        "clusterName": "prod",
        "region": "fra1",
        "kubernetesVersion": "1.33.0-do.0",
        "vpc": {"valueFrom": {"name": "net"}},
        "controlPlaneFirewallAllowedIps": ["192.0.2.7"],
        "maintenanceWindow": "sunday=02:00",
        "tags": ["team:a"],
        "defaultNodePool": {"size": "s-2vcpu-4gb", "nodeCount": 1},
        "additionalNodePools": [
            {"name": "web", "size": "s-2vcpu-4gb", "nodeCount": 1, "tags": ["web"]},
            {"name": "db", "size": "s-2vcpu-4gb", "nodeCount": 1},
        ],
    }
    return mocks.target("DigitalOceanKubernetesCluster", base | spec, name="cluster")


def _do_pool(**spec: Any) -> Any:
    base = {
        "nodePoolName": "workers",
        "cluster": {"valueFrom": {"name": "cluster"}},
        "size": "s-2vcpu-4gb",
        "nodeCount": 2,
        "labels": {"role": "web"},
        "taints": [{"key": "a", "value": "b", "effect": "NoSchedule"}],
        "tags": ["web"],
    }
    return mocks.target("DigitalOceanKubernetesNodePool", base | spec, name="pool")


APPLIED = [_vpc(), _firewall(), _cluster(), _pool(), _do_vpc(), _do_cluster(), _do_pool()]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """All that the plans of this file differ from; nothing in it changes."""
    folder = pathlib.Path(tmp_path_factory.mktemp("changes"))
    tools = toolchain.find()
    assert tools is not None, "the Pulumi command line is missing: run planton setup"
    with support.running(folder / "sandbox", providers=True) as served:
        environ = {**os.environ, **served.env, **key_service.variables(), "PLANTON_DATA_DIR": str(folder / "data")}
        for name in ("PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
            environ.pop(name, None)
        context = contexts.Context(secrets_provider=key_service.KEY)
        made = World(settings.Settings(environ=environ, context=context), tools)
        for manifest in APPLIED:
            made.apply(manifest)
        yield made


@pytest.mark.parametrize("manifest", APPLIED, ids=lambda manifest: manifest.kind)
def test_what_is_applied_needs_no_change(manifest: Any, world: World) -> None:
    """Neither at once nor in another spelling of the same."""
    assert world.plan(manifest) == {}


DO_WEB, DO_DB = ({"name": name, "size": "s-2vcpu-4gb", "nodeCount": 1, "tags": [name]} for name in ("web", "db"))
DO_DB.pop("tags")
DO_DEFAULT = {"size": "s-2vcpu-4gb", "nodeCount": 1}
SCALED = {"autoScale": True, "minNodes": 0, "maxNodes": 4}
TAINT = {"key": "c", "effect": "NoExecute"}
POOL_DB, POOL_WEB = ({"name": name, "size": "g4s.kube.small", "nodeCount": 1} for name in ("db", "web"))
RECREATED = dict.fromkeys(("cluster", "node_pool-web", "node_pool-db"), "replace")


#: A manifest, and what each resource is updated with: all fields at once, as each is in the plan by name.
UPDATES = [
    (_vpc(networkName="net-b"), {"network": {"label"}}),
    (
        _firewall(name="fw-b", inboundRules=[SSH | {"cidrs": []}], outboundRules=[{"protocol": "udp", "portRange": "53"}]),
        {"firewall": {"name", "ingressRules", "egressRules"}},
    ),
    (
        _cluster(
            clusterName="other",
            kubernetesVersion="1.31.2-k3s1",
            tags=["team"],
            apiServerAllowedCidrs=["198.51.100.0/24"],
            defaultNodePool={"size": "g4s.kube.small", "nodeCount": 3},
            additionalNodePools=[POOL_DB, POOL_WEB | {"nodeCount": 3}],
        ),
        {
            "cluster": {"name", "kubernetesVersion", "tags", "pools.nodeCount"},
            "firewall": {"name", "ingressRules"},
            "node_pool_size-web": {"node_count"},
        },
    ),
    (
        _pool(nodeCount=4, labels={"role": "db"}, taints=[{"key": "a", "value": "b", "effect": "NoSchedule"}]),
        {"node_pool": {"labels.role", "taints"}, "node_pool_size": {"node_count"}},
    ),
    (_pool(autoScale=True, minNodes=1, maxNodes=5), {"node_pool_size": {"node_count"}}),
    (_do_vpc(description="ours"), {"network": {"description"}}),
    (
        _do_cluster(
            clusterName="other",
            kubernetesVersion="1.33.1-do.0",
            highlyAvailable=True,
            autoUpgrade=True,
            disableSurgeUpgrade=True,
            registryIntegration=True,
            maintenanceWindow="any=23:00",
            controlPlaneFirewallAllowedIps=["192.0.2.0/24"],
            tags=["team:b"],
            defaultNodePool=DO_DEFAULT | SCALED | {"labels": {"a": "b"}, "taints": [TAINT], "tags": ["x"]},
            additionalNodePools=[DO_DB, DO_WEB | SCALED],
        ),
        {
            "cluster": {
                *("name", "version", "ha", "autoUpgrade", "surgeUpgrade", "registryIntegration", "tags"),
                *("maintenancePolicy.day", "maintenancePolicy.startTime", "controlPlaneFirewall.allowedAddresses"),
                *(f"nodePool.{field}" for field in ("autoScale", "maxNodes", "labels.a", "taints", "tags")),
            },
            "node_pool-web": {"autoScale", "maxNodes"},
        },
    ),
    (
        _do_cluster(
            controlPlaneFirewallAllowedIps=[],
            defaultNodePool=DO_DEFAULT | {"nodeCount": 3},
            additionalNodePools=[DO_DB, DO_WEB | {"nodeCount": 3}],
        ),
        {
            "cluster": {"controlPlaneFirewall.enabled", "controlPlaneFirewall.allowedAddresses", "nodePool.nodeCount"},
            "node_pool-web": {"nodeCount"},
        },
    ),
    (
        _do_pool(nodePoolName="other", nodeCount=4, labels={"role": "db"}, taints=[TAINT]),
        {"node_pool": {"name", "nodeCount", "labels.role", "taints"}},
    ),
    (_do_pool(**SCALED), {"node_pool": {"autoScale", "maxNodes"}}),
    (_do_pool(labels={}, taints=[]), {"node_pool": {"labels.role", "taints"}}),
]


@pytest.mark.parametrize(("manifest", "expected"), UPDATES, ids=lambda value: getattr(value, "kind", ""))
def test_what_the_cloud_can_change_is_an_update(manifest: Any, expected: dict[str, set[str]], world: World) -> None:
    """Each changed field is among the differences of an update, and of no replacement."""
    assert world.updates(manifest) == expected


@pytest.mark.parametrize(
    "manifest",
    [
        _cluster(kubernetesVersion="1.30.5+k3s1", cni="flannel", additionalNodePools=[POOL_DB, POOL_WEB]),
        _do_cluster(tags=["TEAM:A", "team:a"], additionalNodePools=[DO_DB, DO_WEB]),
        _do_pool(tags=["WEB"]),
        _do_pool(tags=[]),
    ],
    ids=lambda value: value.kind,
)
def test_another_spelling_is_no_change(manifest: Any, world: World) -> None:
    """Defaults, order, case and the two spellings of a version."""
    assert world.plan(manifest) == {}


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (_vpc(ipRangeCidr="10.30.0.0/24"), {"network": "replace"}),
        (_vpc(region="fra1"), {"network": "replace"}),
        (_firewall(inboundRules=[]), {"firewall": "update"}),
        (_cluster(firewall={"valueFrom": {"name": "fw"}}, apiServerAllowedCidrs=[]), {"cluster": "update", "firewall": "delete"}),
        (_cluster(defaultNodePool={"size": "g4s.kube.medium", "nodeCount": 1}), RECREATED),
        (_cluster(cni="cilium"), RECREATED),
        (_cluster(applications=["metrics-server"]), RECREATED),
        (_cluster(additionalNodePools=[POOL_DB]), {"node_pool-web": "delete"}),
        (_cluster(additionalNodePools=[POOL_DB, POOL_WEB | {"size": "g4s.kube.medium"}]), {"node_pool-web": "replace"}),
        (_pool(size="g4s.kube.medium"), {"node_pool": "replace"}),
        (_pool(nodePoolName="other"), {"node_pool": "replace"}),
        (_pool(publicIp=True), {"node_pool": "replace"}),
        (_do_vpc(ipRangeCidr="10.30.0.0/20"), {"network": "replace"}),
        (_do_vpc(region="nyc3"), {"network": "replace"}),
        (_do_cluster(region="nyc3"), RECREATED),
        (_do_cluster(vpc={"value": mocks.NETWORK_ID}), RECREATED),
        (_do_cluster(defaultNodePool=DO_DEFAULT | {"size": "s-4vcpu-8gb"}), RECREATED),
        (_do_cluster(additionalNodePools=[DO_WEB]), {"node_pool-db": "delete"}),
        (_do_cluster(additionalNodePools=[DO_DB, DO_WEB | {"size": "s-4vcpu-8gb"}]), {"node_pool-web": "replace"}),
        (_do_pool(size="s-4vcpu-8gb"), {"node_pool": "replace"}),
        (_do_pool(cluster={"value": mocks.CLUSTER_ID}), {"node_pool": "replace"}),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_a_change_is_planned_as_the_manual_says(manifest: Any, expected: dict[str, str], world: World) -> None:
    """What the cloud can change is an update; the rest is said to be a replacement and never left to fail."""
    actions = world.plan(manifest)
    # The number of a replaced pool is settled again, which is no news.
    shown = {name: action for name, action in actions.items() if not name.startswith("node_pool_size") or name in expected}
    assert shown == expected, json_format.MessageToJson(manifest.spec, indent=None)
