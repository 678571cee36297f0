"""``planton server``: the NodePool API, over REST and gRPC."""

from __future__ import annotations

import ipaddress
import json
import pathlib
import socket
from typing import TYPE_CHECKING, Any

import click

import planton
from planton import errors
from planton.cli import output, server_backup, server_controllers, server_database, server_keys, server_settings, server_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from planton_server import settings


@click.group()
def server() -> None:
    """Run the NodePool API, and maintain its database.

    The API stores the desired state of clusters and node pools. Controllers
    read it and report status, over REST and gRPC.
    """


server.add_command(server_backup.backup)
server.add_command(server_backup.restore)
server.add_command(server_keys.rotate_keys)
server.add_command(server_token.token)


@server.command()
@server_database.option
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=pathlib.Path),
    envvar=f"{server_database.PREFIX}_CONFIG",
    show_envvar=True,
    is_eager=True,
    expose_value=False,
    callback=server_settings.read_file,
    help="TOML file of settings, with the names of the options.",
)
@click.option("--migrate/--no-migrate", default=True, show_default=True, help="Migrate the database first.")
@click.option(
    "--with-controllers",
    is_flag=True,
    envvar=f"{server_database.PREFIX}_WITH_CONTROLLERS",
    help="Also run the controllers on this machine, with the accounts of this shell.",
)
@server_settings.options
@click.pass_obj
def start(
    serve: Callable[..., None] | None,
    /,
    *,
    database_url: str | None,
    migrate: bool,
    with_controllers: bool,
    auth: str,
    trusted_proxy: tuple[str, ...],
    expect: tuple[str, ...],
    **options: Any,
) -> None:
    """Serve the API until SIGTERM or SIGINT.

    Each option can also be a variable (PLANTON_SERVER_PORT) or an entry of the
    file (port = 8080). Options take precedence over variables, and variables
    over the file.

    Exit codes: 0 stopped, 2 usage, 6 the database or the address is unavailable.
    """
    from planton_server import server as running  # noqa: PLC0415  # the extra `server`; SQLAlchemy takes 150 ms of each `--help`
    from planton_server import settings  # noqa: PLC0415  # the extra `server`; SQLAlchemy takes 150 ms of each `--help`

    if options["port"] and options["port"] == options["grpc_port"]:
        raise click.UsageError(f"--grpc-port {options['grpc_port']}: must not be the port of REST")
    configured = settings.Settings(
        trusted_header=_trusts_header(auth, options["host"], trusted_proxy),
        trusted_proxies=_checked_networks(trusted_proxy),
        expected=_checked_controllers(expect),
        **options,
        # Last, because it creates the folder.
        database_url=server_database.url(database_url),
    )
    if migrate:
        server_database.migrate(configured.database_url)
    _check_addresses(configured.host, configured.port, configured.grpc_port)
    click.echo(_greeting(configured), err=True)
    for warning in configured.warnings:
        click.echo(f"Warning: {warning}.", err=True)
    serve = serve or running.run
    if not with_controllers:
        serve(configured)
        return
    configured = server_controllers.measured(configured)
    with server_controllers.running(configured) as stop:
        serve(configured, before_stop=stop)


@server.command("migrate")
@server_database.option
@output.output_option("text", "json")
def migrate_command(*, database_url: str | None, form: str) -> None:
    """Migrate the database to this release.

    Servers then need no right to create tables. Older servers keep running.

    Exit codes: 0 done, 2 usage, 6 the database cannot be reached.
    """
    before, now = server_database.migrate(server_database.url(database_url))
    done = f"at revision {now} already" if before == now else f"from {before or 'nothing'} to revision {now}"
    click.echo(json.dumps({"before": before, "now": now}) if form == "json" else f"The database is {done}.")


@server.command("openapi")
def openapi_command() -> None:
    """Print the OpenAPI document of the API, as /openapi.json serves it."""
    from planton_server.http import openapi  # noqa: PLC0415  # the extra `server`; SQLAlchemy takes 150 ms of each `--help`

    click.echo(json.dumps(openapi.document(planton.__version__), indent=2))


def _greeting(configured: settings.Settings) -> str:
    """Returns the first line of a server that starts: version, addresses, database and authentication."""
    from planton_server.store import database  # noqa: PLC0415  # the extra `server`; SQLAlchemy takes 150 ms of each `--help`

    location = configured.database_url.partition(":")[0]
    if location == "sqlite":
        location = database.path(configured.database_url)
    grpc = f", gRPC on {configured.address(configured.grpc_port)}" if configured.grpc_port else ""
    authentication = "users named by X-User-Email" if configured.trusted_header else "bearer tokens only"
    rest_address = f"REST on http://{configured.address(configured.port)} (see /docs)"
    return f"planton {planton.__version__}: {rest_address}{grpc}; database {location}; {authentication}."


def _check_addresses(host: str, *ports: int) -> None:
    """Checks that the server can listen on its ports, before workers start: their errors would not reach the user."""
    for port in filter(None, ports):
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
                0
            ]
            with socket.socket(family, kind, protocol) as trying:
                trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trying.bind(address)
        except OSError as error:
            raise errors.address_unavailable(
                f"cannot listen on {host}:{port}: {error.strerror}",
                hint="stop the program that uses the port, or choose others with --host and --port",
            ) from error


def _trusts_header(auth: str, host: str, proxies: tuple[str, ...]) -> bool:
    """Returns whether X-User-Email names the caller. Refuses to trust it from any address."""
    from planton_server import settings  # noqa: PLC0415  # the extra `server`; SQLAlchemy takes 150 ms of each `--help`

    if auth not in {"", "header", "token"}:
        raise click.UsageError("--auth must be header or token")
    loopback = settings.is_loopback(host)
    if auth == "header" and not loopback and not proxies:
        raise click.UsageError(
            f"--auth header on {host} would trust X-User-Email from any address: name your proxy with --trusted-proxy, or use --auth token"
        )
    return auth == "header" or (not auth and (loopback or bool(proxies)))


def _checked_networks(networks: tuple[str, ...]) -> tuple[str, ...]:
    for network in networks:
        try:
            ipaddress.ip_network(network)
        except ValueError as error:
            raise click.UsageError(f"--trusted-proxy {network}: {error}") from error
    return networks


def _checked_controllers(entries: tuple[str, ...]) -> tuple[str, ...]:
    from org.project_planton.cluster.v1 import cluster_pb2  # noqa: PLC0415  # 18 ms of `--help`

    platforms = [field.name for field in cluster_pb2.ClusterPlatform.DESCRIPTOR.fields if field.message_type]
    for entry in entries:
        place, _, name = entry.partition("=")
        kind, _, platform = place.partition("/")
        if kind not in {"cluster", "nodepool"} or platform not in platforms or not name:
            raise click.UsageError(
                f"--expect {entry}: must be KIND/PLATFORM=NAME, the kind cluster or nodepool, the platform one of {', '.join(platforms)}"
            )
    return entries
