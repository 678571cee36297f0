"""What the warning before a destroy says of the leftovers of a cluster."""

from __future__ import annotations

from typing import Any, cast

import pytest

from planton import errors
from planton.clouds import associated
from planton.deploy import leftovers
from planton.schema import references

ADDRESS = associated.Item(associated.ADDRESS, "203.0.113.7", "a1")


def _texts(kind: str, *items: associated.Item) -> str:
    key = references.Key(kind, "dev", "dev")
    return "\n".join(leftovers.Leftovers(key, "c1", cast("Any", None), items).warnings())


@pytest.mark.parametrize(
    ("kind", "sorts"),
    [
        ("CivoKubernetesCluster", "volumes, load balancers or reserved addresses"),
        ("DigitalOceanKubernetesCluster", "volumes, volume snapshots or load balancers"),
    ],
)
def test_a_cluster_without_leftovers_has_none(kind: str, sorts: str) -> None:
    """Only what the lists of the cloud would show is denied: Civo's do not assign snapshots to a cluster."""
    assert f"has no {sorts} that would stay behind" in _texts(kind)


def test_leftovers_that_cannot_be_listed_are_named() -> None:
    """With the sorts of the cloud, and why."""
    key = references.Key("CivoKubernetesCluster", "dev", "dev")
    failed = leftovers.Leftovers(
        key, "c1", cast("Any", None), error=errors.PlantonError("Civo answered 503", reason=errors.Reason.CLOUD_FAILED)
    )
    assert any(
        "keeps and bills volumes, load balancers and reserved addresses of the cluster" in text and "503" in text
        for text in failed.warnings()
    )


def test_a_reserved_address_is_listed_with_its_option() -> None:
    """It is billed until it is released."""
    text = _texts("CivoKubernetesCluster", ADDRESS)
    assert "Civo keeps and bills: reserved address 203.0.113.7 (a1)" in text
    assert "--with-reserved-addresses" in text


def test_a_known_list_price_is_shown_and_an_unknown_one_is_named() -> None:
    """The price of each item that would stay."""
    balancer = associated.Item(associated.LOAD_BALANCER, "web", "b1", 24.0)
    text = _texts("DigitalOceanKubernetesCluster", balancer, associated.Item(associated.VOLUME, "data", "v1"))
    assert "load balancer web (b1) at $24.00/month" in text
    assert "neither DigitalOcean's API nor planton's price table has the price of: volume" in text
    assert "neither" not in _texts("DigitalOceanKubernetesCluster", balancer)


def test_leftovers_that_no_list_assigns_to_a_cluster_are_named() -> None:
    """An empty list must not pass for "nothing"."""
    text = _texts("GcpGkeCluster")
    assert "may keep and bill" in text
    assert "disks, load balancers, reserved addresses" in text
    assert "has no volumes" not in text
