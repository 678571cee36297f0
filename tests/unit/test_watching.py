"""Watching an apply: what was done, what was begun and not seen to end, and the stage of a cluster in the cloud."""

from __future__ import annotations

import threading
import types
from typing import Any

import pytest

from planton import errors
from planton.deploy import progress, steps, watching
from planton.schema import kinds, references
from support import events

KEY = references.Key("CivoKubernetesCluster", "dev", "dev")
M = progress.Moment


class Cloud:
    """A cloud with one cluster.

    Attributes:
        entry: The cluster in the form of the cloud's API; None if there is none.
    """

    def __init__(self, entry: dict[str, Any] | None) -> None:
        self.entry = entry

    def find(self, _type: str, name: str) -> str | None:
        """Returns the id of the cluster with a name."""
        return "id" if self.entry is not None and name == "dev" else None

    def cluster(self, _id: str) -> dict[str, Any] | None:
        """Returns the cluster."""
        return self.entry


def _subject(entry: dict[str, Any] | None, kind: str = KEY.kind, **spec: Any) -> Any:
    target = types.SimpleNamespace(spec=types.SimpleNamespace(cluster_name="dev", **spec))
    return types.SimpleNamespace(cloud=Cloud(entry), target=target, kind=kinds.get(kind))


def _watch(listed: list[progress.Event], pause: float = 0.0) -> watching.Watch:
    return watching.Watch(KEY, "apply", progress.Listener(listed.append, pause=pause))


def test_what_has_ended_is_done_and_what_has_begun_is_open() -> None:
    """A resource that failed is neither."""
    watch = _watch([])
    with watch.working(_subject(None)):
        watch.on_event(events.begins("create", events.FIREWALL, "firewall", new={"name": "f"}))
        watch.on_event(events.ended("create", events.FIREWALL, "firewall", new={"name": "f"}))
        watch.on_event(events.begins("create", events.CLUSTER, "cluster", new={"name": "c"}))
        watch.on_event(events.begins("create", events.POOL, "node_pool-a", new={"label": "a"}))
        watch.on_event(events.failed("create", events.POOL, "node_pool-a"))
    assert [change.name for change in watch.done] == ["firewall"]
    assert watch.open == (("cluster", "create"),)


def test_a_preview_during_an_apply_does_nothing() -> None:
    """The engine's events of a preview look like those of an update."""
    listed: list[progress.Event] = []
    watch = _watch(listed)
    watch.on_event(events.begins("create", events.CLUSTER, "cluster", new={"name": "c"}))
    watch.on_event(events.ended("create", events.CLUSTER, "cluster", new={"name": "c"}))
    assert (watch.done, watch.open, listed) == ((), (), [])


def test_a_resource_is_reported_with_its_usual_time() -> None:
    """Reads and the engine's own resources are not reported."""
    listed: list[progress.Event] = []
    watch = _watch(listed)
    with watch.working(_subject(None)):
        watch.on_event(events.begins("same", events.NETWORK, "network"))
        watch.on_event(events.begins("create", "pulumi:providers:civo", "civo", new={}))
        watch.on_event(events.begins("create", events.CLUSTER, "cluster", new={"name": "c"}))
        watch.on_event(events.ended("create", events.CLUSTER, "cluster", new={"name": "c"}))
    assert [(each.moment, each.resource, each.action, each.expected) for each in listed] == [
        (M.RESOURCE_STARTED, "cluster", "create", 100.0),
        (M.RESOURCE_ENDED, "cluster", "create", 100.0),
    ]


@pytest.mark.parametrize(
    ("instances", "expected_stage"),
    [(["BUILDING", "BUILDING"], "control plane"), (["ACTIVE", "BUILDING"], "nodes 1/2")],
)
def test_the_cloud_says_how_far_a_cluster_is(instances: list[str], expected_stage: str) -> None:
    """It is asked while the engine waits for it."""
    pool = {"id": "p", "count": 2, "instances": [{"status": status} for status in instances]}
    reported, seen = [], threading.Event()

    def tell(event: progress.Event) -> None:
        reported.append(event)
        if event.moment is M.STAGE:
            seen.set()

    watch = watching.Watch(KEY, "apply", progress.Listener(tell, pause=0.001))
    with watch.working(_subject({"status": "BUILDING", "pools": [pool]})):
        watch.on_event(events.begins("create", events.CLUSTER, "cluster", new={"name": "c"}))
        assert seen.wait(60)
    assert next(each.text for each in reported if each.moment is M.STAGE) == expected_stage


def test_a_pool_has_a_stage_of_its_own() -> None:
    """Not that of the other pools of its cluster."""
    pools = [
        {"id": name, "count": 2, "instances": [{"status": status}] * 2} for name, status in (("a", "ACTIVE"), ("web", "BUILDING"))
    ]
    seen, texts = threading.Event(), []

    def tell(event: progress.Event) -> None:
        if event.text:
            texts.append(event.text)
            seen.set()

    watch = watching.Watch(KEY, "apply", progress.Listener(tell, pause=0.001))
    cluster = types.SimpleNamespace(value="id")
    subject = _subject({"status": "SCALING", "pools": pools}, "CivoKubernetesNodePool", cluster=cluster, node_pool_name="web")
    with watch.working(subject):
        watch.on_event(events.begins("create", events.POOL, "node_pool", new={"label": "web"}))
        assert seen.wait(60)
    assert texts[0] == "nodes 0/2"


def test_a_failed_step_has_what_was_done() -> None:
    """A step that succeeded has it from the plan."""
    watches = watching.Watches("apply", progress.IGNORED)
    watch = watches.start(KEY)
    with watch.working(_subject(None)):
        watch.on_event(events.begins("create", events.CLUSTER, "cluster", new={"name": "c"}))
    failed = steps.Step(KEY, "s", error=errors.PlantonError("no", reason=errors.Reason.CLOUD_FAILED))
    assert watches.ended(failed).unfinished == (("cluster", "create"),)
    succeeded = steps.Step(KEY, "s")
    assert watches.ended(succeeded) is succeeded
