"""A fake cloud with fixed lists, for checks against them."""

from __future__ import annotations

import collections
import dataclasses
from typing import Any, ClassVar

from planton import errors
from planton.clouds import entries

REGIONS = ("lon1", "fra1", "nyc1", "nyc3")


def unreachable(list_name: str) -> errors.PlantonError:
    """Returns the error for a list that the token may not read."""
    return errors.PlantonError(
        f"the cloud refused GET {list_name}: 403",
        reason=errors.Reason.CLOUD_AUTH,
        hint="check the token",
    )


@dataclasses.dataclass(frozen=True)
class Cloud:
    """An account of any cloud.

    Attributes:
        has: ``network``, ``firewall`` or ``cluster`` → the resources of the account.
        offers: ``sizes``, ``versions``, ``upgrades`` and ``quotas`` → the response, or an error to raise.
        reads: The number of reads of each list.
        where: The region.
        address: The address of its API; empty for the public one.
        answers: Part of every cloud's interface; unused.
    """

    CREDENTIALS_EXPIRE: ClassVar = False
    PROVIDER: ClassVar = "civo"

    has: dict[str, list[entries.Entry]] = dataclasses.field(default_factory=dict)
    offers: dict[str, Any] = dataclasses.field(default_factory=dict)
    reads: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter, compare=False)
    where: str = "LON1"
    address: str = ""
    answers: Any = None

    def __hash__(self) -> int:
        """All accounts of a test are equal."""
        return 0

    @property
    def account(self) -> Cloud:
        """The account itself."""
        return self

    def _read(self, list_name: str, default: Any) -> Any:
        self.reads[list_name] += 1
        response = self.offers.get(list_name, default)
        if isinstance(response, Exception):
            raise response
        return response

    def regions(self) -> list[dict[str, Any]]:
        """Returns regions of both clouds."""
        default = [{"region": name.upper(), "name": name, "country": None, "full": name == "nyc1"} for name in REGIONS]
        response: list[dict[str, Any]] = self._read("regions", default)
        return response

    def network_regions(self) -> list[str]:
        """Returns the codes of these regions."""
        return [row["region"] for row in self.regions()]

    def sizes(self) -> list[dict[str, Any]]:
        """Returns a small, a large and a rare size."""
        default = [
            {"size": "small", "cpus": 1, "memory": 2048, "disk": 40, "regions": None},
            {"size": "large", "cpus": 8, "memory": 16384, "disk": 60, "regions": None},
            {"size": "rare", "cpus": 8, "memory": 16384, "disk": 60, "regions": ["nyc3"]},
        ]
        response: list[dict[str, Any]] = self._read("sizes", default)
        return response

    def versions(self) -> list[dict[str, Any]]:
        """Returns versions in the spelling of both clouds."""
        k3s = ("1.29.8-k3s1", "1.30.2-k3s1", "1.30.5-k3s1")
        doks = ("1.34.0-do.0", "1.33.1-do.0", "1.33.0-do.0")
        default = [{"version": version, "type": "k3s"} for version in k3s] + [{"version": each, "type": "doks"} for each in doks]
        response: list[dict[str, Any]] = self._read("versions", default)
        return response

    def upgrades(self, _cluster_id: str) -> list[str] | None:
        """Returns the upgrades that the test sets, or None."""
        response: list[str] | None = self._read("upgrades", None)
        return response

    def quotas(self) -> dict[str, entries.Quota]:
        """Returns the quotas that the test sets; without any, nothing is limited."""
        response: dict[str, entries.Quota] = self._read("quotas", {})
        return response

    def listed(self, resource_type: str) -> list[entries.Entry]:
        """Returns the resources of a type."""
        self.reads[resource_type] += 1
        return self.has.get(resource_type, [])
