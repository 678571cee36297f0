"""The stand-in for the gcp plugin, against the simulated GKE: requests, differences, drift, failures, imports."""

from __future__ import annotations

import base64
import collections.abc
import dataclasses
import json
import pathlib
import typing

import pytest
from pulumi.runtime.proto import provider_pb2

from planton_sandbox.providers import values
from planton_sandbox.providers.gcp import plugin
from support.sandbox import Sandbox, sandbox  # noqa: F401  # a fixture

from . import conftest

Json = typing.Any
URN = "urn:pulumi:dev::demo::gcp:container/{0}::x"
CLUSTER, POOL = URN.format("cluster:Cluster"), URN.format("nodePool:NodePool")
PLACE = "projects/sandbox-project/locations/us-central1"
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]
ZONES = ["us-central1-a", "us-central1-b"]
_KINDS = provider_pb2.PropertyDiff


@dataclasses.dataclass
class Scene:
    """A connection to the stand-in, and the simulated cloud."""

    engine: conftest.Engine
    sandbox: Sandbox
    waits: list[float]
    mark: int = 0

    def cluster(self, **more: Json) -> tuple[str, Json, Json]:
        """Creates a cluster without its default pool; returns id, inputs and state."""
        settings = {"name": "c1", "initialNodeCount": 1, "removeDefaultNodePool": True, "deletionProtection": False}
        ranges = {"clusterSecondaryRangeName": "pods", "servicesSecondaryRangeName": "services"}
        return self.engine.create(CLUSTER, **{**settings, "ipAllocationPolicy": ranges, "nodeLocations": ZONES, **more})

    def pool(self, **more: Json) -> tuple[str, Json, Json]:
        """Creates a pool; returns id, inputs and state."""
        config = {"machineType": "e2-medium", "oauthScopes": SCOPES, **more.pop("nodeConfig", {})}
        return self.engine.create(POOL, **{"cluster": "c1", "name": "workers", "nodeCount": 1, "nodeConfig": config, **more})

    def lines(self) -> list[str]:
        """Returns the requests since the last call, as method and path below the cluster's location."""
        entries = self.sandbox.control.requests(self.mark, "gcp")
        self.mark = self.sandbox.control.mark()
        paths = (
            f"{entry['method']} {entry['path'].partition('/locations/us-central1/')[2] or entry['path']}" for entry in entries
        )
        return [line for line in paths if "/operations/" not in line and " operations/" not in line]

    def bodies(self, method: str) -> list[Json]:
        """Returns the bodies of the requests since the last call with a method."""
        entries = self.sandbox.control.requests(self.mark, "gcp")
        self.mark = self.sandbox.control.mark()
        return [entry["body"] for entry in entries if entry["method"] == method]

    def diff(self, urn: str, identity: str, state: Json, **news: Json) -> typing.Any:
        """Checks and compares inputs with a state."""
        checked = self.engine.call("Check", urn=urn, news=news, olds=news, randomSeed=b"seed")
        assert not checked.failures, checked.failures
        return self.engine.call("Diff", urn=urn, id=identity, olds=state, news=values.decode(checked.inputs))

    def update(self, urn: str, identity: str, state: Json, news: Json) -> Json:
        """Updates a resource and returns its state."""
        answer = self.engine.call("Update", urn=urn, id=identity, olds=state, news=news)
        return values.decode(answer.properties)

    def read(self, urn: str, identity: str, state: Json = None, inputs: Json = None) -> typing.Any:
        """Refreshes or imports a resource."""
        return self.engine.call("Read", urn=urn, id=identity, properties=state or {}, inputs=inputs or {})


@pytest.fixture
def scene(sandbox: Sandbox) -> collections.abc.Iterator[Scene]:  # noqa: F811  # the fixture
    """A configured connection."""
    waits: list[float] = []
    handle = plugin.serve(sandbox.info.clouds["gcp"], wait=waits.append)
    engine = conftest.Engine(handle.port)
    engine.call(
        "Configure",
        args={"project": "sandbox-project", "region": "us-central1", "accessToken": "sandbox-token"},
        acceptSecrets=True,
    )
    yield Scene(engine, sandbox, waits)
    engine.close()
    handle.stop()


