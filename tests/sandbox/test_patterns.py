"""Patterns of faults: they mean what regular expressions mean, and no text makes one of them slow."""

from __future__ import annotations

import re

import hypothesis
import pytest
from hypothesis import strategies

from planton_sandbox import patterns

ATOMS = strategies.sampled_from(
    ["a", "b", "/", ".", "[^/]", "[ab]", "[a-c/]", r"\d", r"\w", r"\.", "1", "^", "$", r"[^\]a]", "{"]
)
QUANTIFIERS = strategies.sampled_from(["", "", "", "*", "+", "?", "*?", "{2}", "{1,2}", "{1,}", "{0}"])


def _extended(inner: strategies.SearchStrategy[str]) -> strategies.SearchStrategy[str]:
    return strategies.one_of(
        strategies.builds("({}){}".format, inner, QUANTIFIERS),
        strategies.builds("(?:{}|{})".format, inner, inner),
        strategies.builds("{}{}".format, inner, inner),
    )


SIMPLE = strategies.builds(lambda atom, quantifier: atom + ("" if atom in "^$" else quantifier), ATOMS, QUANTIFIERS)
PATTERNS = strategies.recursive(SIMPLE, _extended, max_leaves=6)
TEXTS = strategies.text("ab/1.]x{", max_size=12)


@hypothesis.given(PATTERNS, TEXTS)
@hypothesis.settings(max_examples=2000, deadline=None, derandomize=True)
def test_they_mean_what_regular_expressions_mean(pattern: str, text: str) -> None:
    """For whatever pattern and text."""
    try:
        expected = re.compile(pattern)
    except re.error:
        hypothesis.reject()
    found = re.search(expected, text) is not None
    assert patterns.Pattern(pattern).found_in(text) is found


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "(a|a)*$", "(a|aa)+$", "(.*)*x", "(a*)*b", "a*a*a*a*a*a*b", "(?:a?){32}a{32}b", "([^/]+/?)+$!", ".*.*.*.*=.*"],
)
def test_no_text_makes_one_slow(pattern: str) -> None:
    """With what takes an engine that goes back longer than anybody lives."""
    compiled = patterns.Pattern(pattern)
    steps = 0
    step = patterns.Pattern._step

    def counted(self: patterns.Pattern, states: frozenset[int], character: str) -> frozenset[int]:
        nonlocal steps
        steps += 1
        return step(self, states, character)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(patterns.Pattern, "_step", counted)
        compiled.found_in("a" * 8000 + "!")
    assert steps <= 8001


@pytest.mark.parametrize(
    "pattern",
    [
        "(",
        ")",
        "a)",
        "[",
        "[a",
        "*",
        "+a",
        "a**",
        "a{2,1}",
        "a{999}",
        "(?=a)",
        "(?!a)",
        "(?P<n>a)",
        r"(a)\1",
        r"\b",
        r"\Z",
        "\\",
        "[b-a]",
        "a" * 257,
        "(((a{32}){32}){32})",
        "(" * 200,
    ],
)
def test_what_is_not_supported_is_refused(pattern: str) -> None:
    """With a reason, when the fault is ordered."""
    with pytest.raises(ValueError, match=r".+"):
        patterns.Pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "path", "found"),
    [
        ("", "/anything", True),
        ("/v2/networks$", "/v2/networks", True),
        ("/v2/networks$", "/v2/networks/1", False),
        ("^/networks", "/v2/networks", False),
        ("/v2/kubernetes/clusters/[^/]+$", "/v2/kubernetes/clusters/abc", True),
        ("/v2/kubernetes/clusters/.+/node_pools/[^/]+$", "/v2/kubernetes/clusters/a/node_pools/b", True),
        (r"/v\d/(networks|firewalls)/?$", "/v2/firewalls/", True),
    ],
)
def test_paths(pattern: str, path: str, found: bool) -> None:
    """As they are ordered in the docs."""
    assert patterns.compiled(pattern).found_in(path) is found
