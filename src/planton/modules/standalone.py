"""The Pulumi program of a stack input: its module, and the outputs of the stack."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pulumi

from planton import errors, modules
from planton.config import credentials
from planton.manifest import stack_input as stack_input_module
from planton.schema import kinds

if TYPE_CHECKING:
    from google.protobuf import message


def run(stack_input: message.Message, *, origin: str = "") -> None:
    """Runs the module that a stack input is for and exports its outputs, and the manifest: the program of a stack.

    Args:
        stack_input: The stack input.
        origin: The name of the folder of the manifest, which is exported too; empty for none.

    Raises:
        PlantonError: The module refuses the stack input.
    """
    target = stack_input.target  # type: ignore[attr-defined]  # every StackInput has it (docs/extend/adding-a-kind.md)
    for name, value in modules.program(kinds.get(target.kind)).resources(stack_input).items():
        pulumi.export(name, value)
    # Commands with KIND/NAME alone read the applied manifest here.
    pulumi.export("manifest", modules.stored_json(target))
    if origin:
        pulumi.export("origin", origin)


def main() -> None:
    """Finds the stack input and runs its module: `planton.modules.main`.

    Raises:
        pulumi.RunError: The stack input is missing or invalid, or the module refuses it.
    """
    try:
        text, source = stack_input_module.locate(pulumi.Config("planton-cloud").get("stack-input"))
        stack_input: Any = stack_input_module.parse(text, source=source)
        config = credentials.choose(stack_input.target, override=stack_input.provider_config, region="", environ=os.environ)
        config.MergeFrom(stack_input.provider_config)
        stack_input.provider_config.CopyFrom(config)
        run(stack_input)
    except errors.PlantonError as error:
        raise pulumi.RunError(f"{error.message}\n{error.hint}".strip()) from None
    except ModuleNotFoundError as error:
        raise pulumi.RunError(
            f"the package {error.name} is not installed\ninstall project-planton with the extra of the cloud"
        ) from None
