"""The transfer of a stack to another owner, which has other names: in the state only."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.engine import stacks, states
from planton.state import deployments

if TYPE_CHECKING:
    from planton.state import stores


@dataclasses.dataclass(frozen=True, slots=True)
class Transfer:
    """A stack on its way to another owner.

    Attributes:
        old: Its name until now.
        new: Its name afterwards.
        manifest: The text of the manifest that it has afterwards.
        origin: The owner afterwards; empty for none.
    """

    old: stacks.StackName
    new: stacks.StackName
    manifest: str
    origin: str


def transfer(states_of: stores.Stores, moved: Transfer) -> None:
    """Gives a stack another name, manifest and owner. After an interruption, another call continues.

    Args:
        states_of: The states of the backend.
        moved: The transfer.

    Raises:
        PlantonError: ``STATE_UNFIT``: the new stack exists and is another one, or the last operation has not ended;
            ``STACK_LOCKED``; ``STACK_NOT_FOUND``.
    """
    with contextlib.ExitStack() as held:
        for name in (moved.old, moved.new):
            held.enter_context(states_of.journal(name).hold("adopt", states_of.settings))
        _rename(states_of, moved)
        opened = states_of.open(moved.new)
        opened.replace_state(_owned(opened.export(), moved))


def _rename(states_of: stores.Stores, moved: Transfer) -> None:
    old, new = states_of.open(moved.old), states_of.open(moved.new)
    if not old.exists():
        return
    states_of.require_clean(moved.old)
    if new.exists():
        if states.ids(old.export()) != states.ids(new.export()):
            raise deployments.unfit(f"{moved.new} exists already, with other resources", "planton state show shows them")
        # The rename was interrupted after it had written the new stack.
        old.remove(with_resources=True)
        return
    with contextlib.suppress(errors.PlantonError):  # an interrupted command may have left it, without a resource
        new.remove()
    # Pulumi needs the owner to take the second part for a project.
    qualified = dataclasses.replace(moved.new, organization=moved.new.organization or stacks.NO_OWNER)
    old.ask("stack", "rename", qualified.qualified)


def _owned(deployment: dict[str, Any], moved: Transfer) -> dict[str, Any]:
    changed = []
    for resource in deployments.named(deployment, moved.manifest)["resources"]:
        part = {"pulumi:pulumi:Stack": "outputs", states.SIGNATURE: "inputs"}.get(resource["type"])
        values = {name: value for name, value in (resource.get(part) or {}).items() if name != states.ORIGIN} if part else {}
        if part and states.MANIFEST in values:
            owner = {states.ORIGIN: moved.origin} if moved.origin else {}
            resource = {**resource, part: {**values, **owner}}  # noqa: PLW2901  # a changed copy
        changed.append(resource)
    return {**deployment, "resources": changed}
