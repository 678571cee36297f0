"""Requests to Google Cloud's APIs: responses, missing resources, and how states are compared with them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from planton import clouds, errors
from planton.clouds import answers as cached
from planton.clouds import entries
from planton.clouds.gcp import PROVIDER, existing, offers, quotas, views
from planton.clouds.gcp import client as gcp
from planton.recovery import observed
from support import answers, mocks

NOT_FOUND = '{"error": {"code": 404, "message": "Not found.", "status": "NOT_FOUND"}}'
TOKEN = "token-of-the-test"  # of no real account
TYPE, POOL_TYPE = "gcp:container/cluster:Cluster", "gcp:container/nodePool:NodePool"
PLACE = "projects/acme/locations/europe-west1"
CLUSTER_ID = f"{PLACE}/clusters/dev"
POOL_ID = f"{CLUSTER_ID}/nodePools/apps"
CLUSTERS = "/v1/projects/acme/locations/-/clusters"
AGGREGATED = "/compute/v1/projects/acme/aggregated"
GROUP = "https://www.googleapis.com/compute/v1/projects/acme/zones/europe-west1-{0}/instanceGroupManagers/gke-dev-apps-1-grp"
POOL = {
    "name": "apps",
    "status": "RUNNING",
    "version": "1.33.4-gke.1",
    "config": {"machineType": "e2-medium", "spot": True, "labels": {"a": "b"}},
    "locations": ["europe-west1-c", "europe-west1-b"],
    "instanceGroupUrls": [GROUP.format("b"), GROUP.format("c")],
}
POOL_SPEC = {
    "clusterProjectId": {"value": "acme"},
    "clusterName": {"value": "dev"},
    "clusterLocation": {"value": "europe-west1"},
    "nodePoolName": "apps",
    "nodeCount": 1,
}
CLUSTER = {
    "name": "dev",
    "location": "europe-west1",
    "status": "RUNNING",
    "endpoint": "192.0.2.1",
    "masterAuth": {"clusterCaCertificate": "Y2E="},
    "currentMasterVersion": "1.33.4-gke.1",
    "releaseChannel": {"channel": "REGULAR"},
    "nodePools": [POOL],
}


@pytest.fixture
def server() -> Iterator[answers.Server]:
    """A server with a cluster of one pool, which has three nodes in two zones."""
    with answers.serving(NOT_FOUND) as running:
        running.answers[CLUSTERS] = (200, {"clusters": [CLUSTER]})
        running.answers[f"/v1/{CLUSTER_ID}"] = (200, CLUSTER)
        running.answers[f"/v1/{POOL_ID}"] = (200, POOL)
        zones = {"b": 2, "c": 1}
        groups = {
            f"zones/europe-west1-{zone}": {"instanceGroupManagers": [{"name": "gke-dev-apps-1-grp", "targetSize": size}]}
            for zone, size in zones.items()
        }
        instances = {
            f"zones/europe-west1-{zone}": {"instances": [{"name": f"gke-dev-apps-1-{zone}{at}"} for at in range(size)]}
            for zone, size in zones.items()
        }
        running.answers[f"{AGGREGATED}/instanceGroupManagers"] = (200, {"items": groups})
        running.answers[f"{AGGREGATED}/instances"] = (200, {"items": instances})
        yield running


def _cloud(server: answers.Server) -> gcp.Cloud:
    return gcp.Cloud("acme", "", TOKEN, endpoint=f"{server.url}/", wait=_never)


def _never(_seconds: float) -> None:
    """Returns at once."""


def test_a_request_has_the_token(server: answers.Server) -> None:
    """The representation of the client does not contain it."""
    assert _cloud(server).exists(TYPE, CLUSTER_ID)
    assert server.requests == [(f"/v1/{CLUSTER_ID}", "Bearer token-of-the-test")]
    assert TOKEN not in repr(_cloud(server))
    assert _cloud(server).where == "project acme"


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, "{}", errors.Reason.CLOUD_AUTH),
        (403, "{}", errors.Reason.CLOUD_AUTH),
        (500, "boom", errors.Reason.CLOUD_FAILED),
        (200, "no JSON", errors.Reason.CLOUD_UNREACHABLE),
    ],
)
def test_any_other_response_is_an_error(status: int, body: str, reason: errors.Reason, server: answers.Server) -> None:
    """It never counts as a missing resource, and the message contains no token."""
    server.answers[f"/v1/{CLUSTER_ID}"] = (status, body)
    with pytest.raises(errors.PlantonError) as caught:
        _cloud(server).cluster(CLUSTER_ID)
    assert caught.value.reason == reason
    assert TOKEN not in f"{caught.value.message} {caught.value.hint}"


def test_a_missing_resource_is_none(server: answers.Server) -> None:
    """Neither a cluster nor a pool of it."""
    cloud = _cloud(server)
    assert cloud.cluster(f"{PLACE}/clusters/none") is None
    assert cloud.credential(f"{PLACE}/clusters/none") is None
    assert cloud.upgrades(f"{PLACE}/clusters/none") is None
    assert not cloud.exists(POOL_TYPE, "none", CLUSTER_ID)


def test_names_are_found(server: answers.Server) -> None:
    """A name that two locations have is no answer."""
    cloud = _cloud(server)
    assert cloud.find(TYPE, "dev") == CLUSTER_ID
    assert cloud.find(POOL_TYPE, "apps", CLUSTER_ID) == cloud.pool_import_id(CLUSTER_ID, "apps") == POOL_ID
    assert cloud.find(POOL_TYPE, "none", CLUSTER_ID) is None
    assert cloud.names("cluster") == ["dev"]
    server.answers[CLUSTERS] = (200, {"clusters": [CLUSTER, CLUSTER | {"location": "us-central1"}]})
    assert _cloud(server).find(TYPE, "dev") is None


def test_the_nodes_of_a_pool_are_those_of_all_its_zones(server: answers.Server) -> None:
    """The API of clusters reports no number of nodes."""
    [cluster] = _cloud(server).raw_list(TYPE)
    [pool] = cluster["node_pools"]
    assert (pool["id"], pool["size"]) == (POOL_ID, 3)
    assert views.nodes(pool) == ["gke-dev-apps-1-b0", "gke-dev-apps-1-b1", "gke-dev-apps-1-c0"]
    condition = views.condition(cluster)
    assert (condition.ready, condition.nodes, condition.settled) == (3, 3, True)
    stopped = cluster | {"node_pools": [pool | {"status": "RECONCILING"}]}
    assert (views.condition(stopped).ready, views.condition(stopped).settled) == (0, False)


def test_upgrades_are_those_of_the_channel_and_of_one_minor_version(server: answers.Server) -> None:
    """The newest comes first."""
    listed = ["1.33.4-gke.1", "1.35.1-gke.1", "1.33.4-gke.2", "1.34.2-gke.1", "1.32.9-gke.9"]
    config = {"channels": [{"channel": "REGULAR", "validVersions": listed}], "validMasterVersions": ["1.34.9-gke.1"]}
    server.answers[f"/v1/{PLACE}/serverConfig"] = (200, config)
    assert _cloud(server).upgrades(CLUSTER_ID) == ["1.34.2-gke.1", "1.33.4-gke.2"]


def test_a_credential_is_the_token_of_the_account(server: answers.Server) -> None:
    """A cluster has no secret of its own; one that has no address yet has no credential."""
    credential = _cloud(server).credential(CLUSTER_ID)
    assert credential is not None
    config = yaml.safe_load(credential.kubeconfig)
    assert config["clusters"][0]["cluster"] == {"server": "https://192.0.2.1", "certificate-authority-data": "Y2E="}
    assert config["users"][0]["user"] == {"token": TOKEN}
    server.answers[f"/v1/{CLUSTER_ID}"] = (200, CLUSTER | {"endpoint": ""})
    assert _cloud(server).credential(CLUSTER_ID) is None


def _compared(properties: dict[str, Any], **changed: Any) -> tuple[Any, Any]:
    view = views.BY_TYPE[POOL_TYPE]
    return view.of_properties(properties), view.of_entry({**POOL, "size": 4, **changed}, properties)


def test_a_state_equals_the_clouds_answer() -> None:
    """Numbers are per zone; taints that GKE adds, and the order of zones, do not count."""
    taint = {"key": "dedicated", "value": "x", "effect": "NO_SCHEDULE"}
    properties = {
        "name": "apps",
        "nodeCount": 2,
        "nodeLocations": ["europe-west1-b", "europe-west1-c"],
        "version": "1.33.4-gke.1",
        "nodeConfig": {"machineType": "e2-medium", "spot": True, "labels": {"a": "b"}, "taints": [taint]},
    }
    gpu = {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}
    config = {**POOL["config"], "taints": [taint, gpu]}  # type: ignore[dict-item]
    state, cloud = _compared(properties, config=config)
    assert state == cloud
    state, cloud = _compared(properties, config=config, size=6)
    assert {key for key in state if state[key] != cloud[key]} == {"count"}


def test_the_views_are_those_of_the_cloud() -> None:
    """They are found by the type of a resource."""
    assert clouds.views_of_type(POOL_TYPE) is views


#: The state of the pool, as the plugin has read it.
OUTPUTS = {"project": "acme", "location": "europe-west1", "cluster": "dev", "nodeCount": 1}


def test_a_pool_without_autoscaling_is_compared_by_the_requested_number_of_nodes(server: answers.Server) -> None:
    """The plugin records the autoscaler's number after an update that ends autoscaling, and sets none."""
    pool = {"type": POOL_TYPE, "id": POOL_ID, "outputs": OUTPUTS}
    cloud = _cloud(server)

    def drift(**inputs: Any) -> list[Any]:
        differences = observed.drift({**pool, "inputs": inputs}, cloud, observed.Lists(cached.Answers()))
        return [(each.path, each.old, each.new) for each in differences or () if each.path == "count"]

    assert drift(nodeCount=2) == [("count", 2, 1)]
    assert drift(nodeCount=1) == []
    assert drift(nodeCount=2, autoscaling={"totalMaxNodeCount": 9}) == []


