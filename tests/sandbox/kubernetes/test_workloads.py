"""Workloads in the sandbox: pods, scheduling and updates."""

from __future__ import annotations

import pytest

from support import kubernetes
from support.kubernetes import APPS, CORE, MERGE, Kube, condition

WEB = f"{APPS}/deployments/web"
TAINT = {"key": "gpu", "value": "true", "effect": "NoSchedule"}


def _image(kube: Kube, image: str) -> None:
    kube.ok("PATCH", WEB, {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": image}]}}}}, kind=MERGE)


def _template(name: str, **spec: object) -> dict[str, object]:
    pod = {"containers": [{"name": "main", "image": "nginx:1"}], **spec}
    return {"metadata": {"labels": {"app": name}}, "spec": pod}


def test_a_deployment_spreads_its_pods(kube: Kube) -> None:
    """Pods run on both nodes and belong to a ReplicaSet. The status counts them."""
    kube.deploy(replicas=4)
    pods = kube.running()
    assert sorted(pod["spec"]["nodeName"] for pod in pods) == sorted(kube.nodes() * 2)
    (owner,) = {pod["metadata"]["ownerReferences"][0]["name"] for pod in pods}
    assert kube.ok("GET", f"{APPS}/replicasets/{owner}")["metadata"]["ownerReferences"][0]["name"] == "web"
    status = kube.ok("GET", WEB)["status"]
    assert (status["replicas"], status["readyReplicas"], status["availableReplicas"]) == (4, 4, 4)
    assert condition({"status": status}, "Available")["status"] == "True"
    assert condition({"status": status}, "Progressing")["reason"] == "NewReplicaSetAvailable"


def test_a_pod_takes_time_to_start(slow: Kube) -> None:
    """With realistic latency a pod is ready some seconds after its binding. The condition has that time."""
    slow.deploy(replicas=1)
    (pod,) = slow.pods()
    assert (pod["status"]["phase"], pod["spec"]["nodeName"] in slow.nodes()) == ("Pending", True)
    slow.advance(3600)
    (pod,) = slow.running()
    bound, ready = (condition(pod, kind)["lastTransitionTime"] for kind in ("PodScheduled", "Ready"))
    assert bound < ready < bound.replace("T", "Z")
    assert ready[:-4] == bound[:-4]


def test_a_rolling_update_keeps_pods_available(slow: Kube) -> None:
    """The numbers of available and existing pods stay within the strategy's limits."""
    slow.deploy(replicas=4)
    slow.advance(60)
    assert len(slow.running()) == 4
    _image(slow, "nginx:2")
    for _ in range(40):
        assert len(slow.running()) >= 3
        assert sum(1 for pod in slow.pods() if "deletionTimestamp" not in pod["metadata"]) <= 5
        slow.advance(1)
    assert {pod["spec"]["containers"][0]["image"] for pod in slow.running()} == {"nginx:2"}
    assert slow.ok("GET", WEB)["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "2"


def test_an_update_that_cannot_finish_exceeds_its_deadline(kube: Kube) -> None:
    """The new pods fit on no node. The old pods stay."""
    kube.deploy(replicas=2)
    resources = {"requests": {"cpu": "64"}}
    containers = [{"name": "main", "image": "nginx:2", "resources": resources}]
    kube.ok("PATCH", WEB, {"spec": {"template": {"spec": {"containers": containers}}}}, kind=MERGE)
    assert len(kube.running()) == 2
    kube.advance(601)
    progressing = condition(kube.ok("GET", WEB), "Progressing")
    assert (progressing["status"], progressing["reason"]) == ("False", "ProgressDeadlineExceeded")


def test_the_scale_subresource_changes_the_number_of_pods(kube: Kube) -> None:
    """A stale update is a conflict."""
    kube.deploy(replicas=1)
    scale = kube.ok("GET", f"{WEB}/scale")
    assert (scale["kind"], scale["spec"], scale["status"]["selector"]) == ("Scale", {"replicas": 1}, "app=web")
    kube.ok("PUT", f"{WEB}/scale", scale | {"spec": {"replicas": 3}})
    assert len(kube.running()) == 3
    assert kube.refused("PUT", f"{WEB}/scale", scale | {"spec": {"replicas": 5}})[0] == 409
    kube.ok("PATCH", f"{WEB}/scale", {"spec": {"replicas": 0}}, kind=MERGE)
    assert kube.pods() == []


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"cpu": "2"}, "2 Insufficient cpu"),
        ({"memory": "64Gi"}, "2 Insufficient memory"),
        ({"nodeSelector": {"disk": "fast"}}, "2 node(s) didn't match Pod's node affinity/selector"),
    ],
)
def test_a_pod_that_fits_on_no_node_is_pending(kube: Kube, spec: dict[str, object], reason: str) -> None:
    """The condition PodScheduled and an event contain the reason."""
    kube.deploy(replicas=1, **spec)
    (pod,) = kube.pods()
    scheduled = condition(pod, "PodScheduled")
    assert (scheduled["status"], scheduled["reason"]) == ("False", "Unschedulable")
    assert scheduled["message"] == f"0/2 nodes are available: {reason}."
    events = kube.ok("GET", f"{CORE}/events", fieldSelector=f"involvedObject.name={kubernetes.name(pod)}")["items"]
    assert [event["reason"] for event in events] == ["FailedScheduling"]


