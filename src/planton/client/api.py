"""The API's methods, on the messages of its protos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from google.protobuf import json_format, message

from org.project_planton.cluster.v1 import audit_pb2, cluster_pb2, credential_pb2, status_pb2
from org.project_planton.cluster.v1 import service_pb2 as clusters_pb2
from org.project_planton.nodepool.v1 import event_pb2, nodepool_pb2
from org.project_planton.nodepool.v1 import service_pb2 as node_pools_pb2
from org.project_planton.work.v1 import service_pb2 as works_pb2
from org.project_planton.work.v1 import work_pb2
from planton import errors
from planton.base import web
from planton.client import transport

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_M = TypeVar("_M", bound=message.Message)
#: Seconds until the server must have answered, in addition to the time that it may wait.
_ANSWER_SECONDS: Final = 30.0


class Client:
    """A client of the NodePool API.

    Every method raises :class:`~planton.client.ApiError` where the server refuses. With ``dry_run`` the server only checks, and
    answers as if done.

    Args:
        url: The address of the server.
        email: The caller, if the server trusts it.
        token: A bearer token of the caller.
        deadline: Seconds for each try of a request.

    Attributes:
        transport: What sends the requests.
    """

    def __init__(self, url: str, *, email: str = "", token: str = "", deadline: float = web.DEADLINE) -> None:
        self.transport = transport.Transport(url, user=email, token=token, deadline=deadline)

    def __enter__(self) -> Self:
        """Returns itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Closes the connections."""
        self.transport.__exit__(*error)

    def create_cluster(self, cluster: clusters_pb2.NewCluster, *, dry_run: bool = False) -> cluster_pb2.Cluster:
        """Creates a cluster and returns it."""
        return self._sent("POST", "/api/v1/clusters", cluster, cluster_pb2.Cluster, dry_run=dry_run)

    def list_clusters(self, **filters: str) -> Iterator[cluster_pb2.Cluster]:
        """Yields all clusters, the newest first.

        Args:
            filters: ``status``, ``health``, ``platform``, ``includeDeleting``.
        """
        yield from self._all("/api/v1/clusters", "clusters", filters, cluster_pb2.Cluster)

    def get_cluster(self, identifier: str) -> cluster_pb2.Cluster:
        """Returns a cluster."""
        return self._got(_path("clusters", identifier), cluster_pb2.Cluster)

    def update_cluster(
        self, identifier: str, update: clusters_pb2.ClusterUpdate, *, dry_run: bool = False
    ) -> cluster_pb2.Cluster:
        """Replaces a cluster's spec and returns the cluster. A ``resource_version`` must be the current one."""
        return self._sent("PUT", _path("clusters", identifier), update, cluster_pb2.Cluster, dry_run=dry_run)

    def delete_cluster(self, identifier: str, *, force: bool = False, dry_run: bool = False) -> cluster_pb2.Cluster:
        """Deletes a cluster, with ``force`` its node pools too, and returns its last state.

        The result is empty if a retry after a lost answer found no cluster.
        """
        query = _query(force=force, dryRun=dry_run)
        return _read(self.transport.request("DELETE", _path("clusters", identifier), query=query), cluster_pb2.Cluster)

    def get_cluster_status(self, identifier: str) -> clusters_pb2.GetClusterStatusResponse:
        """Returns a cluster's status and what each controller reported."""
        return self._got(_path("clusters", identifier, "status"), clusters_pb2.GetClusterStatusResponse)

    def report_cluster_status(self, identifier: str, report: status_pb2.StatusReport) -> clusters_pb2.ReportClusterStatusResponse:
        """Reports what a controller observes of a cluster."""
        return self._sent("PUT", _path("clusters", identifier, "status"), report, clusters_pb2.ReportClusterStatusResponse)

    def create_node_pool(
        self, cluster_id: str, pool: node_pools_pb2.NewNodePool, *, dry_run: bool = False
    ) -> nodepool_pb2.NodePool:
        """Creates a node pool in a cluster and returns it."""
        return self._sent("POST", _path("clusters", cluster_id, "nodepools"), pool, nodepool_pb2.NodePool, dry_run=dry_run)

    def list_node_pools(self, **filters: str) -> Iterator[nodepool_pb2.NodePool]:
        """Yields all node pools, the newest first.

        Args:
            filters: ``clusterId``, ``status``, ``health``, ``platform``, ``includeDeleting``.
        """
        yield from self._all("/api/v1/nodepools", "nodepools", filters, nodepool_pb2.NodePool)

    def get_node_pool(self, identifier: str) -> nodepool_pb2.NodePool:
        """Returns a node pool."""
        return self._got(_path("nodepools", identifier), nodepool_pb2.NodePool)

    def update_node_pool(
        self, identifier: str, update: node_pools_pb2.NodePoolUpdate, *, dry_run: bool = False
    ) -> nodepool_pb2.NodePool:
        """Replaces a node pool's spec and returns the pool. A ``resource_version`` must be the current one."""
        return self._sent("PUT", _path("nodepools", identifier), update, nodepool_pb2.NodePool, dry_run=dry_run)

    def delete_node_pool(self, identifier: str, *, force: bool = False, dry_run: bool = False) -> None:
        """Deletes a node pool: at once where no controller holds it, or with ``force``."""
        self.transport.request("DELETE", _path("nodepools", identifier), query=_query(force=force, dryRun=dry_run))

    def get_node_pool_status(self, identifier: str) -> node_pools_pb2.GetNodePoolStatusResponse:
        """Returns a node pool's status and what each controller reported."""
        return self._got(_path("nodepools", identifier, "status"), node_pools_pb2.GetNodePoolStatusResponse)

    def report_node_pool_status(
        self, identifier: str, report: status_pb2.StatusReport
    ) -> node_pools_pb2.ReportNodePoolStatusResponse:
        """Reports what a controller observes of a node pool."""
        return self._sent("PUT", _path("nodepools", identifier, "status"), report, node_pools_pb2.ReportNodePoolStatusResponse)

    def list_node_pool_events(self, identifier: str) -> Iterator[audit_pb2.AuditEvent]:
        """Yields what controllers have changed in the cloud for a node pool, the newest first, also after it was deleted."""
        yield from self._all(_path("nodepools", identifier, "events"), "events", {}, audit_pb2.AuditEvent)

    def list_cluster_events(self, identifier: str) -> Iterator[audit_pb2.AuditEvent]:
        """Yields what controllers have changed in the cloud for a cluster, the newest first, also after it was deleted."""
        yield from self._all(_path("clusters", identifier, "events"), "events", {}, audit_pb2.AuditEvent)

    def record_node_pool_event(self, identifier: str, event_id: str, event: audit_pb2.AuditRecord) -> audit_pb2.AuditEvent:
        """Records an action as a controller: before it begins, and under the same id when it ends."""
        return self._sent("PUT", _path("nodepools", identifier, "events", event_id), event, audit_pb2.AuditEvent)

    def record_cluster_event(self, identifier: str, event_id: str, event: audit_pb2.AuditRecord) -> audit_pb2.AuditEvent:
        """Records an action as a controller: before it begins, and under the same id when it ends."""
        return self._sent("PUT", _path("clusters", identifier, "events", event_id), event, audit_pb2.AuditEvent)

    def set_credential(self, platform: str, name: str, fields: Mapping[str, str]) -> credential_pb2.Credential:
        """Stores a credential of the caller, in place of the previous one of this name. Its fields are those of the credentials file."""
        listed = [credential_pb2.CredentialField(name=each, value=value) for each, value in fields.items()]
        value = credential_pb2.CredentialValue(fields=listed)
        return self._sent("PUT", _path("credentials", platform, name), value, credential_pb2.Credential)

    def list_credentials(self) -> list[credential_pb2.Credential]:
        """Returns the credentials of the caller, without their values."""
        return list(self._got("/api/v1/credentials", credential_pb2.ListCredentialsResponse).credentials)

    def delete_credential(self, platform: str, name: str) -> None:
        """Deletes a credential of the caller."""
        self.transport.request("DELETE", _path("credentials", platform, name))

    def get_cluster_credential(self, identifier: str) -> credential_pb2.GetClusterCredentialResponse:
        """Returns the credential that a cluster names, with its value, as the controller of its cloud."""
        return self._got(_path("clusters", identifier, "credential"), credential_pb2.GetClusterCredentialResponse)

    def watch(self, after: str = "") -> Iterator[event_pb2.Event]:
        """Yields events as they happen, for ever; what was missed while a connection was broken comes next.

        Args:
            after: The cursor of the last event that was read; empty for all stored events.
        """
        for event in self.transport.events(after):
            yield _read(event, event_pb2.Event)

    def acknowledge(self, event_id: str) -> None:
        """Lets a ``deleted`` event go."""
        self.transport.request("PUT", _path("events", event_id, "acknowledgement"))

    def server_version(self) -> str:
        """Returns the version of the server."""
        return str(self.transport.request("GET", "/api/v1/info").get("version", ""))

    def claim_work(self, claim: works_pb2.Claim) -> works_pb2.ClaimWorkResponse:
        """Claims work as a controller, and finishes other work. Waits up to ``claim.wait`` if no work is due.

        After a lost answer it claims again: what the process holds is then more than it knows. :meth:`renew_work` lists it.
        """
        silence = claim.wait.seconds + 10
        return self._sent("POST", "/api/v1/work/claims", claim, works_pb2.ClaimWorkResponse, silence=silence)

    def renew_work(self, process: str, *, version: str = "") -> works_pb2.RenewWorkResponse:
        """Renews the lease of a process, and returns the work that it holds."""
        beat = works_pb2.Heartbeat(process=process, version=version)
        return self._sent("POST", "/api/v1/work/heartbeats", beat, works_pb2.RenewWorkResponse)

    def finish_work(self, process: str, results: Iterable[work_pb2.WorkResult]) -> works_pb2.FinishWorkResponse:
        """Finishes work, and returns whether each result was accepted."""
        finish = works_pb2.Finish(process=process, results=results)
        return self._sent("POST", "/api/v1/work/results", finish, works_pb2.FinishWorkResponse)

    def list_work(self, **filters: str) -> Iterator[work_pb2.WorkItem]:
        """Yields the work of resources, by id.

        Args:
            filters: ``state``, ``platform``, ``kind``.
        """
        yield from self._all("/api/v1/work", "items", filters, work_pb2.WorkItem)

    def retry_work(self, identifier: str) -> work_pb2.WorkItem:
        """Makes the work of a resource due at once, also dead work, and returns it."""
        return _read(self.transport.request("POST", _path("work", identifier, "retry")), work_pb2.WorkItem)

    def list_processes(self) -> list[work_pb2.Process]:
        """Returns the processes of controllers, the latest heartbeat first."""
        return list(self._got("/api/v1/work/processes", works_pb2.ListProcessesResponse).processes)

    def _got(self, path: str, answer: type[_M]) -> _M:
        return _read(self.transport.request("GET", path), answer)

    def _sent(
        self,
        verb: str,
        path: str,
        sent: message.Message,
        answer: type[_M],
        *,
        dry_run: bool = False,
        silence: float = _ANSWER_SECONDS,
    ) -> _M:
        query = _query(dryRun=dry_run)
        return _read(self.transport.request(verb, path, _plain(sent), query=query, silence=silence), answer)

    def _all(self, path: str, name: str, filters: Mapping[str, str], item: type[_M]) -> Iterator[_M]:
        for data in self.transport.items(path, name, filters):
            yield _read(data, item)


