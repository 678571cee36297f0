"""Requests to a cloud's API, with retries, and errors for invalid responses."""

from __future__ import annotations

import base64
import dataclasses
import functools
import json
import time
import types
import urllib.parse
from typing import TYPE_CHECKING, Any, Final, TypeVar

from planton import errors
from planton.base import retries, telemetry, web
from planton.clouds import kubeconfigs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

C = TypeVar("C")
R = TypeVar("R")
_FIRST_REFUSAL = 300
_NOT_FOUND, _CONFLICT = 404, 409
_DENIED = (401, 403)
_TOO_MANY, _FIRST_OWN = 429, 500
#: The maximum number of characters of a refusal to show, because a proxy may send a whole page.
_LONGEST_TEXT = 1000
_NO_HEADERS: Final[Mapping[str, str]] = types.MappingProxyType({})
#: A list with more pages counts as endless.
MOST_PAGES = 1000


@dataclasses.dataclass(frozen=True, slots=True)
class Credential:
    """The credential of a cluster's Kubernetes API.

    Attributes:
        kubeconfig: The whole kubeconfig.
        token: A bearer token; empty if a certificate is used.
        certificate: PEM; empty if a token is used.
        key: PEM; empty if a token is used.
        expires: RFC 3339; empty if it does not expire.
    """

    kubeconfig: str = dataclasses.field(repr=False)
    token: str = dataclasses.field(default="", repr=False)
    certificate: str = dataclasses.field(default="", repr=False)
    key: str = dataclasses.field(default="", repr=False)
    expires: str = ""


def credential(kubeconfig: str, *, expires: str = "") -> Credential:
    """Returns the credential of a cloud's kubeconfig, from which only data is read.

    Raises:
        PlantonError: ``CLOUD_FAILED``: it is no kubeconfig, or has no token and no certificate.
    """
    entry = kubeconfigs.parse(kubeconfig)
    return Credential(
        entry.text(), entry.token, _decoded(entry.certificate), _decoded(entry.key), expires if isinstance(expires, str) else ""
    )


def _decoded(data: str) -> str:
    return base64.b64decode(data).decode()


def get(
    url: str,
    *,
    authorization: str,
    path: str,
    missing: str = "",
    wait: Callable[[float], None] = time.sleep,
    deadline: float = web.DEADLINE,
) -> Any:  # JSON data
    """Returns the answer to a GET, or None if the cloud answers "not found".

    Args:
        url: The whole address.
        authorization: The header's value.
        path: The name of the request in errors.
        missing: The text that a 404 must contain to be trusted; empty for any.
        wait: Sleeps so many seconds before a retry after 429 or 5xx.
        deadline: Seconds for each try.

    Raises:
        PlantonError: ``CLOUD_AUTH``; ``CLOUD_FAILED`` for 429 and 5xx; ``CLOUD_UNREACHABLE`` without a valid response.
    """
    headers = {"Authorization": authorization, "Accept": "application/json"}
    for usual in retries.CLOUD.attempts():
        try:
            answer = _send("GET", url, headers, deadline=deadline)
            if answer.status < _FIRST_REFUSAL:
                return answer.json()
        except web.NoAnswerError as error:
            hint = "check the network and the API address, then try again"
            raise _failed(f"did not answer GET {path}: {error}", errors.Reason.CLOUD_UNREACHABLE, hint) from None
        text = answer.text
        if answer.status == _NOT_FOUND and missing in text:
            return None
        pause = _pause(answer, usual)
        if pause is None:
            raise _refused(answer, path)
        wait(pause)
    raise AssertionError("the last try returns or raises")


def post(url: str, body: object, *, authorization: str, path: str) -> None:
    """Sends a POST, once: a creation must not be repeated when its answer is lost.

    Args:
        url: The whole address.
        body: JSON data.
        authorization: The header's value.
        path: The name of the request in errors.

    Raises:
        PlantonError: ``CLOUD_AUTH``; ``CLOUD_FAILED``; ``CLOUD_UNREACHABLE``: the cloud refused, or did not answer.
    """
    headers = {"Authorization": authorization, "Accept": "application/json", "Content-Type": "application/json"}
    try:
        answer = _send("POST", url, headers, body=json.dumps(body).encode())
    except web.NoAnswerError as error:
        hint = "check the network and the API address, then run the same command again: it looks at the cloud first"
        raise _failed(f"did not answer POST {path}: {error}", errors.Reason.CLOUD_UNREACHABLE, hint) from None
    if answer.status >= _FIRST_REFUSAL:
        reason = errors.Reason.CLOUD_AUTH if answer.status in _DENIED else errors.Reason.CLOUD_FAILED
        how = f"refused POST {path}: {answer.status} {answer.text[:_LONGEST_TEXT]}"
        raise _failed(how, reason, "correct what the cloud names, then run the same command again", status=answer.status)


