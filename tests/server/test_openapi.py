"""The OpenAPI document: valid, complete, and exactly what the server accepts."""

import copy
import json
import re

import hypothesis
import jsonschema_rs
import pytest
from buf.validate import validate_pb2
from hypothesis import strategies

from planton.manifest import decode, json_data
from planton.schema import validation
from planton_server.http import examples, openapi
from planton_server.service import errors, rendering, requests, routes
from support import api_messages, trials


def _documented_rules(part):
    """Yields the ids of all rules under ``x-rules``, which a request may violate although the schemas allow it."""
    if isinstance(part, dict):
        yield from (rule["id"] for rule in part.get("x-rules", ()))
    for nested in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _documented_rules(nested)


VERSION = "1.2.3"
DOCUMENT = openapi.document(VERSION)
SCHEMAS = DOCUMENT["components"]["schemas"]
#: The rules that the schemas name and do not check.
DOCUMENTED = frozenset(_documented_rules(DOCUMENT))
OPERATIONS = [(path, verb, operation) for path, verbs in DOCUMENT["paths"].items() for verb, operation in verbs.items()]


def operation_of(route):
    return DOCUMENT["paths"][openapi.path_of(route)][route.verb.lower()]


def validator(schema):
    whole = {**schema, "components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def parts(part):
    yield part
    for below in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from parts(below)


def test_document_is_openapi():
    """The document is valid by the specification's own schema, says which version it is of, and can be sent."""
    # Takes a second to import.
    from schemathesis.specs.openapi import definitions

    assert list(definitions.OPENAPI_31_VALIDATOR.iter_errors(json.loads(json.dumps(DOCUMENT)))) == []
    assert (DOCUMENT["openapi"], DOCUMENT["info"]["version"]) == ("3.1.1", VERSION)


def test_references_lead_somewhere():
    """Each reference has its target, and nothing is kept that nobody refers to."""
    targets = {part["$ref"] for part in parts(DOCUMENT) if isinstance(part, dict) and "$ref" in part}
    for target in targets:
        part = DOCUMENT
        for step in target.removeprefix("#/").split("/"):
            part = part[step]
    for section in ("schemas", "responses", "parameters", "headers"):
        assert {f"#/components/{section}/{name}" for name in DOCUMENT["components"][section]} <= targets


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_schemas(name):
    """Each schema is valid JSON Schema, its patterns included."""
    jsonschema_rs.meta.validate(SCHEMAS[name])
    validator({"$ref": f"#/components/schemas/{name}"})


def test_operations_are_the_routes():
    """Each route is an operation, each operation is a route or one of the server's own, and no two have one id."""
    described = {(path, verb) for path, verb, operation in OPERATIONS if "Server" not in operation["tags"]}
    assert described == {(openapi.path_of(route), route.verb.lower()) for route in routes.routes()}
    own = {path for path, _, operation in OPERATIONS if "Server" in operation["tags"]}
    assert own == {"/health", "/api/v1/health", "/ready", "/info", "/api/v1/info", "/metrics", "/openapi.json", "/docs"}
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(ids) == len(set(ids))


def test_everything_is_described():
    """Operations, parameters, messages and fields have the comments of the protos."""
    assert all(operation["summary"] for _, _, operation in OPERATIONS)
    assert all(operation["description"] for _, _, operation in OPERATIONS if "Server" not in operation["tags"])
    for name, schema in SCHEMAS.items():
        assert schema["description"], name
        for variant in [schema, *schema.get("oneOf", ())]:
            for key, field in variant.get("properties", {}).items():
                assert "description" in field or field == {"type": "null"} or name == "Error", f"{name}.{key}"
    assert all(tag["description"] for tag in DOCUMENT["tags"])
    assert all("description" in parameter for _, _, operation in OPERATIONS for parameter in _parameters(operation))


def _parameters(operation):
    parameters = operation.get("parameters", [])
    return [DOCUMENT["components"]["parameters"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one for one in parameters]


@pytest.mark.parametrize("route", routes.routes(), ids=openapi.operation_id)
def test_parameters_are_the_requests_fields(route):
    """Path and query parameters are the fields of the request, in the canonical spelling, and are described as required where they are."""
    described = {(one["in"], one["name"]) for one in _parameters(operation_of(route)) if one["in"] != "header"}
    fields = route.request.DESCRIPTOR.fields_by_name
    expected = {("path", fields[name].json_name) for name in route.path_fields}
    assert described == expected | {("query", fields[name].json_name) for name in route.query}
    assert set(re.findall(r"\{(\w+)\}", openapi.path_of(route))) == {name for place, name in described if place == "path"}


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("createNodePool", "201 400 401 403 404 409 413 415 429 500 503"),
        ("createCluster", "201 400 401 403 409 413 415 429 500 503"),
        ("listNodePools", "200 400 401 429 500 503"),
        ("getNodePool", "200 304 400 401 404 429 500 503"),
        ("updateNodePool", "200 400 401 403 404 409 412 413 415 429 500 503"),
        ("deleteNodePool", "204 400 401 403 404 409 412 429 500 503"),
        ("deleteCluster", "202 400 401 403 404 409 412 429 500 503"),
        ("reportNodePoolStatus", "200 400 401 403 404 413 415 429 500 503"),
        ("listEvents", "200 400 401 429 500 503"),
        ("acknowledgeEvent", "204 400 401 404 429 500 503"),
        ("getHealth", "200 500 503"),
        ("getInfo", "200 500"),
    ],
)
def test_answers_of_an_operation(name, statuses):
    """Each operation lists the statuses that it can answer with, and no other."""
    (operation,) = [operation for _, _, operation in OPERATIONS if operation["operationId"] == name]
    assert sorted(operation["responses"]) == statuses.split()


