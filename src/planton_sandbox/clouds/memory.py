"""The parts that the simulated clouds have in common: their state in memory, and out-of-band changes of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from planton_sandbox import clock, codec

Body = Mapping[str, Any]
#: The answer to an out-of-band change.
DONE: Body = {"result": "success"}


class Account(Protocol):
    """A customer, identified by a token."""

    id: str
    token: str


class Cluster(Protocol):
    """A cluster, as all clouds have it."""

    id: str
    port: int
    stuck: bool


class State(Protocol):
    """The state of a cloud. A new cluster does not finish while ``stuck_next`` is positive."""

    @property
    def accounts(self) -> Sequence[Account]:
        """The customers."""

    @property
    def clusters(self) -> Sequence[Cluster]:
        """All clusters."""

    revoked_tokens: list[str]
    stuck_next: int


class Associated(Protocol):
    """A resource of a cluster's workload, which outlives the cluster."""

    name: str


class Scope(Protocol):
    """The place of an out-of-band change."""

    @property
    def state(self) -> State:
        """The state of the cloud."""

    @property
    def account(self) -> Account:
        """The account of the change."""


StateType = TypeVar("StateType", bound=State)
ScopeType = TypeVar("ScopeType", bound=Scope)
AssociatedType = TypeVar("AssociatedType", bound=Associated)
Place_contra = TypeVar("Place_contra", contravariant=True)


class Changes(Protocol[Place_contra]):
    """The module of a cloud's out-of-band changes."""

    def act(self, scope: Place_contra, action: str, body: Body, /) -> Any:
        """Makes a change and returns its answer."""

    def named_cluster(self, scope: Place_contra, body: Body, /) -> Cluster:
        """Returns the cluster that a change names."""


class Cloud(Generic[StateType, ScopeType]):
    """A cloud in memory. See `planton_sandbox.clouds.Cloud` for what a cloud adds.

    Attributes:
        state_type: The class of the state.
        changes: The out-of-band changes.
        state: The state.
    """

    state_type: type[StateType]
    changes: Changes[ScopeType]

    def __init__(
        self,
        *,
        pace: clock.Pace,
        reserve_port: Callable[[], int],
        saved: Mapping[str, Any] | None = None,
    ) -> None:
        """Creates the cloud.

        Args:
            pace: How long changes take.
            reserve_port: Returns a free TCP port for a cluster's Kubernetes API.
            saved: The state that `save` returned, or ``None`` for a new cloud.
        """
        self.pace = pace
        self.reserve_port = reserve_port
        self.state: StateType = codec.decode(self.state_type, saved) if saved else self.state_type()

    def save(self) -> Any:
        """Returns the state as JSON values."""
        return codec.encode(self.state)

    def reset(self) -> None:
        """Deletes all state."""
        self.state = self.state_type()

    def key_file(self, endpoint: str) -> str:  # noqa: ARG002 - only some clouds have key files
        """Returns an empty text: the cloud has tokens only."""
        return ""

    def account(self, token: str) -> str:
        """Returns the id of a token's account, or an empty string."""
        return next((item.id for item in self.state.accounts if item.token == token), "")

    def cluster_id(self, body: Body, *, now: float) -> str:
        """Returns the id of the cluster that an out-of-band change names.

        Raises:
            wire.CloudError: when there is none.
        """
        return self.changes.named_cluster(self.outside_scope(body, now=now), body).id

    def change_port(self, key: str, *, port: int) -> None:
        """Moves a cluster's Kubernetes API to another port."""
        for item in self.state.clusters:
            if item.id == key:
                item.port = port

    def outside(self, action: str, *, body: Body, now: float) -> Any:
        """Makes an out-of-band change.

        Raises:
            wire.CloudError: when there is no such action or resource.
        """
        return self.changes.act(self.outside_scope(body, now=now), action, body)

    def outside_scope(self, body: Body, *, now: float) -> ScopeType:
        """Returns the place of an out-of-band change."""
        raise NotImplementedError


def stuck(named_cluster: Callable[[ScopeType, Body], Cluster]) -> Callable[[ScopeType, Body], Body]:
    """Returns the out-of-band change that keeps a cluster, or the next new ones, from finishing.

    Args:
        named_cluster: Returns the cluster that a change names.
    """

    def act(scope: ScopeType, body: Body) -> Body:
        if body.get("cluster"):
            named_cluster(scope, body).stuck = True
        else:
            scope.state.stuck_next = int(body.get("count", 1))
        return DONE

    return act


def rotate_token(scope: Scope, body: Body) -> Body:
    """Changes the account's token and revokes the old one: an out-of-band change."""
    scope.state.revoked_tokens.append(scope.account.token)
    scope.account.token = str(body["new"])
    return DONE


def follow(
    listed: list[AssociatedType],
    own: Sequence[AssociatedType],
    names: Collection[str],
    make: Callable[[str], AssociatedType],
) -> None:
    """Brings the resources that a cluster's Kubernetes API created to these names.

    Args:
        listed: All resources; changed in place.
        own: Those of the cluster's Kubernetes API.
        names: The names that it has now.
        make: Returns a new resource with a name.
    """
    present = {item.name for item in own}
    if present == set(names):
        return
    listed[:] = [item for item in listed if item not in own or item.name in names]
    listed += [make(name) for name in sorted(set(names) - present)]
