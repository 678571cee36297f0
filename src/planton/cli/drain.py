"""``planton drain`` and ``planton recycle``: one node of an applied cluster."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

import planton
from planton.cli import options, render

if TYPE_CHECKING:
    from planton.config import settings as engine_settings

F = TypeVar("F", bound=Callable[..., Any])


def _of_node(function: F) -> F:
    """Adds the node and the options of both commands, as the arguments ``node`` and ``yes``."""

    @click.argument("node", metavar="NODE")
    @options.engine
    @click.option("--env", default=None, metavar="ENV", help="Search only clusters of this environment.")
    @options.stack
    @click.option("--force", is_flag=True, help="Evict pods that declare no controller: nothing recreates them.")
    @click.option("--delete-emptydir-data", "local_data", is_flag=True, help="Evict pods with emptyDir data, which is lost.")
    @click.option("--ignore-daemonsets", "daemon_sets", is_flag=True, help="Let pods of DaemonSets stay.")
    @click.option("--yes", "-y", is_flag=True, help="Skip the confirmation.")
    @functools.wraps(function)
    def wrapped(
        *,
        node: str,
        settings: engine_settings.Settings,
        env: str | None,
        stack: str,
        force: bool,
        local_data: bool,
        daemon_sets: bool,
        yes: bool,
    ) -> object:
        allowed = planton.Allowed(unmanaged=force, local_data=local_data, daemon_sets=daemon_sets)
        planned = planton.plan_drain(node, planton.Filter(env=env, stack=stack), allowed, settings=settings)
        return function(planned=planned, yes=yes)

    return wrapped  # type: ignore[return-value]  # click decorates functions of any signature


@click.command()
@_of_node
def drain(*, planned: planton.Drain, yes: bool) -> None:
    """Cordon a node of an applied cluster, and evict its pods.

    The rules and options are those of kubectl drain: it refuses pods without
    a controller, pods with emptyDir data, and pods of DaemonSets, unless an
    option allows them. Disruption budgets are respected; pods that do not
    leave within --timeout fail the command. The same command continues.

    Exit codes: 0 drained, 1 no such node, 2 usage, 5 refused, 6 failed.
    """
    _ask("Drain", planned, yes=yes)
    _drain(planned)
    render.echo_lines([f"node {planned.node.name} is drained; kubectl uncordon {planned.node.name} lets it accept pods again"])


@click.command()
@_of_node
def recycle(*, planned: planton.Drain, yes: bool) -> None:
    """Drain a node of an applied cluster, and replace its machine.

    Drains as planton drain does, then lets the cloud replace the machine, and
    waits until all nodes of the pool are ready.

    Exit codes: 0 replaced, 1 no such node, 2 usage, 5 refused, 6 failed.
    """
    _ask("Drain and replace", planned, yes=yes)
    _drain(planned)
    for message in planned.replaced():
        render.progress(message)
    render.echo_lines([f"node {planned.node.name} was replaced; all nodes of pool {planned.node.pool} are ready"])


def _ask(verb: str, planned: planton.Drain, *, yes: bool) -> None:
    node = planned.node
    render.echo_lines(
        [
            f"node {node.name} of {planned.cluster.key}, pool {node.pool or '-'}, {node.status}",
            *(f"  - evict {pod}" for pod in planned.pods),
        ]
    )
    options.confirm(f"{verb} this node?", yes=yes)


def _drain(planned: planton.Drain) -> None:
    for message in planned.drained():
        render.progress(message)
