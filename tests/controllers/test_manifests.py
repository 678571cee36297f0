"""API resources become manifests by the declarations of the kinds; what is wrong names the API's fields."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from google.protobuf import json_format

from planton import errors
from planton.controllers import manifests
from planton.engine import stacks
from planton.manifest import origins
from planton.schema import deletion, kinds

ID = "3f2c8a11-0c1d-4c7e-9b67-0d7a5f9a2b11"
CLUSTER = "9c1d2e3f-4a5b-4c6d-8e7f-0a1b2c3d4e5f"
SIZES = {"civo": "g4s.kube.small", "digitalocean": "s-2vcpu-4gb"}
DEFAULTS = {"version": "1.30.5-k3s1", "network": CLUSTER}


def pool(platform: str, *, name: str = "workers", own: dict[str, Any] | None = None, **spec: Any) -> manifests.Source:
    """Returns a node pool of the API."""
    kind = manifests.kind_of(kinds.Role.NODE_POOL, platform)
    assert kind is not None
    full_spec = {"platform": {"type": platform, platform: {"size": SIZES[platform], **(own or {})}}, **spec}
    return manifests.Source(ID, kind, {"name": name, "spec": full_spec}, {"id": CLUSTER, "region": "lon1"})


def cluster(platform: str, region: str, **own: Any) -> manifests.Source:
    """Returns a cluster of the API."""
    kind = manifests.kind_of(kinds.Role.CLUSTER, platform)
    assert kind is not None
    spec = {"platform": {"type": platform, platform: {"region": region, **own}}}
    return manifests.Source(ID, kind, {"name": "production", "spec": spec}, default=DEFAULTS)


def spec_of(source: manifests.Source) -> dict[str, Any]:
    """Returns the spec of the manifest, with its defaults."""
    manifest: Any = manifests.resource(source).manifest
    return dict(json_format.MessageToDict(manifest.spec))


@pytest.mark.parametrize("platform", sorted(SIZES))
def test_a_pool_keeps_its_name_and_labels_its_nodes(platform: str) -> None:
    """The name in the cloud is that of the resource; the label is added to the user's."""
    taints = [{"key": "dedicated", "value": "db", "effect": "NoSchedule"}]
    spec = spec_of(pool(platform, nodeCount=3, labels={"tier": "web"}, taints=taints))
    assert spec["nodePoolName"] == "workers"
    assert spec["cluster"] == {"value": CLUSTER}
    assert (spec["size"], spec["nodeCount"]) == (SIZES[platform], 3)
    assert spec["labels"] == {"tier": "web", "nodepool": "workers"}
    assert spec["taints"] == taints


@pytest.mark.parametrize("platform", sorted(SIZES))
def test_the_stack_is_named_by_the_id_of_the_resource(platform: str) -> None:
    """Two resources of one name have two stacks, and a manifest of a folder has another owner."""
    resource = manifests.resource(pool(platform, nodeCount=1))
    assert stacks.name_of(resource.manifest) == stacks.StackName("planton-api", ID)
    assert resource.origin == origins.NODE_POOL_API


def test_the_autoscaling_of_a_cloud_keeps_its_bounds_and_begins_with_the_least_nodes() -> None:
    """The count is only the beginning."""
    spec = spec_of(pool("digitalocean", autoscaling={"enabled": True, "minNodes": 2, "maxNodes": 5}))
    assert (spec["autoScale"], spec["minNodes"], spec["maxNodes"], spec["nodeCount"]) == (True, 2, 5, 2)


def gke_pool(**spec: Any) -> manifests.Source:
    """Returns a node pool on Google Cloud."""
    kind = manifests.kind_of(kinds.Role.NODE_POOL, "gcp")
    assert kind is not None
    full_spec = {"platform": {"type": "gcp", "gcp": {"machineType": "n1-standard-4", "spot": True}}, **spec}
    own = {"projectID": "acme", "region": "us-central1", "id": "c", "name": "production"}
    return manifests.Source(ID, kind, {"name": "workers", "spec": full_spec}, own)


def test_a_pool_of_google_cloud_names_its_cluster_and_counts_all_zones() -> None:
    """The API's number of nodes is that of all zones; GKE counts per zone."""
    spec = spec_of(gke_pool(nodeCount=6))
    assert spec["clusterProjectId"] == {"value": "acme"}
    assert (spec["clusterName"], spec["clusterLocation"]) == ({"value": "production"}, {"value": "us-central1"})
    assert (spec["machineType"], spec["spot"], spec["totalNodeCount"]) == ("n1-standard-4", True, 6)
    assert spec["nodeLabels"] == {"nodepool": "workers"}


def test_an_autoscaled_pool_of_google_cloud_has_bounds_and_no_number() -> None:
    """GKE's autoscaler decides; a disabled one leaves the number."""
    bounds = {"minNodes": 0, "maxNodes": 9}
    spec = spec_of(gke_pool(nodeCount=3, autoscaling={"enabled": True, **bounds}))
    assert spec["autoscaling"] == {"totalMaxNodes": 9, "initialNodes": 3, "locationPolicy": "BALANCED"}
    assert "totalNodeCount" not in spec
    assert spec_of(gke_pool(nodeCount=3, autoscaling={"enabled": False, **bounds}))["totalNodeCount"] == 3


