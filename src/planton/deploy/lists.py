"""The lists of an account for checks. Each is read once per run. Checks skip a list that cannot be read."""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from planton import clouds, errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from planton.clouds import answers, entries

_Rows = TypeVar("_Rows")
#: Errors that end the run and do not come from a cloud.
_FINAL = (errors.Reason.INTERRUPTED,)


class Notes:
    """Notes for the user, each reported once per run. Thread-safe."""

    def __init__(self, progress: Callable[[str], None]) -> None:
        self._progress = progress
        self._lock = threading.Lock()
        self._reported: set[str] = set()

    def add(self, text: str) -> None:
        """Reports a note, unless it was already reported."""
        with self._lock:
            is_new = text not in self._reported
            self._reported.add(text)
        if is_new:
            self._progress(text)


def of(cloud: clouds.Cloud, cache: answers.Answers, progress: Callable[[str], None]) -> Lists:
    """Returns the lists of an account.

    Args:
        cloud: The account, or a region of it.
        cache: The cached responses of the clouds in this run.
        progress: Receives a note for each list that cannot be read.
    """
    return Lists(clouds.remembering(cloud, cache), Notes(progress))


@dataclasses.dataclass(frozen=True, slots=True)
class Lists:
    """The lists of an account, or of a region of it. Each method returns None if the list cannot be read.

    Attributes:
        cloud: The cloud of the lists.
        notes: Receives a note for each list that cannot be read.
    """

    cloud: clouds.Cloud
    notes: Notes

    @property
    def where(self) -> str:
        """The searched region or account for messages, e.g. ``LON1``."""
        return self.cloud.where

    def regions(self) -> list[dict[str, Any]] | None:
        """Returns the regions in which clusters can be created."""
        return self._read("regions", self.cloud.account.regions)

    def network_regions(self) -> list[str] | None:
        """Returns the names of the regions in which networks can be created."""
        return self._read("regions", self.cloud.account.network_regions)

    def sizes(self) -> dict[str, dict[str, Any]] | None:
        """Returns the sizes of nodes by name."""
        return self._read("sizes", lambda: {str(row["size"]): row for row in self.cloud.account.sizes()})

    def versions(self) -> list[dict[str, Any]] | None:
        """Returns the Kubernetes versions."""
        return self._read("Kubernetes versions", self.cloud.account.versions)

    def upgrades(self, cluster_id: str) -> list[str] | None:
        """Returns the versions that a cluster can be upgraded to."""
        return self._read("upgrades", lambda: self.cloud.upgrades(cluster_id))

    def existing(self, resource_type: str) -> list[entries.Entry] | None:
        """Returns the existing resources of a type: ``network``, ``firewall`` or ``cluster``."""
        return self._read(f"{resource_type}s", lambda: self.cloud.listed(resource_type))

    def quotas(self) -> dict[str, entries.Quota] | None:
        """Returns the quotas by subject."""
        return self._read("quotas", self.cloud.account.quotas)

    def refusals(
        self, check: Callable[[clouds.Cloud, Any], Iterable[entries.Refusal]], manifest: Any
    ) -> list[entries.Refusal] | None:
        """Returns what a declared check of a kind (``KIND.offers``) refuses."""
        return self._read("offers of zones", lambda: list(check(self.cloud, manifest)))

    def _read(self, list_name: str, call: Callable[[], _Rows]) -> _Rows | None:
        try:
            return call()
        except errors.PlantonError as error:
            if error.reason in _FINAL:
                raise
            why = error.message
        except (KeyError, TypeError, ValueError, AttributeError):
            why = "the cloud's response has an unexpected form"
        self.notes.add(f"not checked: the {list_name} of the cloud cannot be read ({why})")
        return None
