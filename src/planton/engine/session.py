"""Pulumi's operations on one stack with its program: preview, up, refresh, destroy.

Pulumi's errors become planton's errors here. Guards and recovery are in ``recovery``.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
from typing import TYPE_CHECKING, Any

from pulumi import automation
from pulumi.automation import errors as automation_errors

from planton import errors
from planton.engine import explain, opening, plans, program, recorders, state_errors, states

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from google.protobuf import message
    from pulumi.automation import events

    from planton.engine import process, stored, workspace

    #: An operation of a stack, whose events it passes on.
    _Call = Callable[[workspace.Stack, Callable[[events.EngineEvent], None]], Any]

_LOG = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """The result of an operation.

    Attributes:
        plan: The changes that were made; those that would be made, of a preview.
        recorder: The events of the operation.
    """

    plan: plans.Plan
    recorder: recorders.Recorder


@dataclasses.dataclass(frozen=True, slots=True)
class Session:
    """A stack and the program of its operations.

    Attributes:
        stack: The stack in its backend.
        program_input: The stack input whose module is the program.
        imports: Resource name → import id of resources to adopt instead of creating them.
        origin: The folder of the manifest.
        marker: The tag for resources that an operation creates; empty for none.
        message: The message of the operation in the history.
        record: The properties of the record of an apply; None if it needs none.
        on_event: Receives the engine's events, for progress; None for none.
    """

    stack: stored.StoredStack
    program_input: message.Message | None
    imports: Mapping[str, str] = dataclasses.field(default_factory=dict)
    origin: str = ""
    marker: str = ""
    message: str = ""
    record: Mapping[str, str] | None = None
    on_event: Callable[[events.EngineEvent], None] | None = None

    def preview(self) -> Outcome:
        """Returns the changes of an apply; the cloud and the state stay unchanged. It creates a missing stack.

        Raises:
            PlantonError: The program, a plugin or the engine failed.
        """
        return self._run("plan", lambda stack, watch: stack.preview(on_event=watch), create=True)

    def up(self) -> Outcome:
        """Changes the cloud to what the program says.

        Raises:
            PlantonError: The program, a plugin, the cloud or the engine failed; the state holds what was done.
        """
        return self._run("apply", lambda stack, watch: stack.up(on_event=watch, message=self.message), create=True)

    def refresh(self) -> Outcome:
        """Reads the cloud into the state.

        Raises:
            PlantonError: A plugin, the cloud or the engine failed.
        """
        return self._run_on_state("refresh", functools.partial(automation.Stack.refresh, message=self.message))

    def preview_refresh(self) -> Outcome:
        """Returns how a refresh would change the state.

        Raises:
            PlantonError: A plugin, the cloud or the engine failed.
        """
        return self._run_on_state("drift", automation.Stack.preview_refresh)

    def destroy(self) -> Outcome:
        """Deletes the stack's resources. If none of them is in a cloud, no plugin is started, because it could fail.

        Raises:
            PlantonError: A plugin, the cloud or the engine failed; the state holds the remaining resources.
        """
        state = self.stack.export()
        if not state.get("pending_operations") and not states.cloud_resources(state):
            self.stack.replace_state({**state, "resources": []})
            return Outcome(plans.Plan(), recorders.Recorder())
        return self._run_on_state("destroy", functools.partial(automation.Stack.destroy, message=self.message))

    def _run_on_state(self, operation: str, call: Callable[..., Any]) -> Outcome:
        # The program runs, so that today's credentials are used. A resource that it refuses, for example for a version that is no
        # longer offered, can be read and deleted all the same, with the credentials of the state.
        try:
            return self._run(operation, lambda stack, watch: call(stack, on_event=watch, run_program=True), create=False)
        except errors.PlantonError as error:
            if error.code not in (errors.Code.REFUSED, errors.Code.INVALID):
                raise
        return self._run(operation, lambda stack, watch: call(stack, on_event=watch, run_program=False), create=False)

    def _run(self, operation: str, call: _Call, *, create: bool) -> Outcome:
        try:
            return self._run_once(operation, call, create=create)
        except errors.PlantonError as error:
            if not self.stack.releases(error):
                raise
        return self._run_once(operation, call, create=create)

    def _run_once(self, operation: str, call: _Call, *, create: bool) -> Outcome:
        recorder = recorders.Recorder()
        name, settings = self.stack.name, self.stack.settings
        command = opening.command(settings, self.stack.tools)
        variables = opening.environment(settings, self.stack.tools, self.program_input)
        self.stack.open(create=create)
        if operation not in explain.READING:
            opening.release_stale_locks(name, settings)
        state = self._state_before()
        record = self.record if operation == "apply" else None
        run = program.Program(
            self.program_input,
            program.Operation(imports=self.imports, origin=self.origin, marker=self.marker, record=record, state=state),
        )
        engine = opening.Engine(command, variables)
        stack = opening.open_stack(name, settings, engine, run, missing=opening.Missing.NEVER)
        try:
            call(stack, functools.partial(self._watch, recorder))
        except automation_errors.CommandError as error:
            if state is None:
                self._check_state_file()
            raise self._explained(operation, error, recorder, command, run.failure) from None
        finally:
            run.end()
        return Outcome(recorder.plan(), recorder)

    def _watch(self, recorder: recorders.Recorder, event: events.EngineEvent) -> None:
        recorder(event)
        _log_event(event)
        if self.on_event is not None:
            self.on_event(event)

    def _state_before(self) -> dict[str, Any] | None:
        # In a folder the engine could read the state while it writes it; other backends are asked by the program, at less cost.
        if self.stack.state_file is not None:
            with contextlib.suppress(errors.PlantonError):  # the engine reports the problem
                return self.stack.export()
        return None

    def _check_state_file(self) -> None:
        # The engine does not name the file that it cannot read.
        if self.stack.state_file is not None:
            try:
                self.stack.export()
            except state_errors.StateDamagedError:
                raise
            except errors.PlantonError:
                return

    def _explained(
        self,
        operation: str,
        error: automation_errors.CommandError,
        recorder: recorders.Recorder,
        command: process.PulumiCommand,
        failure: Exception | None,
    ) -> explain.OperationError:
        return explain.operation(
            operation,
            error,
            recorder,
            target=None if self.program_input is None else self.program_input.target,  # type: ignore[attr-defined]
            ending=explain.Ending(
                command.interrupted,
                self.stack.settings.timeout if command.timed_out else None,
                command.killed,
                failure if isinstance(failure, errors.PlantonError) else None,
            ),
        )


def _log_event(event: events.EngineEvent) -> None:
    for verb, part in (
        ("begin", event.resource_pre_event),
        ("end", event.res_outputs_event),
        ("failed", event.res_op_failed_event),
    ):
        if part is not None:
            operation = getattr(part.metadata.op, "value", part.metadata.op)
            _LOG.debug("event: %s %s %s", verb, operation, part.metadata.urn)
    if event.diagnostic_event is not None and event.diagnostic_event.severity in ("warning", "error"):
        _LOG.debug("event: %s: %s", event.diagnostic_event.severity, plans.plain(event.diagnostic_event.message))
