"""Accounts of modules: the error for a provider that cannot be set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planton import errors
from planton.schema import providers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from google.protobuf import message


def require(config: message.Message, *, also_missing: Iterable[str] = ()) -> None:
    """Checks that a provider config has the required credential fields of its cloud.

    Args:
        config: The provider config of a stack input.
        also_missing: The names of other missing settings, e.g. ``region``.

    Raises:
        PlantonError: ``CREDENTIAL_MISSING``, with the missing fields and the environment variables that set them.
    """
    provider = providers.of_config(config.DESCRIPTOR.name)
    missing = [*provider.missing(config), *also_missing]
    if not missing:
        return
    variables = [provider.variables, *(provider.region_variables[:1] if provider.networks.are_regional else ())]
    raise errors.credential_missing(
        f"failed to setup {provider.spoken} provider: the {' and the '.join(missing)} is missing",
        hint=f"set {' and '.join(variables)}, or pass a provider config with -p FILE (docs/use/credentials.md)",
    )
