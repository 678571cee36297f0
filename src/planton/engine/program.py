"""The Pulumi program of one operation: the module of a stack input, with what the operation adds to it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.runtime import stack as runtime_stack

from planton import clouds, modules
from planton.base import telemetry
from planton.engine import abandoned, states
from planton.modules import own, standalone
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf import message


@dataclasses.dataclass(frozen=True, slots=True)
class Operation:
    """What an operation adds to the module.

    Attributes:
        imports: Resource name → import id of resources to adopt instead of creating them.
        origin: The folder of the manifest.
        marker: The tag for resources that the operation creates; empty for none.
        record: The properties of the record of an apply; None for none.
        state: The state before the operation; None to ask the engine for it.
    """

    imports: Mapping[str, str] = dataclasses.field(default_factory=dict)
    origin: str = ""
    marker: str = ""
    record: Mapping[str, str] | None = None
    state: Mapping[str, Any] | None = None


class Program:
    """A program that Pulumi runs in a thread of this process. One object serves one operation."""

    def __init__(self, program_input: message.Message | None, operation: Operation) -> None:
        """Prepares the program.

        Args:
            program_input: The stack input whose module is the program.
            operation: What the operation adds to it.

        Attributes:
            failure: What the program raised; None if it succeeded.
        """
        self._input = _with_cluster(program_input, operation.imports)
        self._operation = operation
        self._carried = telemetry.carried()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.failure: Exception | None = None

    async def __call__(self) -> None:
        """Runs the program until it ends, or until `end`.

        Raises:
            pulumi.RunError: The module failed.
        """
        self._loop = asyncio.get_running_loop()
        if (task := asyncio.current_task()) is not None:
            abandoned.watch(task)
        try:
            record = await self.register()
        except Exception as error:
            self.failure = error
            raise pulumi.RunError(str(error)) from error
        if record is not None and self._operation.record is not None:
            # What has failed is raised here, as it would be after the program.
            await runtime_stack.wait_for_rpcs()
            record.register_outputs({states.RECORD_ID: self._operation.record[states.RECORD_ID]})

    async def register(self) -> pulumi.ComponentResource | None:
        """Registers the resources of the module, and returns the record of the apply; None for none."""
        if self._operation.imports:
            pulumi.runtime.register_stack_transformation(self._adopt)
        self._sign()
        record = await self._recorded()
        operation = self._operation
        with self._carried(), own.state(operation.state, marker=operation.marker, imported=operation.imports):
            standalone.run(self._input, origin=operation.origin)  # type: ignore[arg-type]  # a program has an input
        return record

    def end(self) -> None:
        """Cancels the program if its engine died.

        It would wait for ever: Pulumi's SDK does not report a failed registration to its waiters. The thread of the program would
        keep this process from ending.
        """
        loop, self._loop = self._loop, None
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop of a program that ended is closed
                loop.call_soon_threadsafe(_cancel, loop)
        abandoned.close()

    def _sign(self) -> None:
        # Outputs are written at the end of an apply. A resource records the manifest at its beginning.
        manifest = modules.stored_json(self._input.target)  # type: ignore[union-attr]  # a program has an input
        properties = {states.MANIFEST: manifest, states.ORIGIN: self._operation.origin}
        pulumi.ComponentResource(states.SIGNATURE, "manifest", {name: text for name, text in properties.items() if text})

    async def _recorded(self) -> pulumi.ComponentResource | None:
        # The engine answers when the backend has the record. No resource of the cloud is registered before.
        if self._operation.record is None:
            return None
        record = pulumi.ComponentResource(states.RECORD, "apply", dict(self._operation.record))
        await record.urn.future()
        return record

    def _adopt(self, args: Any) -> Any:  # Pulumi exports no types for this
        import_id = self._operation.imports.get(args.name)
        if import_id is None or not clouds.is_resource(args.type_):
            return None
        options = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(import_=import_id))
        return pulumi.ResourceTransformationResult(args.props, options)


def _with_cluster(program_input: message.Message | None, imports: Mapping[str, str]) -> message.Message | None:
    # A program finds the cluster that its stack has. Only this shows it the cluster that is about to be imported.
    if program_input is None or "cluster" not in imports:
        return program_input
    copy: Any = type(program_input)()
    copy.CopyFrom(program_input)
    setattr(copy.target.status.outputs, kinds.get(copy.target.kind).id_output, imports["cluster"])
    return copy  # type: ignore[no-any-return]  # of the same class


def _cancel(loop: asyncio.AbstractEventLoop) -> None:
    for task in asyncio.all_tasks(loop):
        task.cancel()
