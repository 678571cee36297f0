"""``planton nodepools`` and ``planton clusters``: what the NodePool API keeps, from the command line."""

from __future__ import annotations

import datetime
import functools
import json
import os
import pathlib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import click
import yaml

from planton import errors
from planton.base import terminal
from planton.cli import options, output, render

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from planton import client

F = TypeVar("F", bound=Callable[..., Any])
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PHASES: Final = ("Pending", "Progressing", "Ready", "Degraded", "Failed", "Deleting")
_HEALTH: Final = {"Ready": "healthy", "Degraded": "unhealthy", "Failed": "unhealthy"}
#: What an answer has beside what a body may have.
_ANSWERED: Final = frozenset({"id", "generation", "status", "created_at", "updated_at", "created_by", "deleted_at"})
#: The same of a new resource, of which there is no version yet.
_ANSWERED_OF_NEW: Final = _ANSWERED | {"resource_version"}
#: What the API says of a name or id that a resource may have which is being deleted → the resource's kind.
_HIDDEN: Final = re.compile(r"(Cluster|NodePool) (?:not found|with name .* already exists)")
#: What the API says of a cluster that its node pools keep; its words are those of requests.
_NOT_EMPTY: Final = re.compile("Cluster has node pools")
_AGES: Final = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


class _Kind(NamedTuple):
    """What differs between the two groups of commands."""

    plural: str
    noun: str
    header: tuple[str, ...]
    row: Callable[[Mapping[str, Any]], tuple[str, ...]]


def _age(item: Mapping[str, Any]) -> str:
    passed = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(item["created_at"])
    seconds = max(0, int(passed.total_seconds()))
    return next((f"{seconds // size}{unit}" for size, unit in _AGES if seconds >= size), "0s")


def _common(item: Mapping[str, Any]) -> tuple[str, ...]:
    phase = item["status"]["phase"]
    return (phase, _HEALTH.get(phase, "unknown"), str(item["generation"]), _age(item), item["id"])


def _pool_row(item: Mapping[str, Any]) -> tuple[str, ...]:
    spec = item["spec"]
    scaling = spec.get("autoscaling", {})
    bounds = f" ({scaling.get('minNodes', 0)}–{scaling.get('maxNodes', 0)})" if scaling.get("enabled") else ""
    return (item["name"], spec["platform"]["type"], f"{spec.get('nodeCount', '-')}{bounds}", *_common(item))


def _cluster_row(item: Mapping[str, Any]) -> tuple[str, ...]:
    return (item["name"], item["spec"]["platform"]["type"], *_common(item))


_TAIL: Final = ("PHASE", "HEALTH", "GENERATION", "AGE", "ID")
_NODE_POOL: Final = _Kind("nodepools", "node pool", ("NAME", "PLATFORM", "NODES", *_TAIL), _pool_row)
_CLUSTER: Final = _Kind("clusters", "cluster", ("NAME", "PLATFORM", *_TAIL), _cluster_row)


def _server(function: F) -> F:
    """Adds the options that say which server, and who asks; passes them as ``api``, a transport."""

    @click.option(
        "--server",
        envvar="PLANTON_API_URL",
        show_envvar=True,
        default="http://127.0.0.1:8080",
        show_default=True,
        metavar="URL",
        help="The API.",
    )
    @click.option(
        "--user",
        envvar="PLANTON_API_USER",
        show_envvar=True,
        default="",
        metavar="EMAIL",
        help="Who asks, where the server believes it.",
    )
    @click.option(
        "--token-file",
        envvar="PLANTON_API_TOKEN_FILE",
        show_envvar=True,
        type=click.Path(dir_okay=False, path_type=pathlib.Path),
        help="File of a bearer token; or give the token in PLANTON_API_TOKEN.",
    )
    @functools.wraps(function)
    def wrapped(*, server: str, user: str, token_file: pathlib.Path | None, **rest: Any) -> Any:
        from planton import client

        try:
            token = token_file.read_text("utf-8").strip() if token_file else os.environ.get("PLANTON_API_TOKEN", "")
        except (OSError, UnicodeDecodeError) as error:
            raise click.UsageError(f"the token file cannot be read: {error}") from error
        if not token and not user:
            raise errors.PlantonError(
                "the API wants to know who asks",
                code=errors.Code.MISSING,
                reason=errors.Reason.CREDENTIAL_MISSING,
                hint="give --user or PLANTON_API_USER, or a token in PLANTON_API_TOKEN or --token-file",
            )
        with client.Transport(server, user=user, token=token) as api:
            try:
                return function(api=api, **rest)
            except client.ApiError as error:
                error.hint = _hint(error.message)
                raise
            except (KeyError, IndexError, TypeError, AttributeError) as error:
                raise _unexpected(server, error) from error

    return wrapped  # type: ignore[return-value]


