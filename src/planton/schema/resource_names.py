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
        raise errors.usage(
            f"{text!r} is not KIND/NAME",
            hint=f"write for example {kinds.of_role(kinds.Role.CLUSTER)[0].name.lower()}s/dev-cluster",
        )
    return kinds.parse(kind), name
