"""Checks a plan against the lists of a cloud, here a fake cloud with fixed lists."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from org.project_planton.provider.civo import provider_pb2, region_pb2
from planton import errors
from planton.clouds import entries
from planton.deploy import checks
from planton.engine import check_faults, explain, plans, stacks
from planton.manifest import load
from planton.schema import references
from planton.state import inventory
from support import mocks, offers

NET_ID = "11111111-1111-4111-8111-111111111111"
FIREWALL_ID = "22222222-2222-4222-8222-222222222222"
CLUSTER_ID = "33333333-3333-4333-8333-333333333333"
OTHER_ID = "44444444-4444-4444-8444-444444444444"
CREATE = {"network": plans.Action.CREATE, "firewall": plans.Action.CREATE, "cluster": plans.Action.CREATE}
POOL_CREATE = {"node_pool": plans.Action.CREATE, "node_pool_size": plans.Action.CREATE}

VPC = mocks.target("CivoVpc", {"networkName": "net", "region": "lon1"}, name="net")
DO_VPC = mocks.target("DigitalOceanVpc", {"region": "fra1", "ipRangeCidr": "10.10.0.0/20"}, name="net")
CLUSTER = mocks.target(
    "CivoKubernetesCluster",
    {
        "clusterName": "prod",
        "region": "lon1",
        "kubernetesVersion": "1.30.2+k3s1",
        "clusterType": "k3s",
        "network": {"value": NET_ID},
        "defaultNodePool": {"size": "small", "nodeCount": 2},
        "additionalNodePools": [{"name": "web", "size": "large", "nodeCount": 3}],
    },
    name="prod",
)
DO_CLUSTER = mocks.target(
    "DigitalOceanKubernetesCluster",
    {
        "clusterName": "prod",
        "region": "fra1",
        "kubernetesVersion": "1.33.0-do.0",
        "vpc": {"value": NET_ID},
        "defaultNodePool": {"size": "small", "nodeCount": 2},
    },
    name="prod",
)
POOL = mocks.target(
    "CivoKubernetesNodePool",
    {"nodePoolName": "web", "cluster": {"value": CLUSTER_ID}, "size": "small", "nodeCount": 2},
    name="web",
)
DO_POOL = mocks.target(
    "DigitalOceanKubernetesNodePool",
    {"nodePoolName": "web", "cluster": {"value": CLUSTER_ID}, "size": "small", "nodeCount": 2},
    name="web",
)
NETWORK = entries.Entry(NET_ID, "net-a", "lon1", "10.10.0.0/20")
RUNNING = entries.Entry(CLUSTER_ID, "shop", "fra1", network=NET_ID, version="1.30.2-k3s1", pools=(entries.Entry("p", "old"),))


def _with(manifest: Any, **spec: Any) -> Any:
    from google.protobuf import json_format

    data = json_format.MessageToDict(manifest)
    return mocks.target(data["kind"], {**data["spec"], **spec}, **data["metadata"])


def _plan(actions: Mapping[str, plans.Action], *differences: plans.Difference) -> plans.Plan:
    return plans.Plan(tuple(plans.Change(f"urn::{name}", name, "", action, differences) for name, action in actions.items()))


def _applied(manifest: Any, id_: str) -> inventory.Applied:
    manifest_copy = type(manifest)()
    manifest_copy.CopyFrom(manifest)
    outputs = manifest_copy.status.outputs
    setattr(outputs, outputs.DESCRIPTOR.fields[0].name, id_)
    return inventory.Applied(references.key(manifest_copy), stacks.name_of(manifest_copy), manifest_copy, 1, "", "")


@dataclasses.dataclass
class World:
    """The checks of one run, and the notes that they report."""

    cloud: offers.Cloud
    manifests: dict[str, Any] = dataclasses.field(default_factory=dict)
    notes: list[str] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        """Creates the checks."""
        self.checks = checks.Checks(self.notes.append, open_cloud=lambda *_arguments: self.cloud)

    def plan(
        self,
        manifest: Any,
        outcome: plans.Plan | errors.PlantonError,
        *,
        applied: inventory.Applied | None = None,
        is_finished: bool = True,
        imports: Mapping[str, str] | None = None,
    ) -> plans.Plan:
        """Plans a manifest; ``outcome`` is what the engine returns or raises."""

        def run_engine() -> plans.Plan:
            if isinstance(outcome, errors.PlantonError):
                raise outcome
            return outcome

        resource = load.Resource(manifest, None, "f.yaml")
        stack_input = mocks.stack_input(references.resolve(manifest, self.look_up))
        existing = checks.Existing(applied, self.look_up, is_finished=is_finished, imports=imports or {})
        return self.checks.planned(resource, stack_input, run_engine, existing)

    def look_up(self, key: references.Key) -> Any:
        """Returns a manifest of the run, or ``None``."""
        return self.manifests.get(key.name)

    def refused(self, *arguments: Any, **options: Any) -> errors.InvalidError:
        """Plans a manifest that must be refused, and returns the error."""
        with pytest.raises(errors.InvalidError) as caught:
            self.plan(*arguments, **options)
        return caught.value


def _world(*resources: tuple[str, entries.Entry], **lists: Any) -> World:
    entries_by_type: dict[str, list[entries.Entry]] = {"network": [NETWORK]}
    for resource_type, entry in resources:
        entries_by_type.setdefault(resource_type, []).append(entry)
    return World(offers.Cloud(entries_by_type, lists))


def _rules(error: errors.InvalidError) -> list[tuple[str, str]]:
    return [(violation.path, violation.rule_id) for violation in error.violations]


@pytest.mark.parametrize("manifest", [VPC, CLUSTER])
def test_a_plan_without_changes_reads_no_list(manifest: Any) -> None:
    """An applied resource is not checked again, even if the cloud no longer offers its size or version."""
    world = _world(sizes=[], versions=[], regions=[])
    assert world.plan(manifest, plans.Plan(), applied=_applied(manifest, OTHER_ID)).empty
    update = _plan({"cluster": plans.Action.UPDATE, "network": plans.Action.UPDATE}, plans.Difference("tags[0]", "a", "b"))
    assert world.plan(manifest, update, applied=_applied(manifest, OTHER_ID)) is update
    assert world.cloud.reads == {}


@pytest.mark.parametrize(
    ("manifest", "offered"),
    [
        (_with(VPC, region="lon11"), "lon1, nyc1"),
        (_with(CLUSTER, region="mum1"), "fra1, lon1, nyc1, nyc3"),
        (_with(DO_VPC, region="sgp1"), "fra1, lon1, nyc1, nyc3"),
    ],
)
def test_a_region_that_is_not_offered_is_refused(manifest: Any, offered: str) -> None:
    """The error lists the offered regions, the nearest first. No other list is read for an unknown region."""
    world = _world()
    error = world.refused(manifest, _plan(CREATE))
    assert _rules(error) == [("spec.region", "cloud.region_offered")]
    assert (error.code, error.reason) == (errors.Code.INVALID, errors.Reason.NOT_OFFERED)
    assert f"there are: {offered}" in error.message
    assert "network" not in world.cloud.reads


def test_a_region_without_capacity_is_noted() -> None:
    """A resource created there would stay in the building state."""
    world = _world(("network", dataclasses.replace(NETWORK, region="nyc1")))
    world.cloud.has["network"].pop(0)
    world.plan(_with(CLUSTER, region="nyc1"), _plan(CREATE))
    assert ["nyc1 is out of capacity" in note for note in world.notes] == [True]


@pytest.mark.parametrize(
    ("manifest", "actions", "path", "nearest"),
    [
        (_with(POOL, size="smal"), POOL_CREATE, "spec.size", "small"),
        (_with(DO_POOL, size="smal"), POOL_CREATE, "spec.size", "small"),
        (_with(CLUSTER, defaultNodePool={"size": "smal", "nodeCount": 1}), CREATE, "spec.defaultNodePool.size", "small"),
        (
            _with(CLUSTER, additionalNodePools=[{"name": "a", "size": "large"}, {"name": "b", "size": "LARG"}]),
            {**CREATE, "node_pool-a": plans.Action.CREATE, "node_pool-b": plans.Action.CREATE},
            "spec.additionalNodePools[1].size",
            "large",
        ),
    ],
)
def test_a_size_that_is_not_offered_is_refused(manifest: Any, actions: dict[str, plans.Action], path: str, nearest: str) -> None:
    """Every pool is checked. The error lists the offered sizes, the nearest first."""
    error = _world(("cluster", RUNNING)).refused(manifest, _plan(actions))
    assert _rules(error) == [(path, "cloud.size_offered")]
    assert error.reason is errors.Reason.NOT_OFFERED
    assert f"offered: {nearest}" in error.message


def test_the_list_of_offered_sizes_is_bounded() -> None:
    """The error names the command that lists all sizes."""
    sizes = [{"size": f"size-{number}", "regions": None} for number in range(100)]
    error = _world(("cluster", RUNNING), sizes=sizes).refused(POOL, _plan(POOL_CREATE))
    assert "and 92 more (planton sizes --provider civo lists them)" in error.message


@pytest.mark.parametrize(("region", "is_offered"), [("fra1", False), ("nyc3", True)])
def test_a_size_must_be_offered_where_the_cluster_is(region: str, *, is_offered: bool) -> None:
    """The region of a pool is that of its cluster, whether the cluster is an ID or a reference."""
    cluster = dataclasses.replace(RUNNING, region=region)
    referring = _with(DO_POOL, size="rare", cluster={"valueFrom": {"name": "prod"}})
    for manifest in (_with(DO_POOL, size="rare"), referring):
        world = _world(("cluster", cluster))
        applied = _applied(_with(DO_CLUSTER, region=region), CLUSTER_ID)
        world.manifests["prod"] = applied.manifest
        if is_offered:
            assert not world.plan(manifest, _plan(POOL_CREATE)).empty
        else:
            error = world.refused(manifest, _plan(POOL_CREATE))
            assert _rules(error) == [("spec.size", "cloud.size_offered_in_region")]
            assert "but in: nyc3" in error.message


def test_sizes_are_compared_without_case() -> None:
    """The spelling of a size is checked elsewhere."""
    assert not _world(("cluster", RUNNING)).plan(_with(POOL, size="SMALL"), _plan(POOL_CREATE)).empty


def test_a_version_that_is_not_offered_is_refused_for_a_new_cluster() -> None:
    """The error lists the versions of the cluster's type."""
    error = _world().refused(_with(CLUSTER, kubernetesVersion="1.28.0+k3s1"), _plan(CREATE))
    assert _rules(error) == [("spec.kubernetesVersion", "cloud.version_offered")]
    assert "1.30.5-k3s1, 1.30.2-k3s1, 1.29.8-k3s1" in error.message


