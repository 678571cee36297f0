"""Imports on the real engine: what comes with a cluster, and what a wrong id is answered with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support import planton as support
from support import worlds as support_worlds

CLUSTER = "civokubernetescluster/dev"


@pytest.fixture
def planton(worlds: support_worlds.Worlds) -> Iterator[support.Planton]:
    """A user with a cluster and planton's own firewall, which was removed from the state."""
    network, cluster = support.network(), support.cluster()
    remove = support_worlds.Step("remove the cluster", lambda user: user.run("state", "forget", CLUSTER, "--yes"))
    with worlds.user(*support_worlds.applying(network, cluster), remove) as user:
        yield user


@pytest.fixture
def forgotten(planton: support.Planton) -> tuple[str, str]:
    """The file of the manifests, and the id of the cluster."""
    return support_worlds.FILE, str(planton.sandbox.control.resources()["clusters"][0]["id"])


def test_a_cluster_comes_back_with_its_own_firewall(planton: support.Planton, forgotten: tuple[str, str]) -> None:
    """As docs/operate/state.md promises: nothing is made again, the next plan is empty, and a destroy leaves nothing."""
    file, cluster = forgotten
    before = planton.sandbox.control.resources()
    refused = planton.run("import", CLUSTER, cluster, "-f", file, code=5)
    assert "the firewall dev-firewall (" in refused.stderr
    account, *plan = refused.stdout.splitlines()
    assert account == f"Account: civo, context keys, CIVO_TOKEN, {planton.sandbox.civo} (sandbox)"
    assert plan[-1] == "Plan: 2 to import"
    done = planton.json("import", CLUSTER, cluster, "-f", file, "--yes")
    assert {each["resource"]: each["action"] for each in done["resources"][0]["changes"]} == {
        "cluster": "import",
        "firewall": "import",
    }
    assert done["accounts"][0]["sandbox"]
    after = planton.sandbox.control.resources()
    assert (after["clusters"], after["firewalls"]) == (before["clusters"], before["firewalls"])
    assert planton.actions("plan", "-f", file) == {}
    planton.run("destroy", "-f", file, "--yes")
    assert planton.sandbox.control.resources()["clusters"] == []


def test_a_firewall_that_another_stack_manages_is_not_taken(planton: support.Planton, forgotten: tuple[str, str]) -> None:
    """The way out is to name it in the manifest of the cluster."""
    _, cluster = forgotten
    there = planton.sandbox.control.resources()["firewalls"]
    own = next(each["id"] for each in there if each["name"] == "dev-firewall")
    rules = planton.write("rules.yaml", support.network(), support.firewall(name="dev-firewall"))
    planton.run("import", "civofirewall/fw", own, "-f", rules, "--yes")
    taken = planton.write("taken.yaml", support.network(), support.cluster())
    refused = planton.json("import", CLUSTER, cluster, "-f", taken, "--yes", code=5)
    assert refused["error"]["reason"] == "TAKE_OVER_REFUSED"
    assert f"firewall {own} belongs to CivoFirewall/fw (env dev)" in refused["error"]["message"]


def test_a_wrong_id_is_an_error_and_leaves_nothing(planton: support.Planton, forgotten: tuple[str, str]) -> None:
    """Also for a node pool at DigitalOcean, whose kind the cloud has no list of."""
    file, _ = forgotten
    mark = planton.sandbox.control.mark()
    wrong = planton.json("import", CLUSTER, "WRONG", "-f", file, "--yes", code=1)
    assert "clusters there: dev" in wrong["error"]["message"]
    pool = support.manifest(
        "DigitalOceanKubernetesNodePool", "workers", nodePoolName="w", cluster={"value": "c"}, size="s-2vcpu-4gb", nodeCount=1
    )
    ocean = planton.write("ocean.yaml", pool)
    for wrong_id in ("WRONG", "6e3f5a8e-9f43-4c5e-8a0e-5b1f2d3c4e5f:WRONG"):
        error = planton.json("import", "digitaloceankubernetesnodepool/workers", wrong_id, "-f", ocean, "--yes", code=1)["error"]
        assert error["reason"] == "NOT_FOUND"
    assert planton.writes(mark) == planton.writes(mark, cloud="digitalocean") == []
    assert planton.json("get", "civokubernetesclusters")["items"] == []


def test_an_import_never_replaces(planton: support.Planton, forgotten: tuple[str, str]) -> None:
    """A manifest that would need a new cluster is refused before anything is changed."""
    file, cluster = forgotten
    mark = planton.sandbox.control.mark()
    refused = planton.json("import", CLUSTER, cluster, "-f", file, "--set", "spec.cni=cilium", "--yes", code=1)
    assert refused["error"]["reason"] == "MANIFEST_INVALID", refused
    assert planton.writes(mark) == []
    assert planton.sandbox.control.resources()["clusters"][0]["id"] == cluster
