"""Policies of the user's own in the commands: the option that names them, and what they mean to a plan."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from planton import errors
from planton.cli import output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planton.manifest import load as flow
    from planton.manifest import policies

F = TypeVar("F", bound=Callable[..., Any])

#: Adds ``--policy``, as the argument ``policy_files``.
option: Final[Callable[[F], F]] = click.option(
    "--policy",
    "policy_files",
    multiple=True,
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Rules of your own, in CEL, that manifests must keep. May repeat.",
)


def load(paths: Sequence[str]) -> tuple[policies.Rule, ...]:
    """Returns the rules of policy files; where there are none, nothing is imported for them.

    Raises:
        InvalidError: ``POLICY_INVALID``.
        PlantonError: ``MANIFEST_UNREADABLE``; ``EXTRA_MISSING``.
    """
    if not paths:
        return ()
    from planton.manifest import policies  # few runs have any

    return policies.load(paths)


def enforce(rules: tuple[policies.Rule, ...], wanted: Sequence[flow.Resource]) -> None:
    """Shows the warnings that rules give of resources, and refuses to go on where one is broken.

    Raises:
        InvalidError: ``MANIFEST_INVALID``: the rules that are broken, with their places.
    """
    if not rules:
        return
    from planton.manifest import policies  # as above

    broken = [
        dataclasses.replace(entry.violation(found.rule.path, found.message, found.rule.id), level=found.level)
        for entry in wanted
        for found in policies.findings(rules, entry.manifest)
    ]
    faults = [violation for violation in broken if violation.level == "error"]
    for violation in broken:
        if violation.level != "error":
            output.show_violation(violation, err=True)
    if faults:
        raise errors.InvalidError(faults)
