"""What every stage of the pipeline uses: settings, toolchain, the applied resources, and callbacks."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from planton import clouds
from planton.recovery import operations
from planton.state import inventory

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi.automation import events

    from planton.config import settings as engine_settings
    from planton.engine import toolchain
    from planton.schema import references


@dataclasses.dataclass(frozen=True)
class Runtime:
    """What every stage of the pipeline uses.

    Attributes:
        settings: The settings of the run.
        tools: The toolchain.
        inventory: The applied resources of the backend.
        on_event: Receives each event of the engine and its resource while the cloud is changed; None for none.
        open_cloud: Returns the cloud of a provider config, in a region or else in the config's default.
        operations: The guarded operations on one stack.
    """

    settings: engine_settings.Settings
    tools: toolchain.Toolchain
    inventory: inventory.Inventory
    on_event: Callable[[references.Key, events.EngineEvent], None] | None = None
    open_cloud: Callable[[Any, str], clouds.Cloud] = clouds.of
    operations: operations.Operations = dataclasses.field(default_factory=operations.Operations)


def of(
    settings: engine_settings.Settings,
    tools: toolchain.Toolchain,
    *,
    on_event: Callable[[references.Key, events.EngineEvent], None] | None = None,
) -> Runtime:
    """Returns the runtime of a run.

    Args:
        settings: The settings of the run.
        tools: The toolchain.
        on_event: Receives each event of the engine and its resource while the cloud is changed; None for none.
    """
    return Runtime(settings, tools, inventory.Inventory(settings, tools), on_event)
