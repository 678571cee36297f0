"""DigitalOceanKubernetesCluster: what the module asks for, given what runs."""

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


def _running(**facts: Any) -> mocks.DigitalOcean:
    return mocks.DigitalOcean(clusters={"prod": mocked_digitalocean.Cluster(**facts)}, own="prod")


def test_a_cluster_has_just_what_the_manifest_says() -> None:
    """Switches are sent in either state, because the cloud's own defaults change; what is unset is not sent."""
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


def test_the_kubeconfig_is_a_secret_in_base64() -> None:
    """It holds a token with which everything is allowed."""
    kubeconfig = base64.b64encode(b"apiVersion: v1\n").decode()
    assert _plan().outputs == {
        "cluster_id": "id-of-cluster",
        "kubeconfig": mocks.Secret(kubeconfig),
        "api_server_endpoint": "https://10.0.0.1",
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
    """Under the plugin's name and in its form."""
    assert _cluster(**spec)[argument] == value
    assert _cluster().get(argument) != value or argument == "vpcUuid"


@pytest.mark.parametrize("name", ["net", "nowhere"])
def test_a_network_is_found_by_its_exact_name_only(name: str) -> None:
    """A cluster in the wrong network is worse than none."""
    with pytest.raises(errors.PlantonError, match=f"no network has the name or id '{name}' in this account") as caught:
        _plan(vpc={"value": name})
    assert (caught.value.reason, caught.value.metadata["what"]) == (errors.Reason.NOT_FOUND, "network")


def test_a_name_that_two_networks_have_is_no_answer() -> None:
    """Names are unique in a region only by habit."""
    cloud = mocks.DigitalOcean(networks=(("net-a", "1"), ("net-a", "2")))
    with pytest.raises(errors.PlantonError, match="several networks have the name 'net-a'") as caught:
        _plan(cloud=cloud, vpc={"value": "net-a"})
    assert caught.value.reason is errors.Reason.AMBIGUOUS


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        ("GET https://x/v2/vpcs: 401 Unable to authenticate you", errors.Reason.CLOUD_AUTH),
        ("GET https://x/v2/vpcs: 500 boom", errors.Reason.CLOUD_FAILED),
    ],
)
@pytest.mark.usefixtures("impatient")
def test_a_cloud_that_cannot_be_asked_is_not_a_cluster_that_is_not_there(failure: str, reason: errors.Reason) -> None:
    """Taking one for the other could replace the cluster."""
    with pytest.raises(errors.PlantonError, match="failed to look up the cluster 'prod' in this account") as caught:
        _plan(cloud=mocks.DigitalOcean(failure=failure, own="prod"))
    assert caught.value.reason is reason


@pytest.mark.parametrize("version", ["1.33.7-do.0", "1.33", "1.33.1", "latest", "v1.33.1-do.0"])
@pytest.mark.parametrize("automatic", [False, True])
@pytest.mark.parametrize("runs", ["", "1.33.1-do.0"])
def test_a_version_that_is_not_offered_is_refused_with_those_that_are(version: str, runs: str, *, automatic: bool) -> None:
    """Short ones too, whatever runs: the cloud makes a full one of them, and the plugin then replaces the cluster."""
    cloud = _running(version=runs) if runs else mocks.DigitalOcean()
    with pytest.raises(errors.PlantonError) as caught:
        _plan(cloud=cloud, kubernetesVersion=version, autoUpgrade=automatic)
    assert caught.value.reason is errors.Reason.NOT_OFFERED
    assert caught.value.message.endswith("by DigitalOcean; offered: 1.34.1-do.0, 1.33.1-do.0, 1.33.0-do.0, 1.32.5-do.0")
    assert "planton versions --provider digitalocean" in caught.value.hint


@pytest.mark.parametrize(("runs", "fine"), [("1.31.9-do.3", True), ("1.31.9-do.2", False), (None, False)])
def test_a_withdrawn_version_stays_good_for_the_cluster_that_runs_it(runs: str | None, *, fine: bool) -> None:
    """Nobody is forced to upgrade by a change of something else."""
    cloud = _running(version=runs) if runs else mocks.DigitalOcean()
    if fine:
        assert _cluster(cloud=cloud, kubernetesVersion="1.31.9-do.3")["version"] == "1.31.9-do.3"
    else:
        with pytest.raises(errors.PlantonError, match="is not offered by DigitalOcean"):
            _plan(cloud=cloud, kubernetesVersion="1.31.9-do.3")


