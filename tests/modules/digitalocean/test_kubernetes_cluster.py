"""DigitalOceanKubernetesCluster: the requested resources, for new and running clusters."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from planton import errors
from planton.modules import own
from support import mocked_digitalocean, mocks

SPEC = {
    "clusterName": "prod",
    "region": "fra1",
    "kubernetesVersion": "1.33.1-do.0",
    "vpc": {"value": mocks.NETWORK_ID},
    "controlPlaneFirewallAllowedIps": ["203.0.113.7"],
    "defaultNodePool": {"size": "s-2vcpu-4gb", "nodeCount": 2},
}
STANDARD = {
    "planton-resource": "true",
    "planton-resource-name": "dev",
    "planton-resource-kind": "DigitalOceanKubernetesCluster",
}


def _plan(metadata: dict[str, Any] | None = None, cloud: mocks.DigitalOcean | None = None, **spec: Any) -> mocks.Planned:
    fields = {name: value for name, value in {**SPEC, **spec}.items() if value is not None}
    manifest = mocks.target("DigitalOceanKubernetesCluster", fields, **(metadata or {}))
    return mocks.plan(mocks.stack_input(manifest), cloud=cloud)


def _cluster(**spec: Any) -> dict[str, Any]:
    return _plan(**spec).resources["cluster"].inputs


def _running(**attributes: Any) -> mocks.DigitalOcean:
    return mocks.DigitalOcean(clusters={"prod": mocked_digitalocean.Cluster(**attributes)}, own="prod")


def test_a_cluster_has_only_the_fields_of_the_manifest() -> None:
    """Booleans are always sent, because the cloud's defaults change. Other unset fields are not sent."""
    planned = _plan()
    assert planned.resources.keys() == {"digitalocean", "cluster"}
    assert planned.resources["cluster"] == mocks.Recorded(
        "digitalocean:index/kubernetesCluster:KubernetesCluster",
        {
            "name": "prod",
            "region": "fra1",
            "version": "1.33.1-do.0",
            "vpcUuid": mocks.NETWORK_ID,
            "ha": False,
            "autoUpgrade": False,
            "surgeUpgrade": True,
            "registryIntegration": False,
            "controlPlaneFirewall": {"enabled": True, "allowedAddresses": ["203.0.113.7"]},
            "tags": sorted(f"{key}:{value}" for key, value in STANDARD.items()),
            "nodePool": {"name": "default", "size": "s-2vcpu-4gb", "nodeCount": 2, "autoScale": False, "labels": STANDARD},
        },
        {"provider": "digitalocean", "delete_before_replace": True},
    )
    assert planned.warnings == []


def test_the_outputs_are_complete_and_the_kubeconfig_is_a_secret() -> None:
    """It contains an administrator's token, in base64."""
    kubeconfig = base64.b64encode(b"apiVersion: v1\n").decode()
    assert _plan().outputs == {
        "cluster_id": "id-of-cluster",
        "kubeconfig": mocks.Secret(kubeconfig),
        "api_server_endpoint": "https://10.0.0.1",
        "status": "running",
        "kubernetes_version": "1.33.1-do.0",
        "node_names": ["default-1"],
        "node_count": 1,
        "node_pools": ["default"],
    }


@pytest.mark.parametrize(
    ("spec", "argument", "value"),
    [
        ({"highlyAvailable": True}, "ha", True),
        ({"autoUpgrade": True}, "autoUpgrade", True),
        ({"disableSurgeUpgrade": True}, "surgeUpgrade", False),
        ({"registryIntegration": True}, "registryIntegration", True),
        ({"maintenanceWindow": "sunday=02:00"}, "maintenancePolicy", {"day": "sunday", "startTime": "02:00"}),
        ({"maintenanceWindow": "any=23:59"}, "maintenancePolicy", {"day": "any", "startTime": "23:59"}),
        ({"region": "nyc3"}, "region", "nyc3"),
        ({"vpc": {"value": "net-a"}}, "vpcUuid", mocks.NETWORK_ID),
    ],
)
def test_each_setting_reaches_its_argument(spec: dict[str, Any], argument: str, value: Any) -> None:
    """Names and values have the plugin's form."""
    assert _cluster(**spec)[argument] == value
    assert _cluster().get(argument) != value or argument == "vpcUuid"


