"""Out-of-band changes of a cluster's Kubernetes API, the same for all clouds.

The control endpoint's ``POST /sandbox/clouds/CLOUD/ACTION`` calls `act`. ``cluster`` names the cluster:

* ``load`` with one of deployment, daemonset, statefulset, replicaset, job, pod (and namespace) or pool, cpu, memory: sets what
  the workload's pods, or the pool's nodes, use in total; without cpu and memory it ends;
* ``demand`` name, namespace, replicas, cpu, memory, nodeSelector, tolerations: creates pods with these requests, or changes
  their number; without ``replicas`` it ends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from planton_sandbox import codec
from planton_sandbox.kubernetes import errors, loads, options, paths, reads, resources, writes

Body = Mapping[str, Any]
_IMAGE = "registry.k8s.io/pause:3.10"


def handles(action: str, body: Body) -> bool:
    """Returns whether an action is one of these; a ``load`` of so many ``nodes`` is the cloud's own."""
    return action in ACTIONS and "nodes" not in body


def act(view: reads.View, action: str, body: Body) -> Any:
    """Runs an action and returns its answer.

    Raises:
        ValueError: when the body is invalid.
    """
    try:
        return ACTIONS[action](view, body)
    except errors.ApiError as error:
        raise ValueError(str(error)) from error


def _load(view: reads.View, body: Body) -> Any:
    loads.put(view.state.loads, loads.parse(body))
    return {"loads": codec.encode(view.state.loads)}


def _demand(view: reads.View, body: Body) -> Any:
    name, namespace = str(body.get("name") or "demand"), str(body.get("namespace") or "default")
    target = paths.Target(resources.DEPLOYMENTS, namespace, name)
    write_options = options.Options(is_dry=False, manager="sandbox", validation="Strict", force=True, now=view.now)
    written = writes.Writes(view.store, target, write_options)
    if not body.get("replicas"):
        if view.store.get(resources.DEPLOYMENTS, namespace, name) is not None:
            written.delete(options.deletion({}, {}))
        return {"replicas": 0}
    requests = {key: str(body[key]) for key in ("cpu", "memory") if key in body}
    pod = {"containers": [{"name": "demand", "image": _IMAGE, "resources": {"requests": requests}}]}
    more = {key: body[key] for key in ("nodeSelector", "tolerations") if key in body}
    labels = {"app": name}
    spec = {
        "replicas": body["replicas"],
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {**pod, **more}},
    }
    item = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace}, "spec": spec}
    written.patch(item, kind=writes.APPLY)
    return {"replicas": body["replicas"]}


ACTIONS: Mapping[str, Callable[[reads.View, Body], Any]] = {"load": _load, "demand": _demand}
