"""Where manifests come from, named so that all members of a team and their CI name the same folder the same way."""

from __future__ import annotations

import configparser
import functools
import pathlib
import re
from typing import Final

#: The owner of the resources that controllers of the NodePool API create, in place of a folder.
NODE_POOL_API: Final = "nodepool-api"


@functools.cache
def of_folder(path: str) -> str:
    """Returns the name of a folder: of the repository and the path in it, else its absolute path.

    ``github.com/acme/infra//envs/dev`` is the folder ``envs/dev`` of a clone of that repository, wherever the clone is. A user
    name or a password in the repository's address is left out.
    """
    folder = pathlib.Path(path).resolve()
    for parent in (folder, *folder.parents):
        if (parent / ".git").exists():
            remote = _remote(parent / ".git")
            if remote:
                inside = folder.relative_to(parent).as_posix()
                return f"{remote}//{'' if inside == '.' else inside}"
            break
    return str(folder)


def of_file(path: str) -> str:
    """Returns the name of the folder that a file is in; empty for standard input, texts and messages."""
    return of_folder(str(pathlib.Path(path).parent)) if pathlib.Path(path).is_file() else ""


def within(origin: str, folder: str) -> bool:
    """Returns whether an origin is a folder, or is in it."""
    return bool(origin) and (origin == folder or origin.startswith(folder.rstrip("/") + "/"))


def _remote(git: pathlib.Path) -> str:
    # In a work tree `.git` is a file that says where the rest is.
    if git.is_file():
        private = git.parent / git.read_text("utf-8").partition("gitdir:")[2].strip()
        git = private.parent.parent
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    try:
        parser.read(git / "config", "utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return ""
    url = parser.get('remote "origin"', "url", fallback="")
    address = re.sub(r"^[a-z+]+://", "", url).rpartition("@")[2]
    return re.sub(r"(\.git)?/*$", "", address.replace(":", "/", 1) if "://" not in url else address)
