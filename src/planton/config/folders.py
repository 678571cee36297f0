"""Where things are kept: caches that may be lost, data that must not be."""

from __future__ import annotations

import contextlib
import os
import pathlib
import stat
import threading
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
        PlantonError: ``FOLDER_UNWRITABLE``: it cannot be created.
    """
    try:
        for folder in reversed([path, *path.parents]):
            if not folder.is_dir():
                _make(folder)
    except OSError as error:
        raise errors.folder_unwritable(
            f"cannot make the folder {path}: {error.strerror}",
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


def write(path: pathlib.Path, data: bytes, *, mode: int | None = None) -> None:
    """Writes a file atomically; a link stays a link to its target.

    Args:
        path: The file.
        data: The content.
        mode: The mode of the file; None for that of the file it replaces, else what the umask allows.

    Raises:
        OSError: It cannot be written; the previous content is unchanged.
    """
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        if mode is None and target.exists():
            mode = stat.S_IMODE(target.stat().st_mode)
        # The file is created with its final mode or a stricter one, so that no other user can read a secret.
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else mode & 0o666)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(target)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def keep(path: pathlib.Path, text: str) -> None:
    """Writes a file that only the user may read, atomically, and creates its folder.

    Raises:
        PlantonError: ``FOLDER_UNWRITABLE``: it cannot be written; the previous content is unchanged.
    """
    private(path.parent)
    try:
        write(path, text.encode(), mode=0o600)
    except OSError as error:
        raise errors.folder_unwritable(
            f"cannot write {path}: {error.strerror}",
            hint="make room, or choose a folder that can be written",
        ) from None
