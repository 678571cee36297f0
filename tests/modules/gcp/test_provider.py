"""The provider of Google Cloud's resources, and what the official plugin makes of its settings."""

from __future__ import annotations

import pytest

from support import mocks

SPEC = {
    "projectId": {"value": "acme"},
    "networkSelfLink": {"value": "projects/acme/global/networks/main"},
    "subnetworkSelfLink": {"value": "projects/acme/regions/europe-west1/subnetworks/main"},
    "clusterSecondaryRangeName": {"value": "pods"},
    "servicesSecondaryRangeName": {"value": "services"},
    "masterIpv4CidrBlock": "172.16.0.0/28",
    "clusterName": "dev",
}


@pytest.mark.parametrize(
    ("location", "config", "region"),
    [
        ("europe-west1", {}, "europe-west1"),
        ("europe-west1-b", {}, "europe-west1"),
        # With a region, the plugin calls the real cloud.
        ("europe-west1", {"apiEndpoint": "http://127.0.0.1:1"}, None),
    ],
)
def test_credentials_of_another_endpoint_are_not_sent_to_the_real_cloud(
    location: str, config: dict[str, str], region: str | None
) -> None:
    """The plugin lists the regions of the real cloud where the provider has one."""
    target = mocks.target("GcpGkeCluster", {**SPEC, "location": location})
    assert mocks.plan(mocks.stack_input(target, **config)).resources["gcp"].inputs.get("region") == region


def test_the_certificate_of_a_cluster_is_no_secret() -> None:
    """The plugin marks the block that contains it, because of a client's key."""
    target = mocks.target("GcpGkeCluster", {**SPEC, "location": "europe-west1"})
    assert mocks.plan(mocks.stack_input(target)).outputs["cluster_ca_certificate"] == "Y2E="
