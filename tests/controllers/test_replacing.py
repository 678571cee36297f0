"""A pool that is replaced by another one beside it: in a cloud, a cluster and an API in memory, which fail and are killed at any step."""

from __future__ import annotations

import dataclasses
import datetime

import hypothesis
import pytest
from hypothesis import stateful
from hypothesis import strategies as st

from planton.controllers import decide, failures, values
from planton.deploy import drain
from support import trials, turnovers

START = datetime.datetime(2026, 11, 30, tzinfo=datetime.UTC)
#: Looks after which a resource without faults must have settled.
MOST_LOOKS = 250


class KilledError(Exception):
    """The process of the controller was killed."""


@dataclasses.dataclass
class Node:
    """A machine: its drain goes on with each look."""

    name: str
    looks: int = 0
    draining: datetime.datetime | None = None
    drained: int = 0
    is_broken: bool = False


@dataclasses.dataclass
class Pool:
    """A pool in the cloud, and what was applied to it.

    Attributes:
        presence: Whether the cloud has it, or an operation on it did not end.
    """

    size: str
    nodes: list[Node]
    applied: tuple[int, str] | None = None
    presence: values.Presence = values.Presence.PRESENT


@dataclasses.dataclass
class World:
    """A cloud with the pools of one resource by revision, its cluster, and what the API stores.

    Attributes:
        kills: Actions after which the process is killed: before, in the middle of, or after the action.
    """

    desired: values.Desired
    size: str = "small"
    pools: dict[int, Pool] = dataclasses.field(default_factory=dict)
    memory: values.Memory = dataclasses.field(default_factory=values.Memory)
    now: datetime.datetime = START
    faults: list[failures.Code] = dataclasses.field(default_factory=list)
    kills: list[str] = dataclasses.field(default_factory=list)
    blind: int = 0
    made: int = 0
    actions: list[values.Action] = dataclasses.field(default_factory=list)
    is_gone: bool = False

    def look(self) -> values.Decision:
        """Runs the controller once, and moves time to its next look. A killed one forgets everything that was not reported."""
        try:
            return self._look()
        except KilledError:
            self.now += datetime.timedelta(seconds=10)
            return values.Decision(action=values.Action.NOTHING, memory=self.memory)

    def _look(self) -> values.Decision:
        observed = self.observe(self.memory.revision)
        if self.memory.rolling is not None:
            observed = dataclasses.replace(observed, successor=self.observe(self.memory.revision + 1))
        decision = decide.decide(self.desired, observed, self.memory, self.now)
        # The report comes before the action.
        self.memory = decision.memory
        if decision.action is values.Action.RELEASE:
            assert not self.pools
            self.is_gone = True
        elif decision.action is not values.Action.NOTHING:
            self._act(decision, observed)
        self.now += decision.next_look or datetime.timedelta(seconds=1)
        return decision

    def _act(self, decision: values.Decision, observed: values.Observed) -> None:
        kill = self.kills.pop() if self.kills else ""
        if kill == "before":
            raise KilledError
        self.actions.append(decision.action)
        fault = self.faults.pop() if self.faults else None
        if fault in (None, failures.Code.TIMEOUT):
            self._do(decision, is_whole=kill != "inside" and fault is None)
        self._check()
        if kill:
            raise KilledError
        if fault is None:
            self.memory = decide.succeeded(decision, observed, self.now)
        else:
            self.memory = decide.failed(decision, self.desired, failures.make(fault, "it failed"), self.now)

    def _do(self, decision: values.Decision, *, is_whole: bool) -> None:
        pool = self.pools.get(decision.revision)
        nodes = [each for one in self.pools.values() for each in one.nodes if each.name in decision.nodes]
        for each in nodes if is_whole else nodes[:1]:
            if decision.action is values.Action.DRAIN:
                each.draining = each.draining or self.now
            elif decision.action is values.Action.UNCORDON:
                each.draining, each.drained = None, 0
            else:
                assert each.drained >= 2 or each.is_broken, "a node leaves only after its drain"
                [own] = [one for one in self.pools.values() if each in one.nodes]
                own.nodes.remove(each)
                if decision.action is values.Action.REPLACE:
                    own.nodes.append(self._new())
        if decision.action is values.Action.DELETE and pool is not None and not is_whole:
            pool.presence, pool.nodes = values.Presence.PARTIAL, []
        elif decision.action is values.Action.DELETE:
            self.pools.pop(decision.revision, None)
        elif decision.action in (values.Action.CREATE, values.Action.UPDATE, values.Action.REPAIR, values.Action.RECREATE):
            self._apply(decision, pool, is_whole=is_whole)

    def _apply(self, decision: values.Decision, pool: Pool | None, *, is_whole: bool) -> None:
        count = decision.count or self.desired.nodes or 1
        if pool is None:
            assert decision.action in (values.Action.CREATE, values.Action.RECREATE), "a pool is created on purpose"
            presence = values.Presence.PRESENT if is_whole else values.Presence.PARTIAL
            pool = self.pools[decision.revision] = Pool(self.size, [], presence=presence)
        elif pool.presence is not values.Presence.PRESENT:
            assert decision.action in (values.Action.CREATE, values.Action.RECREATE), "a pool is recreated on purpose"
            pool.presence, pool.size, pool.nodes = values.Presence.PRESENT, self.size, []
        if pool.presence is values.Presence.PARTIAL:
            return
        # What does not fit the spec stays as it was applied.
        assert pool.size == self.size or decision.count, "no size is changed in place"
        while len(pool.nodes) < count:
            pool.nodes.append(self._new())
        pool.nodes = pool.nodes[len(pool.nodes) - count :]
        if is_whole:
            pool.applied = (count, pool.size)

    def _new(self) -> Node:
        self.made += 1
        return Node(f"n{self.made}")

    def observe(self, revision: int) -> values.Observed:
        """Returns what the cloud and the cluster have of a pool."""
        if self.blind:
            self.blind -= 1
            return values.Observed(presence=values.Presence.UNKNOWN, problem=failures.make(failures.Code.NETWORK, "no answer"))
        pool = self.pools.get(revision)
        if pool is None:
            return values.Observed(presence=values.Presence.NEVER)
        if pool.presence is not values.Presence.PRESENT:
            return values.Observed(presence=pool.presence)
        nodes = [each for one in self.pools.values() for each in one.nodes]
        listed = tuple(self._node(each) for each in nodes)
        is_other = pool.size != self.size
        return values.Observed(
            presence=values.Presence.PRESENT,
            is_applied=pool.applied == (self.desired.nodes, self.size),
            replaced_by=("size",) if is_other else (),
            is_rollable=True,
            drift=()
            if pool.applied is None or pool.applied[0] == len(pool.nodes)
            else (values.Difference("count", str(pool.applied[0]), str(len(pool.nodes))),),
            cloud_nodes=len(pool.nodes),
            nodes=listed,
            members=frozenset(each.name for each in pool.nodes),
        )

    def _node(self, node: Node) -> values.Node:
        node.looks += 1
        is_draining = node.draining is not None
        node.drained += is_draining
        stage = drain.Stage.DONE if node.drained >= 2 else drain.Stage.PODS
        step = drain.Step(stage=stage, message=f"{node.name} is drained") if is_draining else None
        is_ready = node.looks >= 2 and not node.is_broken
        return values.Node(node.name, is_ready, "v1", START, START, is_draining, node.draining, step)

    def _check(self) -> None:
        assert len(self.pools) <= 2
        revisions = sorted(self.pools)
        assert revisions == list(range(revisions[0], revisions[0] + len(revisions))) if revisions else True

    @property
    def serving(self) -> int:
        """The nodes that take pods."""
        nodes = [each for pool in self.pools.values() for each in pool.nodes]
        return sum(each.looks >= 2 and each.draining is None for each in nodes)

    def settle(self, looks: int = MOST_LOOKS) -> values.Decision:
        """Looks until nothing is left to do."""
        for _ in range(looks):
            was_blind = self.blind
            decision = self.look()
            ready = [each.status for each in decision.conditions if each.type == "Ready"]
            is_settled = decision.action is values.Action.NOTHING and ready == ["True"]
            if self.is_gone or (is_settled and not was_blind and not self.desired.is_deleting):
                return decision
        raise AssertionError(decision)


