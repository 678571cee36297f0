"""Kubeconfigs from clouds, of which only the address, the certificates, the key and the token are read.

A kubeconfig can name a program that kubectl runs (``exec``, ``auth-provider``) and files of this machine. A server that
impersonates the cloud must not be able to use these.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import re
from typing import Any

import yaml

from planton import errors

#: The maximum size that is read, in bytes; those of clouds have 6 KiB.
_MOST_BYTES = 1024**2
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@:/-]{0,252}")
_SERVER = re.compile(r"https?://[!-~]+")
_TOKEN = re.compile(r"[!-~]+")


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """The entry of one cluster in a kubeconfig.

    Attributes:
        name: The name of the cluster and of the context.
        user: The name of the user.
        server: The address of the API server.
        authority: The certificate of its certificate authority, PEM in base64; may be empty.
        token: A bearer token; may be empty if there is a certificate.
        certificate: The user's certificate, PEM in base64; may be empty if there is a token.
        key: Its key, PEM in base64.
    """

    name: str
    user: str
    server: str
    authority: str
    token: str = dataclasses.field(default="", repr=False)
    certificate: str = dataclasses.field(default="", repr=False)
    key: str = dataclasses.field(default="", repr=False)

    def text(self) -> str:
        """Returns a kubeconfig with one cluster, one user and one context."""
        cluster = {"server": self.server, "certificate-authority-data": self.authority}
        user = {"client-certificate-data": self.certificate, "client-key-data": self.key, "token": self.token}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": self.name, "cluster": {key: value for key, value in cluster.items() if value}}],
            "users": [{"name": self.user, "user": {key: value for key, value in user.items() if value}}],
            "contexts": [{"name": self.name, "context": {"cluster": self.name, "user": self.user}}],
            "current-context": self.name,
        }
        return str(yaml.safe_dump(config, sort_keys=False))


def parse(text: str) -> Entry:
    """Returns the entry of the first cluster and the first user of a kubeconfig.

    Raises:
        PlantonError: ``CLOUD_FAILED``: it is no kubeconfig, or has no token and no certificate.
    """
    try:
        config = _load(text)
        cluster, user = _first(config, "clusters", "cluster"), _first(config, "users", "user")
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError, yaml.YAMLError):
        # The parser's text may show a token, so it is not passed on.
        raise _broken("it is not YAML with a cluster and a user") from None
    entry = Entry(
        _named(cluster[0], "cluster"),
        _named(user[0], "admin"),
        _text(cluster[1], "server", _SERVER),
        _pem(cluster[1], "certificate-authority-data"),
        _text(user[1], "token", _TOKEN),
        _pem(user[1], "client-certificate-data"),
        _pem(user[1], "client-key-data"),
    )
    if not entry.server:
        raise _broken("it has no address of an API server")
    if not (entry.token or (entry.certificate and entry.key)):
        raise _broken("it has no token and no certificate with a key; a program or a file that it may name is not used")
    return entry


def _load(text: str) -> dict[str, Any]:
    if len(text) > _MOST_BYTES:
        raise ValueError("too long")
    config: Any = yaml.safe_load(text)
    if not isinstance(config, dict):
        raise TypeError("not a mapping")
    return config


def _first(config: dict[str, Any], plural: str, singular: str) -> tuple[Any, dict[str, Any]]:
    entry = config[plural][0]
    content = entry[singular]
    if not isinstance(content, dict):
        raise TypeError("not a mapping")
    return entry.get("name"), content


def _named(name: object, usual: str) -> str:
    return name if isinstance(name, str) and _NAME.fullmatch(name) else usual


def _text(content: dict[str, Any], key: str, pattern: re.Pattern[str]) -> str:
    value = content.get(key)
    if value in (None, ""):
        return ""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _broken(f"its {key} is not one")
    return value


def _pem(content: dict[str, Any], key: str) -> str:
    value = content.get(key)
    if value in (None, ""):
        return ""
    try:
        base64.b64decode(value, validate=True).decode("ascii")
    except (TypeError, ValueError, binascii.Error):
        raise _broken(f"its {key} is not a text in base64") from None
    return str(value)


def _broken(why: str) -> errors.PlantonError:
    return errors.PlantonError(
        f"the kubeconfig from the cloud cannot be used: {why}",
        reason=errors.Reason.CLOUD_FAILED,
        hint="check that the API address is that of the cloud; planton refresh reads the kubeconfig again",
    )
