"""Modules: one package a kind, which declares the kind and turns a StackInput into provider resources.

The package ``planton.modules.<cloud>.<kind>`` has ``KIND`` and ``UNSUPPORTED``. It does not import Pulumi, so that commands can read
these at once. Its submodule ``program`` has ``resources(stack_input) -> outputs``. A program reads no environment, no clock and no
file, and opens no connection. Look-ups go through the engine, as provider functions or dynamic resources.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import pkgutil
from typing import TYPE_CHECKING, Protocol

from planton import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pulumi
    from google.protobuf import message

    from planton.modules import unsupported
    from planton.schema import kinds

#: A distribution can add clouds and kinds: Python finds modules in the folder ``planton/modules`` of every entry of its path.
__path__ = pkgutil.extend_path(__path__, __name__)


class Module(Protocol):
    """The content of a kind's package."""

    KIND: kinds.Declaration
    UNSUPPORTED: tuple[unsupported.Unsupported, ...]


class Program(Protocol):
    """The content of a kind's ``program``."""

    def resources(self, stack_input: message.Message) -> Mapping[str, pulumi.Input[object]]:
        """Registers the resources and returns the outputs by the field names of StackOutputs."""
        ...


def load(kind: kinds.Kind) -> Module:
    """Returns the module of a kind, without importing Pulumi.

    Raises:
        PlantonError: ``KIND_UNSUPPORTED``: this version can validate manifests of the kind, but not apply them.
    """
    require(kind)
    module: Module = importlib.import_module(kind.module)
    return module


def program(kind: kinds.Kind) -> Program:
    """Returns the program of a kind.

    Raises:
        ModuleNotFoundError: The provider's extra is not installed.
        PlantonError: ``KIND_UNSUPPORTED``: this version can validate manifests of the kind, but not apply them.
    """
    require(kind)
    loaded: Program = importlib.import_module(f"{kind.module}.program")
    return loaded


def require(kind: kinds.Kind) -> None:
    """Checks that a kind has a module, without importing it.

    Raises:
        PlantonError: ``KIND_UNSUPPORTED``: this version can validate manifests of the kind, but not apply them.
    """
    package = kind.module.rpartition(".")[0]
    if importlib.util.find_spec(package) is None or importlib.util.find_spec(kind.module) is None:
        raise errors.kind_unsupported(
            f"this version can validate a {kind.name}, but cannot create one",
            metadata={"kind": kind.name},
        )


def stored_json(manifest: message.Message) -> str:
    """Returns a manifest as JSON for its stack, without the status. The stack has the status as its outputs."""
    from google.protobuf import json_format  # noqa: PLC0415  # cold start of `validate`, which reads declarations: 0.7 ms

    copy = type(manifest)()
    copy.CopyFrom(manifest)
    copy.ClearField("status")
    return json.dumps(json_format.MessageToDict(copy), separators=(",", ":"))


def main() -> None:
    """Finds the stack input and runs its module: all that a standalone project's ``__main__.py`` needs.

    Fields that are unset in the provider config come from the credential that the manifest names, else from the environment.

    Raises:
        pulumi.RunError: The stack input is missing or invalid, or the module refuses it; one line, no traceback.
    """
    from planton.modules import standalone  # noqa: PLC0415  # cold start of `validate`, which reads declarations: Pulumi takes 100 ms

    standalone.main()