def _upgrade(manifest: Any, running: str, target: str, **lists: Any) -> errors.InvalidError | None:
    world = _world(("cluster", dataclasses.replace(RUNNING, id=OTHER_ID, version=running)), **lists)
    changed = _with(manifest, kubernetesVersion=target)
    planned = _plan({"cluster": plans.Action.UPDATE}, plans.Difference("version", running, target))
    try:
        world.plan(changed, planned, applied=_applied(manifest, OTHER_ID))
    except errors.InvalidError as error:
        return error
    return None


@pytest.mark.parametrize(
    ("manifest", "running", "target", "lists", "hint"),
    [
        (CLUSTER, "1.30.5-k3s1", "1.30.2-k3s1", {}, "write 1.30.5-k3s1"),
        (CLUSTER, "1.28.5-k3s1", "1.30.5-k3s1", {}, "upgrade to 1.29.8-k3s1 first"),
        (DO_CLUSTER, "1.33.0-do.0", "1.34.0-do.0", {}, "upgrade to 1.33.1-do.0 first"),
        (DO_CLUSTER, "1.33.1-do.0", "1.34.0-do.0", {"upgrades": ["1.33.2-do.0"]}, "upgrade to 1.33.2-do.0 first"),
        (DO_CLUSTER, "1.33.1-do.0", "1.34.0-do.0", {"upgrades": []}, "write 1.33.1-do.0; the cloud offers no upgrade"),
    ],
)
def test_an_upgrade_that_the_cloud_would_refuse_is_refused(
    manifest: Any, running: str, target: str, lists: dict[str, Any], hint: str
) -> None:
    """The hint names the version to upgrade to first. The running version counts, not the applied one."""
    error = _upgrade(_with(manifest, kubernetesVersion="1.0.0"), running, target, **lists)
    assert error is not None
    assert _rules(error) == [("spec.kubernetesVersion", "cloud.upgrade_allowed")]
    assert (error.code, error.reason) == (errors.Code.REFUSED, errors.Reason.UPGRADE_REFUSED)
    assert error.hint.startswith(hint)


