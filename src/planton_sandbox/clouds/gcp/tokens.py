"""Access tokens of the simulated Google Cloud: a service account's key is exchanged for one, as at the real token endpoint."""

from __future__ import annotations

import base64
import binascii
import functools
import json
import secrets
from collections.abc import Mapping
from typing import Any

from cryptography import exceptions
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from planton_sandbox import wire
from planton_sandbox.clouds.gcp import catalogue, records, scopes

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
PATH = "/token"
_BITS = 2048
_LONGEST = 3600  # seconds that a signed request may be valid
_PARTS = 3


def key(state: records.State) -> records.Key:
    """Returns the key of the default service account; the first call creates it."""
    if state.key is None:
        state.key = _new_key()
    return state.key


@functools.cache
def _new_key() -> records.Key:
    """Returns a new key, the same for all sandboxes of this process: to create one takes long."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=_BITS)
    text = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    return records.Key(id=secrets.token_hex(20), private=text)


def file(state: records.State, *, endpoint: str) -> str:
    """Returns the key file of the default service account, with the token endpoint of ``endpoint``."""
    account = scopes.account_for(state, catalogue.DEFAULT_TOKEN, now=0)
    made = key(state)
    content = {
        "type": "service_account",
        "project_id": catalogue.DEFAULT_PROJECT,
        "private_key_id": made.id,
        "private_key": made.private,
        "client_email": account.email,
        "client_id": account.id,
        "token_uri": f"{endpoint}{PATH}",
    }
    return json.dumps(content, indent=2) + "\n"


def exchange(state: records.State, request: wire.Request) -> wire.Reply:
    """Answers ``POST /token``: an access token for a request that a service account's key has signed."""
    if request.body.get("grant_type") != GRANT:
        return _refusal("unsupported_grant_type", f"Invalid grant_type: {request.body.get('grant_type') or ''}")
    claims = _claims(state, str(request.body.get("assertion") or ""))
    if claims is None:
        return _refusal("invalid_grant", "Invalid JWT Signature.")
    account = next((item for item in state.accounts if item.email == claims.get("iss")), None)
    if account is None:
        return _refusal("invalid_grant", "Invalid grant: account not found")
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int) or not isinstance(expires, int) or expires - issued > _LONGEST:
        return _refusal("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes).")
    token = records.Token(
        text=f"ya29.{secrets.token_urlsafe(48)}",
        account=account.id,
        expires=request.now + catalogue.ACCESS_TOKEN_SECONDS,
    )
    state.tokens = [item for item in state.tokens if item.expires > request.now] + [token]
    body = {"access_token": token.text, "expires_in": catalogue.ACCESS_TOKEN_SECONDS, "token_type": "Bearer"}
    return wire.Reply(200, body)


def valid(state: records.State, account: str, *, now: float) -> tuple[str, ...]:
    """Returns the tokens of an account that have not expired, including its permanent one."""
    permanent = tuple(item.token for item in state.accounts if item.id == account)
    return permanent + tuple(item.text for item in state.tokens if item.account == account and item.expires > now)


def _claims(state: records.State, assertion: str) -> Mapping[str, Any] | None:
    """Returns the claims of a signed request; ``None`` if it is malformed or has another signature."""
    parts = assertion.split(".")
    if len(parts) != _PARTS or state.key is None:
        return None
    public = serialization.load_pem_private_key(state.key.private.encode(), password=None).public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    try:
        public.verify(_decoded(parts[2]), f"{parts[0]}.{parts[1]}".encode(), padding.PKCS1v15(), hashes.SHA256())
        claims = json.loads(_decoded(parts[1]))
    except (exceptions.InvalidSignature, binascii.Error, ValueError, RecursionError):
        return None
    return claims if isinstance(claims, dict) else None


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _refusal(error: str, description: str) -> wire.Reply:
    return wire.Reply(400, {"error": error, "error_description": description})
