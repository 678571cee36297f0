"""When a certificate ends. Python's ``ssl`` reads this of authorities only."""

from __future__ import annotations

import base64
import binascii
import datetime
import re
from typing import Final

#: The validity of a certificate in DER: a sequence of two times, each UTCTime or GeneralizedTime (RFC 5280, section 4.1.2.5).
_TIME: Final = rb"(?:\x17\x0d(\d{12})Z|\x18\x0f(\d{14})Z)"
_VALIDITY: Final = re.compile(rb"\x30." + _TIME + _TIME, re.DOTALL)
#: UTCTime has years of two digits; from this one on they are those of the last century.
_LAST_CENTURY: Final = 50


def not_after(pem: str) -> datetime.datetime | None:
    """Returns the time until which a certificate is valid; None if the text is no certificate.

    Args:
        pem: The certificate, PEM.
    """
    body = re.search(r"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", pem, re.DOTALL)
    if body is None:
        return None
    try:
        match = _VALIDITY.search(base64.b64decode("".join(body[1].split()), validate=True))
        if match is None:
            return None
        return _moment(match[3], match[4])
    except (binascii.Error, ValueError):
        return None


def _moment(short: bytes | None, full: bytes | None) -> datetime.datetime:
    text = full.decode() if full is not None else (short or b"").decode()
    if full is None:
        text = ("19" if int(text[:2]) >= _LAST_CENTURY else "20") + text
    return datetime.datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=datetime.UTC)
