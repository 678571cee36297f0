"""Files that commands write: whole or not at all."""

from __future__ import annotations

import contextlib
import os
import pathlib
import stat

from planton import errors


def write(path: pathlib.Path, data: bytes, *, mode: int | None = None) -> None:
    """Writes a file whole or not at all; a link stays a link to what it leads to.

    Args:
        path: The file; what was there is replaced.
        data: The content.
        mode: The file's mode; where None that of the file it replaces, else what the user's mask allows.

    Raises:
        PlantonError: ``MANIFEST_UNREADABLE``: it cannot be written; what was there is still there.
    """
    target = pathlib.Path(path).resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        if mode is None and target.exists():
            mode = stat.S_IMODE(target.stat().st_mode)
        # Made with the final mode at most: nobody reads a secret in between.
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else mode & 0o666)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if mode is not None:
            temporary.chmod(mode)
        temporary.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise errors.PlantonError(
            f"cannot write {path}: {error.strerror}",
            code=errors.Code.USAGE,
            reason=errors.Reason.MANIFEST_UNREADABLE,
            metadata={"file": str(path)},
        ) from None
