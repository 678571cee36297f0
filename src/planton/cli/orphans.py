"""``planton orphans``: lists what planton has created in an account, and what nothing manages any longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import planton
from planton import errors
from planton.cli import nodepools_options, options, output, render
from planton.schema import providers

if TYPE_CHECKING:
    from planton import client
    from planton.config import settings as engine_settings

_HEADER = ("CLOUD", "REGION", "TYPE", "NAME", "ID", "CREATED FOR", "ENV")


@click.command()
@click.option(
    "--provider",
    "names",
    multiple=True,
    type=click.Choice(list(providers.names())),
    help="Only this cloud; repeatable.  [default: each with a credential]",
)
@options.engine
@nodepools_options.optional_server
@output.output_option("table", "json")
def orphans(*, names: tuple[str, ...], settings: engine_settings.Settings, api: client.Transport | None, form: str) -> None:
    """List clusters and node pools that planton created and nothing manages.

    They carry planton's labels in the account, and no state of the backend has
    them: a state was lost or is in another backend, or a copy was made by hand.
    Nothing is changed. The accounts are those of the context or environment, in
    all their regions. With --server, resources of the NodePool API are left
    out too. Networks and firewalls carry no labels, and are not searched.

    Exit codes: 0 none, 2 usage, 3 some, 6 a cloud or the API failed, 8 no
    credential.
    """
    report = planton.orphans(names, objects=_objects(api), settings=settings)
    if form == "json":
        render.echo_json({"accounts": list(report.accounts), "orphans": [each.as_dict() for each in report.orphans]})
    elif report.orphans:
        rows = [
            (each.provider, each.region, each.role, each.name, each.id, each.resource or "-", each.env or "-")
            for each in report.orphans
        ]
        render.echo_lines(render.table([_HEADER, *rows]))
        render.progress("to keep one: planton import KIND/NAME ID -f FILE; to delete one: the cloud's own command line")
        if api is None and any(each.object_id for each in report.orphans):
            render.progress("some were created for objects of the NodePool API: --server URL leaves existing objects out")
    else:
        render.echo_lines([f"no orphans in: {'; '.join(report.accounts)}"])
    if report.orphans:
        raise SystemExit(int(errors.Code.DRIFT))


def _objects(api: client.Transport | None) -> list[str]:
    if api is None:
        return []
    lists = (("/api/v1/clusters", "clusters"), ("/api/v1/nodepools", "nodepools"))
    return [str(item["id"]) for path, name in lists for item in api.items(path, name, {"includeDeleting": "true"})]
