"""Checks the relative links and anchors of every committed Markdown file. It needs no network.

Usage: python tools/links.py [FOLDER]
"""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[1]
_FENCE = re.compile(r"^([ ]*)(```+|~~~+).*?^\1\2[ ]*$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_LINK = re.compile(r"\]\(\s*<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_DEFINITION = re.compile(r"^\[[^\]]+\]:\s+(\S+)", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}[ ]+(.+?)[ #]*$", re.MULTILINE)
_LINKED_TEXT = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def main(arguments: list[str]) -> int:
    """Prints every broken link; returns 1 if there is one."""
    root = pathlib.Path(arguments[0]).resolve() if arguments else ROOT
    broken = [line for page in committed(root) for line in check(page, root=root)]
    print("\n".join(broken), end="\n" if broken else "")
    return 1 if broken else 0


def committed(root: pathlib.Path) -> list[pathlib.Path]:
    """Returns the Markdown files that git tracks or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"]
    names = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.split("\0")
    return [path for name in names if name and (path := root / name).is_file()]


def check(page: pathlib.Path, *, root: pathlib.Path) -> list[str]:
    """Returns a line for each broken link of a page: file, line, link and reason."""
    text = page.read_text("utf-8")
    place = page.relative_to(root).as_posix()
    broken = ((line, link, _reason(link, page, root)) for line, link in links(text))
    return [f"{place}:{line}: {link}: {reason}" for line, link, reason in broken if reason]


def links(text: str) -> Iterator[tuple[int, str]]:
    """Yields the line number and target of each link outside code and comments."""
    prose = _CODE.sub(_blank, _COMMENT.sub(_blank, _FENCE.sub(_blank, text)))
    for pattern in (_LINK, _DEFINITION):
        for match in pattern.finditer(prose):
            yield prose.count("\n", 0, match.start()) + 1, match[1]


def anchors(text: str) -> set[str]:
    """Returns the anchors that GitHub gives to the headings of a page."""
    names: set[str] = set()
    counts: dict[str, int] = {}
    for match in _HEADING.finditer(_FENCE.sub(_blank, text)):
        title = _LINKED_TEXT.sub(r"\1", match[1]).lower()
        name = re.sub(r"[^\w\- ]", "", title).replace(" ", "-")
        count = counts.get(name, 0)
        counts[name] = count + 1
        names.add(f"{name}-{count}" if count else name)
    return names


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _reason(link: str, page: pathlib.Path, root: pathlib.Path) -> str:
    if re.match(r"[a-z][a-z0-9+.-]*:", link):
        return "" if link.startswith(("https://", "mailto:")) else "use https"
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.is_relative_to(root):
        return "points outside the repository"
    if not target.exists():
        return "no such file"
    if anchor and (target.suffix != ".md" or anchor not in anchors(target.read_text("utf-8"))):
        return "no such heading"
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
