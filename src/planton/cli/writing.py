"""Writes the files of commands atomically."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planton import errors
from planton.config import folders

if TYPE_CHECKING:
    import pathlib


def write(path: pathlib.Path, data: bytes, *, mode: int | None = None) -> None:
    """Writes a file atomically; a link stays a link to its target.

    Args:
        path: The file.
        data: The content.
        mode: The mode of the file; None for that of the file it replaces, else what the umask allows.

    Raises:
        PlantonError: ``MANIFEST_UNREADABLE``: it cannot be written; the previous content is unchanged.
    """
    try:
        folders.write(path, data, mode=mode)
    except OSError as error:
        raise errors.manifest_unreadable(f"cannot write {path}: {error.strerror}", path) from None
