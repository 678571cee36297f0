"""The result of an apply, an import or a destroy."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from planton import errors
from planton.schema import resource_names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from google.protobuf import message

    from planton.deploy import steps


class RunError(errors.PlantonError):
    """At least one step failed. Code, reason and message are those of the first one.

    Attributes:
        result: The result, with the steps that succeeded.
    """

    def __init__(self, first: errors.PlantonError, result: Result) -> None:
        super().__init__(first.message, reason=first.reason, hint=first.hint, metadata=dict(first.metadata))
        self.result = result


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """The result of an operation.

    Attributes:
        steps: The steps, with outputs and errors.
    """

    steps: tuple[steps.Step, ...]

    @property
    def error(self) -> errors.PlantonError | None:
        """The first error that is no consequence of another; None on success."""
        return next((step.own_error for step in self.steps if step.own_error is not None), None)

    def outputs(self, name: str) -> message.Message:
        """Returns the StackOutputs of a resource; secrets are redacted.

        Args:
            name: ``KIND/NAME``, for example ``CivoKubernetesCluster/dev``.

        Raises:
            PlantonError: ``NOT_FOUND``: the result has no outputs of it; ``USAGE``.
        """
        named = resource_names.parse(name)
        for step in self.steps:
            if named.matches(step.key) and step.outputs is not None:
                return step.outputs
        raise errors.not_found(
            f"the result has no outputs of {name}",
            hint=f"it has those of: {', '.join(str(step.key) for step in self.steps if step.outputs is not None) or 'none'}",
        )


def checked(ended: Sequence[steps.Step], *, check: bool) -> Result:
    """Returns the result of steps.

    Args:
        ended: The steps.
        check: Whether to raise if a step failed.

    Raises:
        RunError: A step failed.
    """
    result = Result(tuple(ended))
    if check and result.error is not None:
        raise RunError(result.error, result)
    return result
