"""CivoKubernetesCluster: the requested resources."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from planton import errors
from planton.modules import own
from planton.modules.civo.kubernetes_cluster import program as kubernetes_cluster
from support import mocks

SPEC = {
    "clusterName": "prod",
    "region": "lon1",
    "kubernetesVersion": "1.30.5-k3s1",
    "clusterType": "k3s",
    "network": {"value": mocks.NETWORK_ID},
    "firewall": {"value": mocks.FIREWALL_ID},
    "defaultNodePool": {"size": "g4s.kube.small", "nodeCount": 2},
}


def _plan(
    metadata: dict[str, Any] | None = None, cloud: mocks.Civo | None = None, *, without: str = "", **spec: Any
) -> mocks.Planned:
    fields = {name: value for name, value in {**SPEC, **spec}.items() if name != without}
    return mocks.plan(mocks.stack_input(mocks.target("CivoKubernetesCluster", fields, **(metadata or {}))), cloud=cloud)


def _cluster(**spec: Any) -> mocks.Recorded:
    return _plan(**spec).resources["cluster"]


def test_a_cluster_has_the_fields_of_the_manifest_and_its_kubeconfig() -> None:
    """With network and firewall set, only the cluster is created, without warnings."""
    planned = _plan()
    assert list(planned.resources) == ["civo", "cluster"]
    assert planned.resources["cluster"] == mocks.Recorded(
        "civo:index/kubernetesCluster:KubernetesCluster",
        {
            "name": "prod",
            "region": "LON1",
            "kubernetesVersion": "1.30.5-k3s1",
            "networkId": mocks.NETWORK_ID,
            "firewallId": mocks.FIREWALL_ID,
            "clusterType": "k3s",
            "tags": "planton-resource:true planton-resource-name:dev planton-resource-kind:CivoKubernetesCluster",
            "pools": {"label": "default-pool", "size": "g4s.kube.small", "nodeCount": 2},
            "writeKubeconfig": True,
        },
        {
            "provider": "civo",
            "replacement_trigger": ["LON1", mocks.NETWORK_ID, "k3s", "flannel", [], "g4s.kube.small"],
            "delete_before_replace": True,
        },
    )
    assert planned.warnings == []


def test_the_outputs_are_complete_and_the_kubeconfig_is_a_secret() -> None:
    """Every output has a value. Times are in RFC 3339."""
    assert _plan().outputs == {
        "cluster_id": "id-of-cluster",
        "kubeconfig_b64": mocks.Secret(base64.b64encode(b"apiVersion: v1\n").decode()),
        "api_server_endpoint": "https://10.0.0.1:6443",
        "created_at_rfc3339": "2026-11-21T07:02:38Z",
        "status": "ACTIVE",
        "kubernetes_version": "1.30.5-k3s1",
        "node_names": ["k3s-node-1"],
        "firewall_id": mocks.FIREWALL_ID,
        "node_count": 2,
        "node_pools": ["default-pool"],
    }


@pytest.mark.parametrize(
    ("change", "replaces"),
    [
        ({"region": "fra1"}, True),
        ({"network": {"value": mocks.CLUSTER_ID}}, True),
        ({"clusterType": "talos", "kubernetesVersion": "talos-v1.5.0"}, True),
        ({"cni": "cilium"}, True),
        ({"cni": "flannel"}, False),
        ({"applications": ["metrics-server"]}, True),
        ({"defaultNodePool": {"size": "g4s.kube.large", "nodeCount": 2}}, True),
        ({"defaultNodePool": {"size": "g4s.kube.small", "nodeCount": 5}}, False),
        ({"clusterName": "other"}, False),
        ({"kubernetesVersion": "1.29.8-k3s1"}, False),
        ({"tags": ["a"]}, False),
        ({"firewall": {"value": mocks.CLUSTER_ID}}, False),
    ],
)
def test_immutable_fields_are_planned_as_a_replacement(change: dict[str, Any], *, replaces: bool) -> None:
    """The plugin would fail, or ignore the change. Setting the default network plugin is not a change."""
    before, after = _cluster(), _cluster(**change)
    assert before != after
    assert (before.options["replacement_trigger"] != after.options["replacement_trigger"]) is replaces


def test_the_order_of_applications_does_not_matter() -> None:
    """Arguments and replacement trigger are equal in every order."""
    assert _cluster(applications=["b", "a:5GB"]) == _cluster(applications=["a:5GB", "b"])
    assert _cluster(applications=["b", "a:5GB"]).inputs["applications"] == "a:5GB,b"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("highlyAvailable", "highly available control plane"),
        ("autoUpgrade", "does not upgrade by itself"),
        ("disableSurgeUpgrade", "one node after another"),
    ],
)
def test_a_field_that_the_cloud_does_not_support_is_refused(field: str, text: str) -> None:
    """Each refusal names field and reason, and an annotation can waive it."""
    with pytest.raises(errors.PlantonError, match=rf"spec\.{field}: .*{text}") as caught:
        _plan(**{field: True})
    assert caught.value.reason is errors.Reason.UNSUPPORTED_FIELD
    waived = _plan({"annotations": {"project-planton.org/allow-unsupported": field}}, **{field: True})
    assert [warning.split(":")[0] for warning in waived.warnings] == [f"spec.{field}"]


def test_all_refusals_are_reported_at_once() -> None:
    """Three unsupported fields are three lines of one error."""
    with pytest.raises(errors.PlantonError) as caught:
        _plan(highlyAvailable=True, autoUpgrade=True, disableSurgeUpgrade=True)
    assert caught.value.metadata["fields"] == "spec.highlyAvailable,spec.autoUpgrade,spec.disableSurgeUpgrade"
    assert len(caught.value.message.splitlines()) == 4


@pytest.mark.parametrize(
    ("cidrs", "sources", "is_warning"),
    [([], ["0.0.0.0/0"], True), (["10.0.0.0/8", "192.0.2.1/32"], ["10.0.0.0/8", "192.0.2.1/32"], False)],
)
def test_a_cluster_without_a_firewall_gets_one(cidrs: list[str], sources: list[str], *, is_warning: bool) -> None:
    """It opens the API server to the configured ranges, or to everybody with a warning. Outbound is open."""
    planned = _plan(without="firewall", apiServerAllowedCidrs=cidrs)
    firewall = planned.resources["firewall"]
    assert (firewall.inputs["name"], firewall.inputs["networkId"], firewall.inputs["region"]) == (
        "prod-firewall",
        mocks.NETWORK_ID,
        "LON1",
    )
    assert firewall.inputs["createDefaultRules"] is False
    assert [(rule["portRange"], rule["cidrs"], rule["action"]) for rule in firewall.inputs["ingressRules"]] == [
        ("6443", sources, "allow"),
        ("80", ["0.0.0.0/0"], "allow"),
        ("443", ["0.0.0.0/0"], "allow"),
    ]
    assert [(rule["protocol"], rule.get("portRange")) for rule in firewall.inputs["egressRules"]] == [
        ("tcp", "1-65535"),
        ("udp", "1-65535"),
        ("icmp", None),
    ]
    assert planned.resources["cluster"].inputs["firewallId"] == "id-of-firewall"
    assert [warning.split(":")[0] for warning in planned.warnings] == (["spec.apiServerAllowedCidrs"] if is_warning else [])


@pytest.mark.parametrize(
    ("field", "name", "argument", "id_"),
    [("network", "net-a", "networkId", mocks.NETWORK_ID), ("firewall", "fw-a", "firewallId", mocks.FIREWALL_ID)],
)
def test_a_literal_is_a_name_unless_it_is_a_uuid(field: str, name: str, argument: str, id_: str) -> None:
    """Exact names are looked up. Partial and unknown names are refused."""
    assert _cluster(**{field: {"value": name}}).inputs[argument] == id_
    for unknown in (name[:-1], "nowhere"):
        with pytest.raises(errors.PlantonError, match=f"no {field} has the name or id '{unknown}' in region LON1"):
            _cluster(**{field: {"value": unknown}})


@pytest.mark.parametrize("field", ["network", "firewall"])
def test_an_unresolved_reference_names_both_ends(field: str) -> None:
    """A module cannot read manifests, so the hint names the command that writes a resolved stack input."""
    with pytest.raises(errors.PlantonError, match=rf"spec\.{field} of 'dev' refers to 'main'") as caught:
        _cluster(**{field: {"valueFrom": {"name": "main"}}})
    assert caught.value.reason is errors.Reason.REFERENCE_UNRESOLVED


@pytest.mark.parametrize("text", ["1.30.5+k3s1", "1.30.5-k3s1", "v1.30.5+k3s1", " 1.30.5-k3s1 "])
def test_a_version_is_sent_in_the_clouds_spelling(text: str) -> None:
    """Both separators and a leading v are accepted."""
    assert _cluster(kubernetesVersion=text).inputs["kubernetesVersion"] == "1.30.5-k3s1"


@pytest.mark.parametrize(
    ("version", "type_", "offered"),
    [
        ("1.31.0-k3s1", "k3s", "1.30.5-k3s1, 1.29.8-k3s1"),
        ("latest", "k3s", "1.30.5-k3s1, 1.29.8-k3s1"),
        ("1.30", "k3s", "1.30.5-k3s1, 1.29.8-k3s1"),
        ("1.22.2-k3s1", "k3s", "1.30.5-k3s1, 1.29.8-k3s1"),
        ("1.30.5-k3s1", "talos", "talos-v1.5.0"),
        ("talos-v1.5.0", "k3s", "1.30.5-k3s1, 1.29.8-k3s1"),
    ],
)
def test_a_version_that_is_not_offered_is_refused_with_the_offered_versions(version: str, type_: str, offered: str) -> None:
    """The list has the newest first, for this cluster type only. ``latest`` is not a version."""
    with pytest.raises(errors.PlantonError) as caught:
        _plan(kubernetesVersion=version, clusterType=type_)
    assert caught.value.reason is errors.Reason.NOT_OFFERED
    assert caught.value.message.endswith(f"is not offered for clusterType {type_} in LON1; offered: {offered}")


@pytest.mark.parametrize(("own", "imported"), [("old-cluster", ""), ("", mocks.CLUSTER_ID)])
def test_a_withdrawn_version_stays_valid_for_the_cluster_that_runs_it(own: str, imported: str) -> None:
    """This holds for the stack's own or imported cluster under any name. Another cluster cannot use it."""
    cloud = mocks.Civo(own=own)
    for name in ("old-cluster", "prod"):
        manifest = mocks.target("CivoKubernetesCluster", {**SPEC, "clusterName": name, "kubernetesVersion": "1.22.2+k3s1"})
        manifest.status.outputs.cluster_id = imported
        planned = mocks.plan(mocks.stack_input(manifest), cloud=cloud)
        assert planned.resources["cluster"].inputs["kubernetesVersion"] == "1.22.2-k3s1"
        with pytest.raises(errors.PlantonError, match="is not offered"):
            _cluster(clusterName=name, kubernetesVersion="1.22.2+k3s1")


