"""``planton credentials``: the credentials of accounts that the NodePool API stores, encrypted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final

import click
import yaml

from planton import errors
from planton.cli import nodepools_options, nodepools_output, options, output, render, times
from planton.config import credentials_file
from planton.schema import kinds

if TYPE_CHECKING:
    from planton import client

_HEADER: Final = ("NAME", "PLATFORM", "FIELDS", "KEY", "UPDATED")
_PLATFORM: Final = click.option("--platform", required=True, metavar="CLOUD", help="The cloud of the account.")


@click.group()
def credentials() -> None:
    """Store credentials of your accounts for the controllers of the NodePool API.

    spec.platform.<cloud>.credential of a cluster names one. The API encrypts
    them, and shows a value to controllers only.
    """


@credentials.command("set")
@nodepools_options.server
@click.argument("name")
@_PLATFORM
@click.option(
    "-f",
    "--file",
    type=click.File("rb"),
    default="-",
    help="The token, or a YAML mapping as in the credentials file.  [default: standard input]",
)
@output.output_option("table", "json", "yaml")
def set_(*, api: client.Transport, name: str, platform: str, file: BinaryIO, form: str) -> None:
    """Store a credential, in place of the previous one of this name.

    Exit codes: 0 done, 2 usage, 6 the API cannot be reached, 8 no user or token.
    """
    fields = [{"name": each, "value": value} for each, value in _fields(platform, file).items()]
    stored = api.request("PUT", f"/api/v1/credentials/{_segment(platform)}/{_segment(name)}", {"fields": fields})
    _show([stored], form, stored)


@credentials.command("list")
@nodepools_options.server
@output.output_option("table", "json", "yaml", "name")
def list_credentials(*, api: client.Transport, form: str) -> None:
    """List your credentials, without their values.

    Exit codes: 0 done, 2 usage, 6 the API cannot be reached, 8 no user or token.
    """
    answer = api.request("GET", "/api/v1/credentials")
    if form == "name":
        render.echo_lines(each["name"] for each in answer["credentials"])
    else:
        _show(answer["credentials"], form, answer)


@credentials.command("delete")
@nodepools_options.server
@click.argument("name")
@_PLATFORM
@click.option("--yes", is_flag=True, help="Skip the confirmation.")
@output.output_option("text", "json", "yaml")
def delete(*, api: client.Transport, name: str, platform: str, yes: bool, form: str) -> None:
    """Delete a credential. Controllers can then no longer change clusters that name it.

    Exit codes: 0 done, 1 there is no such credential, 2 usage, 6 the API cannot
    be reached, 8 no user or token.
    """
    options.confirm(f"Delete the credential {name} for {platform}?", yes=yes, is_grave=True)
    api.request("DELETE", f"/api/v1/credentials/{_segment(platform)}/{_segment(name)}")
    if form == "text":
        output.echo(f"credential {name}: deleted", err=True)
    else:
        nodepools_output.show_data({"platform": platform, "name": name}, form)


def _segment(text: str) -> str:
    from planton.client import transport  # noqa: PLC0415  # the extra `client`; httpx takes 60 ms of each `--help`

    return transport.segment(text)


def _show(rows: list[dict[str, Any]], form: str, data: dict[str, Any]) -> None:
    if form != "table":
        nodepools_output.show_data(data, form)
        return
    cells = [
        (each["name"], each["platform"], ", ".join(each["fields"]), each["key"], times.utc(each["updated_at"])) for each in rows
    ]
    render.echo_lines(render.table([_HEADER, *cells]) if cells else ["there are no credentials"])


def _fields(platform: str, file: BinaryIO) -> dict[str, str]:
    """Returns the fields of a credential: those of a mapping, or the secret alone.

    Raises:
        PlantonError: ``CREDENTIAL_UNKNOWN``: the fields are not those of the cloud. The error has no value.
    """
    platforms = sorted({each.provider for each in kinds.all_kinds()})
    if platform not in platforms:
        raise click.UsageError(f"--platform {platform}: the clouds with controllers are: {', '.join(platforms)}")
    kind = kinds.of_provider(platform)
    try:
        text = file.read().decode().strip()
        data = yaml.safe_load(text)
    except (ValueError, RecursionError, yaml.YAMLError):
        data = None
    if isinstance(data, str):
        secret = next(field for field in kind.cloud.credentials if field.is_secret)
        data = {secret.name: text}
    if not isinstance(data, dict) or not data:
        raise errors.credential_invalid(
            "the credential is neither a token nor a YAML mapping",
            hint=f"pass it on standard input: planton credentials set NAME --platform {platform} < FILE",
        )
    fields = {str(key): value for key, value in data.items()}
    credentials_file.parsed(kind, fields, source="the credential")
    return fields
