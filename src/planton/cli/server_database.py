"""The database option of ``planton server`` commands, and the error of an unreachable database."""

from __future__ import annotations

import asyncio
import pathlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
import platformdirs

from planton import errors

if TYPE_CHECKING:
    from planton_server.store import database

F = TypeVar("F", bound=Callable[..., Any])
#: The prefix of the environment variables.
PREFIX: Final = "PLANTON_SERVER"


def option(function: F) -> F:
    """Adds the option that names the database."""
    return click.option(
        "--database-url",
        envvar=f"{PREFIX}_DATABASE_URL",
        show_envvar=True,
        metavar="URL",
        help="sqlite:///PATH or postgresql://…. Put a URL with a password in the variable: command lines are visible.  [default: a file in the user's data folder]",
    )(function)


def url(option_value: str | None) -> str:
    """Returns the URL of the database, by default a file. Creates the folder of a file."""
    from planton_server.store import database  # noqa: PLC0415  # the extra `server`; SQLAlchemy takes 150 ms of each `--help`

    address = option_value or f"sqlite:///{pathlib.Path(platformdirs.user_data_dir('planton')) / 'server.db'}"
    try:
        if database.check(address) == "sqlite":
            pathlib.Path(database.path(address)).parent.mkdir(parents=True, exist_ok=True)
    except ValueError as error:
        raise click.UsageError(f"the database URL {error}") from error
    except OSError as error:
        raise unreachable(str(error)) from error
    return address


def migrate(database_url: str) -> tuple[str, str]:
    """Migrates a database. Returns the revisions before and after."""
    from planton_server.store import database, schema  # noqa: PLC0415  # the extra `server`; SQLAlchemy takes 150 ms of each `--help`

    try:
        return schema.migrate(database_url)
    except database.UnavailableError as error:
        raise unreachable(str(error)) from error


def query(database_url: str | None, asked: Callable[[database.Database], Awaitable[Any]]) -> Any:
    """Returns the result of a call on the migrated database."""
    from planton_server.store import database  # noqa: PLC0415  # the extra `server`; SQLAlchemy takes 150 ms of each `--help`

    address = url(database_url)
    migrate(address)

    async def run() -> Any:
        store = await database.connect(address, connections=1)
        try:
            return await asked(store)
        finally:
            await store.close()

    try:
        return asyncio.run(run())
    except database.UnavailableError as error:
        raise unreachable(str(error)) from error


def unreachable(detail: str) -> errors.PlantonError:
    """Returns the error of a database that cannot be reached.

    Args:
        detail: The error of the driver.
    """
    return errors.database_unreachable(
        "the database cannot be reached",
        hint=f"check that it runs, and the URL in --database-url; the driver's error: {detail.partition(chr(10))[0]}",
    )
