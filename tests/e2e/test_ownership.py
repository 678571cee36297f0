"""One resource, one owner: what belongs to another folder, stack or person is not touched, and what is shown is read from the cloud."""

from __future__ import annotations

import pytest

from support import matrix_world
from support import planton as support
from support.worlds import Worlds


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory):
    """A user who has applied a network, a cluster and a pool from the folder ``infra``."""
    with support.using(tmp_path_factory.mktemp("ownership") / "user") as user:
        (user.folder / "infra").mkdir()
        user.write("infra/all.yaml", support.network(), support.cluster(), support.pool())
        user.run("apply", "-f", "infra", "--yes")
        yield user


def test_a_plan_without_changes_reads_one_list_of_each_kind_and_starts_no_refresh(applied: support.Planton) -> None:
    """Three stacks cost one list of networks, of firewalls and of clusters; the other requests are those of the plugin."""
    mark = applied.sandbox.control.mark()
    assert applied.actions("plan", "-f", "infra") == {}
    ours = [each["path"] for each in applied.sandbox.control.requests(mark, "civo") if "civogo" not in each["agent"]]
    lists = [path for path in ours if path.count("/") <= len(("v2", "kubernetes", "clusters"))]
    assert sorted(lists) == ["/v2/firewalls", "/v2/kubernetes/clusters", "/v2/networks"]
    assert len(ours) == len(lists) + 1, "the default pool of a cluster is looked at in the cluster itself"


def test_without_a_look_at_the_cloud_the_outputs_are_those_of_the_last_apply(applied: support.Planton) -> None:
    """A reader can tell what is known from what was known."""
    assert "(as of the last apply)" in applied.run("apply", "-f", "infra", "--yes", "--refresh=false").stdout
    assert "(as of the last apply)" not in applied.run("apply", "-f", "infra", "--yes").stdout


def test_another_folder_takes_over_only_with_consent_by_name(applied: support.Planton) -> None:
    """The plan says whose it is and what would change; neither apply nor destroy touches it unasked."""
    (applied.folder / "other").mkdir()
    applied.write("other/net.yaml", support.network(nameservers=["9.9.9.9"]))
    owner = str(applied.folder / "infra")
    mark = applied.sandbox.control.mark()
    shown = applied.run("plan", "-f", "other").stdout
    assert f"it was applied from another folder: {owner}" in shown
    for command in ("apply", "destroy"):
        refused = applied.run(command, "-f", "other", "--yes", code=5).stderr
        assert f"CivoVpc/net (env dev) was applied from {owner}" in refused
        assert "--take-over CivoVpc/net" in refused
    assert applied.writes(mark) == []
    applied.write("other/net.yaml", support.network())
    applied.run("apply", "-f", "other", "--yes", "--take-over", "CivoVpc/net")
    assert "TAKE_OVER_REFUSED" in applied.run("apply", "-f", "infra", "--yes", "-o", "json", code=5).stdout
    applied.run("apply", "-f", "infra", "--yes", "--take-over", "dev/CivoVpc/net")


def test_what_another_stack_manages_is_not_imported(applied: support.Planton) -> None:
    """A pool, a network or a cluster has one stack; the error names it and the way to release it."""
    cluster = applied.json("outputs", "civokubernetescluster/dev")["clusterId"]
    network = applied.json("outputs", "civovpc/net")["networkId"]
    copies = {
        "CivoKubernetesNodePool": (support.pool(), f"{cluster}:workers", "CivoKubernetesNodePool/workers (env dev)"),
        "CivoVpc": (support.network(), network, "CivoVpc/net (env dev)"),
    }
    for kind, (manifest, id_, owner) in copies.items():
        manifest["metadata"]["name"] = "copy"
        applied.write("copy.yaml", manifest)
        refused = applied.run("import", f"{kind}/copy", id_, "-f", "copy.yaml", "--yes", code=5).stderr
        assert f"belongs to {owner}" in refused
        assert "planton state forget" in refused
    (applied.folder / "copy.yaml").unlink()


def test_an_import_does_not_replace_what_the_manifest_already_manages(applied: support.Planton) -> None:
    """Pulumi would delete the managed resource, also where the id is that of the resource itself."""
    cluster = applied.json("outputs", "civokubernetescluster/dev")["clusterId"]
    mark = applied.sandbox.control.mark()
    for resource, id_ in (("CivoKubernetesNodePool/workers", f"{cluster}:workers"), ("CivoKubernetesCluster/dev", cluster)):
        refused = applied.run("import", resource, id_, "-f", "infra", "--yes", code=5).stderr
        assert "already manages the" in refused
    assert applied.writes(mark) == []


def test_two_manifests_of_one_name_in_the_cloud_are_refused_before_anything_is_planned(applied: support.Planton) -> None:
    """At Civo a pool's name is its id."""
    twin = support.pool(nodeCount=1)
    twin["metadata"]["name"] = "twin"
    mark = applied.sandbox.control.mark()
    file = applied.write("twins.yaml", support.pool(), twin)
    for command in (("plan",), ("apply", "--yes")):
        refused = applied.run(*command, "-f", file, code=1).stderr
        assert "spec.nodePoolName: node pool 'workers' is also spec.nodePoolName of CivoKubernetesNodePool/workers" in refused
        assert "[reference.cloud_name_once]" in refused
    assert applied.writes(mark) == []


@pytest.mark.parametrize("cloud", ["civo", "digitalocean"])
def test_a_destroy_lists_what_a_lost_answer_created_and_deletes_exactly_that(cloud: str, worlds: Worlds) -> None:
    """Recovery comes before the list; a stranger's cluster of another name stays."""
    world = matrix_world.CLOUDS[cloud]
    with worlds.applied(world.network) as user:
        file = user.write("cluster.yaml", world.cluster)
        user.sandbox.control.fault(cloud=cloud, method="POST", path="/kubernetes/clusters$", action="drop_after")
        user.run("apply", "-f", file, "--yes", code=6)
        [cluster] = user.sandbox.control.resources(cloud)["clusters"]
        asked = user.run("destroy", "-f", file, code=5)
        assert f"adopting {cluster['id']}" in asked.stderr
        assert "- delete cluster" in asked.stdout
        assert len(user.sandbox.control.resources(cloud)["clusters"]) == 1, "without consent nothing is deleted"
        user.run("destroy", "-f", file, "--yes")
        remaining = user.sandbox.control.resources(cloud)["clusters"]
        assert [each for each in remaining if each["status"] != "deleting"] == []
        assert "CLUSTER" not in user.run("get").stdout.upper()
