"""``planton server token``: bearer tokens of users and controllers. The database stores a hash of each, never the token."""

from __future__ import annotations

import datetime
import json
import pathlib
import re
from typing import TYPE_CHECKING, Any, Final

import click

from planton import errors
from planton.cli import output, server_database, writing
from planton_server.service import reporters, timestamps

if TYPE_CHECKING:
    from planton_server.store import database

#: The number of the hash's characters that identify a token.
_SHOWN: Final = 12
_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes"}


@click.group()
def token() -> None:
    """Create, list and revoke bearer tokens of users and controllers."""


@token.command()
@click.argument("subject")
@click.option("--role", type=click.Choice(["user", "controller"]), default="user", show_default=True, help="The caller's role.")
@click.option(
    "--reports-as",
    multiple=True,
    metavar="NAME",
    help="A controller_name that a controller's token may report under, e.g. 'aws-*'. May repeat.  [default: SUBJECT]",
)
@click.option("--expires", metavar="TIME", help="Lifetime of the token: 90d, 12h, 30m.  [default: until it is revoked]")
@server_database.option
@click.option(
    "--out",
    default="",
    type=click.Path(),
    metavar="FILE",
    help="Write the token to this file, with mode 0600, and do not print it.",
)
@output.output_option("text", "json")
def create(
    *,
    subject: str,
    role: str,
    reports_as: tuple[str, ...],
    expires: str | None,
    database_url: str | None,
    out: str,
    form: str,
) -> None:
    """Create a token for SUBJECT, an email address or a controller's name, and print it.

    The token is shown only once. Clients send it as
    `Authorization: Bearer TOKEN`. A controller's token reports status under its
    own name, SUBJECT, or under the names in --reports-as.

    Exit codes: 0 done, 2 usage, 6 the database cannot be reached.
    """
    from planton_server import auth  # noqa: PLC0415  # the extra `server`; SQLAlchemy takes 150 ms of each `--help`
    from planton_server.store import access  # noqa: PLC0415  # the extra `server`; SQLAlchemy takes 150 ms of each `--help`

    patterns = _patterns(subject, role, reports_as)
    if not re.fullmatch(r"\S{1,254}", subject):
        raise click.UsageError("SUBJECT must be an email address or a name without spaces")
    now = datetime.datetime.now(datetime.UTC)
    end = timestamps.text(now + _duration(expires)) if expires else None
    value = auth.new_token()
    digest = auth.digest(value)
    values = {"digest": digest, "subject": subject, "role": role, "created_at": timestamps.text(now), "expires_at": end}
    values["reports_as"] = reporters.stored(patterns) if patterns else None

    async def put(store: database.Database) -> None:
        async with store.transaction() as transaction:
            await access.put_token(transaction, values)

    if out:
        # A token that could not be written must not stay valid.
        writing.write(pathlib.Path(out), f"{value}\n".encode(), mode=0o600)
    server_database.query(database_url, put)
    if form == "json":
        click.echo(json.dumps({"file": out, **_shown(values)} if out else {"token": value, **_shown(values)}))
        return
    click.echo(f"The token is in {out}." if out else value)
    click.echo(f"A token of the {role} {subject}, {_until(end)}; it is not shown again. Its id: {digest[:_SHOWN]}", err=True)


def _patterns(subject: str, role: str, reports_as: tuple[str, ...]) -> tuple[str, ...]:
    """Returns the names that a controller may report under; none for a user."""
    if role != "controller":
        if reports_as:
            raise click.UsageError("--reports-as is for --role controller: users do not report status")
        return ()
    if not reports_as and "*" in subject:
        raise click.UsageError("SUBJECT contains *: name the controllers with --reports-as")
    try:
        return reporters.checked(reports_as or [subject])
    except ValueError as error:
        raise click.UsageError(f"--reports-as: {error}") from error


@token.command("list")
@server_database.option
@output.output_option("text", "json")
def list_command(*, database_url: str | None, form: str) -> None:
    """List tokens: ids, subjects, roles and times, not the tokens.

    Exit codes: 0 done, 2 usage, 6 the database cannot be reached.
    """
    from planton_server.store import access  # noqa: PLC0415  # the extra `server`; SQLAlchemy takes 150 ms of each `--help`

    tokens = [_shown(row) for row in server_database.query(database_url, access.list_tokens)]
    if form == "json":
        click.echo(json.dumps(tokens))
        return
    for row in tokens:
        reports = f", reports as {' or '.join(row['reports_as'])}" if row["role"] == "controller" else ""
        click.echo(
            f"{row['id']}  {row['role']:<10}  {row['subject']}  created {row['created_at']}, {_until(row['expires_at'])}{reports}"
        )


@token.command()
@click.argument("identifier", metavar="ID")
@server_database.option
def revoke(*, identifier: str, database_url: str | None) -> None:
    """Revoke a token by its id. Running servers may accept it for ten more seconds.

    Exit codes: 0 done, 1 unknown token, 2 usage, 6 the database cannot be reached.
    """
    from planton_server.store import access  # noqa: PLC0415  # the extra `server`; SQLAlchemy takes 150 ms of each `--help`

    if not re.fullmatch(r"[0-9a-f]{4,64}", identifier):
        raise click.UsageError("ID must be an id from `planton server token list`")

    async def remove(store: database.Database) -> bool:
        async with store.transaction() as transaction:
            return await access.revoke_token(transaction, identifier)

    if not server_database.query(database_url, remove):
        raise errors.not_found(
            f"no token has the id {identifier}, or several ids begin with it",
            hint="list the ids: planton server token list",
        )
    click.echo("Revoked.")


def _shown(row: Any) -> dict[str, Any]:  # a row
    fields = {name: row[name] for name in ("subject", "role", "created_at", "expires_at")}
    patterns = {"reports_as": list(reporters.read(row["reports_as"]))} if row["role"] == "controller" else {}
    return {"id": row["digest"][:_SHOWN], **fields, **patterns}


def _until(end: str | None) -> str:
    return f"valid until {end}" if end else "valid until it is revoked"


def _duration(text: str) -> datetime.timedelta:
    match = re.fullmatch(r"([1-9][0-9]{0,4})([dhm])", text)
    if match is None:
        raise click.UsageError(f"--expires {text}: must be a number and d, h or m, such as 90d")
    return datetime.timedelta(**{_UNITS[match[2]]: int(match[1])})
