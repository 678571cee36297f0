"""``planton server rotate-keys``: stored credentials get the first key of the file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from planton import errors
from planton.cli import output, server_database

if TYPE_CHECKING:
    from planton_server.store import database


@click.command("rotate-keys")
@server_database.option
@click.option(
    "--credential-keys",
    "file",
    required=True,
    envvar=f"{server_database.PREFIX}_CREDENTIAL_KEYS",
    show_envvar=True,
    type=click.Path(exists=True, dir_okay=False),
    help="File of the keys, the new one first.",
)
@output.output_option("text", "json")
def rotate_keys(*, database_url: str | None, file: str, form: str) -> None:
    """Encrypt all stored credentials with the first key of the file.

    Afterwards the other keys can be removed. Servers may run meanwhile, if
    their files have all keys.

    Exit codes: 0 done, 2 usage, 6 the database cannot be reached, 8 a key is
    missing.
    """
    from planton_server.service import accounts, sealing  # noqa: PLC0415  # the extra `server`; SQLAlchemy takes 150 ms of each `--help`

    async def rotate(store: database.Database) -> int:
        return await accounts.rotate(store, file)

    try:
        changed = server_database.query(database_url, rotate)
    except sealing.UnusableError as error:
        raise errors.credential_invalid(
            f"the credentials cannot be encrypted: {error}",
            hint="add the keys that were used before, one a line, after the new one",
        ) from None
    click.echo(json.dumps({"changed": changed}) if form == "json" else f"Credentials that have the first key now: {changed}.")
