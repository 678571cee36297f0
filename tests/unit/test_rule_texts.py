"""Descriptions of CEL rules in words, without the values of a violation."""

from __future__ import annotations

import importlib

import pytest
from buf.validate import validate_pb2

from planton.schema import describe, kinds, rule_texts
from support import rule_ids


def _rule(expression: str, message: str = "") -> validate_pb2.Rule:
    return validate_pb2.Rule(id="a.b", message=message, expression=expression)


@pytest.mark.parametrize(
    ("expression", "condition", "message"),
    [
        ("this.a == 1 ? '' : 'a must be 1'", "this.a == 1", "a must be 1"),
        ("this.a || this.b ? '' : 'a (' + string(this.a) + ') must be set'", "this.a || this.b", "a must be set"),
        ("this.a ? '' : 'a (' + this.a + ') or b (' + this.b + ')'", "this.a", "a or b"),
        ("this.a ? '' : 'must be so: ' + (this.b ? this.c : 'x')", "this.a", "must be so"),
        ("this.a ? '' : 'it\\'s so'", "this.a", "it's so"),
    ],
)
def test_an_expression_can_contain_its_message(expression: str, condition: str, message: str) -> None:
    """Values in parentheses are removed, and so are conditional parts."""
    assert rule_texts.condition(expression) == condition
    assert rule_texts.message(_rule(expression)) == message


def test_a_rule_can_declare_its_message() -> None:
    """Its condition is the whole expression."""
    assert rule_texts.condition("this.a ? this.b : this.c") == "this.a ? this.b : this.c"
    assert rule_texts.message(_rule("this.a", "must be a")) == "must be a"


def test_every_rule_of_the_protos_has_a_description() -> None:
    """References and schemas must not show an empty description, or a gap in place of a value."""
    words = {rule.id: rule.text for kind in kinds.all_kinds() for node in _nodes(kind.name) for rule in node}
    assert {name for name in rule_ids.of_expressions() if not words.get(name, "x").strip()} == set()
    assert [text for text in words.values() if "()" in text or "  " in text or text.endswith((":", ",", "("))] == []
    assert len(words) > 50


def _nodes(name: str) -> list[list[describe.Rule]]:
    rules, pending = [], [describe.find(name)]
    while pending:
        node = pending.pop()
        rules.append([*node.rules, *node.message_rules])
        pending += [child for child in node.fields if child.path.count(".") < 6]
    return rules


def test_predefined_rules_have_a_description() -> None:
    """They are part of the shared packages."""
    file = importlib.import_module("org.project_planton.shared.kubernetes.v1.rules_pb2").DESCRIPTOR
    extension = file.extensions_by_name["private_network"]
    [rule] = extension.GetOptions().Extensions[validate_pb2.predefined].cel
    assert rule_texts.message(rule).startswith("must be private, within 10.0.0.0/8")
    assert rule_texts.condition(rule.expression).endswith("$'))")
