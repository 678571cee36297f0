"""GcpGkeCluster: the requested resources."""

from __future__ import annotations

from typing import Any

import pytest

from planton.modules import own
from support import mocks

ANYWHERE = {"cidrBlocks": [{"cidrBlock": "0.0.0.0/0"}]}
SPEC = {
    "projectId": {"value": "acme"},
    "networkSelfLink": {"value": "projects/acme/global/networks/main"},
    "subnetworkSelfLink": {"value": "projects/acme/regions/europe-west1/subnetworks/nodes"},
    "location": "europe-west1",
    "clusterSecondaryRangeName": {"value": "pods"},
    "servicesSecondaryRangeName": {"value": "services"},
    "masterIpv4CidrBlock": "172.16.0.0/28",
    "clusterName": "dev",
}


def _cluster(outputs: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """Returns the arguments of the cluster, with the outputs of an existing one."""
    before = [] if outputs is None else [{"urn": "urn::cluster", "type": "gcp:container/cluster:Cluster", "outputs": outputs}]
    with own.state({"resources": before}):
        planned = mocks.plan(mocks.stack_input(mocks.target("GcpGkeCluster", {**SPEC, **spec})), cloud=mocks.Gcp())
    return planned.resources["cluster"].inputs


@pytest.mark.parametrize(
    ("outputs", "networks", "requested"),
    [
        (None, [], None),
        ({"id": "x"}, [], None),
        ({"id": "x", "masterAuthorizedNetworksConfig": {"cidrBlocks": [{"cidrBlock": "10.0.0.0/8"}]}}, [], ANYWHERE),
        ({"id": "x", "masterAuthorizedNetworksConfig": ANYWHERE}, [], ANYWHERE),
        ({"id": "x"}, ["10.0.0.0/8"], {"cidrBlocks": [{"cidrBlock": "10.0.0.0/8"}]}),
    ],
)
def test_removed_networks_are_replaced_by_all(outputs: dict[str, Any] | None, networks: list[str], requested: object) -> None:
    """The plugin keeps the networks of a cluster if none are requested."""
    assert _cluster(outputs, masterAuthorizedNetworks=networks).get("masterAuthorizedNetworksConfig") == requested


@pytest.mark.parametrize(
    ("outputs", "disabled", "requested"),
    [
        (None, True, None),
        ({"id": "x"}, True, None),
        ({"id": "x", "workloadIdentityConfig": {"workloadPool": "acme.svc.id.goog"}}, True, {"workloadPool": ""}),
        ({"id": "x", "workloadIdentityConfig": {"workloadPool": ""}}, True, {"workloadPool": ""}),
        ({"id": "x"}, False, {"workloadPool": "acme.svc.id.goog"}),
    ],
)
def test_workload_identity_is_disabled_in_an_existing_cluster(
    outputs: dict[str, Any] | None, *, disabled: bool, requested: object
) -> None:
    """The plugin keeps the pool of a cluster if none is requested."""
    assert _cluster(outputs, disableWorkloadIdentity=disabled).get("workloadIdentityConfig") == requested
