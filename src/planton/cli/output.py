"""What commands show, and how: errors, violations with their source line, the ``--output`` option."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from planton import errors
from planton.base import terminal
from planton.cli import streams

if TYPE_CHECKING:
    from collections.abc import Sequence

F = TypeVar("F", bound=Callable[..., Any])
#: The beginning of a form that is a JSONPath template.
JSONPATH: Final = "jsonpath="


def output_option(*forms: str) -> Callable[[F], F]:
    """Returns the option ``-o``, ``--output`` with the forms a command has; the first is the default; it is passed as ``form``."""
    return click.option(
        "-o", "--output", "form", type=click.Choice(forms), default=forms[0], show_default=True, help="Output format."
    )


def template_option(*forms: str) -> Callable[[F], F]:
    """Returns the option of `output_option` that also takes ``jsonpath=TEMPLATE``."""

    def check(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
        if value in forms or value.startswith(JSONPATH):
            return value
        raise click.BadParameter(f"{value!r} is not one of: {', '.join(forms)}, {JSONPATH}TEMPLATE")

    def complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
        return [form for form in (*forms, JSONPATH) if form.startswith(incomplete)]

    return click.option(
        "-o",
        "--output",
        "form",
        default=forms[0],
        callback=check,
        shell_complete=complete,
        show_default=True,
        metavar=f"[{'|'.join(forms)}|{JSONPATH}TEMPLATE]",
        help="Output format.",
    )


def column(name: str, header: Sequence[str]) -> int:
    """Returns the position of a column.

    Raises:
        PlantonError: ``USAGE``: there is no such column.
    """
    if name not in header:
        hint = f"sort by a column ({', '.join(header).lower()}) or by a JSONPath such as .metadata.name"
        raise errors.usage(f"there is no column {name.lower()!r}", hint=hint)
    return header.index(name)


def is_terminal(*, err: bool = False) -> bool:
    """Returns whether a person reads standard output (or standard error)."""
    return (sys.stderr if err else sys.stdout).isatty()


def echo(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Prints a line with control characters escaped. Styles are dropped without a terminal, and with ``NO_COLOR``.

    Args:
        text: The line, with styles of `terminal.style`.
        err: Print it on standard error.
        nl: End the line.
    """
    streams.write(terminal.escape_all_but_styles(text) + ("\n" if nl else ""), err=err)


def echo_document(text: str) -> None:
    """Prints a document for programs on standard output, unchanged except for control characters."""
    streams.write(terminal.document(text, is_terminal=is_terminal()))


def show_error(error: errors.PlantonError, *, of: str = "", as_json: bool = False) -> None:
    """Prints an error on standard error: what, and what to do next; coloured on a terminal.

    Args:
        error: The error.
        of: The resource that it is about, where there are several; empty otherwise.
        as_json: Whether to print it on standard output too, as JSON.
    """
    if as_json:
        echo(json.dumps({"error": error.as_dict()}, indent=2, ensure_ascii=False))
    if isinstance(error, errors.InvalidError):
        for violation in error.violations:
            show_violation(violation, err=True)
    else:
        about = f"{of}: " if of and error.subject != of else ""
        echo(f"{terminal.style('Error:', 'red', 'bold')} {about}{error.message}", err=True)
    if error.hint:
        echo(f"{terminal.style('Hint:', 'cyan')} {error.hint}", err=True)


def warn(text: str) -> None:
    """Prints a warning on standard error."""
    echo(f"{terminal.style('Warning:', 'yellow', 'bold')} {text}", err=True)


def show_violation(violation: errors.Violation, *, err: bool = False) -> None:
    """Prints a violation; on a terminal with the source line and a caret."""
    if not is_terminal(err=err):
        echo(terminal.one_line(str(violation)), err=err)
        return
    place = f"{violation.file}:{violation.line}:{violation.column}" if violation.line else violation.file
    path = f" {terminal.style(violation.path, 'cyan')}:" if violation.path else ""
    rule = terminal.style(f"[{violation.rule_id}]", "dim")
    level = "" if violation.level == "error" else terminal.style(f" {violation.level}:", "yellow")
    echo(f"{terminal.style(place + ':', 'bold')}{level}{path} {violation.message} {rule}", err=err)
    if violation.source and violation.column:
        echo(f"    {terminal.escape(violation.source)}", err=err)
        echo(f"    {caret(violation)}", err=err)


def caret(violation: errors.Violation) -> str:
    """Returns the line under the source line, whose caret stands under the column."""
    before = terminal.escape(violation.source[: violation.column - 1])
    padding = "".join("\t" if character == "\t" else " " for character in before)
    return padding + terminal.style("^", "red", "bold")
