"""The smallest controller: it takes work from the API, makes a cloud match, and reports. Here the cloud is a dictionary.

Run it with the address of the API: ``python controller.py http://127.0.0.1:8080``.
"""

from __future__ import annotations

import os
import sys
import threading
import uuid

from org.project_planton.cluster.v1 import status_pb2
from planton import client

PROCESS = f"smallest-{uuid.uuid4().hex[:12]}"
NODES: dict[str, int] = {}  # the cloud: id of a pool → its nodes


def keep_lease(jobs: client.Transport, ended: threading.Event) -> None:
    """Heartbeats every two seconds; without them another process gets the work after eight."""
    while not ended.wait(2):
        jobs.request("POST", "/api/v1/work/heartbeats", {"process": PROCESS})


def reconcile(api: client.Client, work: dict[str, object]) -> None:
    """Makes the cloud match one resource, as often as it is asked to."""
    is_pool = work["kind"] == "NodePool"
    resource = (api.get_node_pool if is_pool else api.get_cluster)(str(work["id"]))
    report = status_pb2.StatusReport(controller_name="smallest-controller", observed_generation=resource.generation)
    if work.get("deleting"):
        NODES.pop(resource.id, None)
        report.conditions.add(type="Deleted", status="True")
    else:
        NODES[resource.id] = resource.spec.node_count if is_pool else 0
        report.conditions.add(type="Available", status="True", reason="NodesReady", message=f"{NODES[resource.id]} nodes")
        report.metadata.update({"active_nodes": NODES[resource.id]})
    (api.report_node_pool_status if is_pool else api.report_cluster_status)(resource.id, report)


def main(url: str) -> None:
    """Works until it is killed. Work that it holds is then given to another process."""
    email = os.environ.get("PLANTON_CONTROLLER_USER", "smallest@system.local")
    with client.Client(url, email=email) as api, client.Client(url, email=email) as second:
        threading.Thread(target=keep_lease, args=(second.transport, threading.Event()), daemon=True).start()
        results: list[dict[str, object]] = []
        while True:
            claim = {"process": PROCESS, "platforms": ["gcp"], "limit": 1, "results": results, "wait": "20s"}
            claimed, results = api.transport.request("POST", "/api/v1/work/claims", claim), []
            for work in claimed.get("items", []):
                reconcile(api, work)
                result = {"generation": work["generation"], "outcome": "SUCCEEDED", "next_look": "60s"}
                results.append({"id": work["id"], "epoch": work["epoch"], **result})


if __name__ == "__main__":
    main(sys.argv[1])