def world(nodes: int = 3, **more: object) -> World:
    """Returns a world with a pool of small machines that is ready."""
    made = World(desired=values.Desired(generation=1, nodes=nodes, turnover=turnovers.TURNOVER), **more)  # type: ignore[arg-type]
    made.settle()
    made.actions.clear()
    return made


def changed(made: World, size: str, **more: object) -> None:
    """Changes the spec."""
    made.size = size
    made.desired = dataclasses.replace(made.desired, generation=made.desired.generation + 1, **more)  # type: ignore[arg-type]


def test_another_size_replaces_nodes_one_by_one_without_a_gap() -> None:
    """The new pool has the next revision, and all nodes. Then nothing is done."""
    made = world()
    changed(made, "large")
    while made.look().action is not values.Action.NOTHING or len(made.pools) != 1 or made.memory.rolling is not None:
        assert made.serving >= 3
        assert sum(len(pool.nodes) for pool in made.pools.values()) <= 4
    made.settle()
    assert (list(made.pools), made.pools[2].size, len(made.pools[2].nodes)) == ([2], "large", 3)
    assert made.memory.revision == 2
    assert made.actions.count(values.Action.CREATE) == 1


@pytest.mark.parametrize("steps", range(1, 16))
def test_a_reverted_spec_returns_to_the_old_pool(steps: int) -> None:
    """At any step: the old pool gets its nodes back, and the new one goes."""
    made = world()
    changed(made, "large")
    for _ in range(steps):
        made.look()
    is_old_there = 1 in made.pools
    changed(made, "small")
    made.settle()
    (revision,) = made.pools
    assert (made.pools[revision].size, len(made.pools[revision].nodes)) == ("small", 3)
    assert (revision == 1) == is_old_there


