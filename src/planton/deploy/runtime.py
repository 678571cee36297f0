"""What every stage of the pipeline uses: settings, toolchain, the applied resources, and callbacks."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from typing import TYPE_CHECKING, Any

from planton import clouds
from planton.config import contexts
from planton.config import settings as engine_settings
from planton.deploy import progress
from planton.engine import environment, toolchain
from planton.recovery import operations
from planton.state import inventory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclasses.dataclass(frozen=True)
class Runtime:
    """What every stage of the pipeline uses.

    Attributes:
        settings: The settings of the run.
        tools: The toolchain.
        inventory: The applied resources of the backend.
        on_progress: Receives the progress of each resource.
        open_cloud: Returns the cloud of a provider config, in a region or else in the config's default.
        operations: The guarded operations on one stack.
    """

    settings: engine_settings.Settings
    tools: toolchain.Toolchain
    inventory: inventory.Inventory
    on_progress: progress.Listener = progress.IGNORED
    open_cloud: Callable[[Any, str], clouds.Cloud] = clouds.of
    operations: operations.Operations = dataclasses.field(default_factory=operations.Operations)


def of(
    settings: engine_settings.Settings,
    tools: toolchain.Toolchain,
    *,
    on_progress: progress.Listener | None = None,
) -> Runtime:
    """Returns the runtime of a run.

    Args:
        settings: The settings of the run.
        tools: The toolchain.
        on_progress: Receives the progress of each resource; None for none.
    """
    return Runtime(settings, tools, inventory.Inventory(settings, tools), on_progress or progress.IGNORED)


def configure(
    *,
    context: str = "",
    backend: str = "",
    progress: Callable[[str], None] | None = None,
    timeout: float = engine_settings.DEFAULT_TIMEOUT,
) -> engine_settings.Settings:
    """Returns the settings of a run.

    Args:
        context: The context with backend and accounts; empty for the current one.
        backend: URL of the Pulumi backend; empty for that of the environment, the context, or a folder of the user.
        progress: Receives lines of progress; None for none.
        timeout: Seconds after which an operation that waits for the cloud is stopped.

    Raises:
        planton.PlantonError: ``USAGE``: there is no such context.
    """
    environ = dict(os.environ)
    settings = engine_settings.Settings(
        backend=backend, timeout=timeout, environ=environ, context=contexts.choose(context, environ)
    )
    return settings if progress is None else dataclasses.replace(settings, progress=progress)


@contextlib.contextmanager
def working(settings: engine_settings.Settings | None, on_progress: progress.Listener | None = None) -> Iterator[Runtime]:
    """Yields the runtime of a run, with Pulumi's variables hidden from its SDK in this process.

    Args:
        settings: The settings; None for those of the environment.
        on_progress: Receives the progress of each resource; None for none.

    Raises:
        PlantonError: ``TOOLCHAIN_MISSING``; ``EXTRA_MISSING``; ``USAGE``: there is no such context.
    """
    chosen = configure() if settings is None else settings
    with environment.hidden_from_sdk(os.environ):
        tools = toolchain.find(chosen.environ) or toolchain.setup(chosen.progress, chosen.environ)
        yield of(chosen, tools, on_progress=on_progress)
