"""What Kubernetes lists becomes what the autoscaler computes with."""

from __future__ import annotations

from typing import Any

import pytest

from planton.controllers import scheduling, workload
from planton.deploy import draining

CREATED, LATER = "2026-11-30T12:00:00Z", "2026-11-30T12:05:00Z"
SECONDS = 1796040000.0


def node(name: str = "a", **more: Any) -> dict[str, Any]:
    """Returns a ready node of two cores."""
    metadata = {"name": name, "labels": {"nodepool": "workers"}, "creationTimestamp": CREATED} | more.pop("metadata", {})
    status = {
        "allocatable": {"cpu": "1900m", "memory": "3Gi", "pods": "110"},
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    return {"metadata": metadata, "spec": {}, "status": status} | more


def pod(name: str, on: str = "", **more: Any) -> dict[str, Any]:
    """Returns a pod with two containers; without a node it cannot be scheduled."""
    amounts = {"requests": {"cpu": "250m", "memory": "64Mi"}}
    spec = {"containers": [{"resources": amounts}, {"resources": amounts}]} | ({"nodeName": on} if on else {})
    refused = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "lastTransitionTime": LATER}
    status = {"phase": "Running"} if on else {"phase": "Pending", "conditions": [refused]}
    owners = more.pop("owners", [])
    metadata = {"namespace": "default", "name": name, "ownerReferences": owners}
    return {"metadata": metadata, "spec": spec | more, "status": status}


def test_nodes_have_their_pods_their_usage_and_what_they_offer() -> None:
    """Pods that have ended use nothing any more."""
    ended = pod("ended", "a")
    ended["status"]["phase"] = "Succeeded"
    metrics = [{"metadata": {"name": "a"}, "timestamp": LATER, "usage": {"cpu": "850000000n", "memory": "512Mi"}}]
    read = workload.of([node("a"), node("b")], [pod("x", "a"), ended], metrics)
    first, second = read.nodes
    assert first.allocatable == scheduling.Resources(cpu=1900, memory=3 << 30, pods=110)
    assert first.usage == scheduling.Resources(cpu=850, memory=512 << 20)
    assert [(each.name, each.requests) for each in first.pods] == [
        ("default/x", scheduling.Resources(cpu=500, memory=128 << 20, pods=1))
    ]
    assert (second.usage, second.pods) == (None, ())
    assert (first.created, read.measured) == (SECONDS, SECONDS + 300)


def test_a_pod_that_cannot_be_scheduled_is_pending() -> None:
    """One that the scheduler has not seen yet, or that ends, is not."""
    new, ending = pod("new"), pod("ending")
    new["status"]["conditions"] = []
    ending["metadata"]["deletionTimestamp"] = LATER
    selector = {"nodeSelector": {"nodepool": "workers"}, "tolerations": [{"operator": "Exists"}]}
    read = workload.of([], [pod("stuck", **selector), new, ending], [])
    [stuck] = read.pending
    assert (stuck.name, dict(stuck.selector)) == ("default/stuck", {"nodepool": "workers"})
    assert stuck.tolerations[0].matches(scheduling.Taint("any", "thing", "NoSchedule"))


def test_init_containers_reserve_the_most_of_one_and_overhead_adds() -> None:
    """As the scheduler counts."""
    large = {"initContainers": [{"resources": {"requests": {"cpu": "3"}}}], "overhead": {"memory": "1Mi"}}
    [placed] = workload.of([node()], [pod("x", "a", **large)], []).nodes[0].pods
    assert (placed.requests.cpu, placed.requests.memory) == (3000, (128 << 20) + (1 << 20))


def test_what_kubernetes_says_about_a_node_is_kept() -> None:
    """Cordoned, kept by an annotation, not ready; pods of DaemonSets and of the kubelet leave with it."""
    kept = {"annotations": {scheduling.SCALE_DOWN_DISABLED: "true"}, "deletionTimestamp": LATER}
    item = node(metadata=kept, spec={"unschedulable": True, "taints": [{"key": "k", "effect": "NoSchedule"}]})
    item["status"]["conditions"] = [{"type": "Ready", "status": "Unknown"}]
    daemon = pod("d", "a", owners=[{"kind": "DaemonSet", "controller": True}])
    mirror = pod("m", "a")
    mirror["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    [read] = workload.of([item], [daemon, mirror, pod("w", "a")], []).nodes
    assert (read.is_cordoned, read.is_kept, read.is_deleting, read.is_ready) == (True, True, True, False)
    assert [each.name for each in read.workload] == ["default/w"]


def test_the_template_is_an_empty_node_with_the_taints_of_the_pool() -> None:
    """Not with those that Kubernetes sets on a cordoned node."""
    taints = [{"key": key, "effect": "NoSchedule"} for key in ("gpu", "node.kubernetes.io/unschedulable")]
    daemon = pod("d", "a", owners=[{"kind": "DaemonSet", "controller": True}])
    read = workload.of([node(spec={"unschedulable": True, "taints": taints})], [daemon, pod("w", "a")], [])
    template = workload.template(read.nodes)
    assert template is not None
    assert [taint.key for taint in template.taints] == ["gpu"]
    assert [each.name for each in template.pods] == ["default/d"]
    assert template.is_usable
    assert workload.template([]) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("2", 2), ("100m", 0.1), ("1e3", 1000), ("5E", 5e18), ("2Ki", 2048), ("12345n", 12345e-9), (0, 0), ("1.5G", 1.5e9)],
)
def test_quantities_have_the_suffixes_of_kubernetes(text: object, value: float) -> None:
    """Decimal and binary ones, and exponents."""
    assert workload.quantity(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "1x", "m", "1 Gi"])
def test_other_text_is_no_quantity(text: str) -> None:
    """A proxy may answer in place of the cluster."""
    with pytest.raises(ValueError, match="no quantity"):
        workload.quantity(text)


def test_a_node_that_a_controller_drains_counts_as_if_it_stayed() -> None:
    """So that a decision to remove it is not withdrawn because it is cordoned. Someone else's cordon stays one."""
    since = {draining.SINCE: LATER}
    taints = [{"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}, {"key": "k", "effect": "NoSchedule"}]
    spec = {"unschedulable": True, "taints": taints}
    ours = node(metadata={"annotations": {**since, draining.CORDONED: "true"}}, spec=spec)
    [read] = workload.of([ours], [], []).nodes
    assert (read.is_draining, read.is_cordoned, read.is_usable) == (True, False, True)
    assert [taint.key for taint in read.taints] == ["k"]
    [read] = workload.of([node(metadata={"annotations": since}, spec=spec)], [], []).nodes
    assert (read.is_draining, read.is_cordoned, len(read.taints)) == (True, True, 2)
