"""Draining nodes of the sandbox, in simulated time."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from planton import errors
from planton.clouds import kubeconfigs, kubernetes
from planton.deploy import drain, draining, selectors
from support import kubernetes as kube_support
from support import sandbox as sandbox_support
from support.kubernetes import APPS, CORE, MERGE, POLICY, Kube

START = datetime.datetime.fromtimestamp(kube_support.START, datetime.UTC)
LIMIT = drain.Limit(after=datetime.timedelta(minutes=10))
Advance = Callable[..., drain.Step]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sandbox_support.Sandbox]:
    """A sandbox whose clock only tests advance."""
    with sandbox_support.running(tmp_path_factory.mktemp("drain") / "home", source=lambda: kube_support.START) as running:
        running.control.latency("realistic")
        yield running


@pytest.fixture
def kube(sandbox: sandbox_support.Sandbox, request: pytest.FixtureRequest) -> Iterator[Kube]:
    """A cluster with two nodes, and pods that take their time."""
    sandbox.control.latency("instant")
    opened = Kube(sandbox, f"c{abs(hash(request.node.name)) % 10**8}", nodes=2)
    sandbox.control.latency("realistic")
    yield opened
    opened.close()


@pytest.fixture
def api(kube: Kube) -> kubernetes.Api:
    """The Kubernetes API of the cluster."""
    return kubernetes.Api(kubeconfigs.parse(kube.kubeconfig))


@pytest.fixture
def advance(kube: Kube, api: kubernetes.Api) -> Advance:
    """Takes a step of the drain of a node, some seconds after the last one."""
    passed = 0.0

    def take(name: str, seconds: float = 0, limit: drain.Limit = LIMIT) -> drain.Step:
        nonlocal passed
        kube.advance(seconds)
        passed += seconds
        return draining.advance(api, name, limit=limit, now=START + datetime.timedelta(seconds=passed))

    return take


def test_a_node_is_cordoned_and_its_pods_run_elsewhere(kube: Kube, advance: Advance) -> None:
    """The first step cordons and evicts. DaemonSets and their volumes stay with the node."""
    kube.deploy(replicas=2)
    kube.ok("POST", f"{APPS}/daemonsets", {**kube_support.deployment("agent", 1), "kind": "DaemonSet"} | _daemon())
    kube.advance(30)
    first, second = kube.nodes()
    begun = advance(first)
    assert (begun.stage, len(begun.evict)) == (drain.Stage.PODS, 1)
    assert kube.node(first)["spec"]["unschedulable"] is True
    assert "terminating: default/web" in advance(first).message
    assert advance(first, 40).stage is drain.Stage.DONE
    assert {pod["spec"]["nodeName"] for pod in kube.running()} == {second}
    assert not any("deletionTimestamp" in pod["metadata"] for pod in kube.pods("agent"))


def _daemon() -> dict[str, Any]:
    body = kube_support.deployment("agent", 1)
    return {"metadata": body["metadata"], "spec": {key: value for key, value in body["spec"].items() if key != "replicas"}}


def test_a_budget_that_blocks_is_named_and_the_drain_goes_on_once_it_allows(kube: Kube, advance: Advance) -> None:
    """No pod of it is evicted meanwhile; the next step uses what it allows then."""
    kube.deploy(replicas=2)
    kube.budget(minAvailable=2)
    kube.advance(30)
    first, _ = kube.nodes()
    blocked = advance(first)
    assert "the disruption budget default/web needs 2 healthy pods and has 2: default/web" in blocked.message
    assert (len(blocked.blocked), len(kube.running())) == (1, 2)
    kube.ok("PATCH", f"{POLICY}/poddisruptionbudgets/web", {"spec": {"minAvailable": 1}}, kind=MERGE)
    assert len(advance(first, 5).evict) == 1
    assert advance(first, 40).stage is drain.Stage.DONE


def test_an_eviction_that_kubernetes_refuses_is_blocked_with_its_words(kube: Kube, api: kubernetes.Api) -> None:
    """Another drain used the budget in between: 429 names it."""
    kube.deploy(replicas=2)
    kube.budget(minAvailable=2)
    kube.advance(30)
    first, _ = kube.nodes()

    def without_budgets(method: str, url: str, **more: Any) -> Any:
        if "poddisruptionbudgets" in url:
            return type("Answer", (), {"status": 200, "json": staticmethod(lambda: {"items": []})})()
        return kubernetes.web.request(method, url, **more)

    step = draining.advance(kubernetes.Api(api.entry, send=without_budgets), first, limit=LIMIT, now=START)
    assert "The disruption budget web needs 2 healthy pods and has 2 currently: default/web" in step.message
    assert len(kube.running()) == 2


def test_a_forced_drain_ends_although_a_budget_blocks(kube: Kube, advance: Advance) -> None:
    """Without force it times out; with it, the pod is deleted after the limit."""
    kube.deploy(replicas=2)
    kube.budget(minAvailable=2)
    kube.advance(30)
    first, _ = kube.nodes()
    advance(first)
    assert advance(first, 600).stage is drain.Stage.TIMED_OUT
    assert len(kube.running()) == 2
    forced = drain.Limit(after=LIMIT.after, force=True)
    assert advance(first, 0, forced).stage is drain.Stage.FORCED
    assert advance(first, 40, forced).stage is drain.Stage.DONE


def test_an_unreachable_node_behind_a_budget_ends_in_bounded_time(kube: Kube, advance: Advance) -> None:
    """Nobody knows its pods: a minute after the limit the drain is over."""
    kube.deploy(replicas=2)
    kube.budget(minAvailable=2)
    kube.advance(30)
    first, _ = kube.nodes()
    kube.act("node", node=first, ready=False, unreachable=True)
    kube.advance(60)
    assert advance(first).blocked
    assert advance(first, 600).stage is drain.Stage.FORCED
    assert advance(first, 60).stage is drain.Stage.DONE


def test_volumes_are_detached_before_a_node_is_drained(kube: Kube, advance: Advance) -> None:
    """The message names the volume."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    kube.ok("POST", f"{CORE}/persistentvolumeclaims", {"metadata": {"name": "data"}, "spec": spec})
    kube.deploy(replicas=1, volumes=[{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}])
    kube.advance(60)
    (pod,) = kube.running()
    node = pod["spec"]["nodeName"]
    advance(node)
    stages = [advance(node, 5) for _ in range(20)]
    detaching = next(each for each in stages if each.stage is drain.Stage.VOLUMES)
    volume = kube.ok("GET", f"{CORE}/persistentvolumeclaims/data")["spec"]["volumeName"]
    assert f"must be detached: {volume}" in detaching.message
    assert stages[-1].stage is drain.Stage.DONE