@pytest.mark.parametrize(
    ("runs", "wanted", "said"),
    [
        ("1.33.1-do.0", "1.33.0-do.0", "1.33.0-do.0 is older than 1.33.1-do.0"),
        ("1.33.1-do.0", "1.32.5-do.0", "1.32.5-do.0 is older than 1.33.1-do.0"),
        ("1.32.5-do.0", "1.34.1-do.0", "from 1.32.5-do.0 to 1.34.1-do.0 skips a minor version"),
    ],
)
def test_an_upgrade_that_kubernetes_cannot_do_is_refused(runs: str, wanted: str, said: str) -> None:
    """For the plugin an older version means another cluster."""
    with pytest.raises(errors.PlantonError, match=said) as caught:
        _plan(cloud=_running(version=runs), kubernetesVersion=wanted)
    assert (caught.value.code, caught.value.reason) == (errors.Code.REFUSED, errors.Reason.UPGRADE_REFUSED)


@pytest.mark.parametrize(
    ("runs", "wanted", "kind"),
    [
        ("1.33.0-do.0", "1.33.1-do.0", "patch"),
        ("1.33.1-do.0", "1.34.1-do.0", "minor"),
        ("1.33.1-do.0", "1.33.1-do.0", ""),
    ],
)
def test_a_note_says_what_kind_of_upgrade_it_is(runs: str, wanted: str, kind: str) -> None:
    """A minor one may break what uses removed APIs."""
    warnings = _plan(cloud=_running(version=runs), kubernetesVersion=wanted).warnings
    assert [f"is a {kind} upgrade" in warning for warning in warnings] == ([True] if kind else [])


@pytest.mark.parametrize(("automatic", "ignored"), [(True, ["version"]), (False, None)])
def test_a_patch_that_the_cloud_has_installed_is_no_change(ignored: list[str] | None, *, automatic: bool) -> None:
    """Where the cloud was told to install patches, a newer one of the same minor is what was wanted."""
    cloud = _running(version="1.33.1-do.0", auto_upgrade=automatic)
    if ignored is None:
        with pytest.raises(errors.PlantonError, match="Kubernetes cannot go back"):
            _plan(cloud=cloud, kubernetesVersion="1.33.0-do.0")
    else:
        planned = _plan(cloud=cloud, kubernetesVersion="1.33.0-do.0", autoUpgrade=True)
        assert planned.resources["cluster"].options["ignore_changes"] == ignored
        assert planned.warnings == []


def test_automatic_upgrades_take_nobody_to_another_minor_version() -> None:
    """The cloud installs patches only, so an older minor in the manifest is a mistake."""
    with pytest.raises(errors.PlantonError, match=r"1\.32\.5-do\.0 is older than 1\.33\.1-do\.0"):
        _plan(cloud=_running(version="1.33.1-do.0"), kubernetesVersion="1.32.5-do.0", autoUpgrade=True)
    planned = _plan(cloud=_running(version="1.33.1-do.0"), kubernetesVersion="1.34.1-do.0", autoUpgrade=True)
    assert "ignore_changes" not in planned.resources["cluster"].options


@pytest.mark.parametrize(("runs", "wanted", "fine"), [(True, True, True), (False, True, True), (True, False, False)])
def test_high_availability_cannot_be_switched_off(*, runs: bool, wanted: bool, fine: bool) -> None:
    """Switched on it can be; the cloud would refuse the opposite in the middle of an apply."""
    cloud = _running(ha=runs)
    if fine:
        assert _cluster(cloud=cloud, highlyAvailable=wanted)["ha"] is wanted
        return
    with pytest.raises(errors.PlantonError, match="DigitalOcean cannot switch that off") as caught:
        _plan(cloud=cloud, highlyAvailable=wanted)
    assert (caught.value.code, caught.value.reason) == (errors.Code.REFUSED, errors.Reason.UNSUPPORTED_FIELD)
    assert caught.value.metadata == {"fields": "spec.highlyAvailable"}


RUNS = mocked_digitalocean.Cluster(version="1.33.1-do.0", ha=True)
OTHER = mocked_digitalocean.Cluster(id="other", version="1.34.1-do.0")


@pytest.mark.parametrize(
    "clusters",
    [{"before": RUNS}, {"before": RUNS, "prod": OTHER}, {"before": OTHER}, {"elsewhere": RUNS}],
    ids=["alone", "beside the new name", "another first", "renamed elsewhere"],
)
def test_a_renamed_cluster_is_the_one_that_was_there(clusters: dict[str, mocked_digitalocean.Cluster]) -> None:
    """It is known by its id; where the cloud does not find it by the name that it had, the state knows what it ran."""
    cloud = mocks.DigitalOcean(clusters=clusters, own="before", known=RUNS)
    with pytest.raises(errors.PlantonError, match=r"1\.32\.5-do\.0") as caught:
        _plan(cloud=cloud, kubernetesVersion="1.32.5-do.0", highlyAvailable=True)
    assert caught.value.reason is errors.Reason.UPGRADE_REFUSED
    with pytest.raises(errors.PlantonError, match="DigitalOcean cannot switch that off"):
        _plan(cloud=cloud)
    assert _cluster(cloud=cloud, highlyAvailable=True)["name"] == "prod"


