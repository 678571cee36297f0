"""The public keys of an issuer of signed tokens, kept as long as they may be believed.

They are fetched anew when a token names one that is not among them, as after a rotation; but not for each such token: who sends names of
keys that nobody has would make the server ask the issuer as often as it is asked itself.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import jwt

#: Seconds between two fetches, at least; a new key may be unknown for so long.
_PAUSE: Final = 10.0
#: Seconds after which keys are fetched anew; a withdrawn one is believed no longer, unless the issuer cannot be reached.
_BELIEVED: Final = 300.0


class UnreachableError(Exception):
    """The keys cannot be had, so that nothing can be said of a token."""


class Keys:
    """An issuer's keys."""

    def __init__(self, fetch: Callable[[], Sequence[jwt.PyJWK]]) -> None:
        """Prepares them; nothing is fetched yet.

        Args:
            fetch: Returns all keys, or raises whatever error. It may block.
        """
        self._fetch = fetch
        self._keys: dict[str, jwt.PyJWK] = {}
        self._asked = self._fetched = -math.inf
        self._one = asyncio.Lock()

    async def find(self, name: str, now: float) -> jwt.PyJWK | None:
        """Returns the key of a name (``kid``), or None where the issuer has none.

        Args:
            name: The key's id.
            now: The seconds since some moment; they must not go back, as the time of day may.

        Raises:
            UnreachableError: It is not known, and the issuer could not be asked.
        """
        if name in self._keys and now - self._fetched < _BELIEVED:
            return self._keys[name]
        async with self._one:
            # Others may have waited for the same fetch: then there is none to be made any more.
            if now - self._asked >= _PAUSE:
                self._asked = now
                await self._refresh(now)
        if name not in self._keys and self._fetched != self._asked:
            raise UnreachableError
        return self._keys.get(name)

    async def _refresh(self, now: float) -> None:
        """Fetches the keys; where that fails, those that are known stay: an issuer that is down withdraws none."""
        try:
            found = await asyncio.to_thread(self._fetch)
        except Exception:  # noqa: BLE001 - whatever it answers that is no set of keys, it says nothing
            return
        self._keys = {key.key_id: key for key in found if key.key_id}
        self._fetched = now
