"""Run logs: each command that runs the engine logs to a file, for diagnosis after a failure.

Nothing is written until the engine is needed. No secret is written: secret values of the engine are registered here and
replaced, and so is what looks like a key, a token or a kubeconfig.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pathlib
import platform
import re
import time
from typing import TYPE_CHECKING

import planton
from planton import errors
from planton.base import terminal
from planton.config import folders

if TYPE_CHECKING:
    import io
    from collections.abc import Iterable, Mapping, Sequence

_DIRECTORY_VARIABLE = "PLANTON_LOG_DIR"
_MAXIMUM_FILES = 50
#: Replacing a shorter secret would garble the log, and the gaps would reveal it.
_SHORTEST_SECRET = 4
_REDACTED = "[redacted]"
_PATTERNS = (
    # Users in URLs, as backends on databases have them.
    (re.compile(r"(://[^/@\s:]+:)[^/@\s]+(@)"), rf"\1{_REDACTED}\2"),
    (re.compile(r"-----BEGIN [A-Z ]+-----.*?(-----END [A-Z ]+-----|$)", re.DOTALL), _REDACTED),
    # The fields of kubeconfigs, in YAML and in JSON, and what clouds and their tools call theirs.
    (
        re.compile(
            r"""(?i)(["']?\b(?:client-key-data|client-certificate-data|certificate-authority-data|token|password|passphrase|"""
            r"""api_?token|authorization)\b["']?\s*[:=]\s*["']?(?:bearer\s+)?)[^\s"',}]+"""
        ),
        rf"\1{_REDACTED}",
    ),
    # "apiVersion:" and "---" as a kubeconfig in base64 begins with.
    (re.compile(r"\b(?:YXBpVmVyc2lvbj|LS0tLS1CRUdJTi|LS0tCmFwaVZlcnNpb2)[A-Za-z0-9+/=_-]+"), _REDACTED),
)
_ROOT = logging.getLogger("planton")
# Without a log file, logging would print warnings.
_ROOT.addHandler(logging.NullHandler())


class Log(logging.FileHandler):
    """The log of one command; its file is made with the first record."""

    def __init__(self, folder: pathlib.Path, command: str, arguments: Sequence[str]) -> None:
        """Opens nothing yet.

        Args:
            folder: Where logs are kept.
            command: The name of the command.
            arguments: The whole command line after the program's name.
        """
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        super().__init__(folder / f"{stamp}-{command}-{os.getpid()}.log", encoding="utf-8", delay=True)
        self.path = pathlib.Path(self.baseFilename)
        self._arguments = tuple(arguments)
        self._formatter = _Formatter()
        self.setFormatter(self._formatter)

    def _open(self) -> io.TextIOWrapper:
        folders.private(self.path.parent)
        _prune(self.path.parent)
        # The file has its mode from the beginning; the handler closes it.
        stream = open(self.path, "a", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600))  # noqa: SIM115
        about = f"planton {planton.__version__}, Python {platform.python_version()}, {platform.platform()}"
        stream.write(self._formatter.clean(f"planton {' '.join(self._arguments)}\n{about}\n"))
        return stream

    @property
    def begun(self) -> bool:
        """Whether something has been written."""
        return self.stream is not None

    def hide(self, secrets: Iterable[str]) -> None:
        """Registers secrets, which are then redacted wherever they occur."""
        self._formatter.hide(secrets)

    def emit(self, record: logging.LogRecord) -> None:
        """Writes a record, where that is possible: a log that cannot be written must not end an operation."""
        with contextlib.suppress(OSError, errors.PlantonError):
            super().emit(record)

    def close(self) -> None:
        """Ends the log, whatever of it could be written."""
        with contextlib.suppress(OSError):
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the base class's name
        """Does nothing, for the same reason."""


class _Formatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)-5s [%(threadName)s] %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime
        self._secrets: frozenset[str] = frozenset()
        self._secret_pattern: re.Pattern[str] | None = None

    def hide(self, secrets: Iterable[str]) -> None:
        lines = {line.strip() for secret in secrets for line in (secret, *secret.splitlines())}
        # JSON escapes quotes and other characters.
        lines |= {json.dumps(line)[1:-1] for line in lines}
        new = self._secrets | {line for line in lines if len(line) >= _SHORTEST_SECRET}
        if new != self._secrets:
            self._secrets = new
            self._secret_pattern = re.compile("|".join(re.escape(each) for each in sorted(new, key=len, reverse=True)))

    def clean(self, text: str) -> str:
        if self._secret_pattern is not None:
            text = self._secret_pattern.sub(_REDACTED, text)
        for pattern, shown in _PATTERNS:
            text = pattern.sub(shown, text)
        return text

    def format(self, record: logging.LogRecord) -> str:
        return terminal.escape(self.clean(super().format(record)))


def folder(environ: Mapping[str, str]) -> pathlib.Path:
    """Returns the folder of the logs: ``$PLANTON_LOG_DIR``, else ``logs`` in the data folder."""
    named = environ.get(_DIRECTORY_VARIABLE)
    return pathlib.Path(named) if named else folders.data(environ) / "logs"


def begin(command: str, arguments: Sequence[str], environ: Mapping[str, str]) -> Log:
    """Begins the log of a command; that of an earlier one in this process ends."""
    end()
    log = Log(folder(environ), command, arguments)
    _ROOT.addHandler(log)
    _ROOT.setLevel(logging.DEBUG)
    _ROOT.propagate = False
    return log


def end() -> None:
    """Ends the log of this process."""
    log = current()
    if log is not None:
        _ROOT.removeHandler(log)
        log.close()


def current() -> Log | None:
    """Returns the log that has begun, or None."""
    return next((each for each in _ROOT.handlers if isinstance(each, Log)), None)


def hide(secrets: Iterable[str]) -> None:
    """Registers secrets with the open log, if there is one."""
    log = current()
    if log is not None:
        log.hide(secrets)


def note(text: str, unexpected: Exception | None = None) -> None:
    """Logs why a command ends, with the traceback of an unexpected error."""
    _ROOT.error("%s", text, exc_info=unexpected)


def _prune(path: pathlib.Path) -> None:
    # Names begin with the time. Another process may prune at the same time.
    for old in sorted(path.glob("*.log"))[: -(_MAXIMUM_FILES - 1)]:
        with contextlib.suppress(OSError):
            old.unlink()
