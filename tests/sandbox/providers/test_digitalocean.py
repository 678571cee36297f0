"""The DigitalOcean stand-in beyond the recordings: requests, bodies, waits, kubeconfigs, imports and firewalls."""

from __future__ import annotations

import typing

import pytest
from pulumi.runtime.proto import provider_pb2

from planton_sandbox.providers import values

from . import conftest, oceans

Json = typing.Any
_TAINT = {"key": "k", "value": "v", "effect": "NoSchedule"}


def test_configure_sends_nothing_and_later_requests_have_the_plugins_headers(ocean: conftest.Scene) -> None:
    """An invalid token fails at the first request. DELETE has a content type but no body."""
    diver = ocean.connect()
    response = diver.call("Configure", args={"token": "secret"}, acceptSecrets=True)  # not a secret
    assert (response.supportsPreview, response.supports_autonaming_configuration, response.acceptSecrets) == (True, True, False)
    assert ocean.cloud.lines() == []
    identity, _, state = diver.create(oceans.VPC, region="fra1")
    diver.call("Delete", urn=oceans.VPC, id=identity, properties=state)
    created, read, deleted = ocean.cloud.requests
    assert created.headers["Authorization"] == "Bearer secret"
    assert created.headers["User-Agent"] == "Terraform/0.11+compatible godo/1.200.0"
    assert ("Content-Type" in read.headers, deleted.headers["Content-Type"]) == (False, "application/json")


def test_the_path_of_the_endpoint_is_ignored_and_the_real_cloud_is_never_called(ocean: conftest.Scene) -> None:
    """The SDK configures the real cloud for programs without an endpoint. The stand-in calls the sandbox instead."""
    for address in (f"{ocean.cloud.url}/proxy/v1", "https://api.digitalocean.com", "https://api.digitalocean.com/"):
        assert oceans.connect(ocean, apiEndpoint=address).create(oceans.VPC, region="fra1")[0] in ocean.cloud.vpcs
    assert {line.split("/v2/")[0] for line in ocean.cloud.lines()} == {"POST ", "GET "}


def test_creates_send_the_plugins_requests_with_its_waits(ocean: conftest.Scene, diver: conftest.Engine) -> None:
    """The plugin polls at intervals of ten seconds."""
    network, _, _ = diver.create(oceans.VPC, region="fra1", ipRange="10.1.0.0/20")
    cluster, _, _ = oceans.cluster(diver, vpcUuid=network)
    pool, _, _ = oceans.pool(diver, cluster)
    at = f"{oceans.CLUSTERS}/{cluster}"
    assert ocean.cloud.lines() == [
        *("POST /v2/vpcs", f"GET /v2/vpcs/{network}"),
        *(f"POST {oceans.CLUSTERS}", f"GET {at}", f"GET {at}", f"GET {at}/credentials"),
        *(f"POST {at}/node_pools", f"GET {at}/node_pools/{pool}", f"GET {at}/node_pools/{pool}"),
    ]
    assert ocean.waits == [10, 10]


def test_creates_send_the_plugins_bodies(ocean: conftest.Scene, diver: conftest.Engine) -> None:
    """Empty fields are omitted, taints are capitalized, and the region keeps the program's spelling."""
    pool = {**oceans.MAIN, "labels": {"a": "b"}, "taints": [_TAINT]}
    cluster, _, state = oceans.cluster(diver, nodePool=pool, tags=["prod"], region="FRA1")
    oceans.pool(diver, cluster, nodeCount=None, autoScale=True, minNodes=1, maxNodes=4)
    taints = [{"Key": "k", "Value": "v", "Effect": "NoSchedule"}]
    main = {"name": "main", "size": "s-1", "count": 2, "labels": {"a": "b"}, "taints": taints}
    bodies = oceans.bodies(ocean, "POST")
    assert bodies[oceans.CLUSTERS] == {
        "name": "c",
        "region": "FRA1",
        "version": "1.33.1-do.0",
        "tags": ["prod"],
        "node_pools": [{**main, "tags": ["terraform:default-node-pool"]}],
        "maintenance_policy": None,
        "auto_upgrade": False,
        "surge_upgrade": True,
    }
    scaled = {"name": "workers", "size": "s-1", "auto_scale": True, "min_nodes": 1, "max_nodes": 4}
    assert bodies[f"{oceans.CLUSTERS}/{cluster}/node_pools"] == scaled
    assert (state["region"], state["tags"], state["nodePool"]["tags"]) == ("fra1", ["prod"], None)


