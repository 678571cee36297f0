"""What a deleted cluster leaves behind: listed before the consent, kept unless the user says otherwise, and then deleted by id."""

from __future__ import annotations

import pytest

from support import digitalocean_manifests as manifests
from support import planton as support

CIVO_CLUSTER = "civokubernetescluster/dev"
OCEAN_CLUSTER = "digitaloceankubernetescluster/dev"
SORTS = ("volume", "load-balancer")


def _add(planton: support.Planton, cloud: str, cluster: str, *sorts: str) -> dict[str, str]:
    """Let workloads get what is named; return name → id."""
    made = [planton.sandbox.control.outside(sort, cloud=cloud, cluster=cluster, name=f"{sort}-1") for sort in sorts]
    return {each["name"]: each["id"] for each in made}


def _left(planton: support.Planton, cloud: str) -> set[str]:
    """Return the names of what is there beside clusters."""
    there = planton.sandbox.control.resources(cloud)
    sorts = ("volumes", "volume_snapshots", "load_balancers", "loadbalancers")
    return {each["name"] for sort in sorts for each in there.get(sort, [])}


@pytest.fixture
def civo(planton: support.Planton) -> str:
    """A network and a cluster at Civo."""
    file = planton.write("civo.yaml", support.network(), support.cluster())
    planton.run("apply", "-f", file, "--yes")
    return file


@pytest.fixture
def ocean(planton: support.Planton) -> str:
    """A network and a cluster at DigitalOcean."""
    file = planton.write("ocean.yaml", manifests.network(), manifests.cluster())
    planton.run("apply", "-f", file, "--yes")
    return file


def test_digitalocean_keeps_what_the_user_does_not_name(planton: support.Planton, ocean: str) -> None:
    """It is listed with ids, and the way to delete it too; without consent nothing is deleted."""
    made = _add(planton, "digitalocean", "dev", *SORTS, "snapshot")
    listed = planton.run("destroy", "-f", ocean, code=5)
    for name, id_ in made.items():
        assert f"{name} ({id_})" in listed.stdout
    assert "  ! DigitalOcean keeps and bills: load balancer load-balancer-1" in listed.stdout
    assert "--with-load-balancers --with-volumes --with-snapshots" in listed.stdout
    assert listed.stdout.startswith("Account: digitalocean, DIGITALOCEAN_TOKEN, ")
    done = planton.json("destroy", "-f", ocean, "--yes", "--with-volumes")
    [cluster] = done["leftovers"]
    assert {item["name"]: item["deleted"] for item in cluster["items"]} == {name: name == "volume-1" for name in made}
    assert _left(planton, "digitalocean") == {"load-balancer-1", "snapshot-1"}
    assert planton.sandbox.control.resources("digitalocean")["clusters"] == []


def test_digitalocean_deletes_what_was_listed_and_nothing_else(planton: support.Planton, ocean: str) -> None:
    """In one request with the ids; what another cluster has stays."""
    made = _add(planton, "digitalocean", "dev", *SORTS)
    mark = planton.sandbox.control.mark()
    planton.run("destroy", OCEAN_CLUSTER, "--yes", "--with-volumes", "--with-load-balancers")
    [selective] = [each for each in planton.sandbox.control.requests(mark) if each["path"].endswith("/selective")]
    assert selective["status"] == 204
    assert made
    assert _left(planton, "digitalocean") == set()
    assert planton.json("get", "digitaloceankubernetesclusters")["items"] == []


def test_civo_deletes_what_was_listed_after_the_cluster(planton: support.Planton, civo: str) -> None:
    """The network, which a volume would hold, goes too."""
    made = _add(planton, "civo", "dev", *SORTS)
    planned = planton.json("destroy", "-f", civo, code=5)
    assert planned["error"]["reason"] == "CONSENT_REQUIRED"
    listed = planton.run("destroy", "-f", civo, code=5).stdout
    assert f"  ! Civo may keep and bill: load balancer load-balancer-1 ({made['load-balancer-1']}); to delete" in listed
    assert f"  ! Civo keeps and bills: volume volume-1 ({made['volume-1']}); to delete" in listed
    planton.run("destroy", "-f", civo, "--yes", "--with-volumes", "--with-load-balancers")
    assert _left(planton, "civo") == set()
    assert [each["label"] for each in planton.sandbox.control.resources()["networks"]] == ["default"]


def test_civo_says_what_could_not_be_deleted(planton: support.Planton, civo: str) -> None:
    """The cluster is gone; what the cloud keeps is named with its id."""
    made = _add(planton, "civo", "dev", "volume")
    planton.sandbox.control.fault(cloud="civo", method="DELETE", path="/volumes/", action="status", status=403, body={})
    done = planton.json("destroy", CIVO_CLUSTER, "--yes", "--with-volumes", code=6)
    error = done["resources"][0]["error"]
    assert made["volume-1"] in error["message"]
    assert error["reason"] == "CLOUD_AUTH"
    assert planton.sandbox.control.resources()["clusters"] == []
    planton.run("destroy", CIVO_CLUSTER, "--yes", code=1)


def test_what_cannot_be_listed_is_not_deleted(planton: support.Planton, civo: str) -> None:
    """Without the option the warning says that it is not known; with it the command stops."""
    for path in ("/v2/volumes", "/volumes"):
        planton.sandbox.control.fault(cloud="civo", method="GET", path=path, action="status", status=403, body={}, times=0)
    assert "they cannot be listed" in planton.run("destroy", "-f", civo, code=5).stdout
    planton.run("destroy", "-f", civo, "--yes", "--with-volumes", code=6)
    assert len(planton.sandbox.control.resources()["clusters"]) == 1


def test_a_plan_says_what_a_replaced_or_pruned_cluster_leaves_behind(planton: support.Planton) -> None:
    """In the plan, as a warning of the cluster."""
    folder = planton.folder / "folder"
    folder.mkdir()
    planton.write("folder/net.yaml", support.network())
    planton.write("folder/dev.yaml", support.cluster())
    planton.run("apply", "-f", "folder", "--yes")
    made = _add(planton, "civo", "dev", "volume")
    replaced = planton.json("plan", "-f", "folder", "--set", "spec.cni=cilium")
    assert made["volume-1"] in str([each["warnings"] for each in replaced["resources"]])
    (folder / "dev.yaml").unlink()
    pruned = planton.run("plan", "-f", "folder", "--prune").stdout
    assert f"Civo keeps and bills: volume volume-1 ({made['volume-1']})" in pruned
    assert "planton destroy CivoKubernetesCluster/dev --with-volumes" in pruned
