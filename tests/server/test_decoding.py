"""Decoding of JSON bodies and query parameters: the accepted forms, and the violation of each other one."""

import json

import hypothesis
import pytest

from org.project_planton.cluster.v1 import service_pb2 as clusters_pb2
from org.project_planton.cluster.v1 import status_pb2
from org.project_planton.nodepool.v1 import nodepool_pb2, service_pb2
from planton.manifest import decode, json_data, json_values
from planton_server.service import errors, rendering, request_rules, routes
from support import api_messages, trials

BODIES = sorted({route.body_class for route in routes.routes() if route.body_class} | {nodepool_pb2.NodePool}, key=str)


def broken_rules(text, kind=service_pb2.NewNodePool):
    data = text if isinstance(text, bytes) else (text if isinstance(text, str) else json.dumps(text)).encode()
    return json_data.read(data, kind)[1]


def violations(text, kind=service_pb2.NewNodePool):
    return [(violation.path, violation.rule_id) for violation in broken_rules(text, kind)]


def message_of(text, kind=service_pb2.NewNodePool):
    return broken_rules(text, kind)[0].message


def test_guides_create_body():
    """The guide's body becomes a message that holds all of it."""
    pool = api_messages.decoded(api_messages.CREATE, service_pb2.NewNodePool)
    assert pool.name == "worker-pool-1"
    assert pool.cluster_id == "550e8400-e29b-41d4-a716-446655440000"
    assert pool.spec.platform.gcp.zones == ["us-central1-a", "us-central1-b"]
    assert pool.spec.platform.gcp.disk_size == 100
    assert (pool.spec.autoscaling.enabled, pool.spec.autoscaling.min_nodes, pool.spec.autoscaling.max_nodes) == (True, 1, 10)
    assert pool.spec.node_count == 3


def test_guides_report():
    """The guide's report becomes a message, its time a timestamp and its metadata free data."""
    report = api_messages.decoded(api_messages.REPORT, status_pb2.StatusReport)
    assert report.conditions[0].last_transition_time.seconds == 1_760_697_000
    assert dict(report.metadata)["active_nodes"] == 5


@pytest.mark.parametrize(
    "spelling",
    ["targetCPUUtilization", "targetCpuUtilization", "target_cpu_utilization"],
    ids=["json_name", "camelCase", "proto"],
)
def test_every_spelling_of_a_field(spelling):
    """A field is read by its JSON name, by its proto name and by that in camelCase."""
    text = json.dumps({"spec": {"autoscaling": {spelling: 70}}}).encode()
    assert api_messages.decoded(text, service_pb2.NewNodePool).spec.autoscaling.target_cpu_utilization == 70


@pytest.mark.parametrize("spelling", ["cluster_id", "clusterId"])
def test_both_spellings_at_the_top(spelling):
    """Top-level names are snake_case, and camelCase is read too."""
    assert api_messages.decoded(json.dumps({spelling: "c"}).encode(), service_pb2.NewNodePool).cluster_id == "c"


def test_null_is_absent():
    """A field that is null is a field that is not there, of whatever type it is."""
    text = b'{"name": null, "spec": {"nodeCount": null, "labels": null, "taints": null, "platform": null, "autoscaling": {}}}'
    decoded = api_messages.decoded(text, service_pb2.NewNodePool)
    assert decoded == service_pb2.NewNodePool(spec={"autoscaling": {}})


def test_empty_object_is_present():
    """An object without fields is not the same as no object."""
    platform = api_messages.decoded(b'{"spec": {"platform": {"gcp": {}}}}', service_pb2.NewNodePool).spec.platform
    assert platform.HasField("gcp")
    assert not platform.HasField("aws")


def test_zero_of_an_optional_field_is_present():
    """A node count of 0 is a wish for no nodes."""
    decoded = api_messages.decoded(b'{"spec": {"nodeCount": 0}}', service_pb2.NewNodePool)
    assert decoded.spec.HasField("node_count")


@pytest.mark.parametrize("text", ["5", "5.0", "5e0", "50e-1"])
def test_whole_numbers_in_any_notation(text):
    """JSON has one type of numbers: what counts is that the number is whole."""
    assert api_messages.decoded(f'{{"spec": {{"nodeCount": {text}}}}}'.encode(), service_pb2.NewNodePool).spec.node_count == 5


