"""The condition ``Accepted`` of a resource that no controller has observed: whether a controller will ever look at it.

It follows from the processes that are alive now. So it is computed when a resource is shown, and is not stored.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_TYPE: Final = "Accepted"


class Acceptance(NamedTuple):
    """Who looks at the resources of a kind.

    Attributes:
        served: The clouds that live processes of controllers serve.
        expected: The clouds whose controllers the operator has named. They may use events instead of the work queue.
    """

    served: Collection[str] = ()
    expected: Collection[str] = ()

    def conditions(self, row: Mapping[str, Any]) -> str:
        """Returns the conditions of a resource as JSON, with ``Accepted`` while no controller has observed it."""
        stored: str = row["conditions"]
        platform = row["platform"]
        if row["phase"] != "Pending" or row["observed_generation"] or f'"type":"{_TYPE}"' in stored:
            return stored
        if platform in self.served:
            status, reason, message = "Unknown", "NotObserved", "a controller will look at it"
        elif platform in self.expected:
            return stored
        else:
            status, reason, message = "False", "NoController", f"no controller for {platform} runs; start one"
        condition = {
            "type": _TYPE,
            "status": status,
            "lastTransitionTime": row["created_at"],
            "reason": reason,
            "message": message,
        }
        others = json.loads(stored)
        return json.dumps(sorted([condition, *others], key=lambda one: one["type"]), separators=(",", ":"))
