"""Resolve: a manifest and the outputs of its dependencies → its stack input. Account and region are chosen here."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

from planton import clouds, errors
from planton.base import addresses
from planton.config import credentials
from planton.deploy import accounts, graph
from planton.engine import stacks
from planton.manifest import stack_input
from planton.modules import unsupported
from planton.schema import references, validation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from google.protobuf import message

    from planton.config import settings as engine_settings
    from planton.deploy import runtime
    from planton.manifest import load
    from planton.state import inventory

    Lookup = Callable[[references.Key], message.Message | None]


@dataclasses.dataclass(frozen=True, slots=True)
class Resolved:
    """A manifest that is ready for its module.

    Attributes:
        stack_input: The manifest without references, and the account.
        account: The account, for plans and consents.
    """

    stack_input: Any  # a stack input of any kind
    account: accounts.Account


def applied_of(key: references.Key, resources: graph.Graph, applied: inventory.Inventory) -> inventory.Applied | None:
    """Returns a resource as it was applied, or None. The manifest of a resource in the graph says which stack is meant."""
    resource = resources.resources.get(key)
    return applied.find(key) if resource is None else applied.read(stacks.name_of(resource.manifest))


def lookup(
    resources: graph.Graph, applied: inventory.Inventory, *, provided: Mapping[references.Key, message.Message | None]
) -> Lookup:
    """Returns a function that returns the manifest with outputs that a reference refers to, or None.

    Args:
        resources: The resources of the run.
        applied: The applied resources.
        provided: The manifests that the run has already read, planned or applied.
    """

    @functools.cache
    def look_up(key: references.Key) -> message.Message | None:
        if key in provided:
            return provided[key]
        dependency = applied_of(key, resources, applied)
        return None if dependency is None or not dependency.complete else dependency.manifest

    return look_up


def externals(resources: graph.Graph, applied: inventory.Inventory) -> dict[references.Key, message.Message | None]:
    """Returns the applied manifests of all dependencies outside a graph; None for those that were not applied."""
    look_up = lookup(resources, applied, provided={})
    targets = {target for each in resources.dependencies.values() for target in each}
    return {target: look_up(target) for target in sorted(targets) if target not in resources.resources}


def as_applied(resource: load.Resource, applied: inventory.Applied | None) -> load.Resource:
    """Returns a resource with its applied manifest, to read or delete it: its dependencies may be missing."""
    if applied is None:
        return resource
    return dataclasses.replace(resource, manifest=applied.manifest, region=applied.region, origin=applied.origin)


def resolve(
    resource: load.Resource,
    look_up: Lookup,
    settings: engine_settings.Settings,
    *,
    allow_unsupported: Iterable[str] = (),
    is_applied: bool = False,
) -> Resolved:
    """Returns the stack input of a resource.

    Args:
        resource: The resource.
        look_up: Returns the manifest with outputs that a reference refers to.
        settings: The settings of the run.
        allow_unsupported: Fields whose refusal the user waives.
        is_applied: Whether the manifest is the applied one, which later rules must not refuse.

    Raises:
        PlantonError: ``REFERENCE_UNRESOLVED``; ``CREDENTIAL_…``; ``ACCOUNT_REFUSED``: the environment is pinned to another account.
        InvalidError: ``MANIFEST_INVALID``: a reference has a value that the manifest does not allow.
    """
    resolved: Any = references.resolve(resource.manifest, look_up)
    violations = [] if is_applied else validation.violations(resolved)
    if violations:
        raise errors.InvalidError(
            [resource.violation(each.place, each.message, each.rule_id) for each in violations],
            hint="a reference was resolved to a value that the manifest does not allow",
        )
    annotations = resolved.metadata.annotations
    for field in allow_unsupported:
        annotations[unsupported.ALLOW_ANNOTATION] = f"{annotations.get(unsupported.ALLOW_ANNOTATION, '')},{field}".strip(",")
    config = credentials.choose(
        resolved,
        override=resource.config,
        region=references.region(resource.manifest, look_up) or resource.region,
        environ=settings.environ,
        usual=settings.context.credentials,
    )
    accounts.check_pin(resolved, config, settings)
    account = accounts.of(resolved, override=resource.config, config=config, settings=settings)
    return Resolved(stack_input.build(resolved, config), account)


def check_account(applied: inventory.Applied | None, stack_input: Any) -> None:  # of any kind
    """Checks the account of a stack input, as `check_address` does; a resource that was not applied fits any.

    Raises:
        PlantonError: ``STATE_UNFIT``, with both addresses.
    """
    if applied is not None:
        check_address(applied, clouds.of(stack_input.provider_config).address)


def check_address(applied: inventory.Applied, address: str) -> None:
    """Checks that a resource of a sandbox is not used with a cloud at an address, nor the other way round.

    Each would report the resources of the other as missing, and they would be created again.

    Raises:
        PlantonError: ``STATE_UNFIT``, with both addresses.
    """
    key = applied.key
    if applied.endpoint is None:
        return
    if addresses.is_local(applied.endpoint) == addresses.is_local(address):
        return
    raise errors.state_unfit(
        f"{key} was applied to {applied.endpoint or 'the public cloud'}, and the account is at {address}; nothing was changed",
        subject=str(key),
        hint="use the account that it was applied with, or another backend (--context, --backend)",
        metadata={"resource": str(key), "applied": applied.endpoint, "account": address},
    )


def stack_inputs(resources: graph.Graph, run: runtime.Runtime) -> Sequence[message.Message]:
    """Returns the stack inputs of resources whose dependencies were applied, dependencies first.

    Raises:
        PlantonError: ``REFERENCE_UNRESOLVED``; ``CREDENTIAL_…``; ``MANIFEST_INVALID`` after the resolution.
    """
    look_up = lookup(resources, run.inventory, provided={})
    inputs = []
    for key in resources.order:
        resource = resources.resources[key]
        graph.check_applied(resource, resources.resources, look_up)
        inputs.append(resolve(resource, look_up, run.settings).stack_input)
    return inputs
