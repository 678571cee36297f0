"""Adoption: a resource of a manifest becomes an object of the API, or the reverse. Nothing changes in the cloud.

The object is paused while its stack moves, so that no controller creates or deletes anything meanwhile. Each step sees what earlier
ones have done, so that an interrupted adoption continues.
"""

from __future__ import annotations

import dataclasses
import json
import time
from typing import TYPE_CHECKING, Any, Final

from google.protobuf import json_format

from planton import errors
from planton.controllers import api_fields, manifests, observe
from planton.engine import plans, stacks
from planton.manifest import origins
from planton.modules import stored_json
from planton.schema import kinds, references
from planton.state import inventory, transfer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from planton.client import transport
    from planton.state import stores

_PAUSED: Final = "true"
_POLL_SECONDS: Final = 1.0
#: Stands for the id of an object that does not exist yet.
_NO_ID: Final = "00000000-0000-0000-0000-000000000000"


@dataclasses.dataclass(frozen=True, slots=True)
class Offer:
    """A resource that can change its owner.

    Attributes:
        applied: The resource as it was applied.
        path: The path of the objects of its kind in the API; for a new node pool that of its cluster's.
        body: ``name`` and ``spec`` of the object.
        existing: The object as the API returns it; empty if there is none.
        target: The stack afterwards; None if it is not known yet.
    """

    applied: inventory.Applied
    path: str
    body: Mapping[str, Any]
    existing: Mapping[str, Any]
    target: stacks.StackName | None = None


