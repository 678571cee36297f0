"""The description of a cloud's provider, which ``protocol`` serves."""

from __future__ import annotations

import dataclasses
import typing

from planton_sandbox.providers import planning, schema, values

Call = typing.Callable[[typing.Any, planning.Data], None]
"""Calls the cloud with its client for the resource; raises ``Fault`` or ``Crash``."""
_HALF_AN_HOUR: typing.Final = 1800


def nothing(_cloud: typing.Any, _data: planning.Data) -> None:
    """Does nothing, for resources that have no such call."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource type.

    Attributes:
        table: its properties.
        create: creates it, and sets the id as soon as the cloud has it.
        read: updates the state; clears the id of a missing resource.
        update: changes it from ``prior`` to ``state``.
        delete: deletes it, and waits as long as the plugin waits.
        customize: refuses or refines a plan; ``id`` is empty for a creation.
        find: turns an import id into the id and the first properties; clears the id of a missing resource.
        timeouts: the timeouts in seconds by operation, as the state shows them; they are not enforced.
        schema_version: the version of the state's format.
    """

    table: schema.Table
    create: Call
    read: Call
    update: Call
    delete: Call
    customize: Call = nothing
    find: Call = nothing
    timeouts: typing.Mapping[str, int] = dataclasses.field(
        default_factory=lambda: dict.fromkeys(("create", "delete", "update"), _HALF_AN_HOUR)
    )
    schema_version: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Function:
    """A function that programs call.

    Attributes:
        table: its arguments and results.
        call: returns the results; its arguments are the cloud's client and the function's arguments.
    """

    table: schema.Table
    call: typing.Callable[[typing.Any, dict[str, values.Json]], dict[str, values.Json]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Package:
    """A provider.

    Attributes:
        name: the package's name.
        version: the version of the official plugin.
        config: the provider's configuration.
        connect: returns the cloud's client; its arguments are the configuration and the gate to pass before each request.
        config_warnings: returns the warnings about a configuration, which the plugin logs.
        newer_bridge: whether the plugin is built on a newer bridge to Terraform providers. Such a plugin reports differences
            like ``detailed``, and adds ``rawstate`` to states.
        drops_notes: whether refreshed inputs have no empty lists of defaults.
    """

    name: str
    version: str
    config: tuple[schema.Property, ...]
    resources: tuple[Resource, ...]
    functions: tuple[Function, ...]
    connect: typing.Callable[[dict[str, values.Json], typing.Callable[[], None]], typing.Any]
    config_warnings: typing.Callable[[dict[str, values.Json]], list[str]] = lambda _config: []
    newer_bridge: bool = False
    drops_notes: bool = False

    def schema(self) -> str:
        """Returns the package schema as JSON."""
        return schema.package(
            name=self.name,
            version=self.version,
            config=self.config,
            resources=(resource.table for resource in self.resources),
            functions=(function.table for function in self.functions),
        )
