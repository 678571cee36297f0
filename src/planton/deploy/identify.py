"""``KIND/NAME``, as users name resources."""

from __future__ import annotations

from planton import errors
from planton.schema import kinds


def parse(text: str) -> tuple[kinds.Kind, str]:
    """Returns kind and name of ``KIND/NAME``; the kind in singular or plural and any case.

    Raises:
        PlantonError: ``USAGE``; ``KIND_UNKNOWN``.
    """
    kind, slash, name = text.partition("/")
    if not slash or not name or not kind:
        raise errors.PlantonError(
            f"{text!r} is not KIND/NAME",
            code=errors.Code.USAGE,
            reason=errors.Reason.USAGE,
            hint="write for example civokubernetesclusters/dev-cluster",
        )
    return kinds.parse(kind), name
