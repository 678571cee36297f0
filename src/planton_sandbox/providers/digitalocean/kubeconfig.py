"""Kubeconfigs as the official plugin writes them from a cluster's credentials; it never fetches one from the cloud."""

from __future__ import annotations

import base64
import datetime as dt
import math

import yaml

from planton_sandbox.providers import planning, values

_NEVER = "0001-01-01T00:00:00Z"


def describe(name: str, region: str, credentials: planning.State) -> planning.State:
    """Returns the fields of a kubeconfig.

    Args:
        name: the cluster's name.
        region: its region.
        credentials: the cloud's answer; certificates and keys are in base64.
    """
    server, token = credentials.get("server", ""), credentials.get("token", "")
    authority, certificate, key = (
        credentials.get(f"{part}_data") for part in ("certificate_authority", "client_certificate", "client_key")
    )
    user = {"client-key-data": key, "client-certificate-data": certificate}
    user = {field: value for field, value in user.items() if value} | {"token": token}
    cluster = {"certificate-authority-data": authority or "", "server": server}
    return {
        "rawConfig": _file(f"do-{region}-{name}", cluster, user),
        "host": server,
        "clusterCaCertificate": authority or "",
        "clientKey": _plain(key),
        "clientCertificate": _plain(certificate),
        "token": token,
        "expiresAt": _to_the_second(credentials.get("expires_at")),
    }


def is_current(kubeconfigs: values.Json, now: dt.datetime) -> bool:
    """Returns whether a state has a kubeconfig that has not expired."""
    expires = kubeconfigs[0].get("expiresAt") if isinstance(kubeconfigs, list) and kubeconfigs else ""
    return bool(expires) and dt.datetime.fromisoformat(str(expires)) >= now


def _file(name: str, cluster: planning.State, user: planning.State) -> str:
    """Returns a kubeconfig in YAML with one cluster, context and user."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"cluster": cluster, "name": name}],
        "contexts": [{"context": {"cluster": name, "user": f"{name}-admin"}, "name": name}],
        "current-context": name,
        "users": [{"name": f"{name}-admin", "user": user}],
    }
    return str(yaml.safe_dump(config, sort_keys=False, width=math.inf))


def _plain(encoded: str | None) -> str:
    return base64.b64decode(encoded).decode(errors="replace") if encoded else ""


def _to_the_second(text: str | None) -> str:
    if not text:
        return _NEVER
    return dt.datetime.fromisoformat(text).isoformat(timespec="seconds").replace("+00:00", "Z")
