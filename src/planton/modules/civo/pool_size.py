"""NodePoolSize: the number of nodes of a pool, as a separate resource.

The plugin pulumi-civo 2.4.8 crashes on every change of a pool's ``node_count``. So the pool ignores that change, and this
dynamic resource sends it. The remaining nodes survive. It also reads the nodes of the pool, which the plugin does not report.
The engine runs it in a separate process, so it may open connections.
"""

from __future__ import annotations

import json
import os
import threading
import time
import urllib.parse
from typing import TYPE_CHECKING, Any

import pulumi
from pulumi import dynamic

from planton.base import web

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_DEFAULT_ENDPOINT = "https://api.civo.com"
_FIRST_REFUSAL = 300
_LONGEST_TEXT = 1000
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_READY_SECONDS = 1800
_WATCH_SECONDS = 1.0
#: The variable with the span of the engine, if the run is traced.
_TRACE_VARIABLE = "TRACEPARENT"
_NOT_FOUND = ("database_cluster_pool_not_found", "database_kubernetes_cluster_not_found")
#: The token for one operation, set by the engine. The token in the state may be missing or revoked.
TOKEN_VARIABLE = "PLANTON_CIVO_TOKEN"  # noqa: S105  # the name of a variable
#: The user's variable, for plain Pulumi.
_USER_TOKEN_VARIABLE = "CIVO_TOKEN"  # noqa: S105  # the name of a variable


class PoolGoneError(Exception):
    """The cloud reports that the pool or its cluster does not exist."""


