"""How many nodes an autoscaled pool needs: single samples, and days of load in simulated time."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planton.controllers import autoscaling, scheduling, utilization
from support import trials

GIB = 1 << 30
SIZE = scheduling.Resources(cpu=2000, memory=4 * GIB, pods=110)
TEMPLATE = scheduling.Node(name="template", created=0, allocatable=SIZE)
INTERVAL = 30.0
HOUR = 3600.0


def node(number: int = 0, **more) -> scheduling.Node:
    """Returns a node of the usual size."""
    return scheduling.Node(**{"name": f"node-{number}", "created": float(number), "allocatable": SIZE} | more)


def pod(number: int = 0, cpu: int = 500, **more) -> scheduling.Pod:
    """Returns a pod of the usual memory."""
    requests = scheduling.Resources(cpu=cpu, memory=GIB // 4, pods=1)
    return scheduling.Pod(**{"name": f"default/pod-{number}", "requests": requests} | more)


@dataclasses.dataclass
class Pool:
    """A pool whose load is spread evenly over its ready nodes, and whose new nodes take time.

    Attributes:
        load: Time → millicores that its pods use.
        targets: What its spec asks for.
        provision: Seconds until a new node is ready.
    """

    load: Callable[[float], float]
    targets: autoscaling.Targets
    provision: float = 120.0
    target: int = 1

    def run(self, *, until: float, lost: frozenset[float] = frozenset()) -> list[tuple[float, int]]:
        """Returns time → number of nodes, one entry for each change. The history is lost at some times."""
        nodes = [-self.provision] * self.target
        history = autoscaling.History(began=0.0)
        changes, now = [(0.0, self.target)], 0.0
        while now < until:
            history = autoscaling.History(began=now, changed=now) if now in lost else history
            decision, history = autoscaling.decide(self.targets, history, self._sample(now, nodes))
            if decision.count != self.target:
                changes.append((now, decision.count))
                assert len(decision.leaving) == max(0, self.target - decision.count)
                nodes = nodes[: decision.count] + [now] * (decision.count - len(nodes))
                self.target = decision.count
            now += INTERVAL
        return changes

    def _sample(self, now: float, nodes: list[float]) -> autoscaling.Sample:
        ready = [created + self.provision <= now for created in nodes]
        share = self.load(now) / max(1, sum(ready))
        usage = scheduling.Resources(cpu=min(SIZE.cpu, round(share)), memory=GIB)
        return autoscaling.Sample(
            now=now,
            target=self.target,
            nodes=tuple(
                node(number, created=created, is_ready=is_ready, usage=usage if is_ready else None)
                for number, (created, is_ready) in enumerate(zip(nodes, ready, strict=True))
            ),
            template=TEMPLATE,
            measured=now,
        )


def targets(**more) -> autoscaling.Targets:
    """Returns the targets of most tests: 1 to 20 nodes at 50 % CPU."""
    return autoscaling.Targets(**{"min_nodes": 1, "max_nodes": 20, "cpu": 50, "up_delay": 60.0, "down_delay": 300.0} | more)


def sample(*nodes: scheduling.Node, now: float = 10 * HOUR, **more) -> autoscaling.Sample:
    """Returns a sample of ready nodes, with fresh metrics."""
    return autoscaling.Sample(**{"now": now, "target": len(nodes), "nodes": nodes, "template": TEMPLATE, "measured": now} | more)


def steady(want: int) -> autoscaling.History:
    """Returns the history of hours with one recommendation."""
    return autoscaling.History(began=0.0, wants=((0.0, want),))


def used(cpu: int, memory: int = 0) -> scheduling.Resources:
    """Returns a usage."""
    return scheduling.Resources(cpu=cpu, memory=memory)


def test_high_utilization_adds_nodes_after_the_delay() -> None:
    """Two nodes at 90 % with a target of 50 % need four, once the load has lasted for the delay."""
    busy = sample(*(node(number, usage=used(1800)) for number in range(2)), now=1000.0)
    decision, history = autoscaling.decide(targets(), autoscaling.History(began=0.0, wants=((0.0, 2),)), busy)
    assert (decision.count, decision.reason) == (2, "DesiredWithinRange")
    decision, _ = autoscaling.decide(targets(), history, dataclasses.replace(busy, now=1061.0, measured=1061.0))
    assert (decision.count, decision.reason) == (4, "HighUtilization")
    assert "90 %" in decision.message
    assert "50 %" in decision.message


def test_the_greater_of_two_metrics_counts() -> None:
    """Memory at twice its target outweighs an idle CPU."""
    full = sample(node(usage=used(10, 2 * GIB)))
    decision, _ = autoscaling.decide(targets(memory=25), steady(2), full)
    assert decision.count == 2


@pytest.mark.parametrize("cpu", [900, 1000, 1100])
def test_a_utilization_near_its_target_changes_nothing(cpu: int) -> None:
    """Within a tenth of 50 % the number of nodes stays."""
    decision, _ = autoscaling.decide(targets(), steady(3), sample(*(node(number, usage=used(cpu)) for number in range(3))))
    assert decision.count == 3


def test_pending_pods_add_the_nodes_that_they_need_after_the_delay() -> None:
    """Five pods of 1.5 cores need five nodes of 2."""
    pods = tuple(pod(number, cpu=1500) for number in range(5))
    full = sample(node(usage=used(1000), pods=(pod(7, cpu=1000),)), pending=pods)
    decision, history = autoscaling.decide(targets(), steady(1), full)
    assert decision.count == 1
    assert "6 nodes are recommended by pending pods" in decision.message
    decision, _ = autoscaling.decide(targets(), history, dataclasses.replace(full, now=full.now + 60, measured=full.now + 60))
    assert (decision.count, decision.reason) == (6, "PendingPods")


def test_pending_pods_that_fit_on_present_nodes_add_none() -> None:
    """New nodes have just become ready, and the scheduler has not placed the pods yet."""
    decision, _ = autoscaling.decide(targets(), steady(1), sample(node(usage=used(900)), pending=(pod(),)))
    assert decision.count == 1


@pytest.mark.parametrize(
    ("odd", "too_large"),
    [
        (pod(cpu=2500), ("default/pod-0",)),
        (pod(selector={"pool": "other"}), ()),
    ],
    ids=["larger than a node", "for another pool"],
)
def test_pods_that_no_node_of_the_pool_can_run_trigger_nothing(odd: scheduling.Pod, too_large: tuple[str, ...]) -> None:
    """They do not keep idle nodes either. Those that the pool accepts are reported."""
    decision, _ = autoscaling.decide(
        targets(), steady(1), sample(node(0, usage=used(10)), node(1, usage=used(10)), pending=(odd,))
    )
    assert decision.too_large == too_large
    assert decision.count == 1


def test_taints_count_for_pending_pods() -> None:
    """A pod without the toleration cannot use the pool."""
    taint = scheduling.Taint("gpu", "true", "NoSchedule")
    template = dataclasses.replace(TEMPLATE, taints=(taint,))
    tolerant = pod(0, tolerations=(scheduling.Toleration("gpu", "Exists"),))
    full = node(usage=used(1000), taints=(taint,), pods=(pod(8, cpu=2000),))
    decision, _ = autoscaling.decide(targets(), steady(2), sample(full, template=template, pending=(tolerant, pod(1))))
    assert decision.count == 2


def test_a_node_leaves_only_if_its_pods_fit_elsewhere() -> None:
    """Requests count for it, not usage."""
    idle = [node(number, usage=used(10), pods=(pod(number, cpu=1500),)) for number in range(2)]
    decision, _ = autoscaling.decide(targets(), steady(1), sample(*idle))
    assert (decision.count, decision.reason) == (2, "PodsWouldNotFit")


def test_one_node_with_pods_leaves_at_a_time_and_empty_ones_together() -> None:
    """Empty nodes go first."""
    empty = [node(number, usage=used(1)) for number in (1, 2)]
    loaded = [node(number, usage=used(50), pods=(pod(number, cpu=100),)) for number in (3, 4, 5)]
    decision, _ = autoscaling.decide(targets(), steady(1), sample(*loaded, *empty))
    assert decision.leaving == ("node-1", "node-2")
    decision, _ = autoscaling.decide(targets(), steady(1), sample(*loaded))
    assert decision.leaving == ("node-3",)


def test_nodes_leave_in_a_fixed_order() -> None:
    """Deleting, draining, not ready, cordoned, empty, fewest requests, oldest; a kept node never."""
    nodes = [
        node(1, is_kept=True),
        node(2, pods=(pod(2),)),
        node(3, pods=(pod(3, cpu=100),)),
        node(5),
        node(4),
        node(6, is_cordoned=True, pods=(pod(6),)),
        node(7, is_ready=False, pods=(pod(7),)),
        node(8, is_deleting=True),
        node(9, is_draining=True, pods=(pod(9),)),
    ]
    names = [each.name for each in scheduling.in_leaving_order(nodes)]
    assert names == [f"node-{number}" for number in (8, 9, 7, 6, 4, 5, 3, 2)]


@pytest.mark.parametrize(
    ("count", "bounds", "want", "limited"),
    [(5, (1, 3), 3, "TooManyReplicas"), (1, (2, 4), 2, "TooFewReplicas")],
)
def test_new_bounds_win_at_once(count: int, bounds: tuple[int, int], want: int, limited: str) -> None:
    """No delay, no metrics and no history are needed."""
    low, high = bounds
    now = sample(*(node(number) for number in range(count)), measured=None)
    decision, _ = autoscaling.decide(targets(min_nodes=low, max_nodes=high), autoscaling.History(began=now.now), now)
    assert (decision.count, decision.limited) == (want, limited)
    assert len(decision.leaving) == max(0, count - want)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"busy": autoscaling.Hold("RollingOut", "a rollout is in progress")}, "RollingOut"),
        ({"unread": autoscaling.Hold("WorkloadUnread", "no answer")}, "WorkloadUnread"),
        ({"template": None}, "NodesNotReady"),
        ({"measured": None}, "MetricsUnavailable"),
        ({"measured": 10 * HOUR - autoscaling.METRICS_TTL - 1}, "MetricsUnavailable"),
    ],
)
def test_without_a_basis_nothing_changes(more: dict, reason: str) -> None:
    """An idle pool keeps its nodes while nobody knows what they do."""
    decision, _ = autoscaling.decide(targets(), steady(1), sample(node(0, usage=used(1)), node(1, usage=used(1)), **more))
    assert (decision.count, decision.is_active, decision.reason) == (2, False, reason)


def test_a_gap_in_the_metrics_starts_the_delays_again() -> None:
    """One low sample after hours without metrics removes nothing."""
    idle = sample(node(0, usage=used(1)), node(1, usage=used(1)))
    _, history = autoscaling.decide(targets(), steady(1), dataclasses.replace(idle, measured=None))
    decision, _ = autoscaling.decide(targets(), history, dataclasses.replace(idle, now=idle.now + 30, measured=idle.now + 30))
    assert decision.count == 2


def test_a_time_without_samples_starts_the_delays_again() -> None:
    """The process was down: nobody knows what held meanwhile. A recommendation that waits is noted, so that this is noticed."""
    idle = sample(node(0, usage=used(1)), node(1, usage=used(1)))
    began = autoscaling.History(began=idle.now - 600, wants=((idle.now - 600, 2),))
    decision, history = autoscaling.decide(targets(), began, idle)
    assert (decision.count, history.sampled) == (2, idle.now)
    later = idle.now + autoscaling.METRICS_TTL + 300
    decision, history = autoscaling.decide(targets(), history, dataclasses.replace(idle, now=later, measured=later))
    assert (decision.count, history.began) == (2, later)


def test_the_history_of_a_pool_that_needs_nothing_does_not_change() -> None:
    """So it need not be stored again with each sample."""
    calm = sample(node(0, usage=used(1000)))
    _, history = autoscaling.decide(targets(), autoscaling.History(began=0.0), calm)
    later = dataclasses.replace(calm, now=calm.now + 15, measured=calm.now + 15)
    assert autoscaling.decide(targets(), history, later)[1] == history


def test_nodes_that_start_hold_decisions_until_their_timeout() -> None:
    """After the timeout the ready nodes decide alone."""
    nodes = (node(0, usage=used(1900)), node(1, is_ready=False))
    history = dataclasses.replace(steady(4), changed=10 * HOUR - 60)
    decision, _ = autoscaling.decide(targets(), history, sample(*nodes))
    assert (decision.count, decision.reason) == (2, "NodesNotReady")
    history = dataclasses.replace(steady(4), changed=10 * HOUR - autoscaling.PROVISION_TIMEOUT)
    decision, _ = autoscaling.decide(
        targets(), history, sample(node(0, usage=used(2000)), node(1, usage=used(2000)), nodes[1], target=3)
    )
    assert decision.count == 4


def test_unmeasured_nodes_do_not_change_the_direction() -> None:
    """They count as idle when nodes would be added, and as busy when nodes would be removed."""
    decision, _ = autoscaling.decide(targets(), steady(2), sample(node(0, usage=used(1500)), node(1)))
    assert decision.count == 2
    decision, _ = autoscaling.decide(targets(), steady(3), sample(node(0, usage=used(1)), *(node(number) for number in (1, 2))))
    assert decision.count == 3


def test_a_pool_without_nodes_grows_by_pending_pods() -> None:
    """Without nodes there are no metrics, and none are needed."""
    decision, _ = autoscaling.decide(targets(min_nodes=0), steady(1), sample(pending=(pod(),), measured=None))
    assert decision.count == 1


def test_a_day_follows_the_load() -> None:
    """The number of nodes follows a day's sine within the bounds, and a spike shorter than the delay adds nothing."""

    def load(now: float) -> float:
        spike = 20000.0 if 12 * HOUR <= now < 12 * HOUR + 50 else 0.0
        return 5000 + 4000 * math.sin(2 * math.pi * now / (24 * HOUR)) + spike

    changes = Pool(load, targets()).run(until=24 * HOUR)
    assert {count for _, count in changes} >= {5, 9}
    assert max(count for _, count in changes) <= 10
    assert min(count for at, count in changes if at > HOUR) >= 1
    # The load rises until the sixth hour, falls until the eighteenth, and rises again.
    rises = [after > before for (_, before), (_, after) in itertools.pairwise(changes)]
    turns = sum(a != b for a, b in itertools.pairwise(rises))
    assert turns == 2, changes


