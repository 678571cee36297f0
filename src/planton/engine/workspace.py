"""Pulumi's workspace and stack without the commands whose results are not needed.

The Automation API selects a stack before it works on it, and asks for outputs and history after it has. Each of these starts
another process and costs as much as a small preview; the state contains the same facts.
"""

from __future__ import annotations

import datetime
import warnings
from typing import TYPE_CHECKING

from pulumi import automation
from pulumi.automation._stack import StackInitMode
from pulumi.runtime import resource
from pulumi.runtime.proto import source_pb2

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    #: What operations run.
    Program = Callable[[], Awaitable[None] | None]


class _Workspace(automation.LocalWorkspace):
    """A workspace whose commands all name their stack, so that none need be selected."""

    def select_stack(self, stack_name: str) -> None:
        """Does nothing."""


class Stack(automation.Stack):
    """A stack whose operations end when they are done."""

    def outputs(self) -> automation.OutputMap:
        """Returns nothing: who needs outputs after an operation reads them in the state."""
        return {}

    def info(self, show_secrets: bool | None = None) -> automation.UpdateSummary:  # noqa: ARG002, FBT001  # the base class's interface
        """Returns an empty summary: the events have reported the changes."""
        return automation.UpdateSummary("", datetime.datetime.now(datetime.UTC), "", {}, {}, "")


def _without_frames() -> source_pb2.StackTrace:
    return source_pb2.StackTrace()


if hasattr(resource, "_get_stack_trace"):
    # The SDK stores the call stack of each registration in the state. It takes half of a small resource's record, and its paths
    # exist on this machine only.
    resource._get_stack_trace = _without_frames  # noqa: SLF001  # there is no setting for it


# An engine that is killed, as by a second Ctrl-C, ends its events in the middle. Its exit code says so already.
warnings.filterwarnings("ignore", message="Error in event stream")


def select(name: str, program: Program, options: automation.LocalWorkspaceOptions, *, is_known: bool) -> Stack:
    """Returns a stack that exists.

    Args:
        name: Its name as the command line takes it.
        program: What operations run.
        options: The workspace's options.
        is_known: Whether the caller has seen that it exists.

    Raises:
        pulumi.automation.StackNotFoundError: It does not exist.
        pulumi.automation.CommandError: The backend failed.
    """
    return Stack(name, _workspace(program, options, is_known=is_known), StackInitMode.SELECT)


def create(name: str, program: Program, options: automation.LocalWorkspaceOptions) -> Stack:
    """Makes a stack and returns it.

    Raises:
        pulumi.automation.StackAlreadyExistsError: It exists.
        pulumi.automation.CommandError: The backend failed.
    """
    return Stack(name, _workspace(program, options, is_known=False), StackInitMode.CREATE)


def _workspace(program: Program, options: automation.LocalWorkspaceOptions, *, is_known: bool) -> automation.LocalWorkspace:
    options.program = program
    return (_Workspace if is_known else automation.LocalWorkspace)(**vars(options))
