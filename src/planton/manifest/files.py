"""Where manifests come from: files, folders, standard input, kustomize. This module reads bytes and understands none of them."""

from __future__ import annotations

import io
import os
import pathlib
import stat
import sys
import warnings
from typing import IO, TYPE_CHECKING, Final

from planton import errors
from planton.manifest import yaml_reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

STDIN: Final = "-"
_SUFFIXES: Final = (".yaml", ".yml", ".json")
#: A kustomization lists manifests; it is not a manifest.
_NO_MANIFESTS: Final = frozenset(("kustomization.yaml", "kustomization.yml"))
#: A policy is not a manifest, and may be in the same folder.
_POLICIES: Final = (".policy.yaml", ".policy.yml")
_KUSTOMIZE_SECONDS: Final = 120


class SkippedFileWarning(UserWarning):
    """Warning about an entry of a folder that has the name of a manifest but is no file."""


def sources(paths: Iterable[str], *, stdin: IO[bytes] | None = None) -> Iterator[tuple[str, bytes]]:
    """Yields the name and the content of each file of the paths.

    Args:
        paths: Files, folders (all ``.yaml``, ``.yml`` and ``.json`` files in them, sorted; hidden ones, kustomizations
            and policies are left out), ``-`` for standard input.
        stdin: Standard input; that of the process if None.

    Raises:
        PlantonError: ``MANIFEST_UNREADABLE``.
    """
    for path in paths:
        if path == STDIN:
            yield STDIN, (stdin or sys.stdin.buffer).read(yaml_reader.MAX_BYTES + 1)
        elif os.path.isdir(path):  # noqa: PTH112  # a folder may hold thousands of files; pathlib costs as much as reading them
            yield from _folder(path)
        else:
            yield path, _content(path)


def _folder(path: str) -> Iterator[tuple[str, bytes]]:
    has_manifests = False
    for name in _files(path):
        has_manifests = True
        yield name, _content(name)
    if not has_manifests:
        error = _unreadable(path, "the folder has no .yaml, .yml or .json file")
        error.metadata["empty"] = path
        raise error


def _files(path: str) -> Iterator[str]:
    try:
        with os.scandir(path) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        raise _unreadable(path, error.strerror or "cannot be listed") from None
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path)
        elif is_manifest(entry.name) and not entry.is_dir():
            if entry.is_file() or not os.path.exists(entry.path):  # noqa: PTH110  # pathlib is slow; a dangling link is an error
                yield entry.path
            else:
                # Opening a pipe without a writer would block forever.
                warnings.warn(SkippedFileWarning(f"{entry.path} is a pipe, a socket or a device: it is skipped"), stacklevel=2)


def is_manifest(name: str) -> bool:
    """Returns whether a file of a folder is read as a manifest, by its name."""
    return name.endswith(_SUFFIXES) and name not in _NO_MANIFESTS and not name.endswith(_POLICIES)


def _content(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # pathlib is slow
            status = os.fstat(file.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_size <= yaml_reader.MAX_BYTES:
                return file.readall()
            # A pipe or a device may never end. One byte more than is allowed is enough to know that it is too much.
            return io.BufferedReader(file).read(yaml_reader.MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(path, getattr(error, "strerror", None) or "cannot be read") from None


def _unreadable(path: str, why: str) -> errors.PlantonError:
    return errors.manifest_unreadable(f"cannot read {path}: {why}", path)


def kustomize(folder: str, overlay: str | None = None) -> bytes:
    """Returns what ``kustomize build`` makes of a folder, or of the overlay ``overlays/OVERLAY`` (or ``OVERLAY``) in it.

    Raises:
        PlantonError: ``MANIFEST_UNREADABLE`` with kustomize's own text; ``TOOLCHAIN_MISSING``.
    """
    import subprocess  # noqa: PLC0415  # cold start of `validate`: 2 ms, and few runs use kustomize

    target = _overlay(pathlib.Path(folder), overlay)
    command = [*_program(), str(target)]
    try:
        done = subprocess.run(  # the user's own kustomize, without a shell
            command, capture_output=True, check=False, timeout=_KUSTOMIZE_SECONDS, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        raise _unreadable(str(target), f"kustomize did not end within {_KUSTOMIZE_SECONDS} seconds") from None
    if done.returncode:
        raise _unreadable(str(target), "kustomize: " + done.stderr.decode("utf-8", "replace").strip()[:2000])
    return done.stdout


def _overlay(folder: pathlib.Path, overlay: str | None) -> pathlib.Path:
    candidates = [folder] if overlay is None else [folder / "overlays" / overlay, folder / overlay]
    for candidate in candidates:
        if candidate.is_dir():
            return candidate
    raise _unreadable(str(candidates[0]), "there is no such folder")


def _program() -> list[str]:
    import shutil  # noqa: PLC0415  # cold start of `validate`: 2 ms, and few runs use kustomize

    # Programs of the environment that planton is installed in count too, though it may not be on PATH.
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), str(pathlib.Path(sys.executable).parent)))
    for name, arguments in (("kustomize", ["build"]), ("kubectl", ["kustomize"])):
        program = shutil.which(name, path=path)
        if program:
            return [program, *arguments]
    raise errors.toolchain_missing(
        "kustomize is not installed",
        hint="put kustomize or kubectl on PATH",
    )
