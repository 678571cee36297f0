"""Labels: what may stand in one."""

from __future__ import annotations

import re

import hypothesis
import pytest
from hypothesis import strategies

from planton.modules import labels, unsupported

LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dev", "dev"),
        ("", ""),
        ("acme corp", "acme-corp"),
        ("a/b:c", "a-b-c"),
        ("-x-", "x"),
        ("ünï", "n"),
        ("***", ""),
        ("x" * 70, "x" * 63),
        ("x" * 62 + "-y", "x" * 62),
        ("v1.2_3", "v1.2_3"),
    ],
)
def test_a_text_becomes_a_label_value(text: str, expected: str) -> None:
    """What is not allowed becomes a hyphen, and none is left at the ends."""
    assert labels.label_value(text) == expected


@hypothesis.given(strategies.text(max_size=200))
def test_every_text_becomes_one_that_kubernetes_takes(text: str) -> None:
    """At most 63 characters of the right kind; done twice it is the same."""
    value = labels.label_value(text)
    assert len(value) <= 63
    assert LABEL_VALUE.fullmatch(value)
    assert labels.label_value(value) == value


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("spec.highly_available", "spec.highlyAvailable"),
        ("spec.tags", "spec.tags"),
        ("spec.default_node_pool.node_count", "spec.defaultNodePool.nodeCount"),
        ("created_at_rfc3339", "createdAtRfc3339"),
    ],
)
def test_paths_are_told_in_the_manifests_spelling(path: str, expected: str) -> None:
    """Users write camelCase, the schema snake_case."""
    assert unsupported.json_path(path) == expected
