"""What commands show, and how: errors, violations with their source line, the ``--output`` option."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from planton import errors

F = TypeVar("F", bound=Callable[..., Any])


def output_option(*forms: str) -> Callable[[F], F]:
    """Returns the option ``-o``, ``--output`` with the forms a command has; the first is the default; it is passed as ``form``."""
    return click.option(
        "-o", "--output", "form", type=click.Choice(forms), default=forms[0], show_default=True, help="Form of the result."
    )


def is_terminal(*, err: bool = False) -> bool:
    """Returns whether a person reads standard output (or standard error)."""
    return (sys.stderr if err else sys.stdout).isatty()


def echo(text: str, *, err: bool = False) -> None:
    """Prints a line; its colours are left out where no terminal shows them, or ``NO_COLOR`` is set."""
    click.echo(text, err=err, color=False if os.environ.get("NO_COLOR") else None)


def show_error(error: errors.PlantonError, *, of: str = "") -> None:
    """Prints an error on standard error: what, and what to do next; coloured on a terminal.

    Args:
        error: The error.
        of: The resource that it is about, where there are several; empty otherwise.
    """
    if isinstance(error, errors.InvalidError):
        for violation in error.violations:
            show_violation(violation, err=True)
    else:
        about = f"{of}: " if of and not error.message.startswith(of) else ""
        echo(f"{click.style('Error:', fg='red', bold=True)} {about}{error.message}", err=True)
    if error.hint:
        echo(f"{click.style('Hint:', fg='cyan')} {error.hint}", err=True)


def warn(text: str) -> None:
    """Prints a warning on standard error."""
    echo(f"{click.style('Warning:', fg='yellow', bold=True)} {text}", err=True)


def show_violation(violation: errors.Violation, *, err: bool = False) -> None:
    """Prints a violation; on a terminal with the source line and a caret."""
    if not is_terminal(err=err):
        echo(str(violation), err=err)
        return
    place = f"{violation.file}:{violation.line}:{violation.column}" if violation.line else violation.file
    path = f" {click.style(violation.path, fg='cyan')}:" if violation.path else ""
    rule = click.style(f"[{violation.rule_id}]", dim=True)
    level = "" if violation.level == "error" else click.style(f" {violation.level}:", fg="yellow")
    echo(f"{click.style(place + ':', bold=True)}{level}{path} {violation.message} {rule}", err=err)
    if violation.source and violation.column:
        echo(f"    {violation.source}", err=err)
        echo(f"    {caret(violation)}", err=err)


def caret(violation: errors.Violation) -> str:
    """Returns the line under the source line, whose caret stands under the column."""
    before = violation.source[: violation.column - 1]
    padding = "".join("\t" if character == "\t" else " " for character in before)
    return padding + click.style("^", fg="red", bold=True)