def test_an_existing_cluster_is_described_as_its_manifest(server: answers.Server) -> None:
    """What an adoption leaves as it is; a cluster that does not exist is None."""
    private = {"enablePrivateNodes": True, "masterIpv4CidrBlock": "172.16.0.0/28"}
    settings = {
        "networkConfig": {"network": "projects/acme/global/networks/main", "subnetwork": "projects/acme/regions/r/subnetworks/s"},
        "ipAllocationPolicy": {"clusterSecondaryRangeName": "pods", "servicesSecondaryRangeName": "services"},
        "privateClusterConfig": private,
        "masterAuthorizedNetworksConfig": {"enabled": True, "cidrBlocks": [{"cidrBlock": "198.51.100.0/24"}]},
        "networkPolicy": {"enabled": True},
    }
    server.answers[f"/v1/{CLUSTER_ID}"] = (200, CLUSTER | settings)
    identity = {"projectId": "acme", "location": "europe-west1", "clusterName": "dev"}
    assert existing.spec(_cloud(server), identity) == (
        CLUSTER_ID,
        {
            "networkSelfLink": "projects/acme/global/networks/main",
            "subnetworkSelfLink": "projects/acme/regions/r/subnetworks/s",
            "clusterSecondaryRangeName": "pods",
            "servicesSecondaryRangeName": "services",
            "masterIpv4CidrBlock": "172.16.0.0/28",
            "enablePublicNodes": False,
            "releaseChannel": "REGULAR",
            "masterAuthorizedNetworks": ["198.51.100.0/24"],
            "disableNetworkPolicy": False,
            "disableWorkloadIdentity": True,
        },
    )
    assert existing.spec(_cloud(server), identity | {"clusterName": "other"}) is None


