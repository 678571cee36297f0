"""The tests that `make test` leaves to `make test-all`."""

from __future__ import annotations

import ast
import pathlib

import pytest

from support import variants

ROOT = pathlib.Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("path", sorted(variants.VARIANTS))
def test_every_variant_is_a_test_of_its_file(path: str) -> None:
    """A test that was renamed would be run by `make test` again, unnoticed."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert {name.partition("[")[0] for name in variants.VARIANTS[path]} <= defined


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("test_a_pull_request_is_planned_applied_and_watched[gitlab]", True),
        ("test_a_pull_request_is_planned_applied_and_watched[github]", False),
        ("test_a_pull_request", False),
    ],
)
def test_a_variant_is_known_by_its_parameters(name: str, *, expected: bool) -> None:
    """Without parameters a name stands for all of them."""
    assert variants.is_variant("tests/e2e/test_recipes.py", name) is expected
    assert variants.is_variant("tests/e2e/test_seed_004.py", "test_what_gke_lacks_is_in_the_status_in_its_own_words[any]")
    assert not variants.is_variant("tests/e2e/test_other.py", name)
