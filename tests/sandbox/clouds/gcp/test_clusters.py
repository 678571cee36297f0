"""Clusters of the simulated GKE with the official Python client."""

from __future__ import annotations

import pytest

from support.gcp import PLACE, PROJECT, RANGES, REGION, ZONES, Gke, refused

RUNNING = "RUNNING"


def test_a_cluster_is_created_shown_listed_and_deleted(gke: Gke) -> None:
    """Its answer has what the official plugin reads without looking, and the defaults of the cloud."""
    path = gke.cluster(release_channel={"channel": "STABLE"}, resource_labels={"team": "a"})
    shown = gke.api.get_cluster(name=path)
    assert (shown.status, shown.location, list(shown.locations)) == (RUNNING, REGION, ZONES)
    assert shown.current_master_version.startswith("1.34.")
    assert shown.ip_allocation_policy.cluster_ipv4_cidr_block == "10.0.0.0/14"
    assert dict(shown.resource_labels) == {"team": "a"}
    plain = gke.get(f"/v1beta1/{path}")
    assert {"legacyAbac", "networkConfig", "masterAuth", "etag", "selfLink"} <= set(plain)
    assert plain["selfLink"].startswith("https://container.googleapis.com/v1beta1/projects/")
    assert [item.name for item in gke.api.list_clusters(parent=f"projects/{PROJECT}/locations/-").clusters] == ["c1"]
    gke.wait(gke.api.delete_cluster(name=path))
    with refused(404, f"Not found: {path}"):
        gke.api.get_cluster(name=path)


def test_a_cluster_can_lose_its_default_pool(gke: Gke) -> None:
    """The official plugin deletes it right after the creation."""
    path = gke.cluster()
    assert [item.name for item in gke.api.list_node_pools(parent=path).node_pools] == ["default-pool"]
    gke.wait(gke.api.delete_node_pool(name=f"{path}/nodePools/default-pool"))
    shown = gke.api.get_cluster(name=path)
    assert (list(shown.node_pools), shown.current_node_count, shown.status) == ([], 0, RUNNING)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"name": "Upper"}, "cluster.name"),
        ({"name": "a" * 41}, "cluster.name"),
        ({"locations": ["us-east1-b"]}, "us-east1-b"),
        ({"subnetwork": "other"}, 'Subnetwork "other" does not exist'),
        ({"network": "other"}, 'Network "other" does not exist'),
        ({"ip_allocation_policy": {"cluster_secondary_range_name": "x"}}, 'Secondary range "x"'),
        ({"initial_cluster_version": "1.12"}, 'No valid versions with the prefix "1.12"'),
        ({"initial_cluster_version": "1.36", "release_channel": {"channel": "STABLE"}}, 'must be one of "STABLE" channel'),
        ({"initial_node_count": 0}, "initial_node_count"),
    ],
)
def test_an_invalid_cluster_is_refused(gke: Gke, change: dict[str, object], text: str) -> None:
    """The error names the value."""
    body = {"name": "c1", "initial_node_count": 1, "ip_allocation_policy": RANGES, **change}
    with refused(400, text):
        gke.api.create_cluster(parent=PLACE, cluster=body)


def test_an_unknown_field_is_refused(gke: Gke) -> None:
    """A client that misspells a field learns it, as from the real API."""
    answer = gke.call("POST", f"/v1/{PLACE}/clusters", {"cluster": {"name": "c1", "nodeCount": 1}})
    assert answer.status == 400
    assert answer.body["error"]["status"] == "INVALID_ARGUMENT"
    assert 'Unknown name "nodeCount" at' in answer.body["error"]["message"]


def test_two_clusters_of_one_name_need_two_locations(gke: Gke) -> None:
    """The second in one location is refused."""
    gke.cluster()
    gke.cluster(location="us-central1-a", locations=["us-central1-a"])
    with refused(409, "Already exists: .*clusters/c1"):
        gke.cluster()


def test_another_account_does_not_see_a_project(gke: Gke) -> None:
    """A project belongs to the account that names it first, and unknown ones to nobody."""
    gke.cluster()
    other = Gke(gke.sandbox, "sandbox-other")
    for project in (PROJECT, "elsewhere"):
        with refused(403, project):
            other.api.list_clusters(parent=f"projects/{project}/locations/-")
    assert not other.api.list_clusters(parent="projects/sandbox-own/locations/-").clusters
    answer = Gke(gke.sandbox, "real").call("GET", f"/v1/{PLACE}/clusters")
    assert (answer.status, answer.body["error"]["status"]) == (401, "UNAUTHENTICATED")


