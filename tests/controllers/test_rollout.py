"""The next step of a rolling replacement, and whole replacements in simulated time."""

from __future__ import annotations

import dataclasses
import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planton.controllers import rollout
from planton.deploy import drain
from support import trials

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def node(name: str, **more) -> rollout.Node:
    """Returns a node that has been ready for a day."""
    return rollout.Node(**{"name": name, "ready_since": NOW - datetime.timedelta(days=1)} | more)


def pool(*nodes: rollout.Node, **more) -> rollout.Pool:
    """Returns a pool with exactly these nodes."""
    return rollout.Pool(**{"target": len(nodes), "nodes": nodes} | more)


def step(old: rollout.Pool | None, new: rollout.Pool | None, desired: int = 3, **more) -> rollout.Step:
    """Returns the next step of a replacement of three nodes."""
    return rollout.step(rollout.Options(desired=desired, **more), old, new, NOW)


OLD = pool(node("a"), node("b"), node("c"))


def test_the_new_pool_starts_with_the_surge() -> None:
    """One node more than desired."""
    first = step(OLD, None)
    assert (first.action, first.count) == (rollout.Action.CREATE, 1)
    assert first.message == "step 1 of 4: 0 of 3 nodes are replaced"


def test_an_old_node_is_drained_for_each_new_one() -> None:
    """In order; while the new node is not ready, nothing is drained."""
    assert step(OLD, pool(node("x", ready_since=None))).action is rollout.Action.WAIT
    ready = step(OLD, pool(node("x")))
    assert (ready.action, ready.nodes) == (rollout.Action.DRAIN, ("a",))


def test_a_new_node_soaks_before_it_counts() -> None:
    """A node that fails soon after its start costs no old one."""
    fresh = pool(node("x", ready_since=NOW - datetime.timedelta(seconds=59)))
    assert step(OLD, fresh, soak=datetime.timedelta(seconds=60)).action is rollout.Action.WAIT
    assert step(OLD, fresh, soak=datetime.timedelta(seconds=59)).action is rollout.Action.DRAIN


def test_a_drained_node_is_removed_before_the_next_one_comes() -> None:
    """Then there is room for another new node."""
    drained = pool(node("a", is_cordoned=True, drain=drain.Stage.DONE), node("b"), node("c"))
    removed = step(drained, pool(node("x")))
    assert (removed.action, removed.nodes, removed.count) == (rollout.Action.REMOVE, ("a",), 2)
    grown = step(pool(node("b"), node("c")), pool(node("x")))
    assert (grown.action, grown.count) == (rollout.Action.SCALE, 2)


def test_without_surge_an_old_node_goes_first() -> None:
    """As many as may be unavailable."""
    first = step(OLD, None, surge=0, unavailable=2)
    assert (first.action, first.nodes) == (rollout.Action.DRAIN, ("a", "b"))


def test_the_old_pool_is_deleted_with_its_last_node() -> None:
    """Clouds refuse pools without nodes."""
    last = pool(node("c", is_cordoned=True, drain=drain.Stage.DONE))
    assert step(last, pool(node("x"), node("y"), node("z"))).action is rollout.Action.DELETE
    assert step(None, pool(node("x"), node("y"), node("z"))).action is rollout.Action.DONE


@pytest.mark.parametrize(
    ("policy", "action", "names"),
    [
        (rollout.OnTimeout.FAIL, rollout.Action.FAIL, ("a",)),
        (rollout.OnTimeout.QUARANTINE, rollout.Action.WAIT, ()),
    ],
)
def test_a_drain_that_times_out_follows_the_policy(policy, action, names) -> None:
    """It is never silent."""
    late = pool(node("a", is_cordoned=True, drain=drain.Stage.TIMED_OUT), node("b"), node("c"))
    following = step(late, pool(node("x")), on_timeout=policy)
    assert (following.action, following.nodes) == (action, names)
    if names:
        assert "the drain of a has timed out" in following.message


def test_a_quarantined_node_ends_the_replacement_as_failed() -> None:
    """The other nodes are replaced."""
    late = pool(node("a", is_cordoned=True, drain=drain.Stage.TIMED_OUT))
    ended = step(late, pool(node("x"), node("y"), node("z")), on_timeout=rollout.OnTimeout.QUARANTINE)
    assert (ended.action, ended.nodes) == (rollout.Action.FAIL, ("a",))
    assert "stay cordoned" in ended.message


