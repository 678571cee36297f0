"""Groups of tests that one worker runs together."""

from __future__ import annotations

import pathlib

import pytest

from support import together

ROOT = pathlib.Path(__file__).resolve().parents[1]
CHANGES = "tests/e2e/test_changes.py"
IMPORTED = "tests/e2e/test_standalone.py::test_an_imported_resource_keeps_its_provider_and_needs_no_change"
ERROR_LINE = "tests/languages/test_languages.py::test_every_language_reports_an_error_alike"


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        (f"{CHANGES}::test_another_spelling_is_no_change[CivoKubernetesCluster]", CHANGES),
        (f"{IMPORTED}[digitalocean-vpc]", f"{IMPORTED}[digitalocean"),
        (f"{ERROR_LINE}[go-watch nonsense--given0-pools]", "go"),
        ("tests/languages/test_languages.py::test_a_node_pool_is_created_watched_and_scaled_through_the_api[python]", "python"),
        ("tests/languages/test_crd.py::test_a[b]", "tests/languages/test_crd.py"),
        ("tests/e2e/test_faults.py::test_a[b]", "tests/e2e/test_faults.py::test_a[b]"),
    ],
)
def test_tests_that_share_a_setup_are_in_one_group(nodeid: str, group: str) -> None:
    """Every other test is its own group. The names are those of existing tests."""
    path, _, name = nodeid.partition("::")
    function = name.partition("[")[0]
    assert function == "test_a" or f"def {function}(" in (ROOT / path).read_text("utf-8")
    assert together.group(nodeid) == group
