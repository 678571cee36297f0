"""Kubeconfigs as the official plugin writes them from a cluster's credentials; it never asks the cloud for one."""

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
        credentials: what the cloud says; certificates and keys are in base64.
    """
    authority, certificate, key = (
        credentials.get(f"{part}_data") for part in ("certificate_authority", "client_certificate", "client_key")
    )
    user = {"client-key-data": key, "client-certificate-data": certificate}
    cluster = f"do-{region}-{name}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "cluster": {"certificate-authority-data": authority or "", "server": credentials.get("server", "")},
                "name": cluster,
            }
        ],
        "contexts": [{"context": {"cluster": cluster, "user": f"{cluster}-admin"}, "name": cluster}],
        "current-context": cluster,
        "users": [
            {
                "name": f"{cluster}-admin",
                "user": {
                    **{field: value for field, value in user.items() if value},
                    "token": credentials.get("token", ""),
                },
            }
        ],
    }
    return {
        "rawConfig": yaml.safe_dump(config, sort_keys=False, width=math.inf),
        "host": credentials.get("server", ""),
        "clusterCaCertificate": authority or "",
        "clientKey": _plain(key),
        "clientCertificate": _plain(certificate),
        "token": credentials.get("token", ""),
        "expiresAt": _to_the_second(credentials.get("expires_at")),
    }


def is_current(kubeconfigs: values.Json, now: dt.datetime) -> bool:
    """Tells whether a state has a kubeconfig that has not expired."""
    expires = kubeconfigs[0].get("expiresAt") if isinstance(kubeconfigs, list) and kubeconfigs else ""
    return bool(expires) and dt.datetime.fromisoformat(str(expires)) >= now


def _plain(encoded: str | None) -> str:
    return base64.b64decode(encoded).decode(errors="replace") if encoded else ""


def _to_the_second(text: str | None) -> str:
    if not text:
        return _NEVER
    return dt.datetime.fromisoformat(text).isoformat(timespec="seconds").replace("+00:00", "Z")
