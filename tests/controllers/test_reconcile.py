"""One run of a controller, with a cloud, an API and an engine in memory."""

from __future__ import annotations

import dataclasses
import datetime
import types
from typing import Any

from google.protobuf import json_format

from org.project_planton.cluster.v1 import cluster_pb2
from org.project_planton.nodepool.v1 import nodepool_pb2
from planton.config import settings as engine_settings
from planton.controllers import lease, manifests, queue, reconcile, values
from planton.engine import stacks
from planton.schema import kinds, references
from planton.state import inventory

POOL = "3f2c8a11-0c1d-4c7e-9b67-0d7a5f9a2b11"
CLUSTER = "9c1d2e3f-4a5b-4c6d-8e7f-0a1b2c3d4e5f"
NOW = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC)


@dataclasses.dataclass
class Api:
    """An API with one node pool.

    Attributes:
        generation: The generation of the node pool.
        is_deleted: Whether its deletion was requested.
    """

    generation: int = 1
    is_deleted: bool = False

    def get_node_pool(self, identifier: str) -> nodepool_pb2.NodePool:
        """Returns the node pool."""
        spec = {"nodeCount": self.generation, "platform": {"type": "civo", "civo": {"size": "g4s.kube.small"}}}
        data = {"id": identifier, "name": "workers", "cluster_id": CLUSTER, "generation": str(self.generation), "spec": spec}
        return json_format.ParseDict(
            data | ({"deleted_at": "2026-11-30T12:00:00Z"} if self.is_deleted else {}), nodepool_pb2.NodePool()
        )

    def get_cluster(self, identifier: str) -> cluster_pb2.Cluster:
        """Returns its cluster."""
        spec = {"platform": {"type": "civo", "civo": {"region": "LON1"}}}
        return json_format.ParseDict(
            {"id": identifier, "name": "production", "generation": "1", "spec": spec}, cluster_pb2.Cluster()
        )

    def get_node_pool_status(self, _identifier: str) -> Any:
        """Returns no reports."""
        return types.SimpleNamespace(controller_status=[])

    def report_node_pool_status(self, _identifier: str, _report: object) -> Any:
        """Takes a report."""
        return types.SimpleNamespace(controller_status=[])


@dataclasses.dataclass
class Cloud:
    """A cloud whose node pool is never as desired."""

    run: Any = dataclasses.field(default_factory=lambda: types.SimpleNamespace(tools=None))
    lists: Any = dataclasses.field(default_factory=lambda: types.SimpleNamespace(forget=lambda _: None))
    nodes: Any = dataclasses.field(default_factory=lambda: types.SimpleNamespace(forget=lambda _: None))

    def applied(self, identifier: str, _revision: int = 1) -> inventory.Applied:
        """Returns a node pool as it was applied."""
        kind = manifests.kind_of(kinds.Role.NODE_POOL, "civo")
        assert kind is not None
        data = json_format.MessageToDict(Api().get_node_pool(identifier))
        manifest: Any = manifests.resource(manifests.Source(POOL, kind, data, {"id": CLUSTER, "region": "lon1"})).manifest
        # It has an output, so an apply has finished.
        setattr(manifest.status.outputs, manifest.status.outputs.DESCRIPTOR.fields[0].name, "p-1")
        return inventory.Applied(references.key(manifest), stacks.name_of(manifest), manifest, 1, "", "")

    def revisions(self, _identifier: str) -> list[int]:
        """Returns the revisions with states."""
        return [1]

    def subject(self, _resource: object, **_: object) -> Any:
        """Returns what locates the resource."""
        return types.SimpleNamespace(account="a", cluster_id=CLUSTER, main=None, managed=types.SimpleNamespace(cloud=None))

    def look(self, _subject: object, **_: object) -> values.Observed:
        """Returns a node pool with another number of nodes."""
        return values.Observed(presence=values.Presence.PRESENT, changed=("nodeCount",), cloud_nodes=0, nodes=())

    def drains(self, _subject: object, found: values.Observed, *_: object) -> values.Observed:
        """Returns an observation without drains."""
        return found


def actions(api: Api, after: dict[str, Any]) -> tuple[list[tuple[str, int]], reconcile.Done]:
    """Runs once, and returns each action with the generation that it applied, and the end of the run.

    Args:
        api: The API.
        after: Attributes of the API that the first action meanwhile gets.
    """
    made: list[tuple[str, int]] = []

    def act(action: values.Action, *_: object, **__: object) -> None:
        made.append((str(action), api.generation))
        if len(made) == 1:
            for name, value in after.items():
                setattr(api, name, value)

    held = lease.Lease()
    held.renewed(lease.clock(), 3600)
    settings = engine_settings.Settings(environ={}, interruption=lease.Interruption(held))
    given: Any = api
    cloud: Any = Cloud()
    reconciler = reconcile.Reconciler(given, cloud, now=lambda: NOW, act=act)
    done = reconciler.run(queue.Work(POOL, "NodePool", CLUSTER, "civo", 1), settings)
    return made, done


def test_a_change_during_an_action_is_left_to_the_next_run() -> None:
    """The queue starts that run when the changes have ended, so that they share an action."""
    made, done = actions(Api(), {"generation": 7})
    assert (made, done.generation) == ([("update", 1)], 1)


def test_a_deletion_during_an_action_is_begun_at_once() -> None:
    """No further change can follow."""
    made, _ = actions(Api(), {"generation": 7, "is_deleted": True})
    assert made[1] == ("delete", 7)
