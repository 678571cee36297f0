"""The page at /docs: one text that loads nothing from elsewhere, and headers that allow just what is in it."""

import base64
import hashlib
import re

from planton_server.http import docs_page


def inline(tag):
    (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", docs_page.PAGE, re.DOTALL)
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def policy():
    directives = docs_page.HEADERS["Content-Security-Policy"].split("; ")
    return dict(directive.split(" ", 1) for directive in directives)


def test_policy_allows_the_pages_own_script_and_style_only():
    """The digests in the policy are those of the script and the style in the page; everything else is forbidden."""
    assert policy() == {
        "default-src": "'none'",
        "script-src": inline("script"),
        "style-src": inline("style"),
        "connect-src": "'self'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


def test_page_loads_nothing_from_elsewhere():
    """No address of another host is in the page, and nothing that would load one."""
    assert "//" not in re.sub(r"^// .*$", "", docs_page.PAGE, flags=re.MULTILINE)
    assert set(re.findall(r'(?:src|href)="([^"]*)"', docs_page.PAGE)) == {"data:,", "openapi.json"}


def test_page_needs_nothing_that_the_policy_forbids():
    """There are no handlers or styles in attributes, and no text becomes markup or code."""
    assert not re.search(r"<[^>]+\s(?:on\w+|style)=", docs_page.PAGE)
    assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", docs_page.PAGE)
