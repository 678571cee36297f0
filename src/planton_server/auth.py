"""Who asks: from a header that is trusted, a static token or a signed one (JWT). A name in a header is worth what its sender is."""

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
from typing import TYPE_CHECKING, Any, Final

import jwt

from planton_server import issuer
from planton_server.service import contexts, errors, reporters
from planton_server.store import access

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from planton_server.store import database

#: Addresses that end like this are controllers' in trusted-header mode.
CONTROLLER_DOMAIN: Final = "@system.local"
_EMAIL: Final = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@[A-Za-z0-9.-]{1,253}")
_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512")
#: How long a static token that was looked up is believed, in seconds; a revoked one works no longer than this.
_BELIEVED: Final = 10.0
_MOST_BELIEVED: Final = 4096
#: Characters that the name in a signed token may have: it becomes a key of the database.
_LONGEST_NAME: Final = 255
#: Headers that say who asks, and those that say under which condition.
_IDENTITY: Final = frozenset({"authorization", "x-user-email"})
_CONDITIONS: Final = {"if-match": "If-Match", "idempotency-key": "Idempotency-Key"}


@dataclasses.dataclass(frozen=True, slots=True)
class Trust:
    """Which callers the server trusts.

    Attributes:
        header: Whether ``X-User-Email`` names the user, if it comes from a trusted address.
        proxies: The networks from which the header is trusted; loopback is always trusted.
        owners_report: Whether owners may report status, as the guide's walk-through does; only on a loopback address.
        jwks_url: Where the keys of signed tokens are; empty for no signed tokens.
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


class Authenticator:
    """Finds out who asks."""

    def __init__(self, trust: Trust, store: database.Database, timer: Callable[[], float] = time.monotonic) -> None:
        """Prepares to find out.

        Args:
            trust: Whom to believe.
            store: Where the static tokens are.
            timer: Tells the seconds since some moment, and never goes back, as the time of day may.
        """
        self._trust = trust
        self._store = store
        self._timer = timer
        self._networks = [ipaddress.ip_network(network) for network in trust.proxies]
        self._keys = (
            issuer.Keys(jwt.PyJWKClient(trust.jwks_url, cache_jwk_set=False, timeout=5).get_signing_keys)
            if trust.jwks_url
            else None
        )
        #: Digest → until when it is believed, by the timer; when the token ends, as seconds since 1970; and whom it names.
        self._believed: dict[str, tuple[float, float, contexts.Caller]] = {}

    async def caller(self, headers: Mapping[str, str], peer: str, now: datetime.datetime) -> contexts.Caller:
        """Returns who asks.

        Args:
            headers: The request's headers, or a call's metadata; names in lower case.
            peer: The address that the request comes from; empty for a Unix socket.
            now: The time.

        Raises:
            ApiError: Nobody that is known (UNAUTHENTICATED).
        """
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            return await self._bearer(token.strip(), now)
        if "authorization" in headers:
            raise errors.unauthenticated("the header Authorization must be: Bearer, and a token")
        if self._trust.header and self._trusted(peer):
            email = headers.get("x-user-email", "").strip()
            if not _EMAIL.fullmatch(email):
                raise errors.unauthenticated("give your email address in the header X-User-Email")
            controller = email.endswith(CONTROLLER_DOMAIN)
            return contexts.Caller(email, controller=controller, may_report=controller or self._trust.owners_report)
        raise errors.unauthenticated("give a token in the header Authorization: Bearer …")

    def _trusted(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer.partition("%")[0])
        except ValueError:
            return not peer
        address = getattr(address, "ipv4_mapped", None) or address
        return address.is_loopback or any(address in network for network in self._networks)

    async def _bearer(self, token: str, now: datetime.datetime) -> contexts.Caller:
        if self._keys is not None and token.count(".") == 2:  # noqa: PLR2004 - the three parts of a JWT
            return await self._signed(self._keys, token)
        wanted = digest(token)
        until, ends, known = self._believed.get(wanted, (0.0, 0.0, None))
        if known is not None and self._timer() < until and now.timestamp() < ends:
            return known
        row = await access.token(self._store, wanted)
        ends = datetime.datetime.fromisoformat(row["expires_at"]).timestamp() if row and row["expires_at"] else math.inf
        if row is None or not hmac.compare_digest(row["digest"], wanted) or ends <= now.timestamp():
            raise errors.unauthenticated("the token is not known, or has expired")
        controller = row["role"] == "controller"
        found = contexts.Caller(
            row["subject"], controller=controller, may_report=controller, reports_as=reporters.read(row["reports_as"])
        )
        if len(self._believed) >= _MOST_BELIEVED:
            self._believed.clear()
        self._believed[wanted] = (self._timer() + _BELIEVED, ends, found)
        return found

    async def _signed(self, keys: issuer.Keys, token: str) -> contexts.Caller:
        try:
            key = await keys.find(str(jwt.get_unverified_header(token).get("kid")), self._timer())
            if key is None:
                raise jwt.InvalidKeyError
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(_ALGORITHMS),
                audience=self._trust.audience or None,
                issuer=self._trust.issuer or None,
                options={"require": ["exp"], "verify_aud": bool(self._trust.audience)},
            )
        except issuer.UnreachableError as error:
            raise errors.unavailable() from error
        # A token is untrusted input: besides PyJWT's own errors, its numbers and its depth can exceed what the decoder supports.
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise errors.unauthenticated("the token is not valid, or has expired") from error
        name = self._name(claims)
        roles = claims.get("roles", ())
        controller = isinstance(roles, list) and "controller" in roles
        reports_as = _reports_as(claims, name) if controller else reporters.ANY
        return contexts.Caller(name, controller=controller, may_report=controller, reports_as=reports_as)

    def _name(self, claims: Mapping[str, Any]) -> str:
        """Returns the caller that the claims of a signed token identify."""
        # Some issuers write their booleans as text. Who can give any address to an account must not be everybody by that.
        verified = claims.get("email_verified", self._trust.unverified_email)
        if claims.get("email") and verified is not True and verified != "true":
            raise errors.unauthenticated(
                "the token's email is not verified: it needs the claim email_verified, which must be true"
            )
        name = claims.get("email") or claims.get("sub")
        if not isinstance(name, str) or not name or not name.isprintable():
            raise errors.unauthenticated("the token names nobody: it needs the claim email or sub")
        if len(name) > _LONGEST_NAME:
            claim = "email" if claims.get("email") else "sub"
            message = f"the token's claim {claim} must have at most {_LONGEST_NAME} characters"
            raise errors.bad_field("Authorization", "header.name_length", message)
        return name


def _reports_as(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Returns the controller names under which a signed token may report: its own name without the claim ``controller_names``."""
    if "controller_names" not in claims:
        return (name,) if "*" not in name else ()
    named = claims["controller_names"]
    try:
        return reporters.checked([named] if isinstance(named, str) else named)
    except (TypeError, ValueError) as error:
        raise errors.unauthenticated(f"the token's claim controller_names: {error}") from error


def headers(given: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Returns a request's headers, or a call's metadata, by name.

    A header that is worth something must come once: behind a proxy that adds its own to its client's, either could be the client's.

    Args:
        given: Names in lower case, and values.

    Raises:
        ApiError: One that says who asks comes twice (UNAUTHENTICATED), or a condition does (VALIDATION_ERROR).
    """
    found: dict[str, str] = {}
    for name, value in given:
        if name in found and name in _IDENTITY:
            raise errors.unauthenticated(f"the header {name} must come once")
        if name in found and name in _CONDITIONS:
            raise errors.bad_field(_CONDITIONS[name], "header.duplicate", "must come once")
        found[name] = value
    return found


def new_token() -> str:
    """Returns a token that nobody can guess, 43 characters."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """Returns what is kept of a token: SHA-256 in hexadecimal. A random token needs no salt."""
    return hashlib.sha256(token.encode()).hexdigest()
