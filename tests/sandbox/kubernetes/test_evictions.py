"""Evictions, PodDisruptionBudgets, and lost nodes."""

from __future__ import annotations

import pytest

from support import kubernetes
from support.kubernetes import APPS, CORE, MERGE, POLICY, Kube, condition

BUDGET = f"{POLICY}/poddisruptionbudgets/web"
VIOLATION = "Cannot evict pod as it would violate the pod's disruption budget."


def test_an_evicted_pod_runs_elsewhere(slow: Kube) -> None:
    """An eviction starts a graceful deletion. The new pod starts on a node without a cordon."""
    slow.deploy(replicas=2)
    slow.advance(30)
    first, second = slow.nodes()
    slow.cordon(first)
    pod = next(pod for pod in slow.running() if pod["spec"]["nodeName"] == first)
    reply = slow.evict(pod)
    assert (reply.status, reply.body["status"]) == (201, "Success")
    evicted = slow.ok("GET", f"{CORE}/pods/{kubernetes.name(pod)}")
    assert evicted["metadata"]["deletionGracePeriodSeconds"] == 30
    slow.advance(30)
    assert [pod["spec"]["nodeName"] for pod in slow.running()] == [second] * 2
    assert slow.evict(pod).status == 404


def test_a_budget_refuses_an_eviction(kube: Kube) -> None:
    """The message is Kubernetes' own, and names the budget with its numbers."""
    kube.deploy(replicas=2)
    kube.budget(minAvailable=2)
    reply = kube.evict(kube.pods()[0])
    assert (reply.status, reply.body["reason"], reply.body["message"]) == (429, "TooManyRequests", VIOLATION)
    cause = {"reason": "DisruptionBudget", "message": "The disruption budget web needs 2 healthy pods and has 2 currently"}
    assert reply.body["details"]["causes"] == [cause]
    kube.ok("PATCH", BUDGET, {"spec": {"minAvailable": 1}}, kind=MERGE)
    assert kube.evict(kube.pods()[0]).status == 201


def test_a_budget_counts_one_disruption_at_a_time(slow: Kube) -> None:
    """After one eviction the next is refused until the replacement is ready."""
    slow.deploy(replicas=2)
    slow.budget(maxUnavailable=1)
    slow.advance(30)
    first, second = slow.running()
    assert slow.evict(first).status == 201
    assert slow.evict(second).status == 429
    slow.advance(30)
    assert slow.evict(second).status == 201


@pytest.mark.parametrize(
    ("spec", "allowed", "desired"),
    [
        ({"minAvailable": 3}, 1, 3),
        ({"minAvailable": "50%"}, 2, 2),
        ({"maxUnavailable": "30%"}, 2, 2),
        ({"maxUnavailable": 0}, 0, 4),
        ({}, 3, 1),
    ],
)
def test_the_status_of_a_budget_counts_allowed_disruptions(
    kube: Kube, spec: dict[str, object], allowed: int, desired: int
) -> None:
    """Percentages are of the controller's replicas, rounded up."""
    kube.deploy(replicas=4)
    kube.budget(**spec)
    status = kube.ok("GET", BUDGET)["status"]
    assert (status["disruptionsAllowed"], status["desiredHealthy"]) == (allowed, desired)
    assert (status["currentHealthy"], status["expectedPods"]) == (4, 4)
    reason = "SufficientPods" if allowed else "InsufficientPods"
    assert condition({"status": status}, "DisruptionAllowed")["reason"] == reason


def test_a_pod_with_two_budgets_cannot_be_evicted(kube: Kube) -> None:
    """Kubernetes responds with 500 too."""
    kube.deploy()
    kube.budget(minAvailable=0)
    selector = {"selector": {"matchLabels": {"app": "web"}}, "minAvailable": 0}
    kube.ok("POST", f"{POLICY}/poddisruptionbudgets", {"metadata": {"name": "second"}, "spec": selector})
    reply = kube.evict(kube.pods()[0])
    assert reply.status == 500
    assert "has more than one PodDisruptionBudget" in reply.body["message"]


def test_a_pending_pod_is_evicted_regardless_of_the_budget(kube: Kube) -> None:
    """A budget protects running pods only."""
    kube.deploy(replicas=1, cpu="64")
    kube.budget(minAvailable=1)
    assert kube.evict(kube.pods()[0]).status == 201


def test_a_budget_with_two_bounds_is_invalid(kube: Kube) -> None:
    """Kubernetes refuses it too."""
    body = {"metadata": {"name": "both"}, "spec": {"minAvailable": 1, "maxUnavailable": 1}}
    assert "cannot be both set" in kube.refused("POST", f"{POLICY}/poddisruptionbudgets", body)[2]


def test_a_dry_run_of_an_eviction_evicts_nothing(kube: Kube) -> None:
    """``dryRun`` may be in the body."""
    kube.deploy()
    assert kube.evict(kube.pods()[0], dryRun=["All"]).status == 201
    assert len(kube.running()) == 2