def test_check_fills_in_the_plugins_defaults(scene: Scene) -> None:
    """Defaults that are false, and that of the deletion policy, are part of plans only."""
    news = {"deletionProtection": False, "initialNodeCount": 1, "location": "us-central1", "removeDefaultNodePool": True}
    checked = scene.engine.call("Check", urn=CLUSTER, news=news, randomSeed=b"seed")
    inputs = values.decode(checked.inputs)
    assert set(inputs["__defaults"]) == {"enableShieldedNodes", "name", "network"}
    assert (inputs["network"], inputs["enableShieldedNodes"], inputs["name"][:2]) == ("default", True, "x-")
    config = {"machineType": "e2-medium", "oauthScopes": SCOPES, "preemptible": True}
    checked = scene.engine.call("Check", urn=POOL, news={"cluster": "c", "nodeConfig": config, "nodeCount": 1}, randomSeed=b"s")
    inputs = values.decode(checked.inputs)
    assert inputs["__defaults"] == ["name"]
    assert (inputs["nodeConfig"]["__defaults"], inputs["nodeConfig"].get("spot")) == ([], None)


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"nodeConfig": {"taints": [{"key": "a", "effect": "NO_SCHEDULE"}]}}, "value"),
        ({"nodeConfig": {"diskSizeGb": 9}}, "at least (10)"),
        ({"autoscaling": {"locationPolicy": "X"}}, "to be one of"),
        ({"colour": "red"}, "Invalid or unknown key"),
    ],
)
def test_check_reports_invalid_inputs(scene: Scene, more: dict[str, Json], text: str) -> None:
    """The value of a taint is required, but may be empty."""
    checked = scene.engine.call("Check", urn=POOL, news={"cluster": "c", **more}, randomSeed=b"seed")
    assert text in checked.failures[0].reason


def test_a_cluster_is_created_without_its_default_pool(scene: Scene) -> None:
    """The requests are the plugin's, in v1beta1, and its state has what programs read."""
    identity, _, state = scene.cluster(location="us-central1", resourceLabels={"a": "b"})
    assert identity == f"{PLACE}/clusters/c1"
    assert scene.lines() == [
        "GET clusters/c1",
        "POST clusters",
        "DELETE clusters/c1/nodePools/default-pool",
        "GET clusters/c1",
        "GET clusters/c1",
    ]
    assert state["endpoint"].startswith("127.0.0.1:")
    assert base64.b64decode(state["masterAuth"]["clusterCaCertificate"]).startswith(b"-----BEGIN")
    assert state["network"] == "projects/sandbox-project/global/networks/default"
    assert (state["resourceLabels"], state["releaseChannel"], state["nodeLocations"]) == (
        {"a": "b"},
        {"channel": "REGULAR"},
        ZONES,
    )
    assert {entry["path"].split("/")[1] for entry in scene.sandbox.control.requests(0, "gcp")} == {"v1beta1"}
    assert [item["pools"] for item in scene.sandbox.control.resources("gcp")["clusters"]] == [[]]


def test_an_unchanged_program_has_no_difference(scene: Scene) -> None:
    """A network is the same by name and by path, and labels of others do not count."""
    identity, inputs, state = scene.cluster(resourceLabels={"a": "b"}, networkPolicy={"enabled": True, "provider": "CALICO"})
    read = scene.read(CLUSTER, identity, state, inputs)
    assert scene.engine.call("Diff", urn=CLUSTER, id=identity, olds=values.decode(read.properties), news=inputs).diffs == []
    pool, inputs, state = scene.pool(nodeConfig={"labels": {"x": "y"}, "imageType": "cos_containerd"})
    read = scene.read(POOL, pool, state, inputs)
    assert scene.engine.call("Diff", urn=POOL, id=pool, olds=values.decode(read.properties), news=inputs).diffs == []


@pytest.mark.parametrize(
    ("change", "replaces"),
    [
        ({"nodeCount": 3}, []),
        ({"nodeConfig": {"machineType": "e2-standard-4"}}, []),
        ({"nodeConfig": {"diskSizeGb": 50, "diskType": "pd-ssd"}}, []),
        ({"nodeConfig": {"labels": {"a": "b"}}}, []),
        ({"nodeConfig": {"taints": [{"key": "a", "value": "", "effect": "NO_SCHEDULE"}]}}, []),
        ({"nodeConfig": {"imageType": "UBUNTU_CONTAINERD"}}, []),
        ({"nodeLocations": ["us-central1-c"]}, []),
        ({"autoscaling": {"totalMinNodeCount": 1, "totalMaxNodeCount": 4}}, []),
        ({"management": {"autoUpgrade": False}}, []),
        ({"upgradeSettings": {"maxSurge": 2}}, []),
        ({"version": "1.34"}, []),
        ({"nodeDrainConfigs": [{"pdbTimeoutDuration": "60s"}]}, []),
        ({"nodeConfig": {"spot": True}}, ["nodeConfig"]),
        ({"nodeConfig": {"preemptible": True}}, ["nodeConfig"]),
        ({"nodeConfig": {"guestAccelerators": [{"type": "nvidia-tesla-t4", "count": 1}]}}, ["nodeConfig"]),
        ({"nodeConfig": {"serviceAccount": "a@b"}}, ["nodeConfig"]),
        ({"nodeConfig": {"oauthScopes": ["https://www.googleapis.com/auth/compute"]}}, ["nodeConfig"]),
        ({"initialNodeCount": 5}, ["initialNodeCount"]),
        ({"name": "other"}, ["name"]),
        ({"cluster": "other"}, ["cluster"]),
    ],
)
def test_only_some_changes_of_a_pool_replace_it(scene: Scene, change: dict[str, Json], replaces: list[str]) -> None:
    """On GKE, these are names, places, counts at first, and what machines are made of for good."""
    scene.cluster()
    identity, inputs, state = scene.pool()
    config = {**inputs["nodeConfig"], **change.get("nodeConfig", {})}
    answer = scene.diff(POOL, identity, state, **{**inputs, **change, "nodeConfig": config})
    assert answer.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert list(answer.replaces) == replaces


