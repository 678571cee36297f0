"""The public keys of an issuer of signed tokens, cached for some minutes.

A token with an unknown key id causes a fetch, as keys are rotated. Fetches have a minimum interval, so that callers who send made-up
key ids cannot make the server flood the issuer.
"""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import jwt

#: The minimum number of seconds between two fetches. A new key may be unknown for so long.
_INTERVAL: Final = 10.0
#: Seconds after which keys are fetched again. A withdrawn key is accepted no longer than this, unless the issuer is unreachable.
_LIFETIME: Final = 300.0


class UnreachableError(Exception):
    """The issuer's keys cannot be fetched, so a token can be neither accepted nor refused."""


class Keys:
    """The keys of one issuer."""

    def __init__(self, fetch: Callable[[], Sequence[jwt.PyJWK]]) -> None:
        """Creates an empty cache.

        Args:
            fetch: Returns all keys, or raises any error. It may block.
        """
        self._fetch = fetch
        self._keys: dict[str, jwt.PyJWK] = {}
        self._attempted = self._fetched = -math.inf
        self._lock = asyncio.Lock()

    async def find(self, key_id: str, now: float) -> jwt.PyJWK | None:
        """Returns the key with an id (``kid``), or None if the issuer has no such key.

        Args:
            key_id: The key's id.
            now: Monotonic seconds.

        Raises:
            UnreachableError: The key is not cached, and the issuer is unreachable.
        """
        if key_id in self._keys and now - self._fetched < _LIFETIME:
            return self._keys[key_id]
        async with self._lock:
            # Another request may have fetched the keys while this one waited for the lock.
            if now - self._attempted >= _INTERVAL:
                self._attempted = now
                await self._refresh(now)
        if key_id not in self._keys and self._fetched != self._attempted:
            raise UnreachableError
        return self._keys.get(key_id)

    async def _refresh(self, now: float) -> None:
        """Fetches the keys. If that fails, the cached ones stay: an unreachable issuer withdraws no key."""
        try:
            keys = await asyncio.to_thread(self._fetch)
        except Exception:  # noqa: BLE001 - after any error there are no keys
            return
        self._keys = {key.key_id: key for key in keys if key.key_id}
        self._fetched = now
