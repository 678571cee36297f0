"""CEL rules as keywords of JSON Schema: equivalent keywords, or none."""

from __future__ import annotations

import re
from typing import Any

import protovalidate
import pytest
from buf.validate import validate_pb2

from org.project_planton.provider.civo.civovpc.v1 import spec_pb2
from org.project_planton.provider.gcp.v1 import rules_pb2
from planton.schema import keywords


@pytest.mark.parametrize(
    ("expression", "keyword"),
    [
        ("this.matches('^a$')", {"pattern": "^a$"}),
        ("!rule || this.matches('^a$') && this.size() <= 3", {"pattern": "^a$", "maxLength": 3}),
        ("this in ['a', 'b']", {"enum": ["a", "b"]}),
        ("this != 'a'", {"not": {"const": "a"}}),
        ("this == '' || this.matches('^a$')", {"pattern": "^$|^a$"}),
        ("this == '' || this in ['a']", {"enum": ["a", ""]}),
        ("this.matches('^a$') || this == 'b'", None),
        ("this.matches('^a$') && this.matches('b$')", None),
        ("this.matches('^a$') && this.startsWith('a')", None),
        ("!this.matches('^a$')", None),
        ("this.name.matches('^a$')", None),
    ],
)
def test_a_rule_is_translated_completely_or_not_at_all(expression: str, keyword: dict[str, Any] | None) -> None:
    """One part of an alternative would refuse values that another part allows."""
    assert keywords.of_expression(expression) == keyword


@pytest.mark.parametrize(
    ("rules", "keyword"),
    [
        ({"const": "a"}, {"const": "a"}),
        ({"in": ["a", "b"]}, {"enum": ["a", "b"]}),
        ({"min_len": 1, "max_len": 3, "pattern": "^a"}, {"minLength": 1, "maxLength": 3, "pattern": "^a"}),
    ],
)
def test_each_standard_rule_has_a_keyword(rules: dict[str, Any], keyword: dict[str, Any]) -> None:
    """The keyword has the value of the rule."""
    assert keywords.of_rules(validate_pb2.FieldRules(string=validate_pb2.StringRules(**rules))) == keyword


@pytest.mark.parametrize(
    ("rule", "text", "is_valid"),
    [
        ("name", "a" * 40, True),
        ("name", "a" * 41, False),
        ("name", "1a", False),
        ("name", "a-", False),
        ("zone", "europe-west10-b", True),
        ("zone", "us-central1-ai1a", True),
        ("zone", "europe-west1", False),
    ],
)
def test_the_rules_of_google_cloud_are_patterns(rule: str, text: str, *, is_valid: bool) -> None:
    """A predefined rule has the keyword of its expression."""
    rules = validate_pb2.FieldRules()
    rules.string.Extensions[getattr(rules_pb2, rule)] = True
    assert bool(re.search(keywords.of_rules(rules)["pattern"], text)) is is_valid


def test_an_unknown_standard_rule_is_an_error() -> None:
    """It must not be dropped silently."""
    with pytest.raises(TypeError, match=r"string\.email"):
        keywords.of_rules(validate_pb2.FieldRules(string=validate_pb2.StringRules(email=True)))


def test_optional_text_accepts_the_empty_text() -> None:
    """No keyword remains that would refuse it."""
    combined = keywords.or_empty({"const": "a", "minLength": 1, "pattern": "^a", "format": "ipv4", "maxLength": 3})
    assert combined == {"enum": ["a", ""], "pattern": "^$|^a", "maxLength": 3}


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.0/8",
        "10.0.0.0/33",
        "10.0.0/8",
        "010.0.0.0/8",
        "256.0.0.0/8",
        "10.0.0.0",
        "::/0",
        "2001:db8::/32",
        "",
        "10.0.0.0/08",
    ],
)
def test_the_pattern_of_a_cidr_agrees_with_the_rule(text: str) -> None:
    """The rule is evaluated with protovalidate."""
    pattern = (keywords.of_expression("this == '' || this.isIpPrefix(4)") or {})["pattern"]
    spec = spec_pb2.CivoVpcSpec(ip_range_cidr=text)
    broken = {violation.proto.rule_id for violation in protovalidate.collect_violations(spec)}
    assert bool(re.search(pattern, text)) == ("civo_vpc_spec.ip_range_cidr_is_ipv4_cidr" not in broken)