@pytest.mark.parametrize(
    ("manifest", "running", "target", "lists"),
    [
        (CLUSTER, "1.29.8-k3s1", "1.30.5+k3s1", {}),
        (CLUSTER, "1.27.0-k3s1", "v1.27.0-k3s1", {}),
        (CLUSTER, "talos-v1.5.0", "1.29.8-k3s1", {}),
        (DO_CLUSTER, "1.33.1-do.0", "1.34.0-do.0", {"upgrades": ["1.34.0-do.0"]}),
        (DO_CLUSTER, "1.33.1-do.0", "1.34.0-do.0", {"upgrades": offers.unreachable("upgrades")}),
        (_with(DO_CLUSTER, autoUpgrade=True), "1.33.9-do.0", "1.33.1-do.0", {}),
    ],
)
def test_an_upgrade_that_the_cloud_allows_is_planned(manifest: Any, running: str, target: str, lists: dict[str, Any]) -> None:
    """Allowed are the running version, a patch that the cloud installed, and another cluster type, which is a new cluster."""
    assert _upgrade(_with(manifest, kubernetesVersion="1.0.0"), running, target, **lists) is None


@pytest.mark.parametrize(
    ("manifest", "resource", "resource_type", "name", "path"),
    [
        (VPC, "network", "network", "net", "spec.networkName"),
        (DO_VPC, "network", "network", "net", "metadata.name"),
        (CLUSTER, "cluster", "cluster", "prod", "spec.clusterName"),
        (DO_CLUSTER, "cluster", "cluster", "prod", "spec.clusterName"),
    ],
)
def test_a_name_in_use_is_refused_with_the_command_to_import_it(
    manifest: Any, resource: str, resource_type: str, name: str, path: str
) -> None:
    """The owner may be this stack's resource, be deleted already, or come from an unfinished operation: then the plan passes."""
    region = references.own_region(manifest)
    network = dataclasses.replace(NETWORK, region=region, cidr="")
    other = entries.Entry(OTHER_ID, name, region)
    world = World(
        offers.Cloud({"network": [network], resource_type: [network, other] if resource_type == "network" else [other]})
    )
    planned = _plan({resource: plans.Action.CREATE})
    error = world.refused(manifest, planned)
    assert _rules(error) == [(path, "cloud.name_free")]
    assert (error.reason, error.metadata["id"], error.metadata["region"]) == (errors.Reason.CLOUD_NAME_EXISTS, OTHER_ID, region)
    assert f"planton import {manifest.kind}/{manifest.metadata.name} {OTHER_ID} -f f.yaml" in error.hint
    assert world.plan(manifest, planned, is_finished=False) is planned
    replaced = _plan({resource: plans.Action.REPLACE})
    assert world.plan(manifest, replaced, applied=_applied(manifest, OTHER_ID)) is replaced
    renamed = _plan({resource: plans.Action.UPDATE}, plans.Difference("name", "before", name))
    assert world.plan(manifest, renamed, applied=_applied(manifest, OTHER_ID)) is renamed
    assert _rules(world.refused(manifest, renamed, applied=_applied(manifest, CLUSTER_ID))) == [(path, "cloud.name_free")]
    world.cloud.has[resource_type][-1] = dataclasses.replace(other, is_being_deleted=True)
    assert world.plan(manifest, planned) is planned