@pytest.mark.parametrize(
    ("text", "lacking"),
    [
        ("GCE_STOCKOUT: Instance creation failed: The zone 'z' does not have enough resources available", "capacity"),
        ("[ZONE_RESOURCE_POOL_EXHAUSTED]: Instance 'i' creation failed", "capacity"),
        ("GCE_QUOTA_EXCEEDED: Instance creation failed: Quota exceeded in zone 'z'.", "quota"),
        ('Insufficient regional quota to satisfy request: resource "CPUS"', "quota"),
        (
            "[IP_SPACE_EXHAUSTED]: Instance 'i' creation failed: IP space of 'projects/p/regions/r/subnetworks/s' is exhausted.",
            "quota",
        ),
        ("Not found: projects/acme/locations/europe-west1/clusters/dev.", ""),
    ],
)
def test_the_cloud_says_what_is_lacking(text: str, lacking: str) -> None:
    """Machines, or what the account may have."""
    assert PROVIDER.lacking(text) == lacking


def test_the_conditions_of_gke_are_its_troubles() -> None:
    """A cluster does not answer for its pools; without conditions the text of a failed state counts."""
    stockout = {"code": "GCE_STOCKOUT", "message": "no machines", "canonicalCode": "RESOURCE_EXHAUSTED"}
    expiring = {"code": "CA_EXPIRING", "message": "the CA expires", "canonicalCode": "INTERNAL"}
    pool = POOL | {"status": "RUNNING_WITH_ERROR", "conditions": [stockout], "statusMessage": "no machines"}
    assert views.BY_TYPE[POOL_TYPE].troubles(pool) == ["GCE_STOCKOUT: no machines"]
    assert views.BY_TYPE[TYPE].troubles({"status": "RUNNING", "conditions": [stockout, expiring], "node_pools": [pool]}) == [
        "CA_EXPIRING: the CA expires"
    ]
    assert views.BY_TYPE[TYPE].troubles({"status": "ERROR", "statusMessage": "it failed"}) == ["ERROR: it failed"]
    assert views.BY_TYPE[POOL_TYPE].troubles(POOL) == []


