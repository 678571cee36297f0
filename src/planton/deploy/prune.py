"""Prune: the applied resources of some folders that are no longer in them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from planton.deploy import graph
from planton.manifest import load, origins

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from google.protobuf import message

    from planton.state import inventory


@dataclasses.dataclass(frozen=True, slots=True)
class Pruning:
    """Which applied resources to prune.

    Attributes:
        folders: Prune the resources that were applied from these folders (`planton.manifest.origins`).
        selects: Returns whether the user's filters select a manifest; None to select all.
        origins: Prune these resources instead: key, as text → the folder that it was applied from.
    """

    folders: tuple[str, ...] = ()
    selects: Callable[[message.Message], bool] | None = None
    origins: Mapping[str, str] | None = None


def select(selection: Pruning, resources: graph.Graph, applied: inventory.Inventory) -> graph.Graph:
    """Returns the graph of the resources to prune.

    Args:
        selection: Which resources to prune.
        resources: The resources to apply; these stay.
        applied: The applied resources.
    """
    if selection.origins is not None:
        # A resource that another folder has taken over since stays.
        return of_applied(each for each in applied.all() if selection.origins.get(str(each.key)) == each.origin)
    return of_applied(
        each
        for each in applied.all()
        if each.key not in resources.resources
        and any(origins.within(each.origin, folder) for folder in selection.folders)
        and (selection.selects is None or selection.selects(each.manifest))
    )


def of_applied(applied: Iterable[inventory.Applied]) -> graph.Graph:
    """Returns the graph of applied resources."""
    return graph.of(load.Resource(each.manifest, None, str(each.stack), each.region, origin=each.origin) for each in applied)