@pytest.mark.parametrize(
    ("body", "field", "rule"),
    [
        ({"nam": "x"}, "nam", "json.unknown_field"),
        ({"spec": {"platform": {"gcp": {"machinetype": "x"}}}}, "spec.platform.gcp.machinetype", "json.unknown_field"),
        ({"spec": {"taints": [{}, {"ke": "x"}]}}, "spec.taints[1].ke", "json.unknown_field"),
        ({"cluster_id": "a", "clusterId": "a"}, "cluster_id", "json.duplicate_key"),
        ({"clusterId": None, "cluster_id": "a"}, "cluster_id", "json.duplicate_key"),
        ('{"name": "a", "name": "a"}', "name", "json.duplicate_key"),
        ('{"spec": {"taints": [{"key": "a", "key": "b"}]}}', "spec.taints[0].key", "json.duplicate_key"),
        ('{"spec": {"labels": {"a": "1", "a": "2"}}}', 'spec.labels["a"]', "json.duplicate_key"),
        ({"name": 5}, "name", "json.wrong_type"),
        ({"name": ["a"]}, "name", "json.wrong_type"),
        ({"spec": {"nodeCount": "3"}}, "spec.nodeCount", "json.wrong_type"),
        ({"spec": {"nodeCount": True}}, "spec.nodeCount", "json.wrong_type"),
        ({"spec": {"nodeCount": 3.5}}, "spec.nodeCount", "json.wrong_type"),
        ({"spec": {"nodeCount": 2**31}}, "spec.nodeCount", "json.wrong_type"),
        ({"spec": {"nodeCount": -(2**31) - 1}}, "spec.nodeCount", "json.wrong_type"),
        ('{"spec": {"nodeCount": 1e400}}', "spec.nodeCount", "json.wrong_type"),
        ({"spec": {"autoscaling": {"enabled": 1}}}, "spec.autoscaling.enabled", "json.wrong_type"),
        ({"spec": {"autoscaling": {"enabled": "true"}}}, "spec.autoscaling.enabled", "json.wrong_type"),
        ({"spec": {"platform": {"gcp": {"diskSize": "100"}}}}, "spec.platform.gcp.diskSize", "json.wrong_type"),
        ({"spec": {"platform": {"gcp": {"zones": "a"}}}}, "spec.platform.gcp.zones", "json.wrong_type"),
        ({"spec": {"platform": {"gcp": {"zones": ["a", None]}}}}, "spec.platform.gcp.zones[1]", "json.wrong_type"),
        ({"spec": {"taints": [None]}}, "spec.taints[0]", "json.wrong_type"),
        ({"spec": {"taints": {}}}, "spec.taints", "json.wrong_type"),
        ({"spec": {"labels": []}}, "spec.labels", "json.wrong_type"),
        ({"spec": {"labels": {"x": 1}}}, 'spec.labels["x"]', "json.wrong_type"),
        ({"spec": {"labels": {'a"b': None}}}, 'spec.labels["a\\"b"]', "json.wrong_type"),
        ({"spec": "x"}, "spec", "json.wrong_type"),
        ({"spec": []}, "spec", "json.wrong_type"),
        ([], "", "json.wrong_type"),
        ("null", "", "json.wrong_type"),
        ('{"name": "a\\u0000"}', "name", "json.text"),
        ('{"name": "\\ud800"}', "name", "json.text"),
        ('{"spec": {"labels": {"\\ud800": "x"}}}', 'spec.labels["?"]', "json.text"),
    ],
)
def test_what_does_not_fit(body, field, rule):
    """Each fault is told once, with the canonical path of the field and the id of the rule."""
    assert violations(body) == [(field, rule)]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b" ",
        b"{",
        b'{"name": "x",}',
        b"{'name': 'x'}",
        b'{"name": "x"} {}',
        b'{"name": NaN}',
        b'{"spec": {"nodeCount": Infinity}}',
        b'{"spec": {"nodeCount": -Infinity}}',
        b'{"name": "\xff"}',
        b'\xef\xbb\xbf{"name": "x"}',
        '{"name": "x"}'.encode("utf-16"),
        b'{"name": "a\nb"}',
        b"[" * 100_000,
        b'{"spec":' * 100_000,
        b'{"spec": {"nodeCount": ' + b"1" * 5_000 + b"}}",
    ],
    ids=lambda text: repr(text[:24]),
)
def test_what_is_not_json(text):
    """A text that is not JSON is one violation of the whole body."""
    assert violations(text) == [("", "json.malformed")]


def test_malformed_text_is_told_with_its_place():
    """The message names the line and the column."""
    assert message_of('{\n  "name": x}') == "the body must be JSON: Expecting value at line 2, column 11"