class Adoption:
    """Moves resources between manifests and the API."""

    def __init__(self, api: transport.Transport, states: stores.Stores, *, wait: Callable[[float], None] = time.sleep) -> None:
        """Changes nothing yet.

        Args:
            api: The API, as the user who owns the objects.
            states: The states of the backend, which the controllers use too.
            wait: Waits so many seconds.
        """
        self._api = api
        self._states = states
        self._wait = wait

    def offer(self, applied: inventory.Applied) -> Offer:
        """Returns the object that a manifest's resource becomes.

        Raises:
            PlantonError: ``STATE_UNFIT``: the API cannot express it, its last operation has not ended, or its cluster is no object of
                the API; ``API_CONFLICT``: an object of that name is another resource.
        """
        kind = kinds.get(applied.key.kind)
        if not kind.declared.api_fields:
            raise _unfit(f"{applied.key} is neither a cluster nor a node pool", "the API has clusters and node pools only")
        inventory.require_complete(applied)
        body = api_fields.body(kind, applied.manifest)
        self._require_expressed(kind, applied, body)
        path, query = _path(kind), {}
        if kind.is_node_pool:
            cluster = self._cluster(applied)
            path, query = f"/api/v1/clusters/{cluster['id']}/nodepools", {"clusterId": str(cluster["id"])}
        existing = self._named(kind, str(body["name"]), query)
        if existing:
            self._require_same(applied, body, existing)
        else:
            self._states.require_clean(applied.stack)
        return Offer(applied, path, body, existing)

    def adopt(self, offer: Offer) -> str:
        """Makes an object of the API from a manifest's resource, and returns its id.

        Raises:
            PlantonError: ``STACK_LOCKED``; the API refused; the backend failed. Another call continues.
        """
        kind = kinds.get(offer.applied.key.kind)
        obj = dict(offer.existing) or self._api.request("POST", offer.path, _paused(offer.body))
        id_ = str(obj["id"])
        if offer.applied.stack.project != manifests.PROJECT:
            source = self._source(kind, offer.applied, offer.body, id_)
            manifest: Any = manifests.resource(source).manifest
            # The state stays the truth: controllers find what differs, such as the label of nodes, and apply it.
            manifest.spec.CopyFrom(offer.applied.manifest.spec)  # type: ignore[attr-defined]  # every manifest has a spec
            text = stored_json(manifest)
            stack = stacks.StackName(manifests.PROJECT, id_)
            transfer.transfer(self._states, transfer.Transfer(offer.applied.stack, stack, text, origins.NODE_POOL_API))
        self._update(kind, id_, offer.body["spec"])
        return id_

    def offer_release(self, applied: inventory.Applied, env: str) -> Offer:
        """Returns the manifest's resource that an object of the API becomes.

        Args:
            applied: The resource as it was applied.
            env: The environment of the manifest.

        Raises:
            PlantonError: ``STATE_UNFIT``: it has node pools in the API, or a manifest has its name; ``NOT_FOUND``: the API has no such
                object.
        """
        kind = kinds.get(applied.key.kind)
        manifest = _of_manifest(applied, env)
        if applied.stack.project == manifests.PROJECT:
            id_ = manifests.resource_of(applied.stack.stack)
            self._require_one_revision(applied, id_)
            obj: Mapping[str, Any] = self._api.request("GET", f"{_path(kind)}/{id_}")
        else:
            # The stack has moved already.
            obj = self._named(kind, kind.cloud_name(applied.manifest), {})
        if obj and kind.is_cluster:
            pools = [each["name"] for each in self._api.items("/api/v1/nodepools", "nodepools", {"clusterId": str(obj["id"])})]
            if pools:
                raise _unfit(f"cluster {obj['name']} has node pools in the API: {', '.join(pools)}", "release them first")
        if not obj or not (applied.stack.project == manifests.PROJECT or _is_paused(obj)):
            raise _unfit(f"{applied.key} is not managed by the API", "planton get -o wide lists all resources with their stacks")
        target = stacks.name_of(manifest)
        if applied.stack.project == manifests.PROJECT and self._states.open(target).exists():
            raise _unfit(f"{references.key(manifest)} exists already", "choose another environment with --env")
        return Offer(applied, f"{_path(kind)}/{obj['id']}", {}, obj, target)

    def _require_one_revision(self, applied: inventory.Applied, id_: str) -> None:
        if len(observe.revisions(self._states.inventory, id_)) > 1:
            raise _unfit(f"{applied.key} is being replaced", "wait until one of its two pools has gone")

    def release(self, offer: Offer, env: str) -> Any:  # a manifest of any kind
        """Makes a manifest's resource from an object of the API, and returns the manifest.

        Args:
            offer: The resource.
            env: The environment of the manifest.

        Raises:
            PlantonError: ``STACK_LOCKED``; the API refused; the backend failed. Another call continues.
        """
        kind = kinds.get(offer.applied.key.kind)
        manifest = _of_manifest(offer.applied, env)
        id_ = str(offer.existing["id"])
        if offer.applied.stack.project == manifests.PROJECT:
            assert offer.target is not None, "a release has a target"
            self._pause(kind, offer.existing)
            transfer.transfer(self._states, transfer.Transfer(offer.applied.stack, offer.target, stored_json(manifest), ""))
        # The stack has gone, so controllers find nothing to delete.
        self._api.request("DELETE", f"{_path(kind)}/{id_}")
        return manifest

    def _require_expressed(self, kind: kinds.Kind, applied: inventory.Applied, body: Mapping[str, Any]) -> None:
        """Compares the manifest with the one that controllers would make of the object."""
        again = manifests.resource(self._source(kind, applied, body, _NO_ID)).manifest
        before, after = (json.loads(stored_json(each)).get("spec") or {} for each in (applied.manifest, again))
        lost = [each.path for each in plans.compare(before, after) if api_fields.is_lost(kind, each, body)]
        if lost:
            listed = ", ".join(f"spec.{path}" for path in lost)
            raise _unfit(
                f"the API has no field for {listed} of {applied.key}",
                "remove it from the manifest and apply that first, or keep the manifest",
            )

    def _source(self, kind: kinds.Kind, applied: inventory.Applied, body: Mapping[str, Any], id_: str) -> manifests.Source:
        spec = json.loads(stored_json(applied.manifest)).get("spec") or {}
        annotations = applied.manifest.metadata.annotations  # type: ignore[attr-defined]  # every manifest has metadata
        return manifests.Source(
            id_,
            kind,
            body,
            cluster={**api_fields.cluster(kind, applied.manifest), "region": applied.region} if kind.is_node_pool else {},
            default=api_fields.defaults(kind, spec),
            credential=annotations.get(references.CREDENTIAL_ANNOTATION, ""),
        )

    def _cluster(self, applied: inventory.Applied) -> Mapping[str, Any]:
        spec = json.loads(stored_json(applied.manifest)).get("spec") or {}
        for each in self._api.items("/api/v1/clusters", "clusters", {}):
            owned = self._states.inventory.read(stacks.StackName(manifests.PROJECT, str(each["id"])))
            if (
                owned is not None
                and owned.identity
                and owned.identity in (applied.cluster, api_fields.plain(spec.get("cluster")))
            ):
                return each
        raise _unfit(f"the cluster of {applied.key} is no object of the API", "adopt the cluster first")

    def _named(self, kind: kinds.Kind, name: str, query: Mapping[str, str]) -> Mapping[str, Any]:
        plural = _path(kind).rpartition("/")[2]
        return next((each for each in self._api.items(_path(kind), plural, query) if each["name"] == name), {})

    def _require_same(self, applied: inventory.Applied, body: Mapping[str, Any], existing: Mapping[str, Any]) -> None:
        # An interrupted adoption leaves its object as it was created.
        is_begun = int(existing["generation"]) == 1 and existing["spec"] == _paused(body)["spec"]
        owned = self._states.inventory.read(stacks.StackName(manifests.PROJECT, str(existing["id"])))
        if not is_begun or (owned is not None and owned.identity != applied.identity):
            raise errors.PlantonError(
                f"the API already has another object named {existing['name']!r}",
                reason=errors.Reason.API_CONFLICT,
                hint=f"its id is {existing['id']}; delete or rename one of them",
                metadata={"id": str(existing["id"])},
            )

    def _update(self, kind: kinds.Kind, id_: str, spec: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._api.request("PUT", f"{_path(kind)}/{id_}", {"spec": dict(spec)})

    def _pause(self, kind: kinds.Kind, obj: Mapping[str, Any]) -> None:
        """Pauses an object without its protection, and waits until no controller works on it."""
        id_, spec = str(obj["id"]), dict(obj["spec"])
        lifecycle = {name: value for name, value in (spec.get("lifecycle") or {}).items() if name != "deletionProtection"}
        paused = {**spec, "lifecycle": {**lifecycle, "pausedUntil": _PAUSED}}
        generation = int(self._update(kind, id_, paused)["generation"]) if paused != spec else int(obj["generation"])
        while self._is_worked_on(id_, generation):
            self._wait(_POLL_SECONDS)

    def _is_worked_on(self, id_: str, generation: int) -> bool:
        work = next((each for each in self._api.items("/api/v1/work", "items", {}) if each["id"] == id_), None)
        if work is None or work["state"] == "dead":
            return False
        # A run that began before the pause may still change the cloud.
        processes = self._api.request("GET", "/api/v1/work/processes").get("processes", ())
        alive = any(each.get("alive") and work["platform"] in each["platforms"] for each in processes)
        return work["state"] == "running" or (alive and int(work.get("done_generation") or 0) < generation)


def _path(kind: kinds.Kind) -> str:
    return "/api/v1/nodepools" if kind.is_node_pool else "/api/v1/clusters"


def _paused(body: Mapping[str, Any]) -> dict[str, Any]:
    spec = body["spec"]
    return {**body, "spec": {**spec, "lifecycle": {**spec.get("lifecycle", {}), "pausedUntil": _PAUSED}}}


def _is_paused(obj: Mapping[str, Any]) -> bool:
    return bool(((obj.get("spec") or {}).get("lifecycle") or {}).get("pausedUntil") == _PAUSED)


def _of_manifest(applied: inventory.Applied, env: str) -> Any:  # a manifest of any kind
    manifest: Any = type(applied.manifest)()
    json_format.Parse(stored_json(applied.manifest), manifest)
    manifest.metadata.ClearField("id")
    manifest.metadata.labels.pop(manifests.STACK_LABEL, None)
    if applied.stack.project == manifests.PROJECT:
        manifest.metadata.env = env
    return manifest


def _unfit(text: str, hint: str) -> errors.PlantonError:
    return errors.state_unfit(text, hint=hint)