@pytest.mark.parametrize("name", ["net", "nowhere"])
def test_a_network_is_found_only_by_its_exact_name(name: str) -> None:
    """A cluster must not be created in the wrong network."""
    with pytest.raises(errors.PlantonError, match=f"no network has the name or id '{name}' in this account") as caught:
        _plan(vpc={"value": name})
    assert (caught.value.reason, caught.value.metadata["what"]) == (errors.Reason.NOT_FOUND, "network")


def test_an_ambiguous_network_name_is_an_error() -> None:
    """The cloud does not require unique names."""
    cloud = mocks.DigitalOcean(networks=(("net-a", "1"), ("net-a", "2")))
    with pytest.raises(errors.PlantonError, match="several networks have the name 'net-a'") as caught:
        _plan(cloud=cloud, vpc={"value": "net-a"})
    assert caught.value.reason is errors.Reason.AMBIGUOUS


def test_an_unreachable_cloud_is_not_a_missing_cluster() -> None:
    """Confusing them could replace the cluster."""
    failure = "GET https://x/v2/vpcs: 401 Unable to authenticate you"
    with pytest.raises(errors.PlantonError, match="failed to look up the cluster 'prod' in this account") as caught:
        _plan(cloud=mocks.DigitalOcean(failure=failure, own="prod"))
    assert caught.value.reason is errors.Reason.CLOUD_AUTH


@pytest.mark.parametrize("version", ["1.33.7-do.0", "1.33", "1.33.1", "latest", "v1.33.1-do.0"])
@pytest.mark.parametrize("automatic", [False, True])
@pytest.mark.parametrize("running", ["", "1.33.1-do.0"])
def test_a_version_that_is_not_offered_is_refused_with_the_offered_versions(
    version: str, running: str, *, automatic: bool
) -> None:
    """Short versions are refused too: the cloud completes them, and the plugin then replaces the cluster."""
    cloud = _running(version=running) if running else mocks.DigitalOcean()
    with pytest.raises(errors.PlantonError) as caught:
        _plan(cloud=cloud, kubernetesVersion=version, autoUpgrade=automatic)
    assert caught.value.reason is errors.Reason.NOT_OFFERED
    assert caught.value.message.endswith("by DigitalOcean; offered: 1.34.1-do.0, 1.33.1-do.0, 1.33.0-do.0, 1.32.5-do.0")
    assert "planton versions --provider digitalocean" in caught.value.hint


@pytest.mark.parametrize(("running", "is_valid"), [("1.31.9-do.3", True), ("1.31.9-do.2", False), (None, False)])
def test_a_withdrawn_version_stays_valid_for_the_cluster_that_runs_it(running: str | None, *, is_valid: bool) -> None:
    """A change of another field must not force an upgrade."""
    cloud = _running(version=running) if running else mocks.DigitalOcean()
    if is_valid:
        assert _cluster(cloud=cloud, kubernetesVersion="1.31.9-do.3")["version"] == "1.31.9-do.3"
    else:
        with pytest.raises(errors.PlantonError, match="is not offered by DigitalOcean"):
            _plan(cloud=cloud, kubernetesVersion="1.31.9-do.3")


@pytest.mark.parametrize(
    ("running", "version", "message"),
    [
        ("1.33.1-do.0", "1.33.0-do.0", "1.33.0-do.0 is older than 1.33.1-do.0"),
        ("1.33.1-do.0", "1.32.5-do.0", "1.32.5-do.0 is older than 1.33.1-do.0"),
        ("1.32.5-do.0", "1.34.1-do.0", "from 1.32.5-do.0 to 1.34.1-do.0 skips a minor version"),
    ],
)
def test_downgrades_and_skipped_minor_versions_are_refused(running: str, version: str, message: str) -> None:
    """The plugin would replace the cluster for an older version."""
    with pytest.raises(errors.PlantonError, match=message) as caught:
        _plan(cloud=_running(version=running), kubernetesVersion=version)
    assert (caught.value.code, caught.value.reason) == (errors.Code.REFUSED, errors.Reason.UPGRADE_REFUSED)


