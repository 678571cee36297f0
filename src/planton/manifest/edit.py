"""Changes one value in the text of a manifest. Everything else of the file stays as it is, comments too."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.manifest import documents

if TYPE_CHECKING:
    from planton.manifest import load


def replaced(resource: load.Resource, path: str, value: str) -> tuple[pathlib.Path, bytes]:
    """Returns the file of a resource and its content with another text at a path. Nothing is written.

    Args:
        resource: The resource, read from a file.
        path: The field, in the manifest's spelling, e.g. ``spec.kubernetesVersion``.
        value: The new text. It has no character that needs quotes.

    Raises:
        PlantonError: ``USAGE``: the value cannot be changed alone, because the resource is from no file, or the value is shared.
    """
    document = resource.document
    file = pathlib.Path(resource.source)
    if document is None or document.is_message or document.base or not file.is_file():
        raise _by_hand(resource, path, value, "it was not read from a manifest file")
    try:
        before = file.read_bytes()
    except OSError as error:
        raise _by_hand(resource, path, value, f"{file} cannot be read: {error.strerror}") from None
    place = document.places([path])[0]
    lines = before.decode("utf-8").splitlines(keepends=True)
    row = lines[place.line - 1] if 0 < place.line <= len(lines) else ""
    start = place.column - 1 + (row[place.column - 1 : place.column] in ("'", '"'))
    if not place.text or row[start : start + len(place.text)] != place.text:
        raise _by_hand(resource, path, value, "it is not written as one word there")
    lines[place.line - 1] = row[:start] + value + row[start + len(place.text) :]
    after = "".join(lines).encode()
    if not _is_only_change(before, after, document, path, value):
        raise _by_hand(resource, path, value, "other values depend on it")
    return file, after


def _is_only_change(before: bytes, after: bytes, document: documents.Document, path: str, value: str) -> bool:
    old, _ = documents.read(before, file=document.file)
    new, violations = documents.read(after, file=document.file)
    if violations or len(old) != len(new):
        return False
    for index, (one, other) in enumerate(zip(old, new, strict=True)):
        expected: Any = type(one.message)()
        expected.CopyFrom(one.message)
        if index == document.index:
            set_text(expected, path, value)
        if expected != other.message:
            return False
    return True


def set_text(message: Any, path: str, value: str) -> None:  # a manifest of any kind
    """Sets a text of a message.

    Args:
        message: The message.
        path: The path of the field, in the manifest's spelling.
        value: The text.
    """
    *parents, last = path.split(".")
    for name in parents:
        message = getattr(message, message.DESCRIPTOR.fields_by_camelcase_name[name].name)
    setattr(message, message.DESCRIPTOR.fields_by_camelcase_name[last].name, value)


def _by_hand(resource: load.Resource, path: str, value: str, why: str) -> errors.PlantonError:
    return errors.usage(
        f"{resource.place(path)}: {path} cannot be changed to {value}: {why}",
        hint=f"write {value} there by hand, then run the same command again",
    )