@pytest.mark.parametrize("provision", [30.0, 120.0, 600.0])
def test_a_step_is_answered_within_the_delays(provision: float) -> None:
    """The first change comes one delay after the step, at most two samples later."""
    pool = Pool(lambda now: 6000.0 if now >= 2 * HOUR else 1000.0, targets(), provision=provision)
    up = next(at for at, count in pool.run(until=3 * HOUR) if count > 1)
    assert 2 * HOUR + 60 <= up <= 2 * HOUR + 60 + 2 * INTERVAL
    pool = Pool(lambda now: 900.0 if now >= 2 * HOUR else 6000.0, targets(), provision=provision, target=6)
    down = next(at for at, count in pool.run(until=3 * HOUR) if at and count < 6)
    assert 2 * HOUR + 300 <= down <= 2 * HOUR + 300 + 2 * INTERVAL


@settings(max_examples=trials.of(20))
@given(
    load=st.integers(0, 60000),
    cpu=st.integers(20, 90),
    start=st.integers(4, 5),
    bounds=st.tuples(st.integers(0, 4), st.integers(5, 12)),
    provision=st.sampled_from([15.0, 90.0, 400.0]),
)
def test_a_constant_load_reaches_a_number_and_stays_there(load, cpu, start, bounds, provision) -> None:
    """It never leaves the bounds, never turns back, and ends near the target utilization."""
    low, high = bounds
    aim = autoscaling.Targets(min_nodes=low, max_nodes=high, cpu=cpu, up_delay=60.0, down_delay=300.0)
    changes = Pool(lambda _: float(load), aim, provision=provision, target=start).run(until=4 * HOUR)
    after = [count for _, count in changes[1:]]
    assert all(low <= count <= high for count in after)
    steps = [b - a for a, b in itertools.pairwise(count for _, count in changes)]
    assert not any(step < 0 for step in steps) or not any(step > 0 for step in steps), changes
    last, count = changes[-1]
    assert last < 3 * HOUR
    ideal = min(max(math.ceil(load / SIZE.cpu / (cpu / 100)), low), high)
    assert abs(count - ideal) <= math.ceil(ideal * utilization.TOLERANCE), (changes, ideal)