@pytest.mark.parametrize(
    ("running", "version", "kind"),
    [
        ("1.33.0-do.0", "1.33.1-do.0", "patch"),
        ("1.33.1-do.0", "1.34.1-do.0", "minor"),
        ("1.33.1-do.0", "1.33.1-do.0", ""),
    ],
)
def test_an_upgrade_is_noted_as_patch_or_minor(running: str, version: str, kind: str) -> None:
    """A minor upgrade may break users of removed APIs."""
    warnings = _plan(cloud=_running(version=running), kubernetesVersion=version).warnings
    assert [f"is a {kind} upgrade" in warning for warning in warnings] == ([True] if kind else [])


@pytest.mark.parametrize(("automatic", "ignored"), [(True, ["version"]), (False, None)])
def test_a_patch_installed_by_automatic_upgrades_is_not_a_change(ignored: list[str] | None, *, automatic: bool) -> None:
    """With automatic upgrades, a newer patch of the same minor version satisfies the manifest."""
    cloud = _running(version="1.33.1-do.0", auto_upgrade=automatic)
    if ignored is None:
        with pytest.raises(errors.PlantonError, match="Kubernetes cannot go back"):
            _plan(cloud=cloud, kubernetesVersion="1.33.0-do.0")
    else:
        planned = _plan(cloud=cloud, kubernetesVersion="1.33.0-do.0", autoUpgrade=True)
        assert planned.resources["cluster"].options["ignore_changes"] == ignored
        assert planned.warnings == []


def test_automatic_upgrades_do_not_change_the_minor_version() -> None:
    """The cloud installs patches only, so an older minor version in the manifest is an error."""
    with pytest.raises(errors.PlantonError, match=r"1\.32\.5-do\.0 is older than 1\.33\.1-do\.0"):
        _plan(cloud=_running(version="1.33.1-do.0"), kubernetesVersion="1.32.5-do.0", autoUpgrade=True)
    planned = _plan(cloud=_running(version="1.33.1-do.0"), kubernetesVersion="1.34.1-do.0", autoUpgrade=True)
    assert "ignore_changes" not in planned.resources["cluster"].options


@pytest.mark.parametrize(
    ("running", "highly_available", "is_valid"), [(True, True, True), (False, True, True), (True, False, False)]
)
def test_high_availability_cannot_be_switched_off(*, running: bool, highly_available: bool, is_valid: bool) -> None:
    """Switching it on is allowed. The cloud would refuse the opposite in the middle of an apply."""
    cloud = _running(ha=running)
    if is_valid:
        assert _cluster(cloud=cloud, highlyAvailable=highly_available)["ha"] is highly_available
        return
    with pytest.raises(errors.PlantonError, match="DigitalOcean cannot switch that off") as caught:
        _plan(cloud=cloud, highlyAvailable=highly_available)
    assert (caught.value.code, caught.value.reason) == (errors.Code.REFUSED, errors.Reason.UNSUPPORTED_FIELD)
    assert caught.value.metadata == {"fields": "spec.highlyAvailable"}


RUNNING = mocked_digitalocean.Cluster(version="1.33.1-do.0", ha=True)
OTHER = mocked_digitalocean.Cluster(id="other", version="1.34.1-do.0")