@pytest.mark.parametrize(
    ("change", "replaces"),
    [
        ({"releaseChannel": {"channel": "RAPID"}}, []),
        ({"networkPolicy": {"enabled": True}}, []),
        ({"resourceLabels": {"a": "b"}}, []),
        ({"minMasterVersion": "1.35"}, []),
        ({"privateClusterConfig": {"enablePrivateNodes": True}}, []),
        ({"workloadIdentityConfig": {"workloadPool": "sandbox-project.svc.id.goog"}}, []),
        ({"network": "other"}, ["network"]),
        ({"location": "us-east1"}, ["location"]),
        ({"initialNodeCount": 2}, ["initialNodeCount"]),
        ({"ipAllocationPolicy": {"clusterSecondaryRangeName": "x"}}, ["ipAllocationPolicy"]),
        ({"privateClusterConfig": {"masterIpv4CidrBlock": "172.16.0.0/28"}}, ["privateClusterConfig"]),
    ],
)
def test_only_some_changes_of_a_cluster_replace_it(scene: Scene, change: dict[str, Json], replaces: list[str]) -> None:
    """A cluster keeps its name, place and network."""
    identity, inputs, state = scene.cluster()
    answer = scene.diff(CLUSTER, identity, state, **{**inputs, **change})
    assert answer.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert list(answer.replaces) == replaces


def test_a_pool_is_created_with_the_plugins_requests(scene: Scene) -> None:
    """It looks for the pool first, and reads the instance groups of each zone afterwards."""
    scene.cluster()
    scene.lines()
    identity, _, state = scene.pool(nodeConfig={"labels": {"a": "b"}, "spot": True}, nodeCount=2)
    assert identity == f"{PLACE}/clusters/c1/nodePools/workers"
    groups = [f"GET /compute/beta/projects/sandbox-project/zones/{zone}/instanceGroupManagers" for zone in ZONES]
    at = "clusters/c1/nodePools"
    assert scene.lines() == [f"GET {at}/workers", f"POST {at}", f"GET {at}", *groups, f"GET {at}/workers"]
    assert (state["nodeCount"], state["initialNodeCount"], state["nodeLocations"]) == (2, 2, ZONES)
    config = state["nodeConfig"]
    assert (config["spot"], config["diskSizeGb"], config["imageType"]) == (True, 100, "COS_CONTAINERD")
    assert config["loggingVariant"] == "DEFAULT"
    assert len(state["instanceGroupUrls"]) == len(state["managedInstanceGroupUrls"]) == 2


def test_each_group_of_changes_is_a_request_in_the_plugins_order(scene: Scene) -> None:
    """Machine and disk travel together."""
    scene.cluster(releaseChannel={"channel": "UNSPECIFIED"}, minMasterVersion="1.35")
    identity, inputs, state = scene.pool()
    config = {**inputs["nodeConfig"], "machineType": "e2-standard-4", "diskSizeGb": 50, "labels": {"a": "b"}}
    news = {
        **inputs,
        "nodeConfig": config,
        "nodeCount": 2,
        "autoscaling": {"totalMinNodeCount": 2, "totalMaxNodeCount": 6},
        "management": {"autoRepair": True, "autoUpgrade": False},
        "upgradeSettings": {"maxSurge": 2, "strategy": "SURGE"},
    }
    scene.lines()
    state = scene.update(POOL, identity, state, news)
    at = "clusters/c1/nodePools/workers"
    changes = [line for line in scene.lines() if not line.startswith("GET")]
    assert changes == [
        *("PUT clusters/c1", f"PUT {at}", f"PUT {at}", f"POST {at}:setSize", f"POST {at}:setManagement", f"PUT {at}"),
    ]
    assert (state["nodeCount"], state["nodeConfig"]["machineType"], state["nodeConfig"]["labels"]) == (
        2,
        "e2-standard-4",
        {"a": "b"},
    )
    assert state["upgradeSettings"]["maxSurge"] == 2
    assert state["autoscaling"]["totalMaxNodeCount"] == 6


