"""The verbs of the public SDK for this machine: Pulumi and its plugins, and the accounts of the clouds."""

from __future__ import annotations

import dataclasses
import os
import shutil
from typing import TYPE_CHECKING, Any

from planton import clouds
from planton.config import contexts, credentials
from planton.config import settings as engine_settings
from planton.engine import installing, stand_ins, toolchain

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
        language_host: What runs the program of a project at ``pulumi up``; None if there is none.
        is_on_path: Whether a shell that runs ``pulumi`` starts that command line, and finds the language host.
    """

    required: str
    pulumi: pathlib.Path | None
    unfit: str
    plugins: frozenset[str]
    language_host: pathlib.Path | None = None
    is_on_path: bool = False

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that must be on PATH for ``pulumi up``."""
        programs = [path for path in (self.pulumi, self.language_host) if path is not None]
        return tuple(dict.fromkeys(str(path.parent) for path in programs))


def machine(environ: Mapping[str, str] | None = None) -> Machine:
    """Returns what is installed on this machine; installs nothing.

    Args:
        environ: The environment; None for that of the process.
    """
    environ = os.environ if environ is None else environ
    tools = toolchain.find(environ)
    unfit = "" if tools else shutil.which("pulumi", path=environ.get("PATH")) or ""
    if tools is None:
        return Machine(installing.text(installing.VERSION), None, unfit, toolchain.installed_plugins(environ))
    return _machine(tools, environ)


def _machine(tools: toolchain.Toolchain, environ: Mapping[str, str]) -> Machine:
    path = environ.get("PATH")
    host = tools.language_host
    on_path = shutil.which("pulumi", path=path) == str(tools.pulumi)
    has_host = host is not None and (host.parent == tools.pulumi.parent or shutil.which(host.name, path=path) is not None)
    return Machine(installing.text(installing.VERSION), tools.pulumi, "", tools.plugins, host, is_on_path=on_path and has_host)


def setup(progress: Callable[[str], None], environ: Mapping[str, str] | None = None) -> Machine:
    """Finds or installs Pulumi and the plugins, and returns what is installed then.

    Args:
        progress: Receives one line for each step.
        environ: The environment; None for that of the process.

    Raises:
        planton.PlantonError: ``TOOLCHAIN_MISSING``: Pulumi cannot be installed here.
    """
    tools = toolchain.setup(progress, environ)
    return _machine(tools, os.environ if environ is None else environ)


def sandbox_error(endpoint: str) -> errors.PlantonError | None:
    """Returns the error of an account whose API is on this machine and does not run; None for all other accounts.

    Args:
        endpoint: The URL of the account's API; empty for the public one.
    """
    return None if stand_ins.answers(endpoint) else stand_ins.not_running(endpoint)


def open_cloud(provider: str, *, region: str = "", settings: engine_settings.Settings | None = None) -> clouds.Cloud:
    """Returns the client of a cloud, for its lists: regions, sizes, versions. Nothing is changed with it.

    Args:
        provider: The name of the cloud.
        region: The region whose prices count, where they differ; empty for that of the account.
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
    return clouds.of(config, region)
