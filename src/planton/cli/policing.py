"""The option that names policies of the user."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planton.manifest import policies

F = TypeVar("F", bound=Callable[..., Any])

#: Adds ``--policy``, as the argument ``policy_files``.
option: Final[Callable[[F], F]] = click.option(
    "--policy",
    "policy_files",
    multiple=True,
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="File of custom CEL rules for manifests. May repeat.",
)


def load(paths: Sequence[str]) -> tuple[policies.Rule, ...]:
    """Returns the rules of policy files. Without files, nothing is imported.

    Raises:
        InvalidError: ``POLICY_INVALID``.
        PlantonError: ``MANIFEST_UNREADABLE``; ``EXTRA_MISSING``.
    """
    if not paths:
        return ()
    from planton.manifest import policies  # noqa: PLC0415  # cold start of `validate`: 3 ms, and few runs have policies

    return policies.load(paths)