@pytest.mark.parametrize(
    "clusters",
    [{"before": RUNNING}, {"before": RUNNING, "prod": OTHER}, {"before": OTHER}, {"elsewhere": RUNNING}],
    ids=["alone", "next to the new name", "another first", "renamed elsewhere"],
)
def test_a_renamed_cluster_is_identified_by_its_id(clusters: dict[str, mocked_digitalocean.Cluster]) -> None:
    """If the cloud has no cluster of the old name, the state has the running version."""
    cloud = mocks.DigitalOcean(clusters=clusters, own="before", own_settings=RUNNING)
    with pytest.raises(errors.PlantonError, match=r"1\.32\.5-do\.0") as caught:
        _plan(cloud=cloud, kubernetesVersion="1.32.5-do.0", highlyAvailable=True)
    assert caught.value.reason is errors.Reason.UPGRADE_REFUSED
    with pytest.raises(errors.PlantonError, match="DigitalOcean cannot switch that off"):
        _plan(cloud=cloud)
    assert _cluster(cloud=cloud, highlyAvailable=True)["name"] == "prod"


def test_a_new_cluster_is_not_confused_with_another_of_its_name() -> None:
    """The cloud allows several clusters of one name. The id identifies the imported one."""
    clusters = {"prod": mocked_digitalocean.Cluster(id="other", version="1.34.1-do.0", ha=True)}
    cloud = mocks.DigitalOcean(clusters=clusters)
    assert _cluster(cloud=cloud)["version"] == "1.33.1-do.0"
    manifest = mocks.target("DigitalOceanKubernetesCluster", SPEC)
    manifest.status.outputs.cluster_id = "other"
    with pytest.raises(errors.PlantonError, match="DigitalOcean cannot switch that off"):
        mocks.plan(mocks.stack_input(manifest), cloud=cloud)
    manifest.status.outputs.cluster_id = "a third one"
    assert mocks.plan(mocks.stack_input(manifest), cloud=cloud).resources["cluster"].inputs["ha"] is False


@pytest.mark.parametrize(
    ("allowed_ips", "running", "expected"),
    [
        ([], {"allowed": None}, None),
        ([], {"allowed": (), "closed": False}, None),
        ([], {"allowed": ("203.0.113.7",)}, {"enabled": False, "allowedAddresses": []}),
        (["203.0.113.9"], {"allowed": None}, {"enabled": True, "allowedAddresses": ["203.0.113.9"]}),
        (["203.0.113.9"], {"allowed": ("203.0.113.7",)}, {"enabled": True, "allowedAddresses": ["203.0.113.9"]}),
    ],
)
def test_the_control_plane_firewall_is_switched_on_and_off(
    allowed_ips: list[str], running: dict[str, Any], expected: Any
) -> None:
    """A firewall that was never configured is not sent. One that was removed from the manifest is switched off."""
    planned = _plan(cloud=_running(**running), controlPlaneFirewallAllowedIps=allowed_ips)
    assert planned.resources["cluster"].inputs.get("controlPlaneFirewall") == expected
    assert [warning.split(":")[0] for warning in planned.warnings] == (
        [] if allowed_ips else ["spec.controlPlaneFirewallAllowedIps"]
    )


def test_tags_are_standard_and_user_tags_without_duplicates() -> None:
    """The cloud ignores case, so the user's spelling is kept. Tags are sorted as a refresh sorts them."""
    tags = ["team:a", "TEAM:A", "Planton-Resource:True"]
    assert _cluster(metadata={"name": "dev.one", "org": "acme corp", "env": "dev"}, tags=tags)["tags"] == [
        "Planton-Resource:True",
        "TEAM:A",
        "planton-environment:dev",
        "planton-organization:acme-corp",
        "planton-resource-kind:DigitalOceanKubernetesCluster",
        "planton-resource-name:dev-one",
    ]


