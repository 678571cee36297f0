"""Answers: the JSON of REST and the message of gRPC have the same content."""

import json

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from planton_server.service import acceptance, answers, encoding, kinds, rendering, routes
from support import api_messages, trials

#: A controller looks at the resources of each cloud.
SEEN = acceptance.Acceptance(served=("gcp", "azure", "aws", "civo", "digitalocean"))

MAIN = {route.method: route for route in reversed(routes.routes())}
RESPONSES = {method: route.response for method, route in MAIN.items()}
SPECS = {kind.noun: kind for kind in (kinds.CLUSTER, kinds.NODE_POOL)}
TIME = "2026-01-01T00:00:00.000001Z"
TEXTS = strategies.text(strategies.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
CONDITION = {
    "type": "Available",
    "status": "True",
    "lastTransitionTime": TIME,
    "reason": "R",
    "message": 'a "quoted"\nline é \u2028',
}
CONDITIONS = strategies.lists(strategies.builds(lambda text: CONDITION | {"message": text}, TEXTS), max_size=2)


def _specs(kind):
    below = RESPONSES[f"Get{kind.name}"].DESCRIPTOR.fields_by_name[kind.field].message_type
    return api_messages.messages(below.fields_by_name["spec"].message_type)


def row(kind, **changes):
    own = {"target_project_id": ""} if kind is kinds.CLUSTER else {"cluster_id": "c-id"}
    return {
        "id": "an-id", "name": "a-name", "owner": "u@example.com", "generation": 3, "resource_version": 12, "platform": "gcp",
        "spec": '{"platform":{"type":"gcp"}}', "phase": "Ready", "reason": "R", "message": "m", "observed_generation": 2,
        "status_time": TIME, "conditions": "[]", "replacement": "", "ready_generation": 3, "deadline": None, "resync_at": None,
        "created_at": TIME, "updated_at": TIME, "deleted_at": None,
    } | own | changes  # fmt: skip


@strategies.composite
def rows(draw, kind):
    changes = {
        "owner": draw(TEXTS),
        "reason": draw(TEXTS),
        "message": draw(TEXTS),
        "platform": draw(strategies.sampled_from(["gcp", "azure"])),
        "conditions": json.dumps(draw(CONDITIONS)),
        "deleted_at": draw(strategies.sampled_from([None, TIME])),
        "spec": rendering.to_json(draw(_specs(kind))),
    }
    if kind is kinds.CLUSTER:
        changes["target_project_id"] = draw(TEXTS)
    return row(kind, **changes)


def message(answer, method):
    """Returns the answer of a method as a message."""
    main = MAIN[method]
    return encoding.to_message(answer, main.response, main.response_body)


def text(answer):
    """Returns the JSON data of an answer."""
    return json.loads(encoding.to_json(answer.body))


def agrees(answer, method):
    """Asserts that the JSON of an answer is the rendering of its message."""
    rendered = rendering.to_data(message(answer, method))
    if MAIN[method].response_body:
        rendered = rendered[RESPONSES[method].DESCRIPTOR.fields_by_name[MAIN[method].response_body].json_name]
    assert text(answer) == rendered


def test_every_field_of_the_protos_is_in_its_answer():
    """A class of answers has the fields of its message, so a new field of a proto cannot be forgotten."""
    for view, message_class in encoding.MESSAGES.items():
        assert view._fields == tuple(field.name for field in message_class.DESCRIPTOR.fields)


def test_every_response_has_an_answer():
    """Each message of a response, and each message with its fields, has a class of answers."""
    described = {message_class.DESCRIPTOR for message_class in encoding.MESSAGES.values()}
    shapes = {tuple(field.name for field in one.fields) for one in described}
    for route in routes.routes():
        shown = route.answer_class.DESCRIPTOR
        assert not shown.fields or tuple(field.name for field in shown.fields) in shapes, shown.full_name


@settings(max_examples=trials.of(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.data(), strategies.sampled_from(sorted(SPECS)))
def test_resource(data, noun):
    """A resource, whatever is in it."""
    kind = SPECS[noun]
    agrees(answers.of_resource(kind, data.draw(rows(kind)), SEEN), f"Get{kind.name}")


@settings(max_examples=trials.of(20), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(strategies.data(), strategies.sampled_from(sorted(SPECS)), strategies.sampled_from(["", "token"]))
def test_page(data, noun, token):
    """A page, empty or not, the last or not."""
    kind = SPECS[noun]
    stored = data.draw(strategies.lists(rows(kind), max_size=3))
    agrees(answers.of_page(kind, stored, SEEN, total=7, limit=50, offset=2, next_page_token=token), f"List{kind.name}s")


@given(strategies.data(), strategies.sampled_from(sorted(SPECS)))
def test_statuses(data, noun):
    """A status with reports of any metadata and errors with any details."""
    kind = SPECS[noun]
    metadata = data.draw(strategies.dictionaries(TEXTS, api_messages.DATA, max_size=3))
    error = {"error_type": "Fatal", "error_code": "E", "message": "m", "user_actionable": False, "timestamp": TIME}
    error |= data.draw(strategies.just({}) | api_messages.DATA.map(lambda details: {"details": details}))
    report = {
        "controller_name": data.draw(TEXTS), "observed_generation": 2, "conditions": json.dumps(data.draw(CONDITIONS)), "metadata": json.dumps(metadata),
        "last_error": data.draw(strategies.sampled_from(["", json.dumps(error)])), "updated_at": TIME,
    }  # fmt: skip
    agrees(answers.of_status(kind, row(kind), [report] * data.draw(strategies.integers(0, 2)), SEEN), f"Get{kind.name}Status")


@given(TEXTS, TEXTS, strategies.sampled_from(["", '["spec.platform.gcp.spot"]']))
def test_events(actor, cursor, replacement):
    """Events, with a replacement or without."""
    event = {
        "id": "e", "transaction_id": 5, "number": 6, "type": "nodepool.updated", "kind": "NodePool", "resource_id": "r", "cluster_id": "c",
        "name": "n", "generation": 2, "actor": actor, "time": TIME, "replacement": replacement,
    }  # fmt: skip
    agrees(answers.of_events([event], cursor), "ListEvents")
    assert text(answers.of_events([event], cursor))["events"][0]["cursor"] == "5-6"


@pytest.mark.parametrize("method", ["DeleteNodePool", "AcknowledgeEvent"])
def test_answer_without_a_body(method):
    """A success without content is an empty message."""
    assert not message(answers.Answer(), method).ByteSize()


def test_stored_text_that_its_schema_does_not_know():
    """A spec that cannot be read is an error with its field, and never a message without it."""
    broken = row(kinds.NODE_POOL, spec='{"platform":{"type":"gcp"},"color":"red"}')
    with pytest.raises(ValueError, match=r"NodePool\.spec .*color"):
        message(answers.of_resource(kinds.NODE_POOL, broken, SEEN), "GetNodePool")


def test_user_data_is_in_the_resource_and_in_no_page():
    """A page leaves out what a node runs when it starts, and a text of the same words stays."""
    spec = {"labels": {"userData": "label"}, "platform": {"type": "aws", "aws": {"instanceType": "m5.large", "userData": "word"}}}
    stored = row(kinds.NODE_POOL, platform="aws", spec=json.dumps(spec))
    assert text(answers.of_resource(kinds.NODE_POOL, stored, SEEN))["spec"] == spec
    page = answers.of_page(kinds.NODE_POOL, [stored], SEEN, total=1, limit=50, offset=0, next_page_token="")
    (shown,) = text(page)["nodepools"]
    del spec["platform"]["aws"]["userData"]
    assert shown["spec"] == spec


def test_provider_name():
    """The name on AKS is a letter and eleven more characters, from the id alone."""
    stored = row(kinds.NODE_POOL, platform="azure")
    name = answers.provider_name(stored)
    assert name == answers.provider_name(stored | {"name": "other"}) != answers.provider_name(stored | {"id": "other"})
    assert len(name) == 12
    assert name[0].isalpha()
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz234567")
    assert answers.provider_name(row(kinds.NODE_POOL, platform="aws")) == ""
    cluster = answers.of_resource(kinds.CLUSTER, row(kinds.CLUSTER, platform="azure"), SEEN)
    assert "providerName" not in text(cluster)["status"]
    assert text(answers.of_status(kinds.NODE_POOL, stored, [], SEEN))["status"]["providerName"] == name
