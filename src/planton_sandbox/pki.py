"""The certificates of a simulated cluster: its authority, its server and its administrator.

Each cluster has its own authority, so a kubeconfig works for its own cluster only. These certificates are for the sandbox only.
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
    """Creates the credentials of a cluster. The certificates are valid from the year 2000 to the year 3000.

    Args:
        name: The cluster's name, for the authority's subject.
        hostname: A DNS name of the server, in addition to ``localhost`` and 127.0.0.1.
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
    """Returns an administrator's kubeconfig for ``server``, in YAML.

    Args:
        credentials: The cluster's credentials.
        name: The name of the cluster and of the context.
        server: The URL of the Kubernetes API.
        user: The name of the user; ``name`` if empty.
        token: A bearer token; if empty, the client certificate is used.
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
    """Returns a text in base64, the encoding of certificates in kubeconfigs."""
    return base64.b64encode(text.encode()).decode()


def _text(blob: trustme.Blob) -> str:
    return blob.bytes().decode()