def test_a_change_excludes_others_of_the_cluster(gke: Gke) -> None:
    """The refusal names the operation, and its status is FAILED_PRECONDITION."""
    path = gke.cluster()
    gke.sandbox.control.latency("realistic")
    first = gke.api.update_master(name=path, master_version="1.35.6-gke.1101000")
    assert first.status == "PENDING"
    with refused(400, f"Cluster is running incompatible operation {first.name}"):
        gke.api.create_node_pool(parent=path, node_pool={"name": "p1", "initial_node_count": 1})
    assert gke.api.get_cluster(name=path).status == "RECONCILING"
    gke.sandbox.control.advance(300)
    assert gke.wait(first).operation_type == "UPGRADE_MASTER"
    assert gke.api.get_cluster(name=path).status == RUNNING


def test_a_control_plane_is_upgraded_one_minor_version_at_a_time(gke: Gke) -> None:
    """Older minor versions, and nodes that would be too old, are refused."""
    path = gke.cluster(initial_cluster_version="1.33", release_channel={"channel": "UNSPECIFIED"})
    with refused(400, "more than one minor version"):
        gke.api.update_master(name=path, master_version="1.35")
    for version in ("1.34", "1.35"):
        gke.wait(gke.api.update_master(name=path, master_version=version))
    with refused(400, "within two minor versions"):
        gke.api.update_master(name=path, master_version="1.36")
    with refused(400, "cannot be downgraded"):
        gke.api.update_master(name=path, master_version="1.33")
    assert gke.api.get_cluster(name=path).current_master_version.startswith("1.35.")


def test_settings_are_updated_one_by_one(gke: Gke) -> None:
    """PUT takes any desired setting; labels need the present fingerprint."""
    path = gke.cluster()
    update = {"desired_workload_identity_config": {"workload_pool": f"{PROJECT}.svc.id.goog"}}
    gke.wait(gke.api.update_cluster(name=path, update=update))
    gke.wait(gke.api.update_cluster(name=path, update={"desired_default_enable_private_nodes": True}))
    gke.wait(gke.api.set_network_policy(name=path, network_policy={"provider": "CALICO", "enabled": True}))
    shown = gke.api.get_cluster(name=path)
    gke.wait(gke.api.set_labels({"name": path, "resource_labels": {"a": "b"}, "label_fingerprint": shown.label_fingerprint}))
    with refused(409, "fingerprint"):
        gke.api.set_labels({"name": path, "resource_labels": {}, "label_fingerprint": shown.label_fingerprint})
    shown = gke.api.get_cluster(name=path)
    assert shown.workload_identity_config.workload_pool == f"{PROJECT}.svc.id.goog"
    assert (shown.private_cluster_config.enable_private_nodes, shown.network_policy.enabled) == (True, True)
    assert dict(shown.resource_labels) == {"a": "b"}
    with refused(409, "etag"):
        gke.api.update_cluster(name=path, update={"desired_shielded_nodes": {"enabled": False}, "etag": "old"})


def test_realistic_latency_takes_minutes(gke: Gke) -> None:
    """A cluster is PROVISIONING without an endpoint, then RUNNING with one."""
    gke.sandbox.control.latency("realistic")
    operation = gke.api.create_cluster(parent=PLACE, cluster={"name": "c1", "initial_node_count": 1})
    path = f"{PLACE}/clusters/c1"
    assert gke.api.get_cluster(name=path).status == "PROVISIONING"
    assert gke.api.get_cluster(name=path).endpoint == ""
    gke.sandbox.control.advance(359)
    assert gke.api.get_cluster(name=path).status == "PROVISIONING"
    gke.sandbox.control.advance(2)
    assert gke.wait(operation).end_time
    assert gke.api.get_cluster(name=path).endpoint.startswith("127.0.0.1:")


def test_the_server_offers_versions_that_agree_with_each_other(gke: Gke) -> None:
    """Every channel has its default among its versions, and they are versions of control planes."""
    config = gke.api.get_server_config(name=PLACE)
    for channel in config.channels:
        assert channel.default_version in channel.valid_versions
        assert set(channel.valid_versions) <= set(config.valid_master_versions) <= set(config.valid_node_versions)


