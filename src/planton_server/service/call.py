"""One call of one method: everything that its implementation reads."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from planton_server.service import acceptance, errors, kinds, status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from planton_server.service import answers
    from planton_server.service.contexts import Caller, Context, Policy
    from planton_server.service.kinds import Kind
    from planton_server.service.workers import Workers
    from planton_server.store import database


class DryRunError(Exception):
    """Carries the answer of a dry run out of the transaction, which is rolled back."""

    def __init__(self, answer: answers.Answer) -> None:
        self.answer = answer


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        kind: The kind of the resource.
        request: The request message of the method.
        context: The caller, the time and the headers.
        store: The database.
        policy: The settings of the operator.
        workers: The processes of controllers.
        traceparent: The span of the call, as in the header of that name; None if it is not traced.
    """

    kind: Kind
    request: Any
    context: Context
    store: database.Database
    policy: Policy
    workers: Workers
    traceparent: str | None = None

    @property
    def resource(self) -> Any:  # a NewCluster, ClusterUpdate, NewNodePool or NodePoolUpdate
        """The resource in the request of a create or an update."""
        return getattr(self.request, self.kind.field)

    @property
    def now(self) -> str:
        """The time of the call."""
        return self.context.now

    @property
    def caller(self) -> Caller:
        """The caller."""
        return self.context.caller

    @property
    def owner(self) -> str:
        """The owner whose resources the caller sees; empty if it sees all."""
        return "" if self.caller.controller else self.caller.name

    def visible(self, kind: Kind, row: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """Returns a row that the caller may see.

        Raises:
            ApiError: ``NOT_FOUND``: the resource does not exist, belongs to another user, or is being deleted.
        """
        if row is None or not (self.caller.controller or (row["owner"] == self.caller.name and not row["deleted_at"])):
            raise errors.not_found(kind.name)
        return row

    @property
    def acceptance(self) -> acceptance.Acceptance:
        """Who looks at resources of this kind."""
        expected = [platform for noun, platform in self.policy.expected if noun == self.kind.noun]
        return acceptance.Acceptance(self.workers.served, expected)

    def expected_controllers(self, row: Mapping[str, Any]) -> Sequence[str]:
        """Returns the controllers that must report before a resource is ready."""
        return self.policy.expected.get((self.kind.noun, row["platform"]), ())

    def status(self, row: Mapping[str, Any], reports: Sequence[status.Report]) -> dict[str, Any]:
        """Returns the columns of a resource's status after reports."""
        computed = status.compute(row, reports, self.expected_controllers(row), now=self.now)
        return computed._asdict() | {"status_time": self.now}

    def expected_version(self, row: Mapping[str, Any], in_body: str = "") -> int:
        """Returns the version that a write expects.

        Args:
            row: The resource.
            in_body: The ``resource_version`` in the body; empty if there is none.

        Raises:
            ApiError: The resource has another version than ``If-Match`` or the body names.
        """
        current, if_match = str(row["resource_version"]), self.context.if_match
        if if_match and if_match.strip() != "*" and f'"{current}"' not in {tag.strip() for tag in if_match.split(",")}:
            raise errors.precondition_failed(current)
        if in_body and in_body != current:
            raise errors.conflict(
                f"{self.kind.name} has been changed", details=f"its version is {current}, not {in_body}; read it and retry"
            )
        return int(row["resource_version"])

    def done(self, answer: answers.Answer) -> answers.Answer:
        """Returns the answer of a write.

        Raises:
            DryRunError: The request is a dry run.
        """
        if self.request.dry_run:
            raise DryRunError(answer)
        return answer

    def name_taken(self, name: str) -> errors.ApiError:
        """Returns the error for a name that another resource has."""
        scope = " in cluster" if self.kind is kinds.NODE_POOL else ""
        return errors.already_exists(f"{self.kind.name} with name '{name}' already exists{scope}")
