"""What clients read from the simulated Compute Engine."""

from __future__ import annotations

import pytest

from support.gcp import PROJECT, REGION, Gke

BASE = f"/compute/v1/projects/{PROJECT}"


def test_zones_and_regions_agree(gke: Gke) -> None:
    """Each zone is listed by its region."""
    regions = {item["name"]: item for item in gke.get(f"{BASE}/regions")["items"]}
    for zone in gke.get(f"{BASE}/zones")["items"]:
        assert zone["selfLink"] in regions[zone["region"].rpartition("/")[2]]["zones"]


def test_zones_differ_in_machines_and_accelerators(gke: Gke) -> None:
    """Lists can be filtered by name, and read in pages."""
    first, second = (
        {item["name"] for item in gke.get(f"{BASE}/zones/{zone}/machineTypes")["items"]}
        for zone in ("us-central1-a", "us-central1-f")
    )
    assert "c3-standard-4" in first - second
    types = gke.get(f"{BASE}/zones/us-central1-a/machineTypes?filter=name%3D%22n1-standard-4%22")["items"]
    assert [(item["guestCpus"], item["memoryMb"]) for item in types] == [(4, 15360)]
    page = gke.get(f"{BASE}/zones/us-central1-a/machineTypes?maxResults=10")
    assert len(page["items"]) == 10
    rest = gke.get(f"{BASE}/zones/us-central1-a/machineTypes?pageToken={page['nextPageToken']}")["items"]
    assert len(rest) + 10 == len(first)
    kinds = gke.get(f"{BASE}/zones/us-central1-a/acceleratorTypes")["items"]
    assert "nvidia-tesla-t4" in {item["name"] for item in kinds}


def test_a_subnetwork_has_ranges_for_clusters(gke: Gke) -> None:
    """Every project has one in each region, and a NAT."""
    subnetwork = gke.get(f"{BASE}/regions/{REGION}/subnetworks/default")
    assert {item["rangeName"] for item in subnetwork["secondaryIpRanges"]} == {"pods", "services"}
    assert gke.get(f"{BASE}/regions/{REGION}/routers")["items"][0]["nats"][0]["name"] == "default-nat"
    everywhere = gke.get(f"{BASE}/aggregated/subnetworks")["items"]
    assert len(everywhere[f"regions/{REGION}"]["subnetworks"]) == 1


def test_the_machines_of_pools_are_instances(gke: Gke) -> None:
    """Their group lists them, too; other groups are not found."""
    gke.cluster()
    instances = gke.get(f"{BASE}/zones/us-central1-a/instances")["items"]
    assert [item["status"] for item in instances] == ["RUNNING"]
    group = gke.get(f"{BASE}/zones/us-central1-a/instanceGroupManagers")["items"][0]
    path = f"{BASE}/zones/us-central1-a/instanceGroupManagers/{group['name']}/listManagedInstances"
    managed = gke.call("POST", path).body["managedInstances"]
    assert [item["instance"] for item in managed] == [instances[0]["selfLink"]]
    assert gke.call("GET", f"{BASE}/zones/us-central1-a/instanceGroupManagers/none").status == 404


@pytest.mark.parametrize(
    "path", ["/zones/nowhere/machineTypes", "/zones/us-central1-a/machineTypes?filter=(", "/zones/us-central1-a/images"]
)
def test_an_invalid_read_is_refused(gke: Gke, path: str) -> None:
    """The error has the cloud's format."""
    answer = gke.call("GET", BASE + path)
    assert answer.status in (400, 404)
    assert answer.body["error"]["message"]