def test_a_stuck_cluster_stays_in_provisioning(gke: Gke) -> None:
    """Out-of-band actions hold, fail and delete clusters."""
    control = gke.sandbox.control
    control.outside("stuck", cloud="gcp")
    gke.api.create_cluster(parent=PLACE, cluster={"name": "c1", "initial_node_count": 1})
    path = f"{PLACE}/clusters/c1"
    for _ in range(3):
        assert gke.api.get_cluster(name=path).status == "PROVISIONING"
    control.outside("unstuck", cloud="gcp")
    assert gke.api.get_cluster(name=path).status == RUNNING
    control.outside("fail", cloud="gcp", cluster="c1", message="broken")
    assert gke.api.get_cluster(name=path).status == "ERROR"
    control.outside("fail", cloud="gcp", cluster="c1")
    control.outside("degrade", cloud="gcp", cluster="c1", code="CA_EXPIRING", message="soon")
    shown = gke.api.get_cluster(name=path)
    assert (shown.status, shown.conditions[0].code) == ("DEGRADED", "CA_EXPIRING")
    control.outside("delete-cluster", cloud="gcp", cluster="c1")
    assert control.resources("gcp")["clusters"] == []


def test_the_endpoints_have_two_groups_of_fields_with_the_same_values(gke: Gke) -> None:
    """The official plugin uses the newer group, and other clients the older one."""
    networks = {"enabled": True, "cidrBlocks": [{"cidrBlock": "192.0.2.0/24"}]}
    addresses = {"enabled": True, "enablePublicEndpoint": True, "globalAccess": True, "authorizedNetworksConfig": networks}
    body = {
        "name": "c1",
        "initialNodeCount": 1,
        "networkConfig": {"defaultEnablePrivateNodes": True},
        "controlPlaneEndpointsConfig": {"ipEndpointsConfig": addresses},
    }
    assert gke.call("POST", f"/v1beta1/{PLACE}/clusters", {"cluster": body}).status == 200
    gke.sandbox.control.advance(600)
    path = f"/v1beta1/{PLACE}/clusters/c1"
    cluster = gke.get(path)
    private = cluster["privateClusterConfig"]
    assert (private["enablePrivateNodes"], private["enablePrivateEndpoint"]) == (True, False)
    assert private["masterGlobalAccessConfig"] == {"enabled": True}
    assert cluster["masterAuthorizedNetworksConfig"] == networks
    shown = cluster["controlPlaneEndpointsConfig"]["ipEndpointsConfig"]
    assert {name: shown[name] for name in addresses} == addresses
    assert shown["publicEndpoint"] == private["publicEndpoint"]
    update = {"desiredMasterAuthorizedNetworksConfig": {}, "desiredDefaultEnablePrivateNodes": False}
    assert gke.call("PUT", path, {"update": update}).status == 200
    gke.sandbox.control.advance(600)
    cluster = gke.get(path)
    assert not cluster["networkConfig"].get("defaultEnablePrivateNodes")
    assert cluster["controlPlaneEndpointsConfig"]["ipEndpointsConfig"]["authorizedNetworksConfig"] == {}
    update = {"desiredControlPlaneEndpointsConfig": {"ipEndpointsConfig": {"authorizedNetworksConfig": networks}}}
    assert gke.call("PUT", path, {"update": update}).status == 200
    assert gke.get(path)["masterAuthorizedNetworksConfig"] == networks


def test_an_invalid_authorized_network_is_refused_in_both_groups(gke: Gke) -> None:
    """The text names the field."""
    networks = {"enabled": True, "cidrBlocks": [{"cidrBlock": "192.0.2.0/240"}]}
    for settings, name in (
        ({"masterAuthorizedNetworksConfig": networks}, "'masterAuthorizedNetworksConfig.cidrBlocks'"),
        (
            {"controlPlaneEndpointsConfig": {"ipEndpointsConfig": {"authorizedNetworksConfig": networks}}},
            "'controlPlaneEndpointsConfig.ipEndpointsConfig.authorizedNetworksConfig.cidrBlocks'",
        ),
    ):
        answer = gke.call("POST", f"/v1/{PLACE}/clusters", {"cluster": {"name": "c1", "initialNodeCount": 1, **settings}})
        assert answer.status == 400
        assert name in answer.body["error"]["message"]
