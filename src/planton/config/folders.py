"""Where things are kept: caches that may be lost, data that must not be."""

from __future__ import annotations

import contextlib
import os
import pathlib
import tempfile
from typing import TYPE_CHECKING

import platformdirs

from planton import errors

if TYPE_CHECKING:
    from collections.abc import Mapping


def cache(environ: Mapping[str, str] | None = None) -> pathlib.Path:
    """Returns the folder for programs that can be installed again: ``$PLANTON_CACHE_DIR``, else the user's cache folder."""
    named = (os.environ if environ is None else environ).get("PLANTON_CACHE_DIR")
    return pathlib.Path(named) if named else platformdirs.user_cache_path("planton")


def data(environ: Mapping[str, str] | None = None) -> pathlib.Path:
    """Returns the folder for state, passphrase and locks: ``$PLANTON_DATA_DIR``, else the user's data folder."""
    named = (os.environ if environ is None else environ).get("PLANTON_DATA_DIR")
    return pathlib.Path(named).absolute() if named else platformdirs.user_data_path("planton")


def private(path: pathlib.Path) -> pathlib.Path:
    """Creates a folder that only the user may read, with its parents, and returns it.

    New folders have mode 0700, whatever the umask is; existing folders stay unchanged.

    Raises:
        PlantonError: ``ENGINE_FAILED``: it cannot be created.
    """
    try:
        for folder in reversed([path, *path.parents]):
            if not folder.is_dir():
                _make(folder)
    except OSError as error:
        raise errors.PlantonError(
            f"cannot make the folder {path}: {error.strerror}",
            code=errors.Code.MISSING,
            reason=errors.Reason.ENGINE_FAILED,
            hint="set PLANTON_DATA_DIR and PLANTON_CACHE_DIR to folders that can be written",
        ) from None
    return path


def _make(folder: pathlib.Path) -> None:
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        # Another process may have created it; a file with the name is an error.
        if not folder.is_dir():
            raise
    else:
        folder.chmod(0o700)


def opener(path: str, flags: int) -> int:
    """Opens a file for `open` so that only the user may read it, whatever the umask is."""
    descriptor = os.open(path, flags, 0o600)
    # Another user's file stays unchanged.
    with contextlib.suppress(PermissionError):
        os.fchmod(descriptor, 0o600)
    return descriptor


def keep(path: pathlib.Path, text: str) -> None:
    """Writes a file that only the user may read, whole or not at all; its folder is made.

    Raises:
        PlantonError: ``ENGINE_FAILED``: it cannot be written; what was there is still there.
    """
    folder = private(path.parent)
    written = None
    try:
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8") as handle:  # of mode 0600
            written = pathlib.Path(handle.name)
            os.fchmod(handle.fileno(), 0o600)
            handle.write(text)
        written.replace(path)
    except OSError as error:
        if written is not None:
            written.unlink(missing_ok=True)
        raise errors.PlantonError(
            f"cannot write {path}: {error.strerror}",
            code=errors.Code.MISSING,
            reason=errors.Reason.ENGINE_FAILED,
            hint="make room, or choose a folder that can be written",
        ) from None
