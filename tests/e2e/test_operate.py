"""Upgrades in waves, and drains of single nodes, on the real engine."""

from __future__ import annotations

import json
from typing import Any

import yaml

from planton.clouds import kubeconfigs, kubernetes
from support import planton as support
from support.worlds import Applied


def _cluster(name: str) -> dict[str, Any]:
    manifest = support.cluster(clusterName=name)
    manifest["metadata"]["name"] = name
    return manifest


def test_clusters_are_upgraded_one_after_the_other_and_the_same_command_continues(applied: Applied) -> None:
    """Comments stay. A cluster that is not healthy stops the rest, and is the first of the next run."""
    user = applied(support.network(), _cluster("one"), _cluster("two"))
    folder, files = user.folder, ("-f", "one.yaml", "-f", "two.yaml")
    for name in ("one", "two"):
        text = yaml.safe_dump(_cluster(name)).replace("1.30.5+k3s1", '"1.30.5+k3s1"  # keep')
        (folder / f"{name}.yaml").write_text(f"# {name}\n{text}", "utf-8")
    refused = user.run("upgrade", *files, "--env", "dev", "--to", "1.99.1", "--yes", code=1)
    assert "1.31.2-k3s1" in refused.stderr
    assert "--yes" in user.run("upgrade", *files, "--to", "1.31.2", code=5).stderr
    assert "1.30.5+k3s1" in (folder / "one.yaml").read_text("utf-8")
    assert "1 cluster runs 1.31.2" in user.run("upgrade", "one", *files, "--to", "1.31.2", "--yes").stdout
    assert "1.30.5+k3s1" in (folder / "two.yaml").read_text("utf-8")
    node = next(each["name"] for each in user.json("nodes", "one"))
    user.sandbox.control.outside("node", cluster="one", node=node, ready=False)
    upgrade = ("upgrade", *files, "--env", "dev", "--to", "1.31.2", "--yes")
    stopped = user.run(*upgrade, "--timeout", "0.2", code=6)
    assert f"node {node}" in stopped.stderr
    assert "not tried: CivoKubernetesCluster/two" in stopped.stderr
    assert "1.30.5+k3s1" in (folder / "two.yaml").read_text("utf-8")
    user.sandbox.control.outside("node", cluster="one", node=node, ready=True)
    done = user.run(*upgrade)
    assert "2 clusters run 1.31.2" in done.stdout
    for name in ("one", "two"):
        text = (folder / f"{name}.yaml").read_text("utf-8")
        assert text.startswith(f"# {name}\n")
        assert '"1.31.2+k3s1"  # keep' in text
    assert {node["version"] for name in ("one", "two") for node in user.json("nodes", name)} == {"v1.31.2+k3s1"}


def test_a_node_is_drained_and_replaced_with_the_guards_of_kubectl(applied: Applied) -> None:
    """Pods that would be lost are named with the option that allows it; nothing is changed before."""
    user = applied(support.network(), support.cluster(), support.pool())
    api = kubernetes.Api(kubeconfigs.parse(user.run("kubeconfig", "cluster/dev").stdout))
    name = next(node["name"] for node in user.json("nodes", "dev") if node["pool"] == "workers")
    volumes = [{"name": "scratch", "emptyDir": {}}]
    spec = {"nodeName": name, "containers": [{"name": "main", "image": "busybox"}], "volumes": volumes}
    api.create("/api/v1/namespaces/default/pods", {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lone"}, "spec": spec})
    assert "no applied cluster has a node" in user.run("drain", "nowhere", "--yes", code=1).stderr
    refused = user.run("drain", name, "--ignore-daemonsets", "--yes", code=5).stderr
    assert "default/lone declare no controller" in refused
    assert "--delete-emptydir-data" in refused
    options = ("--ignore-daemonsets", "--force", "--delete-emptydir-data")
    assert "add --yes" in user.run("drain", name, *options, code=5).stderr
    assert not api.get(f"/api/v1/nodes/{name}")["spec"].get("unschedulable")
    drained = user.run("drain", name, *options, "--yes")
    assert "evict default/lone" in drained.stdout
    assert api.get("/api/v1/namespaces/default/pods/lone") is None
    assert "SchedulingDisabled" in json.dumps(user.json("nodes", "dev"))
    assert "is cordoned" in user.run("status", code=3).stdout
    user.run("recycle", name, *options, "--yes")
    nodes = [node for node in user.json("nodes", "dev") if node["pool"] == "workers"]
    assert name not in {node["name"] for node in nodes}
    assert [node["status"] for node in nodes] == ["Ready"] * 3