def test_a_revert_before_the_new_pool_is_complete_replaces_nothing() -> None:
    """The half of it goes."""
    made = world()
    changed(made, "large")
    made.kills = ["inside"]
    made.look()
    assert made.pools[2].presence is values.Presence.PARTIAL
    changed(made, "small")
    made.settle()
    assert list(made.pools) == [1]
    assert set(made.actions) == {values.Action.CREATE, values.Action.DELETE}


@pytest.mark.parametrize("recreates", [False, True])
def test_a_new_pool_that_someone_deletes_is_recreated_only_on_request(*, recreates: bool) -> None:
    """Otherwise it is reported as missing."""
    made = world()
    changed(made, "large", recreates=recreates)
    for _ in range(4):
        made.look()
    made.pools[2].presence, made.pools[2].nodes = values.Presence.MISSING, []
    decision = made.look()
    assert decision.action is (values.Action.RECREATE if recreates else values.Action.NOTHING)
    assert recreates or "Missing" in {each.reason for each in decision.conditions}


def test_a_third_size_on_the_way_first_leads_back() -> None:
    """Only one change is under way at a time."""
    made = world()
    changed(made, "large")
    for _ in range(4):
        made.look()
    changed(made, "huge")
    made.settle()
    (revision,) = made.pools
    assert (made.pools[revision].size, revision) == ("huge", 2)


@pytest.mark.parametrize("when", ["before", "inside", "after"])
@pytest.mark.parametrize("number", range(1, 15))
def test_a_controller_that_is_killed_at_any_action_of_a_replacement_is_continued(number: int, when: str) -> None:
    """No pool is created twice, none is left, and the number of nodes is right."""
    made = world()
    changed(made, "large")
    made.kills = [when, *[""] * (number - 1)]
    made.settle()
    assert made.kills == [] or len(made.actions) < number
    assert [(pool.size, len(pool.nodes)) for pool in made.pools.values()] == [("large", 3)]
    assert made.memory.revision == 2


def test_a_deletion_during_a_replacement_deletes_both_pools() -> None:
    """One after the other."""
    made = world()
    changed(made, "large")
    for _ in range(4):
        made.look()
    assert len(made.pools) == 2
    made.desired = dataclasses.replace(made.desired, is_deleting=True)
    made.settle()
    assert made.pools == {}
    assert made.is_gone


