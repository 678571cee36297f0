"""The certificates of simulated clusters."""

from __future__ import annotations

import ipaddress

import pytest
from cryptography import exceptions, x509
from cryptography.x509.oid import NameOID

from planton_sandbox import pki


def _certificate(pem: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem.encode())


def test_the_client_certificate_is_an_administrators() -> None:
    """Kubernetes takes the user from the common name and the groups from the organization."""
    subject = _certificate(pki.issue("c1", hostname="c1.example.com").client).subject
    assert [item.value for item in subject.get_attributes_for_oid(NameOID.COMMON_NAME)] == ["admin"]
    assert [item.value for item in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)] == ["system:masters"]


def test_the_server_certificate_has_the_names_of_the_server() -> None:
    """Clients connect to 127.0.0.1 or to the cluster's host name."""
    certificate = _certificate(pki.issue("c1", hostname="c1.example.com").server)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("127.0.0.1")]
    assert {"c1.example.com", "localhost", "kubernetes"} <= set(names.get_values_for_type(x509.DNSName))


def test_each_cluster_has_its_own_authority() -> None:
    """The kubeconfig of one cluster is refused by another, even under the same name."""
    first, second = pki.issue("c1", hostname="c1.example.com"), pki.issue("c1", hostname="c1.example.com")
    _certificate(first.client).verify_directly_issued_by(_certificate(first.authority))
    with pytest.raises((ValueError, exceptions.InvalidSignature)):
        _certificate(first.client).verify_directly_issued_by(_certificate(second.authority))
