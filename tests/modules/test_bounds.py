"""Bounds of node pools, and the warnings about them."""

from __future__ import annotations

import pytest

from planton.modules import bounds
from support import mocks

KINDS = ("CivoKubernetesNodePool", "DigitalOceanKubernetesNodePool")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("spec", "fields"),
    [
        ({}, ""),
        ({"minNodes": 1}, "spec.minNodes"),
        ({"maxNodes": 2}, "spec.maxNodes"),
        ({"minNodes": 1, "maxNodes": 2}, "spec.minNodes, spec.maxNodes"),
        ({"minNodes": 1, "maxNodes": 2, "autoScale": True}, ""),
    ],
)
def test_unused_bounds_are_reported(kind: str, spec: dict[str, object], fields: str) -> None:
    """Bounds have no effect while the node count is fixed."""
    warnings = bounds.unused(mocks.target(kind, spec).spec, path="spec")
    assert [warning.split(":")[0] for warning in warnings] == ([fields] if fields else [])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("annotation", "spec", "is_warning"),
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
def test_a_maximum_above_the_limit_is_a_warning(
    kind: str, annotation: str | None, spec: dict[str, object], *, is_warning: bool
) -> None:
    """The annotation changes the limit. An invalid number keeps the default."""
    metadata = {"annotations": {bounds.BOUND_ANNOTATION: annotation}} if annotation else {}
    target = mocks.target(kind, {"autoScale": True, **spec}, **metadata)
    warnings = bounds.excessive(target.spec, path="spec", target=target)
    assert [warning.startswith(f"spec.maxNodes: {spec['maxNodes']} is more than") for warning in warnings] == (
        [True] if is_warning else []
    )
