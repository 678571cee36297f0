"""What commands of ``planton server`` share: which database is meant, and what is said where it cannot be reached."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click
import platformdirs

from planton import errors

F = TypeVar("F", bound=Callable[..., Any])
#: How the names of variables begin.
PREFIX: Final = "PLANTON_SERVER"


def option(function: F) -> F:
    """Adds the option that names the database."""
    return click.option(
        "--database-url",
        envvar=f"{PREFIX}_DATABASE_URL",
        show_envvar=True,
        metavar="URL",
        help="sqlite:///PATH or postgresql://…; one with a password belongs into the variable.  [default: a file in the user's data folder]",
    )(function)


def url(given: str | None) -> str:
    """Returns the database that is meant; the folder of a file is made where it is not there."""
    from planton_server.store import database

    found = given or f"sqlite:///{pathlib.Path(platformdirs.user_data_dir('planton')) / 'server.db'}"
    try:
        if database.check(found) == "sqlite":
            pathlib.Path(database.path(found)).parent.mkdir(parents=True, exist_ok=True)
    except ValueError as error:
        raise click.UsageError(f"the database URL {error}") from error
    except OSError as error:
        raise unreachable(str(error)) from error
    return found


def migrate(database_url: str) -> tuple[str, str]:
    """Brings a database's tables up to date; returns the revision before and the one now."""
    from planton_server.store import database, schema

    try:
        return schema.migrate(database_url)
    except database.UnavailableError as error:
        raise unreachable(str(error)) from error


def unreachable(said: str) -> errors.PlantonError:
    """Returns the error of a database that cannot be reached.

    Args:
        said: What its driver said.
    """
    return errors.PlantonError(
        "the database cannot be reached",
        code=errors.Code.FAILED,
        reason=errors.Reason.DATABASE_UNREACHABLE,
        hint=f"is it running, and is the URL right? It said: {said.partition(chr(10))[0]}",
    )