def test_pods_are_scheduled_by_their_requests(kube: Kube) -> None:
    """Pods that do not fit run on the next new node."""
    kube.deploy(replicas=5, cpu="500m")
    assert len(kube.running()) == 4
    kube.act("scale", count=3)
    kube.nodes()
    assert len(kube.running()) == 5


def test_a_cordoned_node_gets_no_new_pods(kube: Kube) -> None:
    """Running pods stay. The node has the taint until the cordon is removed."""
    first, second = kube.nodes()
    kube.deploy(replicas=2)
    kube.cordon(first)
    assert [taint["key"] for taint in kube.node(first)["spec"]["taints"]] == ["node.kubernetes.io/unschedulable"]
    kube.ok("PATCH", f"{WEB}/scale", {"spec": {"replicas": 6}}, kind=MERGE)
    places = [pod["spec"]["nodeName"] for pod in kube.running()]
    assert (places.count(first), places.count(second)) == (1, 5)
    kube.cordon(first, value=False)
    assert "taints" not in kube.node(first)["spec"]


def test_a_tainted_node_runs_only_pods_that_tolerate_the_taint(kube: Kube) -> None:
    """NoExecute also evicts running pods."""
    first, second = kube.nodes()
    kube.ok("PATCH", f"/api/v1/nodes/{first}", {"spec": {"taints": [TAINT]}}, kind=MERGE)
    kube.deploy("web", replicas=3)
    assert {pod["spec"]["nodeName"] for pod in kube.running()} == {second}
    kube.deploy("gpu", replicas=2, tolerations=[{"key": "gpu", "operator": "Exists"}], nodeName=first)
    kube.ok("PATCH", f"/api/v1/nodes/{second}", {"spec": {"taints": [TAINT | {"effect": "NoExecute"}]}}, kind=MERGE)
    assert kube.running() == []
    assert {condition(pod, "PodScheduled")["reason"] for pod in kube.pods()} == {"Unschedulable"}


