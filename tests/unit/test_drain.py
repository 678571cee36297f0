"""The next step of draining a node."""

from __future__ import annotations

import dataclasses
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planton.deploy import drain

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
LIMIT = datetime.timedelta(minutes=10)


def pod(name: str, **more) -> drain.Pod:
    """Returns a pod of a Deployment."""
    return drain.Pod(**{"namespace": "default", "name": name, "owner": "ReplicaSet"} | more)


def budget(*names: str, allowed: int = 0, **more) -> drain.Budget:
    """Returns a disruption budget that needs all its pods."""
    values = {"namespace": "default", "name": "db", "allowed": allowed, "needs": len(names), "has": len(names)}
    return drain.Budget(**values | {"pods": frozenset(names)} | more)


def step(*pods: drain.Pod, budgets: tuple[drain.Budget, ...] = (), seconds: float = 0, **more) -> drain.Step:
    """Returns the next step for a cordoned node."""
    limit = drain.Limit(after=LIMIT, force=more.pop("force", False))
    node = drain.Node(**{"name": "node-1", "is_cordoned": True, "pods": pods} | more)
    return drain.step(node, budgets, limit=limit, now=START + datetime.timedelta(seconds=seconds), started=START)


def test_a_node_is_cordoned_before_any_pod_leaves() -> None:
    """Otherwise evicted pods come back."""
    first = step(pod("a"), is_cordoned=False)
    assert (first.stage, first.evict) == (drain.Stage.CORDON, ())


def test_pods_without_a_budget_are_evicted_together() -> None:
    """Also those that no controller recreates: the node goes."""
    both = step(pod("a"), pod("b", owner=""))
    assert [each.name for each in both.evict] == ["a", "b"]
    assert both.stage is drain.Stage.PODS


@pytest.mark.parametrize(
    "staying",
    [
        pod("a", owner="DaemonSet"),
        pod("a", is_mirror=True),
        pod("a", is_finished=True),
        pod("a", drain="skip"),
    ],
    ids=["DaemonSet", "mirror", "finished", "skipped"],
)
def test_some_pods_do_not_hold_the_node(staying: drain.Pod) -> None:
    """They go with the node."""
    assert step(staying).stage is drain.Stage.DONE


def test_a_budget_limits_evictions_and_is_named() -> None:
    """One of three pods may leave; the message names the budget and the others."""
    third = step(pod("db-0"), pod("db-1"), pod("db-2"), budgets=(budget("db-0", "db-1", "db-2", allowed=1, needs=2),))
    assert [each.name for each in third.evict] == ["db-0"]
    assert "the disruption budget default/db needs 2 healthy pods and has 3: default/db-1, default/db-2" in third.message


def test_a_budget_of_another_namespace_does_not_count() -> None:
    """Pods of one name in two namespaces are two pods."""
    assert step(pod("a"), budgets=(budget("a", namespace="other"),)).evict


def test_two_budgets_for_one_pod_block_it() -> None:
    """Kubernetes refuses such an eviction for ever."""
    refused = step(pod("a"), budgets=(budget("a", allowed=1), budget("a", allowed=1, name="db2")))
    assert refused.evict == ()
    assert "more than one disruption budget" in refused.message


def test_a_pod_that_must_complete_is_not_evicted() -> None:
    """The drain waits for it."""
    waiting = step(pod("job", owner="Job", drain="wait-completed"))
    assert (waiting.stage, waiting.evict) == (drain.Stage.PODS, ())
    assert "must complete first: default/job" in waiting.message


def test_volumes_are_waited_for_after_the_pods() -> None:
    """Otherwise the pod's successor cannot attach its volume."""
    assert step(pod("a", ends=START), volumes=("csi-1",)).stage is drain.Stage.PODS
    detaching = step(volumes=("csi-1",))
    assert detaching.stage is drain.Stage.VOLUMES
    assert "csi-1" in detaching.message


