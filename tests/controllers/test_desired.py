"""What is desired of a resource of the API, given what was applied."""

from __future__ import annotations

from typing import Any

import pytest

from planton.config import settings as engine_settings
from planton.controllers import desired, manifests
from planton.engine import stacks
from planton.schema import kinds, references
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
    return inventory.is_protected(target.resource.manifest)


def applied_from(platform: str, data: dict[str, Any]) -> inventory.Applied:
    """Returns a node pool as it was applied."""
    source = manifests.Source(ID, kind_of(platform), data, {"id": "9c1d2e3f-4a5b-4c6d-8e7f-0a1b2c3d4e5f", "region": "lon1"})
    resource = manifests.resource(source)
    return inventory.Applied(
        references.key(resource.manifest), stacks.name_of(resource.manifest), resource.manifest, 1, "", "", resource.origin
    )


@pytest.mark.parametrize("platform", manifests.platforms())
def test_protection_follows_the_spec(platform: str) -> None:
    """It comes with the spec, also to what was applied without it, and goes with it."""
    plain, protected = pool(platform, {}), pool(platform, PROTECTED)
    assert protects(platform, protected, applied=applied_from(platform, plain))
    assert not protects(platform, plain, applied=applied_from(platform, protected))


@pytest.mark.parametrize("platform", manifests.platforms())
def test_a_deleted_object_protects_nothing(platform: str) -> None:
    """The user cleared the protection and deleted the object before a controller looked at it again."""
    deleted = pool(platform, {}, deleted_at="2026-01-01T00:00:00Z")
    applied = applied_from(platform, pool(platform, PROTECTED))
    assert applied.protected
    assert not protects(platform, deleted, applied=applied)
    assert applied.protected
