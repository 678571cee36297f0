"""Imports: how ids are resolved at all clouds for every kind, and what comes with a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from planton import errors
from planton.clouds.civo import client as civo
from planton.clouds.digitalocean import client as digitalocean
from planton.clouds.gcp import client as gcp
from planton.recovery import importing
from planton.schema import kinds
from support import gcp as gke
from support import mocks
from support.sandbox import Sandbox, sandbox

__all__ = ["sandbox"]

PROJECT = "sandbox-project"
UNKNOWN = "2f4a1c1e-9f43-4c5e-8a0e-5b1f2d3c4e5f"
INVALID_IDS = (
    *("", " ", "WRONG", "..", "../..", "a/b", "a?b=c", "%2e%2e", ":", "a:", ":a", "a:b", "a:b:c", "x" * 500),
    *("name\n", "ünï", "\x1b[31m", "{}", "null", "0", UNKNOWN, UNKNOWN.upper(), f"{UNKNOWN}:", f":{UNKNOWN}", f"{UNKNOWN}:a"),
    *(f"a:{UNKNOWN}", f"{UNKNOWN}:{UNKNOWN}", f"{UNKNOWN}:a:b", f"{UNKNOWN} ", f"{UNKNOWN}/.."),
)
SPECS: dict[str, dict[str, Any]] = {
    "CivoVpc": {"networkName": "net", "region": "lon1"},
    "CivoFirewall": {"name": "fw", "networkId": {"value": "net"}},
    "CivoKubernetesCluster": {"clusterName": "dev", "region": "lon1", "network": {"value": "net"}},
    "CivoKubernetesNodePool": {"nodePoolName": "workers", "cluster": {"value": "dev"}},
    "DigitalOceanVpc": {"region": "fra1"},
    "DigitalOceanKubernetesCluster": {"clusterName": "dev", "region": "fra1"},
    "DigitalOceanKubernetesNodePool": {"nodePoolName": "workers", "cluster": {"value": "dev"}},
    "GcpGkeCluster": {"projectId": {"value": PROJECT}, "location": "us-central1", "clusterName": "dev"},
    "GcpGkeNodePool": {
        "clusterProjectId": {"value": PROJECT},
        "clusterLocation": {"value": "us-central1"},
        "clusterName": {"value": "dev"},
        "nodePoolName": "workers",
    },
}


def _cloud(kind: kinds.Kind, sandbox: Sandbox) -> Any:
    token = sandbox.token
    if kind.provider == "gcp":
        return gcp.Cloud(PROJECT, "", sandbox.info.tokens["gcp"], endpoint=sandbox.info.clouds["gcp"])
    return civo.Cloud(token, "LON1", sandbox.civo) if kind.provider == "civo" else digitalocean.Cloud(token, sandbox.digitalocean)


def _prepare(name: str, id_: str, sandbox: Sandbox, cluster: str = UNKNOWN, **more: Any) -> importing.Adoption:
    kind = kinds.get(name)
    target = mocks.target(name, SPECS[name] | more)
    return importing.prepare(_cloud(kind, sandbox), target, kind.main, id_, cluster_id=lambda: cluster)


def _create(sandbox: Sandbox, firewall: str = "dev-firewall") -> dict[str, str]:
    """Creates a network, a firewall and a cluster with two pools at Civo; returns their ids."""
    network = sandbox.call("POST", "/networks", {"label": "net"}).body["id"]
    fw = sandbox.call("POST", "/firewalls", {"name": firewall, "network_id": network}).body["id"]
    pools = [{"id": "main", "count": 1, "size": "g4s.kube.small"}]
    body = {"name": "dev", "network_id": network, "instance_firewall": fw, "pools": pools}
    cluster = sandbox.call("POST", "/kubernetes/clusters", body).body["id"]
    sandbox.call("POST", f"/kubernetes/clusters/{cluster}/pools", {"id": "workers", "count": 1, "size": "g4s.kube.small"})
    return {"network": network, "firewall": fw, "cluster": cluster}


@pytest.mark.parametrize("name", sorted(SPECS))
def test_an_unknown_id_is_an_error_with_a_hint(name: str, sandbox: Sandbox) -> None:
    """This holds for every form of id, and no request changes anything."""
    for id_ in INVALID_IDS:
        with pytest.raises(errors.PlantonError) as caught:
            _prepare(name, id_, sandbox)
        assert (caught.value.code, caught.value.reason) == (errors.Code.INVALID, errors.Reason.NOT_FOUND), id_
        assert caught.value.hint, id_
    assert {entry["method"] for entry in sandbox.control.requests()} <= {"GET"}


def test_every_kind_is_tried() -> None:
    """A new kind needs an entry here."""
    assert sorted(SPECS) == sorted(kind.name for kind in kinds.all_kinds())


def test_a_name_instead_of_an_id_is_an_error_with_the_id(sandbox: Sandbox) -> None:
    """The hint contains the id to use."""
    ids = _create(sandbox)
    with pytest.raises(errors.PlantonError, match="no network has the id 'net' in LON1; networks there: default, net") as caught:
        _prepare("CivoVpc", "net", sandbox)
    assert caught.value.hint == f"the network 'net' has the id {ids['network']}: use that id"


@pytest.mark.parametrize(
    ("name", "other"), [("CivoVpc", "cluster"), ("CivoFirewall", "network"), ("CivoKubernetesCluster", "firewall")]
)
def test_an_id_of_another_kind_is_named_as_such(name: str, other: str, sandbox: Sandbox) -> None:
    """The hint names the kind of the existing resource."""
    ids = _create(sandbox)
    with pytest.raises(errors.PlantonError) as caught:
        _prepare(name, ids[other], sandbox)
    assert caught.value.hint.startswith(f"this is the id of a {other}; ")


@pytest.mark.parametrize("form", ["workers", "{cluster}:workers"])
def test_a_pool_is_imported_with_or_without_its_cluster_in_the_id(form: str, sandbox: Sandbox) -> None:
    """At Civo a pool's name is its id."""
    ids = _create(sandbox)
    adoption = _prepare("CivoKubernetesNodePool", form.format(**ids), sandbox, ids["cluster"])
    assert adoption == importing.Adoption({"node_pool": f"{ids['cluster']}:workers"})