def test_a_change_of_the_cluster_sends_objects_of_nulls(ocean: conftest.Scene, diver: conftest.Engine) -> None:
    """The request has the whole cluster, with an empty duration and without settings that are off."""
    identity, inputs, state = oceans.cluster(diver)
    changed = {**inputs, "autoUpgrade": True, "surgeUpgrade": False, "version": "1.34.1-do.0"}
    ocean.waits.clear()
    diver.call("Update", urn=oceans.CLUSTER, id=identity, olds=state, news=changed)
    at = f"{oceans.CLUSTERS}/{identity}"
    off = {"enabled": None}
    plugins = ("routing_agent", "p2p_oci_registry_plugin", "amd_gpu_device_plugin", "amd_gpu_device_metrics_exporter_plugin")
    more = ("nvidia_gpu_device_plugin", "rdma_shared_dev_plugin", "coredns_autoscaler")
    assert oceans.bodies(ocean, "PUT") == {
        at: {
            "name": "c",
            "auto_upgrade": True,
            "ha": False,
            "maintenance_policy": {"start_time": "04:00", "duration": "", "day": "any"},
            "control_plane_firewall": {"enabled": None, "allowed_addresses": None},
            "cluster_autoscaler_configuration": {
                "scale_down_utilization_threshold": None,
                "scale_down_unneeded_time": None,
                "expanders": None,
            },
            **dict.fromkeys((*plugins, *more), off),
        }
    }
    assert ocean.cloud.lines()[-3:] == [f"PUT {at}", f"POST {at}/upgrade", f"GET {at}"]
    assert ocean.waits == []


def test_a_change_of_only_the_default_pool_does_not_update_the_cluster(ocean: conftest.Scene, diver: conftest.Engine) -> None:
    """Only the pool is sent, with its tag. The stand-in waits for its nodes."""
    identity, inputs, state = oceans.cluster(diver)
    pool = state["nodePool"]["id"]
    ocean.cloud.lines()
    changed = {**inputs, "nodePool": {**inputs["nodePool"], "nodeCount": 3}}
    updated = diver.call("Update", urn=oceans.CLUSTER, id=identity, olds=state, news=changed)
    at = f"{oceans.CLUSTERS}/{identity}"
    assert oceans.bodies(ocean, "PUT")[f"{at}/node_pools/{pool}"] == {
        "name": "main",
        "count": 3,
        "tags": ["terraform:default-node-pool"],
        "taints": [],
        "auto_scale": False,
        "min_nodes": 0,
        "max_nodes": 0,
    }
    assert ocean.cloud.lines() == [f"PUT {at}/node_pools/{pool}", f"GET {at}/node_pools/{pool}", f"GET {at}"]
    assert values.decode(updated.properties)["nodePool"]["actualNodeCount"] == 3


def test_an_update_of_an_autoscaled_pool_sends_the_count_of_the_state(ocean: conftest.Scene, diver: conftest.Engine) -> None:
    """Three nodes run and the state has one, so changing another setting removes two nodes."""
    cluster, _, _ = oceans.cluster(diver)
    identity, inputs, state = oceans.pool(diver, cluster, nodeCount=None, autoScale=True, minNodes=1, maxNodes=4)
    ocean.cloud.scale(ocean.cloud.pool(cluster, "workers"), 3)
    diver.call("Update", urn=oceans.POOL, id=identity, olds=state, news={**inputs, "maxNodes": 5})
    (body,) = oceans.bodies(ocean, "PUT").values()
    assert body == {"name": "workers", "count": 1, "taints": [], "auto_scale": True, "min_nodes": 1, "max_nodes": 5}


def test_a_change_of_case_in_tags_is_not_a_difference(diver: conftest.Engine) -> None:
    """The cloud's and the plugin's own tags are never in a state."""
    identity, inputs, state = oceans.cluster(diver, tags=["prod", "eu"])
    read = diver.call("Read", urn=oceans.CLUSTER, id=identity, properties=state, inputs=inputs)
    assert sorted(values.decode(read.properties)["tags"]) == ["eu", "prod"]
    diff = diver.call("Diff", urn=oceans.CLUSTER, id=identity, olds=state, news={**inputs, "tags": ["EU", "Prod"]})
    assert diff.changes == diff.DIFF_NONE


