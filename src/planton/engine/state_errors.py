"""Errors about the state of one stack: it is damaged, or it does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planton import errors
from planton.engine import states

if TYPE_CHECKING:
    import pathlib

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
        code=errors.Code.FAILED,
        reason=errors.Reason.ENGINE_FAILED,
        hint="check the permissions of the file" if why else hint,
        metadata={"stack": str(name), "file": str(state)},
    )


def not_applied(resource: str) -> errors.PlantonError:
    """Returns the error for a resource without a stack.

    Args:
        resource: The resource or the stack, for the message.
    """
    return errors.PlantonError(
        f"{resource} has not been applied",
        reason=errors.Reason.STACK_NOT_FOUND,
        hint="apply its manifest first: planton apply -f FILE; planton get lists what has been applied",
    )
