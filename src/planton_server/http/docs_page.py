"""The page at ``/docs``: one HTML document that shows ``/openapi.json`` and calls its methods.

Style and script are inline, and the headers allow only these two, by their digests. The page loads nothing else, and injected text
cannot run.
"""

from __future__ import annotations

import base64
import hashlib
import pathlib
from typing import Final

_FOLDER: Final = pathlib.Path(__file__).with_name("page")


def _source(text: str) -> str:
    """Returns the source expression of an inline style or script for Content-Security-Policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


_CSS: Final = (_FOLDER / "page.css").read_text("utf-8")
_JS: Final = (_FOLDER / "page.js").read_text("utf-8")
#: The page.
PAGE: Final = (_FOLDER / "page.html").read_text("utf-8").replace("{css}", _CSS).replace("{js}", _JS)
#: The headers of the page.
HEADERS: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; script-src {_source(_JS)}; style-src {_source(_CSS)}; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