def _unexpected(server: str, error: Exception) -> errors.PlantonError:
    """Returns the error for a response without the API's structure. The commands read responses without checking it."""
    return errors.PlantonError(
        f"{server} sent a response that does not match the API ({type(error).__name__}: {error})",
        code=errors.Code.FAILED,
        reason=errors.Reason.API_UNREACHABLE,
        hint="check that --server is the address of a planton server, and that no proxy answers in its place",
    )


def _hint(message: str) -> str:
    """Returns what to do about an answer, in the words of the commands; empty where they add nothing."""
    if found := _HIDDEN.match(message):
        return f"it may be being deleted: planton {found[1].lower()}s list --include-deleting"
    if _NOT_EMPTY.match(message):
        return "planton nodepools list --cluster NAME shows them; add --force to delete them too"
    return ""


def _cluster_option(*, required: bool) -> Callable[[F], F]:
    return click.option("--cluster", required=required, default=None, metavar="NAME|ID", help="The cluster.")


def _file_option(function: F) -> F:
    return click.option(
        "-f", "--file", "file", required=True, type=click.File("rb"), help="YAML or JSON of the body; - for standard input."
    )(function)


def _dry_run_option(function: F) -> F:
    return click.option("--dry-run", is_flag=True, help="Only check.")(function)


@click.group()
def nodepools() -> None:
    """Work with the node pools that the NodePool API keeps.

    Start a server with: planton server start
    """


@click.group()
def clusters() -> None:
    """Work with the clusters that the NodePool API keeps.

    Start a server with: planton server start
    """


def _list(kind: _Kind, api: client.Transport, query: Mapping[str, str], limit: int, form: str) -> None:
    items: list[dict[str, Any]] = []
    wanted = dict(query)
    if wanted.get("status") == "Deleting":
        wanted["includeDeleting"] = "true"
    while True:
        page = api.request("GET", f"/api/v1/{kind.plural}", query={**wanted, "limit": str(min(100, limit - len(items)))})
        items += page[kind.plural]
        if len(items) >= limit or page.get("next_page_token") in (None, "", wanted.get("page_token")):
            break
        wanted["page_token"] = page["next_page_token"]
    if form == "table":
        render.echo_lines(render.table([kind.header, *map(kind.row, items)]) if items else [f"there are no {kind.noun}s"])
        if page.get("next_page_token"):
            output.echo(f"{len(items)} of {page['total']}; --limit shows more", err=True)
    elif form == "name":
        render.echo_lines(item["name"] for item in items)
    else:
        _show_data({"items": items, "total": page["total"]}, form)


def _show_data(data: Any, form: str) -> None:  # JSON data
    if form == "json":
        render.echo_json(data)
    else:
        render.echo_yaml([data])


def _show(kind: _Kind, item: Mapping[str, Any], form: str) -> None:
    if form == "table":
        render.echo_lines(render.table([kind.header, kind.row(item)]))
    else:
        _show_data(item, form)


def _find(kind: _Kind, api: client.Transport, text: str, cluster: str | None = None) -> str:
    """Returns the id that a text means: itself, or the one resource of that name."""
    if _UUID.fullmatch(text):
        return text
    query = {"includeDeleting": "true"} | ({"clusterId": _find(_CLUSTER, api, cluster)} if cluster else {})
    found = [item for item in api.items(f"/api/v1/{kind.plural}", kind.plural, query) if item["name"] == text]
    if len(found) == 1:
        return str(found[0]["id"])
    if not found:
        raise errors.PlantonError(
            f"there is no {kind.noun} {text}",
            code=errors.Code.INVALID,
            reason=errors.Reason.NOT_FOUND,
            hint=f"planton {kind.plural} list shows those that there are",
        )
    raise errors.PlantonError(
        f"there are {len(found)} {kind.noun}s {text}: {', '.join(str(item['id']) for item in found)}",
        code=errors.Code.INVALID,
        reason=errors.Reason.AMBIGUOUS,
        hint="give the id, or the cluster with --cluster",
    )


def _body(file: Any) -> dict[str, Any]:  # a binary file
    try:
        documents = list(yaml.safe_load_all(file.read()))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file.name} is neither YAML nor JSON: {error}") from error
    if any(isinstance(data, dict) and {"apiVersion", "kind"} <= data.keys() for data in documents):
        raise click.UsageError(
            f"{file.name} is a manifest, which the API does not take: planton apply -f makes what it describes"
        )
    if len(documents) != 1 or not isinstance(documents[0], dict):
        raise click.UsageError(f"{file.name} must hold one mapping: name and spec")
    return documents[0]