def test_names_of_pools_and_of_a_clusters_firewall_are_checked() -> None:
    """Pool names are unique within their cluster."""
    world = _world(("cluster", RUNNING), ("firewall", entries.Entry(FIREWALL_ID, "prod-firewall", "lon1")))
    error = world.refused(_with(POOL, nodePoolName="old"), _plan(POOL_CREATE))
    assert _rules(error) == [("spec.nodePoolName", "cloud.name_free")]
    assert f"planton import CivoKubernetesNodePool/web {CLUSTER_ID}:p " in error.hint
    assert not world.plan(POOL, _plan(POOL_CREATE)).empty
    error = world.refused(CLUSTER, _plan(CREATE))
    assert _rules(error) == [("spec.clusterName", "cloud.name_free")]
    assert f"firewall prod-firewall exists with the id {FIREWALL_ID}" in error.hint
    assert f"planton import CivoFirewall/NAME {FIREWALL_ID} -f FILE" in error.hint
    more = _with(CLUSTER, additionalNodePools=[{"name": "new", "size": "small"}, {"name": "old", "size": "small"}])
    planned = _plan({"node_pool-new": plans.Action.CREATE, "node_pool-old": plans.Action.CREATE})
    error = world.refused(more, planned, applied=_applied(CLUSTER, CLUSTER_ID))
    assert _rules(error) == [("spec.additionalNodePools[1].name", "cloud.name_free")]


def test_an_overlapping_range_is_refused_where_the_cloud_refuses_it() -> None:
    """Civo isolates networks, so there it is a note."""
    error = _world().refused(DO_VPC, _plan(CREATE))
    assert _rules(error) == [("spec.ipRangeCidr", "cloud.range_free")]
    assert f"10.10.0.0/20 overlaps 10.10.0.0/20 of the network net-a ({NET_ID})" in error.message
    assert not _world().plan(_with(DO_VPC, ipRangeCidr="10.11.0.0/20"), _plan(CREATE)).empty
    assert not _world().plan(DO_VPC, _plan({"network": plans.Action.REPLACE}), applied=_applied(DO_VPC, NET_ID)).empty
    world = _world()
    world.plan(_with(VPC, ipRangeCidr="10.10.1.0/24"), _plan(CREATE))
    assert ["overlaps 10.10.0.0/20" in note for note in world.notes] == [True]


def test_a_network_must_be_in_the_region_of_its_resources() -> None:
    """The network is an ID, or a reference to a network of the same run."""
    world = _world()
    missing = world.refused(_with(CLUSTER, network={"value": OTHER_ID}), _plan(CREATE))
    assert _rules(missing) == [("spec.network", "cloud.reference_found")]
    error = world.refused(DO_CLUSTER, _plan(CREATE))
    assert _rules(error) == [("spec.vpc", "cloud.one_region")]
    assert "in lon1, and the region of this resource is fra1" in error.message
    for kind, spec in (("CivoKubernetesCluster", {}), ("CivoFirewall", {"name": "fw", "region": "lon1"})):
        world.manifests["net"] = references.unknown_outputs(_with(VPC, region="nyc1"))
        field = "networkId" if kind == "CivoFirewall" else "network"
        reference = {field: {"valueFrom": {"name": "net"}}}
        manifest = mocks.target(kind, {**spec, **reference}) if spec else _with(CLUSTER, **reference)
        assert _rules(world.refused(manifest, _plan(CREATE))) == [(f"spec.{field}", "cloud.one_region")]
        world.manifests["net"] = references.unknown_outputs(VPC)
        assert not world.plan(manifest, _plan(CREATE)).empty


def test_a_firewall_must_be_in_the_network_of_its_cluster() -> None:
    """The cloud would refuse the cluster."""
    for network, rules in ((OTHER_ID, [("spec.firewall", "cloud.one_network")]), (NET_ID, [])):
        world = _world(("firewall", entries.Entry(FIREWALL_ID, "fw", "lon1", network=network)))
        manifest = _with(CLUSTER, firewall={"value": FIREWALL_ID})
        if rules:
            assert _rules(world.refused(manifest, _plan({"cluster": plans.Action.CREATE}))) == rules
        else:
            assert not world.plan(manifest, _plan({"cluster": plans.Action.CREATE})).empty


