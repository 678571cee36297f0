"""Modules: one file a kind that turns a StackInput into provider resources.

A module has ``UNSUPPORTED`` and ``resources(stack_input) -> outputs``. It reads no environment, no clock and no file, and
opens no connection: look-ups go through the engine, as provider functions or dynamic resources.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from typing import TYPE_CHECKING, Any, Protocol

from google.protobuf import json_format

from planton import errors
from planton.config import credentials
from planton.manifest import stack_input as stack_input_module
from planton.schema import kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pulumi
    from google.protobuf import message

    from planton.modules import unsupported


class Module(Protocol):
    """What every module file offers."""

    UNSUPPORTED: tuple[unsupported.Unsupported, ...]

    def resources(self, stack_input: message.Message) -> Mapping[str, pulumi.Input[object]]:
        """Registers the resources and returns the outputs by the field names of StackOutputs."""
        ...


def load(kind: kinds.Kind) -> Module:
    """Returns the module of a kind.

    Raises:
        ModuleNotFoundError: The provider's extra is not installed.
        PlantonError: ``KIND_UNKNOWN``: manifests of the kind are understood, but nothing can be made of them yet.
    """
    require(kind)
    module: Module = importlib.import_module(kind.module)
    return module


def require(kind: kinds.Kind) -> None:
    """Makes sure that a kind has a module, without importing it.

    Raises:
        PlantonError: ``KIND_UNKNOWN``: manifests of the kind are understood, but nothing can be made of them yet.
    """
    package = kind.module.rpartition(".")[0]
    if importlib.util.find_spec(package) is None or importlib.util.find_spec(kind.module) is None:
        raise errors.PlantonError(
            f"this version can validate a {kind.name}, but cannot make one",
            code=errors.Code.REFUSED,
            reason=errors.Reason.KIND_UNKNOWN,
            metadata={"kind": kind.name},
        )


def run(stack_input: message.Message, *, origin: str = "") -> None:
    """Runs the module that a stack input is for and exports its outputs, and the manifest: the program of a stack.

    Args:
        stack_input: What to make.
        origin: The name of the folder that the manifest came from, to be exported too; empty for none.

    Raises:
        PlantonError: What the module refuses.
    """
    import pulumi  # the engine asks this package for UNSUPPORTED without running a program

    target = stack_input.target  # type: ignore[attr-defined]  # every StackInput has it (docs/extend/adding-a-kind.md)
    for name, value in load(kinds.get(target.kind)).resources(stack_input).items():
        pulumi.export(name, value)
    # Commands that name KIND/NAME alone find here what was applied.
    pulumi.export("manifest", as_kept(target))
    if origin:
        pulumi.export("origin", origin)


def as_kept(manifest: message.Message) -> str:
    """Returns a manifest as a stack keeps it: as JSON, without the status, which the stack has as its outputs."""
    kept = type(manifest)()
    kept.CopyFrom(manifest)
    kept.ClearField("status")
    return json_format.MessageToJson(kept, indent=None)


def main() -> None:
    """Finds the stack input and runs its module: the whole of a standalone project's ``__main__.py``.

    What the stack input's provider config leaves open comes from the credential that the manifest names, else from the
    environment.

    Raises:
        pulumi.RunError: The stack input is missing or not valid, or the module refuses it; one line, no traceback.
    """
    import pulumi

    try:
        text, source = stack_input_module.locate(pulumi.Config("planton-cloud").get("stack-input"))
        found: Any = stack_input_module.parse(text, source=source)
        config = credentials.choose(found.target, given=found.provider_config, region="", environ=os.environ)
        config.MergeFrom(found.provider_config)
        found.provider_config.CopyFrom(config)
        run(found)
    except errors.PlantonError as error:
        raise pulumi.RunError(f"{error.message}\n{error.hint}".strip()) from None
    except ModuleNotFoundError as error:
        raise pulumi.RunError(
            f"the package {error.name} is not installed\ninstall project-planton with the extra of the cloud"
        ) from None
