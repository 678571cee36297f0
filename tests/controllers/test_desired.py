"""What is desired of a resource of the API, given what was applied."""

from __future__ import annotations

from typing import Any

import pytest

from planton.config import settings as engine_settings
from planton.controllers import desired, manifests
from planton.engine import stacks
from planton.schema import deletion, kinds, references
from planton.state import inventory

SIZES = {"civo": "g4s.kube.small", "digitalocean": "s-2vcpu-4gb"}
ID = "3f2c8a11-0c1d-4c7e-9b67-0d7a5f9a2b11"
PROTECTED = {"deletionProtection": True}


def kind_of(platform: str) -> kinds.Kind:
    """Returns the kind of a node pool on a cloud."""
    kind = manifests.kind_of(kinds.Role.NODE_POOL, platform)
    assert kind is not None
    return kind


def pool(platform: str, lifecycle: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Returns a node pool as the API returns it."""
    spec = {"nodeCount": 1, "platform": {"type": platform, platform: {"size": SIZES[platform]}}, "lifecycle": lifecycle}
    return {"id": ID, "name": "workers", "generation": "2", "spec": spec, **more}


def protects(platform: str, data: dict[str, Any], *, applied: inventory.Applied | None) -> bool:
    """Returns whether the resource that the controller gives to the pipeline is protected."""
    region = {"civo": "LON1", "digitalocean": "fra1"}[platform]
    spec = {"platform": {"type": platform, platform: {"region": region}}}
    cluster = desired.Cluster({"id": "c", "name": "production", "spec": spec}, None)
    settings = engine_settings.Settings(environ={})
    target = desired.target(kind_of(platform), data, settings, applied=applied, cluster=cluster)
    assert target.resource is not None
    return deletion.is_protected(target.resource.manifest)


def applied_from(platform: str, data: dict[str, Any]) -> inventory.Applied:
    """Returns a node pool as it was applied."""
    source = manifests.Source(ID, kind_of(platform), data, {"id": "9c1d2e3f-4a5b-4c6d-8e7f-0a1b2c3d4e5f", "region": "lon1"})
    resource = manifests.resource(source)
    return inventory.Applied(
        references.key(resource.manifest), stacks.name_of(resource.manifest), resource.manifest, 1, "", "", resource.origin
    )


@pytest.mark.parametrize("platform", sorted(SIZES))
def test_protection_follows_the_spec(platform: str) -> None:
    """It comes with the spec, also to what was applied without it, and goes with it."""
    plain, protected = pool(platform, {}), pool(platform, PROTECTED)
    assert protects(platform, protected, applied=applied_from(platform, plain))
    assert not protects(platform, plain, applied=applied_from(platform, protected))


def test_a_cluster_without_a_default_pool_has_no_number_of_nodes() -> None:
    """GKE's clusters are ready without nodes; those of other clouds have a default pool."""
    own = {"projectID": "acme", "region": "us-central1", "network": "default", "subnet": "default"}
    own |= {"podsRange": "pods", "servicesRange": "services", "masterCIDR": "172.16.0.0/28"}
    data = {"id": ID, "name": "production", "generation": "1", "spec": {"platform": {"type": "gcp", "gcp": own}}}
    settings = engine_settings.Settings(environ={})
    kind = manifests.kind_of(kinds.Role.CLUSTER, "gcp")
    assert kind is not None
    target = desired.target(kind, data, settings, applied=None, cluster=None)
    assert (target.desired.problem, target.desired.nodes) == (None, None)


AUTOSCALED = {"enabled": True, "minNodes": 1, "maxNodes": 5, "targetCPUUtilization": 60}


def scaled(platform: str, applied: inventory.Applied | None, **more: Any) -> tuple[desired.Target, Any]:
    """Returns the target of a pool that the controller scales, and its manifest."""
    data = pool(platform, {}, **more)
    data["spec"]["autoscaling"] = AUTOSCALED
    spec = {"platform": {"type": platform, platform: {"region": {"civo": "LON1", "digitalocean": "fra1"}[platform]}}}
    cluster = desired.Cluster({"id": "c", "name": "production", "spec": spec}, None)
    settings = engine_settings.Settings(environ={})
    target = desired.target(kind_of(platform), data, settings, applied=applied, cluster=cluster)
    assert target.resource is not None
    return target, target.resource.manifest


@pytest.mark.parametrize("platform", sorted(SIZES))
def test_a_pool_that_the_controller_scales_has_a_fixed_count_in_the_cloud(platform: str) -> None:
    """It begins with the spec's and stays at what was applied last. No second autoscaler works on it."""
    target, manifest = scaled(platform, None)
    assert (target.desired.nodes, manifest.spec.node_count, manifest.spec.auto_scale) == (1, 1, False)
    grown = pool(platform, {})
    grown["spec"]["nodeCount"] = 4
    target, manifest = scaled(platform, applied_from(platform, grown))
    assert (target.desired.nodes, manifest.spec.node_count) == (4, 4)
    target = desired.resized(target, 5)
    assert target.resource is not None
    resized: Any = target.resource.manifest
    assert (target.desired.nodes, resized.spec.node_count, manifest.spec.node_count) == (5, 5, 4)


@pytest.mark.parametrize("platform", sorted(SIZES))
def test_only_the_cloud_knows_the_count_that_another_autoscaler_left(platform: str) -> None:
    """The manifest has the initial one."""
    applied = applied_from(platform, pool(platform, {}))
    assert not desired.is_left_by_autoscaler(scaled(platform, applied)[0], applied)
    manifest: Any = applied.manifest
    manifest.spec.auto_scale = True
    assert desired.is_left_by_autoscaler(scaled(platform, applied)[0], applied)


@pytest.mark.parametrize("platform", sorted(SIZES))
def test_a_deleted_object_protects_nothing(platform: str) -> None:
    """The user cleared the protection and deleted the object before a controller looked at it again."""
    deleted = pool(platform, {}, deleted_at="2026-01-01T00:00:00Z")
    applied = applied_from(platform, pool(platform, PROTECTED))
    assert applied.protected
    assert not protects(platform, deleted, applied=applied)
    assert applied.protected
