"""A folder of manifests as one thing: side by side, pruned, protected, planned and applied later."""

from __future__ import annotations

import json
import pathlib
import signal
import stat
from collections.abc import Iterator
from typing import Any

import pytest

from support import planton as support
from support import waiting
from support.worlds import Step, Worlds

PROTECTED = {"annotations": {"project-planton.org/deletion-protection": "true"}}


def _pool(name: str, **spec: Any) -> dict[str, Any]:
    manifest = support.pool(nodePoolName=name, nodeCount=1, **spec)
    manifest["metadata"]["name"] = name
    return manifest


@pytest.fixture
def folder(planton: support.Planton) -> pathlib.Path:
    """The folder of the user, with a network, a cluster and two pools, of which the user has applied a part."""
    return planton.folder / "dev"


def _begin(user: support.Planton) -> None:
    folder = user.folder / "dev"
    folder.mkdir()
    manifests = {"network": support.network(), "cluster": support.cluster(), "web": _pool("web"), "db": _pool("db")}
    for name, manifest in manifests.items():
        _write(folder, name, manifest)


#: Each leads on from the one before.
STEPS = {
    "nothing": Step("write a folder", _begin),
    "network": Step("its network", lambda user: user.run("apply", "-f", "dev/network.yaml", "--yes")),
    "cluster": Step("its cluster", lambda user: user.run("apply", "-f", "dev/cluster.yaml", "--yes")),
    "all": Step("its pools", lambda user: user.run("apply", "-f", "dev", "--yes")),
}


@pytest.fixture
def planton(worlds: Worlds, request: pytest.FixtureRequest) -> Iterator[support.Planton]:
    """A user who has applied the folder, up to the step that `applied` names."""
    names = list(STEPS)
    with worlds.user(*[STEPS[name] for name in names[: names.index(request.param) + 1]]) as user:
        yield user


def applied(name: str) -> pytest.MarkDecorator:
    """Let a test begin when a part of the folder has been applied."""
    return pytest.mark.parametrize("planton", [name], indirect=True)


def _write(folder: pathlib.Path, name: str, manifest: dict[str, Any]) -> None:
    (folder / f"{name}.yaml").write_text(json.dumps(manifest), "utf-8")


@applied("network")
def test_one_failure_stops_only_what_depends_on_it(planton: support.Planton, folder: pathlib.Path) -> None:
    """The other pool is made; the summary counts; the same command does the rest."""
    other = support.network(networkName="other", ipRangeCidr="10.40.0.0/24")
    other["metadata"]["name"] = "other"
    _write(folder, "other", other)
    planton.sandbox.control.fault(method="POST", path="/kubernetes/clusters$", status=500, action="status", body={"code": "boom"})
    first = planton.json("apply", "-f", "dev", "--yes", code=6)
    results = {each["name"]: each for each in first["resources"]}
    assert results["net"]["error"] is None
    assert results["other"]["error"] is None
    assert results["dev"]["error"]["reason"] == "CLOUD_FAILED"
    assert {name for name, each in results.items() if each["skipped"]} == {"web", "db"}
    assert results["web"]["error"]["reason"] == "DEPENDENCY_FAILED"
    assert "CivoKubernetesCluster/dev (env dev) failed" in results["web"]["error"]["message"]
    assert first["summary"].items() >= {"changed": 1, "unchanged": 1, "failed": 1, "skipped": 2}.items()
    again = planton.json("apply", "-f", "dev", "--yes")
    assert again["summary"].items() >= {"changed": 3, "unchanged": 2, "failed": 0, "skipped": 0}.items()
    assert {"web", "db"} < {pool["id"] for pool in planton.sandbox.control.resources()["clusters"][0]["pools"]}


@applied("all")
def test_pools_are_destroyed_before_their_cluster(planton: support.Planton, folder: pathlib.Path) -> None:
    """A destroy goes the other way round, and not at all while a pool is protected."""
    mark = planton.sandbox.control.mark()
    guarded = _pool("db")
    guarded["metadata"] |= PROTECTED
    _write(folder, "db", guarded)
    refused = planton.json("destroy", "-f", "dev", "--yes", code=5)["resources"]
    assert {each["name"] for each in refused if each["error"] is not None} == {"db", "dev"}
    assert planton.writes(mark) == []
    _write(folder, "db", _pool("db"))
    planton.run("destroy", "-f", "dev", "--yes")
    deleted = [path.split("/")[3:] for method, path in planton.writes(mark) if method == "DELETE"]
    kinds = ["pools" if "pools" in path else path[0] if path else "networks" for path in deleted]
    assert kinds.index("clusters") > max(index for index, kind in enumerate(kinds) if kind == "pools")


@applied("nothing")
def test_every_resource_that_cannot_be_planned_is_named_before_anything_is_done(
    planton: support.Planton, folder: pathlib.Path
) -> None:
    """Two mistakes give two errors, and what depends on one of them is skipped."""
    _write(folder, "cluster", support.cluster(kubernetesVersion="1.2.3+k3s1"))
    network = support.network(isDefaultForRegion=True, networkName="other")
    network["metadata"]["name"] = "other"
    _write(folder, "other", network)
    mark = planton.sandbox.control.mark()
    done = planton.run("apply", "-f", "dev", "--yes", code=5)
    assert "isDefaultForRegion" in done.stderr
    assert "'1.2.3+k3s1' is not offered" in done.stderr
    assert "CivoKubernetesNodePool/db (env dev) was not tried" in done.stdout
    assert planton.writes(mark) == []