def test_a_cancelled_drain_leaves_what_others_had_cordoned(kube: Kube, api: kubernetes.Api, advance: Advance) -> None:
    """A drain of another process goes on from the time in the node's annotation."""
    first, second = kube.nodes()
    kube.cordon(second)
    for name in (first, second):
        advance(name)
        draining.cancel(api, name)
        draining.cancel(api, name)
        assert draining.started(kube.node(name)) is None
    assert "unschedulable" not in kube.node(first)["spec"]
    assert kube.node(second)["spec"]["unschedulable"] is True


def test_a_missing_node_is_drained_and_a_closed_api_is_an_error(api: kubernetes.Api, advance: Advance) -> None:
    """Only the cluster itself says that a node is gone."""
    assert advance("missing").stage is drain.Stage.DONE
    draining.cancel(api, "missing")

    def silent(*_: object, **__: object) -> Any:
        raise kubernetes.web.NoAnswerError("closed")

    with pytest.raises(errors.PlantonError) as caught:
        draining.advance(kubernetes.Api(api.entry, send=silent), "missing", limit=LIMIT, now=START)
    assert caught.value.reason is errors.Reason.API_SERVER_CLOSED


@pytest.mark.parametrize(
    ("selector", "does"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "db"}}, False),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "db"]}]}, True),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["web"]}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, True),
    ],
)
def test_a_selector_selects_as_in_kubernetes(selector: Any, does: bool) -> None:
    """Budgets protect the pods that their selectors select."""
    assert selectors.matches(selector, {"app": "web"}) is does
