"""The resources that a caller names: by manifests, by ``KIND/NAME``, or both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planton import errors
from planton.deploy import overview
from planton.manifest import load, origins
from planton.schema import kinds, resource_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planton.manifest import selection
    from planton.state import inventory


def resources(
    names: Sequence[str],
    stored: inventory.Inventory,
    selected: selection.Selection,
    *,
    env: str | None,
    or_all: bool = False,
) -> list[load.Resource]:
    """Returns the resources that ``KIND/NAME`` and manifests identify.

    Args:
        names: ``KIND/NAME`` of applied resources.
        stored: The applied resources.
        selected: The manifests. Without names, they must not be empty.
        env: The environment of the names; None for any.
        or_all: Whether all applied resources are identified if there are neither names nor manifests.

    Raises:
        PlantonError: ``USAGE``; ``STACK_NOT_FOUND``; ``AMBIGUOUS``; ``MANIFEST_INVALID``.
    """
    if selected.stack and not names:
        raise errors.usage(
            "--stack needs a KIND/NAME",
            hint="the stack of a manifest is what its labels say",
        )
    if or_all and not names and not selected.has_sources:
        listed = overview.Filter(env=selected.env, labels=selected.selector)
        return [_applied(each, selected) for each in stored.all() if listed.matches(each)]
    if not names:
        return selected.read()
    identified = selected.read() if selected.paths or selected.inputs else []
    return [*identified, *(_applied(stored.get(resource_names.parse(name), env, selected.stack), selected) for name in names)]


def _applied(resource: inventory.Applied, selected: selection.Selection) -> load.Resource:
    # A command is no controller. It needs consent to change what the API owns, or the API would revert it.
    origin = "" if resource.origin == origins.NODE_POOL_API else resource.origin
    config = selected.config(kinds.get(resource.key.kind))
    return load.Resource(resource.manifest, config, str(resource.stack), resource.region, origin=origin)
