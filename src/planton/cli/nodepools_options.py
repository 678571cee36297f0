"""The options of ``planton nodepools`` and ``planton clusters``, and the errors of their server."""

from __future__ import annotations

import contextlib
import functools
import os
import pathlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from planton import errors
from planton.cli import output

if TYPE_CHECKING:
    from planton import client

F = TypeVar("F", bound=Callable[..., Any])
_LOCAL: Final = "http://127.0.0.1:8080"
_PHASES: Final = ("Pending", "Progressing", "Ready", "Degraded", "Failed", "Deleting")


def server(function: F) -> F:
    """Adds the options of the server and of the caller, and passes a transport to them as ``api``."""
    return _server(function, default=_LOCAL)


def server_for(flag: str) -> Callable[[F], F]:
    """Adds the options of `server`, and passes None as ``api`` unless the option with the name of the flag is set."""
    return functools.partial(_server, default=_LOCAL, flag=flag)


def optional_server(function: F) -> F:
    """Adds the options of `server`, and passes None as ``api`` if the user names no server."""
    return _server(function, default=None)


def _server(function: F, *, default: str | None, flag: str = "") -> F:
    @click.option(
        "--server",
        envvar="PLANTON_API_URL",
        show_envvar=True,
        default=default,
        show_default=True,
        metavar="URL",
        help="The URL of the API.",
    )
    @click.option(
        "--user",
        envvar="PLANTON_API_USER",
        show_envvar=True,
        default="",
        metavar="EMAIL",
        help="Your email address, if the server trusts it.",
    )
    @click.option(
        "--token-file",
        envvar="PLANTON_API_TOKEN_FILE",
        show_envvar=True,
        type=click.Path(dir_okay=False, path_type=pathlib.Path),
        help="The file of a bearer token. PLANTON_API_TOKEN can contain the token instead.",
    )
    @functools.wraps(function)
    def wrapped(*, server: str | None, user: str, token_file: pathlib.Path | None, **arguments: Any) -> Any:
        if server is None or (flag and not arguments[flag]):
            return function(api=None, **arguments)
        with _transport(server, user, token_file) as api:
            return function(api=api, **arguments)

    return wrapped  # type: ignore[return-value]


@contextlib.contextmanager
def _transport(server: str, user: str, token_file: pathlib.Path | None) -> Iterator[client.Transport]:
    """Yields a transport. Errors of the API in the block get a hint."""
    from planton import client  # noqa: PLC0415  # the extra `client`; httpx takes 60 ms of each `--help`

    try:
        token = token_file.read_text("utf-8").strip() if token_file else os.environ.get("PLANTON_API_TOKEN", "")
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"cannot read the token file: {error}") from error
    if not token and not user:
        raise errors.credential_missing(
            "the API needs a user or a token",
            hint="set --user or PLANTON_API_USER, or a token in PLANTON_API_TOKEN or --token-file",
        )
    with client.Transport(server, user=user, token=token) as api:
        try:
            yield api
        except client.ApiError as error:
            error.hint = error.hint or _hint(error)
            raise
        except (KeyError, IndexError, TypeError, AttributeError) as error:
            raise _unexpected(server, error) from error


def _unexpected(server: str, error: Exception) -> errors.PlantonError:
    """Returns the error for a response without the API's structure. The commands read responses without checking it."""
    return errors.api_unreachable(
        f"{server} sent a response that does not match the API ({type(error).__name__}: {error})",
        hint="check that --server is the address of a planton server, and that no proxy answers in its place",
    )


def _hint(error: client.ApiError) -> str:
    """Returns the next step after an error of the API; empty if its message is sufficient."""
    context = click.get_current_context()
    group = context.parent.info_name if context.parent else ""
    is_create = context.info_name == "create"
    if group == "work":
        return "planton work list shows the existing work" if error.api_code == "NOT_FOUND" else ""
    if error.api_code == "NOT_FOUND" and is_create:
        # Only the cluster of a new node pool can be missing.
        group = "clusters"
    elif error.api_code != ("CONFLICT" if is_create else "NOT_FOUND"):
        return ""
    return f"it may be being deleted: planton {group} list --include-deleting"


def cluster_option(function: F) -> F:
    """Adds ``--cluster``."""
    return click.option("--cluster", default=None, metavar="NAME|ID", help="The cluster.")(function)


def file_option(function: F) -> F:
    """Adds ``--file``."""
    return click.option(
        "-f", "--file", "file", required=True, type=click.File("rb"), help="YAML or JSON of the body. - reads standard input."
    )(function)


def dry_run_option(function: F) -> F:
    """Adds ``--dry-run``."""
    return click.option("--dry-run", is_flag=True, help="Check the request on the server without storing it.")(function)


def list_options(function: F) -> F:
    """Adds the filters and the output of a list."""
    for option in (
        output.output_option("table", "json", "yaml", "name"),
        click.option("--limit", type=click.IntRange(1), default=500, show_default=True, help="The maximum number of resources."),
        click.option("--include-deleting", is_flag=True, help="Include resources that are being deleted."),
        click.option("--platform", default=None, metavar="CLOUD", help="Only resources on this cloud."),
        click.option(
            "--health",
            default=None,
            type=click.Choice(["healthy", "unhealthy", "unknown"]),
            help="Only resources with this health.",
        ),
        click.option("--status", default=None, type=click.Choice(_PHASES), help="Only resources in this phase."),
    ):
        function = option(function)
    return function
