"""Converts rules of the protos for one value to keywords of JSON Schema, as exactly as possible.

All descriptions of messages as JSON Schema use it: the document of the API, and the schemas of manifests. A standard rule
that this module does not know is an error, so that none is left out in silence; an expression that it does not know, predefined or not, is
reported as such. It must not know what messages look like in JSON.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from buf.validate import validate_pb2

from planton.schema import rule_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Standard rule → the keyword that says the same.
_KEYWORDS: Final = {
    "const": "const",
    "in": "enum",
    "pattern": "pattern",
    "min_len": "minLength",
    "max_len": "maxLength",
    "max_bytes": "maxLength",
    "gte": "minimum",
    "lte": "maximum",
    "gt": "exclusiveMinimum",
    "lt": "exclusiveMaximum",
    "min_items": "minItems",
    "max_items": "maxItems",
    "unique": "uniqueItems",
    "min_pairs": "minProperties",
    "max_pairs": "maxProperties",
}
_UUID: Final = "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
_BYTE: Final = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4: Final = f"{_BYTE}([.]{_BYTE}){{3}}"
_HEX: Final = "[0-9a-fA-F]{1,4}"
_LAST: Final = f"({_HEX}:{_HEX}|{_IPV4})"
#: RFC 3986, appendix A.
_IPV6: Final = "|".join(
    [
        f"({_HEX}:){{6}}{_LAST}",
        f"::({_HEX}:){{5}}{_LAST}",
        *(f"(({_HEX}:){{0,{groups}}}{_HEX})?::({_HEX}:){{{4 - groups}}}{_LAST}" for groups in range(5)),
        f"(({_HEX}:){{0,5}}{_HEX})?::{_HEX}",
        f"(({_HEX}:){{0,6}}{_HEX})?::",
    ]
)
_CIDR4: Final = f"{_IPV4}/(3[0-2]|[12]?[0-9])"
_CIDR: Final = f"{_CIDR4}|({_IPV6})/(12[0-8]|1[01][0-9]|[1-9]?[0-9])"
#: Expression → the keywords that say the same.
_EXPRESSIONS: Final = {
    "this.isIpPrefix()": {"pattern": f"^({_CIDR})$"},
    "this.isIpPrefix(4)": {"pattern": f"^({_CIDR4})$"},
    "this.isIp() || this.isIpPrefix()": {"pattern": f"^({_IPV4}|({_IPV6})(%.+)?|{_CIDR})$"},
}
_SIZE: Final = re.compile(r"this\.size\(\) <= ([0-9]+)")
_MATCHES: Final = re.compile(r"this\.matches\('((?:[^'\\]|\\\\)*)'\)")
_ONE_OF: Final = re.compile(r"this in \[([^\]\\]*)\]")
_NOT: Final = re.compile(r"this != '([^'\\]*)'")
_OR_EMPTY: Final = "this == '' || "


def of_rules(rules: Any, *, predefined: bool = True) -> dict[str, Any]:  # a validate_pb2.FieldRules, here and below
    """Returns what the rules of a field, or of the items of one, say.

    Args:
        rules: The rules.
        predefined: Whether those that are predefined, which are expressions, are among them.

    Raises:
        TypeError: There is a rule that has no keyword here.
    """
    kind = rules.WhichOneof("type")
    keywords: dict[str, Any] = {}
    for rule, value in getattr(rules, kind).ListFields() if kind else ():
        if rule.name in ("items", "keys", "values") and rule.message_type is not None:
            continue
        if rule.is_extension:
            keywords |= _predefined(rule) if predefined else {}
        elif rule.name == "uuid":
            keywords |= {"format": "uuid", "pattern": _UUID}
        elif rule.name == "ipv4":
            keywords |= {"format": "ipv4", "pattern": f"^{_IPV4}$"}
        elif rule.name == "defined_only":
            continue  # the description of an enum lists its names
        elif rule.name in _KEYWORDS:
            keywords[_KEYWORDS[rule.name]] = list(value) if rule.name == "in" else value
        else:
            raise TypeError(f"the rule {kind}.{rule.name} has no JSON Schema here")
    return keywords


def expressions(rules: Any) -> Iterator[tuple[Any, Any]]:  # validate_pb2.Rule, and the value of a predefined rule
    """Yields the expressions over a value: its own, and those of predefined rules, each with the value of ``rule`` in it."""
    yield from ((rule, None) for rule in rules.cel)
    kind = rules.WhichOneof("type")
    for rule, value in getattr(rules, kind).ListFields() if kind else ():
        if rule.is_extension:
            yield from ((each, value) for each in rule.GetOptions().Extensions[validate_pb2.predefined].cel)


def of_expression(expression: str) -> dict[str, Any] | None:
    """Returns what an expression in CEL over one text says; None where there are no keywords for it."""
    expression = rule_texts.condition(expression).removeprefix("!rule || ")
    if expression.startswith(_OR_EMPTY):
        keywords = of_expression(expression.removeprefix(_OR_EMPTY))
        return or_empty(keywords) if keywords is not None else None
    if expression in _EXPRESSIONS:
        return dict(_EXPRESSIONS[expression])
    keywords = {}
    for part in expression.split(" && "):
        keyword = _part(part)
        if keyword is None or keywords.keys() & keyword.keys():
            return None
        keywords |= keyword
    return keywords


def or_empty(keywords: dict[str, Any]) -> dict[str, Any]:
    """Returns the keywords that let the empty text pass too."""
    relaxed = {name: value for name, value in keywords.items() if name not in ("const", "format", "minLength")}
    if "const" in keywords:
        relaxed["enum"] = [keywords["const"]]
    if "enum" in relaxed:
        relaxed["enum"] = [*relaxed["enum"], ""] if "" not in relaxed["enum"] else relaxed["enum"]
    if "pattern" in relaxed:
        relaxed["pattern"] = f"^$|{relaxed['pattern']}"
    return relaxed


def _part(expression: str) -> dict[str, Any] | None:
    if match := _MATCHES.fullmatch(expression):
        return {"pattern": match[1].replace("\\\\", "\\")}
    if match := _SIZE.fullmatch(expression):
        return {"maxLength": int(match[1])}
    if match := _ONE_OF.fullmatch(expression):
        return {"enum": re.findall("'([^']*)'", match[1])}
    if match := _NOT.fullmatch(expression):
        return {"not": {"const": match[1]}}
    return None


def _predefined(rule: Any) -> dict[str, Any]:  # the descriptor of an extension of the rules
    keywords: dict[str, Any] = {}
    for each in rule.GetOptions().Extensions[validate_pb2.predefined].cel:
        keywords |= of_expression(each.expression) or {}
    return keywords
