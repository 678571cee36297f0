"""GET requests to a cloud's API, and what is no answer."""

from __future__ import annotations

import base64
import dataclasses
import json
import urllib.error
import urllib.request
from typing import Any

import yaml

from planton import errors

_SECONDS = 30
_NOT_FOUND = 404


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


def get(url: str, *, authorization: str, path: str, missing: str = "") -> Any:  # JSON data
    """Returns the answer to a GET, or None where the cloud says "not found".

    Args:
        url: The whole address.
        authorization: The header's value.
        path: What to call the request in errors.
        missing: What a 404 must say to be believed; any where empty.

    Raises:
        PlantonError: ``CLOUD_AUTH``; ``CLOUD_UNREACHABLE`` for anything else that is not an answer.
    """
    request = urllib.request.Request(  # the endpoint is checked to be http or https (provider.proto)
        url, headers={"Authorization": authorization, "Accept": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        text = error.read().decode(errors="replace")
        if error.code == _NOT_FOUND and missing in text:
            return None
        auth = error.code in (401, 403)
        how = "refused" if auth else "failed at"
        raise _failed(f"{how} GET {path}: {error.code} {text}", auth=auth) from None
    except (OSError, ValueError) as error:
        raise _failed(f"did not answer GET {path}: {error}", auth=False) from None


def _failed(how: str, *, auth: bool) -> errors.PlantonError:
    return errors.PlantonError(
        f"the cloud {how}",
        code=errors.Code.FAILED,
        reason=errors.Reason.CLOUD_AUTH if auth else errors.Reason.CLOUD_UNREACHABLE,
        hint="check the token and the region" if auth else "check the network and the API address, then try again",
    )