def test_an_upgrade_is_checked_when_the_cluster_is_renamed_too() -> None:
    """Otherwise the cloud would refuse it in the middle of an apply."""
    cloud = mocks.Civo(clusters={"before": (mocks.CLUSTER_ID, "1.30.5-k3s1")}, own="before")
    with pytest.raises(errors.PlantonError, match=r"1\.29\.8") as caught:
        _plan(cloud=cloud, kubernetesVersion="1.29.8-k3s1")
    assert caught.value.reason is errors.Reason.UPGRADE_REFUSED


def test_an_upgrade_is_checked_when_the_plugin_does_not_list_the_cluster() -> None:
    """The plugin reads one page. The state has the last known version."""
    own = {"before": (mocks.CLUSTER_ID, "1.30.5-k3s1")}
    cloud = mocks.Civo(clusters=own, own="before", later=frozenset(own))
    with pytest.raises(errors.PlantonError, match=r"1\.29\.8") as caught:
        _plan(cloud=cloud, kubernetesVersion="1.29.8-k3s1")
    assert caught.value.reason is errors.Reason.UPGRADE_REFUSED
    assert "only the first 20 clusters" in _missing_cluster(cloud).message


def _missing_cluster(cloud: mocks.Civo) -> errors.PlantonError:
    pool = mocks.target(
        "CivoKubernetesNodePool", {"nodePoolName": "w", "cluster": {"value": "before"}, "size": "s", "nodeCount": 1}
    )
    with pytest.raises(errors.PlantonError) as caught:
        mocks.plan(mocks.stack_input(pool), cloud=cloud)
    return caught.value


