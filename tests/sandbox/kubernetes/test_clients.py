"""Real clients: kubectl, and Helm if it is installed."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess

import pytest
import yaml

from support import kubernetes
from support import sandbox as support
from support.kubernetes import Kube, deployment

HELM = shutil.which("helm")
needs_kubectl = pytest.mark.skipif(support.KUBECTL is None, reason="kubectl is neither on PATH nor next to Python")


def _kubectl(kube: Kube, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return kube.sandbox.kubectl(kube.kubeconfig, *arguments, check=check)


def _manifest(tmp_path: pathlib.Path, image: str = "nginx:1") -> str:
    web = deployment("web", 2)
    web["spec"]["template"]["spec"]["containers"][0]["image"] = image
    budget = {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"}}
    budget["spec"] = {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}
    path = tmp_path / "web.yaml"
    path.write_text(yaml.safe_dump_all([web, budget]), encoding="utf-8")
    return str(path)


@needs_kubectl
def test_kubectl_applies_on_the_client_and_on_the_server(kube: Kube, tmp_path: pathlib.Path) -> None:
    """Both modes create, change, or report no change. Conflicts name the field."""
    path = _manifest(tmp_path)
    assert "deployment.apps/web created" in _kubectl(kube, "apply", "-f", path).stdout
    assert "deployment.apps/web unchanged" in _kubectl(kube, "apply", "-f", path).stdout
    assert "deployment.apps/web configured" in _kubectl(kube, "apply", "-f", _manifest(tmp_path, "nginx:2")).stdout
    assert "serverside-applied" in _kubectl(kube, "apply", "--server-side", "-f", path).stdout
    refused = _kubectl(kube, "apply", "--server-side", "--field-manager=other", "-f", _manifest(tmp_path, "nginx:3"), check=False)
    assert refused.returncode == 1
    assert 'conflict with "kubectl": .spec.template.spec.containers[name="main"].image' in refused.stderr
    assert "successfully rolled out" in _kubectl(kube, "rollout", "status", "deployment/web").stdout


@needs_kubectl
def test_kubectl_drain_waits_for_a_budget(kube: Kube, tmp_path: pathlib.Path) -> None:
    """It cordons the node, and retries evictions until the budget allows them."""
    _kubectl(kube, "apply", "-f", _manifest(tmp_path))
    node = kube.nodes()[0]
    blocked = _kubectl(kube, "drain", node, "--timeout=1s", check=False)
    assert blocked.returncode == 1
    assert "Cannot evict pod as it would violate the pod's disruption budget." in blocked.stderr
    assert kube.node(node)["spec"]["unschedulable"] is True
    _kubectl(kube, "patch", "pdb", "web", "-p", '{"spec":{"minAvailable":1}}')
    assert f"node/{node} drained" in _kubectl(kube, "drain", node).stdout
    assert node not in {pod["spec"]["nodeName"] for pod in kube.running()}
    assert f"node/{node} uncordoned" in _kubectl(kube, "uncordon", node).stdout


@needs_kubectl
def test_kubectl_supports_top_label_taint_scale_wait_and_delete(kube: Kube) -> None:
    """These are the commands of daily work."""
    _kubectl(kube, "create", "deployment", "web", "--image=nginx", "--replicas=2")
    kube.act("load", deployment="web", cpu="500m", memory="512Mi")
    node = kube.nodes()[0]
    assert re.search(rf"{node} +250m +25% +256Mi", _kubectl(kube, "top", "nodes").stdout)
    assert re.search(r"web-\S+ +250m +256Mi", _kubectl(kube, "top", "pods").stdout)
    _kubectl(kube, "label", "node", node, "role=batch")
    _kubectl(kube, "taint", "node", node, "batch=true:NoSchedule")
    described = _kubectl(kube, "describe", "node", node).stdout
    assert re.search(r"batch=true:NoSchedule", described)
    assert "role=batch" in described
    _kubectl(kube, "scale", "deployment/web", "--replicas=3")
    _kubectl(kube, "wait", "--for=condition=Available", "deployment/web", "--timeout=30s")
    assert "3/3" in _kubectl(kube, "get", "deployments", "-o", "wide").stdout
    _kubectl(kube, "delete", "deployment", "web", "--timeout=30s")
    assert kube.pods() == []


@pytest.mark.official
@pytest.mark.skipif(HELM is None, reason="helm is not on PATH")
def test_helm_installs_upgrades_and_uninstalls(kube: Kube, tmp_path: pathlib.Path) -> None:
    """`--wait` works, and so do rollback and tests. The uninstall deletes all objects of the release."""
    config = tmp_path / "config"
    config.write_text(kube.kubeconfig, encoding="utf-8")

    def helm(*arguments: str) -> str:
        environment = {"KUBECONFIG": str(config), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
        completed = subprocess.run(
            [str(HELM), *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert completed.returncode == 0, completed.stderr
        return completed.stdout

    chart = str(tmp_path / "chart")
    helm("create", chart)
    assert "STATUS: deployed" in helm("install", "demo", chart, "--wait", "--timeout", "30s")
    helm("upgrade", "demo", chart, "--set", "replicaCount=2", "--wait", "--timeout", "30s")
    assert kube.ok("GET", f"{kubernetes.APPS}/deployments/demo-chart")["status"]["readyReplicas"] == 2
    assert "superseded" in helm("history", "demo")
    assert "Succeeded" in helm("test", "demo", "--timeout", "30s")
    helm("rollback", "demo", "1", "--wait", "--timeout", "30s")
    helm("uninstall", "demo", "--wait", "--timeout", "30s")
    assert kube.ok("GET", f"{kubernetes.CORE}/secrets")["items"] == []