def _path(*parts: str) -> str:
    return "/api/v1/" + "/".join(map(transport.segment, parts))


def _query(**flags: bool) -> dict[str, str]:
    return {name: "true" for name, is_set in flags.items() if is_set}


def _read(data: dict[str, Any], answer: type[_M]) -> _M:
    try:
        # A newer server may send fields that this client does not know.
        return json_format.ParseDict(data, answer(), ignore_unknown_fields=True)
    except json_format.ParseError as error:
        raise errors.api_unreachable(
            f"the API's response is not a valid {answer.DESCRIPTOR.name}: {error}",
            hint="check that the address is that of a planton server, and that no proxy answers in its place",
        ) from None


def _plain(sent: message.Message) -> dict[str, Any]:
    """Returns a message as JSON data, whole numbers of 64 bits as numbers: the API takes no text for them."""
    data: dict[str, Any] = json_format.MessageToDict(sent)
    _make_numbers(data, sent.DESCRIPTOR)
    return data


def _make_numbers(data: dict[str, Any], described: Any) -> None:  # a message's descriptor
    for field in described.fields:
        value = data.get(field.json_name)
        if value is None:
            continue
        if field.type == field.TYPE_INT64:
            data[field.json_name] = int(value)
        elif field.message_type is not None and not field.message_type.full_name.startswith("google.protobuf."):
            for each in value if isinstance(value, list) else [value]:
                _make_numbers(each, field.message_type)
