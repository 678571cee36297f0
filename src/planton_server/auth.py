"""Authentication: the caller of a request, from a trusted header, a static token or a signed token (JWT)."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import hmac
import ipaddress
import math
import re
import secrets
import time
from typing import TYPE_CHECKING, Final

from planton_server.service import contexts, errors, reporters
from planton_server.store import access

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from planton_server import signed
    from planton_server.store import database

#: Email addresses with this ending are those of controllers, in trusted-header mode.
CONTROLLER_DOMAIN: Final = "@system.local"
_EMAIL: Final = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[A-Za-z0-9.-]{1,253}")
#: Seconds that a static token stays cached. A revoked token works no longer than this.
_CACHED: Final = 10.0
_MAX_CACHED: Final = 4096
#: The number of dots in a JWT.
_JWT_DOTS: Final = 2
#: Headers that identify the caller, and headers that state a condition.
_IDENTITY: Final = frozenset({"authorization", "x-user-email"})
_CONDITIONS: Final = {"if-match": "If-Match", "idempotency-key": "Idempotency-Key"}


@dataclasses.dataclass(frozen=True, slots=True)
class Trust:
    """Which callers the server trusts.

    Attributes:
        header: Whether ``X-User-Email`` names the user, if it comes from a trusted address.
        proxies: The networks from which the header is trusted; loopback is always trusted.
        owners_report: Whether owners may report status, like in the guide's walk-through; only on a loopback address.
        jwks_url: The URL of the keys of signed tokens; empty for no signed tokens.
        issuer: The issuer that signed tokens must name; not checked if empty.
        audience: The audience that signed tokens must name; not checked if empty.
        unverified_email: Whether to accept the email of a signed token without the claim ``email_verified``.
    """

    header: bool = False
    proxies: Sequence[str] = ()
    owners_report: bool = False
    jwks_url: str = ""
    issuer: str = ""
    audience: str = ""
    unverified_email: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class _Cached:
    """A static token that was looked up.

    Attributes:
        until: Monotonic seconds; the end of the entry.
        expires: Seconds since 1970; the end of the token.
        caller: The caller that the token names.
    """

    until: float
    expires: float
    caller: contexts.Caller


class Authenticator:
    """Identifies callers."""

    def __init__(self, trust: Trust, store: database.Database, timer: Callable[[], float] = time.monotonic) -> None:
        """Creates an authenticator.

        Args:
            trust: Which callers to trust.
            store: The database with the static tokens.
            timer: Returns monotonic seconds.
        """
        self._trust = trust
        self._store = store
        self._timer = timer
        self._networks = [ipaddress.ip_network(network) for network in trust.proxies]
        self._signed = _verifier(trust)
        #: The digests of tokens, with the results of their lookups.
        self._cache: dict[str, _Cached] = {}

    async def caller(self, headers: Mapping[str, str], peer: str, now: datetime.datetime) -> contexts.Caller:
        """Returns the caller of a request.

        Args:
            headers: The request's headers, or a call's metadata; names in lower case.
            peer: The address of the client; empty for a Unix socket.
            now: The time.

        Raises:
            ApiError: The caller is unknown (UNAUTHENTICATED).
        """
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            return await self._bearer(token.strip(), now)
        if "authorization" in headers:
            raise errors.unauthenticated("the header Authorization must have the form: Bearer TOKEN")
        if self._trust.header and self._is_trusted(peer):
            email = headers.get("x-user-email", "").strip()
            if not _EMAIL.fullmatch(email):
                raise errors.unauthenticated("send your email address in the header X-User-Email")
            is_controller = email.endswith(CONTROLLER_DOMAIN)
            return contexts.Caller(email, controller=is_controller, may_report=is_controller or self._trust.owners_report)
        raise errors.unauthenticated("send a token in the header Authorization: Bearer …")

    def _is_trusted(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer.partition("%")[0])
        except ValueError:
            return not peer
        address = getattr(address, "ipv4_mapped", None) or address
        return address.is_loopback or any(address in network for network in self._networks)

    async def _bearer(self, token: str, now: datetime.datetime) -> contexts.Caller:
        if self._signed is not None and token.count(".") == _JWT_DOTS:
            return await self._signed.caller(token, self._timer())
        key = digest(token)
        cached = self._cache.get(key)
        if cached is not None and self._timer() < cached.until and now.timestamp() < cached.expires:
            return cached.caller
        row = await access.token(self._store, key)
        expires = datetime.datetime.fromisoformat(row["expires_at"]).timestamp() if row and row["expires_at"] else math.inf
        if row is None or not hmac.compare_digest(row["digest"], key) or expires <= now.timestamp():
            raise errors.unauthenticated("the token is unknown, or has expired")
        is_controller = row["role"] == "controller"
        caller = contexts.Caller(
            row["subject"], controller=is_controller, may_report=is_controller, reports_as=reporters.read(row["reports_as"])
        )
        if len(self._cache) >= _MAX_CACHED:
            self._cache.clear()
        self._cache[key] = _Cached(self._timer() + _CACHED, expires, caller)
        return caller


def _verifier(trust: Trust) -> signed.Verifier | None:
    """Returns the verifier of signed tokens, or None if the server accepts none."""
    if not trust.jwks_url:
        return None
    from planton_server import signed  # noqa: PLC0415  # 9 MB of a cryptographic library, only for signed tokens

    return signed.Verifier(trust)


def headers(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Returns a request's headers, or a call's metadata, by name.

    Headers that identify the caller or state a condition must not be repeated. A proxy may have added its own value to that of
    its client, and the two cannot be distinguished.

    Args:
        pairs: Names in lower case, and values.

    Raises:
        ApiError: An identifying header is repeated (UNAUTHENTICATED), or a condition is (VALIDATION_ERROR).
    """
    values: dict[str, str] = {}
    for name, value in pairs:
        if name in values and name in _IDENTITY:
            raise errors.unauthenticated(f"the header {name} must not be repeated")
        if name in values and name in _CONDITIONS:
            raise errors.bad_field(_CONDITIONS[name], "header.duplicate", "must not be repeated")
        values[name] = value
    return values


def new_token() -> str:
    """Returns a new random token, 43 characters."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Returns the stored form of a token: SHA-256 in hexadecimal. A random token needs no salt."""
    return hashlib.sha256(token.encode()).hexdigest()
