"""Policies of the user in a run: rules in CEL that every manifest must keep."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from planton import errors
from planton.manifest import policies

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planton.manifest import load


def check(rules: Sequence[policies.Rule], resources: Sequence[load.Resource]) -> list[errors.Violation]:
    """Returns the warnings of policies.

    Args:
        rules: The rules.
        resources: The resources of the run.

    Raises:
        InvalidError: ``MANIFEST_INVALID``: the broken rules, with their places. It holds the warnings too.
    """
    if not rules:
        return []
    broken = [
        dataclasses.replace(entry.violation(finding.rule.path, finding.message, finding.rule.id), level=finding.level)
        for entry in resources
        for finding in policies.findings(tuple(rules), entry.manifest)
    ]
    if any(violation.level == "error" for violation in broken):
        raise errors.InvalidError(broken)
    return broken
