"""What a deleted cluster leaves behind: listed before the consent, kept unless the user says otherwise, and then deleted by id."""

from __future__ import annotations

import pytest

from support import digitalocean_manifests as manifests
from support import planton as support
from support.worlds import FILE, Applied

CIVO_CLUSTER = "civokubernetescluster/dev"
OCEAN_CLUSTER = "digitaloceankubernetescluster/dev"
SORTS = ("volume", "load-balancer")


def _add(planton: support.Planton, cloud: str, cluster: str, *sorts: str) -> dict[str, str]:
    """Let workloads get what is named; return name → id."""
    made = [planton.sandbox.control.outside(sort, cloud=cloud, cluster=cluster, name=f"{sort}-1") for sort in sorts]
    return {each["name"]: each["id"] for each in made}


def _leftovers(planton: support.Planton, cloud: str) -> set[str]:
    """Return the names of what is there beside clusters."""
    there = planton.sandbox.control.resources(cloud)
    sorts = ("volumes", "volume_snapshots", "load_balancers", "loadbalancers", "ips")
    return {each["name"] for sort in sorts for each in there.get(sort, [])}


@pytest.fixture
def civo(applied: Applied) -> support.Planton:
    """A user with a network and a cluster at Civo."""
    return applied(support.network(), support.cluster())


@pytest.fixture
def ocean(applied: Applied) -> support.Planton:
    """A user with a network and a cluster at DigitalOcean."""
    return applied(manifests.network(), manifests.cluster())


def test_digitalocean_keeps_what_the_user_does_not_name(ocean: support.Planton) -> None:
    """It is listed with ids, and the way to delete it too; without consent nothing is deleted."""
    made = _add(ocean, "digitalocean", "dev", *SORTS, "snapshot")
    listed = ocean.run("destroy", "-f", FILE, code=5)
    for name, id_ in made.items():
        assert f"{name} ({id_})" in listed.stdout
    assert "  ! DigitalOcean keeps and bills: load balancer load-balancer-1" in listed.stdout
    assert "--with-load-balancers --with-volumes --with-snapshots" in listed.stdout
    assert listed.stdout.startswith("Account: digitalocean, context keys, DIGITALOCEAN_TOKEN, ")
    done = ocean.json("destroy", "-f", FILE, "--yes", "--with-volumes")
    [cluster] = done["leftovers"]
    assert {item["name"]: item["deleted"] for item in cluster["items"]} == {name: name == "volume-1" for name in made}
    assert _leftovers(ocean, "digitalocean") == {"load-balancer-1", "snapshot-1"}
    assert ocean.sandbox.control.resources("digitalocean")["clusters"] == []


def test_digitalocean_deletes_what_was_listed_and_nothing_else(ocean: support.Planton) -> None:
    """In one request with the ids; what another cluster has stays."""
    made = _add(ocean, "digitalocean", "dev", *SORTS)
    mark = ocean.sandbox.control.mark()
    ocean.run("destroy", OCEAN_CLUSTER, "--yes", "--with-volumes", "--with-load-balancers")
    [selective] = [each for each in ocean.sandbox.control.requests(mark) if each["path"].endswith("/selective")]
    assert selective["status"] == 204
    assert made
    assert _leftovers(ocean, "digitalocean") == set()
    assert ocean.json("get", "digitaloceankubernetesclusters")["items"] == []


def test_civo_deletes_what_was_listed_after_the_cluster(civo: support.Planton) -> None:
    """The network, which a volume would hold, goes too."""
    made = _add(civo, "civo", "dev", *SORTS, "reserved-address")
    planned = civo.json("destroy", "-f", FILE, code=5)
    assert planned["error"]["reason"] == "CONSENT_REQUIRED"
    listed = civo.run("destroy", "-f", FILE, code=5).stdout
    assert (
        f"  ! Civo may keep and bill: load balancer load-balancer-1 ({made['load-balancer-1']}) at $10.86/month; to delete"
        in listed
    )
    address = f"reserved address 203.0.113.7 ({made['reserved-address-1']})"
    assert f"  ! Civo keeps and bills: {address}, volume volume-1 ({made['volume-1']}) at $1.10/month; to delete" in listed
    assert "--with-reserved-addresses" in listed
    assert "Destroy: 3 to delete; - $21.72/month; leftovers: price unknown" in listed
    civo.run("destroy", "-f", FILE, "--yes", "--with-volumes", "--with-load-balancers", "--with-reserved-addresses")
    assert _leftovers(civo, "civo") == set()
    assert [each["label"] for each in civo.sandbox.control.resources()["networks"]] == ["default"]


def test_civo_says_what_could_not_be_deleted(civo: support.Planton) -> None:
    """The cluster is gone; what the cloud keeps is named with its id."""
    made = _add(civo, "civo", "dev", "volume")
    civo.sandbox.control.fault(cloud="civo", method="DELETE", path="/volumes/", action="status", status=403, body={})
    done = civo.json("destroy", CIVO_CLUSTER, "--yes", "--with-volumes", code=6)
    error = done["resources"][0]["error"]
    assert made["volume-1"] in error["message"]
    assert error["reason"] == "CLOUD_AUTH"
    assert civo.sandbox.control.resources()["clusters"] == []
    civo.run("destroy", CIVO_CLUSTER, "--yes", code=1)


def test_what_cannot_be_listed_is_not_deleted(civo: support.Planton) -> None:
    """Without the option the warning says that it is not known; with it the command stops."""
    for path in ("/v2/volumes", "/volumes"):
        civo.sandbox.control.fault(cloud="civo", method="GET", path=path, action="status", status=403, body={}, times=0)
    assert "they cannot be listed" in civo.run("destroy", "-f", FILE, code=5).stdout
    civo.run("destroy", "-f", FILE, "--yes", "--with-volumes", code=6)
    assert len(civo.sandbox.control.resources()["clusters"]) == 1


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
    assert f"Civo keeps and bills: volume volume-1 ({made['volume-1']}) at $1.10/month" in pruned
    assert "; leftovers: up to $1.10/month" in pruned
    assert "planton destroy CivoKubernetesCluster/dev --with-volumes" in pruned


def test_a_refresh_that_finds_a_cluster_missing_lists_what_it_left(civo: support.Planton) -> None:
    """Whoever deleted the cluster may not know that its volumes are kept and billed."""
    made = _add(civo, "civo", "dev", "volume")
    civo.sandbox.control.outside("delete-cluster", cluster="dev")
    done = civo.run("refresh", CIVO_CLUSTER)
    assert f"volume-1 ({made['volume-1']})" in done.stderr
    assert "keeps and bills" in done.stderr