def test_an_unreachable_node_loses_its_terminating_pods_but_keeps_its_budgets() -> None:
    """Its kubelet reports no end of a pod any more."""
    gone = step(pod("a", ends=START), pod("db-0"), budgets=(budget("db-0"),), is_reachable=False, seconds=5)
    assert [str(each.pod) for each in gone.blocked] == ["default/db-0"]
    assert "default/a" not in gone.message
    assert gone.grace == 1


@pytest.mark.parametrize("more", [{}, {"volumes": ("csi-1",)}])
def test_a_drain_ends_in_bounded_time(more: dict) -> None:
    """After its limit nothing is evicted, and the message still names what blocks."""
    blocked = () if more else (pod("db-0"),)
    late = step(*blocked, budgets=(budget("db-0"),), seconds=600, **more)
    assert (late.stage, late.evict) == (drain.Stage.TIMED_OUT, ())
    assert "600 s" in late.message
    assert ("default/db" if blocked else "csi-1") in late.message


@pytest.mark.parametrize("more", [{"force": True}, {"is_reachable": False}])
def test_a_forced_drain_deletes_pods_after_its_limit_and_ends(more: dict) -> None:
    """Budgets do not hold any longer; what remains a minute later goes with the node. So does an unreachable node's, always."""
    protected = (budget("db-0"),)
    assert step(pod("db-0"), budgets=protected, seconds=599, **more).evict == ()
    forced = step(pod("db-0"), budgets=protected, seconds=600, **more)
    assert (forced.stage, [each.name for each in forced.evict]) == (drain.Stage.FORCED, ["db-0"])
    assert "needs 1 healthy pods and has 1: default/db-0" in forced.message
    assert step(pod("db-0"), budgets=protected, seconds=660, **more).stage is drain.Stage.DONE


def test_steps_of_a_blocked_drain_become_rarer() -> None:
    """At first a freed budget is used at once; a drain that is blocked for long asks every 20 seconds."""
    pauses = [step(pod("db-0"), budgets=(budget("db-0"),), seconds=each).again.total_seconds() for each in (0, 60, 599)]
    assert pauses == [2, 6, 20]


def test_a_message_lists_three_names() -> None:
    """And counts the others."""
    text = step(*(pod(f"a-{number}", ends=START) for number in range(5))).message
    assert text == "5 pods must leave node node-1; terminating: default/a-0, default/a-1, default/a-2 (2 more)"


@given(
    pods=st.lists(
        st.builds(
            pod,
            st.sampled_from("abcdefgh"),
            namespace=st.sampled_from(["default", "other"]),
            owner=st.sampled_from(["ReplicaSet", "DaemonSet", ""]),
            drain=st.sampled_from(["", "skip", "wait-completed"]),
        ),
        max_size=12,
        unique_by=str,
    ),
    allowed=st.lists(st.integers(0, 3), min_size=2, max_size=2),
)
def test_repeated_steps_drain_a_node_without_breaking_a_budget(pods, allowed) -> None:
    """Each evicted pod starts elsewhere, which gives its budget back; pods that complete leave by themselves."""
    names = frozenset(each.name for each in pods)
    budgets = tuple(
        budget(*names, namespace=namespace, name=namespace, allowed=most)
        for namespace, most in zip(("default", "other"), allowed, strict=True)
    )
    node = drain.Node(name="node-1", is_cordoned=True, pods=tuple(pods))
    for _ in range(len(pods) + 1):
        following = drain.step(node, budgets, limit=drain.Limit(after=None), now=START, started=START)
        for each in budgets:
            assert sum(each.covers(leaving) for leaving in following.evict) <= each.allowed
        if following.stage is drain.Stage.DONE or not following.evict:
            break
        node = dataclasses.replace(node, pods=tuple(each for each in node.pods if each not in following.evict))
    waiting = [each for each in node.pods if each.owner != "DaemonSet" and each.drain == "wait-completed"]
    stuck = [each for each in following.blocked if not budgets[each.pod.namespace == "other"].allowed]
    assert following.stage is drain.Stage.DONE or waiting or stuck
