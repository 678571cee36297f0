"""The end of a certificate."""

from __future__ import annotations

import base64
import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from planton.clouds import certificates


@pytest.mark.parametrize("year", [1999, 2026, 2049, 2050, 2099])
def test_the_end_of_a_certificate_is_read(year: int) -> None:
    """Before 2050 the year has two digits in the certificate, afterwards four."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "admin")])
    ends = datetime.datetime(year, 12, 31, 23, 59, 58, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
    certificate = builder.not_valid_before(ends - datetime.timedelta(days=365)).not_valid_after(ends).sign(key, hashes.SHA256())
    assert certificates.not_after(certificate.public_bytes(serialization.Encoding.PEM).decode()) == ends


@pytest.mark.parametrize("body", ["", "!", base64.b64encode(b"no certificate").decode()])
def test_another_text_has_no_end(body: str) -> None:
    """A cloud may send anything."""
    assert certificates.not_after(body) is None
    assert certificates.not_after(f"-----BEGIN CERTIFICATE-----{body}-----END CERTIFICATE-----") is None
