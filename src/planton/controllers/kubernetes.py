"""The nodes of clusters, from their Kubernetes APIs. Kubeconfigs are data: address, certificates, key and token only."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import ssl
import threading
from typing import TYPE_CHECKING, Any, Final

import httpx

from planton import errors
from planton.clouds import kubeconfigs, kubernetes

if TYPE_CHECKING:
    from planton import clouds

_TIMEOUT: Final = httpx.Timeout(10.0, connect=3.0)
_UNAUTHORIZED, _FIRST_REFUSAL = 401, 300
#: Nodes of a page.
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
    """

    name: str
    labels: dict[str, str]
    is_ready: bool
    version: str
    created: datetime.datetime


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
        try:
            try:
                return self._nodes(self._client(cloud, cluster_id))
            except _RefusedError:
                self._forget(cluster_id)
                return self._nodes(self._client(cloud, cluster_id))
        except (httpx.HTTPError, ssl.SSLError, _RefusedError, KeyError, TypeError, ValueError) as error:
            self._forget(cluster_id)
            raise _closed(cluster_id, f"{type(error).__name__}: {error}") from None

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

    def _nodes(self, client: httpx.Client) -> tuple[Node, ...]:
        nodes: list[Node] = []
        parameters: dict[str, str | int] = {"limit": _PAGE}
        while True:
            answer = client.get("/api/v1/nodes", params=parameters)
            if answer.status_code == _UNAUTHORIZED:
                raise _RefusedError("401 Unauthorized")
            if answer.status_code >= _FIRST_REFUSAL:
                raise _RefusedError(f"{answer.status_code} {answer.text[:200]}")
            page: Any = answer.json()
            nodes += [_node(item) for item in page["items"]]
            token = (page.get("metadata") or {}).get("continue")
            if not token:
                return tuple(nodes)
            parameters["continue"] = str(token)


class _RefusedError(Exception):
    """The Kubernetes API refused the request."""


def _connected(entry: kubeconfigs.Entry) -> httpx.Client:
    context = kubernetes.authenticated(entry)
    headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {entry.token}"} if entry.token else {})
    return httpx.Client(base_url=entry.server, verify=context, headers=headers, timeout=_TIMEOUT, trust_env=False)


def _node(item: Any) -> Node:  # JSON data
    metadata, status = item["metadata"], item.get("status") or {}
    states = {each["type"]: each["status"] for each in status.get("conditions") or ()}
    created = datetime.datetime.now(datetime.UTC)
    with contextlib.suppress(KeyError, ValueError):
        created = datetime.datetime.fromisoformat(metadata["creationTimestamp"])
    return Node(
        str(metadata["name"]),
        dict(metadata.get("labels") or {}),
        states.get("Ready") == "True",
        str((status.get("nodeInfo") or {}).get("kubeletVersion") or ""),
        created,
    )


def _closed(cluster_id: str, why: str) -> errors.PlantonError:
    return errors.PlantonError(
        f"the Kubernetes API of cluster {cluster_id} cannot be read: {why}",
        code=errors.Code.FAILED,
        reason=errors.Reason.API_SERVER_CLOSED,
        hint="open port 6443 of the cluster to the controllers",
    )