def test_each_setting_of_a_cluster_is_a_request(scene: Scene) -> None:
    """Labels of others stay."""
    identity, inputs, state = scene.cluster(resourceLabels={"a": "b"}, releaseChannel={"channel": "STABLE"})
    news = {
        **inputs,
        "releaseChannel": {"channel": "REGULAR"},
        "networkPolicy": {"enabled": True, "provider": "CALICO"},
        "resourceLabels": {"c": "d"},
        "masterAuthorizedNetworksConfig": {"cidrBlocks": [{"cidrBlock": "127.0.0.0/8"}]},
    }
    scene.lines()
    state = scene.update(CLUSTER, identity, state, news)
    assert [line for line in scene.lines() if not line.startswith("GET")] == [
        *("PUT clusters/c1", "PUT clusters/c1", "POST clusters/c1:setNetworkPolicy", "POST clusters/c1:setResourceLabels"),
    ]
    assert (state["resourceLabels"], state["releaseChannel"]) == ({"c": "d"}, {"channel": "REGULAR"})
    assert state["masterAuthorizedNetworksConfig"]["cidrBlocks"][0]["cidrBlock"] == "127.0.0.0/8"


def test_drift_shows_after_a_refresh(scene: Scene) -> None:
    """Counts are per zone; a pool that is gone leaves the state."""
    scene.cluster()
    identity, inputs, state = scene.pool()
    scene.sandbox.control.outside("scale", cloud="gcp", cluster="c1", pool="workers", count=3)
    scene.sandbox.control.outside("relabel", cloud="gcp", cluster="c1", pool="workers", labels={"x": "y", "y-z": "1"})
    read = scene.read(POOL, identity, state, inputs)
    properties = values.decode(read.properties)
    assert (properties["nodeCount"], properties["nodeConfig"]["labels"]) == (3, {"x": "y", "y-z": "1"})
    answer = scene.engine.call("Diff", urn=POOL, id=identity, olds=properties, news=inputs)
    assert set(answer.detailedDiff) == {"nodeCount", "nodeConfig.labels.x", 'nodeConfig.labels["y-z"]'}
    scene.sandbox.control.outside("delete-pool", cloud="gcp", cluster="c1", pool="workers")
    assert scene.read(POOL, identity, state, inputs).id == ""
    scene.sandbox.control.outside("delete-cluster", cloud="gcp", cluster="c1")
    assert scene.read(POOL, identity, state, inputs).id == ""


def test_a_refresh_adds_no_labels_and_tags_to_the_inputs(scene: Scene) -> None:
    """Of maps and lists, inputs only get new values of what the program sets. The state has the others too."""
    scene.cluster()
    identity, inputs, state = scene.pool(nodeConfig={"labels": {"a": "b", "c": "d"}, "tags": ["x"]})
    scene.sandbox.control.outside("relabel", cloud="gcp", cluster="c1", pool="workers", labels={"by": "hand", "c": "e"})
    read = scene.read(POOL, identity, state, {**inputs, "nodeConfig": {**inputs["nodeConfig"], "tags": []}})
    config = values.decode(read.inputs)["nodeConfig"]
    assert (config["labels"], config["tags"]) == ({"c": "e"}, [])
    config = values.decode(read.properties)["nodeConfig"]
    assert (config["labels"], config["tags"]) == ({"by": "hand", "c": "e"}, ["x"])


def test_an_autoscaled_pool_leaves_counts_alone(scene: Scene) -> None:
    """With `ignoreNodeCountChanges` no instance group is read."""
    scene.cluster()
    scene.lines()
    more = {"autoscaling": {"totalMinNodeCount": 2, "totalMaxNodeCount": 6}, "ignoreNodeCountChanges": True}
    identity, inputs, state = scene.pool(nodeCount=None, initialNodeCount=1, **more)
    assert state["nodeCount"] == 1
    assert not [line for line in scene.lines() if "instanceGroupManagers" in line]
    scene.sandbox.control.outside("load", cloud="gcp", cluster="c1", pool="workers", nodes=5)
    read = scene.read(POOL, identity, state, inputs)
    answer = scene.engine.call("Diff", urn=POOL, id=identity, olds=values.decode(read.properties), news=inputs)
    assert list(answer.diffs) == []


def test_a_program_scales_a_pool_whose_counts_are_not_read(scene: Scene) -> None:
    """Only changes of others are ignored, and managed groups are missing from the state."""
    scene.cluster()
    identity, inputs, state = scene.pool(ignoreNodeCountChanges=True)
    assert state["managedInstanceGroupUrls"] == []
    state = scene.update(POOL, identity, state, {**inputs, "nodeCount": 2})
    assert state["nodeCount"] == 2
    scene.sandbox.control.outside("scale", cloud="gcp", cluster="c1", pool="workers", count=3)
    assert values.decode(scene.read(POOL, identity, state, inputs).properties)["nodeCount"] == 2


