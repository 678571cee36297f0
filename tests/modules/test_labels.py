"""Label values."""

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
def test_invalid_characters_of_a_label_value_are_replaced(text: str, expected: str) -> None:
    """They become hyphens, which are stripped at both ends."""
    assert labels.label_value(text) == expected


@hypothesis.given(strategies.text(max_size=200))
def test_every_text_becomes_a_valid_kubernetes_label_value(text: str) -> None:
    """The value has at most 63 characters, and the conversion is idempotent."""
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
def test_paths_are_reported_in_the_manifests_spelling(path: str, expected: str) -> None:
    """Users write camelCase, the schema snake_case."""
    assert unsupported.json_path(path) == expected
