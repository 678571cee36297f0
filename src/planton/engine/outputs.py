"""The outputs of a stack as the StackOutputs message of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf import json_format

from planton import errors
from planton.engine import plans, states
from planton.manifest import stack_input

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf import message

    from planton.schema import kinds

#: Outputs that are not fields of StackOutputs.
_OWN = (states.MANIFEST, states.ORIGIN)


def parse(kind: kinds.Kind, raw: Mapping[str, Any]) -> message.Message:
    """Returns the raw outputs of a stack as the kind's StackOutputs. An encrypted value becomes ``[redacted]``.

    Raises:
        PlantonError: ``OUTPUT_INVALID``: the module exported a name or a value that the message does not have.
    """
    outputs: message.Message = kind.stack_outputs()
    # After a refresh that found a resource missing, the outputs of that resource are unknown.
    fields = {
        name: value
        for name, value in raw.items()
        if name not in _OWN and value is not None and plans.ENGINE_UNKNOWN not in str(value)
    }
    try:
        json_format.ParseDict({name: _shown(value) for name, value in fields.items()}, outputs)
    except json_format.ParseError as error:
        raise errors.PlantonError(
            f"the module of {kind.name} exported what {outputs.DESCRIPTOR.name} does not know: {error}",
            reason=errors.Reason.OUTPUT_INVALID,
        ) from None
    return outputs


def _shown(value: Any) -> Any:  # JSON data
    if states.is_secret(value):
        return stack_input.REDACTED
    return int(value) if isinstance(value, float) and value.is_integer() else value
