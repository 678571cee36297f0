"""The conditions of a resource that no controller has observed.

``Accepted`` says whether a controller will ever look at it. It follows from the processes that are alive now. So it is computed when a
resource is shown, and is not stored. ``Honoured`` is there if the spec has values that its cloud cannot have.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from planton_server.service import impossible

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

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
        """Returns the conditions of a resource as JSON, with those of this module while no controller has observed it."""
        stored: str = row["conditions"]
        if row["phase"] != "Pending" or row["observed_generation"] or f'"type":"{_TYPE}"' in stored:
            return stored
        own = [*self._accepted(row), *_honoured(row)]
        if not own:
            return stored
        return json.dumps(sorted([*own, *json.loads(stored)], key=lambda one: one["type"]), separators=(",", ":"))

    def _accepted(self, row: Mapping[str, Any]) -> Iterator[dict[str, str]]:
        platform = row["platform"]
        if platform in self.served:
            yield _condition(row, _TYPE, "Unknown", "NotObserved", "a controller will look at it")
        elif platform not in self.expected:
            yield _condition(row, _TYPE, "False", "NoController", f"no controller for {platform} runs; start one")


def _honoured(row: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    if row["platform"] in impossible.PLATFORMS:
        texts = impossible.texts(row["platform"], json.loads(row["spec"]))
        if texts:
            yield _condition(row, "Honoured", "False", "ImpossibleValues", "; ".join(texts))


def _condition(row: Mapping[str, Any], type_: str, status: str, reason: str, message: str) -> dict[str, str]:
    time = row["created_at"]
    return {"type": type_, "status": status, "lastTransitionTime": time, "reason": reason, "message": message}
