"""The files that commands read without Pulumi: as arguments, and with ``-f``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def arguments(function: F) -> F:
    """Adds the arguments PATH and the option ``--file``, as the argument ``paths``, in which each path occurs once."""

    @click.argument("paths", nargs=-1, type=click.Path(), metavar="[PATH]...")
    @click.option(
        "-f",
        "--file",
        "files",
        multiple=True,
        type=click.Path(),
        metavar="PATH",
        help="A file, a folder, or - for standard input. May repeat.",
    )
    @functools.wraps(function)
    def wrapped(*args: object, paths: tuple[str, ...], files: tuple[str, ...], **arguments: object) -> object:
        return function(*args, paths=tuple(dict.fromkeys((*files, *paths))), **arguments)

    return wrapped  # type: ignore[return-value]  # click decorates functions of any signature