def test_upgrade_settings_belong_to_one_strategy(scene: Scene) -> None:
    """The plugin refuses those of the other one."""
    scene.cluster()
    identity, inputs, state = scene.pool()
    blue = {"strategy": "BLUE_GREEN", "blueGreenSettings": {"nodePoolSoakDuration": "60s"}}
    changed = scene.update(POOL, identity, state, {**inputs, "upgradeSettings": blue})
    assert changed["upgradeSettings"]["blueGreenSettings"]["nodePoolSoakDuration"] == "60s"
    news = {**inputs, "upgradeSettings": {**blue, "maxSurge": 5}}
    error = scene.engine.error("Update", urn=POOL, id=identity, olds=changed, news=news)
    assert "Surge upgrade settings may not be changed" in error.details()


def test_the_image_is_a_change_of_the_cluster(scene: Scene) -> None:
    """The plugin sends it as the desired image of the pool."""
    scene.cluster()
    identity, inputs, state = scene.pool()
    scene.lines()
    config = {**inputs["nodeConfig"], "imageType": "UBUNTU_CONTAINERD"}
    state = scene.update(POOL, identity, state, {**inputs, "nodeConfig": config})
    assert "PUT clusters/c1" in scene.lines()
    assert state["nodeConfig"]["imageType"] == "UBUNTU_CONTAINERD"


def test_taints_of_the_cloud_are_no_difference(scene: Scene) -> None:
    """They are in the effective taints only."""
    scene.cluster()
    gpus = {"machineType": "n1-standard-4", "guestAccelerators": [{"type": "nvidia-tesla-t4", "count": 1}]}
    identity, inputs, state = scene.pool(nodeConfig=gpus)
    assert (state["nodeConfig"]["taints"], state["nodeConfig"]["effectiveTaints"][0]["key"]) == ([], "nvidia.com/gpu")
    read = scene.read(POOL, identity, state, inputs)
    assert not scene.engine.call("Diff", urn=POOL, id=identity, olds=values.decode(read.properties), news=inputs).diffs


def test_the_bodies_of_changes_are_the_plugins(scene: Scene) -> None:
    """They name the pool, and omit zeros and what does not change."""
    scene.cluster()
    identity, inputs, state = scene.pool(
        nodeConfig={"diskSizeGb": 100, "taints": [{"key": "a", "value": "", "effect": "NO_SCHEDULE"}]}, version="1.33"
    )
    config = {**inputs["nodeConfig"], "diskSizeGb": 50, "taints": None, "loggingVariant": "MAX_THROUGHPUT"}
    news = {
        **inputs,
        "nodeConfig": config,
        "nodeCount": 0,
        "upgradeSettings": {"maxSurge": 2, "maxUnavailable": 0, "strategy": "SURGE"},
        "nodeDrainConfigs": [{"pdbTimeoutDuration": "60s"}],
        "networkConfig": {"enablePrivateNodes": True},
        "version": "1.34",
    }
    scene.bodies("GET")
    mark = scene.mark
    scene.update(POOL, identity, state, news)
    assert scene.bodies("PUT") == [
        {"name": "workers", "loggingConfig": {"variantConfig": {"variant": "MAX_THROUGHPUT"}}},
        {"name": "workers", "machineType": "e2-medium", "diskSizeGb": "50", "bootDisk": {}},
        {"name": "workers", "taints": {}},
        {"nodePoolId": "workers", "nodeVersion": "1.34"},
        {"upgradeSettings": {"maxSurge": 2, "strategy": "SURGE"}},
        {"nodePoolId": "workers", "nodeNetworkConfig": {"podRange": "pods", "enablePrivateNodes": True}},
        {"nodeDrainConfig": {"pdbTimeoutDuration": "60s"}},
    ]
    scene.mark = mark
    assert scene.bodies("POST") == [{}]


def test_the_last_label_of_a_pool_stays(scene: Scene) -> None:
    """The plugin sends no empty map."""
    scene.cluster()
    identity, inputs, state = scene.pool(nodeConfig={"labels": {"a": "b"}})
    config = {key: value for key, value in inputs["nodeConfig"].items() if key != "labels"}
    state = scene.update(POOL, identity, state, {**inputs, "nodeConfig": config})
    assert state["nodeConfig"]["labels"] == {"a": "b"}


