"""A check for schemathesis: a request that matches the schemas is refused only by rules that the document lists."""

import schemathesis
from schemathesis.core.failures import Failure

#: Error statuses of a request that matches the schemas; they depend on stored data.
EXPECTED = {401, 403, 404, 409, 412, 429}


class RefusedByAnotherRule(Failure):
    """A request that matches the schemas is refused by an undocumented rule."""

    def __init__(self, operation, message):
        super().__init__(operation=operation, title="Refused by a rule that is not documented", message=message)


@schemathesis.check
def refused_by_documented_rules_only(ctx, response, case):
    """Like the check ``positive_data_acceptance``, with support for ``x-rules``."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code in EXPECTED:
        return
    if response.status_code == 400:
        violated = {violation["rule_id"] for violation in response.json()["error"]["violations"]}
        if violated <= rules_of(case.operation):
            return
        raise RefusedByAnotherRule(case.operation.label, f"{violated - rules_of(case.operation)} violated")
    if response.status_code >= 300:
        raise RefusedByAnotherRule(case.operation.label, f"responded with {response.status_code}")


def rules_of(operation):
    """Returns the IDs of the rules of an operation and of every part of its body."""
    document = operation.schema.raw_schema
    rules, seen = set(), set()
    definition = document["paths"][operation.path][operation.method.lower()]
    _collect({"x-rules": definition.get("x-rules", []), "body": definition.get("requestBody", {})}, document, rules, seen)
    return rules


def _collect(part, document, rules, seen):
    if isinstance(part, list):
        for nested in part:
            _collect(nested, document, rules, seen)
    elif isinstance(part, dict):
        rules |= {rule["id"] for rule in part.get("x-rules", ())}
        target = part.get("$ref", "").rpartition("/")[2]
        if target and target not in seen:
            seen.add(target)
            _collect(document["components"]["schemas"][target], document, rules, seen)
        for nested in part.values():
            _collect(nested, document, rules, seen)