@settings(max_examples=trials.of(20))
@given(lost=st.lists(st.integers(0, 240), max_size=6), level=st.integers(500, 20000))
def test_a_lost_history_only_delays(lost, level) -> None:
    """At any of the samples: the pool ends where it ends otherwise, and takes no step in another direction."""
    pool = Pool(lambda _: float(level), targets(), target=5)
    expected = Pool(lambda _: float(level), targets(), target=5).run(until=3 * HOUR)
    changes = pool.run(until=3 * HOUR, lost=frozenset(number * INTERVAL for number in lost))
    assert changes[-1][1] == expected[-1][1]
    steps = [b - a for a, b in itertools.pairwise(count for _, count in changes)]
    assert not any(step < 0 for step in steps) or not any(step > 0 for step in steps), changes


@settings(max_examples=trials.of(20))
@given(st.lists(st.tuples(st.integers(60, 3600), st.integers(0, 50000)), min_size=1, max_size=12))
def test_no_load_leads_outside_of_the_bounds(steps) -> None:
    """Whatever the load does."""

    def load(now: float) -> float:
        for seconds, value in steps:
            if now < seconds:
                return float(value)
            now -= seconds
        return 0.0

    changes = Pool(load, targets(min_nodes=2, max_nodes=7), target=3).run(until=sum(seconds for seconds, _ in steps) + HOUR)
    assert all(2 <= count <= 7 for _, count in changes)


@settings(max_examples=trials.of(60))
@given(
    requests=st.lists(st.integers(50, 2000), min_size=1, max_size=30),
    present=st.integers(0, 5),
)
def test_the_nodes_for_pending_pods_are_enough(requests, present) -> None:
    """Once they are there, no pod is pending any more, and half as many would not do."""
    pods = [pod(number, cpu=cpu) for number, cpu in enumerate(requests)]
    nodes = [node(number) for number in range(present)]
    more = scheduling.nodes_for(pods, TEMPLATE, nodes)
    enough = nodes + [node(100 + number) for number in range(more)]
    assert scheduling.nodes_for(pods, TEMPLATE, enough) == 0
    assert (present + more) * SIZE.cpu >= sum(requests)
    if more:
        assert (more - 1) * SIZE.cpu < 2 * sum(requests)
