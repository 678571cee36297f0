"""Patterns of faults: the selected paths, and the cost of matching."""

from __future__ import annotations

import time

import pytest

from planton_sandbox import faults


def _strikes(pattern: str, path: str) -> bool:
    rules = faults.Faults()
    rules.add({"action": "drop", "path": pattern})
    return rules.strike(cloud="civo", method="GET", path=path, account="") is not None


@pytest.mark.parametrize(
    ("pattern", "path", "strikes"),
    [
        ("", "/anything", True),
        ("/v2/networks$", "/v2/networks", True),
        ("/v2/networks$", "/v2/networks/1", False),
        ("^/networks", "/v2/networks", False),
        ("/v2/kubernetes/clusters/[^/]+$", "/v2/kubernetes/clusters/abc", True),
        ("/v2/kubernetes/clusters/.+/node_pools/[^/]+$", "/v2/kubernetes/clusters/a/node_pools/b", True),
        (r"/v\d/(networks|firewalls)/?$", "/v2/firewalls/", True),
        ("/networks$", "/\ud800/networks", False),
    ],
)
def test_a_pattern_matches_anywhere_in_the_path(pattern: str, path: str, strikes: bool) -> None:
    """Anchors tie a pattern to the start or the end."""
    assert _strikes(pattern, path) is strikes


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "(a|aa)+$", "(.*)*x", "(a*)*b", "a*a*a*a*a*a*b", "(?:a?){32}a{32}b", "([^/]+/?)+$!", ".*.*.*.*=.*"],
)
def test_a_long_path_is_matched_in_linear_time(pattern: str) -> None:
    """A backtracking engine would not finish."""
    rules = faults.Faults()
    rules.add({"action": "drop", "path": pattern})
    started = time.process_time()
    assert rules.strike(cloud="civo", method="GET", path="a" * 8000 + "!", account="") is None
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    "pattern", ["(", ")", "[", "*", "a**", "a{2,1}", "(?=a)", r"(a)\1", "\\", "[b-a]", "a" * 257, "(((a{32}){32}){32})"]
)
def test_an_invalid_pattern_is_refused_when_the_fault_is_added(pattern: str) -> None:
    """The error names the field."""
    with pytest.raises(ValueError, match=r"^path "):
        faults.Faults().add({"action": "drop", "path": pattern})
