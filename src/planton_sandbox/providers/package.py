"""What a cloud says about itself so that ``protocol`` can serve it."""

from __future__ import annotations

import dataclasses
import typing

from planton_sandbox.providers import planning, schema, values

Call = typing.Callable[[typing.Any, planning.Data], None]
"""Does something with the cloud's client and the resource; raises ``Fault`` or ``Crash``."""
_HALF_AN_HOUR: typing.Final = 1800


def nothing(_cloud: typing.Any, _data: planning.Data) -> None:
    """Does nothing: for a resource that its cloud has no say in."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Resource:
    """A resource type.

    Attributes:
        table: its properties.
        create: makes it; sets the id as soon as the cloud has it.
        read: brings the state up to date; clears the id when it is gone.
        update: changes it from ``prior`` to ``state``.
        delete: removes it, and waits as long as the plugin waits.
        customize: refuses or refines a plan; ``id`` is empty for a creation.
        find: turns an import id into id and first properties; clears the id where there is nothing.
        timeouts: the seconds that each operation may take, as the state says; it is told, not enforced here.
        schema_version: the version of the state's form.
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
        call: takes the cloud's client and the arguments, returns the results.
    """

    table: schema.Table
    call: typing.Callable[[typing.Any, dict[str, values.Json]], dict[str, values.Json]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Package:
    """A provider.

    Attributes:
        name: the package's name.
        version: the version of the official plugin that it stands for.
        config: the provider's own settings.
        connect: takes the settings and a gate to pass before each request, and returns the cloud's client.
        newer_bridge: the plugin is built on a newer bridge to Terraform providers: it tells differences as ``detailed`` does,
            adds the note of ``rawstate`` to states, and leaves notes of no defaults out of refreshed inputs.
    """

    name: str
    version: str
    config: tuple[schema.Property, ...]
    resources: tuple[Resource, ...]
    functions: tuple[Function, ...]
    connect: typing.Callable[[dict[str, values.Json], typing.Callable[[], None]], typing.Any]
    newer_bridge: bool = False

    def schema(self) -> str:
        """The package schema as JSON."""
        return schema.package(
            name=self.name,
            version=self.version,
            config=self.config,
            resources=(resource.table for resource in self.resources),
            functions=(function.table for function in self.functions),
        )