def test_the_endpoints_of_a_cluster_are_one_request(scene: Scene) -> None:
    """The authorized networks are part of it. Private nodes are a request of their own."""
    networks = {"cidrBlocks": [{"cidrBlock": "127.0.0.0/8"}]}
    identity, inputs, state = scene.cluster(masterAuthorizedNetworksConfig=networks)
    assert state["masterAuthorizedNetworksConfig"]["cidrBlocks"][0]["cidrBlock"] == "127.0.0.0/8"
    private = {"enablePrivateNodes": True, "enablePrivateEndpoint": True}
    news = {**inputs, "privateClusterConfig": private, "masterAuthorizedNetworksConfig": {"cidrBlocks": []}}
    scene.bodies("GET")
    state = scene.update(CLUSTER, identity, state, news)
    first, second = (body["update"] for body in scene.bodies("PUT"))
    addresses = first["desiredControlPlaneEndpointsConfig"]["ipEndpointsConfig"]
    assert addresses["enablePublicEndpoint"] is False
    assert addresses["authorizedNetworksConfig"]["enabled"] is True
    assert second == {"desiredDefaultEnablePrivateNodes": True}
    assert {name: state["privateClusterConfig"][name] for name in private} == private


def test_an_empty_pool_disables_workload_identity(scene: Scene) -> None:
    """The library omits the empty text, and the cloud returns the empty block. Without the block, the pool stays."""
    pool = {"workloadPool": "sandbox-project.svc.id.goog"}
    identity, inputs, state = scene.cluster(workloadIdentityConfig=pool)
    assert not scene.diff(CLUSTER, identity, state, **{**inputs, "workloadIdentityConfig": None}).detailedDiff
    news = {**inputs, "workloadIdentityConfig": {"workloadPool": ""}}
    assert scene.diff(CLUSTER, identity, state, **news).detailedDiff
    scene.bodies("GET")
    state = scene.update(CLUSTER, identity, state, news)
    assert scene.bodies("PUT") == [{"update": {"desiredWorkloadIdentityConfig": {}}}]
    assert state["workloadIdentityConfig"] == {"workloadPool": ""}
    assert not scene.diff(CLUSTER, identity, state, **news).detailedDiff


def test_a_provider_of_network_policies_has_no_default(scene: Scene) -> None:
    """Without enforcement, requests name none. An unset one and an unspecified one are the same."""
    identity, inputs, state = scene.cluster(networkPolicy={"enabled": True, "provider": "CALICO"})
    read = scene.read(CLUSTER, identity, state, inputs)
    assert values.decode(read.inputs)["networkPolicy"]["__defaults"] == []
    checked = scene.engine.call(
        "Check",
        urn=CLUSTER,
        news={**inputs, "networkPolicy": {"enabled": False}},
        olds=values.decode(read.inputs),
        randomSeed=b"s",
    )
    news = values.decode(checked.inputs)
    assert news["networkPolicy"] == {"enabled": False, "__defaults": []}
    scene.bodies("GET")
    state = scene.update(CLUSTER, identity, state, news)
    assert scene.bodies("POST") == [{"networkPolicy": {}}]
    assert state["networkPolicy"] == {"enabled": False, "provider": ""}
    unspecified = {**news, "networkPolicy": {"enabled": False, "provider": "PROVIDER_UNSPECIFIED"}}
    assert list(scene.diff(CLUSTER, identity, state, **unspecified).diffs) == []


def test_more_accelerators_are_one_difference(scene: Scene) -> None:
    """What the cloud adds to an item of a list stays."""
    scene.cluster()
    one = {"machineType": "n1-standard-4", "guestAccelerators": [{"type": "nvidia-tesla-t4", "count": 1}]}
    identity, inputs, state = scene.pool(nodeConfig=one)
    config = {**inputs["nodeConfig"], "guestAccelerators": [{"type": "nvidia-tesla-t4", "count": 2}]}
    answer = scene.diff(POOL, identity, state, **{**inputs, "nodeConfig": config})
    assert list(answer.detailedDiff) == ["nodeConfig.guestAccelerators[0].count"]


def test_labels_of_an_imported_cluster_are_not_sent_again(scene: Scene) -> None:
    """The state of an import has them among all labels only."""
    identity, inputs, _ = scene.cluster(resourceLabels={"a": "b"})
    state = values.decode(scene.read(CLUSTER, identity).properties)
    assert (state["resourceLabels"], state["effectiveLabels"]) == ({}, {"a": "b"})
    scene.bodies("GET")
    scene.update(CLUSTER, identity, state, inputs)
    assert scene.bodies("POST") == []


def test_zones_are_added_before_others_are_removed(scene: Scene) -> None:
    """GKE does not do both at once."""
    identity, inputs, state = scene.cluster()
    scene.bodies("GET")
    scene.update(CLUSTER, identity, state, {**inputs, "nodeLocations": ["us-central1-b", "us-central1-c"]})
    assert [body["update"]["desiredLocations"] for body in scene.bodies("PUT")] == [
        ["us-central1-a", "us-central1-b", "us-central1-c"],
        ["us-central1-b", "us-central1-c"],
    ]