def delete(url: str, *, authorization: str, path: str, body: Any = None) -> bool:  # JSON data
    """Sends a DELETE once, and returns whether the resource existed.

    Args:
        url: The whole address.
        authorization: The header's value.
        path: The name of the request in errors.
        body: The body; None for none.

    Raises:
        PlantonError: ``CLOUD_AUTH``; ``CLOUD_IN_USE`` for a conflict; ``CLOUD_FAILED``; ``CLOUD_UNREACHABLE``.
    """
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": authorization, "Accept": "application/json", "Content-Type": "application/json"}
    try:
        answer = _send("DELETE", url, headers, body=data)
    except web.NoAnswerError as error:
        hint = "check the network and the API address, then try again"
        raise _failed(f"did not answer DELETE {path}: {error}", errors.Reason.CLOUD_UNREACHABLE, hint) from None
    if answer.status == _NOT_FOUND:
        return False
    if answer.status == _CONFLICT:
        how = f"refused DELETE {path}: {answer.status} {answer.text[:_LONGEST_TEXT]}"
        raise _failed(how, errors.Reason.CLOUD_IN_USE, "delete what uses it first", status=answer.status)
    if answer.status >= _FIRST_REFUSAL:
        raise _refused(answer, path, method="DELETE")
    return True


def _send(
    method: str, url: str, headers: Mapping[str, str], *, body: bytes | None = None, deadline: float = web.DEADLINE
) -> web.Answer:
    began = time.monotonic()
    status, received = 0, _NO_HEADERS
    try:
        answer = web.request(method, url, headers=headers, body=body, deadline=deadline)
        status, received = answer.status, answer.headers
        return answer
    finally:
        path = urllib.parse.urlsplit(url).path
        telemetry.observer().requested(method, path, status, received, time.monotonic() - began)


def checked(cls: type[C]) -> type[C]:
    """Returns a cloud's class whose methods raise ``CLOUD_FAILED`` for a response that does not match the cloud's API.

    A proxy, a wrong address or a later version of the API can send any response. The methods read it without checks.
    """
    for name, method in list(vars(cls).items()):
        if not name.startswith("_") and isinstance(method, types.FunctionType):
            setattr(cls, name, _checked(method))
    return cls


def _checked(method: Callable[..., R]) -> Callable[..., R]:
    @functools.wraps(method)
    def wrapped(*args: object, **more: object) -> R:
        try:
            return method(*args, **more)
        except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
            raise unexpected(f"{type(error).__name__}: {error}") from error

    return wrapped


def unexpected(how: str) -> errors.PlantonError:
    """Returns the error for a response that does not match the cloud's API."""
    return _failed(
        f"answered with something that its API does not describe ({how})",
        errors.Reason.CLOUD_FAILED,
        "check that the API address is that of the cloud, and that no proxy answers in its place",
    )


def _pause(answer: web.Answer, usual: float | None) -> float | None:
    if usual is None or not _is_trouble(answer.status):
        return None
    return retries.CLOUD.pause(usual, answer.headers.get("retry-after", ""))


def _is_trouble(status: int) -> bool:
    return status == _TOO_MANY or status >= _FIRST_OWN


def _refused(answer: web.Answer, path: str, *, method: str = "GET") -> errors.PlantonError:
    status, text = answer.status, answer.text
    text = text if len(text) <= _LONGEST_TEXT else f"{text[:_LONGEST_TEXT]}…"
    if status in _DENIED:
        hint = "check the token and the region"
        return _failed(f"refused {method} {path}: {status} {text}", errors.Reason.CLOUD_AUTH, hint, status=status)
    how = f"failed at {method} {path}: {status} {text}"
    if _is_trouble(status):
        error = _failed(how, errors.Reason.CLOUD_FAILED, retries.HINT, status=status)
        error.metadata.update(retries.metadata(answer.headers.get("retry-after", "")))
        return error
    return _failed(how, errors.Reason.CLOUD_UNREACHABLE, "check the API address, then try again", status=status)


def _failed(how: str, reason: errors.Reason, hint: str, *, status: int = 0) -> errors.PlantonError:
    metadata = {"status": str(status)} if status else {}
    return errors.PlantonError(f"the cloud {how}", reason=reason, hint=hint, metadata=metadata)