def test_quotas_are_those_of_the_region(server: answers.Server) -> None:
    """Nodes are counted as instances; without a region there are none."""
    listed = [
        {"metric": "INSTANCES", "limit": 24, "usage": 3},
        {"metric": "N2_CPUS", "limit": 8.0, "usage": 4.0},
        {"metric": "PREEMPTIBLE_CPUS", "limit": 0, "usage": 0},
    ]
    server.answers["/compute/v1/projects/acme/regions"] = (200, {"items": [{"name": "europe-west1", "quotas": listed}]})
    cloud = _cloud(server)
    expected = {"nodes": entries.Quota(3, 24), "N2_CPUS": entries.Quota(4, 8), "PREEMPTIBLE_CPUS": entries.Quota(0, 0)}
    assert dataclasses.replace(cloud, region="europe-west1-b").quotas() == expected
    assert cloud.quotas() == {}


N4 = {"machineType": "n4-standard-2", "diskType": "hyperdisk-balanced"}
T4 = [{"type": "nvidia-tesla-t4", "count": 2}]
DISK = {"DISKS_TOTAL_GB": 100}


@pytest.mark.parametrize(
    ("spec", "size", "granted", "needs"),
    [
        ({"machineType": "n1-standard-4"}, {"cpus": 4}, (), {"CPUS": 4, **DISK}),
        (
            {"machineType": "n2-standard-4", "diskSizeGb": 50, "diskType": "pd-ssd"},
            {"cpus": 4},
            (),
            {"N2_CPUS": 4, "SSD_TOTAL_GB": 50},
        ),
        ({"machineType": "n1-standard-4", "accelerators": T4}, {"cpus": 4}, (), {"CPUS": 4, "NVIDIA_T4_GPUS": 2, **DISK}),
        (
            {"machineType": "g2-standard-24", "diskType": "hyperdisk-balanced"},
            {"cpus": 24, "accelerators": {"nvidia-l4": 2}},
            (),
            {"G2_CPUS": 24, "NVIDIA_L4_GPUS": 2, "HDB_TOTAL_GB": 100},
        ),
        ({"machineType": "n2-standard-4", "spot": True}, {"cpus": 4}, ("PREEMPTIBLE_CPUS",), {"PREEMPTIBLE_CPUS": 4, **DISK}),
        ({"machineType": "n2-standard-4", "spot": True}, {"cpus": 4}, (), {"N2_CPUS": 4, **DISK}),
        (
            {"machineType": "n1-standard-4", "preemptible": True, "accelerators": T4},
            {"cpus": 4},
            ("PREEMPTIBLE_NVIDIA_T4_GPUS",),
            {"CPUS": 4, "PREEMPTIBLE_NVIDIA_T4_GPUS": 2, **DISK},
        ),
        (
            {"machineType": "a3-highgpu-8g", "diskType": "hyperdisk-balanced"},
            {"cpus": 208, "accelerators": {"nvidia-h100-80gb": 8}},
            (),
            {"A3_CPUS": 208, "NVIDIA_H100_GPUS": 8, "HDB_TOTAL_GB": 100},
        ),
    ],
)
def test_a_node_takes_processors_accelerators_and_disk_from_quotas(
    spec: dict[str, Any], size: dict[str, Any], granted: tuple[str, ...], needs: dict[str, int]
) -> None:
    """A machine that can be taken back counts in a quota of its own only if the project has one."""
    limits = {name: entries.Quota(0, 8 if name in granted else 0) for name in ("PREEMPTIBLE_CPUS", "PREEMPTIBLE_NVIDIA_T4_GPUS")}
    manifest = mocks.target("GcpGkeNodePool", {**POOL_SPEC, "diskType": "pd-standard", **spec})
    assert dict(quotas.of_node(manifest.spec, size, limits, None)) == {"nodes": 1, **needs}


