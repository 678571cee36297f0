"""``planton server backup`` and ``restore``: the database in one file."""

from __future__ import annotations

import datetime
import pathlib

import click

from planton.cli import server_database
from planton_server.service import timestamps

_FILE = click.Path(dir_okay=False, path_type=pathlib.Path)


@click.command()
@click.argument("file", type=_FILE)
@server_database.option
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
def backup(*, file: pathlib.Path, database_url: str | None, overwrite: bool) -> None:
    """Write the whole database into a file, while servers run.

    The file contains all tables, with the hashes of tokens. Only its owner can
    read it. PostgreSQL needs pg_dump on PATH.

    Exit codes: 0 done, 2 usage, 5 the file exists, 6 the database cannot be
    reached, 8 pg_dump is missing.
    """
    from planton_server.store import backup as store  # noqa: PLC0415  # the extra `server`; SQLAlchemy takes 150 ms of each `--help`

    size = store.backup(server_database.url(database_url), file, overwrite=overwrite)
    click.echo(f"The backup is in {file} ({size} bytes).")


@click.command()
@click.argument("file", type=_FILE)
@server_database.option
@click.option("--overwrite", is_flag=True, help="Delete the current contents of the database.")
def restore(*, file: pathlib.Path, database_url: str | None, overwrite: bool) -> None:
    """Restore the database from a backup. Stop the servers first.

    The restored database is migrated to this release, and every resource is
    resynced to its controllers. PostgreSQL needs pg_restore on PATH.

    Exit codes: 0 done, 2 usage or no such backup, 5 the database is not empty
    or in use, 6 it cannot be reached, 8 pg_restore is missing.
    """
    from planton_server.store import backup as store  # noqa: PLC0415  # the extra `server`; SQLAlchemy takes 150 ms of each `--help`

    url = server_database.url(database_url)
    store.restore(url, file, overwrite=overwrite, now=timestamps.text(datetime.datetime.now(datetime.UTC)))
    server_database.migrate(url)
    click.echo(f"The database is restored from {file}.")
