"""Creates stacks in a backend that is a folder, which saves a start of the engine for each."""

from __future__ import annotations

import contextlib
import json
import tempfile
from typing import TYPE_CHECKING

from planton import errors
from planton.config import folders
from planton.engine import stacks

if TYPE_CHECKING:
    import pathlib

#: The file that says how Pulumi names the states of a backend: with their projects since version 1.
LAYOUT = "meta.yaml"
_VERSION = "version: 1\n"


def create(name: stacks.StackName, state: pathlib.Path, *, is_private: bool) -> bool:
    """Creates an empty stack, as ``pulumi stack init`` begins one. The first operation that saves a state encrypts it.

    Args:
        name: The stack.
        state: The file of its state.
        is_private: Whether only the user may open new folders.

    Returns:
        Whether the stack exists now. Otherwise Pulumi has to create it, or to say why that is impossible.
    """
    root = state.parents[2]
    try:
        if not (root / "stacks").exists():
            _make(root, is_private=is_private)
            _publish(root / LAYOUT, _VERSION)
        if (root / LAYOUT).read_text("utf-8") != _VERSION or state.with_suffix(".json.gz").exists():
            return False
        _make(state.parent, is_private=is_private)
        content = {"version": 3, "checkpoint": {"stack": f"{stacks.NO_OWNER}/{name.project}/{name.stack}"}}
        _publish(state, json.dumps(content))
    except (OSError, errors.PlantonError):
        return False
    return True


def _make(folder: pathlib.Path, *, is_private: bool) -> None:
    if is_private:
        folders.private(folder)
    else:
        folder.mkdir(parents=True, exist_ok=True)


def _publish(path: pathlib.Path, text: str) -> None:
    # No reader may see half of the file, and the file of another command must stay.
    with tempfile.NamedTemporaryFile("w", dir=path.parents[1], prefix=".", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(handle.name)
