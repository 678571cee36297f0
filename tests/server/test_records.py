"""Answers: the text that REST sends says what the message says that gRPC sends."""

import json

import pytest
from hypothesis import given, settings, strategies

from planton_server.grpc import messages
from planton_server.service import kinds, records, rendering, routes
from support import api_messages

RESPONSES = {route.method: route.response for route in routes.routes()}
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


def agrees(answer, method):
    """Asserts that an answer's text is its message's rendering."""
    said = rendering.to_data(messages.of(answer, RESPONSES[method]))
    if isinstance(answer, records.Resource):
        said = said[RESPONSES[method].DESCRIPTOR.fields_by_name[answer.kind.field].json_name]
    assert json.loads(records.text(answer)) == said


@settings(max_examples=40)
@given(strategies.data(), strategies.sampled_from(sorted(SPECS)))
def test_resource(data, noun):
    """A resource, whatever is in it."""
    kind = SPECS[noun]
    agrees(records.Resource(kind, data.draw(rows(kind))), f"Get{kind.name}")


@settings(max_examples=20)
@given(strategies.data(), strategies.sampled_from(sorted(SPECS)), strategies.sampled_from(["", "token"]))
def test_page(data, noun, token):
    """A page, empty or not, the last or not."""
    kind = SPECS[noun]
    found = data.draw(strategies.lists(rows(kind), max_size=3))
    agrees(records.Page(kind, found, 7, 50, 2, token), f"List{kind.name}s")


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
    agrees(records.Statuses(kind, row(kind), [report] * data.draw(strategies.integers(0, 2))), f"Get{kind.name}Status")


@given(TEXTS, TEXTS, strategies.sampled_from(["", '["spec.platform.gcp.spot"]']))
def test_events(actor, cursor, replacement):
    """Events, with a replacement or without."""
    event = {
        "id": "e", "transaction_id": 5, "number": 6, "type": "nodepool.updated", "kind": "NodePool", "resource_id": "r", "cluster_id": "c",
        "name": "n", "generation": 2, "actor": actor, "time": TIME, "replacement": replacement,
    }  # fmt: skip
    agrees(records.Events([event], cursor), "ListEvents")
    assert json.loads(records.text(records.Events([event], cursor)))["events"][0]["cursor"] == "5-6"


@pytest.mark.parametrize("method", ["DeleteNodePool", "AcknowledgeEvent"])
def test_nothing(method):
    """Nothing is nothing."""
    assert records.text(records.Nothing()) == ""
    assert not messages.of(records.Nothing(), RESPONSES[method]).ByteSize()


def test_user_data_is_in_the_resource_and_in_no_page():
    """A page leaves out what a node runs when it starts, and a text of the same words stays."""
    spec = {"labels": {"userData": "label"}, "platform": {"type": "aws", "aws": {"instanceType": "m5.large", "userData": "word"}}}
    found = row(kinds.NODE_POOL, platform="aws", spec=json.dumps(spec))
    assert json.loads(records.text(records.Resource(kinds.NODE_POOL, found)))["spec"] == spec
    (shown,) = json.loads(records.text(records.Page(kinds.NODE_POOL, [found], 1, 50, 0, "")))["nodepools"]
    del spec["platform"]["aws"]["userData"]
    assert shown["spec"] == spec


def test_provider_name():
    """The name on AKS is a letter and eleven more characters, from the id alone."""
    found = row(kinds.NODE_POOL, platform="azure")
    name = records.provider_name(found)
    assert name == records.provider_name(found | {"name": "other"}) != records.provider_name(found | {"id": "other"})
    assert len(name) == 12
    assert name[0].isalpha()
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz234567")
    assert records.provider_name(row(kinds.NODE_POOL, platform="aws")) == ""
    assert records.provider_name(row(kinds.CLUSTER, platform="azure")) == ""