def test_the_default_pool_supports_all_fields_of_a_pool() -> None:
    """With an autoscaler, changes of the node count are ignored."""
    pool = {"autoScale": True, "minNodes": 0, "maxNodes": 3, "labels": {"a": "b"}, "tags": ["x"]}
    taint = {"key": "sacrificial", "effect": "NoSchedule"}
    planned = _plan(defaultNodePool={**SPEC["defaultNodePool"], **pool, "taints": [taint]}).resources["cluster"]
    assert planned.inputs["nodePool"] == {
        "name": "default",
        "size": "s-2vcpu-4gb",
        "nodeCount": 2,
        "autoScale": True,
        "minNodes": 0,
        "maxNodes": 3,
        "labels": {**STANDARD, "a": "b"},
        "tags": ["x"],
        "taints": [{**taint, "value": ""}],
    }
    assert planned.options["ignore_changes"] == ["nodePool.nodeCount"]


POOLS = [
    {"name": "web", "size": "s-2vcpu-4gb", "nodeCount": 1, "labels": {"role": "web"}},
    {"name": "db", "size": "m-2vcpu-16gb", "nodeCount": 2, "taints": [{"key": "db", "effect": "NoSchedule"}], "tags": ["db"]},
    {"name": "jobs", "size": "c-4", "nodeCount": 1, "autoScale": True, "minNodes": 0, "maxNodes": 99},
]


def test_the_resource_name_of_an_additional_pool_contains_its_name() -> None:
    """So reordering changes no resource. Each pool has the labels of the cluster's manifest."""
    planned, reordered = _plan(additionalNodePools=POOLS), _plan(additionalNodePools=POOLS[::-1])
    assert planned.resources == reordered.resources
    pools = {name.removeprefix("node_pool-"): pool for name, pool in planned.resources.items() if name.startswith("node_pool-")}
    assert pools.keys() == {"web", "db", "jobs"}
    assert {pool.inputs["clusterId"] for pool in pools.values()} == {"id-of-cluster"}
    assert pools["web"].inputs["labels"] == {**STANDARD, "role": "web"}
    assert pools["db"].inputs["taints"] == [{"key": "db", "value": "", "effect": "NoSchedule"}]
    assert ["taints" in pool.inputs for pool in pools.values()].count(True) == 1
    assert {name: pool.options.get("ignore_changes") for name, pool in pools.items()} == {
        "web": None,
        "db": None,
        "jobs": ["nodeCount"],
    }
    assert [warning.split(":")[0] for warning in planned.warnings] == ["spec.additionalNodePools[2].maxNodes"]


def test_a_plan_works_with_unknown_ids() -> None:
    """A preview of a whole environment registers the same resources."""
    stack_input = mocks.stack_input(mocks.target("DigitalOceanKubernetesCluster", {**SPEC, "additionalNodePools": POOLS}))
    assert mocks.plan(stack_input, preview=True).resources.keys() == mocks.plan(stack_input).resources.keys()


def test_an_unresolved_reference_names_both_ends() -> None:
    """A module cannot read manifests, so the hint names the command that writes a resolved stack input."""
    with pytest.raises(errors.PlantonError, match=r"spec\.vpc of 'dev' refers to 'main'") as caught:
        _plan(vpc={"valueFrom": {"name": "main"}})
    assert caught.value.reason is errors.Reason.REFERENCE_UNRESOLVED


def test_a_removed_maintenance_window_stays_and_is_a_warning() -> None:
    """To the plugin a missing policy equals every policy, so no change is planned."""
    manifest = json.dumps({"spec": {"maintenanceWindow": "sunday=02:00"}})
    with own.state({"resources": [{"urn": "s", "type": "pulumi:pulumi:Stack", "outputs": {"manifest": manifest}}]}):
        [warning] = _plan().warnings
        assert _plan(maintenanceWindow="any=04:00").warnings == []
    assert "spec.maintenanceWindow" in warning
    assert "sunday=02:00" in warning


def test_settings_of_the_autoscaler_without_an_autoscaled_pool_are_a_warning() -> None:
    """The pools of other manifests may be autoscaled, so they are sent all the same."""
    planned = _plan(autoscaler={"scaleDownUtilizationThreshold": 65, "scaleDownUnneededTime": "90m"})
    assert any("spec.autoscaler" in warning for warning in planned.warnings)
    assert not any("spec.autoscaler" in warning for warning in _plan().warnings)
