"""Rules as keywords of JSON Schema: the same words or none, never others."""

from __future__ import annotations

import re
from typing import Any

import protovalidate
import pytest
from buf.validate import validate_pb2

from org.project_planton.provider.civo.civovpc.v1 import spec_pb2
from planton.schema import keywords


@pytest.mark.parametrize(
    ("expression", "found"),
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
def test_expressions(expression: str, found: dict[str, Any] | None) -> None:
    """What is not understood as a whole is not said in part: a part of a choice would refuse what the other allows."""
    assert keywords.of_expression(expression) == found


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ({"const": "a"}, {"const": "a"}),
        ({"in": ["a", "b"]}, {"enum": ["a", "b"]}),
        ({"min_len": 1, "max_len": 3, "pattern": "^a"}, {"minLength": 1, "maxLength": 3, "pattern": "^a"}),
    ],
)
def test_standard_rules(rules: dict[str, Any], found: dict[str, Any]) -> None:
    """Each has its keyword."""
    assert keywords.of_rules(validate_pb2.FieldRules(string=validate_pb2.StringRules(**rules))) == found


def test_a_rule_that_is_not_known() -> None:
    """It is not left out in silence."""
    with pytest.raises(TypeError, match=r"string\.email"):
        keywords.of_rules(validate_pb2.FieldRules(string=validate_pb2.StringRules(email=True)))


def test_the_empty_text() -> None:
    """Where it passes too, no keyword is left that would refuse it."""
    said = keywords.or_empty({"const": "a", "minLength": 1, "pattern": "^a", "format": "ipv4", "maxLength": 3})
    assert said == {"enum": ["a", ""], "pattern": "^$|^a", "maxLength": 3}


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
def test_networks(text: str) -> None:
    """The pattern gives the verdict that the rule itself gives."""
    pattern = (keywords.of_expression("this == '' || this.isIpPrefix(4)") or {})["pattern"]
    spec = spec_pb2.CivoVpcSpec(ip_range_cidr=text)
    broken = {violation.proto.rule_id for violation in protovalidate.collect_violations(spec)}
    assert bool(re.search(pattern, text)) == ("civo_vpc_spec.ip_range_cidr_is_ipv4_cidr" not in broken)
