"""The rules of bodies: each has a body that breaks it and nothing else, each bound a body on both sides."""

import json
import re
import uuid

import pytest
from buf.validate import validate_pb2

from org.project_planton.shared.kubernetes.v1 import rules_pb2
from planton.manifest import json_data
from planton_server.service import routes
from support import api
from support.api_bodies import BROKEN, GOOD, REQUESTS, labels, taints


def _fields(method):
    """Returns the fields of a request outside of its body."""
    name = "cluster_id" if method == "CreateNodePool" else "id" if method.startswith(("Update", "Report")) else ""
    return {name: str(uuid.UUID(int=1))} if name else {}


def refused(rest, method, body):
    """Returns the rules that a body breaks, by field."""
    fields = _fields(method)
    reply = (
        rest.call(method, body, dry_run=True, **fields)
        if "Report" not in method
        else rest.call(method, body, caller=api.CONTROLLER, **fields)
    )
    assert reply.status in {201, 400, 404}, reply.body
    return reply.rules if reply.status == 400 else []


@pytest.mark.parametrize(
    ("method", "body", "broken"), BROKEN, ids=[f"{method}-{field or 'body'}-{rule}" for method, _, (field, rule) in BROKEN]
)
def test_body_that_breaks_one_rule(rest, method, body, broken):
    """The body breaks this rule in this field, and no other."""
    assert refused(rest, method, body) == [broken]


@pytest.mark.parametrize("body", GOOD)
def test_body_on_the_good_side(rest, body):
    """The body is valid, and refused only because its cluster is not there."""
    assert refused(rest, "CreateNodePool", body) == []


def test_every_rule_of_relations_has_a_body():
    """Each rule that the protos write in CEL is violated by a body above, or by one of the requests."""
    elsewhere = {rule for _, _, (_, rule) in REQUESTS}
    rule_ids = set()
    for route in routes.routes():
        rule_ids |= _rules(route.request.DESCRIPTOR, set())
    assert len(rule_ids) > 25
    assert rule_ids - elsewhere <= {rule for _, _, (_, rule) in BROKEN}


def _relations(described, owners):
    """Adds the rules between fields below a message: rule id → full name of the message that declares it."""
    owners |= {rule.id: described.full_name for rule in described.GetOptions().Extensions[validate_pb2.message].cel}
    for field in described.fields:
        if field.message_type is not None and field.message_type.file.package.startswith("org.project_planton"):
            _relations(field.message_type, owners)
    return owners


def _along(path, described):
    """Returns the messages on the way to a field, and the field."""
    messages, field = [], None
    for name in re.sub(r"\[.*?\]", "", path).split("."):
        messages.append(described.full_name)
        field = next(each for each in described.fields if each.json_name == name)
        described = field.message_type
    return messages, field


_BODIES = {route.method: route.body_class.DESCRIPTOR for route in routes.routes() if route.body}
_RELATIONS = [(method, body, broken) for method, body, broken in BROKEN if broken[1] in _relations(_BODIES[method], {})]


@pytest.mark.parametrize(
    ("method", "body", "broken"), _RELATIONS, ids=[f"{one[0]}-{one[2][1]}-{one[2][0]}" for one in _RELATIONS]
)
def test_relation_names_its_field_and_value(rest, method, body, broken):
    """A rule between fields is reported at a field below the message that declares it, with the field's value in the message."""
    path, rule = broken
    messages, field = _along(path, _BODIES[method])
    assert _relations(_BODIES[method], {})[rule] in messages
    reply = rest.call(method, body, **_fields(method))
    (violation,) = reply.error["violations"]
    assert violation["field"] == path
    assert field.json_name in violation["message"]
    value = body
    for name in path.split("."):
        value = value.get(name, 0)
    if isinstance(value, int) and not isinstance(value, bool):
        assert f"({value})" in violation["message"]


def test_every_relation_is_tested_on_create_and_update():
    """Each rule between fields of a body is broken by a body of each method that takes it."""
    for method, described in _BODIES.items():
        if not method.startswith("Report"):
            tested = {broken[1] for name, _, broken in _RELATIONS if name == method}
            assert _relations(described, {}).keys() == tested, method


def test_every_list_has_a_bound():
    """Whatever a request repeats has a greatest number, so that no rule sees a long list; free data has no rules."""
    fields = {}
    for route in routes.routes():
        _repeated(route.request.DESCRIPTOR, fields)
    assert len(fields) > 10
    assert [name for name, most in fields.items() if not most] == []


def test_long_list_is_not_looked_at(client):
    """What is too many is told, and what it holds is not: rules that compare items take the square of their number."""
    body = api.pool(taints=[*taints(64), *[{}] * 15_000], labels=labels(5_000))
    reply = client.call("CreateNodePool", body, cluster_id=str(uuid.uuid4()))
    assert (reply.status, set(reply.rules)) == (400, {("spec.taints", "repeated.max_items"), ("spec.labels", "map.max_pairs")})


@pytest.mark.parametrize("key", ["-{}", "-" + "a" * 400 + "{}"])
def test_many_violations(client, key):
    """An answer tells a hundred at most, over gRPC what metadata hold, and says that there are more; long keys are cut."""
    body = api.pool(labels={key.format(number): " " for number in range(64)}, cloud={"accelerators": [{}] * 16})
    reply = client.call("CreateNodePool", body, cluster_id=str(uuid.uuid4()))
    assert (reply.status, reply.rules[-1]) == (400, ("", "json.too_many"))
    text = json.dumps(reply.error)
    assert f"more than {len(reply.rules) - 1} violations" in text
    if client.door == "rest":
        assert len(reply.rules) == 101
        assert len(text) < 250_000
    else:
        assert len(text) < 12_000


def test_long_report_is_not_looked_at(client):
    """Nor the conditions of a report."""
    made = client.pool()
    reply = client.report(made, conditions={f"A{number}": "True" for number in range(10_000)})
    assert (reply.status, reply.rules) == (400, [("conditions", "repeated.max_items")])


def test_id_of_a_cluster_in_the_body(rest):
    """The cluster's id is a UUID there too."""
    reply = rest.call("CreateNodePool", api.pool() | {"cluster_id": "x"})
    assert (reply.status, reply.rules) == (400, [("cluster_id", "string.uuid")])


def _repeated(described, limits):
    for field in described.fields:
        if field.message_type is not None and field.message_type.file.package == "google.protobuf":
            continue
        if field.is_repeated and field.full_name not in limits:
            limits[field.full_name] = json_data.max_items(field)
        if field.message_type is not None and not field.message_type.GetOptions().map_entry:
            _repeated(field.message_type, limits)


def _rules(described, seen):
    if described.full_name in seen:
        return set()
    seen.add(described.full_name)
    rule_ids = {rule.id for rule in described.GetOptions().Extensions[validate_pb2.message].cel}
    for field in described.fields:
        rules = field.GetOptions().Extensions[validate_pb2.field]
        rule_ids |= {rule.id for rule in rules.cel}
        for strings in (rules.string, rules.repeated.items.string, rules.map.keys.string, rules.map.values.string):
            rule_ids |= {
                f"string.{name}"
                for name in ("label_key", "label_value", "taint_effect", "cidr")
                if strings.Extensions[getattr(rules_pb2, name)]
            }
        rule_ids |= _rules(field.message_type, seen) if field.message_type is not None else set()
    return rule_ids
