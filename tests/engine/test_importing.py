"""Imports: what an id means, at both clouds and for every kind, and what comes with a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from planton import errors
from planton.clouds.civo import client as civo
from planton.clouds.digitalocean import client as digitalocean
from planton.recovery import importing
from planton.schema import kinds
from support import mocks
from support.sandbox import Sandbox, sandbox

__all__ = ["sandbox"]

NOBODY = "2f4a1c1e-9f43-4c5e-8a0e-5b1f2d3c4e5f"
WRONG = (
    *("", " ", "WRONG", "..", "../..", "a/b", "a?b=c", "%2e%2e", ":", "a:", ":a", "a:b", "a:b:c", "x" * 500),
    *("name\n", "ünï", "\x1b[31m", "{}", "null", "0", NOBODY, NOBODY.upper(), f"{NOBODY}:", f":{NOBODY}", f"{NOBODY}:a"),
    *(f"a:{NOBODY}", f"{NOBODY}:{NOBODY}", f"{NOBODY}:a:b", f"{NOBODY} ", f"{NOBODY}/.."),
)
SPECS: dict[str, dict[str, Any]] = {
    "CivoVpc": {"networkName": "net", "region": "lon1"},
    "CivoFirewall": {"name": "fw", "networkId": {"value": "net"}},
    "CivoKubernetesCluster": {"clusterName": "dev", "region": "lon1", "network": {"value": "net"}},
    "CivoKubernetesNodePool": {"nodePoolName": "workers", "cluster": {"value": "dev"}},
    "DigitalOceanVpc": {"region": "fra1"},
    "DigitalOceanKubernetesCluster": {"clusterName": "dev", "region": "fra1"},
    "DigitalOceanKubernetesNodePool": {"nodePoolName": "workers", "cluster": {"value": "dev"}},
}


def _cloud(kind: kinds.Kind, sandbox: Sandbox) -> Any:
    token = sandbox.token
    return civo.Cloud(token, "LON1", sandbox.civo) if kind.provider == "civo" else digitalocean.Cloud(token, sandbox.digitalocean)


def _prepare(name: str, given: str, sandbox: Sandbox, cluster: str = NOBODY, **more: Any) -> importing.Adoption:
    kind = kinds.get(name)
    target = mocks.target(name, SPECS[name] | more)
    return importing.prepare(_cloud(kind, sandbox), target, kind.main, given, cluster_id=lambda: cluster)


def _made(sandbox: Sandbox, firewall: str = "dev-firewall") -> dict[str, str]:
    """Make a network, a firewall and a cluster with two pools at Civo; return their ids."""
    network = sandbox.call("POST", "/networks", {"label": "net"}).body["id"]
    fw = sandbox.call("POST", "/firewalls", {"name": firewall, "network_id": network}).body["id"]
    pools = [{"id": "main", "count": 1, "size": "g4s.kube.small"}]
    body = {"name": "dev", "network_id": network, "instance_firewall": fw, "pools": pools}
    cluster = sandbox.call("POST", "/kubernetes/clusters", body).body["id"]
    sandbox.call("POST", f"/kubernetes/clusters/{cluster}/pools", {"id": "workers", "count": 1, "size": "g4s.kube.small"})
    return {"network": network, "firewall": fw, "cluster": cluster}


@pytest.mark.parametrize("name", sorted(SPECS))
def test_an_id_of_nothing_is_an_error_with_a_sentence(name: str, sandbox: Sandbox) -> None:
    """Whatever it looks like, and nothing is changed."""
    for given in WRONG:
        with pytest.raises(errors.PlantonError) as caught:
            _prepare(name, given, sandbox)
        assert (caught.value.code, caught.value.reason) == (errors.Code.INVALID, errors.Reason.NOT_FOUND), given
        assert caught.value.hint, given
    assert {entry["method"] for entry in sandbox.control.requests()} <= {"GET"}


def test_every_kind_is_tried() -> None:
    """A kind that is added needs an entry here."""
    assert sorted(SPECS) == sorted(kind.name for kind in kinds.all_kinds())


def test_a_name_leads_to_its_id(sandbox: Sandbox) -> None:
    """The hint says what to give."""
    made = _made(sandbox)
    with pytest.raises(errors.PlantonError, match="no network has the id 'net' in LON1; networks there: default, net") as caught:
        _prepare("CivoVpc", "net", sandbox)
    assert caught.value.hint == f"the network 'net' has the id {made['network']}: use that id"


@pytest.mark.parametrize(
    ("name", "other"), [("CivoVpc", "cluster"), ("CivoFirewall", "network"), ("CivoKubernetesCluster", "firewall")]
)
def test_an_id_of_another_kind_is_named_as_such(name: str, other: str, sandbox: Sandbox) -> None:
    """It exists, and is something else."""
    made = _made(sandbox)
    with pytest.raises(errors.PlantonError) as caught:
        _prepare(name, made[other], sandbox)
    assert caught.value.hint.startswith(f"this is the id of a {other}; ")


@pytest.mark.parametrize("form", ["workers", "{cluster}:workers"])
def test_a_pool_is_meant_with_its_cluster_or_without(form: str, sandbox: Sandbox) -> None:
    """At Civo a pool's name is its id."""
    made = _made(sandbox)
    adoption = _prepare("CivoKubernetesNodePool", form.format(**made), sandbox, made["cluster"])
    assert adoption == importing.Adoption({"node_pool": f"{made['cluster']}:workers"})


def test_a_cluster_comes_with_its_own_firewall_and_pools(sandbox: Sandbox) -> None:
    """The one of planton's name, in the network of the manifest, which may be named or given by id."""
    made = _made(sandbox)
    pools = [{"name": "workers", "size": "g4s.kube.small", "nodeCount": 1}, {"name": "new", "size": "s", "nodeCount": 1}]
    for network in ("net", made["network"]):
        adoption = _prepare(
            "CivoKubernetesCluster", made["cluster"], sandbox, network={"value": network}, additionalNodePools=pools
        )
        assert adoption.imports == {
            "cluster": made["cluster"],
            "node_pool-workers": f"{made['cluster']}:workers",
            "firewall": made["firewall"],
        }
        assert adoption.notes == (f"the firewall dev-firewall ({made['firewall']}) comes with the cluster",)


@pytest.mark.parametrize(("name", "network"), [("other", "net"), ("dev-firewall", "another-net")])
def test_a_firewall_of_others_stays_and_is_named(name: str, network: str, sandbox: Sandbox) -> None:
    """The user learns what becomes of it before consenting."""
    made = _made(sandbox, name)
    adoption = _prepare("CivoKubernetesCluster", made["cluster"], sandbox, network={"value": network})
    assert "firewall" not in adoption.imports
    [note] = adoption.notes
    assert f"uses the firewall {name} ({made['firewall']}), which stays in the cloud" in note


def test_a_firewall_that_the_manifest_names_is_not_imported(sandbox: Sandbox) -> None:
    """It is another stack's, or nobody's."""
    made = _made(sandbox)
    adoption = _prepare("CivoKubernetesCluster", made["cluster"], sandbox, firewall={"value": "dev-firewall"})
    assert adoption == importing.Adoption({"cluster": made["cluster"]})
