"""From any reachable state, under any finite run of faults, the desired state is reached, and then nothing is done."""

from __future__ import annotations

import dataclasses
import datetime

import hypothesis
from hypothesis import stateful
from hypothesis import strategies as st

from planton.controllers import conditions, decide, failures, values

START = datetime.datetime(2026, 11, 30, tzinfo=datetime.UTC)
CODES = st.sampled_from(failures.Code)
#: Decisions after which a resource without faults must have settled.
MOST_LOOKS = 40
#: The conditions that each decision reports.
ALWAYS = {
    *(conditions.ACCEPTED, conditions.PROGRESSING, conditions.AVAILABLE, conditions.READY),
    *(conditions.DEGRADED, conditions.PAUSED, conditions.DELETING),
}
STOPPED = ("Missing", "ReplacementRequired", "RepairsStopped", "Drifted")


@dataclasses.dataclass
class Cloud:
    """A cloud with at most one pool, what was applied to it, and the faults that its next requests meet."""

    pool: int | None = None
    size: str = "small"
    applied: tuple[int, str] | None = None
    ready: int = 0
    faults: list[failures.Code] = dataclasses.field(default_factory=list)
    blind: int = 0
    writes: int = 0

    def observe(self, count: int, size: str, now: datetime.datetime) -> values.Observed:
        """Reads it."""
        if self.blind:
            self.blind -= 1
            lost = failures.make(failures.Code.NETWORK, "no answer")
            return values.Observed(presence=values.Presence.UNKNOWN, problem=lost)
        if self.applied is None and self.pool is None:
            return values.Observed(presence=values.Presence.NEVER)
        if self.pool is None:
            return values.Observed(presence=values.Presence.MISSING, is_applied=self.applied == (count, size))
        self.ready = min(self.ready + 1, self.pool)
        was = self.applied or (0, size)
        drift = (values.Difference("count", str(was[0]), str(self.pool)),) if self.applied and self.pool != was[0] else ()
        return values.Observed(
            presence=values.Presence.PRESENT,
            is_applied=self.applied == (count, size),
            replaced_by=() if self.size == size else ("size",),
            drift=drift,
            cloud_nodes=self.pool,
            nodes=tuple(values.Node(f"n{i}", i < self.ready, "v1", now) for i in range(self.pool)),
        )

    def act(self, action: values.Action, count: int, size: str) -> failures.Failure | None:
        """Does something, or fails, before or after the request reached the cloud."""
        self.writes += 1
        fault = self.faults.pop() if self.faults else None
        if fault in (None, failures.Code.TIMEOUT):
            self._do(action, count, size)
        if fault is None:
            self.applied = None if action is values.Action.DELETE else (count, size)
            return None
        return failures.make(fault, "it failed")

    def _do(self, action: values.Action, count: int, size: str) -> None:
        if action is values.Action.DELETE:
            self.pool, self.ready = None, 0
        elif self.pool is None:
            self.pool, self.size, self.ready = count, size, 0
        else:
            self.pool = count


class Controller(stateful.RuleBasedStateMachine):
    """A user, a cloud with faults and a controller that looks whenever its decision says so."""

    def __init__(self) -> None:
        super().__init__()
        self.cloud = Cloud()
        self.desired = values.Desired(generation=1, nodes=2, recreates=True)
        self.size = "small"
        self.memory = values.Memory()
        self.now = START
        self.is_gone = False

    @stateful.rule(
        count=st.integers(1, 5), size=st.sampled_from(["small", "large"]), recreates=st.booleans(), repairs=st.booleans()
    )
    def update(self, *, count: int, size: str, recreates: bool, repairs: bool) -> None:
        """The user wants something else."""
        generation = self.desired.generation + 1
        self.size = size
        self.desired = dataclasses.replace(
            self.desired, generation=generation, nodes=count, recreates=recreates, repairs_drift=repairs
        )

    @stateful.rule()
    def delete(self) -> None:
        """The user deletes it."""
        self.desired = dataclasses.replace(self.desired, is_deleting=True)

    @stateful.rule(seconds=st.integers(1, 4000), ever=st.booleans())
    def pause(self, *, seconds: int, ever: bool) -> None:
        """The user pauses it for a while."""
        until = values.NEVER if ever else self.now + datetime.timedelta(seconds=seconds)
        self.desired = dataclasses.replace(self.desired, paused_until=until)

    @stateful.rule()
    def resume(self) -> None:
        """The user ends the pause."""
        self.desired = dataclasses.replace(self.desired, paused_until=None)

    @stateful.rule(faults=st.lists(CODES, max_size=4), blind=st.integers(0, 4))
    def break_(self, *, faults: list[failures.Code], blind: int) -> None:
        """The next requests fail."""
        self.cloud.faults += faults
        self.cloud.blind += blind

    @stateful.rule(count=st.integers(0, 6))
    def interfere(self, *, count: int) -> None:
        """Someone else scales or deletes the pool."""
        if self.cloud.pool is not None:
            self.cloud.pool = count or None
            self.cloud.ready = min(self.cloud.ready, count)

    @stateful.rule(looks=st.integers(1, 6))
    def look(self, *, looks: int) -> None:
        """The controller runs for a while."""
        for _ in range(looks):
            self._look()

    def _look(self) -> values.Decision:
        count = self.desired.nodes or 0
        observed = self.cloud.observe(count, self.size, self.now)
        decision = decide.decide(self.desired, observed, self.memory, self.now)
        self.memory = decision.memory
        if decision.action is values.Action.RELEASE:
            assert self.desired.is_deleting
            assert self.cloud.pool is None
            self.is_gone = True
            return decision
        assert {each.type for each in decision.conditions} == ALWAYS
        if decision.action is values.Action.NOTHING:
            assert decision.next_look is not None
            assert decision.next_look >= datetime.timedelta(seconds=1) or self.desired.paused_until is not None
            self.now += decision.next_look
            return decision
        is_paused = self.desired.paused_until is not None and self.now < self.desired.paused_until
        assert decision.action is values.Action.DELETE or not is_paused
        assert (decision.action is values.Action.DELETE) == self.desired.is_deleting
        assert decision.action is not values.Action.RECREATE or self.desired.recreates
        assert decision.action is not values.Action.REPAIR or self.desired.repairs_drift
        failure = self.cloud.act(decision.action, count, self.size)
        if failure is None:
            self.memory = decide.succeeded(decision, observed, self.now)
        else:
            self.memory = decide.failed(decision, self.desired, failure, self.now)
        return decision

    def teardown(self) -> None:
        """Without more faults it settles in bounded looks: as desired, gone, or stopped with a reason. Then nothing is written."""
        self.resume()
        looks = MOST_LOOKS + 4 * len(self.cloud.faults) + self.cloud.blind
        for _ in range(looks):
            decision = self._look()
        if self.desired.is_deleting:
            assert self.is_gone
            assert self.cloud.pool is None
            return
        writes = self.cloud.writes
        for _ in range(10):
            decision = self._look()
        assert self.cloud.writes == writes, "it does nothing more"
        by_type = {each.type: each for each in decision.conditions}
        if by_type["Degraded"].status == "True":
            assert by_type["Degraded"].reason in STOPPED
            return
        assert by_type["Ready"].status == "True", decision
        assert (self.cloud.pool, self.cloud.size, decision.failure) == (self.desired.nodes, self.size, None)


TestController = Controller.TestCase
TestController.settings = hypothesis.settings(stateful_step_count=25, deadline=None)
