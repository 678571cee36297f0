"""The API client of Example, a cloud that exists only in tests: an account without resources."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar


@dataclasses.dataclass(frozen=True)
class Cloud:
    """An account."""

    PROVIDER: ClassVar = "example"

    key_id: str
    where: str = "this account"
    address: str = "https://api.example.test"
    answers: Any = None

    @property
    def account(self) -> Cloud:
        """The account itself: Example has no regions."""
        return self


def of(config: Any, _region: str = "") -> Cloud:  # an ExampleProviderConfig
    """Returns the account of a provider config."""
    return Cloud(config.access_key_id)
