"""Writing JSON: the contract's form of each message."""

import json
import math

import hypothesis
import pytest
from google.protobuf import struct_pb2, timestamp_pb2

from org.project_planton.cluster.v1 import cluster_pb2, status_pb2
from org.project_planton.cluster.v1 import service_pb2 as clusters_pb2
from org.project_planton.nodepool.v1 import event_pb2, nodepool_pb2, service_pb2
from planton_server.service import rendering, routes, timestamps
from support import api_messages, trials

_TIME = timestamp_pb2.Timestamp(seconds=1_760_697_000, nanos=5_000)


def test_node_pool_has_the_envelope_of_the_contract():
    """Top-level names are snake_case and those inside status and spec camelCase; times have six digits; numbers are numbers."""
    pool = nodepool_pb2.NodePool(
        id="i", cluster_id="c", name="n", generation=2**60, resource_version="7", created_at=_TIME, updated_at=_TIME, created_by="u",
        spec={"node_count": 0, "platform": {"type": "gcp", "gcp": {"machine_type": "m", "zones": ["a", "b"]}}},
        status={"phase": "Pending", "last_update_time": _TIME},
    )  # fmt: skip
    assert rendering.to_json(pool) == (
        '{"id":"i","cluster_id":"c","name":"n","generation":1152921504606846976,"resource_version":"7",'
        '"spec":{"nodeCount":0,"platform":{"type":"gcp","gcp":{"machineType":"m","zones":["a","b"]}}},'
        '"status":{"phase":"Pending","message":"","reason":"","observedGeneration":0,'
        '"lastUpdateTime":"2025-10-17T10:30:00.000005Z","conditions":[]},'
        '"created_at":"2025-10-17T10:30:00.000005Z","updated_at":"2025-10-17T10:30:00.000005Z","created_by":"u"}'
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (service_pb2.ListNodePoolsResponse(), {"nodepools": [], "total": 0, "limit": 0, "offset": 0}),
        (clusters_pb2.ListClustersResponse(), {"clusters": [], "total": 0, "limit": 0, "offset": 0}),
        (service_pb2.ListEventsResponse(), {"events": [], "next_cursor": ""}),
        (service_pb2.GetNodePoolStatusResponse(), {"nodepool_id": "", "controller_status": [], "controllers": []}),
        (clusters_pb2.GetClusterStatusResponse(), {"cluster_id": "", "controller_status": [], "controllers": []}),
        (
            status_pb2.Status(),
            {"phase": "", "message": "", "reason": "", "observedGeneration": 0, "conditions": []},
        ),
        (status_pb2.Condition(type="Ready"), {"type": "Ready", "status": "", "reason": "", "message": ""}),
        (
            event_pb2.Event(replacement={"required": False}),
            {"id": "", "cursor": "", "type": "", "generation": 0, "actor": "", "replacement": {"required": False, "fields": []}},
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_empty_answers_hold_lists_numbers_and_texts(answer, expected):
    """Outside specs what cannot tell unset from zero is always there: lists are ``[]``, never null or absent."""
    assert rendering.to_data(answer) == expected


def test_next_page_token_is_absent_on_the_last_page_only():
    """A field that the contract documents as absent when empty is there when it is not."""
    page = service_pb2.ListNodePoolsResponse(next_page_token="t")
    assert rendering.to_data(page)["next_page_token"] == "t"


def test_what_is_absent_when_empty_exists():
    """Every exception of the rule names a field that would be written without it."""
    messages = {described.full_name: described for route in routes.routes() for described in _below(route)}
    fields = {field.full_name: field for described in messages.values() for field in described.fields}
    assert fields.keys() >= rendering.ABSENT_WHEN_EMPTY
    assert not any(fields[name].has_presence for name in rendering.ABSENT_WHEN_EMPTY)


def _below(route):
    queue, seen = [route.request.DESCRIPTOR, route.response.DESCRIPTOR], []
    while queue:
        described = queue.pop()
        if described not in seen:
            seen.append(described)
            queue += [field.message_type for field in described.fields if field.message_type is not None]
    return seen


def test_spec_shows_what_is_set():
    """A spec has no zeros that nobody wrote, however deep, and keeps empty objects and zeros with presence."""
    spec = nodepool_pb2.NodePoolSpec(node_count=0, lifecycle={"rollout": {"max_surge": 0}}, taints=[{"key": "k"}], autoscaling={})
    expected = {"nodeCount": 0, "autoscaling": {}, "taints": [{"key": "k"}], "lifecycle": {"rollout": {"maxSurge": 0}}}
    assert rendering.to_data(spec) == expected
    assert rendering.to_data(nodepool_pb2.NodePool(spec=spec))["spec"] == expected
    assert rendering.to_data(cluster_pb2.ClusterSpec()) == {}


def test_maps_and_free_data_are_in_the_order_of_their_keys():
    """The same message has the same text in every process, although protobuf's maps have no order."""
    spec = nodepool_pb2.NodePoolSpec(labels={"c": "1", "a": "2", "b": "3"})
    assert rendering.to_json(spec) == '{"labels":{"a":"2","b":"3","c":"1"}}'
    report = status_pb2.StatusReport(metadata={"c": 1, "a": {"z": 1, "y": 2}, "b": 3})
    assert list(rendering.to_data(report)["metadata"]) == ["a", "b", "c"]
    assert list(rendering.to_data(report)["metadata"]["a"]) == ["y", "z"]


@pytest.mark.parametrize(
    ("number", "text"),
    [(5.0, "5"), (-5.0, "-5"), (0.0, "0"), (-0.0, "-0.0"), (0.5, "0.5"), (1e300, "1e+300"), (2.0**53, "9007199254740992.0")],
)
def test_numbers_of_free_data(number, text):
    """A whole number has no fraction, as the guide shows ``active_nodes``; one beyond exactness is written as the float that it is."""
    assert rendering.to_json(struct_pb2.Struct(fields={"n": struct_pb2.Value(number_value=number)})) == f'{{"n":{text}}}'


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_what_json_cannot_say_is_refused(number):
    """NaN and infinity, which only gRPC can bring, never become text that no JSON reader reads."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        rendering.to_json(struct_pb2.Struct(fields={"n": struct_pb2.Value(number_value=number)}))


def test_text_is_written_as_it_is():
    """Texts are UTF-8, not escapes, and quotes and control characters are escaped."""
    assert rendering.to_json(status_pb2.Condition(message='é"\n')) == ('{"type":"","status":"","reason":"","message":"é\\"\\n"}')


def test_data_is_the_callers_own():
    """What a caller changes in an answer's data is not in the next answer."""
    rendering.to_data(service_pb2.ListNodePoolsResponse())["nodepools"].append("x")
    assert rendering.to_data(service_pb2.ListNodePoolsResponse())["nodepools"] == []


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (timestamp_pb2.Timestamp(), "1970-01-01T00:00:00.000000Z"),
        (timestamp_pb2.Timestamp(seconds=1_760_697_000, nanos=999_999_999), "2025-10-17T10:30:00.999999Z"),
        (timestamp_pb2.Timestamp(seconds=-1, nanos=1_000), "1969-12-31T23:59:59.000001Z"),
        (timestamp_pb2.Timestamp(seconds=-62_135_596_800), "0001-01-01T00:00:00.000000Z"),
    ],
)
def test_times(moment, text):
    """Times are UTC with six digits, cut and not rounded, so that a time never lies in the future of itself."""
    assert timestamps.render(moment) == text


@hypothesis.settings(deadline=None, max_examples=trials.of(100))
@hypothesis.given(api_messages.messages(service_pb2.ListNodePoolsResponse.DESCRIPTOR))
def test_answers_are_json_that_is_read_again(page):
    """Any page is one line of JSON, from which the same page is read."""
    text = rendering.to_json(page)
    assert json.loads(text) == rendering.to_data(page)
    assert "\n" not in text
    assert api_messages.decoded(text.encode(), service_pb2.ListNodePoolsResponse) == page