def test_a_cluster_is_deleted_with_its_associated_resources(ocean: conftest.Scene, diver: conftest.Engine) -> None:
    """The associated resources are listed first. Nothing waits for the deletion."""
    identity, _, state = oceans.cluster(diver, destroyAllAssociatedResources=True)
    ocean.cloud.lines()
    diver.call("Delete", urn=oceans.CLUSTER, id=identity, properties=state)
    at = f"{oceans.CLUSTERS}/{identity}/destroy_with_associated_resources"
    assert ocean.cloud.lines() == [f"GET {at}", f"DELETE {at}/dangerous"]


def test_a_kubeconfig_is_written_from_the_credentials_and_fetched_again_when_it_expires(
    ocean: conftest.Scene, diver: conftest.Engine
) -> None:
    """The file has certificates in base64, the fields have them in plain text. Only an expired kubeconfig is fetched again."""
    ocean.cloud.credentials.update(client_certificate_data="Q0VSVA==", client_key_data="S0VZ")
    identity, inputs, state = oceans.cluster(diver, kubeconfigExpireSeconds=60)
    (shown,) = state["kubeConfigs"]
    assert (shown["clientCertificate"], shown["clientKey"], shown["clusterCaCertificate"]) == ("CERT", "KEY", "Q0E=")
    tail = (
        "- name: do-fra1-c-admin\n  user:\n    client-key-data: S0VZ\n    client-certificate-data: Q0VSVA==\n    token: tok-1\n"
    )
    assert shown["rawConfig"].endswith(tail)
    assert [request.query for request in ocean.cloud.requests if request.path.endswith("/credentials")] == [
        {"expiry_seconds": "60"}
    ]
    for expiry, requests in (("2999-01-01T00:00:00Z", 0), ("2001-01-01T00:00:00Z", 1)):
        ocean.cloud.lines()
        old = {**state, "kubeConfigs": [{**shown, "expiresAt": expiry}]}
        diver.call("Read", urn=oceans.CLUSTER, id=identity, properties=old, inputs=inputs)
        assert len([line for line in ocean.cloud.lines() if line.endswith("/credentials")]) == requests


def test_a_pool_is_imported_from_any_page(ocean: conftest.Scene, diver: conftest.Engine) -> None:
    """All pages are searched. An error and a default pool count as "not found"."""
    ocean.cloud.page_size = 1
    clusters = [oceans.cluster(diver, name=name)[0] for name in ("a", "b", "c")]
    pool, _, _ = oceans.pool(diver, clusters[2])
    own = ocean.cloud.pool(clusters[0], "main")["id"]
    ocean.cloud.lines()
    read = diver.call("Read", urn=oceans.POOL, id=pool)
    assert (read.id, values.decode(read.inputs)["clusterId"]) == (pool, clusters[2])
    pages = [request.query.get("page") for request in ocean.cloud.requests if request.path == oceans.CLUSTERS]
    assert pages == [None, "2", "3"]
    assert diver.call("Read", urn=oceans.POOL, id=own).id == ""
    ocean.cloud.fail("GET", oceans.CLUSTERS)
    assert diver.call("Read", urn=oceans.POOL, id=pool).id == ""


def test_the_desired_count_is_kept_for_the_first_pool_only(ocean: conftest.Scene, diver: conftest.Engine) -> None:
    """If the cloud lists the default pool second, its count is read as zero."""
    identity, inputs, state = oceans.cluster(diver)
    oceans.pool(diver, identity)
    ocean.cloud.clusters[identity]["node_pools"].reverse()
    read = diver.call("Read", urn=oceans.CLUSTER, id=identity, properties=state, inputs=inputs)
    pool = values.decode(read.properties)["nodePool"]
    assert (pool["name"], pool["nodeCount"], pool["actualNodeCount"]) == ("main", 0, 2)
    diff = diver.call("Diff", urn=oceans.CLUSTER, id=identity, olds=values.decode(read.properties), news=inputs)
    assert diff.changes == diff.DIFF_NONE


