"""The nodes and pods of clusters, from their Kubernetes APIs. Kubeconfigs are data: address, certificates, key and token only."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import ssl
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

import httpx

from planton import errors
from planton.base import telemetry
from planton.clouds import kubeconfigs, kubernetes
from planton.controllers import workload
from planton.deploy import draining

if TYPE_CHECKING:
    from collections.abc import Callable

    from planton import clouds

T = TypeVar("T")

_TIMEOUT: Final = httpx.Timeout(10.0, connect=3.0)
_UNAUTHORIZED, _FIRST_REFUSAL = 401, 300
#: The answers for an API that is not installed, and for one whose server is not ready.
_UNSERVED: Final = (404, 503)
#: Items of a page.
_PAGE: Final = 500
#: Clusters with an open connection; the oldest one is closed, so that deleted clusters do not add up.
_MOST: Final = 256


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """A node as Kubernetes lists it.

    Attributes:
        name: Its name.
        labels: Its labels.
        is_ready: Whether its kubelet is ready.
        version: The version of its kubelet.
        created: When it joined the cluster.
        since: When it became ready, or stopped being ready; None if it is unknown.
        is_cordoned: Whether it is unschedulable.
        draining_since: When its drain began; None if it is not being drained.
    """

    name: str
    labels: dict[str, str]
    is_ready: bool
    version: str
    created: datetime.datetime
    since: datetime.datetime | None = None
    is_cordoned: bool = False
    draining_since: datetime.datetime | None = None


class Clusters:
    """Connections to the Kubernetes APIs of clusters. Thread-safe."""

    def __init__(self) -> None:
        """Connects at the first request."""
        self._lock = threading.Lock()
        self._clients: dict[str, httpx.Client] = {}

    def nodes(self, cloud: clouds.Cloud, cluster_id: str) -> tuple[Node, ...]:
        """Returns all nodes of a cluster.

        A credential is fetched from the cloud once, and again if the cluster refuses it.

        Raises:
            PlantonError: ``API_SERVER_CLOSED``: the Kubernetes API does not answer; the cloud cannot be asked.
        """
        return self._read(cloud, cluster_id, lambda client: tuple(map(_node, _listed(client, workload.NODES))))

    def workload(self, cloud: clouds.Cloud, cluster_id: str) -> workload.Workload:
        """Returns what runs in a cluster: nodes, pods and metrics, with one list of each.

        Raises:
            PlantonError: ``API_SERVER_CLOSED``: the Kubernetes API does not answer; the cloud cannot be asked.
        """
        return self._read(cloud, cluster_id, _workload)

    def _read(self, cloud: clouds.Cloud, cluster_id: str, read: Callable[[httpx.Client], T]) -> T:
        try:
            try:
                return read(self._client(cloud, cluster_id))
            except _RefusedError:
                self._forget(cluster_id)
                return read(self._client(cloud, cluster_id))
        except (httpx.HTTPError, ssl.SSLError, _RefusedError, KeyError, TypeError, ValueError) as error:
            self._forget(cluster_id)
            raise _closed(cluster_id, f"{type(error).__name__}: {error}") from None

    def api(self, cloud: clouds.Cloud, cluster_id: str) -> kubernetes.Api:
        """Returns the Kubernetes API of a cluster, for changes.

        Raises:
            PlantonError: ``API_SERVER_CLOSED``: there is no kubeconfig yet; the cloud cannot be asked.
        """
        credential = cloud.credential(cluster_id)
        if credential is None:
            raise _closed(cluster_id, "the cloud has no kubeconfig of it yet")
        return kubernetes.Api(kubeconfigs.parse(credential.kubeconfig))

    def close(self) -> None:
        """Closes all connections."""
        for cluster_id in list(self._clients):
            self._forget(cluster_id)

    def _client(self, cloud: clouds.Cloud, cluster_id: str) -> httpx.Client:
        with self._lock:
            client = self._clients.get(cluster_id)
        if client is not None:
            return client
        credential = cloud.credential(cluster_id)
        if credential is None:
            raise _closed(cluster_id, "the cloud has no kubeconfig of it yet")
        client = _connected(kubeconfigs.parse(credential.kubeconfig))
        with self._lock:
            client = self._clients.setdefault(cluster_id, client)
            oldest = next(iter(self._clients)) if len(self._clients) > _MOST else ""
        if oldest:
            self._forget(oldest)
        return client

    def _forget(self, cluster_id: str) -> None:
        with self._lock:
            client = self._clients.pop(cluster_id, None)
        if client is not None:
            client.close()


class _RefusedError(Exception):
    """The Kubernetes API refused the request."""


def _connected(entry: kubeconfigs.Entry) -> httpx.Client:
    context = kubernetes.authenticated(entry)
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {entry.token}"} if entry.token else {})
    return httpx.Client(base_url=entry.server, verify=context, headers=headers, timeout=_TIMEOUT, trust_env=False)


def _listed(client: httpx.Client, path: str, *, is_optional: bool = False) -> list[Any]:
    """Returns all items of a list, page by page; none if the list is optional and the cluster does not serve it."""
    items: list[Any] = []
    parameters: dict[str, str | int] = {"limit": _PAGE}
    while True:
        answer = _get(client, path, parameters)
        if is_optional and answer.status_code in _UNSERVED:
            return []
        if answer.status_code == _UNAUTHORIZED:
            raise _RefusedError("401 Unauthorized")
        if answer.status_code >= _FIRST_REFUSAL:
            raise _RefusedError(f"{answer.status_code} {answer.text[:200]}")
        page: Any = answer.json()
        items += page["items"]
        token = (page.get("metadata") or {}).get("continue")
        if not token:
            return items
        parameters["continue"] = str(token)


def _get(client: httpx.Client, path: str, parameters: dict[str, str | int]) -> httpx.Response:
    with telemetry.request("GET", client.base_url.host, path) as span:
        answer = client.get(path, params=parameters, headers=telemetry.traceparent())
        span.note({"http.response.status_code": answer.status_code})
        return answer


def _workload(client: httpx.Client) -> workload.Workload:
    metrics = _listed(client, workload.METRICS, is_optional=True)
    return workload.of(_listed(client, workload.NODES), _listed(client, workload.PODS), metrics)


def _node(item: Any) -> Node:  # JSON data
    metadata, status = item["metadata"], item.get("status") or {}
    ready: dict[str, Any] = next((each for each in status.get("conditions") or () if each["type"] == "Ready"), {})
    created = datetime.datetime.now(datetime.UTC)
    with contextlib.suppress(KeyError, ValueError):
        created = datetime.datetime.fromisoformat(metadata["creationTimestamp"])
    since = None
    with contextlib.suppress(KeyError, ValueError):
        since = datetime.datetime.fromisoformat(ready["lastTransitionTime"])
    return Node(
        str(metadata["name"]),
        dict(metadata.get("labels") or {}),
        ready.get("status") == "True",
        str((status.get("nodeInfo") or {}).get("kubeletVersion") or ""),
        created,
        since,
        bool((item.get("spec") or {}).get("unschedulable")),
        draining.started(item),
    )


def _closed(cluster_id: str, why: str) -> errors.PlantonError:
    return errors.api_server_closed(
        f"the Kubernetes API of cluster {cluster_id} cannot be read: {why}",
        hint="open port 6443 of the cluster to the controllers",
    )