def test_a_quota_covers_all_resources_of_a_run() -> None:
    """The error is about the first pool over the quota, with the numbers."""
    quotas = {"nodes": entries.Quota(5, 8), "memory": entries.Quota(0, 100_000)}
    world = _world(("cluster", RUNNING), quotas=quotas)
    assert not world.plan(POOL, _plan(POOL_CREATE)).empty
    other = _with(POOL, nodePoolName="api")
    other.metadata.name = "api"
    error = world.refused(other, _plan(POOL_CREATE))
    assert _rules(error) == [("spec.nodeCount", "cloud.quota_left")]
    assert error.reason is errors.Reason.CLOUD_QUOTA
    assert "needs 2 more nodes, and this run 4 in all; the account has 5 of 8 in use" in error.message
    assert world.cloud.reads["quotas"] == 2
    grown = _plan({"node_pool_size": plans.Action.UPDATE}, plans.Difference("node_count", 1, 9))
    error = world.refused(_with(POOL, nodeCount=9), grown, applied=_applied(POOL, "web"))
    assert "needs 8 more nodes" in error.message
    assert "of memory" not in error.message


GKE_POOL = mocks.target(
    "GcpGkeNodePool",
    {
        "clusterProjectId": {"value": "acme"},
        "clusterName": {"value": "dev"},
        "clusterLocation": {"value": "europe-west1-b"},
        "nodePoolName": "web",
        "machineType": "n2-standard-4",
        "nodeCount": 3,
    },
    name="web",
)


def test_a_cluster_in_another_place_is_reported_with_its_id() -> None:
    """The place is a part of the id, so the name alone would look like the one that was written."""
    there = entries.Entry("projects/acme/locations/europe-west1/clusters/dev", "dev", "europe-west1")
    resource, stack_input = load.Resource(GKE_POOL, None, "f.yaml"), mocks.stack_input(GKE_POOL)
    with pytest.raises(errors.InvalidError) as caught:
        _world(("cluster", there)).checks.resolved(resource, stack_input)
    assert _rules(caught.value) == [("spec.clusterName", "cloud.reference_found")]
    assert f"clusters there: {there.id}" in caught.value.message


LARGER = plans.Difference("nodeConfig.machineType", "n2-standard-2", "n2-standard-4")
RELABELLED = plans.Difference("nodeConfig.labels.a", "b", "c")


@pytest.mark.parametrize(
    ("upgrade", "difference", "more"),
    [
        ({}, LARGER, 1),
        ({"upgrade": {"strategy": "SURGE", "maxSurge": 2}}, LARGER, 2),
        ({"upgrade": {"strategy": "SURGE", "maxSurge": 0, "maxUnavailable": 1}}, LARGER, 0),
        ({"upgrade": {"strategy": "BLUE_GREEN"}}, LARGER, 3),
        ({}, RELABELLED, 0),
    ],
)
def test_nodes_of_a_rolling_change_count_for_as_long_as_it_takes(
    upgrade: dict[str, Any], difference: plans.Difference, more: int
) -> None:
    """A change without new machines, or that takes nodes away first, needs none."""
    sizes = [{"size": "n2-standard-4", "cpus": 4, "regions": ["europe-west1-b"]}]
    world = _world(quotas={"N2_CPUS": entries.Quota(12, 12)}, sizes=sizes, regions=["europe-west1"])
    manifest = _with(GKE_POOL, **upgrade)
    applied = dataclasses.replace(_applied(GKE_POOL, "web"), manifest=GKE_POOL)
    planned = _plan({"node_pool": plans.Action.UPDATE}, difference)
    if not more:
        assert not world.plan(manifest, planned, applied=applied).empty
        return
    error = world.refused(manifest, planned, applied=applied)
    assert _rules(error) == [("spec.upgrade", "cloud.quota_left")]
    assert f"needs {4 * more} more N2_CPUS" in error.message


GKE = mocks.target(
    "GcpGkeCluster",
    {
        "projectId": {"value": "acme"},
        "networkSelfLink": {"value": "main"},
        "subnetworkSelfLink": {"value": "nodes"},
        "location": "europe-west1",
        "clusterSecondaryRangeName": {"value": "pods"},
        "servicesSecondaryRangeName": {"value": "services"},
        "masterIpv4CidrBlock": "172.16.0.0/28",
        "clusterName": "dev",
    },
)
GKE_CREATE = {"cluster": plans.Action.CREATE}
GKE_PLACES = [{"region": name} for name in ("europe-west1", "europe-west1-b")]


@pytest.mark.parametrize(
    ("spec", "quota", "limit", "needed"),
    [
        ({}, "SSD_TOTAL_GB", 299, 300),
        ({}, "SSD_TOTAL_GB", 300, 0),
        ({"nodeZones": ["europe-west1-b", "europe-west1-c"]}, "SSD_TOTAL_GB", 199, 200),
        ({"location": "europe-west1-b"}, "SSD_TOTAL_GB", 99, 100),
        ({"location": "europe-west1-b", "nodeZones": ["europe-west1-c"]}, "CPUS", 3, 4),
        ({}, "nodes", 2, 3),
        ({"enablePublicNodes": True}, "IN_USE_ADDRESSES", 2, 3),
        ({}, "IN_USE_ADDRESSES", 0, 0),
    ],
)
def test_the_nodes_with_which_a_cloud_creates_a_cluster_count(spec: dict[str, Any], quota: str, limit: int, needed: int) -> None:
    """They exist only for the time of the creation, in each zone one."""
    world = _world(quotas={quota: entries.Quota(0, limit)}, regions=GKE_PLACES)
    manifest = _with(GKE, **spec)
    if not needed:
        assert not world.plan(manifest, _plan(GKE_CREATE)).empty
        return
    error = world.refused(manifest, _plan(GKE_CREATE))
    assert _rules(error) == [("spec.nodeZones", "cloud.quota_left")]
    assert f"needs {needed} more {quota} while it is created, and this run {needed} in all" in error.message


