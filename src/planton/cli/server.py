"""``planton server``: the NodePool API, over REST and gRPC."""

from __future__ import annotations

import ipaddress
import json
import math
import pathlib
import socket
import tomllib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import click

import planton
from planton import errors
from planton.cli import output, server_backup, server_controllers, server_database, server_keys, server_token

if TYPE_CHECKING:
    from planton_server import settings

F = TypeVar("F", bound=Callable[..., Any])
_PORT: Final = click.IntRange(0, 65535)


class _Number(click.FloatRange):
    """A number in a range. Refuses `nan`, which compares as neither below nor above it."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


#: At most a hundred years, so that a date can still be computed.
_SECONDS: Final = _Number(0, 100 * 365 * 86_400)
_RATE: Final = _Number(0, 1_000_000)


class Setting(NamedTuple):
    """A setting of ``start``: an option, an environment variable and an entry of the file.

    Attributes:
        name: The name of the option without the leading dashes.
        default: The default; its type is the setting's type. A tuple stands for an option that may repeat.
        text: The help text.
        metavar: The placeholder of the value in help.
        type: The type of the value, if it is narrower than the default's.
    """

    name: str
    default: Any  # bool, int, float, str or a tuple of them
    text: str
    metavar: str = ""
    type: click.ParamType[Any] | None = None


SETTINGS: Final = (
    Setting("host", "127.0.0.1", "Address to listen on.", "ADDRESS"),
    Setting("port", 8080, "Port of REST.", "PORT", _PORT),
    Setting("grpc-port", 0, "Port of gRPC; 0 for none.", "PORT", _PORT),
    Setting("workers", 1, "Number of worker processes. More than one does not help SQLite.", "N", click.IntRange(1)),
    Setting("connections", 10, "Connections to the database, for each worker.", "N", click.IntRange(1)),
    Setting(
        "auth",
        "",
        "How callers authenticate: `header` trusts X-User-Email, `token` requires a bearer token. Unset: header on loopback, else token.",
        "WAY",
    ),
    Setting("trusted-proxy", (), "Network from which X-User-Email is trusted. May repeat.", "CIDR"),
    Setting("jwks-url", "", "URL of the key set (JWKS) that verifies signed tokens (JWT).", "URL"),
    Setting("issuer", "", "The issuer that signed tokens must name.", "TEXT"),
    Setting("audience", "", "The audience that signed tokens must name.", "TEXT"),
    Setting(
        "unverified-email",
        False,
        "Accept the email of a signed token that lacks the claim email_verified.",
    ),
    Setting("rate", 0.0, "Requests per second for each caller and worker; 0 for no limit.", "N", _RATE),
    Setting("burst", 100, "Burst of requests for each caller and worker.", "N", click.IntRange(1)),
    Setting(
        "expect",
        (),
        "A controller that must report before a resource is ready, e.g. nodepool/aws=aws-nodepool-controller.",
        "KIND/PLATFORM=NAME",
    ),
    Setting(
        "deadline",
        1800.0,
        "Seconds until a resource with expected controllers fails if it is not ready.",
        "SECONDS",
        _SECONDS,
    ),
    Setting("resync", 3600.0, "Seconds between two resyncs of the desired state; 0 for none.", "SECONDS", _SECONDS),
    Setting(
        "retention", 604800.0, "Seconds to keep events. Deletions are kept until they are acknowledged.", "SECONDS", _SECONDS
    ),
    Setting("credential-keys", "", "File of the keys that encrypt stored credentials, the one for new ones first.", "FILE"),
    Setting("audit-retention", 7776000.0, "Seconds to keep the audit of controllers.", "SECONDS", _SECONDS),
    Setting(
        "tick",
        10,
        "Seconds between two checks of deadlines and resyncs. 0 disables the checks, and the cleaning of old rows.",
        "SECONDS",
        click.IntRange(0, 300),
    ),
    Setting(
        "work-running",
        5,
        "Works of controllers that run at once for an account of a cloud; 0 for no limit.",
        "N",
        click.IntRange(0),
    ),
    Setting(
        "work-rate", 120.0, "Works of controllers that start per minute for an account of a cloud; 0 for no limit.", "N", _RATE
    ),
    Setting(
        "work-attempts", 5, "Failed runs in a row after which work is dead until it is retried.", "N", click.IntRange(1, 1000)
    ),
    Setting("environment", "development", "Name of this installation in /info.", "NAME"),
    Setting(
        "log-level",
        "info",
        "Lowest level to log: debug, info, warning or error.",
        "LEVEL",
        click.Choice(["debug", "info", "warning", "error"]),
    ),
    Setting("access-log", True, "Log each request."),
    Setting("otlp-endpoint", "", "Endpoint for traces (OTLP over gRPC). Unset: no traces.", "URL"),
    Setting("metrics-pools", 1000, "Maximum number of node pools with their own series in /metrics.", "N", click.IntRange(0)),
)


def _read_file(context: click.Context, _parameter: click.Parameter, value: pathlib.Path | None) -> None:
    """Uses the file's settings as the defaults of the options. Options and variables take precedence."""
    if value is None:
        return
    try:
        entries = tomllib.loads(value.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise click.BadParameter(f"cannot be read: {error}") from error
    names = {parameter.name for parameter in context.command.params}
    if unknown := sorted({name.replace("-", "_") for name in entries} - names):
        raise click.BadParameter(f"{value} has unknown settings: {', '.join(unknown)}")
    context.default_map = {name.replace("-", "_"): setting for name, setting in entries.items()}


def _settings_options(function: F) -> F:
    for setting in reversed(SETTINGS):
        name = setting.name.replace("-", "_")
        switch = f"/--no-{setting.name}" if isinstance(setting.default, bool) else ""
        function = click.option(
            f"--{setting.name}{switch}",
            name,
            default=setting.default,
            multiple=isinstance(setting.default, tuple),
            type=str if isinstance(setting.default, tuple) else setting.type,
            envvar=f"{server_database.PREFIX}_{name.upper()}",
            show_default=True,
            metavar=setting.metavar or None,
            help=setting.text,
        )(function)
    return function


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
    callback=_read_file,
    help="TOML file of settings, with the names of the options.",
)
@click.option("--migrate/--no-migrate", default=True, show_default=True, help="Migrate the database first.")
@click.option(
    "--with-controllers",
    is_flag=True,
    envvar=f"{server_database.PREFIX}_WITH_CONTROLLERS",
    help="Also run the controllers on this machine, with the accounts of this shell.",
)
@_settings_options
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
            raise errors.PlantonError(
                f"cannot listen on {host}:{port}: {error.strerror}",
                reason=errors.Reason.ADDRESS_UNAVAILABLE,
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
