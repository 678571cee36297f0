"""Pages of the simulated DigitalOcean's lists.

An answer has ``links`` to the neighbouring pages, and the number of all items in ``meta``.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Sequence
from typing import Any

from planton_sandbox import wire
from planton_sandbox.clouds.digitalocean import scopes

PER_PAGE = 20
MOST_PER_PAGE = 200


def page(request: wire.Request, name: str, items: Sequence[Any]) -> dict[str, Any]:
    """Returns the requested page of ``items`` under the key ``name``."""
    number, size = _number(request, "page", default=1), _number(request, "per_page", default=PER_PAGE)
    if size > MOST_PER_PAGE:
        raise scopes.invalid(f"per_page must be at most {MOST_PER_PAGE}")
    last = max(-(-len(items) // size), 1)
    links: dict[str, str] = {}
    if number > 1:
        links |= {"first": _link(request, 1), "prev": _link(request, min(number - 1, last))}
    if number < last:
        links |= {"next": _link(request, number + 1), "last": _link(request, last)}
    return {
        name: list(items[(number - 1) * size : number * size]),
        "links": {"pages": links} if links else {},
        "meta": {"total": len(items)},
    }


def _number(request: wire.Request, name: str, *, default: int) -> int:
    text = request.query.get(name, "")
    if text and not (text.isdigit() and int(text) > 0):
        raise scopes.invalid(f"{name} must be a number of at least 1")
    return int(text) if text else default


def _link(request: wire.Request, number: int) -> str:
    query = urllib.parse.urlencode({**request.query, "page": number})
    return f"{request.base}{request.path}?{query}"
