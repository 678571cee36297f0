"""The options by which a user consents to more than creations and updates."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

import planton

F = TypeVar("F", bound=Callable[..., Any])


@dataclasses.dataclass(frozen=True, slots=True)
class Consents:
    """The consents in the user's options.

    Attributes:
        allow_replace: ``KIND/NAME`` or ``ENV/KIND/NAME`` of clusters and pools that may be replaced, recreated or deleted.
        allow_unsupported: Fields that may have no effect.
        prune: Whether to destroy resources whose manifests were removed from the folders.
        take_over: ``KIND/NAME`` or ``ENV/KIND/NAME`` of resources of other folders that may be taken over.
    """

    allow_replace: tuple[str, ...]
    allow_unsupported: tuple[str, ...]
    prune: bool
    take_over: tuple[str, ...]

    def consent(self) -> planton.Consent:
        """Returns the consent of the options; the user has not confirmed the plan yet."""
        return planton.Consent(replace=self.allow_replace, take_over=self.take_over)


#: Adds the option that consents to replacing and deleting clusters and pools.
allow_replace = click.option(
    "--allow-replace",
    multiple=True,
    metavar="KIND/NAME",
    help="Consent to replacing, recreating or deleting a cluster or pool; or ENV/KIND/NAME.",
)
#: Adds the option that consents to changing resources that another folder applied.
take_over = click.option(
    "--take-over",
    multiple=True,
    metavar="KIND/NAME",
    help="Consent to taking over a resource of another folder; or ENV/KIND/NAME.",
)


def leftovers(function: F) -> F:
    """Adds the options that delete what a cluster leaves behind, as the argument ``leftovers``."""

    @click.option("--with-volumes", is_flag=True, help="Also delete the volumes of a deleted cluster.")
    @click.option("--with-snapshots", is_flag=True, help="Also delete the snapshots of these volumes.")
    @click.option("--with-load-balancers", is_flag=True, help="Also delete the load balancers of a deleted cluster.")
    @click.option("--with-reserved-addresses", is_flag=True, help="Also release the reserved addresses of these load balancers.")
    @functools.wraps(function)
    def wrapped(
        *args: object,
        with_volumes: bool,
        with_snapshots: bool,
        with_load_balancers: bool,
        with_reserved_addresses: bool,
        **arguments: object,
    ) -> object:
        sorts = planton.Leftover
        chosen = {
            sorts.VOLUME: with_volumes,
            sorts.SNAPSHOT: with_snapshots,
            sorts.LOAD_BALANCER: with_load_balancers,
            sorts.ADDRESS: with_reserved_addresses,
        }
        return function(*args, leftovers=[sort for sort, is_deleted in chosen.items() if is_deleted], **arguments)

    return wrapped  # type: ignore[return-value]


def options(function: F) -> F:
    """Adds the options by which a user agrees to more than creations and changes, as the argument ``consents``."""

    @allow_replace
    @take_over
    @click.option("--allow-unsupported", multiple=True, metavar="FIELD", help="Accept that a field has no effect.")
    @click.option("--prune", is_flag=True, help="Also destroy resources whose manifests were removed from these folders.")
    @functools.wraps(function)
    def wrapped(
        *args: object,
        allow_replace: tuple[str, ...],
        allow_unsupported: tuple[str, ...],
        prune: bool,
        take_over: tuple[str, ...],
        **arguments: object,
    ) -> object:
        return function(*args, consents=Consents(allow_replace, allow_unsupported, prune, take_over), **arguments)

    return wrapped  # type: ignore[return-value]
