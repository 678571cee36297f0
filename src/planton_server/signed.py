"""Signed tokens (JWT): their verification, and the callers that their claims name.

This module imports a cryptographic library. A server without signed tokens does not load it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import jwt

from planton_server import issuer
from planton_server.service import contexts, errors, reporters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planton_server import auth

_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA", "PS256", "PS384", "PS512")
#: The maximum number of characters of a caller's name: it becomes a key of the database.
_LONGEST_NAME: Final = 255
#: Seconds that a request to the issuer may take.
_TIMEOUT: Final = 5


class Verifier:
    """Verifies signed tokens with the keys of one issuer."""

    def __init__(self, trust: auth.Trust) -> None:
        self._trust = trust
        client = jwt.PyJWKClient(trust.jwks_url, cache_jwk_set=False, timeout=_TIMEOUT)
        self._keys = issuer.Keys(client.get_signing_keys)

    async def caller(self, token: str, elapsed: float) -> contexts.Caller:
        """Returns the caller that a token names.

        Args:
            token: The token.
            elapsed: Monotonic seconds.

        Raises:
            ApiError: The token is not valid (UNAUTHENTICATED), or the issuer cannot be reached (SERVICE_UNAVAILABLE).
        """
        claims = await self._claims(token, elapsed)
        name = self._name(claims)
        roles = claims.get("roles", ())
        is_controller = isinstance(roles, list) and "controller" in roles
        reports_as = _reports_as(claims, name) if is_controller else reporters.ANY
        return contexts.Caller(name, controller=is_controller, may_report=is_controller, reports_as=reports_as)

    async def _claims(self, token: str, elapsed: float) -> dict[str, Any]:
        try:
            key = await self._keys.find(str(jwt.get_unverified_header(token).get("kid")), elapsed)
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
        return claims

    def _name(self, claims: Mapping[str, Any]) -> str:
        """Returns the caller's name from the claims of a token."""
        # Some issuers write booleans as text. Without verification, anyone could put another user's address into an account.
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
    """Returns the controller names under which a caller may report: the caller's own name without the claim ``controller_names``."""
    if "controller_names" not in claims:
        return (name,) if "*" not in name else ()
    names = claims["controller_names"]
    try:
        return reporters.checked([names] if isinstance(names, str) else names)
    except (TypeError, ValueError) as error:
        raise errors.unauthenticated(f"the token's claim controller_names: {error}") from error
