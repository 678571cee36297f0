"""Problems that the cloud would refuse, as violations with a place."""

from __future__ import annotations

import dataclasses
import difflib
from typing import TYPE_CHECKING

from planton import errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from planton.manifest import load

#: Rule → the error's reason. Rule ids are API (docs/reference/errors.md).
REASONS = {
    "cloud.region_offered": errors.Reason.NOT_OFFERED,
    "cloud.size_offered": errors.Reason.NOT_OFFERED,
    "cloud.size_offered_in_region": errors.Reason.NOT_OFFERED,
    "cloud.offered_in_zones": errors.Reason.NOT_OFFERED,
    "cloud.fits_cluster": errors.Reason.NOT_OFFERED,
    "cloud.version_offered": errors.Reason.NOT_OFFERED,
    "cloud.upgrade_allowed": errors.Reason.UPGRADE_REFUSED,
    "cloud.one_region": errors.Reason.MANIFEST_INVALID,
    "cloud.one_network": errors.Reason.MANIFEST_INVALID,
    "cloud.range_free": errors.Reason.MANIFEST_INVALID,
    "cloud.name_free": errors.Reason.CLOUD_NAME_EXISTS,
    "cloud.quota_left": errors.Reason.CLOUD_QUOTA,
    "cloud.reference_found": errors.Reason.NOT_FOUND,
    "cloud.reference_unambiguous": errors.Reason.AMBIGUOUS,
    "plugin.check": errors.Reason.MANIFEST_INVALID,
}
_LISTED = 8


@dataclasses.dataclass(frozen=True, slots=True)
class Problem:
    """A problem that the cloud or its plugin would refuse.

    Attributes:
        path: The manifest's field.
        text: The message, with the values.
        rule: The id of the rule, a key of :data:`REASONS`.
        hint: The one thing to do next; may be empty.
        metadata: Values for programs.
    """

    path: str
    text: str
    rule: str
    hint: str = ""
    metadata: Mapping[str, str] = dataclasses.field(default_factory=dict)


def error(entry: load.Resource, problems: Sequence[Problem]) -> errors.InvalidError:
    """Returns the error for all problems of a manifest.

    Its reason is that of the first problem. An upgrade that is refused is the reason only if it is the only problem.

    Args:
        entry: The manifest.
        problems: At least one.
    """
    reasons = [REASONS[problem.rule] for problem in problems]
    error = errors.InvalidError(
        [entry.violation(problem.path, problem.text, problem.rule) for problem in problems],
        reason=next((reason for reason in reasons if reason is not errors.Reason.UPGRADE_REFUSED), reasons[0]),
        hint="; ".join(dict.fromkeys(problem.hint for problem in problems if problem.hint)),
    )
    error.metadata |= {name: value for problem in reversed(problems) for name, value in problem.metadata.items()}
    return error


def offered(name: str, names: Iterable[str], *, command: str = "") -> str:
    """Returns a bounded list of the existing names as text, the nearest to a name first.

    Args:
        name: The missing name.
        names: The existing names.
        command: The command that lists all; empty for none.
    """
    ranked = sorted(names, key=lambda other: (-difflib.SequenceMatcher(None, name.lower(), other.lower()).ratio(), other))
    more = len(ranked) - _LISTED
    suffix = f" and {more} more" + (f" ({command} lists them)" if command else "") if more > 0 else ""
    return (", ".join(ranked[:_LISTED]) or "none") + suffix
