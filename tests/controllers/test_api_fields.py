"""Manifests as objects of the API, and what the API cannot express."""

from __future__ import annotations

from typing import Any

import pytest

from planton.controllers import api_fields
from planton.engine import plans
from planton.schema import kinds
from support import mocks

CLUSTER = {
    "clusterName": "production",
    "region": "lon1",
    "kubernetesVersion": "1.30.5+k3s1",
    "network": {"value": "n-1"},
    "cni": "cilium",
    "defaultNodePool": {"size": "g4s.kube.small", "nodeCount": 2},
}
POOL = {"nodePoolName": "workers", "cluster": {"value": "c-1"}, "size": "g4s.kube.small", "nodeCount": 3}


def _body(kind: str, spec: dict[str, Any], **annotations: str) -> dict[str, Any]:
    manifest = mocks.target(kind, spec, name="any")
    for name, value in annotations.items():
        manifest.metadata.annotations[f"project-planton.org/{name.replace('_', '-')}"] = value
    return api_fields.body(kinds.get(kind), manifest)


def test_a_cluster_has_the_fields_of_its_manifest() -> None:
    """The object has the name in the cloud, and the account's credential."""
    body = _body("CivoKubernetesCluster", CLUSTER, credential="acme", deletion_protection="true")
    assert body == {
        "name": "production",
        "spec": {
            "release": {"version": "1.30.5+k3s1"},
            "lifecycle": {"deletionProtection": True},
            "platform": {
                "type": "civo",
                "civo": {
                    "region": "lon1",
                    "networkID": "n-1",
                    "cni": "cilium",
                    "defaultPool": {"size": "g4s.kube.small", "nodeCount": 2},
                    "credential": "acme",
                },
            },
        },
    }


@pytest.mark.parametrize(
    ("location", "place"),
    [
        ("europe-west1", {"region": "europe-west1"}),
        ("europe-west1-b", {"region": "europe-west1", "zone": "europe-west1-b"}),
    ],
)
def test_a_location_is_a_region_or_a_zone(location: str, place: dict[str, str]) -> None:
    """The API has a field for each, and always needs the region."""
    spec = {"projectId": {"value": "p"}, "clusterName": "production", "location": location, "releaseChannel": "REGULAR"}
    own = _body("GcpGkeCluster", spec)["spec"]["platform"]["gcp"]
    assert own == {"projectID": "p", "releaseChannel": "REGULAR", **place}


def test_a_pool_names_its_cluster_as_the_cloud_does() -> None:
    """By an id, or by project, location and name."""
    gke = {
        "clusterProjectId": {"value": "p"},
        "clusterName": {"value": "production"},
        "clusterLocation": {"value": "europe-west1-b"},
    }
    listed = [("CivoKubernetesNodePool", POOL), ("GcpGkeNodePool", {**gke, "nodePoolName": "workers", "totalNodeCount": 2})]
    fields = [api_fields.cluster(kinds.get(kind), mocks.target(kind, spec, name="any")) for kind, spec in listed]
    assert fields == [{"id": "c-1"}, {"projectID": "p", "name": "production", "zone": "europe-west1-b"}]


def test_a_pool_keeps_its_labels_without_that_of_the_api() -> None:
    """Controllers add the label ``nodepool`` themselves."""
    body = _body("CivoKubernetesNodePool", {**POOL, "labels": {"tier": "web", "nodepool": "workers"}})
    assert body["name"] == "workers"
    assert body["spec"] == {
        "nodeCount": 3,
        "labels": {"tier": "web"},
        "platform": {"type": "civo", "civo": {"size": "g4s.kube.small"}},
    }


def test_an_autoscaled_pool_has_bounds_and_no_number() -> None:
    """The API refuses both."""
    body = _body("DigitalOceanKubernetesNodePool", {**POOL, "autoScale": True, "minNodes": 2, "maxNodes": 5})
    assert "nodeCount" not in body["spec"]
    assert body["spec"]["autoscaling"] == {"enabled": True, "minNodes": 2, "maxNodes": 5}


@pytest.mark.parametrize(
    ("path", "is_scaled", "is_lost"),
    [
        ("apiServerAllowedCidrs[0]", False, True),
        ("labels.tier", False, True),
        ("labels.nodepool", False, False),
        ("nodeCount", False, True),
        ("nodeCount", True, False),
    ],
)
def test_a_field_that_the_api_does_not_have_is_lost(path: str, *, is_scaled: bool, is_lost: bool) -> None:
    """What controllers decide themselves is not."""
    body = {"spec": {"autoscaling": {"enabled": is_scaled}}}
    difference = plans.Difference(path, "before", None)
    assert api_fields.is_lost(kinds.get("CivoKubernetesNodePool"), difference, body) is is_lost


def test_an_autoscaled_pool_of_google_cloud_has_bounds() -> None:
    """They are those of all zones, as in its manifest."""
    spec = {
        "clusterProjectId": {"value": "acme"},
        "clusterName": {"value": "production"},
        "clusterLocation": {"value": "us-central1"},
        "nodePoolName": "workers",
        "machineType": "n1-standard-4",
        "autoscaling": {"totalMinNodes": 2, "totalMaxNodes": 10, "initialNodes": 3},
    }
    body = _body("GcpGkeNodePool", spec)
    assert body["spec"]["autoscaling"] == {"enabled": True, "minNodes": 2, "maxNodes": 10}
    assert body["spec"]["nodeCount"] == 3