def test_the_nodes_of_a_creation_are_gone_before_the_pools_count() -> None:
    """Those of two clusters exist at the same time."""
    sizes = [{"size": "n2-standard-4", "cpus": 4, "regions": ["europe-west1", "europe-west1-b"]}]
    world = _world(quotas={"nodes": entries.Quota(0, 3)}, sizes=sizes, regions=GKE_PLACES)
    assert not world.plan(GKE, _plan(GKE_CREATE)).empty
    assert not world.plan(GKE_POOL, _plan({"node_pool": plans.Action.CREATE})).empty
    other = _with(GKE, clusterName="other")
    other.metadata.name = "other"
    assert "needs 3 more nodes while it is created, and this run 6 in all" in world.refused(other, _plan(GKE_CREATE)).message


@pytest.mark.parametrize("is_given", [True, False])
def test_nodes_with_public_addresses_count_in_their_quota(*, is_given: bool) -> None:
    """The pool's cluster decides: its manifest, or else the cloud."""
    sizes = [{"size": "n2-standard-4", "cpus": 4, "regions": ["europe-west1", "europe-west1-b"]}]
    id_ = "projects/acme/locations/europe-west1-b/clusters/dev"
    there = [] if is_given else [("cluster", entries.Entry(id_, "dev", "europe-west1-b", has_public_nodes=True))]
    world = _world(*there, quotas={"IN_USE_ADDRESSES": entries.Quota(0, 2)}, sizes=sizes, regions=GKE_PLACES)
    pool = GKE_POOL
    if is_given:
        world.manifests["dev"] = _with(GKE, enablePublicNodes=True, location="europe-west1-b")
        pool = _with(GKE_POOL, clusterName={"valueFrom": {"kind": "GcpGkeCluster", "name": "dev"}})
    error = world.refused(pool, _plan({"node_pool": plans.Action.CREATE}))
    assert "needs 3 more IN_USE_ADDRESSES" in error.message


@pytest.mark.parametrize(
    ("manifest", "quota", "text"),
    [
        (VPC, "networks", "needs 1 more networks"),
        (CLUSTER, "firewalls", "needs 1 more firewalls"),
        (CLUSTER, "memory", "needs 4096 more MiB of memory"),
    ],
)
def test_every_quota_of_the_cloud_is_checked(manifest: Any, quota: str, text: str) -> None:
    """Quotas other than the number of nodes count too."""
    actions = {"network": CREATE["network"]} if manifest is VPC else {name: CREATE[name] for name in ("firewall", "cluster")}
    error = _world(quotas={quota: entries.Quota(1, 1)}).refused(manifest, _plan(actions))
    assert text in error.message


def _import(*differences: plans.Difference) -> plans.Plan:
    return _plan({"cluster": plans.Action.IMPORT}, *differences)


def test_an_import_that_changes_nothing_reads_no_list() -> None:
    """The cloud runs what it may offer no more."""
    world = _world(sizes=[], versions=[], regions=[])
    assert world.plan(CLUSTER, _import(plans.Difference("tags[0]", "a", "b")), imports={"cluster": CLUSTER_ID}).changes
    assert world.cloud.reads == {}


def test_an_import_is_refused_if_it_changes_a_value_to_one_that_is_not_offered() -> None:
    """As a plan is, with the field, before the user is asked."""
    world = _world(("cluster", RUNNING))
    changed = _import(plans.Difference("pools.size", "small", "smal"))
    error = world.refused(
        _with(CLUSTER, defaultNodePool={"size": "smal", "nodeCount": 2}), changed, imports={"cluster": CLUSTER_ID}
    )
    assert _rules(error) == [("spec.defaultNodePool.size", "cloud.size_offered")]
    assert error.reason is errors.Reason.NOT_OFFERED


def test_an_import_is_an_upgrade_of_what_runs() -> None:
    """The version of the adopted cluster counts, which no apply has recorded."""
    world = _world(("cluster", RUNNING))
    changed = _import(plans.Difference("kubernetesVersion", "1.30.2-k3s1", "1.29.0-k3s1"))
    error = world.refused(_with(CLUSTER, kubernetesVersion="1.29.0+k3s1"), changed, imports={"cluster": CLUSTER_ID})
    assert error.reason in (errors.Reason.UPGRADE_REFUSED, errors.Reason.NOT_OFFERED)
    assert "1.29.0" in error.message


