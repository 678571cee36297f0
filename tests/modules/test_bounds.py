"""Bounds of pools: what the user is told about them."""

from __future__ import annotations

import pytest

from planton.modules import bounds
from support import mocks

KINDS = ("CivoKubernetesNodePool", "DigitalOceanKubernetesNodePool")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("spec", "named"),
    [
        ({}, ""),
        ({"minNodes": 1}, "spec.minNodes"),
        ({"maxNodes": 2}, "spec.maxNodes"),
        ({"minNodes": 1, "maxNodes": 2}, "spec.minNodes, spec.maxNodes"),
        ({"minNodes": 1, "maxNodes": 2, "autoScale": True}, ""),
    ],
)
def test_bounds_that_nothing_uses_are_named(kind: str, spec: dict[str, object], named: str) -> None:
    """They mean nothing while the number is fixed."""
    found = bounds.unused(mocks.target(kind, spec).spec, path="spec")
    assert [one.split(":")[0] for one in found] == ([named] if named else [])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("annotation", "spec", "warned"),
    [
        (None, {"maxNodes": 20}, False),
        (None, {"maxNodes": 21}, True),
        ("5", {"maxNodes": 5}, False),
        ("5", {"maxNodes": 6}, True),
        ("50", {"maxNodes": 21}, False),
        ("many", {"maxNodes": 21}, True),
        ("-1", {"maxNodes": 20}, False),
        ("5", {"maxNodes": 6, "autoScale": False}, False),
    ],
)
def test_a_bound_beyond_the_setting_is_a_warning(
    kind: str, annotation: str | None, spec: dict[str, object], *, warned: bool
) -> None:
    """The annotation moves the bound, and one that is no number leaves it where it was."""
    metadata = {"annotations": {bounds.BOUND_ANNOTATION: annotation}} if annotation else {}
    target = mocks.target(kind, {"autoScale": True, **spec}, **metadata)
    found = bounds.excessive(target.spec, path="spec", target=target)
    assert [one.startswith(f"spec.maxNodes: {spec['maxNodes']} is more than") for one in found] == ([True] if warned else [])
