"""``planton fmt``: manifests in one form, so that differences are differences of meaning."""

from __future__ import annotations

import difflib
import pathlib
from typing import TYPE_CHECKING

import click

from planton import errors
from planton.base import terminal
from planton.cli import output, render, writing
from planton.cli import paths as path_options
from planton.manifest import canonical, load

if TYPE_CHECKING:
    from collections.abc import Sequence

_STDIN = "-"


@click.command()
@path_options.arguments
@click.option("--check", is_flag=True, help="Write nothing; list what would change, and exit with 1 if anything would.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
@click.pass_context
def fmt(context: click.Context, *, paths: tuple[str, ...], check: bool, diff: bool) -> None:
    """Rewrite manifests in their canonical form, and list those that changed.

    Fields come in the order of the schema, in camelCase, two spaces a level.
    Comments, quotes, several documents and the order of maps and lists stay.
    The meaning never changes: the result is read again and compared. With
    - for PATH the result goes to standard output.

    A file that is not a manifest is an error, and no file is written.

    Exit codes: 0 done, 1 invalid, or --check lists files, 2 usage.
    """
    if not paths:
        raise click.UsageError("pass a file, a folder, or - for standard input")
    changed = False
    for path, old, new in _formatted(paths):
        if old != new:
            changed = True
            _show_change(path, old, new, check=check, diff=diff)
        if not (check or diff):
            _write(path, old, new)
    context.exit(errors.Code.INVALID if check and changed else 0)


def _formatted(paths: Sequence[str]) -> list[tuple[str, bytes, bytes]]:
    # All files are read before the first is written. An invalid one does not hide the violations of the others.
    formatted: dict[str, tuple[str, bytes, bytes]] = {}
    failures: list[errors.PlantonError] = []
    for text in load.texts(paths):
        if isinstance(text, errors.PlantonError):
            failures.append(text)
        elif text.file not in formatted:
            try:
                formatted[text.file] = (text.file, text.data, canonical.format_text(text.data, file=text.file).encode())
            except errors.PlantonError as error:
                failures.append(error)
    for each in failures[:-1]:
        output.show_error(each)
    if failures:
        raise failures[-1]
    return list(formatted.values())


def _show_change(path: str, old: bytes, new: bytes, *, check: bool, diff: bool) -> None:
    if diff:
        lines = difflib.unified_diff(_lines(old), _lines(new), path, path, lineterm="")
        render.echo_lines(terminal.style(line, _COLOURS.get(line[:1])) for line in lines)
    elif check or path != _STDIN:
        output.echo(terminal.one_line(path))


_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8-sig").splitlines()


def _write(path: str, old: bytes, new: bytes) -> None:
    if path == _STDIN:
        output.echo_document(new.decode())
    elif old != new:
        writing.write(pathlib.Path(path), new)