def test_an_adopted_resource_takes_no_name() -> None:
    """Even if its preview failed: the resource with that name is the one that is adopted."""
    named = dataclasses.replace(RUNNING, name="prod", region="lon1")
    failed = errors.PlantonError("refused", reason=errors.Reason.UNSUPPORTED_FIELD)
    imports = {"cluster": CLUSTER_ID, "firewall": FIREWALL_ID, "node_pool-web": "p"}
    with pytest.raises(errors.PlantonError) as caught:
        _world(("cluster", named)).plan(CLUSTER, failed, imports=imports)
    assert caught.value is failed
    assert _rules(_world(("cluster", named)).refused(CLUSTER, failed)) == [("spec.clusterName", "cloud.name_free")]


def test_everything_that_is_wrong_is_reported_together() -> None:
    """A refusal of the module does not hide the other violations."""
    refused = errors.PlantonError("x", reason=errors.Reason.NOT_OFFERED)
    manifest = _with(
        CLUSTER, kubernetesVersion="1.28.0+k3s1", network={"value": OTHER_ID}, defaultNodePool={"size": "larg", "nodeCount": 9}
    )
    world = _world(("cluster", entries.Entry(OTHER_ID, "prod", "lon1")), quotas={"nodes": entries.Quota(0, 1)})
    assert {rule for _, rule in _rules(world.refused(manifest, refused))} == {
        "cloud.version_offered",
        "cloud.size_offered",
        "cloud.reference_found",
        "cloud.name_free",
        "cloud.quota_left",
    }


def test_a_refused_upgrade_together_with_a_violation_is_invalid() -> None:
    """The exit code is that of a refusal only if nothing else is wrong."""
    world = _world(("cluster", dataclasses.replace(RUNNING, version="1.30.5-k3s1")))
    manifest = _with(CLUSTER, kubernetesVersion="1.29.8-k3s1", defaultNodePool={"size": "larg", "nodeCount": 1})
    planned = _plan({"cluster": plans.Action.UPDATE}, plans.Difference("x", 1, 2))
    error = world.refused(manifest, planned, applied=_applied(CLUSTER, CLUSTER_ID))
    assert (error.code, error.reason) == (errors.Code.INVALID, errors.Reason.NOT_OFFERED)
    assert len(error.violations) == 2


@pytest.mark.parametrize("reason", [errors.Reason.CLOUD_UNREACHABLE, errors.Reason.INTERRUPTED, errors.Reason.STACK_LOCKED])
def test_a_plan_that_failed_for_another_reason_is_not_checked(reason: errors.Reason) -> None:
    """A cloud that does not respond is not called again."""
    world = _world()
    failure = errors.PlantonError("x", reason=reason)
    with pytest.raises(errors.PlantonError) as caught:
        world.plan(_with(VPC, region="lon11"), failure)
    assert caught.value is failure
    assert world.cloud.reads == {}


def test_a_refusal_that_the_lists_do_not_explain_is_unchanged() -> None:
    """A module may refuse more than a cloud lists."""
    failure = errors.PlantonError("x", reason=errors.Reason.UNSUPPORTED_FIELD)
    with pytest.raises(errors.PlantonError) as caught:
        _world().plan(VPC, failure)
    assert caught.value is failure


def test_unreadable_lists_do_not_stop_a_plan() -> None:
    """One note per run reports each of them."""
    denied = {list_name: offers.unreachable(list_name) for list_name in ("regions", "sizes", "versions", "quotas")}
    world = _world(**denied)
    for _ in range(2):
        assert not world.plan(_with(CLUSTER, kubernetesVersion="1.0.0"), _plan(CREATE)).empty
    assert sorted(note.split(" of the cloud")[0] for note in world.notes) == [
        "not checked: the Kubernetes versions",
        "not checked: the quotas",
        "not checked: the regions",
        "not checked: the sizes",
    ]
    assert all("403" in note for note in world.notes)


def test_a_response_in_an_unknown_form_does_not_stop_a_plan() -> None:
    """Any server may answer at the endpoint."""
    world = _world(("cluster", RUNNING), sizes=[{"name": "x"}])
    assert not world.plan(POOL, _plan(POOL_CREATE)).empty
    assert ["sizes" in note for note in world.notes] == [True]


def test_an_interruption_is_not_an_unreadable_list() -> None:
    """The run ends with the interruption."""
    interruption = errors.PlantonError("x", reason=errors.Reason.INTERRUPTED)
    with pytest.raises(errors.PlantonError) as caught:
        _world(("cluster", RUNNING), sizes=interruption).plan(POOL, _plan(POOL_CREATE))
    assert caught.value is interruption


def test_an_error_of_a_plugins_check_has_a_place() -> None:
    """It has one in a plan, and in an apply for values that are unknown until then."""
    failure = explain.OperationError("x", reason=errors.Reason.MANIFEST_INVALID)
    failure.faults = (check_faults.Fault("spec.networkName", "no spaces"),)
    error = _world().refused(VPC, failure)
    assert _rules(error) == [("spec.networkName", "plugin.check")]
    placed = checks.placed(failure, load.Resource(VPC, None, "f.yaml"))
    assert str(placed) == "f.yaml: spec.networkName: no spaces [plugin.check]"
    other = errors.PlantonError("x", reason=errors.Reason.ENGINE_FAILED)
    assert checks.placed(other, load.Resource(VPC, None, "f.yaml")) is other


