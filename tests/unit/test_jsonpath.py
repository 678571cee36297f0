"""JSONPath templates, as kubectl understands them."""

from __future__ import annotations

import pytest

from planton import errors
from planton.cli import jsonpath

DATA = {
    "items": [
        {"metadata": {"name": "a", "labels": {"x/y.z": "1"}}, "nodes": 3, "ok": True},
        {"metadata": {"name": "b"}, "nodes": 5},
    ]
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{.items[*].metadata.name}", "a b"),
        (".items[0].metadata.name", "a"),
        ("{$.items[-1].nodes}", "5"),
        ("{.items[0:1].nodes}", "3"),
        ("{..name}", "a b"),
        ("{.items[?(@.nodes>3)].metadata.name}", "b"),
        ('{.items[?(@.metadata.name=="a")].nodes}', "3"),
        ("{.items[?(@.metadata.name>3)].nodes}", ""),
        ("{.items[?(@.ok)].nodes}", "3"),
        ("{.items[0].metadata.labels.x/y\\.z}", "1"),
        ("{.items[0].metadata.labels['x/y.z']}", "1"),
        ("{.items[0]['nodes','ok']}", "3 true"),
        ("{.items[1]}", '{"metadata": {"name": "b"}, "nodes": 5}'),
        ("{.none.at.all}", ""),
        ("nodes: {.items[*].nodes}!", "nodes: 3 5!"),
        ('{range .items[*]}{.metadata.name}{"\\t"}{.nodes}{"\\n"}{end}', "a\t3\nb\t5\n"),
        ('{range .items[*]}{range .metadata.labels}{"-"}{end}{.nodes}{end}', "-35"),
    ],
)
def test_a_template_is_filled(template: str, text: str) -> None:
    """What a path does not find is empty."""
    assert jsonpath.render(template, DATA) == text


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{", "brace at character 1"),
        ("{.items}}", "brace at character 9"),
        ("{range .items[*]}", "{range} has no {end}"),
        ("{end}", "{end} has no {range}"),
        ("{.items[name]}", "'name' is no index"),
        ("{.items[?(@.nodes==x)]}", "'x' is no value"),
        ("{items}", "'items' is no part of a path"),
    ],
)
def test_a_template_that_cannot_be_understood_is_an_error_with_its_place(template: str, why: str) -> None:
    """The hint shows a right one."""
    with pytest.raises(errors.PlantonError, match="cannot be understood") as caught:
        jsonpath.render(template, DATA)
    assert why in caught.value.message
    assert "{.items[*].metadata.name}" in caught.value.hint