def _without(body: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


def _new(file: Any) -> dict[str, Any]:  # a binary file
    """Returns the body that creates what a file describes; the file may be what ``get`` showed of another."""
    return _without(_body(file), _ANSWERED_OF_NEW)


def _replacement(kind: _Kind, file: Any, identifier: str) -> dict[str, Any]:  # a binary file
    """Returns the body that makes a resource what a file describes; the file may be what ``get`` showed of it.

    The version stays in it, so that the server refuses a file that is stale.

    Raises:
        PlantonError: The file is another resource's.
    """
    body = _body(file)
    if body.get("id") not in (None, identifier):
        raise errors.PlantonError(
            f"{file.name} describes the {kind.noun} {body['id']}, and {identifier} is to be updated",
            code=errors.Code.USAGE,
            reason=errors.Reason.USAGE,
            hint="where that is what you want, take id and resource_version out of the file",
        )
    return _without(body, _ANSWERED)


def _query(**given: str | bool | None) -> dict[str, str]:
    return {name: "true" if value is True else value for name, value in given.items() if value}


def _list_options(function: F) -> F:
    for option in (
        output.output_option("table", "json", "yaml", "name"),
        click.option("--limit", type=click.IntRange(1), default=500, show_default=True, help="How many at most."),
        click.option("--include-deleting", is_flag=True, help="Those that are being deleted too."),
        click.option("--platform", default=None, metavar="CLOUD", help="Only those on this cloud."),
        click.option(
            "--health", default=None, type=click.Choice(["healthy", "unhealthy", "unknown"]), help="Only those of this health."
        ),
        click.option("--status", default=None, type=click.Choice(_PHASES), help="Only those in this phase."),
    ):
        function = option(function)
    return function


@nodepools.command("list")
@_server
@_cluster_option(required=False)
@_list_options
def list_pools(
    *, api: client.Transport, cluster: str | None, limit: int, form: str, include_deleting: bool, **filters: str | None
) -> None:
    """List node pools, the newest first."""
    cluster_id = _find(_CLUSTER, api, cluster) if cluster else None
    _list(
        _NODE_POOL,
        api,
        _query(clusterId=cluster_id, includeDeleting=include_deleting, **filters),
        limit,
        form,
    )


@clusters.command("list")
@_server
@_list_options
def list_clusters(*, api: client.Transport, limit: int, form: str, include_deleting: bool, **filters: str | None) -> None:
    """List clusters, the newest first."""
    _list(_CLUSTER, api, _query(includeDeleting=include_deleting, **filters), limit, form)


@nodepools.command("create")
@_server
@_cluster_option(required=False)
@_file_option
@_dry_run_option
@output.output_option("table", "json", "yaml")
def create_pool(*, api: client.Transport, cluster: str | None, file: Any, dry_run: bool, form: str) -> None:
    """Create a node pool from a file of its name, cluster_id and spec."""
    # Where the file names a cluster too, the server compares the two.
    within = f"/clusters/{_find(_CLUSTER, api, cluster)}" if cluster else ""
    path = f"/api/v1{within}/nodepools"
    _show(_NODE_POOL, api.request("POST", path, _new(file), query=_query(dryRun=dry_run)), form)


@clusters.command("create")
@_server
@_file_option
@_dry_run_option
@output.output_option("table", "json", "yaml")
def create_cluster(*, api: client.Transport, file: Any, dry_run: bool, form: str) -> None:
    """Create a cluster from a file of its name and spec."""
    _show(_CLUSTER, api.request("POST", "/api/v1/clusters", _new(file), query=_query(dryRun=dry_run)), form)


@nodepools.command("scale")
@_server
@click.argument("name", metavar="NAME|ID")
@click.argument("nodes", type=click.IntRange(0))
@_cluster_option(required=False)
@_dry_run_option
@output.output_option("table", "json", "yaml")
def scale(*, api: client.Transport, name: str, nodes: int, cluster: str | None, dry_run: bool, form: str) -> None:
    """Set how many nodes a node pool has; nobody else's change is lost."""
    path = f"/api/v1/nodepools/{_find(_NODE_POOL, api, name, cluster)}"
    pool = api.request("GET", path)
    body = {"spec": pool["spec"] | {"nodeCount": nodes}, "resource_version": pool["resource_version"]}
    _show(_NODE_POOL, api.request("PUT", path, body, query=_query(dryRun=dry_run)), form)


@nodepools.command("watch")
@_server
@click.option(
    "--after", default="", metavar="CURSOR", help="Begin after this event; with the oldest that is kept where not given."
)
@output.output_option("text", "json", "yaml")
def watch(*, api: client.Transport, after: str, form: str) -> None:
    """Show the events that are kept, then new ones.

    New ones are shown as they happen, until Ctrl-C.
    The last column is the event's cursor: with --after it, a later watch begins
    where this one ended.
    """
    for event in api.events(after):
        if form == "json":
            output.echo(json.dumps(event))
        elif form == "yaml":
            # It begins each document, so that the one before need not wait for its end.
            output.echo("---")
            _show_data(event, form)
        else:
            output.echo(terminal.one_line(_event_line(event)))


def _event_line(event: Mapping[str, Any]) -> str:
    what = event["resource"]
    replaced = f"; replaces nodes: {', '.join(event['replacement']['fields'])}" if "replacement" in event else ""
    return (
        f"{event['time']}  {event['type']:24}  {what['name']}  generation {event['generation']}  {event['actor']}{replaced}"
        f"  {event['cursor']}"
    )


def _status_lines(data: Mapping[str, Any]) -> Sequence[str]:
    status = data["status"]
    lines = [f"{status['phase']}: {status['message']}", *(_condition_lines(status["conditions"]))]
    for one in data["controller_status"]:
        lines += [
            "",
            f"{one['controller_name']}, generation {one['observed_generation']}, {one['updated_at']}",
            *_condition_lines(one["conditions"]),
        ]
        if error := one.get("last_error"):
            lines.append(f"  {error['error_type']} {error.get('error_code', '')}: {error.get('message', '')}")
    return lines


def _condition_lines(conditions: Sequence[Mapping[str, Any]]) -> list[str]:
    return [f"  {one['type']}={one['status']}  {one['reason']}  {one['message']}".rstrip() for one in conditions]


def _same(function: F) -> F:
    return function


def _common_commands(group: click.Group, kind: _Kind) -> None:
    """Adds the commands that are the same for both kinds."""
    # A cluster belongs to no cluster.
    cluster: Callable[[F], F] = _cluster_option(required=False) if kind is _NODE_POOL else _same

    @group.command("get", help=f"Show a {kind.noun}.")
    @_server
    @click.argument("name", metavar="NAME|ID")
    @cluster
    @output.output_option("yaml", "json", "table")
    def get(*, api: client.Transport, name: str, form: str, cluster: str | None = None) -> None:
        _show(kind, api.request("GET", f"/api/v1/{kind.plural}/{_find(kind, api, name, cluster)}"), form)

    @group.command("update", help=f"Replace a {kind.noun}'s spec by that of a file.")
    @_server
    @click.argument("name", metavar="NAME|ID")
    @cluster
    @_file_option
    @_dry_run_option
    @output.output_option("table", "json", "yaml")
    def update(*, api: client.Transport, name: str, file: Any, dry_run: bool, form: str, cluster: str | None = None) -> None:
        identifier = _find(kind, api, name, cluster)
        path, body = f"/api/v1/{kind.plural}/{identifier}", _replacement(kind, file, identifier)
        _show(kind, api.request("PUT", path, body, query=_query(dryRun=dry_run)), form)

    @group.command("delete", help=f"Delete a {kind.noun}, once its controllers have let it go.")
    @_server
    @click.argument("name", metavar="NAME|ID")
    @cluster
    @click.option("--force", is_flag=True, help="Wait for no controller; of a cluster, delete the node pools too.")
    @click.option("--yes", is_flag=True, help="Do not ask.")
    @_dry_run_option
    @output.output_option("text", "json", "yaml")
    def delete(
        *, api: client.Transport, name: str, force: bool, yes: bool, dry_run: bool, form: str, cluster: str | None = None
    ) -> None:
        identifier = _find(kind, api, name, cluster)
        # There is nothing to consent to where nothing is deleted.
        options.confirm(f"Delete the {kind.noun} {name}?", yes=yes or dry_run)
        left = api.request("DELETE", f"/api/v1/{kind.plural}/{identifier}", query=_query(force=force, dryRun=dry_run))
        if form == "text":
            output.echo(f"{kind.noun} {name}: {'can be deleted' if dry_run else 'deletion asked for'}", err=True)
        else:
            # Of a node pool the API says nothing any more.
            _show_data(left or {"id": identifier}, form)

    @group.command("status", help=f"Show a {kind.noun}'s status and what each controller reported.")
    @_server
    @click.argument("name", metavar="NAME|ID")
    @cluster
    @output.output_option("text", "json", "yaml")
    def status(*, api: client.Transport, name: str, form: str, cluster: str | None = None) -> None:
        data = api.request("GET", f"/api/v1/{kind.plural}/{_find(kind, api, name, cluster)}/status")
        if form == "text":
            render.echo_lines(_status_lines(data))
        else:
            _show_data(data, form)


_common_commands(nodepools, _NODE_POOL)
_common_commands(clusters, _CLUSTER)
