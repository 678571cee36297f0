"""The methods of the API. This module is independent of the transport.

A method gets its request as a message, checks the rules of the schema, works in one transaction, and returns an answer. Clusters and
node pools share their methods; `kinds` holds the differences as data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from planton_server.service import accounts, auditing, deletion, errors, kinds, reads, reports, requests, workers, working, writes
from planton_server.service import call as calls
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
    **{f"List{name}Events": auditing.list_events for name in ("Cluster", "NodePool")},
    **{f"Record{name}Event": auditing.record for name in ("Cluster", "NodePool")},
    "SetCredential": accounts.put,
    "ListCredentials": accounts.list_credentials,
    "DeleteCredential": accounts.delete,
    "GetClusterCredential": accounts.of_cluster,
    "ListEvents": reads.list_events,
    "AcknowledgeEvent": writes.acknowledge,
    "ClaimWork": working.claim,
    "RenewWork": working.renew,
    "FinishWork": working.finish,
    "ListWork": working.list_work,
    "RetryWork": working.retry,
    "ListProcesses": working.list_processes,
}
#: The methods after which a controller may have work.
_CHANGING: Final = frozenset(f"{verb}{name}" for verb in ("Create", "Update", "Delete") for name in ("Cluster", "NodePool"))


class Service:
    """The methods of the API on one database.

    Attributes:
        store: The database.
        policy: The settings of the operator.
        workers: The processes of controllers.
    """

    def __init__(
        self,
        store: database.Database,
        policy: contexts.Policy,
        processes: workers.Workers | None = None,
        *,
        traceparent: Callable[[], str | None] = lambda: None,
    ) -> None:
        """Creates the methods.

        Args:
            store: The database.
            policy: The settings of the operator.
            processes: The processes of controllers.
            traceparent: Returns the span of the current call, or None.
        """
        self.store = store
        self.policy = policy
        self.workers = processes or workers.Workers(store)
        self._traceparent = traceparent

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
            traceparent = self._traceparent() if rpc in _CHANGING else None
            return await _METHODS[rpc](
                calls.Call(kind, request, circumstances, self.store, self.policy, self.workers, traceparent)
            )
        except calls.DryRunError as dry_run:
            return dry_run.answer
        except database.UnavailableError as error:
            raise errors.unavailable() from error
        finally:
            if rpc in _CHANGING:
                # After a failure, too: the result of an interrupted commit is unknown.
                self.workers.changed()