def test_a_new_cluster_is_not_taken_for_another_of_its_name() -> None:
    """The cloud allows several of one name; which of them is to be imported, its id says."""
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
    ("wanted", "runs", "sent"),
    [
        ([], {"allowed": None}, None),
        ([], {"allowed": (), "closed": False}, None),
        ([], {"allowed": ("203.0.113.7",)}, {"enabled": False, "allowedAddresses": []}),
        (["203.0.113.9"], {"allowed": None}, {"enabled": True, "allowedAddresses": ["203.0.113.9"]}),
        (["203.0.113.9"], {"allowed": ("203.0.113.7",)}, {"enabled": True, "allowedAddresses": ["203.0.113.9"]}),
    ],
)
def test_the_control_planes_firewall_is_closed_and_opened(wanted: list[str], runs: dict[str, Any], sent: Any) -> None:
    """One that nobody asked for is not mentioned; one that is on and no longer wanted is switched off."""
    planned = _plan(cloud=_running(**runs), controlPlaneFirewallAllowedIps=wanted)
    assert planned.resources["cluster"].inputs.get("controlPlaneFirewall") == sent
    assert [warning.split(":")[0] for warning in planned.warnings] == ([] if wanted else ["spec.controlPlaneFirewallAllowedIps"])


def test_tags_are_the_standard_ones_and_the_users_each_once() -> None:
    """In characters that a tag may have; case means nothing to the cloud, the user's spelling wins, and a refresh sorts them."""
    tags = ["team:a", "TEAM:A", "Planton-Resource:True"]
    assert _cluster(metadata={"name": "dev.one", "org": "acme corp", "env": "dev"}, tags=tags)["tags"] == [
        "Planton-Resource:True",
        "TEAM:A",
        "planton-environment:dev",
        "planton-organization:acme-corp",
        "planton-resource-kind:DigitalOceanKubernetesCluster",
        "planton-resource-name:dev-one",
    ]


def test_the_default_pool_has_what_any_pool_has() -> None:
    """Labels, taints, tags and an autoscaler, whose number is then left alone."""
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


def test_additional_pools_are_named_after_themselves() -> None:
    """Reordering them changes no resource; each carries the labels of the cluster's manifest under its own."""
    planned, reordered = _plan(additionalNodePools=POOLS), _plan(additionalNodePools=POOLS[::-1])
    assert planned.resources == reordered.resources
    made = {name.removeprefix("node_pool-"): pool for name, pool in planned.resources.items() if name.startswith("node_pool-")}
    assert made.keys() == {"web", "db", "jobs"}
    assert {pool.inputs["clusterId"] for pool in made.values()} == {"id-of-cluster"}
    assert made["web"].inputs["labels"] == {**STANDARD, "role": "web"}
    assert made["db"].inputs["taints"] == [{"key": "db", "value": "", "effect": "NoSchedule"}]
    assert ["taints" in pool.inputs for pool in made.values()].count(True) == 1
    assert {name: pool.options.get("ignore_changes") for name, pool in made.items()} == {
        "web": None,
        "db": None,
        "jobs": ["nodeCount"],
    }
    assert [warning.split(":")[0] for warning in planned.warnings] == ["spec.additionalNodePools[2].maxNodes"]


def test_a_plan_works_while_ids_are_not_known() -> None:
    """A preview of everything at once registers the same resources."""
    given = mocks.stack_input(mocks.target("DigitalOceanKubernetesCluster", {**SPEC, "additionalNodePools": POOLS}))
    assert mocks.plan(given, preview=True).resources.keys() == mocks.plan(given).resources.keys()


def test_an_unresolved_reference_names_both_ends() -> None:
    """A module cannot look up manifests, so it says which command writes a resolved stack input."""
    with pytest.raises(errors.PlantonError, match=r"spec\.vpc of 'dev' refers to 'main'") as caught:
        _plan(vpc={"valueFrom": {"name": "main"}})
    assert caught.value.reason is errors.Reason.REFERENCE_UNRESOLVED


def test_a_removed_maintenance_window_stays_and_is_named() -> None:
    """The plugin takes a missing policy for any policy, so that nothing would be planned."""
    manifest = json.dumps({"spec": {"maintenanceWindow": "sunday=02:00"}})
    with own.state({"resources": [{"urn": "s", "type": "pulumi:pulumi:Stack", "outputs": {"manifest": manifest}}]}):
        [warning] = _plan().warnings
        assert _plan(maintenanceWindow="any=04:00").warnings == []
    assert "spec.maintenanceWindow" in warning
    assert "sunday=02:00" in warning