def test_versions_are_ordered_by_number() -> None:
    """Version 1.9 is older than 1.30."""
    with pytest.raises(errors.PlantonError, match=r"offered: 1\.30\.5-k3s1, 1\.9\.1-k3s1$"):
        _plan(cloud=mocks.Civo(versions=("1.9.1-k3s1", "1.30.5-k3s1")), kubernetesVersion="1.0")


def test_tags_are_standard_and_user_tags_without_white_space() -> None:
    """The cloud separates tags by spaces and removes duplicates."""
    tags = _plan({"org": "acme corp", "env": "dev"}, tags=["team a", "x", "x", ""]).resources["cluster"].inputs["tags"]
    assert tags.split(" ") == [
        "planton-resource:true",
        "planton-resource-name:dev",
        "planton-resource-kind:CivoKubernetesCluster",
        "planton-organization:acme-corp",
        "planton-environment:dev",
        "team-a",
        "x",
    ]


def test_setting_a_network_plugin_warns_that_it_is_immutable() -> None:
    """The warning comes while the user can still change it."""
    assert _plan(cni="cilium").warnings == ["spec.cni: cilium cannot be changed later; another one needs a new cluster"]


def test_a_failed_application_is_a_warning_and_not_an_error() -> None:
    """The warning names the application, and all outputs exist. What the cloud installs by itself is not warned about."""
    cloud = mocks.Civo(applications={"good": True, "bad": False, "metrics-server": False}, own="old-cluster")
    planned = _plan(cloud=cloud, kubernetesVersion="1.22.2+k3s1", applications=["good", "bad"])
    assert [warning for warning in planned.warnings if "is not installed" in warning] == [
        (
            "spec.applications: bad is not installed; the cluster is fine: install the application yourself, "
            "or look at the cloud's dashboard for why"
        )
    ]
    assert planned.outputs["cluster_id"] == "id-of-cluster"


