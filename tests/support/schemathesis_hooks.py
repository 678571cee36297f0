"""A check for schemathesis: what the schemas allow is refused only by a rule that the document lists with the operation."""

import schemathesis
from schemathesis.core.failures import Failure

#: What may become of a request that keeps to its schemas, beside a success: all this depends on what is stored.
EXPECTED = {401, 403, 404, 409, 412, 429}


class RefusedByAnotherRule(Failure):
    """A request that keeps to the schemas is refused, and the document does not say by which rule."""

    def __init__(self, operation, message):
        super().__init__(operation=operation, title="Refused by a rule that is not documented", message=message)


@schemathesis.check
def refused_by_documented_rules_only(ctx, response, case):
    """Like the check ``positive_data_acceptance``, but knowing ``x-rules``."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code in EXPECTED:
        return
    if response.status_code == 400:
        broken = {violation["rule_id"] for violation in response.json()["error"]["violations"]}
        if broken <= rules_of(case.operation):
            return
        raise RefusedByAnotherRule(case.operation.label, f"{broken - rules_of(case.operation)} broken")
    if response.status_code >= 300:
        raise RefusedByAnotherRule(case.operation.label, f"answered with {response.status_code}")


def rules_of(operation):
    """Returns the ids of the rules of an operation and of all that its body consists of."""
    document = operation.schema.raw_schema
    found, seen = set(), set()
    definition = document["paths"][operation.path][operation.method.lower()]
    _collect({"x-rules": definition.get("x-rules", []), "body": definition.get("requestBody", {})}, document, found, seen)
    return found


def _collect(part, document, found, seen):
    if isinstance(part, list):
        for below in part:
            _collect(below, document, found, seen)
    elif isinstance(part, dict):
        found |= {rule["id"] for rule in part.get("x-rules", ())}
        target = part.get("$ref", "").rpartition("/")[2]
        if target and target not in seen:
            seen.add(target)
            _collect(document["components"]["schemas"][target], document, found, seen)
        for below in part.values():
            _collect(below, document, found, seen)
