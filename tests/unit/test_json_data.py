"""JSON data in the strict decoder: decoded messages, and the violations of invalid data."""

from __future__ import annotations

import json
from typing import Any

import pytest

from org.project_planton.cluster.v1 import status_pb2
from org.project_planton.nodepool.v1 import service_pb2
from org.project_planton.nodepool.v1.service_pb2 import ListNodePoolsRequest, NewNodePool
from planton.manifest import json_data, json_values


def _violations(body: Any) -> list[tuple[str, str]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return [(violation.path, violation.rule_id) for violation in json_data.read(data, NewNodePool)[1]]


def test_valid_json_is_decoded_into_a_message() -> None:
    """Both spellings of a field are accepted, null means unset, and zero is set."""
    body = {"clusterId": "c", "name": None, "spec": {"node_count": 0, "labels": {"a": "b"}, "platform": {"gcp": {}}}}
    message, violations = json_data.read(json.dumps(body).encode(), NewNodePool)
    assert violations == []
    expected = NewNodePool(cluster_id="c", spec={"node_count": 0, "labels": {"a": "b"}, "platform": {"gcp": {}}})  # type: ignore[arg-type]
    assert message == expected
    assert message.spec.HasField("node_count")


@pytest.mark.parametrize(
    ("body", "path", "rule_id"),
    [
        ({"nam": "x"}, "nam", "json.unknown_field"),
        ({"spec": {"taints": [{}, {"ke": "x"}]}}, "spec.taints[1].ke", "json.unknown_field"),
        ({"clusterId": None, "cluster_id": "a"}, "cluster_id", "json.duplicate_key"),
        (b'{"name": "a", "name": "a"}', "name", "json.duplicate_key"),
        (b'{"spec": {"labels": {"a": "1", "a": "2"}}}', 'spec.labels["a"]', "json.duplicate_key"),
        ({"spec": {"nodeCount": 3.5}}, "spec.nodeCount", "json.wrong_type"),
        ({"spec": {"taints": [None]}}, "spec.taints[0]", "json.wrong_type"),
        ({"spec": {"labels": {"x": None}}}, 'spec.labels["x"]', "json.wrong_type"),
        ([], "", "json.wrong_type"),
        (b'{"name": "a\\u0000"}', "name", "json.text"),
        (b'{"name": NaN}', "", "json.malformed"),
    ],
)
def test_each_violation_of_json_data_has_its_path_and_rule(body: Any, path: str, rule_id: str) -> None:
    """Every violation is reported once."""
    assert _violations(body) == [(path, rule_id)]


def test_a_suggestion_is_a_field_and_part_of_the_message() -> None:
    """A caller can read it without parsing the message."""
    _, [violation] = json_data.read(b'{"clusterid": "c"}', NewNodePool)
    assert violation.suggestion == "cluster_id"
    assert violation.message == "is not a field; did you mean 'cluster_id'?"


def test_the_number_of_violations_is_bounded() -> None:
    """The last violation says that there are more."""
    violations = _violations({f"x{number}": 1 for number in range(1_000)})
    assert len(violations) == json_data.MAX_VIOLATIONS + 1
    assert violations[-1] == ("", "json.too_many")


def test_free_form_data_is_bounded_in_depth_and_size() -> None:
    """Data within the limits is decoded; data beyond them is one violation."""
    deepest = '{"a":' * json_values.MAX_DEPTH + "1" + "}" * json_values.MAX_DEPTH
    message, violations = json_data.read(f'{{"metadata": {deepest}}}'.encode(), status_pb2.StatusReport)
    assert (violations, message.HasField("metadata")) == ([], True)
    for data, rule_id in ((f'{{"b": {deepest}}}', "json.too_deep"), (json.dumps({"a": [0] * 10_000}), "json.too_large")):
        _, [violation] = json_data.read(f'{{"metadata": {data}}}'.encode(), status_pb2.StatusReport)
        assert violation.rule_id == rule_id


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([("limit", "10"), ("pageToken", "x")], ListNodePoolsRequest(limit=10, page_token="x")),
        ([("limit", "1"), ("limit", "1")], ("limit", "query.duplicate")),
        ([("limit", "01")], ("limit", "query.wrong_type")),
        ([("limt", "1")], ("limt", "query.unknown_parameter")),
        ([("status", "Ready")], ("status", "query.unknown_parameter")),
    ],
)
def test_query_parameters_are_decoded_like_fields(items: list[tuple[str, str]], expected: Any) -> None:
    """Both spellings are accepted, and values are text."""
    message, violations = json_data.read_parameters(items, service_pb2.ListNodePoolsRequest, ("limit", "page_token"))
    if isinstance(expected, tuple):
        assert [(violation.path, violation.rule_id) for violation in violations] == [expected]
    else:
        assert (message, violations) == (expected, [])