def test_pods_of_an_unreachable_node_are_not_ready_and_stay(kube: Kube) -> None:
    """The node's state is unknown. A deleted pod stays until its deletion is forced."""
    kube.deploy(replicas=2)
    kube.budget(minAvailable=1)
    lost, other = kube.nodes()
    kube.act("node", node=lost, unreachable=True)
    ready = condition(kube.node(lost), "Ready")
    assert (ready["status"], ready["reason"]) == ("Unknown", "NodeStatusUnknown")
    taints = {(taint["key"], taint["effect"]) for taint in kube.node(lost)["spec"]["taints"]}
    assert taints == {("node.kubernetes.io/unreachable", effect) for effect in ("NoSchedule", "NoExecute")}
    (pod,) = [pod for pod in kube.pods() if pod["spec"]["nodeName"] == lost]
    assert not kubernetes.is_true(pod, "Ready")
    assert kube.ok("GET", BUDGET)["status"]["disruptionsAllowed"] == 0
    kube.advance(301)
    assert [pod["spec"]["nodeName"] for pod in kube.running()] == [other, other]
    assert "deletionTimestamp" in kube.ok("GET", f"{CORE}/pods/{kubernetes.name(pod)}")["metadata"]
    kube.ok("DELETE", f"{CORE}/pods/{kubernetes.name(pod)}", {"gracePeriodSeconds": 0})
    assert kube.call("GET", f"{CORE}/pods/{kubernetes.name(pod)}").status == 404


def test_a_node_that_returns_keeps_its_pods(kube: Kube) -> None:
    """A short outage moves nothing."""
    kube.deploy(replicas=2)
    lost = kube.nodes()[0]
    before = kube.pods()
    kube.act("node", node=lost, ready=False)
    assert condition(kube.node(lost), "Ready")["status"] == "False"
    kube.advance(60)
    kube.act("node", node=lost, ready=True)
    kube.advance(600)
    assert [kubernetes.name(pod) for pod in kube.running()] == [kubernetes.name(pod) for pod in before]


def test_changes_of_a_node_by_users_are_kept(kube: Kube) -> None:
    """Labels, taints and a cordon stay while the cloud changes other fields."""
    name = kube.nodes()[0]
    change = {"metadata": {"labels": {"mine": "1"}}, "spec": {"taints": [{"key": "a", "effect": "NoSchedule"}]}}
    kube.ok("PATCH", f"/api/v1/nodes/{name}", change, kind=MERGE)
    kube.cordon(name)
    kube.act("relabel", labels={"pool": "new"})
    kube.act("node", node=name, ready=False)
    kube.act("node", node=name, ready=True)
    node = kube.node(name)
    assert (node["metadata"]["labels"]["mine"], node["metadata"]["labels"]["pool"]) == ("1", "new")
    assert {taint["key"] for taint in node["spec"]["taints"]} == {"a", "node.kubernetes.io/unschedulable"}
    assert node["spec"]["unschedulable"] is True


def test_a_deleted_node_does_not_return(kube: Kube) -> None:
    """A kubelet registers its node once. The pods of a deleted node run on other nodes."""
    kube.deploy(replicas=2)
    first, second = kube.nodes()
    kube.ok("DELETE", f"/api/v1/nodes/{first}")
    assert kube.nodes() == [second]
    assert {pod["spec"]["nodeName"] for pod in kube.running()} == {second}


def test_leases_of_nodes_are_renewed(kube: Kube) -> None:
    """A lost node does not renew its lease."""
    path = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
    lost, other = kube.nodes()
    kube.act("node", node=lost, unreachable=True)
    kube.advance(60)
    renewed = {kubernetes.name(item): item["spec"]["renewTime"] for item in kube.ok("GET", path)["items"]}
    assert renewed[lost] < renewed[other]


def test_evictions_can_be_made_to_fail(kube: Kube) -> None:
    """Faults of the control endpoint match the cloud ``kubernetes``."""
    kube.deploy()
    rule = kube.sandbox.control.fault(cloud="kubernetes", method="POST", path="/eviction$", action="status", status=503)
    assert kube.evict(kube.pods()[0]).status == 503
    assert kube.evict(kube.pods()[0]).status == 201
    kube.sandbox.control.call("DELETE", f"/faults/{rule}")
    assert kube.ok("GET", f"{APPS}/deployments")["items"]


@pytest.mark.parametrize("index", [0, 1])
def test_the_cloud_removes_cordoned_nodes_first(kube: Kube, index: int) -> None:
    """A pool that is scaled down loses the cordoned node, whatever its age."""
    nodes = kube.nodes()
    cordoned = nodes.pop(index)
    kube.cordon(cordoned)
    kube.act("scale", count=1)
    kube.sandbox.call("GET", f"/kubernetes/clusters/{kube.id}")
    assert kube.nodes() == nodes