def test_a_newer_control_plane_is_not_changed(scene: Scene) -> None:
    """The version in a program is a minimum."""
    identity, inputs, state = scene.cluster(minMasterVersion="1.34")
    scene.bodies("GET")
    scene.update(CLUSTER, identity, state, {**inputs, "minMasterVersion": "1.33.1"})
    assert scene.bodies("PUT") == []


def test_a_cluster_whose_creation_fails_stays_in_the_state(scene: Scene) -> None:
    """The engine gets its id with the error, so that a destroy deletes it."""
    scene.sandbox.control.outside("stockout", cloud="gcp", zone="us-central1-b")
    news = {"name": "c1", "initialNodeCount": 1, "nodeLocations": ZONES}
    checked = scene.engine.call("Check", urn=CLUSTER, news=news, randomSeed=b"s")
    error = scene.engine.error("Create", urn=CLUSTER, properties=values.decode(checked.inputs))
    assert "GCE_STOCKOUT" in error.details()
    assert any(key == "grpc-status-details-bin" for key, _ in error.trailing_metadata() or ())
    assert [item["name"] for item in scene.sandbox.control.resources("gcp")["clusters"]] == ["c1"]


def test_a_stockout_fails_the_creation_and_keeps_the_pool(scene: Scene) -> None:
    """The engine gets id and properties with the error."""
    scene.cluster()
    scene.sandbox.control.outside("stockout", cloud="gcp", zone="us-central1-b")
    checked = scene.engine.call("Check", urn=POOL, news={"cluster": "c1", "name": "workers", "nodeCount": 1}, randomSeed=b"s")
    error = scene.engine.error("Create", urn=POOL, properties=values.decode(checked.inputs))
    assert 'was created in the error state "RUNNING_WITH_ERROR"' in error.details()
    assert any(key == "grpc-status-details-bin" for key, _ in error.trailing_metadata() or ())


def test_errors_have_the_client_librarys_text(scene: Scene) -> None:
    """The reason of the API is at the end."""
    scene.cluster()
    checked = scene.engine.call(
        "Check", urn=POOL, news={"cluster": "c1", "name": "w", "nodeConfig": {"machineType": "x-1"}}, randomSeed=b"s"
    )
    error = scene.engine.error("Create", urn=POOL, properties=values.decode(checked.inputs))
    assert 'error creating NodePool: googleapi: Error 400: Machine type "x-1" is not available' in error.details()
    assert ", badRequest" in error.details()
    scene.pool()
    assert "resource - " in scene.engine.error("Create", urn=POOL, properties={"cluster": "c1", "name": "workers"}).details()


@pytest.mark.parametrize(
    ("urn", "path", "noun"),
    [
        (CLUSTER, "/clusters/c1$", 'Container Cluster "c1"'),
        (POOL, "/clusters/c1/nodePools$", 'NodePools from cluster "c1"'),
        (POOL, "/instanceGroupManagers$", 'InstanceGroupManagers for node pool "workers"'),
    ],
)
def test_errors_of_reads_name_the_resource(scene: Scene, urn: str, path: str, noun: str) -> None:
    """The text of the client library follows."""
    identity, inputs, state = scene.cluster()
    if urn == POOL:
        identity, inputs, state = scene.pool()
    scene.sandbox.control.fault(cloud="gcp", method="GET", path=path, action="status", status=400)
    failed = scene.engine.error("Read", urn=urn, id=identity, properties=state, inputs=inputs)
    assert f"Error when reading or editing {noun}: googleapi: Error 400: " in failed.details()


def test_a_busy_cluster_is_tried_again(scene: Scene) -> None:
    """The request is refused while another operation runs, and the plugin's pauses let it end."""
    scene.cluster()
    error = {"code": 400, "message": "Cluster is running incompatible operation operation-1.", "status": "FAILED_PRECONDITION"}
    error["errors"] = [{"reason": "failedPrecondition"}]
    scene.sandbox.control.fault(
        cloud="gcp", method="POST", path="/nodePools$", action="status", status=400, body={"error": error}, times=2
    )
    scene.waits.clear()
    assert scene.pool()[0]
    assert scene.waits[:2] == [0.5, 1.0]