PUBLIC, PRIVATE = (mocks.target("GcpGkeCluster", {"enablePublicNodes": public}) for public in (True, False))


@pytest.mark.parametrize(
    ("cluster", "addresses"),
    [
        (PUBLIC, {"IN_USE_ADDRESSES": 1}),
        (PRIVATE, {}),
        (entries.Entry("id", "dev", has_public_nodes=True), {"IN_USE_ADDRESSES": 1}),
        (entries.Entry("id", "dev"), {}),
        (None, {}),
    ],
)
def test_a_node_with_a_public_address_takes_it_from_a_quota(cluster: Any, addresses: dict[str, int]) -> None:
    """The cluster decides, as its manifest says or as the cloud does."""
    manifest = mocks.target("GcpGkeNodePool", {**POOL_SPEC, "diskType": "pd-standard", "machineType": "n1-standard-2"})
    needs = dict(quotas.of_node(manifest.spec, {"cpus": 2}, {}, cluster))
    assert needs == {"nodes": 1, "CPUS": 2, **DISK, **addresses}


@pytest.mark.parametrize(("settings", "is_public"), [({}, True), ({"enablePrivateNodes": True}, False)])
def test_a_listed_cluster_says_whether_its_nodes_have_public_addresses(
    server: answers.Server, settings: dict[str, Any], *, is_public: bool
) -> None:
    """They are private only if the cluster says so."""
    row = {"name": "dev", "location": "europe-west1", "privateClusterConfig": settings}
    server.answers[CLUSTERS] = (200, {"clusters": [row]})
    assert [each.has_public_nodes for each in _cloud(server).listed("cluster")] == [is_public]


@pytest.mark.parametrize(
    ("spec", "refused"),
    [
        ({}, []),
        ({"accelerators": [{"type": "nvidia-l4", "count": 1}]}, []),
        ({"accelerators": [{"type": "nvidia-l4", "count": 9}]}, ["spec.accelerators[0].count"]),
        ({"accelerators": [{"type": "nvidia-l4", "count": 1}], "zones": ["europe-west1-c"]}, ["spec.accelerators[0].type"]),
        ({**N4, "zones": ["europe-west1-b", "europe-west1-c"]}, ["spec.machineType"]),
        ({**N4, "zones": ["europe-west1-b"]}, []),
    ],
)
def test_a_pool_needs_zones_that_offer_its_machines(spec: dict[str, Any], refused: list[str], server: answers.Server) -> None:
    """Without zones of its own they are those of the cluster."""
    l4 = [{"name": "nvidia-l4", "maximumCardsPerInstance": 8}]
    n4 = [{"name": "n4-standard-2", "guestCpus": 2, "memoryMb": 8192}]
    server.answers[f"/v1/{CLUSTER_ID}"] = (200, CLUSTER | {"locations": ["europe-west1-b"]})
    for name, rows in (("acceleratorTypes", l4), ("machineTypes", n4)):
        server.answers[f"{AGGREGATED}/{name}"] = (200, {"items": {"zones/europe-west1-b": {name: rows}}})
    target = mocks.target("GcpGkeNodePool", {**POOL_SPEC, **spec})
    assert [each.path for each in offers.refusals(_cloud(server), target)] == refused


