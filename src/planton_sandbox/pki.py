"""The certificates of a simulated cluster: its authority, its server and its administrator.

Each cluster has an authority of its own, so that a kubeconfig opens its own cluster only. Use them nowhere but in a sandbox.
"""

from __future__ import annotations

import base64
import dataclasses
import secrets

import trustme

_LONGEST_NAME = 64  # characters of a name in a certificate
_CLIENT = "admin@sandbox.invalid"


@dataclasses.dataclass(frozen=True, slots=True)
class Credentials:
    """The certificates, keys (all in PEM) and the bearer token of a cluster."""

    authority: str
    server: str
    server_key: str
    client: str
    client_key: str
    token: str


def issue(name: str, *, hostname: str) -> Credentials:
    """Creates the credentials of a cluster. They are valid from the year 2000 to the year 3000.

    Args:
        name: The cluster's name, for the subjects.
        hostname: The DNS name that the server has besides ``localhost`` and its address.
    """
    authority = trustme.CA(organization_name=name[:_LONGEST_NAME], organization_unit_name="sandbox", path_length=0)
    server = authority.issue_cert(
        "127.0.0.1", hostname, "localhost", "kubernetes", "kubernetes.default", common_name="kubernetes"
    )
    client = authority.issue_cert(_CLIENT, common_name="admin", organization_name="system:masters")
    return Credentials(
        authority=_text(authority.cert_pem),
        server=_text(server.cert_chain_pems[0]),
        server_key=_text(server.private_key_pem),
        client=_text(client.cert_chain_pems[0]),
        client_key=_text(client.private_key_pem),
        token=secrets.token_urlsafe(32),
    )


def kubeconfig(credentials: Credentials, *, name: str, server: str, user: str = "", token: str = "") -> str:
    """Return a kubeconfig, in YAML, with which an administrator reaches ``server``.

    Args:
        credentials: Those of the cluster.
        name: What cluster and context are called in it.
        server: The URL of the Kubernetes API.
        user: What the user is called in it; as ``name`` when empty.
        token: A bearer token; when empty, the client certificate is used.
    """
    certificate = (
        f"    client-certificate-data: {encoded(credentials.client)}\n    client-key-data: {encoded(credentials.client_key)}\n"
    )
    return (
        "apiVersion: v1\n"
        "kind: Config\n"
        "clusters:\n"
        "- cluster:\n"
        f"    certificate-authority-data: {encoded(credentials.authority)}\n"
        f"    server: {server}\n"
        f"  name: {name}\n"
        "contexts:\n"
        "- context:\n"
        f"    cluster: {name}\n"
        f"    user: {user or name}\n"
        f"  name: {name}\n"
        f"current-context: {name}\n"
        "preferences: {}\n"
        "users:\n"
        f"- name: {user or name}\n"
        "  user:\n" + (f"    token: {token}\n" if token else certificate)
    )


def encoded(text: str) -> str:
    """Return a text as kubeconfigs hold certificates."""
    return base64.b64encode(text.encode()).decode()


def _text(blob: trustme.Blob) -> str:
    return blob.bytes().decode()