def test_every_error_is_the_envelope():
    """The answer of each code is the envelope with that code; its example too, and what the errors module makes."""
    for code in errors.ErrorCode:
        if code is errors.ErrorCode.METHOD_NOT_ALLOWED:  # of no operation: that is what it says
            assert code.value not in DOCUMENT["components"]["responses"]
            continue
        content = DOCUMENT["components"]["responses"][code.value]["content"]["application/json"]
        check = validator(content["schema"])
        check.validate(content["example"])
        check.validate(errors.ApiError(code, "m", violations=[errors.violation("f", "r", "m")]).envelope())
        other = next(one for one in errors.ErrorCode if one is not code)
        assert not check.is_valid(errors.ApiError(other, "m").envelope())


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("createNodePool", {"X-Request-Id", "Idempotency-Key"}),
        ("updateNodePool", {"X-Request-Id", "If-Match"}),
        ("getNodePool", {"X-Request-Id", "If-None-Match"}),
        ("getCluster", {"X-Request-Id", "If-None-Match"}),
        ("getNodePoolStatus", {"X-Request-Id"}),
        ("listNodePools", {"X-Request-Id"}),
        ("deleteCluster", {"X-Request-Id", "If-Match"}),
        ("reportNodePoolStatus", {"X-Request-Id"}),
        ("listEvents", {"X-Request-Id", "Last-Event-ID"}),
    ],
)
def test_headers_of_a_request(name, headers):
    """Each operation lists the headers that it reads."""
    (operation,) = [operation for _, _, operation in OPERATIONS if operation["operationId"] == name]
    assert {one["name"] for one in _parameters(operation) if one["in"] == "header"} == headers


