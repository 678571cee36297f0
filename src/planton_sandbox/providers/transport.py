"""One HTTP request, as the plugins' client libraries send it: no connection is kept, and a zipped answer is unzipped."""

from __future__ import annotations

import dataclasses
import gzip
import http.client
import urllib.parse

DROPPED = (http.client.RemoteDisconnected, http.client.IncompleteRead)
"""What is raised when the other side hangs up."""
FAILURES = (OSError, http.client.HTTPException)
"""What is raised when there is no answer."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back.

    Attributes:
        status: the status code.
        reason: what the server calls it.
        headers: the headers, their names in lower case.
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
        http.client.HTTPException: The answer is broken off, or no HTTP.
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
