"""The verbs of the public SDK that read applied resources: drift, refresh, outputs, credentials. No cloud is changed."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from planton import errors
from planton.clouds import kubeconfigs
from planton.deploy import access, graph, identify, loading, reading, resolve, runtime
from planton.engine import stacks
from planton.schema import resource_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf import message

    from planton.clouds import api
    from planton.config import settings as engine_settings
    from planton.deploy import steps
    from planton.manifest import load, selection
    from planton.state import inventory


def drift(sources: loading.Sources, *, full: bool = False, settings: engine_settings.Settings | None = None) -> list[steps.Step]:
    """Returns how the cloud differs from the last apply; nothing is changed. A resource that was not applied has an error.

    One list per account and kind is compared with the states; the engine reads only what differs.

    Args:
        sources: Sources, as for `load`.
        full: Whether the engine reads every resource, also properties that are in no list.
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: The manifests are invalid; the backend failed.
    """
    with runtime.working(settings) as run:
        return reading.drift(loading.load(sources), run, full=full)


def refresh(sources: loading.Sources, *, settings: engine_settings.Settings | None = None) -> list[steps.Step]:
    """Reads the cloud into the states; the cloud is not changed. Resources that were not applied are left out.

    Args:
        sources: Sources, as for `load`.
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: The manifests are invalid; the backend failed.
    """
    with runtime.working(settings) as run:
        return reading.refresh(loading.load(sources), run)


def applied(settings: engine_settings.Settings | None = None, *, stack: str = "") -> list[inventory.Applied]:
    """Returns all applied resources of the backend, with their outputs but without secrets.

    Args:
        settings: The settings; None for those of the environment.
        stack: Only the resource of this stack, ``PROJECT/STACK``; empty for all.

    Raises:
        planton.PlantonError: The backend failed.
    """
    with runtime.working(settings) as run:
        return [each for each in run.inventory.all() if not stack or stacks.parse(stack).matches(each.stack)]


def select(
    names: Sequence[str],
    selected: selection.Selection,
    *,
    env: str | None = None,
    or_all: bool = False,
    settings: engine_settings.Settings | None = None,
) -> list[load.Resource]:
    """Returns the resources that ``KIND/NAME`` and manifests identify, for `drift`, `refresh` and `plan_destroy`.

    Args:
        names: ``KIND/NAME`` of applied resources.
        selected: The manifests. Without names, they must not be empty.
        env: The environment of the names; None for any.
        or_all: Whether to return all applied resources if there are neither names nor manifests.
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: ``USAGE``; ``STACK_NOT_FOUND``; ``AMBIGUOUS``; ``MANIFEST_INVALID``.
    """
    with runtime.working(settings) as run:
        return identify.resources(names, run.inventory, selected, env=env, or_all=or_all)


def find(
    name: str, *, env: str | None = None, stack: str = "", settings: engine_settings.Settings | None = None
) -> inventory.Applied:
    """Returns an applied resource.

    Args:
        name: ``KIND/NAME``.
        env: The environment; None for any.
        stack: ``PROJECT/STACK``; empty for any.
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: ``STACK_NOT_FOUND``; ``AMBIGUOUS``; ``USAGE``.
    """
    named = resource_names.parse(name)
    with runtime.working(settings) as run:
        return run.inventory.get(named, env, stack)


def outputs(
    resource: str | inventory.Applied, *, env: str | None = None, settings: engine_settings.Settings | None = None
) -> message.Message:
    """Returns the StackOutputs of an applied resource, secrets decrypted.

    Args:
        resource: ``KIND/NAME``, or the result of `find`.
        env: The environment of the name; None for any.
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: ``STACK_NOT_FOUND``: it was not applied, or its apply did not complete; ``AMBIGUOUS``; ``USAGE``.
    """
    applied = _resolved(resource, env, settings)
    with runtime.working(settings) as run:
        return run.inventory.outputs(applied)


def stack_inputs(sources: loading.Sources, *, settings: engine_settings.Settings | None = None) -> Sequence[message.Message]:
    """Returns the stack inputs of manifests, dependencies first: defaults applied, references resolved, account chosen.

    Args:
        sources: Sources, as for `load`.
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: ``REFERENCE_UNRESOLVED``: a dependency was not applied; ``CREDENTIAL_…``.
    """
    with runtime.working(settings) as run:
        return resolve.stack_inputs(graph.of(loading.load(sources)), run)


def credential(
    resource: str | inventory.Applied,
    *,
    env: str | None = None,
    fresh: bool = False,
    settings: engine_settings.Settings | None = None,
) -> api.Credential:
    """Returns a credential of an applied cluster: a secret.

    A credential that expires is cached in a file of mode 0600, until shortly before it expires or until the cluster refuses it.

    Args:
        resource: ``KIND/NAME``, or the result of `find`.
        env: The environment of the name; None for any.
        fresh: Whether to ignore the cache.
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: ``USAGE``: it is no cluster; ``STACK_NOT_FOUND``; ``NOT_FOUND``; ``CREDENTIAL_…``; ``CLOUD_…``.
    """
    cluster = _resolved(resource, env, settings)
    with runtime.working(settings) as run:
        return access.credential(cluster, run, fresh=fresh)


def kubeconfig(
    resource: str | inventory.Applied, *, env: str | None = None, settings: engine_settings.Settings | None = None
) -> str:
    """Returns the kubeconfig of an applied cluster, which grants full administration.

    It comes from the state, and from the cloud if the kubeconfigs of the cloud expire.

    Args:
        resource: ``KIND/NAME``, or the result of `find`.
        env: The environment of the name; None for any.
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: ``USAGE``: it is no cluster; ``STACK_NOT_FOUND``; ``NOT_FOUND``; ``CREDENTIAL_…``; ``CLOUD_…``.
    """
    cluster = _resolved(resource, env, settings)
    with runtime.working(settings) as run:
        # A kubeconfig in the state needs no account.
        if access.asks_cloud(cluster):
            return access.credential(cluster, run, fresh=True).kubeconfig
        stored: Any = run.inventory.outputs(cluster)
    try:
        text = base64.b64decode(stored.kubeconfig_b64, validate=True).decode()
    except ValueError:
        text = ""
    return kubeconfigs.parse(text).text()


def api_server_rule(resource: inventory.Applied, *, settings: engine_settings.Settings | None = None) -> str:
    """Returns which rule in the cloud decides who reaches the API server of an applied cluster, as text.

    Args:
        resource: The result of `find`.
        settings: The settings; None for those of the environment.

    Returns:
        The rule; empty if there is none, or if the cloud cannot be asked.
    """
    with runtime.working(settings) as run:
        try:
            return access.cloud_of(resource, run).api_server_rule(resource.identity)
        except errors.PlantonError:
            return ""


def _resolved(resource: str | inventory.Applied, env: str | None, settings: engine_settings.Settings | None) -> inventory.Applied:
    return find(resource, env=env, settings=settings) if isinstance(resource, str) else resource
