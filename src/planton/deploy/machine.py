"""The verbs of the public SDK for this machine: Pulumi and its plugins, and the accounts of the clouds."""

from __future__ import annotations

import dataclasses
import os
import shutil
from typing import TYPE_CHECKING, Any

from planton import clouds
from planton.config import contexts, credentials
from planton.config import settings as engine_settings
from planton.engine import stand_ins, toolchain

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Mapping

    from planton import errors


@dataclasses.dataclass(frozen=True, slots=True)
class Machine:
    """What is installed on this machine.

    Attributes:
        required: The version of Pulumi that is needed at least.
        pulumi: The Pulumi command line that is used; None if none of that version is installed.
        unfit: The ``pulumi`` on PATH if it is not used, because it is too old; empty if there is none.
        plugins: The providers whose official plugin is installed.
    """

    required: str
    pulumi: pathlib.Path | None
    unfit: str
    plugins: frozenset[str]


def machine(environ: Mapping[str, str] | None = None) -> Machine:
    """Returns what is installed on this machine; installs nothing.

    Args:
        environ: The environment; None for that of the process.
    """
    environ = os.environ if environ is None else environ
    tools = toolchain.find(environ)
    unfit = "" if tools else shutil.which("pulumi", path=environ.get("PATH")) or ""
    return Machine(
        toolchain.text(toolchain.VERSION), tools.pulumi if tools else None, unfit, toolchain.installed_plugins(environ)
    )


def setup(progress: Callable[[str], None], environ: Mapping[str, str] | None = None) -> Machine:
    """Finds or installs Pulumi and the plugins, and returns what is installed then.

    Args:
        progress: Receives one line for each step.
        environ: The environment; None for that of the process.

    Raises:
        planton.PlantonError: ``TOOLCHAIN_MISSING``: Pulumi cannot be installed here.
    """
    tools = toolchain.setup(progress, environ)
    return Machine(toolchain.text(toolchain.VERSION), tools.pulumi, "", tools.plugins)


def sandbox_error(endpoint: str) -> errors.PlantonError | None:
    """Returns the error of an account whose API is on this machine and does not run; None for all other accounts.

    Args:
        endpoint: The URL of the account's API; empty for the public one.
    """
    return None if stand_ins.answers(endpoint) else stand_ins.not_running(endpoint)


def open_cloud(provider: str, *, settings: engine_settings.Settings | None = None) -> clouds.Cloud:
    """Returns the client of a cloud, for its lists: regions, sizes, versions. Nothing is changed with it.

    Args:
        provider: The name of the cloud.
        settings: The settings; None for those of the environment and the current context.

    Raises:
        planton.PlantonError: ``CREDENTIAL_…``: there is no account; ``CONTEXT_UNKNOWN``.
    """
    if settings is None:
        settings = engine_settings.Settings(context=contexts.choose("", os.environ))
    context, environ = settings.context, settings.environ
    config: Any = credentials.from_environment(provider, environ, context.credentials)
    if not credentials.is_set(config):
        raise credentials.missing(provider)
    ignored = credentials.overruled(provider, environ, context.credentials)
    if ignored:
        settings.progress(f"{ignored} is ignored: the context {context.name} uses the credential {context.credentials[provider]}")
    return clouds.of(config)