def test_unknown_field_is_told_with_the_nearest_one():
    """A misspelt name is told with the name that it resembles, in the canonical spelling."""
    assert message_of('{"spec": {"platform": {"gcp": {"machinetype": "x"}}}}') == "is not a field; did you mean 'machineType'?"
    assert message_of('{"zzz": 1}') == "is not a field"


def test_values_are_not_repeated_in_messages():
    """What a caller sent may be a secret: messages name types only."""
    text = '{"spec": {"platform": {"aws": {"userData": ["hunter2"], "spotInstances": "hunter2"}}}}'
    broken = broken_rules(text)
    assert len(broken) == 2
    assert "hunter2" not in str(errors.invalid(broken).envelope())


def test_everything_is_told_at_once():
    """All that is wrong is told in the order of the text, wherever it stands."""
    body = {"name": 1, "spec": {"nodeCount": "3", "taints": [{"key": 2}, {"x": 1}], "labels": {"a": 1}}, "more": 1}
    assert violations(body) == [
        ("name", "json.wrong_type"),
        ("spec.nodeCount", "json.wrong_type"),
        ("spec.taints[0].key", "json.wrong_type"),
        ("spec.taints[1].x", "json.unknown_field"),
        ('spec.labels["a"]', "json.wrong_type"),
        ("more", "json.unknown_field"),
    ]


def test_read_returns_what_fits():
    """What is right of a text is read even where other parts are wrong, so that rules can be checked in the same answer."""
    pool, broken = json_data.read(
        b'{"name": "a", "spec": {"nodeCount": "3", "labels": {"a": "b", "c": 1}}}', service_pb2.NewNodePool
    )
    assert pool == service_pb2.NewNodePool(name="a", spec={"labels": {"a": "b"}})
    assert len(broken) == 2


def test_violations_are_counted_up_to_a_limit():
    """A body of nothing but faults is answered with the first hundred."""
    broken = violations(json.dumps({f"unknown{number}": 1 for number in range(50_000)}).encode())
    assert len(broken) == errors.MAX_VIOLATIONS + 1
    assert broken[-1] == ("", "json.too_many")


def test_repeated_keys_by_the_thousands():
    """They are told from the first one on."""
    body = ('{"metadata": {' + ",".join(f'"k{number // 2}": 1' for number in range(18_000)) + "}}").encode()
    assert violations(body, status_pb2.StatusReport)[0] == ('metadata["k0"]', "json.duplicate_key")


def test_long_words_are_cut():
    """A caller's own word is shown, but not a megabyte of it."""
    ((field, rule),) = violations({"x" * 1_000_000: 1})
    assert rule == "json.unknown_field"
    assert len(field) <= json_values.MAX_SHOWN + 1


@pytest.mark.parametrize(
    ("metadata", "field", "rule"),
    [
        ('{"a": 1e400}', 'metadata["a"]', "json.wrong_type"),
        ('{"a": ' + "9" * 400 + "}", 'metadata["a"]', "json.wrong_type"),
        ('{"a": [1, {"b": "\\u0000"}]}', 'metadata["a"][1]["b"]', "json.text"),
        ('{"a": {"b": 1, "b": 2}}', 'metadata["a"]["b"]', "json.duplicate_key"),
        ("[]", "metadata", "json.wrong_type"),
        ("5", "metadata", "json.wrong_type"),
    ],
)
def test_free_data_that_cannot_be_kept(metadata, field, rule):
    """Free data is refused where protobuf or a database could not hold it, with the place in it."""
    assert violations(f'{{"metadata": {metadata}}}', status_pb2.StatusReport) == [(field, rule)]


@pytest.mark.parametrize(
    "metadata",
    [{"fields": {"a": 1}}, {"values": [1]}, {"a": {"fields": {"b": {"string_value": 1}}}}, {"": None}, {"a": [[], {}]}],
)
def test_free_data_that_looks_like_protobuf(metadata):
    """Free data may use the names that protobuf uses for its own parts."""
    report = api_messages.decoded(json.dumps({"metadata": metadata}).encode(), status_pb2.StatusReport)
    assert rendering.to_data(report)["metadata"] == metadata


