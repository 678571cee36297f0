"""``planton nodepools`` and ``planton clusters``: the resources of the NodePool API."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from planton import errors
from planton.base import terminal
from planton.cli import nodepools_audit, nodepools_bodies, nodepools_options, nodepools_output, options, output, render, watching

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planton import client

F = TypeVar("F", bound=Callable[..., Any])
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@click.group()
def nodepools() -> None:
    """Manage the node pools of the NodePool API.

    Start a server with: planton server start
    """


@click.group()
def clusters() -> None:
    """Manage the clusters of the NodePool API.

    Start a server with: planton server start
    """


def _list(kind: nodepools_output.Kind, api: client.Transport, query: Mapping[str, str], limit: int, form: str) -> None:
    items: list[dict[str, Any]] = []
    parameters = dict(query)
    if parameters.get("status") == "Deleting":
        parameters["includeDeleting"] = "true"
    while True:
        page = api.request("GET", f"/api/v1/{kind.plural}", query={**parameters, "limit": str(min(100, limit - len(items)))})
        items += page[kind.plural]
        if len(items) >= limit or page.get("next_page_token") in (None, "", parameters.get("page_token")):
            break
        parameters["page_token"] = page["next_page_token"]
    if form == "table":
        render.echo_lines(render.table([kind.header, *map(kind.row, items)]) if items else [f"there are no {kind.noun}s"])
        if page.get("next_page_token"):
            output.echo(f"{len(items)} of {page['total']}; set a higher --limit to see more", err=True)
    elif form == "name":
        render.echo_lines(item["name"] for item in items)
    else:
        nodepools_output.show_data({"items": items, "total": page["total"]}, form)


def _find(kind: nodepools_output.Kind, api: client.Transport, text: str, cluster: str | None = None) -> str:
    """Returns an id: the text itself, or the id of the only resource with that name."""
    if _UUID.fullmatch(text):
        return text
    query = {"includeDeleting": "true"} | ({"clusterId": _find(nodepools_output.CLUSTER, api, cluster)} if cluster else {})
    matches = [item for item in api.items(f"/api/v1/{kind.plural}", kind.plural, query) if item["name"] == text]
    if len(matches) == 1:
        return str(matches[0]["id"])
    if not matches:
        raise errors.not_found(
            f"the {kind.noun} {text} does not exist",
            hint=f"planton {kind.plural} list shows the existing ones",
        )
    raise errors.ambiguous(
        f"{len(matches)} {kind.noun}s have the name {text}: {', '.join(str(item['id']) for item in matches)}",
        hint="use the id, or select the cluster with --cluster",
    )


def _query(**parameters: str | bool | None) -> dict[str, str]:
    return {name: "true" if value is True else value for name, value in parameters.items() if value}


@nodepools.command("list")
@nodepools_options.server
@nodepools_options.cluster_option
@nodepools_options.list_options
def list_pools(
    *, api: client.Transport, cluster: str | None, limit: int, form: str, include_deleting: bool, **filters: str | None
) -> None:
    """List node pools, newest first."""
    cluster_id = _find(nodepools_output.CLUSTER, api, cluster) if cluster else None
    _list(
        nodepools_output.NODE_POOL,
        api,
        _query(clusterId=cluster_id, includeDeleting=include_deleting, **filters),
        limit,
        form,
    )


@clusters.command("list")
@nodepools_options.server
@nodepools_options.list_options
def list_clusters(*, api: client.Transport, limit: int, form: str, include_deleting: bool, **filters: str | None) -> None:
    """List clusters, newest first."""
    _list(nodepools_output.CLUSTER, api, _query(includeDeleting=include_deleting, **filters), limit, form)


@nodepools.command("create")
@nodepools_options.server
@nodepools_options.cluster_option
@nodepools_options.file_option
@nodepools_options.dry_run_option
@output.output_option("table", "json", "yaml")
def create_pool(*, api: client.Transport, cluster: str | None, file: Any, dry_run: bool, form: str) -> None:
    """Create a node pool from a file with name, cluster_id and spec."""
    # If the file names a cluster too, the server compares the two.
    within = f"/clusters/{_find(nodepools_output.CLUSTER, api, cluster)}" if cluster else ""
    path = f"/api/v1{within}/nodepools"
    nodepools_output.show(
        nodepools_output.NODE_POOL, api.request("POST", path, nodepools_bodies.new(file), query=_query(dryRun=dry_run)), form
    )


@clusters.command("create")
@nodepools_options.server
@nodepools_options.file_option
@nodepools_options.dry_run_option
@output.output_option("table", "json", "yaml")
def create_cluster(*, api: client.Transport, file: Any, dry_run: bool, form: str) -> None:
    """Create a cluster from a file with name and spec."""
    nodepools_output.show(
        nodepools_output.CLUSTER,
        api.request("POST", "/api/v1/clusters", nodepools_bodies.new(file), query=_query(dryRun=dry_run)),
        form,
    )


@nodepools.command("scale")
@nodepools_options.server
@click.argument("name", metavar="NAME|ID")
@click.argument("nodes", type=click.IntRange(0))
@nodepools_options.cluster_option
@nodepools_options.dry_run_option
@output.output_option("table", "json", "yaml")
def scale(*, api: client.Transport, name: str, nodes: int, cluster: str | None, dry_run: bool, form: str) -> None:
    """Set the number of nodes of a node pool, without overwriting other changes."""
    path = f"/api/v1/nodepools/{_find(nodepools_output.NODE_POOL, api, name, cluster)}"
    pool = api.request("GET", path)
    body = {"spec": pool["spec"] | {"nodeCount": nodes}, "resource_version": pool["resource_version"]}
    nodepools_output.show(nodepools_output.NODE_POOL, api.request("PUT", path, body, query=_query(dryRun=dry_run)), form)


@nodepools.command("watch")
@nodepools_options.server
@click.option("--after", default="", metavar="CURSOR", help="Start after this event. Default: the oldest stored event.")
@output.output_option("text", "json", "yaml")
def watch(*, api: client.Transport, after: str, form: str) -> None:
    """Show the stored events, then new ones until Ctrl-C.

    The last column is the cursor of the event. A later watch continues there
    with --after CURSOR.
    """
    for event in api.events(after):
        if form == "json":
            output.echo(json.dumps(event))
        elif form == "yaml":
            # The separator starts a document, so each event is complete when it is printed.
            output.echo("---")
            nodepools_output.show_data(event, form)
        else:
            output.echo(terminal.one_line(nodepools_output.event_line(event)))


def _same(function: F) -> F:
    return function


def _delete(kind: nodepools_output.Kind, api: client.Transport, identifier: str, query: Mapping[str, str]) -> Any:  # JSON data
    """Deletes a resource and returns the answer.

    Raises:
        ApiError: The server refused. For a cluster with node pools, the hint names ``--force``.
    """
    from planton import client  # noqa: PLC0415  # the extra `client`; httpx takes 60 ms of each `--help`

    try:
        return api.request("DELETE", f"/api/v1/{kind.plural}/{identifier}", query=query)
    except client.ApiError as error:
        if kind is nodepools_output.CLUSTER and error.api_code == "CONFLICT" and "force" not in query:
            pools = api.items("/api/v1/nodepools", "nodepools", {"clusterId": identifier, "includeDeleting": "true"})
            if next(iter(pools), None) is not None:
                error.hint = "planton nodepools list --cluster NAME shows them; add --force to delete them too"
        raise


def _common_commands(group: click.Group, kind: nodepools_output.Kind) -> None:
    """Adds the commands of both kinds."""
    # A cluster is in no other cluster.
    cluster: Callable[[F], F] = nodepools_options.cluster_option if kind is nodepools_output.NODE_POOL else _same

    @group.command("get", help=f"Show a {kind.noun}.")
    @nodepools_options.server
    @click.argument("name", metavar="NAME|ID")
    @cluster
    @output.output_option("yaml", "json", "table")
    def get(*, api: client.Transport, name: str, form: str, cluster: str | None = None) -> None:
        nodepools_output.show(kind, api.request("GET", f"/api/v1/{kind.plural}/{_find(kind, api, name, cluster)}"), form)

    @group.command("update", help=f"Replace the spec of a {kind.noun} with that of a file.")
    @nodepools_options.server
    @click.argument("name", metavar="NAME|ID")
    @cluster
    @nodepools_options.file_option
    @nodepools_options.dry_run_option
    @output.output_option("table", "json", "yaml")
    def update(*, api: client.Transport, name: str, file: Any, dry_run: bool, form: str, cluster: str | None = None) -> None:
        identifier = _find(kind, api, name, cluster)
        path, body = f"/api/v1/{kind.plural}/{identifier}", nodepools_bodies.replacement(file, identifier, noun=kind.noun)
        nodepools_output.show(kind, api.request("PUT", path, body, query=_query(dryRun=dry_run)), form)

    @group.command("delete", help=f"Delete a {kind.noun}, after its controllers have released it.")
    @nodepools_options.server
    @click.argument("name", metavar="NAME|ID")
    @cluster
    @click.option(
        "--force",
        is_flag=True,
        help="Do not wait for controllers that have not claimed it. Of a cluster, also delete the node pools.",
    )
    @click.option("--yes", is_flag=True, help="Skip the confirmation.")
    @nodepools_options.dry_run_option
    @output.output_option("text", "json", "yaml")
    def delete(
        *, api: client.Transport, name: str, force: bool, yes: bool, dry_run: bool, form: str, cluster: str | None = None
    ) -> None:
        identifier = _find(kind, api, name, cluster)
        # A dry run deletes nothing, so it needs no consent.
        options.confirm(f"Delete the {kind.noun} {name}?", yes=yes or dry_run, is_grave=True)
        deleted = _delete(kind, api, identifier, _query(force=force, dryRun=dry_run))
        if form == "text":
            output.echo(f"{kind.noun} {name}: {'can be deleted' if dry_run else 'deletion requested'}", err=True)
        else:
            # The API returns no body for a node pool.
            nodepools_output.show_data(deleted or {"id": identifier}, form)

    @group.command("status", help=f"Show the status of a {kind.noun}, with the report of each controller.")
    @nodepools_options.server
    @click.argument("name", metavar="NAME|ID")
    @cluster
    @output.output_option("text", "json", "yaml")
    def status(*, api: client.Transport, name: str, form: str, cluster: str | None = None) -> None:
        data = api.request("GET", f"/api/v1/{kind.plural}/{_find(kind, api, name, cluster)}/status")
        if form == "text":
            render.echo_lines(nodepools_output.status_lines(data))
        else:
            nodepools_output.show_data(data, form)

    _events_command(group, kind, cluster)


def _events_command(
    group: click.Group, kind: nodepools_output.Kind, cluster: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> None:
    @group.command(
        "events",
        help=f"List what controllers have changed in the cloud for a {kind.noun}: time, cause, user, old and new values.\n\n"
        f"Name a deleted {kind.noun} by its id.",
    )
    @nodepools_options.server
    @click.argument("name", metavar="NAME|ID")
    @cluster
    @click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="The maximum number of actions.")
    @watching.option
    @output.output_option("table", "json", "yaml")
    def events(
        *, api: client.Transport, name: str, limit: int, watch: bool, interval: float, form: str, cluster: str | None = None
    ) -> None:
        if watch and form != "table":
            raise click.UsageError("--watch prints tables: leave -o away, or leave --watch away")
        path = f"/api/v1/{kind.plural}/{_find(kind, api, name, cluster)}"
        if watch:
            watching.screens(watching.repeat(lambda: nodepools_audit.lines(nodepools_audit.read(api, path, limit)), interval))
        items = nodepools_audit.read(api, path, limit)
        if form == "table":
            render.echo_lines(nodepools_audit.lines(items))
        else:
            nodepools_output.show_data({"events": items}, form)


_common_commands(nodepools, nodepools_output.NODE_POOL)
_common_commands(clusters, nodepools_output.CLUSTER)