POOLS = [
    {"name": "web", "size": "s", "nodeCount": 1, "labels": {"role": "web"}},
    {"name": "db", "size": "l", "nodeCount": 2, "taints": [{"key": "db", "effect": "NoSchedule"}], "publicIp": True},
    {"name": "jobs", "size": "s", "nodeCount": 1, "autoScale": True, "minNodes": 1, "maxNodes": 99},
]


def test_the_resource_name_of_an_additional_pool_contains_its_name() -> None:
    """So reordering changes no resource. Each pool has the labels of the cluster's manifest."""
    planned, reordered = _plan(additionalNodePools=POOLS), _plan(additionalNodePools=POOLS[::-1])
    assert planned.resources == reordered.resources
    assert {name for name in planned.resources if name.startswith("node_pool")} == {
        "node_pool-web",
        "node_pool-db",
        "node_pool-jobs",
        "node_pool_size-web",
        "node_pool_size-db",
        "node_pool_size-jobs",
    }
    web = planned.resources["node_pool-web"]
    assert (web.inputs["clusterId"], web.inputs["labels"]["role"]) == ("id-of-cluster", "web")
    assert web.inputs["labels"]["planton-resource-kind"] == "CivoKubernetesCluster"
    assert web.options["replace_on_changes"] == ["clusterId", "label", "size", "publicIpNodePool"]


def test_warnings_of_additional_pools_contain_the_index() -> None:
    """The path identifies the entry of the list."""
    warnings = _plan(additionalNodePools=POOLS).warnings
    assert [warning.split(":")[0] for warning in warnings] == [
        "spec.additionalNodePools[2].autoScale",
        "spec.additionalNodePools[2].maxNodes",
    ]


def test_the_default_pool_gets_no_labels() -> None:
    """The plugin never stores them and would plan a change forever."""
    assert _cluster().inputs["pools"].keys() == {"label", "size", "nodeCount"}


@pytest.mark.parametrize(("label", "chosen"), [("", "default-pool"), ("default-pool", "default-pool"), ("0a1b2c3d", None)])
def test_only_a_new_default_pool_gets_its_label(label: str, chosen: str | None) -> None:
    """The label is the id of the pool, so an existing pool keeps the one that it has."""
    type_ = "civo:index/kubernetesCluster:KubernetesCluster"
    outputs = {"id": "x", "pools": {"label": label}} if label else {}
    with own.state({"resources": [{"urn": "urn::cluster", "type": type_, "outputs": outputs}]}):
        assert _cluster().inputs["pools"].get("label") == chosen


def test_an_imported_default_pool_keeps_its_label() -> None:
    """The cloud has chosen it, and the import must not change it."""
    manifest = mocks.target("CivoKubernetesCluster", SPEC | {"kubernetesVersion": "1.22.2-k3s1"})
    manifest.status.outputs.cluster_id = mocks.CLUSTER_ID
    assert "label" not in mocks.plan(mocks.stack_input(manifest)).resources["cluster"].inputs["pools"]


@pytest.mark.parametrize("field", ["cni", "clusterType"])
def test_a_plan_works_with_unknown_ids(field: str) -> None:
    """A preview of a whole environment registers the same resources."""
    spec = {**SPEC, "additionalNodePools": POOLS, field: "cilium" if field == "cni" else "k3s"}
    del spec["firewall"]
    stack_input = mocks.stack_input(mocks.target("CivoKubernetesCluster", spec))
    assert mocks.plan(stack_input, preview=True).resources.keys() == mocks.plan(stack_input).resources.keys()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21 07:02:38 +0000 UTC", "2026-11-21T07:02:38Z"),
        ("2026-11-21 07:02:38.123456789 +0000 UTC", "2026-11-21T07:02:38Z"),
        ("2026-11-21 09:02:38 +0200 EET", "2026-11-21T07:02:38Z"),
        ("2026-11-21T07:02:38Z", "2026-11-21T07:02:38Z"),
        ("", ""),
        (None, ""),
    ],
)
def test_times_of_the_plugin_are_converted_to_rfc_3339(text: str | None, expected: str) -> None:
    """Go's format is converted to UTC. RFC 3339 stays unchanged."""
    assert kubernetes_cluster.rfc3339(text) == expected
