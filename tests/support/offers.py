"""A cloud whose lists a test writes down, for what is checked against them."""

from __future__ import annotations

import collections
import dataclasses
from typing import Any, ClassVar

from planton import errors
from planton.clouds import entries

REGIONS = ("lon1", "fra1", "nyc1", "nyc3")


def unreachable(what: str) -> errors.PlantonError:
    """Returns the error for a list that a token may not read."""
    return errors.PlantonError(
        f"the cloud refused GET {what}: 403", code=errors.Code.FAILED, reason=errors.Reason.CLOUD_AUTH, hint="check the token"
    )


@dataclasses.dataclass(frozen=True)
class Cloud:
    """An account of any cloud.

    Attributes:
        has: ``network``, ``firewall`` or ``cluster`` → what is there.
        offers: ``sizes``, ``versions``, ``upgrades`` and ``quotas`` → the answer; an error is raised.
        reads: How often each list was read.
        answers: Part of what every cloud has; unused.
    """

    CREDENTIALS_EXPIRE: ClassVar = False
    PROVIDER: ClassVar = "civo"

    has: dict[str, list[entries.Entry]] = dataclasses.field(default_factory=dict)
    offers: dict[str, Any] = dataclasses.field(default_factory=dict)
    reads: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter, compare=False)
    where: str = "LON1"
    answers: Any = None

    def __hash__(self) -> int:
        """All accounts of a test are one."""
        return 0

    @property
    def account(self) -> Cloud:
        """The account itself."""
        return self

    def _read(self, what: str, usual: Any) -> Any:
        self.reads[what] += 1
        answer = self.offers.get(what, usual)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def regions(self) -> list[dict[str, Any]]:
        """Returns regions of both clouds."""
        usual = [{"region": name.upper(), "name": name, "country": None, "full": name == "nyc1"} for name in REGIONS]
        answer: list[dict[str, Any]] = self._read("regions", usual)
        return answer

    def network_regions(self) -> list[str]:
        """Returns their names."""
        return [row["region"] for row in self.regions()]

    def sizes(self) -> list[dict[str, Any]]:
        """Returns a small, a large and a rare one."""
        usual = [
            {"size": "small", "cpus": 1, "memory": 2048, "disk": 40, "regions": None},
            {"size": "large", "cpus": 8, "memory": 16384, "disk": 60, "regions": None},
            {"size": "rare", "cpus": 8, "memory": 16384, "disk": 60, "regions": ["nyc3"]},
        ]
        answer: list[dict[str, Any]] = self._read("sizes", usual)
        return answer

    def versions(self) -> list[dict[str, Any]]:
        """Returns versions as both clouds write them."""
        k3s = ("1.29.8-k3s1", "1.30.2-k3s1", "1.30.5-k3s1")
        doks = ("1.34.0-do.0", "1.33.1-do.0", "1.33.0-do.0")
        usual = [{"version": version, "type": "k3s"} for version in k3s] + [{"version": each, "type": "doks"} for each in doks]
        answer: list[dict[str, Any]] = self._read("versions", usual)
        return answer

    def upgrades(self, _cluster_id: str) -> list[str] | None:
        """Returns what a test says."""
        answer: list[str] | None = self._read("upgrades", None)
        return answer

    def quotas(self) -> dict[str, entries.Quota]:
        """Returns plenty."""
        answer: dict[str, entries.Quota] = self._read("quotas", {})
        return answer

    def listed(self, what: str) -> list[entries.Entry]:
        """Returns what is there."""
        self.reads[what] += 1
        return self.has.get(what, [])
