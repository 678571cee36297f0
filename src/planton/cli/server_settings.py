"""The settings of ``planton server start``: options, environment variables and entries of a file."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import click

from planton.cli import server_database

if TYPE_CHECKING:
    import pathlib

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
        "Work items that run at once for an account of a cloud; 0 for no limit.",
        "N",
        click.IntRange(0),
    ),
    Setting("work-rate", 120.0, "Work items that start per minute for an account of a cloud; 0 for no limit.", "N", _RATE),
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


def read_file(context: click.Context, _parameter: click.Parameter, value: pathlib.Path | None) -> None:
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


def options(function: F) -> F:
    """Adds an option for each setting to a command."""
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