def test_a_cluster_is_imported_with_its_own_firewall_and_pools(sandbox: Sandbox) -> None:
    """The firewall has planton's name and is in the manifest's network, which is named by name or id."""
    ids = _create(sandbox)
    pools = [{"name": "workers", "size": "g4s.kube.small", "nodeCount": 1}, {"name": "new", "size": "s", "nodeCount": 1}]
    for network in ("net", ids["network"]):
        adoption = _prepare(
            "CivoKubernetesCluster", ids["cluster"], sandbox, network={"value": network}, additionalNodePools=pools
        )
        assert adoption.imports == {
            "cluster": ids["cluster"],
            "node_pool-workers": f"{ids['cluster']}:workers",
            "firewall": ids["firewall"],
        }
        assert adoption.notes == (f"the firewall dev-firewall ({ids['firewall']}) comes with the cluster",)


@pytest.mark.parametrize(("name", "network"), [("other", "net"), ("dev-firewall", "another-net")])
def test_a_foreign_firewall_is_not_imported_but_noted(name: str, network: str, sandbox: Sandbox) -> None:
    """The note is shown before the user approves."""
    ids = _create(sandbox, name)
    adoption = _prepare("CivoKubernetesCluster", ids["cluster"], sandbox, network={"value": network})
    assert "firewall" not in adoption.imports
    [note] = adoption.notes
    assert f"uses the firewall {name} ({ids['firewall']}), which stays in the cloud" in note


def test_a_firewall_named_by_the_manifest_is_not_imported(sandbox: Sandbox) -> None:
    """It belongs to another stack, or to none."""
    ids = _create(sandbox)
    adoption = _prepare("CivoKubernetesCluster", ids["cluster"], sandbox, firewall={"value": "dev-firewall"})
    assert adoption == importing.Adoption({"cluster": ids["cluster"]})


@pytest.mark.parametrize(
    ("block", "listed", "note"),
    [
        ({}, [], False),
        ({"enabled": True, "cidr_blocks": [{"cidr_block": "10.0.0.0/8"}]}, [], True),
        ({"enabled": True, "cidr_blocks": [{"cidr_block": "10.0.0.0/8"}]}, ["10.0.0.0/8"], False),
    ],
)
def test_an_import_that_opens_the_api_server_is_noted(
    sandbox: Sandbox, block: dict[str, Any], listed: list[str], *, note: bool
) -> None:
    """The note has the networks of now, and the field that keeps them."""
    id_ = gke.Gke(sandbox).cluster("dev", master_authorized_networks_config=block)
    adoption = _prepare("GcpGkeCluster", id_, sandbox, masterAuthorizedNetworks=listed)
    assert adoption.imports == {"cluster": id_}
    assert [("10.0.0.0/8" in text, "spec.masterAuthorizedNetworks" in text) for text in adoption.notes] == [(True, True)] * note
