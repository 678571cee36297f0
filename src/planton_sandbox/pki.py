"""The certificates of a simulated cluster: its own authority, its server, its administrator.

Each cluster has an authority of its own, so that the kubeconfig of one opens no
other. Nothing here may be used outside a sandbox.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import ipaddress
import secrets

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = datetime.timedelta(days=3650)
BACKDATED = datetime.timedelta(days=1)


@dataclasses.dataclass(frozen=True, slots=True)
class Credentials:
    """What a cluster needs to know its friends; all certificates and keys in PEM."""

    authority: str
    server: str
    server_key: str
    client: str
    client_key: str
    token: str


def issue(name: str, *, hostnames: tuple[str, ...], now: float) -> Credentials:
    """Make the credentials of a cluster.

    Args:
        name: The cluster's name, for the subjects.
        hostnames: Names besides ``localhost`` that the server answers to.
        now: The real time, in seconds since the epoch, for the validity.
    """
    moment = datetime.datetime.fromtimestamp(int(now), tz=datetime.UTC)
    root_key = ec.generate_private_key(ec.SECP256R1())
    root = _certificate(_subject(f"{name}-ca"), key=root_key, issuer=None, moment=moment, usage=None, names=())
    signer = (root, root_key)
    server_key, client_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    names = (*hostnames, "localhost", "kubernetes", "kubernetes.default")
    server = _certificate(
        _subject("kubernetes"),
        key=server_key,
        issuer=signer,
        moment=moment,
        usage=ExtendedKeyUsageOID.SERVER_AUTH,
        names=names,
    )
    client = _certificate(
        _subject("admin", group="system:masters"),
        key=client_key,
        issuer=signer,
        moment=moment,
        usage=ExtendedKeyUsageOID.CLIENT_AUTH,
        names=(),
    )
    return Credentials(
        authority=_pem(root),
        server=_pem(server),
        server_key=_key_pem(server_key),
        client=_pem(client),
        client_key=_key_pem(client_key),
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


def _subject(common: str, *, group: str = "") -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common[:64])]
    if group:
        attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    return x509.Name(attributes)


def _certificate(
    subject: x509.Name,
    *,
    key: ec.EllipticCurvePrivateKey,
    issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None,
    moment: datetime.datetime,
    usage: x509.ObjectIdentifier | None,
    names: tuple[str, ...],
) -> x509.Certificate:
    parent = issuer[0].subject if issuer else subject
    signer = issuer[1] if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(parent)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - BACKDATED)
        .not_valid_after(moment + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(_usage(authority=issuer is None), critical=True)
    )
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if names:
        addresses: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        entries = [*addresses, *(x509.DNSName(item) for item in names)]
        builder = builder.add_extension(x509.SubjectAlternativeName(entries), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
