"""One HTTP request, as the plugins' client libraries send it: without keep-alive, and with gzip for answers."""

from __future__ import annotations

import dataclasses
import gzip
import http.client
import urllib.parse

DROPPED = (http.client.RemoteDisconnected, http.client.IncompleteRead)
"""The exceptions when the server closes the connection."""
FAILURES = (OSError, http.client.HTTPException)
"""The exceptions when there is no answer."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """An HTTP answer.

    Attributes:
        status: the status code.
        reason: the reason phrase.
        headers: the headers, with names in lower case.
        text: the body.
    """

    status: int
    reason: str
    headers: dict[str, str]
    text: str


def exchange(method: str, address: str, *, body: bytes | None, headers: dict[str, str]) -> Answer:
    """Sends a request and reads the whole answer.

    Raises:
        OSError: There is no connection.
        http.client.HTTPException: The answer is incomplete, or not HTTP.
    """
    url = urllib.parse.urlsplit(address)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.netloc)
    try:
        target = f"{url.path}?{url.query}" if url.query else url.path
        connection.request(method, target, body=body, headers=headers)
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    received = {name.lower(): value for name, value in response.headers.items()}
    if received.get("content-encoding") == "gzip":
        content = gzip.decompress(content)
    return Answer(status=response.status, reason=response.reason, headers=received, text=content.decode(errors="replace"))
