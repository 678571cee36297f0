"""The verbs of the public SDK that read applied resources: drift, refresh, outputs, history. No cloud is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planton.deploy import graph, identify, loading, reading, resolve, runtime

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf import message

    from planton.config import settings as engine_settings
    from planton.deploy import steps
    from planton.state import history as state_history
    from planton.state import inventory


def drift(given: loading.Given, *, settings: engine_settings.Settings | None = None) -> list[steps.Step]:
    """Returns how the cloud differs from the last apply; nothing is changed. A resource that was not applied has an error.

    Args:
        given: Sources, as for `load`.
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: The manifests are invalid; the backend failed.
    """
    with runtime.working(settings) as run:
        return reading.drift(loading.load(given), run)


def refresh(given: loading.Given, *, settings: engine_settings.Settings | None = None) -> list[steps.Step]:
    """Reads the cloud into the states; the cloud is not changed. Resources that were not applied are left out.

    Args:
        given: Sources, as for `load`.
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: The manifests are invalid; the backend failed.
    """
    with runtime.working(settings) as run:
        return reading.refresh(loading.load(given), run)


def applied(settings: engine_settings.Settings | None = None) -> list[inventory.Applied]:
    """Returns all applied resources of the backend, with their outputs but without secrets.

    Args:
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: The backend failed.
    """
    with runtime.working(settings) as run:
        return run.inventory.all()


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
    kind, own = identify.parse(name)
    with runtime.working(settings) as run:
        return run.inventory.get(kind, own, env, stack)


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
    applied = find(resource, env=env, settings=settings) if isinstance(resource, str) else resource
    with runtime.working(settings) as run:
        return run.inventory.outputs(applied)


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
    from planton.state import history as state_history  # few programs read it

    with runtime.working(settings) as run:
        return state_history.read(run.inventory.open(resource.stack), number)


def stack_inputs(given: loading.Given, *, settings: engine_settings.Settings | None = None) -> Sequence[message.Message]:
    """Returns the stack inputs of manifests, dependencies first: defaults applied, references resolved, account chosen.

    Args:
        given: Sources, as for `load`.
        settings: The settings; None for those of the environment.

    Raises:
        planton.PlantonError: ``REFERENCE_UNRESOLVED``: a dependency was not applied; ``CREDENTIAL_…``.
    """
    with runtime.working(settings) as run:
        return resolve.stack_inputs(graph.of(loading.load(given)), run)
