"""What commands print besides plans: accounts, users of deleted resources, documents and tables."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import yaml

from planton.base import terminal
from planton.cli import output
from planton.manifest import stack_input
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from planton.deploy import accounts as run_accounts
    from planton.deploy import steps as deploy_steps
    from planton.schema import references


def progress(line: str) -> None:
    """Prints a line of progress, which is no result, on stderr."""
    # On a terminal, this line replaces the line of the running step, or the ^C.
    output.echo((terminal.CLEAR_LINE if sys.stderr.isatty() else "") + terminal.style(line, "dim"), err=True)


def accounts_of(steps: Iterable[deploy_steps.Step]) -> list[run_accounts.Account]:
    """Returns the accounts of steps, each once, sorted."""
    return sorted({step.account for step in steps if step.account is not None})


def echo_accounts(accounts: Iterable[run_accounts.Account]) -> None:
    """Prints the accounts that an operation uses, one per line."""
    echo_lines(f"Account: {account}" for account in accounts)


def echo_users(users: Mapping[references.Key, Sequence[references.Key]]) -> None:
    """Prints what happens to the dependants of resources that are deleted, if they are not deleted themselves."""
    for key, dependants in users.items():
        pools = [user for user in dependants if kinds.is_deleted_with(user.kind, key.kind)]
        remaining = [user for user in dependants if user not in pools]
        if pools:
            output.warn(f"{', '.join(map(str, pools))} refer to {key} and are deleted with it; their states stay")
        if remaining:
            output.warn(f"{', '.join(map(str, remaining))} refer to {key} and are kept")


def echo_json(data: object) -> None:
    """Prints JSON data as one document on stdout."""
    output.echo(stack_input.dumps(data))


def echo_yaml(documents: Sequence[object]) -> None:
    """Prints JSON data as documents of one YAML stream on stdout."""
    output.echo_document(yaml_text(documents))


def yaml_text(documents: Sequence[object]) -> str:
    """Returns JSON data as documents of one YAML stream, with YAML's own escapes for control characters."""
    text = str(yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True))
    return text if terminal.is_safe(text) else str(yaml.safe_dump_all(documents, sort_keys=False))


def echo_lines(lines: Iterable[str]) -> None:
    """Prints lines on stdout; colours only on a terminal."""
    for line in lines:
        output.echo(line)


def echo_each(lines: Iterable[str]) -> None:
    """Prints lines on stdout, each at once."""
    for line in lines:
        output.echo(line)
        sys.stdout.flush()


def table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Returns rows as lines with aligned columns; the first row is the header. Each cell is one line."""
    rows = [tuple(map(terminal.one_line, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [aligned(row, widths) for row in rows]


def aligned(cells: Iterable[str], widths: Iterable[int]) -> str:
    """Returns cells as a line, each as wide as its column at least."""
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
