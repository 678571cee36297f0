"""Requests to a cloud's API: what is tried again, and what is no answer."""

from __future__ import annotations

import base64
import dataclasses
import json
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import yaml

from planton import errors
from planton.modules import lookups

if TYPE_CHECKING:
    from collections.abc import Callable

_SECONDS = 30
_NOT_FOUND = 404
_DENIED = (401, 403)
_TOO_MANY, _FIRST_OWN = 429, 500
#: Who asks for more than that is left alone: the user can come back.
_LONGEST_WAIT = 10.0


@dataclasses.dataclass(frozen=True, slots=True)
class Credential:
    """What opens a cluster's Kubernetes API.

    Attributes:
        kubeconfig: The whole kubeconfig.
        token: A bearer token; empty where a certificate is used.
        certificate: PEM; empty where a token is used.
        key: PEM; empty where a token is used.
        expires: RFC 3339; empty where it does not expire.
    """

    kubeconfig: str = dataclasses.field(repr=False)
    token: str = dataclasses.field(default="", repr=False)
    certificate: str = dataclasses.field(default="", repr=False)
    key: str = dataclasses.field(default="", repr=False)
    expires: str = ""


def credential(kubeconfig: str, *, expires: str = "") -> Credential:
    """Returns the credential of the first user of a kubeconfig."""
    user: dict[str, str] = yaml.safe_load(kubeconfig)["users"][0]["user"]

    def decoded(name: str) -> str:
        return base64.b64decode(user.get(name) or "").decode()

    return Credential(
        kubeconfig, user.get("token") or "", decoded("client-certificate-data"), decoded("client-key-data"), expires
    )


def get(
    url: str, *, authorization: str, path: str, missing: str = "", wait: Callable[[float], None] = time.sleep
) -> Any:  # JSON data
    """Returns the answer to a GET, or None where the cloud says "not found".

    Args:
        url: The whole address.
        authorization: The header's value.
        path: What to call the request in errors.
        missing: What a 404 must say to be believed; any where empty.
        wait: Waits so many seconds, before a further try after 429 or 5xx.

    Raises:
        PlantonError: ``CLOUD_AUTH``; ``CLOUD_FAILED`` for 429 and 5xx; ``CLOUD_UNREACHABLE`` for anything else that is no answer.
    """
    request = urllib.request.Request(  # the endpoint is checked to be http or https (provider.proto)
        url, headers={"Authorization": authorization, "Accept": "application/json"}
    )
    for usual in (*lookups.WAITS, None):
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            if error.code == _NOT_FOUND and missing in text:
                return None
            pause = _pause(error, usual)
            if pause is None:
                raise _refused(error.code, path, text) from None
        except (OSError, ValueError) as error:
            hint = "check the network and the API address, then try again"
            raise _failed(f"did not answer GET {path}: {error}", errors.Reason.CLOUD_UNREACHABLE, hint) from None
        wait(pause)
    raise AssertionError("the last try returns or raises")


def post(url: str, body: object, *, authorization: str, path: str) -> None:
    """Sends a POST, once: a creation must not be repeated when its answer is lost.

    Args:
        url: The whole address.
        body: JSON data.
        authorization: The header's value.
        path: What to call the request in errors.

    Raises:
        PlantonError: ``CLOUD_AUTH``; ``CLOUD_FAILED``; ``CLOUD_UNREACHABLE``: the cloud refused, or did not answer.
    """
    headers = {"Authorization": authorization, "Accept": "application/json", "Content-Type": "application/json"}
    # The endpoint is checked to be http or https (provider.proto).
    request = urllib.request.Request(url, data=json.dumps(body).encode(), headers=headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS):
            return
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
        reason = errors.Reason.CLOUD_AUTH if error.code in _DENIED else errors.Reason.CLOUD_FAILED
        how = f"refused POST {path}: {error.code} {text}"
        raise _failed(how, reason, "correct what the cloud names, then run the same command again") from None
    except OSError as error:
        hint = "check the network and the API address, then run the same command again: it looks at the cloud first"
        raise _failed(f"did not answer POST {path}: {error}", errors.Reason.CLOUD_UNREACHABLE, hint) from None


def _pause(error: urllib.error.HTTPError, usual: float | None) -> float | None:
    if usual is None or not _is_trouble(error.code):
        return None
    asked = (error.headers.get("Retry-After") or "").strip()
    seconds = float(asked) if asked.isdecimal() else usual
    return seconds if seconds <= _LONGEST_WAIT else None


def _is_trouble(status: int) -> bool:
    return status == _TOO_MANY or status >= _FIRST_OWN


def _refused(status: int, path: str, text: str) -> errors.PlantonError:
    if status in _DENIED:
        return _failed(f"refused GET {path}: {status} {text}", errors.Reason.CLOUD_AUTH, "check the token and the region")
    how = f"failed at GET {path}: {status} {text}"
    if _is_trouble(status):
        return _failed(how, errors.Reason.CLOUD_FAILED, lookups.PATIENCE)
    return _failed(how, errors.Reason.CLOUD_UNREACHABLE, "check the API address, then try again")


def _failed(how: str, reason: errors.Reason, hint: str) -> errors.PlantonError:
    return errors.PlantonError(f"the cloud {how}", code=errors.Code.FAILED, reason=reason, hint=hint)