NAMED: list[tuple[Callable[[str], Any], str, str]] = [
    (lambda text: _with(CLUSTER, network={"value": text}), "network", "spec.network"),
    (lambda text: _with(DO_CLUSTER, vpc={"value": text}), "network", "spec.vpc"),
    (lambda text: mocks.target("CivoFirewall", {"networkId": {"value": text}}), "network", "spec.networkId"),
    (lambda text: _with(CLUSTER, firewall={"value": text}), "firewall", "spec.firewall"),
    (lambda text: _with(POOL, cluster={"value": text}), "cluster", "spec.cluster"),
    (lambda text: _with(DO_POOL, cluster={"value": text}), "cluster", "spec.cluster"),
]


@pytest.mark.parametrize(("manifest", "resource_type", "path"), NAMED)
def test_a_literal_name_is_resolved_to_the_id(manifest: Callable[[str], Any], resource_type: str, path: str) -> None:
    """An ID is used as it is, and the caller's manifest is not changed."""
    twins = [entries.Entry(FIREWALL_ID, "twin"), entries.Entry(OTHER_ID, "twin")]
    world = World(offers.Cloud({resource_type: [entries.Entry(NET_ID, "one"), *twins]}))

    def resolved(text: str) -> str:
        original = manifest(text)
        stack_input = world.checks.resolved(load.Resource(original, None, "f.yaml"), mocks.stack_input(original))
        field = literal_of(stack_input.target, path)
        assert literal_of(original, path).value == text
        return str(field.value)

    assert (resolved("one"), resolved(OTHER_ID), resolved(CLUSTER_ID)) == (NET_ID, OTHER_ID, CLUSTER_ID)
    with pytest.raises(errors.InvalidError) as caught:
        resolved("twin")
    assert (caught.value.code, caught.value.reason) == (errors.Code.INVALID, errors.Reason.AMBIGUOUS)
    assert _rules(caught.value) == [(path, "cloud.reference_unambiguous")]
    assert caught.value.metadata["ids"] == f"{FIREWALL_ID},{OTHER_ID}"
    with pytest.raises(
        errors.InvalidError, match=f"no {resource_type} has the name or id 'on' in LON1; {resource_type}s there: one, twin"
    ) as caught:
        resolved("on")
    assert caught.value.reason is errors.Reason.NOT_FOUND


@dataclasses.dataclass
class Regions:
    """An account whose regions have different clusters."""

    clusters: Mapping[str, list[entries.Entry]]

    def resolved(self, region: str) -> Any:
        """Returns the stack input of a pool that names the cluster ``shop``; the account chooses the region."""

        def connect(config: Any, chosen: str) -> offers.Cloud:
            code = (
                chosen
                or config.DESCRIPTOR.fields_by_name["default_region"].enum_type.values_by_number[config.default_region].name
            )
            return offers.Cloud({"cluster": list(self.clusters.get(code, ()))}, where=code.upper())

        manifest = _with(POOL, cluster={"value": "shop"})
        stack_input = mocks.stack_input(manifest, default_region=region)
        return checks.Checks(str, open_cloud=connect).resolved(load.Resource(manifest, None, "f.yaml"), stack_input)


def test_a_cluster_in_another_region_is_found_by_its_name() -> None:
    """A pool has no region of its own: it is in the region of its cluster."""
    resolved = Regions({"fra1": [RUNNING]}).resolved("lon1")
    assert resolved.target.spec.cluster.value == CLUSTER_ID
    assert provider_pb2.CivoProviderConfig(default_region=resolved.provider_config.default_region) == (
        provider_pb2.CivoProviderConfig(default_region=region_pb2.fra1)
    )


def test_a_cluster_of_the_accounts_region_goes_before_others() -> None:
    """Its name is looked up in other regions only if it is missing there."""
    other = dataclasses.replace(RUNNING, id=OTHER_ID)
    assert Regions({"fra1": [RUNNING], "lon1": [other]}).resolved("lon1").target.spec.cluster.value == OTHER_ID


def test_a_cluster_that_no_region_or_several_have_is_refused() -> None:
    """The error names the regions that were searched, or that have it."""
    with pytest.raises(errors.InvalidError, match="in LON1; clusters there: none; none in fra1, nyc1, nyc3 either"):
        Regions({}).resolved("lon1")
    with pytest.raises(errors.InvalidError, match="clusters in fra1, nyc1 have the name 'shop'"):
        Regions({"fra1": [RUNNING], "nyc1": [RUNNING]}).resolved("lon1")


def literal_of(manifest: Any, path: str) -> Any:
    """Returns the literal at a path of the spec."""
    spec = manifest.spec
    return next(getattr(spec, field.name) for field in spec.DESCRIPTOR.fields if f"spec.{field.json_name}" == path)


def test_a_name_is_unchanged_if_its_list_cannot_be_read() -> None:
    """The module looks the name up later."""

    class Denied(offers.Cloud):
        def listed(self, resource_type: str) -> list[entries.Entry]:
            raise offers.unreachable(resource_type)

    world = World(Denied())
    manifest = _with(POOL, cluster={"value": "one"})
    stack_input = world.checks.resolved(load.Resource(manifest, None, "f.yaml"), mocks.stack_input(manifest))
    assert stack_input.target.spec.cluster.value == "one"
    assert len(world.notes) == 1
