"""``planton work``: what controllers do for the resources of the NodePool API."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING, Any, Final

import click

from planton import errors
from planton.cli import nodepools_options, nodepools_output, output, render, times

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planton import client

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEADER: Final = ("KIND", "NAME", "PLATFORM", "STATE", "ATTEMPT", "DUE", "PROCESS", "ERROR", "ID")
_PROCESS_HEADER: Final = ("PROCESS", "VERSION", "PLATFORMS", "ALIVE", "RUNNING", "LAST HEARTBEAT")
_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))


@click.group()
def work() -> None:
    """Show and retry the work of controllers.

    Every cluster and node pool of the NodePool API has one work item: a controller
    looks at it after a change, and regularly after that.
    """


@work.command("list")
@nodepools_options.server
@click.option("--state", type=click.Choice(["waiting", "running", "dead"]), help="Only work in this state.")
@click.option("--platform", metavar="CLOUD", help="Only work on this cloud.")
@click.option("--kind", type=click.Choice(["Cluster", "NodePool"]), help="Only work for resources of this kind.")
@output.output_option("table", "json", "yaml", "name")
def list_work(*, api: client.Transport, form: str, **filters: str | None) -> None:
    """List work. Dead work has failed too often, and waits for a retry or a change.

    Exit codes: 0 done, 2 usage, 6 the API cannot be reached, 8 no user or token.
    """
    items = list(api.items("/api/v1/work", "items", {name: value for name, value in filters.items() if value}))
    if form == "table":
        render.echo_lines(render.table([_HEADER, *map(_row, items)]) if items else ["there is no work"])
    elif form == "name":
        render.echo_lines(item["id"] for item in items)
    else:
        nodepools_output.show_data({"items": items}, form)


@work.command("retry")
@nodepools_options.server
@click.argument("names", nargs=-1, metavar="[NAME|ID]...")
@click.option("--all-dead", is_flag=True, help="Retry all dead work.")
@output.output_option("table", "json", "yaml")
def retry(*, api: client.Transport, names: tuple[str, ...], all_dead: bool, form: str) -> None:
    """Make work due at once, also dead work.

    Exit codes: 0 done, 1 there is no such work, 2 usage, 6 the API cannot be
    reached, 8 no user or token.
    """
    if bool(names) == all_dead:
        raise click.UsageError("name the resources, or use --all-dead")
    if all_dead:
        chosen = [str(item["id"]) for item in api.items("/api/v1/work", "items", {"state": "dead"})]
    else:
        chosen = [_find(api, name) for name in names]
    items = [api.request("POST", f"/api/v1/work/{identifier}/retry") for identifier in chosen]
    if form == "table":
        render.echo_lines(render.table([_HEADER, *map(_row, items)]) if items else ["there is no dead work"])
    else:
        nodepools_output.show_data({"items": items}, form)


@work.command("processes")
@nodepools_options.server
@output.output_option("table", "json", "yaml")
def processes(*, api: client.Transport, form: str) -> None:
    """List the processes of controllers, the latest heartbeat first.

    Exit codes: 0 done, 2 usage, 6 the API cannot be reached, 8 no user or token.
    """
    answer = api.request("GET", "/api/v1/work/processes")
    if form == "table":
        rows = [_process_row(process) for process in answer["processes"]]
        render.echo_lines(render.table([_PROCESS_HEADER, *rows]) if rows else ["no controller has run within the last day"])
    else:
        nodepools_output.show_data(answer, form)


def _find(api: client.Transport, text: str) -> str:
    """Returns the id of a work: the text itself, or that of the only resource with this name."""
    if _UUID.fullmatch(text):
        return text
    matches = [item for item in api.items("/api/v1/work", "items", {}) if item["name"] == text]
    if len(matches) == 1:
        return str(matches[0]["id"])
    if not matches:
        raise errors.not_found(
            f"there is no work for {text}",
            hint="planton work list shows the existing work",
        )
    raise errors.ambiguous(
        f"{len(matches)} resources have the name {text}: {', '.join(str(item['id']) for item in matches)}",
        hint="use the id",
    )


def _row(item: Mapping[str, Any]) -> tuple[str, ...]:
    error = item.get("error", {})
    shown = f"{error['code']}: {error['message']}".rstrip(": ") if error else "-"
    return (
        item["kind"],
        item["name"],
        item["platform"],
        item["state"],
        str(item["attempt"]),
        _until(item.get("due", "")),
        item["process"] or "-",
        shown,
        item["id"],
    )


def _process_row(process: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        process["id"],
        process["version"] or "-",
        ", ".join(process["platforms"]),
        "yes" if process["alive"] else "no",
        str(process["running"]),
        times.utc(process["last_heartbeat"]),
    )


def _until(text: str) -> str:
    """Returns the time until a moment, ``now`` for a past one, and ``-`` for none."""
    if not text:
        return "-"
    seconds = int((datetime.datetime.fromisoformat(text) - datetime.datetime.now(datetime.UTC)).total_seconds())
    return next((f"in {seconds // size}{unit}" for size, unit in _UNITS if seconds >= size), "now")
