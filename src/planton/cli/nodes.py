"""``planton nodes``: lists the nodes of an applied cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

import planton
from planton.cli import complete, describe, options, output, render

if TYPE_CHECKING:
    from planton.config import settings as engine_settings


@click.command()
@click.argument("cluster", metavar="CLUSTER", shell_complete=complete.resource)
@options.engine
@options.which
@output.output_option("table", "json")
def nodes(*, cluster: str, settings: engine_settings.Settings, env: str | None, stack: str, form: str) -> None:
    """List the nodes of an applied cluster, with pool, state, version and age.

    CLUSTER is KIND/NAME, or the name alone. Machines of the cloud that have
    not joined the cluster are listed as NotJoined.

    Exit codes: 0 listed, 1 not applied, 2 usage, 6 the cloud or the
    Kubernetes API failed.
    """
    applied = options.Named(options.cluster_name(cluster), env, stack, settings).find()
    listed = planton.nodes(applied, settings=settings)
    if form == "json":
        render.echo_json([describe.node_data(node) for node in listed])
    else:
        render.echo_lines(describe.node_lines(listed) or ["the cluster has no nodes"])
