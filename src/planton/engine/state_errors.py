"""Errors about the state of one stack: it is damaged, does not exist, or cannot be read or written by its backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planton import errors
from planton.engine import explain, states

if TYPE_CHECKING:
    import pathlib

    from pulumi.automation import errors as automation_errors

    from planton.engine import stacks


class StateDamagedError(errors.PlantonError):
    """The state of one stack cannot be read. Those of other stacks can."""


def damaged(name: stacks.StackName, state: pathlib.Path, why: str = "") -> StateDamagedError:
    """Returns the error for a state file that does not have Pulumi's form.

    Args:
        name: The stack.
        state: The file.
        why: Why it cannot be read; empty if its content is damaged.
    """
    backup = state.with_name(f"{state.name}.bak")
    copy = f"put the copy of the state before the last step in its place (cp {backup} {state}), and run planton refresh, which "
    hint = f"make room, {copy}looks at the cloud"
    if not states.is_whole(backup):
        hint = f"restore {state} from a backup of the data folder, or move it away and adopt the resources with planton import"
    return StateDamagedError(
        f"the state file {state} " + (f"cannot be read: {why}" if why else "is damaged; a full disk can do that"),
        reason=errors.Reason.ENGINE_FAILED,
        hint="check the permissions of the file" if why else hint,
        metadata={"stack": str(name), "file": str(state)},
    )


def not_applied(resource: str) -> errors.PlantonError:
    """Returns the error for a resource without a stack.

    Args:
        resource: The resource or the stack, for the message.
    """
    return errors.stack_not_found(
        f"{resource} has not been applied",
        subject=resource,
        hint="apply its manifest first: planton apply -f FILE; planton get lists what has been applied",
    )


def command_error(error: automation_errors.CommandError, name: stacks.StackName) -> errors.PlantonError:
    """Returns our error for a Pulumi command, other than an operation, that failed."""
    text = str(error)
    if "locked" in text:
        return errors.stack_locked(
            f"stack {name} is locked: {explain.last_lines(text)}",
            hint=explain.LOCK_HINT,
        )
    if "passphrase" in text:
        return errors.credential_missing(
            f"the state of {name} cannot be decrypted: {explain.last_lines(text)}",
            hint=explain.DECRYPTION_HINT,
        )
    if "organization name must be" in text:
        return errors.usage(
            f"the backend has no organizations, and {name} names one: {explain.last_lines(text)}",
            hint="write organization/PROJECT/STACK in the labels that name the stack, or take a backend that has it (--backend)",
        )
    return errors.engine_failed(
        f"the backend of {name} failed: {explain.last_lines(text)}",
        hint="check --backend or PULUMI_BACKEND_URL, and that the backend can be reached",
    )
