"""``KIND/NAME``, as users name resources."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from planton import errors
from planton.schema import kinds

if TYPE_CHECKING:
    from planton.schema import references


@dataclasses.dataclass(frozen=True, slots=True)
class ResourceName:
    """A resource as a user names it.

    Attributes:
        kinds: The kinds that it can have: one, or the kinds of all clouds with a short name.
        name: Its ``metadata.name``.
    """

    kinds: tuple[kinds.Kind, ...]
    name: str

    def matches(self, key: references.Key) -> bool:
        """Returns whether a resource has this name, in any environment."""
        return key.name == self.name and any(kind.name == key.kind for kind in self.kinds)

    def __str__(self) -> str:
        """Returns ``KIND/NAME``."""
        kind = self.kinds[0].name if len(self.kinds) == 1 else self.kinds[0].short_name
        return f"{kind}/{self.name}"


def parse(text: str) -> ResourceName:
    """Returns the resource that ``KIND/NAME`` names: the kind in singular or plural, in any case, or by its short name.

    Raises:
        PlantonError: ``USAGE``; ``KIND_UNKNOWN``.
    """
    kind, slash, name = text.partition("/")
    if not slash or not name or not kind:
        raise errors.usage(
            f"{text!r} is not KIND/NAME",
            hint=f"write for example {kinds.of_role(kinds.Role.CLUSTER)[0].short_name}/dev-cluster",
        )
    return ResourceName(kinds.match(kind), name)
