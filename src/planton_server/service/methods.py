"""The methods of the API. This module is independent of the transport.

A method gets its request as a message, checks the rules of the schema, works in one transaction, and returns an answer. Clusters and
node pools share their methods; `kinds` holds the differences as data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from planton_server.service import call as calls
from planton_server.service import deletion, errors, kinds, reads, reports, requests, writes
from planton_server.store import database

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from google.protobuf import message

    from planton_server.service import answers, contexts

#: Method of the protos → its implementation.
_METHODS: Final[dict[str, Callable[[calls.Call], Awaitable[answers.Answer]]]] = {
    **{f"Create{name}": writes.create for name in ("Cluster", "NodePool")},
    **{f"Get{name}": reads.get for name in ("Cluster", "NodePool")},
    **{f"List{name}s": reads.list_resources for name in ("Cluster", "NodePool")},
    **{f"Update{name}": writes.update for name in ("Cluster", "NodePool")},
    **{f"Delete{name}": deletion.delete for name in ("Cluster", "NodePool")},
    **{f"Get{name}Status": reads.get_status for name in ("Cluster", "NodePool")},
    **{f"Report{name}Status": reports.report_status for name in ("Cluster", "NodePool")},
    "ListEvents": reads.list_events,
    "AcknowledgeEvent": writes.acknowledge,
}


class Service:
    """The methods of the API on one database.

    Attributes:
        store: The database.
        policy: The settings of the operator.
    """

    def __init__(self, store: database.Database, policy: contexts.Policy) -> None:
        self.store = store
        self.policy = policy

    async def call(
        self,
        rpc: str,
        request: message.Message,
        circumstances: contexts.Context,
        violations: Sequence[errors.Violation] = (),
    ) -> answers.Answer:
        """Returns the answer of a method.

        Args:
            rpc: The name of the method, e.g. ``CreateNodePool``.
            request: Its request. It is converted to the stored form.
            circumstances: The caller, the time and the headers.
            violations: The transport's violations of the request. They are reported with those of the rules.

        Raises:
            ApiError: The request is invalid, or cannot be served.
        """
        kind = kinds.of(rpc)
        requests.normalize(request)
        requests.check(request, kind.noun, violations)
        try:
            return await _METHODS[rpc](calls.Call(kind, request, circumstances, self.store, self.policy))
        except calls.DryRunError as dry_run:
            return dry_run.answer
        except database.UnavailableError as error:
            raise errors.unavailable() from error