def test_free_data_as_deep_as_allowed_can_be_stored():
    """What the decoder accepts, protobuf's own parser reads again; one level more is refused."""
    deepest = '{"a":' * json_values.MAX_DEPTH + "1" + "}" * json_values.MAX_DEPTH
    report = api_messages.decoded(f'{{"metadata": {deepest}}}'.encode(), status_pb2.StatusReport)
    whole = service_pb2.GetNodePoolStatusResponse(controllers=[status_pb2.ControllerStatus(metadata=report.metadata)])
    assert service_pb2.GetNodePoolStatusResponse.FromString(whole.SerializeToString()) == whole
    ((field, rule),) = violations(f'{{"metadata": {{"a": {deepest}}}}}', status_pb2.StatusReport)
    assert rule == "json.too_deep"
    assert field.startswith('metadata["a"]["a"]')


@pytest.mark.parametrize(
    ("around", "held"), [("[%s]", 2), ('{"b": [%s]}', 3), ('[[%s], {"c": true}]', 5)], ids=["list", "object", "both"]
)
def test_free_data_has_a_bound(around, held):
    """Each value counts, whatever holds it; what is more is told once."""
    room = json_values.MAX_VALUES - held
    most, more = ('{"metadata": {"a": ' + around % ",".join(["1"] * count) + "}}" for count in (room, room + 1))
    assert api_messages.decoded(most.encode(), status_pb2.StatusReport)
    assert violations(more, status_pb2.StatusReport) == [("metadata", "json.too_large")]


@pytest.mark.parametrize("details", [None, True, 0, 1.5, "x", [1, None], {"a": {"b": []}}, {}, []])
def test_details_of_any_json_type(details):
    """The details of an error are any JSON value, null too, in either spelling of the field around them."""
    for spelling in ("last_error", "lastError"):
        report = api_messages.decoded(json.dumps({spelling: {"details": details}}).encode(), status_pb2.StatusReport)
        assert report.last_error.HasField("details")
        assert rendering.to_data(report)["last_error"]["details"] == details


@pytest.mark.parametrize(
    ("text", "seconds", "nanos"),
    [
        ("2025-10-17T10:30:00Z", 1_760_697_000, 0),
        ("2025-10-17t10:30:00z", 1_760_697_000, 0),
        ("2025-10-17T12:30:00+02:00", 1_760_697_000, 0),
        ("2025-10-17T05:00:00-05:30", 1_760_697_000, 0),
        ("2025-10-17T10:30:00.5Z", 1_760_697_000, 500_000_000),
        ("2025-10-17T10:30:00.123456789012Z", 1_760_697_000, 123_456_000),
        ("1969-12-31T23:59:59.999999Z", -1, 999_999_000),
        ("2016-12-31T23:59:60Z", 1_483_228_800, 0),
        ("2017-01-01T00:59:60+01:00", 1_483_228_800, 0),
        ("0001-01-01T00:00:00Z", -62_135_596_800, 0),
        ("9999-12-31T23:59:59.999999Z", 253_402_300_799, 999_999_000),
    ],
)
def test_times(text, seconds, nanos):
    """Times are RFC 3339 with any offset, cut to microseconds; a leap second is the second after it."""
    condition = api_messages.decoded(json.dumps({"lastTransitionTime": text}).encode(), status_pb2.Condition)
    assert (condition.last_transition_time.seconds, condition.last_transition_time.nanos) == (seconds, nanos)


@pytest.mark.parametrize(
    "value",
    [
        "2025-10-17",
        "2025-10-17T10:30:00",
        "2025-10-17 10:30:00Z",
        "20251017T103000Z",
        "2025-13-17T10:30:00Z",
        "2025-02-29T10:30:00Z",
        "2025-10-17T24:00:00Z",
        "2025-10-17T10:30:60Z",
        "2025-10-17T10:30:00+24:00",
        "2025-10-17T10:30:00+0200",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "2025-10-17T10:30:00Z\n",
        "٢٠٢٥-10-17T10:30:00Z",
        "",
        1_760_697_000,
        {"seconds": 1},
    ],
)
def test_what_is_no_time(value):
    """Anything else than a time of RFC 3339 is refused, ISO 8601's other forms too."""
    assert violations({"lastTransitionTime": value}, status_pb2.Condition) == [("lastTransitionTime", "json.wrong_type")]


@pytest.mark.parametrize("kind", BODIES, ids=lambda kind: kind.DESCRIPTOR.name)
def test_what_is_rendered_is_read_again(kind):
    """Any message of a request or of a resource survives its JSON."""

    @hypothesis.settings(deadline=None, max_examples=trials.of(60), suppress_health_check=list(hypothesis.HealthCheck))
    @hypothesis.given(api_messages.messages(kind.DESCRIPTOR))
    def survives(value):
        assert api_messages.decoded(rendering.to_json(value).encode(), kind) == value

    survives()