def test_a_firewall_is_created_updated_and_imported(ocean: conftest.Scene, diver: conftest.Engine) -> None:
    """The request has the whole firewall. Empty lists are null, except for tags."""
    out = {"protocol": "icmp", "destinationAddresses": ["::/0"]}
    identity, inputs, state = diver.create(oceans.FIREWALL, name="fw", inboundRules=[oceans.RULE], outboundRules=[out])
    inbound = [{"protocol": "tcp", "ports": "443", "sources": {"addresses": ["0.0.0.0/0"]}}]
    outbound = [{"protocol": "icmp", "destinations": {"addresses": ["::/0"]}}]
    empty = {"droplet_ids": None, "tags": []}
    assert oceans.bodies(ocean, "POST")["/v2/firewalls"] == {
        "name": "fw",
        "inbound_rules": inbound,
        "outbound_rules": outbound,
        **empty,
    }
    changed = {**inputs, "inboundRules": [{**oceans.RULE, "portRange": "80"}], "tags": ["k8s:1"]}
    diff = diver.call("Diff", urn=oceans.FIREWALL, id=identity, olds=state, news=changed)
    assert sorted(diff.detailedDiff) == ["inboundRules[0].portRange", "tags"]
    updated = diver.call("Update", urn=oceans.FIREWALL, id=identity, olds=state, news=changed)
    assert "__meta" not in updated.properties.fields
    assert oceans.bodies(ocean, "PUT")[f"/v2/firewalls/{identity}"]["tags"] == ["k8s:1"]
    ocean.cloud.firewalls[identity]["inbound_rules"][0]["ports"] = "0"
    read = diver.call("Read", urn=oceans.FIREWALL, id=identity)
    imported = values.decode(read.inputs)
    assert imported["inboundRules"][0]["portRange"] == "all"
    clean = diver.call("Diff", urn=oceans.FIREWALL, id=identity, olds=values.decode(read.properties), news=imported)
    assert clean.changes == clean.DIFF_NONE
    diver.call("Delete", urn=oceans.FIREWALL, id=identity, properties=values.decode(read.properties))
    assert ocean.cloud.firewalls == {}


@pytest.mark.parametrize("refreshed", [False, True])
def test_after_a_refresh_autoscaling_stays_until_the_program_turns_it_off(refreshed: bool, diver: conftest.Engine) -> None:
    """After a refresh the inputs have no list of defaults, so old values count as defaults until the program sets false."""
    cluster, _, _ = oceans.cluster(diver)
    scaled = {"autoScale": True, "minNodes": 1, "maxNodes": 4}
    identity, inputs, state = oceans.pool(diver, cluster, **scaled)
    if refreshed:
        read = diver.call("Read", urn=oceans.POOL, id=identity, properties=state, inputs=inputs)
        inputs = values.decode(read.inputs)
        assert "__defaults" not in inputs
    news = {"clusterId": cluster, "name": "workers", "size": "s-1", "nodeCount": 1}
    checked = values.decode(diver.call("Check", urn=oceans.POOL, olds=inputs, news=news).inputs)
    assert checked == news | {"__defaults": []} | ({"autoScale": True, "__defaults": ["autoScale"]} if refreshed else {})
    off = values.decode(diver.call("Check", urn=oceans.POOL, olds=inputs, news=news | {"autoScale": False}).inputs)
    assert off == news | {"__defaults": [], "autoScale": False}


def test_removed_tags_return_with_a_refresh(ocean: conftest.Scene, diver: conftest.Engine) -> None:
    """An empty list of tags is omitted from the request, so the cloud keeps them. The state has none until a refresh."""
    cluster, _, _ = oceans.cluster(diver)
    identity, inputs, state = oceans.pool(diver, cluster, tags=["web"])
    without = {key: value for key, value in inputs.items() if key != "tags"}
    updated = diver.call("Update", urn=oceans.POOL, id=identity, olds=state, news=without)
    assert "tags" not in oceans.bodies(ocean, "PUT")[f"{oceans.CLUSTERS}/{cluster}/node_pools/{identity}"]
    state = values.decode(updated.properties)
    assert state["tags"] == []
    assert (
        diver.call("Diff", urn=oceans.POOL, id=identity, olds=state, news=without).changes == provider_pb2.DiffResponse.DIFF_NONE
    )
    read = diver.call("Read", urn=oceans.POOL, id=identity, properties=state, inputs=without)
    assert values.decode(read.properties)["tags"] == ["web"]


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ({}, "At least one rule must be specified"),
        (
            {"outboundRules": [{"protocol": "udp"}]},
            "`port_range` of outbound rules is required if protocol is `tcp` or `udp`",
        ),
    ],
)
def test_invalid_firewalls_are_refused_in_preview(diver: conftest.Engine, rules: Json, text: str) -> None:
    """The error has the plugin's text."""
    error = diver.error("Create", urn=oceans.FIREWALL, properties={"name": "fw", **rules}, preview=True)
    assert error.details() == f"diffing {oceans.FIREWALL}: 1 error occurred:\n\t* {text}\n\n"
