"""Volumes in the sandbox: provisioning, attachment, detachment and deletion."""

from __future__ import annotations

from typing import Any

from support import kubernetes
from support.kubernetes import APPS, CORE, Kube

ATTACHMENTS = "/apis/storage.k8s.io/v1/volumeattachments"
CLAIMS = f"{CORE}/persistentvolumeclaims"


def _claim(kube: Kube, name: str = "data") -> Any:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return kube.ok("POST", CLAIMS, {"metadata": {"name": name}, "spec": spec})


def _mounted(claim: str = "data") -> dict[str, Any]:
    return {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]}


def test_a_claim_is_bound_to_a_new_volume(kube: Kube) -> None:
    """The cloud's default class provisions it. It is deleted with the claim."""
    _claim(kube)
    claim = kube.ok("GET", f"{CLAIMS}/data")
    assert (claim["spec"]["storageClassName"], claim["status"]["phase"]) == ("civo-volume", "Bound")
    volume = kube.ok("GET", f"/api/v1/persistentvolumes/{claim['spec']['volumeName']}")
    assert (volume["spec"]["claimRef"]["name"], volume["spec"]["csi"]["driver"]) == ("data", "csi.civo.com")
    kube.ok("DELETE", f"{CLAIMS}/data")
    assert kube.ok("GET", "/api/v1/persistentvolumes")["items"] == []


def test_a_pod_waits_for_its_volume(slow: Kube) -> None:
    """The volume is attached to the pod's node before the pod starts, and the node lists it."""
    _claim(slow)
    slow.deploy(replicas=1, **_mounted())
    slow.advance(1)
    (attachment,) = slow.ok("GET", ATTACHMENTS)["items"]
    assert attachment["status"]["attached"] is False
    slow.advance(30)
    (attachment,) = slow.ok("GET", ATTACHMENTS)["items"]
    (pod,) = slow.running()
    assert (attachment["status"]["attached"], attachment["spec"]["nodeName"]) == (True, pod["spec"]["nodeName"])
    attached = slow.node(pod["spec"]["nodeName"])["status"]["volumesAttached"]
    assert [volume["name"].partition("^")[2] for volume in attached] == [attachment["spec"]["source"]["persistentVolumeName"]]


def test_a_volume_detaches_after_its_pod(slow: Kube) -> None:
    """After an eviction the volume is detached some seconds later. The new pod waits for it."""
    _claim(slow)
    slow.deploy(replicas=1, **_mounted())
    slow.advance(60)
    (pod,) = slow.running()
    old = pod["spec"]["nodeName"]
    slow.cordon(old)
    assert slow.evict(pod).status == 201
    slow.advance(8)
    assert slow.call("GET", f"{CORE}/pods/{kubernetes.name(pod)}").status == 404
    assert slow.node(old)["status"]["volumesAttached"]
    assert slow.running() == []
    slow.advance(60)
    (pod,) = slow.running()
    assert pod["spec"]["nodeName"] != old
    assert "volumesAttached" not in slow.node(old)["status"]


def test_a_used_claim_is_deleted_after_its_pod(kube: Kube) -> None:
    """Until then it has a deletion timestamp."""
    _claim(kube)
    kube.deploy(replicas=1, **_mounted())
    kube.ok("DELETE", f"{CLAIMS}/data")
    assert "deletionTimestamp" in kube.ok("GET", f"{CLAIMS}/data")["metadata"]
    kube.ok("DELETE", f"{APPS}/deployments/web")
    assert kube.call("GET", f"{CLAIMS}/data").status == 404


def test_a_pod_without_its_claim_is_pending(kube: Kube) -> None:
    """The condition names the missing claim."""
    kube.deploy(replicas=1, **_mounted("none"))
    message = kubernetes.condition(kube.pods()[0], "PodScheduled")["message"]
    assert message == '0/2 nodes are available: persistentvolumeclaim "none" not found.'


def test_a_stateful_set_numbers_its_pods_and_claims(kube: Kube) -> None:
    """Each pod has its own claim, which outlives it."""
    spec: dict[str, Any] = {
        "replicas": 2,
        "serviceName": "db",
        "selector": {"matchLabels": {"app": "db"}},
        "template": {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "main", "image": "db:1"}]}},
        "volumeClaimTemplates": [
            {
                "metadata": {"name": "data"},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
            }
        ],
    }
    kube.ok("POST", f"{APPS}/statefulsets", {"metadata": {"name": "db"}, "spec": spec})
    assert [kubernetes.name(pod) for pod in kube.running("db")] == ["db-0", "db-1"]
    kube.ok("PATCH", f"{APPS}/statefulsets/db/scale", {"spec": {"replicas": 1}}, kind=kubernetes.MERGE)
    assert [kubernetes.name(pod) for pod in kube.running("db")] == ["db-0"]
    assert [kubernetes.name(item) for item in kube.ok("GET", CLAIMS)["items"]] == ["data-db-0", "data-db-1"]
    assert len(kube.ok("GET", ATTACHMENTS)["items"]) == 1


def test_volumes_and_load_balancers_are_resources_of_the_cloud(kube: Kube) -> None:
    """The cloud lists volumes even after the deletion of their cluster."""
    _claim(kube)
    service = {"metadata": {"name": "web"}, "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]}}
    balancer = kube.ok("POST", f"{CORE}/services", service)
    assert kube.ok("GET", f"{CORE}/services/web")["status"]["loadBalancer"]["ingress"][0]["ip"]
    volume = kube.ok("GET", f"{CLAIMS}/data")["spec"]["volumeName"]

    def listed(sort: str) -> list[str]:
        items = kube.sandbox.control.resources()[sort]
        return [item["name"] for item in items if item["cluster"] == kube.id]

    assert listed("volumes") == [volume]
    assert listed("loadbalancers") == [f"a{balancer['metadata']['uid'].replace('-', '')}"]
    kube.ok("DELETE", f"{CORE}/services/web")
    assert listed("loadbalancers") == []
    kube.act("delete-cluster")
    assert listed("volumes") == [volume]
    key = next(item["id"] for item in kube.sandbox.control.resources()["volumes"] if item["name"] == volume)
    kube.sandbox.call("DELETE", f"/volumes/{key}")
    assert listed("volumes") == []
