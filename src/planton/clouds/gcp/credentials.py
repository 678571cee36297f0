"""Credentials of Google Cloud: where this machine has them, and the access tokens that they give.

Nothing here reads the metadata server of a Google machine: there, pass an access token.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import functools
import json
import pathlib
import threading
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.base import addresses, web

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEY, _TOKEN = "service_account_key_base64", "access_token"
_TEXT_OR_PATH, _PATH, _TOKEN_VARIABLE = "GOOGLE_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_OAUTH_ACCESS_TOKEN"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_LOCK = threading.Lock()


def find(environ: Mapping[str, str]) -> tuple[dict[str, str], str]:
    """Returns the credential of this machine as fields of a provider config, and where it was found; both empty for none.

    The order is that of Google's own tools: variables first, then the application-default credentials of ``gcloud``.

    Args:
        environ: The environment.

    Raises:
        PlantonError: ``CREDENTIAL_INVALID``: a variable names a file that cannot be read, or that is no credential.
    """
    if token := environ.get(_TOKEN_VARIABLE):
        return {_TOKEN: token}, _TOKEN_VARIABLE
    if text := environ.get(_TEXT_OR_PATH):
        return {
            _KEY: _encoded(text if text.lstrip().startswith("{") else _file(text, _TEXT_OR_PATH), _TEXT_OR_PATH)
        }, _TEXT_OR_PATH
    if path := environ.get(_PATH):
        return {_KEY: _encoded(_file(path, _PATH), _PATH)}, _PATH
    usual = _usual(environ)
    if usual is not None and usual.is_file():
        source = "application-default credentials"
        return {_KEY: _encoded(_file(str(usual), source), source)}, source
    return {}, ""


def _usual(environ: Mapping[str, str]) -> pathlib.Path | None:
    folder, home = environ.get("CLOUDSDK_CONFIG"), environ.get("HOME")
    if folder:
        return pathlib.Path(folder) / "application_default_credentials.json"
    return pathlib.Path(home) / ".config" / "gcloud" / "application_default_credentials.json" if home else None


def _file(path: str, source: str) -> str:
    try:
        return pathlib.Path(path).read_text("utf-8")
    except (OSError, ValueError) as error:
        raise _invalid(source, f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _encoded(text: str, source: str) -> str:
    _parsed(text, source)
    return base64.b64encode(text.encode()).decode()


def _parsed(text: str, source: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError:
        # The parser's message could show a part of the key.
        raise _invalid(source, "it is not JSON") from None
    if not isinstance(data, dict) or not isinstance(data.get("type"), str):
        raise _invalid(source, "it is no credential of Google Cloud: it has no type")
    return data


def _invalid(source: str, why: str) -> errors.PlantonError:
    return errors.credential_invalid(
        f"the credential for gcp ({source}) cannot be used: {why}",
        hint="name the JSON key of a service account, or run: gcloud auth application-default login",
    )


def as_json(key: str) -> str:
    """Returns the JSON form of a key in base64.

    Raises:
        PlantonError: ``CREDENTIAL_INVALID``.
    """
    try:
        text = base64.b64decode(key, validate=True).decode()
    except (binascii.Error, ValueError):
        raise _invalid("serviceAccountKeyBase64", "it is not base64") from None
    _parsed(text, "serviceAccountKeyBase64")
    return text


def is_of_this_machine(key: str) -> bool:
    """Returns whether a key, in base64, gets its tokens from this machine: it is the sandbox's."""
    try:
        return addresses.is_local(str(json.loads(base64.b64decode(key)).get("token_uri", "")))
    except (ValueError, AttributeError):
        return False


def project(key: str) -> str:
    """Returns the project that a key, in base64, belongs to; empty if it names none."""
    return str(json.loads(as_json(key)).get("project_id") or "") if key else ""


@dataclasses.dataclass(frozen=True, slots=True)
class Token:
    """An access token.

    Attributes:
        value: The bearer token.
        expires: RFC 3339; empty if unknown.
    """

    value: str = dataclasses.field(repr=False)
    expires: str = ""


def token(key: str, access_token: str) -> Token:
    """Returns a current access token.

    Args:
        key: The key in base64; empty for none.
        access_token: A token that is used as it is; empty to get one with the key.

    Raises:
        PlantonError: ``CREDENTIAL_INVALID``; ``CLOUD_AUTH``: Google refuses the key; ``CLOUD_UNREACHABLE``.
    """
    if access_token:
        return Token(access_token)
    # One request at a time: a run of many resources needs one token.
    with _LOCK:
        credential = _credential(key)
        _refresh(credential)
        expiry = credential.expiry
        return Token(credential.token, f"{expiry.isoformat(timespec='seconds')}Z" if expiry else "")


@functools.lru_cache(maxsize=16)
def _credential(key: str) -> Any:  # google-auth has no types for it
    import google.auth  # noqa: PLC0415  # 10 ms, needed only where a key is exchanged for a token

    info = json.loads(as_json(key))
    try:
        loaded, _ = google.auth.load_credentials_from_dict(info, scopes=[_SCOPE])  # type: ignore[no-untyped-call]  # it has no types
    except (google.auth.exceptions.GoogleAuthError, ValueError, KeyError):
        # Its message may contain the key.
        raise _invalid("serviceAccountKeyBase64", f"Google's library refuses its content (type {info['type']!r})") from None
    return loaded


def _refresh(credential: Any) -> None:
    from google.auth import exceptions  # noqa: PLC0415  # 7 ms, needed only where a key is exchanged for a token

    if credential.valid:
        return
    try:
        credential.refresh(_request)
    except exceptions.RefreshError as error:
        text = str(error.args[0]) if error.args else "no reason given"
        raise errors.PlantonError(
            f"Google refuses the credential for gcp: {text[:300]}",
            reason=errors.Reason.CLOUD_AUTH,
            hint="check that the key was not deleted or disabled; create a new one, or log in again",
        ) from None
    except (exceptions.TransportError, web.NoAnswerError) as error:
        raise errors.cloud_unreachable(
            f"the token server of Google Cloud did not answer: {error}",
            hint="check the network and the token_uri of the key, then try again",
        ) from None


@dataclasses.dataclass(frozen=True, slots=True)
class _Response:
    status: int
    headers: Mapping[str, str]
    data: bytes


def _request(
    url: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: float | None = None,
    **_: object,
) -> _Response:
    """Sends a request for google-auth, with the limits of all requests to clouds."""
    answer = web.request(method, url, headers=headers or {}, body=body, deadline=timeout or web.DEADLINE)
    return _Response(answer.status, answer.headers, answer.body)
