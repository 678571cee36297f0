"""Output to terminals, logs and pipes: control characters are escaped, except planton's own styles.

Names, values and messages come from manifests, clouds, servers and controllers. A terminal would obey control characters in them:
they clear lines, change the title, or write the clipboard. Everything that a command prints is escaped here. planton's own
sequences, colours and overwritten lines, carry a random mark of this process.
"""

from __future__ import annotations

import os
import re

#: Control characters except newlines and tabs, lone surrogates, and characters that change the text direction.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
#: The same for documents: characters that are harmless to programs, and newlines of other systems, are allowed.
_UNSAFE_IN_DOCUMENTS = re.compile("\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_MARK = f"\x1b{os.urandom(8).hex()}"
_SEQUENCE = re.compile(f"{_MARK}(\r?\\[[0-9;]*[mKJH])")
_CODES = {"bold": 1, "dim": 2, "red": 31, "green": 32, "yellow": 33, "blue": 34, "magenta": 35, "cyan": 36}
#: Clears the current line, for terminals only.
CLEAR_LINE = f"{_MARK}\r[2K"
#: Clears the screen and goes to its first line, for terminals only.
CLEAR_SCREEN = f"{_MARK}[2J{_MARK}[1;1H"


def escape(text: str) -> str:
    r"""Returns a text with control characters escaped like in JSON, e.g. ``\u001b``."""
    return _UNSAFE.sub(_escaped, text)


def _escaped(character: re.Match[str]) -> str:
    return f"\\u{ord(character[0]):04x}"


def is_safe(text: str) -> bool:
    """Returns whether a text has nothing to escape."""
    return not _UNSAFE.search(text)


def one_line(text: str) -> str:
    """Returns a text with newlines and tabs escaped too, for a name or a value that must not look like a separate line."""
    return escape(text).replace("\n", "\\n").replace("\t", "\\t")


def value(content: object) -> str:
    """Returns a value of a property on one line, in the spelling of YAML; ``(unset)`` for None."""
    if content is None:
        return "(unset)"
    return str(content).lower() if isinstance(content, bool) else one_line(str(content))


def style(text: str, *names: str | None) -> str:
    """Returns a text in a style that `resolve` shows if colours are supported.

    Args:
        text: The text.
        names: Colours, ``bold`` and ``dim``; None for none.
    """
    codes = ";".join(str(_CODES[name]) for name in names if name)
    return f"{_MARK}[{codes}m{text}{_MARK}[0m" if codes else text


def escape_all_but_styles(text: str) -> str:
    """Returns a text with control characters escaped, except planton's marked styles, for `resolve`."""
    if _MARK not in text:
        return escape(text)
    parts = _SEQUENCE.split(text)
    return "".join(f"{_MARK}{part}" if index % 2 else escape(part) for index, part in enumerate(parts))


def resolve(text: str, *, colours: bool) -> str:
    """Returns a text for output: planton's own styles shown or removed, and no other control characters.

    Documents pass unchanged. This is the last step for all output of every command.
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
    return f"\x1b{part}" if colours or not part.endswith("m") else ""


def document(text: str, *, is_terminal: bool) -> str:
    """Returns a document for programs, such as YAML: escaped on a terminal, else unchanged except for control characters."""
    return escape(text) if is_terminal else _UNSAFE_IN_DOCUMENTS.sub(_escaped, text)