def test_a_change_of_a_busy_cluster_fails(scene: Scene) -> None:
    """Only changes of pools are tried again."""
    identity, inputs, state = scene.cluster()
    error = {"code": 400, "message": "Cluster is running incompatible operation operation-1.", "status": "FAILED_PRECONDITION"}
    error["errors"] = [{"reason": "failedPrecondition"}]
    scene.sandbox.control.fault(
        cloud="gcp", method="POST", path=":setResourceLabels$", action="status", status=400, body={"error": error}
    )
    failed = scene.engine.error("Update", urn=CLUSTER, id=identity, olds=state, news={**inputs, "resourceLabels": {"a": "b"}})
    assert "incompatible operation" in failed.details()


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_errors_that_may_pass_are_tried_again(scene: Scene, status: int) -> None:
    """The plugin gives up after a minute and a half. Its pauses are the sum of the two before."""
    identity, inputs, state = scene.cluster()
    scene.waits.clear()
    scene.sandbox.control.fault(cloud="gcp", method="GET", path="/clusters/c1$", action="status", status=status, times=3)
    assert scene.read(CLUSTER, identity, state, inputs).id == identity
    assert scene.waits == [0.5, 1.0, 1.5]
    scene.waits.clear()
    scene.sandbox.control.fault(cloud="gcp", method="GET", path="/clusters/c1$", action="status", status=status, times=0)
    failed = scene.engine.error("Read", urn=CLUSTER, id=identity, properties=state, inputs=inputs)
    assert str(status) in failed.details()
    assert scene.waits == [0.5, 1.0, 1.5, 2.5, 4.0, 6.5, 10.5, 17.0, 27.5]


def test_a_protected_cluster_is_not_deleted(scene: Scene) -> None:
    """Protection is the default."""
    identity, _, state = scene.cluster(deletionProtection=None)
    assert (
        "deletion_protection is set to true" in scene.engine.error("Delete", urn=CLUSTER, id=identity, properties=state).details()
    )
    scene.engine.call("Delete", urn=CLUSTER, id=identity, properties={**state, "deletionProtection": False})
    scene.engine.call("Delete", urn=CLUSTER, id=identity, properties={**state, "deletionProtection": False})
    assert scene.sandbox.control.resources("gcp")["clusters"] == []


@pytest.mark.parametrize(
    "prefix", ["projects/sandbox-project/locations/us-central1/clusters/", "sandbox-project/us-central1/", "us-central1/"]
)
def test_imports_take_three_forms_of_ids(scene: Scene, prefix: str) -> None:
    """An import of something missing returns nothing."""
    cluster, _, _ = scene.cluster()
    pool, _, _ = scene.pool()
    assert scene.read(CLUSTER, f"{prefix}c1").id == cluster
    middle = "/nodePools/" if prefix.startswith("projects/") else "/"
    read = scene.read(POOL, f"{prefix}c1{middle}workers")
    assert read.id == pool
    inputs = values.decode(read.inputs)
    assert (inputs["cluster"], inputs["name"], inputs["nodeCount"]) == ("c1", "workers", 1)
    assert scene.read(POOL, f"{prefix}c1{middle}none").id == ""
    assert "doesn't match any of the accepted formats" in scene.engine.error("Read", urn=CLUSTER, id="x").details()


def test_the_inputs_of_an_import_have_no_block_of_defaults(scene: Scene) -> None:
    """The deletion policy is one of them, because its default is not the schema's. Required settings are inputs, too."""
    cluster, _, _ = scene.cluster()
    pool, _, _ = scene.pool(management={"autoRepair": True, "autoUpgrade": True})
    inputs = values.decode(scene.read(POOL, pool).inputs)
    assert inputs["deletionPolicy"] == "DELETE"
    assert "management" not in inputs
    assert "shieldedInstanceConfig" not in inputs["nodeConfig"]
    switched = values.decode(scene.read(CLUSTER, cluster).inputs)["addonsConfig"]
    assert switched["networkPolicyConfig"] == {"__defaults": [], "disabled": True}


def test_a_key_file_is_exchanged_for_a_token(scene: Scene) -> None:
    """The key may be the content of the file, or its path."""
    path = scene.sandbox.info.files["gcp"]
    for text in (path, pathlib.Path(path).read_text(encoding="utf-8")):
        scene.engine.call("Configure", args={"project": "sandbox-project", "region": "us-central1", "credentials": text})
        result = scene.engine.error("Invoke", tok="gcp:container/getCluster:getCluster", args={"name": "none"})
        assert f"{PLACE}/clusters/none not found" in result.details()
    wrong = json.dumps({"type": "service_account"})
    assert "JSON credentials are not valid" in scene.engine.error("Configure", args={"credentials": wrong}).details()


def test_the_function_finds_a_cluster(scene: Scene) -> None:
    """Blocks are lists in its results, and its node pools have their zones and drain timeouts."""
    scene.cluster()
    scene.pool(nodeLocations=ZONES[:1], nodeDrainConfigs=[{"pdbTimeoutDuration": "60s"}])
    cluster = scene.engine.invoke("gcp:container/getCluster:getCluster", name="c1")
    assert cluster["nodeLocations"] == ZONES
    assert cluster["masterAuths"][0]["clusterCaCertificate"]
    [pool] = cluster["nodePools"]
    assert (pool["name"], pool["nodeLocations"]) == ("workers", ZONES[:1])
    assert [each["pdbTimeoutDuration"] for each in pool["nodeDrainConfigs"]] == ["60s"]