def test_a_revert_exchanges_the_pools() -> None:
    """Nodes that were about to leave serve again first."""
    back = pool(node("a", is_cordoned=True, drain=drain.Stage.PODS), node("b"), node("c"))
    reverted = step(pool(node("x")), back)
    assert (reverted.action, reverted.nodes) == (rollout.Action.UNCORDON, ("a",))
    drained = step(pool(node("x")), OLD)
    assert (drained.action, drained.nodes) == (rollout.Action.DRAIN, ("x",))


def test_nodes_that_are_not_ready_go_first() -> None:
    """They serve nothing."""
    following = step(pool(node("a"), node("b", ready_since=None), node("c")), pool(node("x", ready_since=None)))
    assert (following.action, following.nodes) == (rollout.Action.DRAIN, ("b",))


@dataclasses.dataclass
class Cloud:
    """Two pools whose nodes need some rounds to become ready, and to be drained."""

    options: rollout.Options
    rounds: list[int]
    old: rollout.Pool | None
    new: rollout.Pool | None = None
    made: int = 0
    now: datetime.datetime = NOW

    def delay(self) -> int:
        """Returns the next number of rounds that something takes."""
        self.rounds.append(self.rounds.pop(0))
        return self.rounds[-1]

    def pass_time(self) -> None:
        """Lets a minute pass: nodes become ready, and drains go on."""
        self.now += datetime.timedelta(minutes=1)
        if self.new is not None:
            nodes = [
                each if each.ready_since or self.delay() else dataclasses.replace(each, ready_since=self.now)
                for each in self.new.nodes
            ]
            self.new = dataclasses.replace(self.new, nodes=tuple(nodes))
        if self.old is not None:
            nodes = [
                dataclasses.replace(each, drain=drain.Stage.DONE) if each.drain is drain.Stage.PODS and not self.delay() else each
                for each in self.old.nodes
            ]
            self.old = dataclasses.replace(self.old, nodes=tuple(nodes))

    def do(self, taken: rollout.Step) -> None:
        """Does what a step says."""
        if taken.action in (rollout.Action.CREATE, rollout.Action.SCALE):
            nodes = () if self.new is None else self.new.nodes
            more = [node(f"new-{self.made + number}", ready_since=None) for number in range(taken.count - len(nodes))]
            self.made += len(more)
            self.new = pool(*nodes, *more)
        assert self.old is not None or taken.action not in (rollout.Action.DRAIN, rollout.Action.REMOVE, rollout.Action.DELETE)
        if taken.action is rollout.Action.DRAIN:
            nodes = [
                dataclasses.replace(each, is_cordoned=True, drain=each.drain or drain.Stage.PODS)
                if each.name in taken.nodes
                else each
                for each in self.old.nodes
            ]
            self.old = pool(*nodes)
        if taken.action is rollout.Action.REMOVE:
            self.old = pool(*(each for each in self.old.nodes if each.name not in taken.nodes))
            assert len(self.old.nodes) == taken.count
        if taken.action is rollout.Action.DELETE:
            self.old = None


@settings(max_examples=trials.of(100))
@given(
    desired=st.integers(1, 6),
    present=st.integers(1, 6),
    surge=st.integers(0, 3),
    unavailable=st.integers(0, 3),
    soak=st.sampled_from([0, 2]),
    rounds=st.lists(st.integers(0, 2), min_size=1, max_size=6).filter(lambda rounds: 0 in rounds),
)
def test_a_replacement_ends_and_keeps_its_bounds(desired, present, surge, unavailable, soak, rounds) -> None:
    """Never too many nodes, never too few that serve, and at last all new."""
    if surge == unavailable == 0:
        surge = 1
    options = rollout.Options(desired=desired, surge=surge, unavailable=unavailable, soak=datetime.timedelta(minutes=soak))
    cloud = Cloud(options, rounds, pool(*(node(f"old-{number}") for number in range(present))))
    for _ in range(400):
        taken = rollout.step(options, cloud.old, cloud.new, cloud.now)
        if taken.action is rollout.Action.DONE:
            break
        cloud.do(taken)
        pools = [each for each in (cloud.old, cloud.new) if each is not None]
        serving = sum(not each.is_cordoned and each.ready_since is not None for side in pools for each in side.nodes)
        assert sum(side.target for side in pools) <= max(present, desired + surge)
        assert serving >= min(present, desired) - unavailable, taken
        cloud.pass_time()
    assert taken.action is rollout.Action.DONE
    assert cloud.old is None
    assert cloud.new is not None
    assert cloud.new.target == desired