@hypothesis.settings(deadline=None, max_examples=trials.of(200))
@hypothesis.given(api_messages.DATA)
def test_no_data_breaks_the_reader(data):
    """Whatever the JSON, the answer is a message or violations, and every violation can be sent."""
    for violation in broken_rules(data):
        assert violation.rule_id in request_rules.RULES
        violation.path.encode()


@hypothesis.settings(deadline=None, max_examples=trials.of(200))
@hypothesis.given(hypothesis.strategies.binary(max_size=64))
def test_no_bytes_break_the_reader(data):
    """Whatever the bytes, the answer is a message or violations."""
    assert {violation.rule_id for violation in broken_rules(data)} <= set(request_rules.RULES)


def test_every_request_can_be_read():
    """No request has a field of a type that the decoder cannot read."""
    for route in routes.routes():
        assert decode.table(route.request.DESCRIPTOR, json_data.FORM).keys() >= {*route.query, *route.path_fields}


QUERY = ("limit", "offset", "page_token", "status", "include_deleting", "cluster_id")


def query(items, fields=QUERY):
    return json_data.read_parameters(items, service_pb2.ListNodePoolsRequest, fields)


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([("limit", "10"), ("status", "Ready")], {"limit": 10, "status": "Ready"}),
        ([("offset", "0")], {"offset": 0}),
        ([("page_token", "a b+c")], {"page_token": "a b+c"}),
        ([("pageToken", "x")], {"page_token": "x"}),
        ([("clusterId", "x")], {"cluster_id": "x"}),
        ([("cluster_id", "x")], {"cluster_id": "x"}),
        ([("includeDeleting", "true")], {"include_deleting": True}),
        ([("include_deleting", "false")], {}),
        ([("limit", "-1")], {"limit": -1}),
        ([], {}),
    ],
)
def test_query_parameters(items, expected):
    """Query parameters have the same spellings as fields of bodies; rules are checked elsewhere."""
    assert query(items) == (service_pb2.ListNodePoolsRequest(**expected), [])


def test_dry_run_in_both_spellings():
    """``dryRun`` and ``dry_run`` are the same."""
    for name in ("dryRun", "dry_run"):
        assert json_data.read_parameters([(name, "true")], clusters_pb2.DeleteClusterRequest, ("force", "dry_run"))[0].dry_run


@pytest.mark.parametrize(
    ("items", "field", "rule"),
    [
        ([("limt", "1")], "limt", "query.unknown_parameter"),
        ([("health", "healthy")], "health", "query.unknown_parameter"),
        ([("limit", "1"), ("limit", "1")], "limit", "query.duplicate"),
        ([("pageToken", "a"), ("page_token", "a")], "page_token", "query.duplicate"),
        ([("limit", "abc"), ("limit", "1")], "limit", "query.duplicate"),
        ([("limit", "")], "limit", "query.wrong_type"),
        ([("limit", "1.0")], "limit", "query.wrong_type"),
        ([("limit", "+1")], "limit", "query.wrong_type"),
        ([("limit", " 1")], "limit", "query.wrong_type"),
        ([("limit", "01")], "limit", "query.wrong_type"),
        ([("limit", "1_0")], "limit", "query.wrong_type"),
        ([("limit", "٣")], "limit", "query.wrong_type"),
        ([("limit", "99999999999999999999999999999999")], "limit", "query.wrong_type"),
        ([("limit", "9" * 10_000)], "limit", "query.wrong_type"),
        ([("includeDeleting", "True")], "includeDeleting", "query.wrong_type"),
        ([("includeDeleting", "1")], "includeDeleting", "query.wrong_type"),
        ([("includeDeleting", "")], "includeDeleting", "query.wrong_type"),
        ([("status", "a\x00")], "status", "query.wrong_type"),
    ],
)
def test_query_parameters_that_do_not_fit(items, field, rule):
    """A parameter that is unknown, given twice or of another type is refused."""
    _, broken = query(items)
    assert (field, rule) in [(violation.path, violation.rule_id) for violation in broken]
    assert {violation.rule_id for violation in broken} <= set(request_rules.RULES)


def test_unknown_parameter_is_told_with_the_nearest_one():
    """A misspelt parameter is told with the one that it resembles."""
    _, (violation,) = query([("pagetoken", "x")])
    assert (violation.path, violation.suggestion) == ("pagetoken", "page_token")