def test_what_a_rollout_cannot_replace_is_reported() -> None:
    """For example another name."""
    observed = values.Observed(presence=values.Presence.PRESENT, replaced_by=("nodePoolName",), cloud_nodes=1, nodes=())
    decision = decide.decide(values.Desired(generation=1, nodes=1, turnover=turnovers.TURNOVER), observed, values.Memory(), START)
    assert decision.action is values.Action.NOTHING
    assert "ReplacementRequired" in {each.reason for each in decision.conditions}


def test_the_autoscaler_is_off_during_a_replacement() -> None:
    """The old pool keeps its number of nodes until they leave; the new one gets the autoscaler in the end."""
    observed = dataclasses.replace(world().observe(1), replaced_by=("size",), is_autoscaled=True, is_applied=False)
    desired = values.Desired(generation=2, nodes=None, turnover=turnovers.TURNOVER)
    decision = decide.decide(desired, observed, values.Memory(), START)
    assert (decision.action, decision.revision, decision.count) == (values.Action.UPDATE, 1, 3)
    assert decision.memory.rolling == 3
    begun = decide.decide(desired, dataclasses.replace(observed, is_autoscaled=False), decision.memory, START)
    assert (begun.action, begun.revision, begun.count) == (values.Action.CREATE, 2, 1)


class Controller(stateful.RuleBasedStateMachine):
    """A user, a cloud and a cluster with faults, and controllers that are killed."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(desired=values.Desired(generation=1, nodes=2, recreates=True, turnover=turnovers.TURNOVER))

    @stateful.rule(
        count=st.integers(1, 4),
        size=st.sampled_from(["small", "large", "huge"]),
        surge=st.integers(0, 2),
        unavailable=st.integers(0, 2),
    )
    def update(self, *, count: int, size: str, surge: int, unavailable: int) -> None:
        """The user wants something else."""
        turnover = dataclasses.replace(turnovers.TURNOVER, surge=surge or int(not unavailable), unavailable=unavailable)
        changed(self.world, size, nodes=count, turnover=turnover)

    @stateful.rule(faults=st.lists(st.sampled_from(failures.Code), max_size=3), blind=st.integers(0, 3))
    def break_(self, *, faults: list[failures.Code], blind: int) -> None:
        """The next requests fail."""
        self.world.faults += faults
        self.world.blind += blind

    @stateful.rule(kills=st.lists(st.sampled_from(["", "before", "inside", "after"]), max_size=3))
    def kill(self, *, kills: list[str]) -> None:
        """The process dies at one of its next actions."""
        self.world.kills += kills

    @stateful.rule(newest=st.booleans())
    def interfere(self, *, newest: bool) -> None:
        """Someone deletes a pool in the cloud."""
        present = sorted(revision for revision, pool in self.world.pools.items() if pool.presence is values.Presence.PRESENT)
        if present:
            pool = self.world.pools[present[-1 if newest else 0]]
            pool.presence, pool.nodes = values.Presence.MISSING, []

    @stateful.rule()
    def delete(self) -> None:
        """The user deletes it."""
        self.world.desired = dataclasses.replace(self.world.desired, is_deleting=True)

    @stateful.rule(looks=st.integers(1, 8))
    def look(self, *, looks: int) -> None:
        """The controllers run for a while."""
        for _ in range(looks):
            self.world.look()

    def teardown(self) -> None:
        """Without more faults the desired state is reached, and then nothing is done."""
        made = self.world
        made.settle()
        if made.desired.is_deleting:
            assert made.is_gone
            return
        assert [(pool.size, len(pool.nodes)) for pool in made.pools.values()] == [(made.size, made.desired.nodes)]
        assert made.memory.rolling is None
        actions = len(made.actions)
        for _ in range(10):
            made.look()
        assert len(made.actions) == actions


TestController = Controller.TestCase
TestController.settings = hypothesis.settings(stateful_step_count=20, max_examples=trials.of(60), deadline=None)
