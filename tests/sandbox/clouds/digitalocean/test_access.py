"""Access to the clusters of the simulated DigitalOcean: credentials, the control plane's firewall, the registry."""

from __future__ import annotations

from typing import Any

import pytest

from support.digitalocean import CLUSTERS, Cloud


@pytest.fixture
def cloud() -> Cloud:
    """A cloud with instant latency."""
    return Cloud()


@pytest.mark.parametrize(
    ("guard", "client", "open_"),
    [
        (None, "203.0.113.9", True),
        ({"enabled": True, "allowed_addresses": ["203.0.113.0/24"]}, "203.0.113.9", True),
        ({"enabled": True, "allowed_addresses": ["203.0.113.9"]}, "203.0.113.9", True),
        ({"enabled": True, "allowed_addresses": ["198.51.100.0/24"]}, "203.0.113.9", False),
        ({"enabled": True, "allowed_addresses": []}, "203.0.113.9", False),
        ({"enabled": False, "allowed_addresses": []}, "203.0.113.9", True),
    ],
)
def test_an_enabled_firewall_admits_only_listed_addresses(cloud: Cloud, guard: Any, client: str, open_: bool) -> None:
    """A disabled or missing firewall admits every address."""
    key = cloud.cluster(control_plane_firewall=guard)
    assert cloud.show(key)["control_plane_firewall"] == guard
    assert cloud.kubernetes(key, client).open is open_


def test_credentials_expire(cloud: Cloud) -> None:
    """A token lasts a week, or as long as requested. Each request issues another one."""
    key = cloud.cluster()
    path = f"{CLUSTERS}/{key}/credentials"
    long, short = cloud.ok("GET", path, expiry_seconds=0), cloud.ok("GET", path, expiry_seconds=60)
    assert (long["expires_at"], short["expires_at"]) == ("2023-01-09T00:00:00Z", "2023-01-02T00:01:00Z")
    assert long["client_certificate_data"] is None
    assert cloud.kubernetes(key).tokens == (long["token"], short["token"])
    cloud.pass_time(60)
    assert cloud.kubernetes(key).tokens == (long["token"],)
    cloud.act("expire-credentials", cluster=key)
    assert cloud.kubernetes(key).tokens == ()
    assert cloud.refused("GET", path, expiry_seconds="soon") == (422, "unprocessable_entity")


def test_the_registry_integration_is_a_separate_setting(cloud: Cloud) -> None:
    """It has its own route. An unknown cluster is refused."""
    key = cloud.cluster()
    cloud.ok("POST", "/v2/kubernetes/registry", {"cluster_uuids": [key]})
    assert cloud.show(key)["registry_enabled"] is True
    assert cloud.ask("DELETE", "/v2/kubernetes/registry", {"cluster_uuids": ["none"]}).status == 404
    assert cloud.ask("DELETE", "/v2/kubernetes/registry", {"cluster_uuids": [key]}).status == 204
    assert cloud.show(key)["registry_enabled"] is False
