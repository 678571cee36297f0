"""Settings of the engine: what commands and environment choose once for all operations of a run."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import secrets
import stat
import tempfile
import urllib.parse
from typing import TYPE_CHECKING

from planton import errors
from planton.base import interruption
from planton.config import contexts, folders

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_PASSPHRASE = "PULUMI_CONFIG_PASSPHRASE"  # noqa: S105  # the name of a variable
_PASSPHRASE_FILE = "PULUMI_CONFIG_PASSPHRASE_FILE"  # noqa: S105  # the name of a variable
_MINUTES = 60.0
DEFAULT_TIMEOUT = 20 * _MINUTES
DEFAULT_LOCK_TIMEOUT = 0.0
#: Bytes that work on one resource takes (docs/operate/performance.md).
_ENGINE_BYTES = 150 * 1024**2
_FEWEST_PARALLEL, _MOST_PARALLEL = 4, 100


def default_parallel(memory: int | None = None) -> int:
    """Returns the default number of parallel operations: as many as fit a quarter of the memory, from 4 to 100.

    Args:
        memory: Bytes; None for this machine's, or that of a small machine if it is unknown.
    """
    if memory is None:
        try:
            memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        except (AttributeError, OSError, ValueError):
            memory = 8 * 1024**3
    return max(_FEWEST_PARALLEL, min(_MOST_PARALLEL, memory // 4 // _ENGINE_BYTES))


def _silent(_line: str) -> None:
    """Discards the line."""


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """How the engine works in this run.

    Attributes:
        backend: URL of the Pulumi backend; empty for the environment's, else the context's, else a folder in the user's data
            folder.
        timeout: Seconds after which an operation that still waits for the cloud is stopped.
        lock_timeout: Seconds to wait for another operation on the same stack.
        parallel: The number of parallel operations.
        environ: The environment of the run.
        progress: Receives a line for each event.
        interruption: The user's interruption of the run.
        context: The defaults after options and the environment.
        is_exclusive: Whether a lease keeps everyone else from the stacks. A lock in the backend is then that of an engine that has
            ended, on whatever machine.
    """

    backend: str = ""
    timeout: float = DEFAULT_TIMEOUT
    lock_timeout: float = DEFAULT_LOCK_TIMEOUT
    parallel: int = dataclasses.field(default_factory=default_parallel)
    environ: Mapping[str, str] = dataclasses.field(default_factory=lambda: dict(os.environ))
    progress: Callable[[str], None] = _silent
    interruption: interruption.Interruption = dataclasses.field(default_factory=interruption.Interruption, compare=False)
    context: contexts.Context = dataclasses.field(default_factory=contexts.Context)
    is_exclusive: bool = False

    @property
    def data(self) -> pathlib.Path:
        """The folder of state, passphrase and locks."""
        return folders.data(self.environ)

    @property
    def backend_url(self) -> str:
        """The URL of the backend; that of a folder is absolute. The embedded folder is created at the first access."""
        url = self._named_backend
        if not url:
            return folders.private(self.data / "state").as_uri()
        parts = urllib.parse.urlsplit(url)
        if parts.scheme != "file" or parts.netloc not in (".", "..", "~"):
            return url
        # Pulumi would resolve it relative to its working folder.
        folder = pathlib.Path(urllib.parse.unquote(parts.netloc + parts.path)).expanduser().resolve()
        return urllib.parse.urlsplit(folder.as_uri())._replace(query=parts.query).geturl()

    @property
    def _named_backend(self) -> str:
        return self.backend or self.environ.get("PULUMI_BACKEND_URL", "") or self.context.backend

    @property
    def is_embedded(self) -> bool:
        """Whether the backend is the private folder in the user's data folder."""
        return self._named_backend in ("", (self.data / "state").as_uri())

    @property
    def backend_folder(self) -> pathlib.Path | None:
        """The folder of the states, ``PROJECT/STACK.json``, of a backend in a folder; None for other backends."""
        parts = urllib.parse.urlsplit(self.backend_url)
        return pathlib.Path(urllib.parse.unquote(parts.path)) / ".pulumi" / "stacks" if parts.scheme == "file" else None

    def passphrase(self) -> dict[str, str]:
        """Returns the variables that pass the passphrase to Pulumi.

        They come from the environment, else name the context's file, else a generated file of mode 0600.

        Raises:
            PlantonError: ``CREDENTIAL_MISSING``: the file is empty or cannot be read; ``FOLDER_UNWRITABLE``: none can be written.
        """
        own = {name: self.environ[name] for name in (_PASSPHRASE, _PASSPHRASE_FILE) if name in self.environ}
        if _PASSPHRASE not in own and own.get(_PASSPHRASE_FILE):
            _check_passphrase(pathlib.Path(own[_PASSPHRASE_FILE]))
            # The engine runs in another folder.
            own[_PASSPHRASE_FILE] = str(pathlib.Path(own[_PASSPHRASE_FILE]).absolute())
        if own:
            return own
        if self.context.passphrase_file:
            _check_passphrase(pathlib.Path(self.context.passphrase_file))
            return {_PASSPHRASE_FILE: self.context.passphrase_file}
        path = folders.private(self.data) / "passphrase"
        try:
            _create_passphrase(path)
        except FileExistsError:
            if not self.context.secrets_provider:
                _check_passphrase(path)
        except OSError as error:
            raise errors.folder_unwritable(
                f"cannot keep the passphrase in {path}: {error.strerror}",
                hint="set PULUMI_CONFIG_PASSPHRASE_FILE, or PLANTON_DATA_DIR to a folder that can be written",
            ) from error
        return {_PASSPHRASE_FILE: str(path)}


def _create_passphrase(path: pathlib.Path) -> None:
    """Creates a file with a new passphrase.

    Raises:
        FileExistsError: There is one already, which is complete.
        OSError: It cannot be written.
    """
    if path.exists():
        raise FileExistsError
    # Threads and processes may do so at once. None of them may see the file before it is complete, or replace another one's.
    with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="utf-8") as handle:  # of mode 0600
        os.fchmod(handle.fileno(), 0o600)
        handle.write(secrets.token_urlsafe(32))
        handle.flush()
        path.hardlink_to(handle.name)


def _check_passphrase(path: pathlib.Path) -> None:
    # Pulumi would encrypt with the empty passphrase, and fail to decrypt after the right file is restored.
    try:
        # A pipe can be read only once.
        is_empty = stat.S_ISREG(path.stat().st_mode) and not path.read_bytes().strip()
        why = "it is empty; a full disk can do that" if is_empty else ""
    except OSError as error:
        why = f"it cannot be read: {error.strerror}"
    if why:
        raise errors.credential_missing(
            f"cannot use the passphrase file {path}: {why}",
            hint=f"restore the file with the passphrase of the states, or set {_PASSPHRASE_FILE} to such a file",
            metadata={"file": str(path)},
        )
