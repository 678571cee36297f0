"""One stack with its stack input: the subject of every guarded operation."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Any

from planton import clouds
from planton.engine import session, stacks, stored
from planton.recovery import awaiting, default_pool, guards
from planton.schema import kinds, references
from planton.state import evidence
from planton.state import journal as journals

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulumi.automation import events

    from planton.config import settings as engine_settings
    from planton.engine import toolchain


@dataclasses.dataclass(frozen=True)
class Managed:
    """One stack with its stack input.

    Attributes:
        stack_input: The manifest with resolved references, and the account.
        stack: The stack in its backend.
        origin: The folder of the manifest.
        on_event: Receives the engine's events, for progress; None for none.
        timing: The clock and the sleep of waits.
        now: Returns the time in seconds since the epoch.
        open_cloud: Returns the cloud of a provider config in a region.
        open_session: Returns a session.
    """

    stack_input: Any
    stack: stored.StoredStack
    origin: str = ""
    on_event: Callable[[events.EngineEvent], None] | None = None
    timing: awaiting.Timing = dataclasses.field(default_factory=awaiting.Timing)
    now: Callable[[], float] = time.time
    open_cloud: Callable[[Any, str], clouds.Cloud] = clouds.of
    open_session: Callable[..., session.Session] = session.Session

    @property
    def name(self) -> stacks.StackName:
        """The name of the stack."""
        return self.stack.name

    @property
    def settings(self) -> engine_settings.Settings:
        """The settings of the run."""
        return self.stack.settings

    @property
    def target(self) -> Any:  # a manifest of any kind
        """The manifest with resolved references."""
        return self.stack_input.target

    @property
    def key(self) -> references.Key:
        """The key of the manifest."""
        return references.key(self.target)

    @property
    def kind(self) -> kinds.Kind:
        """The kind of the manifest."""
        return kinds.get(self.target.kind)

    @property
    def cloud(self) -> clouds.Cloud:
        """The cloud of the resource, in its region."""
        return self.open_cloud(self.stack_input.provider_config, references.own_region(self.target))

    @property
    def journal(self) -> journals.Journal:
        """The record of operations on the stack, on this machine."""
        return journals.Journal(self.settings.data, self.settings.backend_url, self.name)

    def record(self, state: Mapping[str, Any]) -> journals.Record | None:
        """Returns the record of an operation that did not end cleanly, on this machine or another one; None if there is none.

        Args:
            state: The state of the stack.
        """
        own, shared = self.journal.read(), evidence.unfinished(state)
        if own is None or evidence.is_outdated(own, state):
            return shared
        if shared is None:
            return own
        # This machine may know of creations that the backend does not have, because it could not be written.
        return dataclasses.replace(shared, failed=own.failed, uncertain={**shared.uncertain, **own.uncertain})

    def session(
        self,
        *,
        imports: Mapping[str, str] | None = None,
        marker: str = "",
        message: str = "",
        record: journals.Record | None = None,
    ) -> session.Session:
        """Returns a session of the stack.

        Args:
            imports: Resource name → import id of resources to adopt.
            marker: The tag for resources that the operation creates.
            message: The message of the operation in the history.
            record: The record that an apply writes into the state before its first request; None for none.
        """
        return self.open_session(
            self.stack,
            self.stack_input,
            imports=dict(imports or {}),
            origin=self.origin,
            marker=marker,
            message=message,
            record=None if record is None else evidence.properties(record),
            on_event=self.on_event,
        )

    def state(self) -> dict[str, Any]:
        """Returns the state; empty if the stack does not exist."""
        return self.stack.export() if self.stack.exists() else {}

    def default_pool(self, state: Mapping[str, Any] | None = None) -> default_pool.DefaultPool | None:
        """Returns the default pool of the stack's cluster; None if it has none.

        Args:
            state: The state; None to read it.
        """
        # Only clusters have one, and reading a state is slow in a remote backend.
        return default_pool.of(self.state() if state is None else state) if self.kind.is_cluster else None

    def cluster_id(self) -> str:
        """Returns the cloud's id of the cluster of the stack's node pools; empty if it has none.

        Raises:
            PlantonError: The cloud could not be asked.
        """
        return guards.cluster_of(self.state(), self.target, self.cloud)


def of(
    stack_input: Any,  # of any kind
    settings: engine_settings.Settings,
    tools: toolchain.Toolchain,
    *,
    origin: str = "",
    on_event: Callable[[events.EngineEvent], None] | None = None,
) -> Managed:
    """Returns the stack of a stack input.

    Args:
        stack_input: The manifest with resolved references, and the account.
        settings: The settings of the run.
        tools: The toolchain.
        origin: The folder of the manifest.
        on_event: Receives the engine's events, for progress; None for none.
    """
    stack = stored.StoredStack(stacks.name_of(stack_input.target), settings, tools)
    return Managed(stack_input, stack, origin, on_event)
