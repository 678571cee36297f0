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


def _planned(outputs: dict[str, Any] | None = None, **spec: Any) -> mocks.Planned:
    """Returns what the module requests, with the outputs of an existing cluster."""
    before = [] if outputs is None else [{"urn": "urn::cluster", "type": "gcp:container/cluster:Cluster", "outputs": outputs}]
    with own.state({"resources": before}):
        return mocks.plan(mocks.stack_input(mocks.target("GcpGkeCluster", {**SPEC, **spec})), cloud=mocks.Gcp())


def _cluster(outputs: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """Returns the arguments of the cluster; see `_planned`."""
    return _planned(outputs, **spec).resources["cluster"].inputs


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


@pytest.mark.parametrize(
    ("networks", "listed", "requested"),
    [
        (None, [], None),
        (("10.0.0.0/8",), [], ANYWHERE),
        ((), [], ANYWHERE),
        (("10.0.0.0/8",), ["10.0.0.0/8"], {"cidrBlocks": [{"cidrBlock": "10.0.0.0/8"}]}),
    ],
)
def test_an_import_opens_a_cluster_whose_manifest_lists_no_networks(
    networks: tuple[str, ...] | None, listed: list[str], requested: object
) -> None:
    """The plan of the import shows it, and the next plan is empty. A cluster that is open already stays as it is."""
    assert _imported(mocks.Gcp(networks=networks), masterAuthorizedNetworks=listed)["networks"] == requested


@pytest.mark.parametrize(("pool", "requested"), [("", None), ("acme.svc.id.goog", {"workloadPool": ""})])
def test_an_import_disables_workload_identity(pool: str, requested: object) -> None:
    """As in a cluster of the state."""
    assert _imported(mocks.Gcp(workload_pool=pool), disableWorkloadIdentity=True)["identities"] == requested


def test_only_an_import_looks_the_cluster_up() -> None:
    """What is created or applied needs no look-up."""
    assert _planned(None).calls == []
    assert _planned({"id": "x"}).calls == []


def _imported(cloud: mocks.Gcp, **spec: Any) -> dict[str, Any]:
    """Returns two blocks of a cluster that is imported."""
    with own.state({"resources": []}, imported=("cluster",)):
        planned = mocks.plan(mocks.stack_input(mocks.target("GcpGkeCluster", {**SPEC, **spec})), cloud=cloud)
    inputs = planned.resources["cluster"].inputs
    return {"networks": inputs.get("masterAuthorizedNetworksConfig"), "identities": inputs.get("workloadIdentityConfig")}
