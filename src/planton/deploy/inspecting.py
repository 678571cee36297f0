"""The verbs of the public SDK that show applied resources: condition, health, nodes, operations. Nothing is changed."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from planton.clouds import answers
from planton.deploy import describe as descriptions
from planton.deploy import health as healths
from planton.deploy import nodes as node_lists
from planton.deploy import orphans as orphan_lists
from planton.deploy import overview as overviews
from planton.deploy import recycling, runtime
from planton.recovery import observed
from planton.state import history as state_history

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from planton.config import settings as engine_settings
    from planton.state import inventory


def overview(
    listed: overviews.Filter | None = None, *, offline: bool = False, settings: engine_settings.Settings | None = None
) -> list[overviews.Overview]:
    """Returns applied resources with their condition in the cloud: one list per account and kind. No engine starts.

    A resource whose cloud cannot be read has the status ``Unknown`` and the error.

    Args:
        listed: Which resources are listed; None for all.
        offline: Whether to read no cloud.
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: The backend failed.
    """
    with runtime.working(settings) as run:
        return overviews.read(run, listed or overviews.Filter(), offline=offline)


def inspect(
    resource: inventory.Applied, *, offline: bool = False, settings: engine_settings.Settings | None = None
) -> overviews.Overview:
    """Returns an applied resource with its condition in the cloud.

    Args:
        resource: The result of `find`.
        offline: Whether to read no cloud.
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: ``STACK_NOT_FOUND``; the backend failed.
    """
    with runtime.working(settings) as run:
        return overviews.of_all([(resource, run.inventory.open(resource.stack).export())], run, offline=offline)[0]


def health(
    listed: overviews.Filter | None = None,
    *,
    now: datetime.datetime | None = None,
    settings: engine_settings.Settings | None = None,
) -> healths.Health:
    """Returns what is not as it should be, the most urgent first: nodes, versions, credentials, locks, drift, failed operations.

    Args:
        listed: Which applied resources; None for all.
        now: The time; None for that of the clock.
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: The backend failed.
    """
    with runtime.working(settings) as run:
        return healths.read(run, listed or overviews.Filter(), now=now or datetime.datetime.now(datetime.UTC))


def describe(resource: inventory.Applied, *, settings: engine_settings.Settings | None = None) -> descriptions.Description:
    """Returns everything about an applied resource: condition, references, nodes, operations, upgrades, cost.

    Args:
        resource: The result of `find`.
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: ``STACK_NOT_FOUND``; the backend failed.
    """
    with runtime.working(settings) as run:
        return descriptions.read(resource, run)


def nodes(cluster: inventory.Applied, *, settings: engine_settings.Settings | None = None) -> list[node_lists.Node]:
    """Returns the nodes of an applied cluster by pool and name, and the machines that have not joined it.

    Args:
        cluster: The result of `find`.
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: ``USAGE``: it is no cluster; ``API_SERVER_CLOSED``; ``CREDENTIAL_…``; ``CLOUD_…``.
    """
    with runtime.working(settings) as run:
        lists = observed.Lists(answers.Answers())
        return node_lists.read(cluster, node_lists.connect(cluster, run), run, lists)


def history(
    resource: inventory.Applied, *, number: int = 10, settings: engine_settings.Settings | None = None
) -> list[state_history.Entry]:
    """Returns the newest operations on an applied resource, newest first.

    Args:
        resource: The result of `find`.
        number: The largest number of entries.
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: ``STACK_NOT_FOUND``; the backend failed.
    """
    with runtime.working(settings) as run:
        return state_history.read(run.inventory.open(resource.stack), number)


def operations(
    listed: overviews.Filter | None = None, *, number: int = 10, settings: engine_settings.Settings | None = None
) -> list[tuple[inventory.Applied, state_history.Entry]]:
    """Returns the newest operations on all applied resources, newest first.

    Args:
        listed: Which resources; None for all.
        number: The largest number of operations.
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: The backend failed.
    """
    chosen = listed or overviews.Filter()
    with runtime.working(settings) as run:
        resources = [each for each in run.inventory.all() if chosen.matches(each)]
        entries = [(each, entry) for each in resources for entry in state_history.read(run.inventory.open(each.stack), number)]
    return sorted(entries, key=lambda pair: pair[1].started, reverse=True)[:number]


def orphans(
    providers: Collection[str] = (), *, objects: Iterable[str] = (), settings: engine_settings.Settings | None = None
) -> orphan_lists.Search:
    """Returns the clusters and node pools in accounts that carry planton's labels, and that no state of the backend has.

    Args:
        providers: The clouds; empty for those that the context or the environment has a credential of.
        objects: The ids of the objects of the NodePool API. Resources that were created for them are left out.
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: ``CREDENTIAL_…``; ``CLOUD_…``: a list cannot be read; the backend failed.
    """
    with runtime.working(settings) as run:
        return orphan_lists.search(run, providers, objects=objects)


def plan_drain(
    node: str,
    listed: overviews.Filter | None = None,
    allowed: recycling.Allowed | None = None,
    *,
    settings: engine_settings.Settings | None = None,
) -> recycling.Drain:
    """Returns the drain of a node of an applied cluster. Nothing is changed until its ``drained()`` is iterated.

    Args:
        node: The name of the node.
        listed: Which applied clusters are searched; None for all.
        allowed: What it may do with pods that would be lost; None for nothing.
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: ``NOT_FOUND``; ``RESOURCE_AMBIGUOUS``; ``DRAIN_REFUSED``; ``API_SERVER_CLOSED``; ``CREDENTIAL_…``; ``CLOUD_…``.
    """
    with runtime.working(settings) as run:
        return recycling.make(node, run, listed or overviews.Filter(), allowed or recycling.Allowed())
