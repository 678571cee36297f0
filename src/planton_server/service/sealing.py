"""Encrypts credentials with AES-256-GCM, and the keys in a file of the operator.

The file has a key on each line: 32 random bytes in base64. The first key encrypts, all of them decrypt, so that a new key can be put
before an old one. The file is read for each call, so that no restart is needed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import pathlib
import stat
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.ciphers import aead

_BYTES: Final = 32
_NONCE_BYTES: Final = 12


class UnusableError(Exception):
    """The keys cannot be used. The text says why, without a key."""


class Sealed(NamedTuple):
    """An encrypted text.

    Attributes:
        key: The id of its key.
        text: The nonce and the encrypted text, in base64.
    """

    key: str
    text: str


def seal(file: str, text: str, *, place: str) -> Sealed:
    """Encrypts a text.

    Args:
        file: The file of keys; empty if there is none.
        text: The text.
        place: Where it is stored. It cannot be decrypted at another place.

    Raises:
        UnusableError: There is no key.
    """
    key, secret = next(iter(_keys(file).items()))
    nonce = os.urandom(_NONCE_BYTES)
    return Sealed(key, base64.b64encode(nonce + _cipher(secret).encrypt(nonce, text.encode(), place.encode())).decode())


def unseal(file: str, sealed: Sealed, *, place: str) -> str:
    """Decrypts a text.

    Args:
        file: The file of keys; empty if there is none.
        sealed: What `seal` returned.
        place: The place that it got.

    Raises:
        UnusableError: Its key is not in the file, or the text was changed or moved.
    """
    secret = _keys(file).get(sealed.key)
    if secret is None:
        raise UnusableError(f"the key {sealed.key} is not in {file}")
    from cryptography import exceptions  # noqa: PLC0415  # memory: only a server with credentials uses it

    data = base64.b64decode(sealed.text)
    try:
        return _cipher(secret).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], place.encode()).decode()
    except exceptions.InvalidTag:
        raise UnusableError("it was changed in the database") from None


def _cipher(secret: bytes) -> aead.AESGCM:
    from cryptography.hazmat.primitives.ciphers import aead  # noqa: PLC0415  # memory: only a server with credentials uses it

    return aead.AESGCM(secret)


def _keys(file: str) -> Mapping[str, bytes]:
    """Returns the keys by their ids, the one that encrypts first."""
    if not file:
        raise UnusableError("the server has no keys: start it with --credential-keys FILE")
    try:
        path = pathlib.Path(file)
        if stat.S_IMODE(path.stat().st_mode) & 0o007:
            raise UnusableError(f"other users may read {file}: chmod 600 {file}")
        lines = [line.strip() for line in path.read_text("ascii").splitlines() if line.strip()]
        keys = [base64.b64decode(line, validate=True) for line in lines]
    except OSError as error:
        raise UnusableError(f"{file} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, binascii.Error):
        raise UnusableError(f"{file} must have a key on each line, {_BYTES} bytes in base64") from None
    if not keys or any(len(key) != _BYTES for key in keys):
        raise UnusableError(f"{file} must have a key on each line, {_BYTES} bytes in base64")
    return {hashlib.sha256(key).hexdigest()[:8]: key for key in keys}
