"""A plain Pulumi program for DigitalOcean on the real engine, the stand-in provider and the simulated cloud.

It uses nothing of the product, so that what it shows is the stand-in: its requests are those of the official plugin.
"""

from __future__ import annotations

import dataclasses
import importlib
import pathlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pulumi
import pytest
from pulumi import automation

from planton.base import interruption
from planton.engine import process, toolchain
from support import sandbox as support

_SECONDS = 300.0
_CLUSTERS = "/v2/kubernetes/clusters"
_NAMES = ("vpc", "cluster", "workers", "burst", "firewall")


@dataclasses.dataclass
class Program:
    """A program that a test changes between runs; its resources are imported where ``ids`` names them."""

    nodes: int = 1
    ids: dict[str, str] = dataclasses.field(default_factory=dict)

    def __call__(self) -> None:
        """Declares a network, a cluster with two more pools, and a firewall for its nodes."""
        cloud = _sdk()
        option = {name: pulumi.ResourceOptions(import_=self.ids.get(name)) for name in _NAMES}
        vpc = cloud.Vpc("vpc", name="net", region="fra1", ip_range="10.77.0.0/20", opts=option["vpc"])
        pool: dict[str, Any] = {"name": "main", "size": "s-2vcpu-4gb", "node_count": self.nodes, "labels": {"tier": "web"}}
        cluster = cloud.KubernetesCluster(
            "cluster",
            name="demo",
            region="fra1",
            version=cloud.get_kubernetes_versions().latest_version,
            vpc_uuid=vpc.id,
            tags=["prod"],
            node_pool=pool,
            opts=option["cluster"],
        )
        shared: dict[str, Any] = {"cluster_id": cluster.id, "size": "s-2vcpu-4gb"}
        taint = {"key": "k", "value": "v", "effect": "NoSchedule"}
        workers = cloud.KubernetesNodePool(
            "workers", name="workers", node_count=2, taints=[taint], **shared, opts=option["workers"]
        )
        scaled: dict[str, Any] = {"auto_scale": True, "min_nodes": 1, "max_nodes": 3}
        burst = cloud.KubernetesNodePool("burst", name="burst", **scaled, **shared, opts=option["burst"])
        firewall = cloud.Firewall(
            "firewall",
            name="wall",
            tags=[cluster.id.apply(lambda identity: f"k8s:{identity}")],
            inbound_rules=[{"protocol": "tcp", "port_range": "443", "source_addresses": ["0.0.0.0/0"]}],
            opts=option["firewall"],
        )
        for name, made in zip(_NAMES, (vpc, cluster, workers, burst, firewall), strict=True):
            pulumi.export(name, made.id)
        pulumi.export("kubeconfig", cluster.kube_configs[0].raw_config)


@dataclasses.dataclass
class World:
    """A sandbox, and stacks of one program against it."""

    sandbox: support.Sandbox
    folder: pathlib.Path
    program: Program = dataclasses.field(default_factory=Program)

    def stack(self, name: str) -> automation.Stack:
        """Opens a stack of the program."""
        tools = toolchain.find()
        assert tools is not None, "the Pulumi command line is missing: run planton setup"
        state, work = self.folder / "state", self.folder / name
        for folder in (state, work):
            folder.mkdir(exist_ok=True)
        options = automation.LocalWorkspaceOptions(
            work_dir=str(work),
            pulumi_command=process.PulumiCommand(tools, timeout=_SECONDS, interruption=interruption.Interruption()),
            env_vars={
                **self.sandbox.env,
                "PULUMI_HOME": str(self.folder / "pulumi-home"),
                "PULUMI_BACKEND_URL": f"file://{state}",
                "PULUMI_CONFIG_PASSPHRASE": "of the test",
                "PULUMI_SKIP_UPDATE_CHECK": "true",
                "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            },
        )
        return automation.create_or_select_stack(name, "demo", self.program, opts=options)

    def run(self, operation: Callable[[], Any]) -> tuple[Any, list[str]]:
        """Runs an operation; returns its result and the requests that it sent."""
        mark = self.sandbox.control.mark()
        result = operation()
        return result, [f"{seen['method']} {seen['path']}" for seen in self.sandbox.control.requests(mark, "digitalocean")]


def _sdk() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return importlib.import_module("pulumi_digitalocean")


@pytest.fixture
def world(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A sandbox with the stand-in providers, in an environment that points at it."""
    with support.running(tmp_path / "sandbox", providers=True) as served:
        for name, value in served.env.items():
            monkeypatch.setenv(name, value)
        yield World(served, tmp_path)


def _changes(result: Any) -> dict[str, int]:
    return {action: count for action, count in result.summary.resource_changes.items() if count}


def test_a_program_lives_on_the_engine_as_with_the_official_plugin(world: World) -> None:
    """Creation, no change, refresh, scaling, import and destruction send what the official plugin sends."""
    stack = world.stack("first")
    made, sent = world.run(stack.up)
    ids = {name: made.outputs[name].value for name in _NAMES}
    at = f"{_CLUSTERS}/{ids['cluster']}"
    pools = {name: f"{at}/node_pools/{ids[name]}" for name in ("workers", "burst")}
    assert sent[:7] == [
        *("GET /v2/kubernetes/options", "POST /v2/vpcs", f"GET /v2/vpcs/{ids['vpc']}"),
        *(f"POST {_CLUSTERS}", f"GET {at}", f"GET {at}", f"GET {at}/credentials"),
    ]
    wall = ["POST /v2/firewalls", f"GET /v2/firewalls/{ids['firewall']}"]
    assert sorted(sent[7:]) == sorted(
        [*[f"POST {at}/node_pools"] * 2, *(f"GET {path}" for path in pools.values() for _ in "12"), *wall]
    )
    assert made.outputs["kubeconfig"].secret

    for operation in (stack.up, stack.refresh, stack.up):
        assert _changes(world.run(operation)[0]) == {"same": 6}

    world.program.nodes = 2
    scaled, sent = world.run(stack.up)
    assert _changes(scaled) == {"same": 5, "update": 1}
    assert [line.partition(" ")[0] for line in sent[1:]] == ["PUT", "GET", "GET"]
    assert sent[-1] == f"GET {at}"

    world.program.ids = ids
    second = world.stack("second")
    assert _changes(world.run(second.up)[0]) == {"create": 1, "import": 5}
    world.program.ids = {}
    assert _changes(world.run(second.up)[0]) == {"same": 6}
    assert _changes(world.run(second.refresh)[0]) == {"same": 6}

    destroyed, sent = world.run(stack.destroy)
    assert _changes(destroyed) == {"delete": 6}
    assert [line for line in sent if line == f"DELETE {at}"] == [f"DELETE {at}"]
    assert sent[-1] == f"DELETE /v2/vpcs/{ids['vpc']}"
    assert _changes(world.run(second.refresh)[0]) == {"delete": 5, "same": 1}