class NodePoolSizeProvider(dynamic.ResourceProvider):
    """Creates, reads and changes the number of nodes of one pool; deleting it does nothing."""

    serialize_as_secret_always = False

    def configure(self, _config: dynamic.ConfigureRequest) -> None:
        """Starts a thread that ends this process with the engine. A killed engine does not end it."""
        threading.Thread(target=end_after, args=(os.getppid(),), daemon=True).start()

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Scales the pool to the desired number of nodes, if there is one, and returns its nodes."""
        return dynamic.CreateResult(f"{props['cluster_id']}:{props['pool_id']}", settle(props))

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        """Scales the pool to the desired number of nodes, if there is one, and returns its nodes."""
        return dynamic.UpdateResult(settle(news))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        """Compares the desired number with the last reported one, and the identity of the pool with the previous one."""
        keys = ["cluster_id", "pool_id", "identity", "region", "endpoint", *(["token"] if news.get("token") else [])]
        changed = [key for key in keys if news.get(key) != olds.get(key)]
        desired = news.get("node_count")
        # Enabling or disabling the autoscaler is a change even if the number is right. Without a desired number there is no drift.
        if desired != olds.get("node_count") or (desired is not None and desired != olds.get("actual_node_count")):
            changed.append("node_count")
        return dynamic.DiffResult(changes=bool(changed))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """Returns the current nodes of the pool; an empty id if the pool does not exist any more.

        Raises:
            OSError: The request failed. The state must stay unchanged.
        """
        try:
            return dynamic.ReadResult(id_, {**props, **_observed(_get_cluster(props), props["pool_id"])})
        except PoolGoneError:
            return dynamic.ReadResult("", {})


def end_after(engine: int) -> None:
    """Ends this process when its parent is not the engine that started it."""
    while os.getppid() == engine:
        time.sleep(_WATCH_SECONDS)
    os._exit(0)


def settle(
    props: dict[str, Any], *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
) -> dict[str, Any]:
    """Scales the pool to the desired number of nodes, if there is one, and waits for them.

    Args:
        props: The properties of the resource.
        clock: Returns seconds of a monotonic clock.
        sleep: Sleeps so many seconds.

    Returns:
        The properties with the nodes of the pool.

    Raises:
        OSError: A request failed.
        PoolGoneError: The pool or its cluster does not exist.
        TimeoutError: The pool has not reached the number in time.
    """
    desired = props.get("node_count")
    pool = _observed(_get_cluster(props), props["pool_id"])
    if desired is not None:
        if pool["actual_node_count"] != int(desired):
            path = f"/v2/kubernetes/clusters/{_quote(props['cluster_id'])}/pools/{_quote(props['pool_id'])}"
            _request(props, "PUT", path, {"count": int(desired), "region": props["region"]})
        pool = _wait(props, int(desired), clock, sleep)
    return {**props, **pool}


def _wait(props: Mapping[str, Any], desired: int, clock: Callable[[], float], sleep: Callable[[float], None]) -> dict[str, Any]:
    deadline = clock() + _READY_SECONDS
    pause = _FIRST_PAUSE_SECONDS
    while True:
        cluster = _get_cluster(props)
        pool = _observed(cluster, props["pool_id"])
        states = [node["status"] for node in _pool(cluster, props["pool_id"]).get("instances") or []]
        if pool["actual_node_count"] == desired and len(states) == desired and set(states) <= {"ACTIVE"}:
            return pool
        if clock() > deadline:
            message = f"node pool {props['pool_id']} has not reached {desired} nodes after {_READY_SECONDS // 60} minutes"
            raise TimeoutError(message)
        sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def _get_cluster(props: Mapping[str, Any]) -> dict[str, Any]:
    query = urllib.parse.urlencode({"region": props["region"]})
    return _request(props, "GET", f"/v2/kubernetes/clusters/{_quote(props['cluster_id'])}?{query}")


def _pool(cluster: Mapping[str, Any], pool_id: str) -> dict[str, Any]:
    for pool in cluster.get("pools") or []:
        if pool["id"] == pool_id:
            entry: dict[str, Any] = pool
            return entry
    message = f"cluster {cluster['id']} has no node pool {pool_id}"
    raise PoolGoneError(message)


def _observed(cluster: Mapping[str, Any], pool_id: str) -> dict[str, Any]:
    pool = _pool(cluster, pool_id)
    nodes = pool.get("instances") or []
    return {
        "actual_node_count": int(pool["count"]),
        "node_ids": [str(node["id"]) for node in nodes],
        "node_names": [str(node["hostname"]) for node in nodes],
    }


def _request(props: Mapping[str, Any], method: str, path: str, body: object = None) -> dict[str, Any]:
    endpoint = props.get("endpoint") or os.environ.get("CIVO_API_URL") or _DEFAULT_ENDPOINT
    token = os.environ.get(TOKEN_VARIABLE) or props.get("token") or os.environ.get(_USER_TOKEN_VARIABLE, "")
    try:
        answer = web.request(
            method,
            endpoint.rstrip("/") + path,
            body=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"bearer {token}",
                "Content-Type": "application/json",
                "Accept": "application/json",
                **({"traceparent": os.environ[_TRACE_VARIABLE]} if _TRACE_VARIABLE in os.environ else {}),
            },
        )
        decoded = answer.json() if answer.status < _FIRST_REFUSAL else None
    except web.NoAnswerError as error:
        message = f"{method} {path.split('?', maxsplit=1)[0]}: {error}"
        raise OSError(message) from None
    if answer.status == 404 and any(code in answer.text for code in _NOT_FOUND):  # noqa: PLR2004
        raise PoolGoneError(answer.text)
    if not isinstance(decoded, dict):
        message = f"{method} {path.split('?', maxsplit=1)[0]}: {answer.status} {answer.text[:_LONGEST_TEXT]}"
        raise OSError(message)
    return decoded


def _quote(text: str) -> str:
    return urllib.parse.quote(text, safe="")


class NodePoolSize(dynamic.Resource):
    """The number of nodes of a pool.

    Attributes:
        actual_node_count: The number last seen.
        node_ids: The ids of the pool's nodes, oldest first.
        node_names: Their host names, in the same order.
    """

    actual_node_count: pulumi.Output[int]
    node_ids: pulumi.Output[list[str]]
    node_names: pulumi.Output[list[str]]

    def __init__(
        self,
        name: str,
        *,
        cluster_id: pulumi.Input[str],
        pool_id: pulumi.Input[str],
        node_count: int | None,
        identity: str,
        region: str,
        endpoint: str,
        token: str | None,
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Registers the resource.

        Args:
            name: The resource's name in the stack.
            cluster_id: The cluster's id.
            pool_id: The pool's id.
            node_count: The desired number; None for an autoscaled pool.
            identity: A text that changes when the pool is replaced, so that the new pool is scaled too.
            region: The cloud's code of the region.
            endpoint: The API's address; empty for the cloud's own.
            token: The API token, a secret; None if the engine passes it.
            opts: The dependencies of the resource.
        """
        props = {
            "cluster_id": cluster_id,
            "pool_id": pool_id,
            "node_count": node_count,
            "identity": identity,
            "region": region,
            "endpoint": endpoint,
            "token": None if token is None else pulumi.Output.secret(token),
            "actual_node_count": None,
            "node_ids": None,
            "node_names": None,
        }
        super().__init__(NodePoolSizeProvider(), name, props, opts)