@pytest.mark.parametrize(
    ("location", "region", "is_zone"),
    [
        ("europe-west1", "europe-west1", False),
        ("europe-west10-b", "europe-west10", True),
        ("us-central1-ai1a", "us-central1", True),
        ("", "", False),
    ],
)
def test_a_zone_differs_from_a_region(location: str, region: str, is_zone: bool) -> None:
    """A zone has a letter, or the name of a zone for accelerators, after its region."""
    assert (PROVIDER.region_of(location), PROVIDER.is_zone(location)) == (region, is_zone)


@pytest.mark.parametrize(
    ("spec", "refused"),
    [
        ({"kubernetesVersion": "1.36.3-gke.1"}, []),
        ({"kubernetesVersion": "1.34.9-gke.1"}, []),
        ({"kubernetesVersion": "1.36.4-gke.1"}, [("spec.kubernetesVersion", "newer than the control plane (1.36.3-gke.1)")]),
        (
            {"kubernetesVersion": "1.33.4-gke.1", "nodePoolName": "other"},
            [("spec.kubernetesVersion", "more than 2 minor versions")],
        ),
        ({"kubernetesVersion": "1.33.4-gke.1"}, []),
        ({"kubernetesVersion": "1.35.1-gke.1"}, [("spec.kubernetesVersion", "is not offered for nodes there")]),
        ({"diskSizeGb": 14}, [("spec.diskSizeGb", "14 GB is too small for nodes of version 1.36.3-gke.1")]),
        ({"diskSizeGb": 14, "kubernetesVersion": "1.34.9-gke.1"}, []),
        ({"diskSizeGb": 15}, []),
        (
            {"diskType": "hyperdisk-balanced", "machineType": "n1-standard-2"},
            [("spec.diskType", "the family n1 do not boot from")],
        ),
        (
            {"diskType": "pd-standard", "machineType": "n4-standard-2"},
            [("spec.diskType", "the family n4 do not boot from pd-standard")],
        ),
        ({"diskType": "hyperdisk-balanced", "machineType": "c3-standard-4"}, []),
        ({"clusterLocation": {"value": "europe-west1-b"}, "zones": ["europe-west1-c"]}, []),
        ({"zones": ["europe-west1-b", "us-east1-b"]}, [("spec.zones", "is in europe-west1, and us-east1-b in another region")]),
    ],
)
def test_a_pool_fits_its_cluster_and_its_machines(
    spec: dict[str, Any], refused: list[tuple[str, str]], server: answers.Server
) -> None:
    """A version that the pool has already is not refused, even if it is offered no more."""
    server.answers[f"/v1/{CLUSTER_ID}"] = (200, CLUSTER | {"currentMasterVersion": "1.36.3-gke.1"})
    server.answers[f"/v1/{PLACE}/serverConfig"] = (200, {"validNodeVersions": ["1.36.3-gke.1", "1.34.9-gke.1", "1.33.4-gke.1"]})
    target = mocks.target("GcpGkeNodePool", {**POOL_SPEC, **spec})
    refusals = list(offers.refusals(_cloud(server), target))
    assert [each.path for each in refusals] == [path for path, _ in refused]
    assert all(
        words in each.text and each.rule == "cloud.fits_cluster" for each, (_, words) in zip(refusals, refused, strict=True)
    )