def test_headers_of_answers():
    """A resource comes with its version, a new one with its place, and everything with the request's id."""
    for _, _, operation in OPERATIONS:
        for status, answer in operation["responses"].items():
            response = DOCUMENT["components"]["responses"][answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
            assert "X-Request-Id" in response["headers"], (operation["operationId"], status)
    assert {"ETag", "Location"} <= set(_success("createNodePool")["headers"])
    assert "ETag" in _success("getCluster")["headers"]
    assert "ETag" not in _success("listClusters")["headers"]


def _success(name):
    (operation,) = [operation for _, _, operation in OPERATIONS if operation["operationId"] == name]
    return next(answer for status, answer in operation["responses"].items() if status.startswith("2"))


def test_events_come_as_json_and_as_a_stream():
    """The events have both forms."""
    assert set(_success("listEvents")["content"]) == {"application/json", "text/event-stream"}


def test_what_can_be_done_with_a_new_resource_is_linked():
    """From what was created, links lead to each operation that takes its id."""
    assert set(_success("createNodePool")["links"]) == {
        "getNodePool", "updateNodePool", "deleteNodePool", "getNodePoolStatus", "reportNodePoolStatus",
        "listNodePoolEvents",
    }  # fmt: skip
    clusters = _success("createCluster")["links"]
    assert clusters["createNodePoolInCluster"]["parameters"] == {"clusterId": "$response.body#/id"}


def test_only_the_methods_need_an_identity():
    """Every operation needs a token or an address, but for the server's own."""
    assert DOCUMENT["security"] == [{"bearer": []}, {"userEmail": []}]
    for _, _, operation in OPERATIONS:
        assert ("security" in operation) == ("Server" in operation["tags"])


def test_every_rule_of_requests_is_said():
    """Each relation between fields that the protos demand is listed, but for those that the schemas say in full."""
    ids = set()
    for route in routes.routes():
        ids |= _cel_ids(route.request.DESCRIPTOR, set())
    said = {name for name in ids if name.endswith(("only_the_object_of_type", "has_the_object_of_type"))}
    assert len(said) == 3
    assert ids - said <= DOCUMENTED
    assert not said & DOCUMENTED


def _cel_ids(described, seen):
    if described.full_name in seen:
        return set()
    seen.add(described.full_name)
    ids = {rule.id for rule in described.GetOptions().Extensions[validate_pb2.message].cel}
    for field in described.fields:
        ids |= {rule.id for rule in field.GetOptions().Extensions[validate_pb2.field].cel}
        ids |= _cel_ids(field.message_type, seen) if field.message_type is not None else set()
    return ids


def problems(route, message):
    """Returns the rules that a body breaks as the service sees it: inside the request, with its platform in lower case."""
    identifier = "550e8400-e29b-41d4-a716-446655440000"
    request = route.request(**{name: {"platform": "civo", "name": "acme"}.get(name, identifier) for name in route.path_fields})
    getattr(request, route.body).CopyFrom(message)
    requests.normalize(request)
    return {problem.rule_id for problem in validation.violations(request)}


def refusals(route, data):
    """Returns the rules for which the server refuses a body, but for those that the document lists as not in the schemas."""
    message, violations = json_data.read(json.dumps(data).encode(), route.body_class)
    rule_ids = {violation.rule_id for violation in violations} | problems(route, message)
    return rule_ids - DOCUMENTED


WITH_BODY = {route.body_class.DESCRIPTOR.name: route for route in routes.routes() if route.body_class}
EXAMPLES = [(name, example, body) for name, bodies in examples.BODIES.items() for example, body in bodies.items()]


@pytest.mark.parametrize(("name", "example", "body"), EXAMPLES)
def test_examples_are_valid(name, example, body):
    """Each example is accepted by the schema and by the server, without exception."""
    validator({"$ref": f"#/components/schemas/{name}"}).validate(body)
    route = WITH_BODY[name]
    message = api_messages.decoded(json.dumps(body).encode(), route.body_class)
    assert problems(route, message) - {"create_node_pool_request.one_cluster"} == set()


def test_every_body_has_an_example():
    """The page can propose something for every body."""
    assert examples.BODIES.keys() == WITH_BODY.keys()


def test_body_of_the_route_without_a_cluster_must_name_one():
    """The cluster is required where the path does not name it, and not where it does."""
    with_path = DOCUMENT["paths"]["/api/v1/clusters/{clusterId}/nodepools"]["post"]["requestBody"]["content"]["application/json"]
    without = DOCUMENT["paths"]["/api/v1/nodepools"]["post"]["requestBody"]["content"]["application/json"]
    body = copy.deepcopy(examples.BODIES["NewNodePool"]["gcp"])
    assert validator(with_path["schema"]).is_valid(body)
    assert validator(without["schema"]).is_valid(body)
    for absent in (None, ""):
        body["cluster_id"] = absent
        assert validator(with_path["schema"]).is_valid(body)
        assert not validator(without["schema"]).is_valid(body)


def places(data, at=()):
    yield at
    for key, below in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from places(below, (*at, key))


_NUMBERS = [0, 1, -1, 9, 10, 30, 100, 101, 128, 129, 65536, 65537, 2**31 - 1, 2**31, 1.0, 1.5, None, True, "1"]
_TEXTS = [
    "", "a", "A", "a b", "GCP", "gcp", "civo", "Civo", "x" * 63, "x" * 64, "us-central1-a", "10.0.0.0/8", "fd00::/8", "::/129", "x\n",
    "550E8400-e29b-41d4-a716-446655440000", "10m", "m5.large", "True", "NoSchedule", "2025-10-17T10:30:00Z", "1", None, 5,
]  # fmt: skip


def near(value):
    """Returns values that look like another one: the bounds of rules are among them."""
    if isinstance(value, list):
        return [[], [*value, *value], [value], [*value, None], None, {}, "a"]
    if isinstance(value, dict):
        return [{}, value | {"x": 1}, value | {"": None}, [value], None, "a"]
    if isinstance(value, bool):
        return [True, False, None, 0, 1, "true", [], {}]
    return _TEXTS if isinstance(value, str) else _NUMBERS


def variants(body):
    """Yields a body with one of its values replaced by each that is near, or removed."""
    for place in places(body):
        if not place:
            continue
        for value in [None, *near(_at(body, place))]:
            data = copy.deepcopy(body)
            _at(data, place[:-1])[place[-1]] = value
            yield data
        data = copy.deepcopy(body)
        del _at(data, place[:-1])[place[-1]]
        yield data


def _at(data, place):
    for step in place:
        data = data[step]
    return data


@pytest.mark.parametrize(("name", "example", "body"), EXAMPLES)
def test_schemas_and_server_agree(name, example, body):
    """Of any body near an example, the schema says valid exactly where the server refuses it for no rule that the schema could say."""
    check = validator({"$ref": f"#/components/schemas/{name}"})
    verdicts = set()
    for data in variants(body):
        refused = refusals(WITH_BODY[name], data)
        verdicts.add(check.is_valid(data))
        assert check.is_valid(data) == (not refused), (data, refused, [error.message for error in check.iter_errors(data)])
    assert verdicts == {True, False}


@strategies.composite
def changed(draw, body):
    """A body in which something is replaced by any data, removed or added, somewhere."""
    data = copy.deepcopy(body)
    for _ in range(draw(strategies.integers(1, 3))):
        place = draw(strategies.sampled_from([place for place in places(data) if place] or [()]))
        if not place:
            return data
        holder = _at(data, place[:-1])
        what = draw(strategies.sampled_from(["replace", "remove", "add"]))
        if what == "remove":
            del holder[place[-1]]
        elif what == "add" and isinstance(holder, dict):
            holder[draw(strategies.text("abc", max_size=3))] = draw(api_messages.DATA)
        else:
            holder[place[-1]] = draw(api_messages.DATA)
    return data


@pytest.mark.parametrize(("name", "example", "body"), EXAMPLES)
def test_schemas_and_server_agree_on_any_data(name, example, body):
    """The same of an example with any data in it, anywhere."""
    check = validator({"$ref": f"#/components/schemas/{name}"})

    @hypothesis.settings(deadline=None, max_examples=trials.of(50), suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(changed(body))
    def agree(data):
        refused = refusals(WITH_BODY[name], data)
        assert check.is_valid(data) == (not refused), (refused, [error.message for error in check.iter_errors(data)])

    agree()


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_BODY)
def test_schemas_and_server_agree_on_any_message(name):
    """The same of any message at all of a body's type, as it is rendered."""
    check = validator({"$ref": f"#/components/schemas/{name}"})

    @hypothesis.settings(deadline=None, max_examples=trials.of(80), suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(api_messages.messages(WITH_BODY[name].body_class.DESCRIPTOR))
    def agree(message):
        data = rendering.to_data(message)
        refused = refusals(WITH_BODY[name], data)
        assert check.is_valid(data) == (not refused), (refused, [error.message for error in check.iter_errors(data)])

    agree()


QUERIES = [route for route in routes.routes() if route.query or route.path_fields]
VALUES = {
    "integer": ["0", "1", "50", "100", "101", "-1", "1000", "1001", "x", "", "1.5", str(2**31)],
    "boolean": ["true", "false", "True", "1", ""],
    "string": ["", "Ready", "ready", "healthy", "gcp", "GCP", "x", "5-7", "550e8400-e29b-41d4-a716-446655440000", "550e8400"],
}


@pytest.mark.parametrize("route", QUERIES, ids=openapi.operation_id)
def test_parameters_and_server_agree(route):
    """Of any value, the schema of a query parameter says valid exactly where the server takes it."""
    for one in _parameters(operation_of(route)):
        if one["in"] != "query":
            continue
        for text in VALUES[_type(one["schema"])]:
            request, violations = json_data.read_parameters([(one["name"], text)], route.request, route.query)
            refused = {violation.rule_id for violation in violations}
            named = decode.table(route.request.DESCRIPTOR, json_data.FORM)[one["name"]].json_name
            refused |= {problem.rule_id for problem in validation.violations(request) if problem.path == named}
            assert validator(one["schema"]).is_valid(_parsed(text, one["schema"])) == (not refused), (one["name"], text, refused)


def _type(schema):
    return schema.get("type") or schema["anyOf"][0]["type"]


def _parsed(text, schema):
    kind = _type(schema)
    if kind == "integer" and re.fullmatch("-?[0-9]+", text):
        return int(text)
    return {"true": True, "false": False}.get(text, text) if kind == "boolean" else text


def test_answers_keep_to_their_schemas():
    """What is rendered of a resource that the server would store keeps to the schema of the answer, and has no other field."""
    pool = api_messages.decoded(json.dumps(examples.BODIES["NewNodePool"]["gpu"]).encode(), WITH_BODY["NewNodePool"].body_class)
    answer = next(route for route in routes.routes() if route.method == "GetNodePool").answer_class(
        id="550e8400-e29b-41d4-a716-446655440000", name=pool.name, spec=pool.spec, status={"phase": "Pending"}
    )
    for moment in (answer.created_at, answer.updated_at, answer.status.last_update_time):
        moment.FromSeconds(1_760_697_000)
    check = validator({"$ref": "#/components/schemas/NodePool"})
    data = rendering.to_data(answer)
    check.validate(data)
    assert data.keys() <= SCHEMAS["NodePool"]["properties"].keys()
    del data["status"]["conditions"]
    assert not check.is_valid(data)


def test_user_data_is_the_same_in_requests_and_answers():
    """A message that requests and answers share has two schemas with the same fields."""
    for name, schema in SCHEMAS.items():
        if name.endswith("Input"):
            shared = SCHEMAS[name.removesuffix("Input")]
            strict = {key for variant in [schema, *schema.get("oneOf", ())] for key in variant.get("properties", {})}
            assert strict == set(shared["properties"]), name
            assert "additionalProperties" not in shared
