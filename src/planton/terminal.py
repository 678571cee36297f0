"""Text on its way to a terminal, a log or a pipe: control characters are escaped, and planton's own styles are not.

Names, values and messages come from manifests, clouds, servers and controllers. A terminal would obey the control characters in
them: they clear lines, change the title, write the clipboard. Everything that a command prints is escaped here. What planton itself wants of the terminal, colours and a line that is written over, carries a mark that nobody outside
this process knows.
"""

from __future__ import annotations

import os
import re

#: Control characters but newlines and tabs, half of a surrogate pair, and what turns the direction of writing.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
#: The same without what is harmless to a program that reads a document, and with the newlines of other systems allowed.
_UNSAFE_IN_DOCUMENTS = re.compile("\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_MARK = f"\x1b{os.urandom(8).hex()}"
_SEQUENCE = re.compile(f"{_MARK}(\r?\\[[0-9;]*[mK])")
_CODES = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36}
#: Clears the line that the cursor is in, for terminals only.
CLEAR_LINE = f"{_MARK}\r[2K"


def escape(text: str) -> str:
    r"""Returns a text whose control characters are written as ``\u001b`` and the like, as JSON writes them."""
    return _UNSAFE.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def is_safe(text: str) -> bool:
    """Returns whether a text has nothing to escape."""
    return not _UNSAFE.search(text)


def one_line(text: str) -> str:
    """Returns a text escaped, newlines and tabs too: a name or a value that must not look like a line of its own."""
    return escape(text).replace("\n", "\\n").replace("\t", "\\t")


def style(text: str, *names: str | None) -> str:
    """Returns a text in a style that `resolve` shows where there are colours.

    Args:
        text: The text.
        names: Colours, ``bold`` and ``dim``; None for none.
    """
    codes = ";".join(str(_CODES[name]) for name in names if name)
    return f"{_MARK}[{codes}m{text}{_MARK}[0m" if codes else text


def escape_all_but_styles(text: str) -> str:
    """Returns a text escaped, with planton's own styles still marked in it, for `resolve`."""
    if _MARK not in text:
        return escape(text)
    parts = _SEQUENCE.split(text)
    return "".join(f"{_MARK}{part}" if index % 2 else escape(part) for index, part in enumerate(parts))


def resolve(text: str, *, colours: bool) -> str:
    """Returns a text as it is written: planton's own styles shown or left out, and no other control characters.

    Documents pass unchanged. It is the last step, through which the text of every command goes, whoever has printed it.
    """
    if not _UNSAFE_IN_DOCUMENTS.search(text):
        return text
    parts = _SEQUENCE.split(text)
    for index, part in enumerate(parts):
        parts[index] = _sequence(part, colours=colours) if index % 2 else _UNSAFE_IN_DOCUMENTS.sub(_escaped, part)
    return "".join(parts)


def _sequence(part: str, *, colours: bool) -> str:
    if part.startswith("\r"):
        return f"\r\x1b{part[1:]}"
    return f"\x1b{part}" if colours else ""


def document(text: str, *, is_terminal: bool) -> str:
    """Returns a document for programs, such as YAML: on a terminal escaped, else as it is, but never with control characters."""
    return escape(text) if is_terminal else _UNSAFE_IN_DOCUMENTS.sub(_escaped, text)