def test_anti_affinity_spreads_to_nodes(kube: Kube) -> None:
    """Each node runs at most one such pod."""
    term = {"labelSelector": {"matchLabels": {"app": "web"}}, "topologyKey": "kubernetes.io/hostname"}
    kube.deploy(replicas=3, affinity={"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}})
    assert sorted(pod["spec"]["nodeName"] for pod in kube.running()) == kube.nodes()


def test_a_daemon_set_is_on_every_node(kube: Kube) -> None:
    """This includes cordoned and new nodes."""
    kube.cordon(kube.nodes()[0])
    spec = {"selector": {"matchLabels": {"app": "agent"}}, "template": _template("agent")}
    kube.ok("POST", f"{APPS}/daemonsets", {"metadata": {"name": "agent"}, "spec": spec})
    kube.act("scale", count=3)
    kube.nodes()
    assert sorted(pod["spec"]["nodeName"] for pod in kube.running("agent")) == kube.nodes()
    assert kube.ok("GET", f"{APPS}/daemonsets/agent")["status"]["numberReady"] == 3


def test_pods_of_a_deleted_node_run_on_other_nodes(kube: Kube) -> None:
    """The cloud deletes the node when it scales down."""
    kube.deploy(replicas=4)
    kube.act("scale", count=1)
    kube.sandbox.call("GET", f"/kubernetes/clusters/{kube.id}")
    (remaining,) = kube.nodes()
    assert [pod["spec"]["nodeName"] for pod in kube.running()] == [remaining] * 4


def test_a_job_succeeds_with_its_pods(slow: Kube) -> None:
    """It is complete after its last pod."""
    spec = {"completions": 2, "parallelism": 1, "template": _template("job", restartPolicy="Never")}
    slow.ok("POST", "/apis/batch/v1/namespaces/default/jobs", {"metadata": {"name": "job"}, "spec": spec})
    slow.advance(10)
    assert not kubernetes.is_true(slow.ok("GET", "/apis/batch/v1/namespaces/default/jobs/job"), "Complete")
    slow.advance(60)
    job = slow.ok("GET", "/apis/batch/v1/namespaces/default/jobs/job")
    assert (job["status"]["succeeded"], kubernetes.is_true(job, "Complete")) == (2, True)
    assert {pod["status"]["phase"] for pod in slow.pods("job")} == {"Succeeded"}


def test_deleting_a_deployment_deletes_its_pods(kube: Kube) -> None:
    """With the policy Orphan, dependants stay without an owner."""
    kube.deploy()
    kube.ok("DELETE", WEB)
    assert (kube.pods(), kube.ok("GET", f"{APPS}/replicasets")["items"]) == ([], [])
    kube.deploy()
    kube.ok("DELETE", WEB, {"propagationPolicy": "Orphan"})
    (remaining,) = kube.ok("GET", f"{APPS}/replicasets")["items"]
    assert "ownerReferences" not in remaining["metadata"]
    assert len(kube.running()) == 2


def test_a_foreground_deletion_waits_for_its_dependants(slow: Kube) -> None:
    """The Deployment exists until its last pod is deleted."""
    slow.deploy()
    slow.advance(30)
    slow.ok("DELETE", WEB, {"propagationPolicy": "Foreground"})
    assert slow.ok("GET", WEB)["metadata"]["finalizers"] == ["foregroundDeletion"]
    slow.advance(30)
    assert slow.call("GET", WEB).status == 404
    assert slow.pods() == []


def test_the_number_of_pods_is_limited(kube: Kube) -> None:
    """The sandbox creates no more pods than its limit, and the ReplicaSet reports a failure."""
    kube.deploy(replicas=1_000_000, nodeSelector={"none": "1"})
    (owner,) = kube.ok("GET", f"{APPS}/replicasets")["items"]
    failure = condition(owner, "ReplicaFailure")
    assert (failure["reason"], "at most 1000 pods" in failure["message"]) == ("FailedCreate", True)


def test_a_namespace_is_deleted_with_its_objects(kube: Kube) -> None:
    """It waits for finalizers. A new namespace gets its service account."""
    assert kube.refused("POST", "/api/v1/namespaces/apps/configmaps", {"metadata": {"name": "a"}})[1] == "NotFound"
    kube.ok("POST", "/api/v1/namespaces", {"metadata": {"name": "apps"}})
    assert kube.ok("GET", "/api/v1/namespaces/apps/serviceaccounts/default")
    keep = {"name": "a", "finalizers": ["example.org/keep"]}
    kube.ok("POST", "/api/v1/namespaces/apps/configmaps", {"metadata": keep})
    kube.ok("DELETE", "/api/v1/namespaces/apps")
    assert kube.ok("GET", "/api/v1/namespaces/apps")["status"]["phase"] == "Terminating"
    code, reason, message = kube.refused("POST", "/api/v1/namespaces/apps/configmaps", {"metadata": {"name": "b"}})
    assert (code, reason) == (403, "Forbidden")
    assert "because it is being terminated" in message
    kube.ok("PATCH", "/api/v1/namespaces/apps/configmaps/a", {"metadata": {"finalizers": None}}, kind=MERGE)
    assert kube.call("GET", "/api/v1/namespaces/apps").status == 404