def test_a_cluster_of_google_cloud_without_its_network_names_the_fields_of_the_api() -> None:
    """A cluster is created only if its spec says enough."""
    source = cluster("gcp", "us-central1", projectID="acme", releaseChannel="STABLE")
    with pytest.raises(errors.InvalidError) as caught:
        manifests.resource(source)
    paths = {violation.path for violation in caught.value.violations}
    assert {
        "spec.platform.gcp.network",
        "spec.platform.gcp.subnet",
        "spec.platform.gcp.podsRange",
        "spec.platform.gcp.masterCIDR",
    } <= paths


@pytest.mark.parametrize(("platform", "region", "network"), [("civo", "LON1", "network"), ("digitalocean", "FRA1", "vpc")])
def test_a_cluster_gets_what_its_spec_leaves_open(platform: str, region: str, network: str) -> None:
    """Version and network are the cloud's defaults; the region may be written in any case."""
    spec = spec_of(cluster(platform, region, defaultPool={"size": SIZES[platform], "nodeCount": 2}))
    assert (spec["clusterName"], spec["region"], spec["kubernetesVersion"]) == ("production", region.lower(), "1.30.5-k3s1")
    assert spec[network] == {"value": CLUSTER}
    assert spec["defaultNodePool"]["nodeCount"] == 2


def test_a_credential_is_named_in_the_manifest() -> None:
    """The pipeline reads it from the credentials file."""
    source = cluster("civo", "LON1", defaultPool={"size": "g4s.kube.small", "nodeCount": 1})
    manifest: Any = manifests.resource(
        manifests.Source(ID, source.kind, source.data, default=DEFAULTS, credential="acme")
    ).manifest
    assert dict(manifest.metadata.annotations) == {"project-planton.org/credential": "acme"}


@pytest.mark.parametrize("platform", sorted(SIZES))
@pytest.mark.parametrize(
    ("lifecycle", "expected"), [({"deletionProtection": True}, ["true"]), ({"deletionProtection": False}, []), ({}, [])]
)
def test_deletion_protection_is_that_of_the_spec(platform: str, lifecycle: dict[str, Any], expected: list[str]) -> None:
    """The pipeline refuses what the API refuses, until the spec clears it."""
    manifest: Any = manifests.resource(pool(platform, nodeCount=1, lifecycle=lifecycle)).manifest
    annotations = dict(manifest.metadata.annotations)
    assert [value for name, value in annotations.items() if name == deletion.PROTECTION_ANNOTATION] == expected


@pytest.mark.parametrize(
    ("source", "path"),
    [
        (cluster("civo", "LON1"), "spec.platform.civo.defaultPool"),
        (cluster("civo", "MOON1", defaultPool={"size": "g4s.kube.small", "nodeCount": 1}), "spec.platform.civo.region"),
        (pool("civo", nodeCount=0), "spec.nodeCount"),
        (pool("digitalocean", nodeCount=1, own={"tags": ["a b"]}), "spec.platform.digitalocean.tags"),
    ],
)
def test_a_violation_names_the_field_of_the_api(source: manifests.Source, path: str) -> None:
    """The user has never seen the manifest."""
    with pytest.raises(errors.InvalidError) as raised:
        manifests.resource(source)
    assert [violation.path for violation in raised.value.violations] == [path]


def test_a_cloud_without_these_kinds_has_no_controller() -> None:
    """The API also knows clouds for controllers of others. Node pools alone are not enough."""
    assert manifests.kind_of(kinds.Role.NODE_POOL, "azure") is None
    assert not {"aws", "azure"} & set(manifests.platforms())


@pytest.mark.parametrize("kind", [each for each in kinds.all_kinds() if each.declared.api_fields], ids=lambda kind: kind.name)
def test_each_declared_field_exists(kind: kinds.Kind) -> None:
    """The paths of the manifest are in its proto, also those whose change replaces the resource."""
    described: Any = kind.message.DESCRIPTOR
    for path in (*kind.declared.api_fields, *kind.declared.replacing):
        message = described.fields_by_name["spec"].message_type
        for part in path.split("."):
            field = next(each for each in message.fields if each.json_name == part)
            message = field.message_type


@pytest.mark.parametrize("revision", [1, 2, 17])
def test_the_stack_of_each_revision_names_the_resource(revision: int) -> None:
    """A pool that was replaced can be released to a manifest."""
    assert manifests.resource_of(manifests.stack_of(ID, revision)) == ID


def test_the_name_of_a_revision_is_as_long_as_the_cloud_allows() -> None:
    """GKE allows 40 characters, other clouds 63. A name that is too long by itself is refused, and not shortened."""
    source = gke_pool(nodeCount=3)
    named = dataclasses.replace(source, data={**source.data, "name": "n" * 40}, revision=2)
    assert named.name == f"{'n' * 37}-r2"
    with pytest.raises(errors.InvalidError):
        manifests.resource(dataclasses.replace(named, data={**named.data, "name": "n" * 41}, revision=1))
