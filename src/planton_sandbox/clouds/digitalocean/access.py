"""Access to the clusters of the simulated DigitalOcean.

Each request for credentials issues a new token, which expires. No client certificates are issued.
"""

from __future__ import annotations

import secrets
from typing import Any

from planton_sandbox import clock, pki, wire
from planton_sandbox.clouds.digitalocean import catalogue, lists, records, scopes, views


def credentials(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET .../credentials``."""
    cluster = scope.cluster(request.parts["id"])
    token = _token(scope, cluster, request)
    return {
        "server": views.endpoint(cluster),
        "certificate_authority_data": pki.encoded(cluster.credentials.authority),
        "client_certificate_data": None,
        "client_key_data": None,
        "token": token.text,
        "expires_at": clock.rfc3339(token.expires),
    }


def kubeconfig(scope: scopes.Scope, request: wire.Request) -> str:
    """Answers ``GET .../kubeconfig``, in YAML."""
    cluster = scope.cluster(request.parts["id"])
    if request.query.get("type") == "sso":
        raise scopes.invalid("The cluster has no single sign-on; the sandbox gives tokens only")
    name = f"do-{cluster.region}-{cluster.name}"
    return pki.kubeconfig(
        cluster.credentials,
        name=name,
        server=views.endpoint(cluster),
        user=f"{name}-admin",
        token=_token(scope, cluster, request).text,
    )


def user(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET .../user``."""
    scope.cluster(request.parts["id"])
    return {"kubernetes_cluster_user": {"username": scope.account.email, "groups": ["k8saas:authenticated"]}}


def upgrades(scope: scopes.Scope, request: wire.Request) -> dict[str, Any]:
    """Answers ``GET .../upgrades``; null when there is no newer version."""
    cluster = scope.cluster(request.parts["id"])
    possible = [lists.version(item) for item in catalogue.upgrades(cluster.version)]
    return {"available_upgrade_versions": possible or None}


def add_registry(scope: scopes.Scope, request: wire.Request) -> None:
    """Answers ``POST /v2/kubernetes/registry``, as if the account had a registry."""
    _set_registry(scope, request, enabled=True)


def remove_registry(scope: scopes.Scope, request: wire.Request) -> None:
    """Answers ``DELETE /v2/kubernetes/registry``."""
    _set_registry(scope, request, enabled=False)


def valid(cluster: records.Cluster, *, now: float) -> tuple[str, ...]:
    """Returns the tokens of a cluster that have not expired."""
    return tuple(item.text for item in cluster.tokens if item.expires > now)


def _set_registry(scope: scopes.Scope, request: wire.Request, *, enabled: bool) -> None:
    for cluster in [scope.cluster(str(key)) for key in request.body.get("cluster_uuids") or []]:
        cluster.registry = enabled


def _token(scope: scopes.Scope, cluster: records.Cluster, request: wire.Request) -> records.Token:
    text = request.query.get("expiry_seconds") or "0"
    if not text.isdigit():
        raise scopes.invalid("expiry_seconds must be a number that is not negative")
    token = records.Token(
        text=f"dop_v1_{secrets.token_hex(32)}", expires=scope.now + (int(text) or catalogue.CREDENTIALS_SECONDS)
    )
    cluster.tokens = [item for item in cluster.tokens if item.expires > scope.now] + [token]
    return token
