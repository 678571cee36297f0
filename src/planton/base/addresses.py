"""Addresses of servers."""

from __future__ import annotations

import urllib.parse


def is_local(address: str) -> bool:
    """Returns whether a URL is of this machine. A text that is no URL is not."""
    try:
        return urllib.parse.urlsplit(address).hostname in ("127.0.0.1", "localhost", "::1")
    except ValueError:
        return False