@applied("all")
def test_what_left_the_folder_is_pruned_after_consent_and_never_without_the_option(
    planton: support.Planton, folder: pathlib.Path
) -> None:
    """Only what was applied from this folder, and only within the environment and the labels that are named."""
    planton.write("elsewhere.json", _elsewhere())
    planton.run("apply", "-f", "elsewhere.json", "--yes")
    (folder / "db.yaml").unlink()
    planton.run("apply", "-f", "dev", "--yes")
    assert "db" in _names(planton)
    refused = planton.run("apply", "-f", "dev", "--prune", code=5)
    assert "- delete node_pool" in refused.stdout
    assert "db" in _names(planton)
    planton.run("apply", "-f", "dev", "--prune", "--env", "prod", "--yes", code=0)
    planton.run("apply", "-f", "dev", "--prune", "--selector", "team=a", "--yes", code=0)
    assert "db" in _names(planton)
    planton.run("apply", "-f", "dev", "--prune", "--yes")
    assert _names(planton) == {"net", "dev", "web", "elsewhere"}
    assert "--prune needs folders" in planton.run("apply", "-f", "dev/web.yaml", "--prune", "--yes", code=2).stderr
    (folder / "cluster.yaml").unlink()
    for arguments in (("plan",), ("apply", "--yes")):
        refused = planton.run(*arguments, "-f", "dev", "--prune", code=1)
        assert "spec.cluster: refers to CivoKubernetesCluster/dev (env dev), which is no longer" in refused.stderr
    assert "dev" in _names(planton)


def _elsewhere() -> dict[str, Any]:
    other = support.network(networkName="elsewhere", ipRangeCidr="10.50.0.0/24")
    other["metadata"]["name"] = "elsewhere"
    return other


def _names(planton: support.Planton) -> set[str]:
    return {item["metadata"]["name"] for item in planton.json("get", "all")["items"]}


@applied("nothing")
def test_a_protected_resource_stays_until_a_manifest_without_the_annotation_was_applied(
    planton: support.Planton, folder: pathlib.Path
) -> None:
    """Destroy, replacement and prune are refused, even with every other consent; nothing is changed."""
    network = support.network()
    network["metadata"] |= PROTECTED
    _write(folder, "network", network)
    for name in ("cluster", "web", "db"):
        (folder / f"{name}.yaml").unlink()
    planton.run("apply", "-f", "dev", "--yes")
    mark = planton.sandbox.control.mark()
    moved = support.network(region="fra1")
    _write(folder, "network", moved)
    for arguments in (("apply", "-f", "dev", "--yes"), ("destroy", "-f", "dev", "--yes"), ("destroy", "civovpc/net", "--yes")):
        refused = planton.json(*arguments, code=5)
        assert [each["error"]["reason"] for each in refused["resources"]] == ["PROTECTED"]
    _write(folder, "network", _elsewhere())
    assert "PROTECTED" in planton.run("apply", "-f", "dev", "--prune", "--yes", "--output", "json", code=5).stdout
    assert planton.writes(mark) == []
    _write(folder, "network", support.network())
    planton.run("apply", "-f", "dev", "--yes")
    _write(folder, "network", network)
    assert "PROTECTED" in planton.run("destroy", "-f", "dev", "--yes", code=5).stdout
    _write(folder, "network", support.network())
    planton.run("destroy", "-f", "dev", "--yes")
    assert _names(planton) == set()


@applied("cluster")
def test_a_saved_plan_does_what_it_says_or_nothing(planton: support.Planton, folder: pathlib.Path) -> None:
    """It needs no manifests and no consent; once things have changed it says what, and does nothing."""
    assert planton.run("plan", "-f", "dev", "--out", "p.json", "--detailed-exitcode", code=4).stdout
    path = planton.folder / "p.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert planton.sandbox.token not in path.read_text("utf-8")
    _write(folder, "db", _pool("db", labels={"later": "change"}))
    planton.run("apply", "p.json")
    assert planton.json("plan", "-f", "dev/db.yaml")["summary"]["changed"] == 1
    mark = planton.sandbox.control.mark()
    stale = planton.run("apply", "p.json", code=5)
    assert "CivoKubernetesNodePool/web (env dev): planned create node_pool" in stale.stderr
    assert "now no changes" in stale.stderr
    assert planton.writes(mark) == []
    planton.run("plan", "-f", "dev/db.yaml", "--out", "p.json")
    planton.sandbox.control.outside("relabel", cluster="dev", pool="db", labels={"out": "of-band"})
    planton.run("refresh", "-f", "dev/db.yaml")
    assert "labels" in planton.run("apply", "p.json", code=5).stderr
    assert "cannot use the plan" in planton.run("apply", "dev/db.yaml", code=2).stderr


@applied("cluster")
def test_an_interruption_reaches_all_that_goes_on(planton: support.Planton, folder: pathlib.Path) -> None:
    """Both pools are created side by side; one Ctrl-C ends each cleanly; the next apply creates nothing twice."""
    for name in ("web", "db"):
        planton.sandbox.control.fault(method="POST", path="/pools$", action="hold", nth=1 + (name == "db"))
    process = planton.start("apply", "-f", "dev", "--yes")
    waiting.until(lambda: planton.sandbox.control.struck() or process.poll() is not None, "the creation of both pools")
    assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert any("Ctrl-C again" in line for line in process.stderr)
    waiting.until(lambda: planton.logged(support.INTERRUPTED) == 2, "both engines to receive the interruption")
    planton.sandbox.control.clear_faults()
    process.communicate(timeout=waiting.TIMEOUT_SECONDS)
    assert process.returncode == 130
    planton.run("apply", "-f", "dev", "--yes")
    pools = [pool["id"] for pool in planton.sandbox.control.resources()["clusters"][0]["pools"]]
    assert len(pools) == len(set(pools)) == 3
    assert planton.json("plan", "-f", "dev")["summary"]["changed"] == 0
