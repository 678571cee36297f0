"""The resources that a caller names: by manifests, by ``KIND/NAME``, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planton import errors
from planton.manifest import load, origins
from planton.schema import kinds, resource_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planton.manifest import selection
    from planton.state import inventory


def resources(
    names: Sequence[str], stored: inventory.Inventory, selected: selection.Selection, *, env: str | None
) -> list[load.Resource]:
    """Returns the resources that ``KIND/NAME`` and manifests identify.

    Args:
        names: ``KIND/NAME`` of applied resources.
        stored: The applied resources.
        selected: The manifests. Without names, they must not be empty.
        env: The environment of the names; None for any.

    Raises:
        PlantonError: ``USAGE``; ``STACK_NOT_FOUND``; ``AMBIGUOUS``; ``MANIFEST_INVALID``.
    """
    if selected.stack and not names:
        raise errors.usage(
            "--stack needs a KIND/NAME",
            hint="the stack of a manifest is what its labels say",
        )
    if not names:
        return selected.read()
    identified = selected.read() if selected.paths or selected.inputs else []
    for name in names:
        resource = stored.get(resource_names.parse(name), env, selected.stack)
        # A command is no controller. It needs consent to change what the API owns, or the API would revert it.
        origin = "" if resource.origin == origins.NODE_POOL_API else resource.origin
        identified.append(
            load.Resource(
                resource.manifest,
                selected.config(kinds.get(resource.key.kind)),
                str(resource.stack),
                resource.region,
                origin=origin,
            )
        )
    return identified
