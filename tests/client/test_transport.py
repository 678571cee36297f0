"""The API client: requests, retries and errors."""

import json
import threading

import httpx
import pytest

from org.project_planton.cluster.v1 import service_pb2 as cluster_service_pb2
from org.project_planton.cluster.v1 import status_pb2
from org.project_planton.nodepool.v1 import service_pb2
from planton import client, errors


class Responses:
    """A server with scripted responses, which records the requests."""

    def __init__(self, *responses):
        self.responses = list(responses)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        response = self.responses.pop(0)
        if isinstance(response, Exception):
            raise response
        return response


def transport(responses, waits=None, **options):
    wait = waits.append if waits is not None else lambda _: None
    return client.Transport("http://api", transport=httpx.MockTransport(responses), wait=wait, **options)


def error(status, code, **more):
    headers = {"x-request-id": "r-1"} | more.pop("headers", {})
    return httpx.Response(status, json={"error": {"code": code, "message": "no", "details": "", **more}}, headers=headers)


def test_a_token_replaces_the_user_header():
    responses = Responses(httpx.Response(200, json={}), httpx.Response(200, json={}))
    transport(responses, user="a@example.com").request("GET", "/x")
    transport(responses, user="a@example.com", token="t").request("GET", "/x")
    assert responses.requests[0].headers["x-user-email"] == "a@example.com"
    assert "x-user-email" not in responses.requests[1].headers
    assert responses.requests[1].headers["authorization"] == "Bearer t"


@pytest.mark.parametrize(
    "identity", [{"token": "\u2026"}, {"token": "two words"}, {"user": "m\u00fcller@example.com"}, {"user": "a@b\n"}]
)
def test_an_identity_that_does_not_fit_a_header_is_an_error_without_the_token(identity):
    with pytest.raises(errors.PlantonError) as raised:
        transport(Responses(), **identity)
    assert (raised.value.code, raised.value.reason) == (errors.Code.MISSING, errors.Reason.CREDENTIAL_MISSING)
    assert identity.get("token", "!") not in str(raised.value)
    assert "PLANTON_API_" in raised.value.hint


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8080", "localhost", "", "ftp://api", "http://", "http://[::1", "http://a:99999", "http://a b"]
)
def test_an_invalid_address_is_an_error_with_an_example(url):
    with pytest.raises(errors.PlantonError) as raised:
        client.Transport(url)
    assert raised.value.code == errors.Code.USAGE
    assert "http://127.0.0.1:8080" in raised.value.hint


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://a:8080/", "http://a:8080"),
        ("http://a:8080/api/v1/", "http://a:8080"),
        ("https://a/planton/api/v1", "https://a/planton"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_an_address_can_include_the_api_prefix(url, expected):
    responses = Responses(httpx.Response(200, json={}))
    connected = client.Transport(url, transport=httpx.MockTransport(responses))
    connected.request("GET", "/api/v1/nodepools")
    assert connected.url == expected
    assert str(responses.requests[0].url) == f"{expected}/api/v1/nodepools"


def test_a_create_is_retried_with_one_idempotency_key():
    responses = Responses(httpx.ReadTimeout("late"), error(503, "UNAVAILABLE"), httpx.Response(201, json={"id": "1"}))
    assert transport(responses).request("POST", "/x", {"name": "a"}) == {"id": "1"}
    keys = {request.headers["idempotency-key"] for request in responses.requests}
    assert len(responses.requests) == 3
    assert len(keys) == 1


def test_an_update_whose_response_is_lost_is_not_retried():
    responses = Responses(httpx.ReadTimeout("late"))
    with pytest.raises(errors.PlantonError) as raised:
        transport(responses).request("PUT", "/x", {})
    assert raised.value.reason == errors.Reason.API_UNREACHABLE
    assert len(responses.requests) == 1


@pytest.mark.parametrize("status", [502, 504])
def test_an_update_after_a_gateway_error_is_not_retried(status):
    responses = Responses(httpx.Response(status, text="<html>"))
    with pytest.raises(client.ApiError):
        transport(responses).request("PUT", "/x", {})
    assert len(responses.requests) == 1


@pytest.mark.parametrize(
    "lost", [httpx.ReadTimeout("late"), httpx.Response(502), httpx.Response(504)], ids=["late", "502", "504"]
)
def test_not_found_after_a_lost_response_is_a_successful_delete(lost):
    responses = Responses(lost, error(503, "UNAVAILABLE"), error(404, "NOT_FOUND"))
    assert transport(responses).request("DELETE", "/x") == {}
    assert len(responses.requests) == 3


@pytest.mark.parametrize(
    ("verb", "query", "before"),
    [
        ("DELETE", {}, []),
        ("DELETE", {}, [httpx.ConnectError("refused")]),
        ("DELETE", {}, [error(503, "UNAVAILABLE")]),
        ("DELETE", {"dryRun": "true"}, [httpx.ReadTimeout("late")]),
        ("GET", {}, [httpx.ReadTimeout("late")]),
    ],
)
def test_not_found_is_an_error_if_no_earlier_delete_can_have_succeeded(verb, query, before):
    with pytest.raises(client.ApiError) as raised:
        transport(Responses(*before, error(404, "NOT_FOUND"))).request(verb, "/x", query=query)
    assert raised.value.status == 404


def test_a_retry_waits_for_the_servers_retry_after():
    waits = []
    responses = Responses(error(429, "RATE_LIMITED", headers={"retry-after": "7"}), httpx.Response(200, json={}))
    transport(responses, waits).request("GET", "/x")
    assert waits == [7.0]


def test_an_unreachable_server_is_an_error_after_four_attempts():
    waits = []
    responses = Responses(*[httpx.ConnectError("refused")] * 4)
    with pytest.raises(errors.PlantonError) as raised:
        transport(responses, waits).request("GET", "/x")
    assert raised.value.code == errors.Code.FAILED
    assert "planton server start" in raised.value.hint
    assert waits == [0.2, 0.6, 1.8]


def test_a_validation_error_lists_every_violation():
    violations = [
        {"field": "name", "rule_id": "required", "message": "value is required"},
        {"field": "", "rule_id": "x", "message": "no"},
    ]
    with pytest.raises(client.ApiError) as raised:
        transport(Responses(error(400, "VALIDATION_ERROR", violations=violations))).request("POST", "/x", {})
    assert raised.value.message == "no\n  name: value is required [required]\n  no [x]"
    assert raised.value.code == errors.Code.INVALID
    assert raised.value.request_id == "r-1"


@pytest.mark.parametrize(
    ("status", "code", "reason", "exit_code"),
    [
        (400, "VALIDATION_ERROR", "API_REFUSED", 1),
        (401, "UNAUTHENTICATED", "CREDENTIAL_MISSING", 8),
        (403, "FORBIDDEN", "API_FORBIDDEN", 5),
        (404, "NOT_FOUND", "NOT_FOUND", 1),
        (409, "CONFLICT", "API_CONFLICT", 5),
        (413, "PAYLOAD_TOO_LARGE", "API_FAILED", 6),
        (500, "INTERNAL", "API_FAILED", 6),
    ],
)
def test_an_api_error_has_the_reason_of_its_code(status, code, reason, exit_code):
    with pytest.raises(client.ApiError) as raised:
        transport(Responses(error(status, code))).request("GET", "/x")
    assert (raised.value.reason, raised.value.code) == (reason, exit_code)


def test_a_response_that_is_not_of_the_api_is_reported_by_its_status():
    with pytest.raises(client.ApiError, match="the server answered 500"):
        transport(Responses(httpx.Response(500, text="<html>"))).request("GET", "/x")


def event(number):
    return f"id: 0-{number}\nevent: nodepool.created\ndata: {json.dumps({'cursor': f'0-{number}'})}\n\n"


def test_events_resume_after_a_broken_connection():
    stream = {"content-type": "text/event-stream"}
    responses = Responses(
        httpx.Response(200, text=": hello\n\n" + event(1) + event(2), headers=stream),
        httpx.ReadError("broken"),
        httpx.Response(200, text=event(3), headers=stream),
    )
    events = transport(responses).events()
    assert [next(events)["cursor"] for _ in range(3)] == ["0-1", "0-2", "0-3"]
    assert [request.headers.get("last-event-id") for request in responses.requests] == [None, "0-2", "0-2"]


def test_a_refused_event_stream_is_an_error():
    with pytest.raises(client.ApiError) as raised:
        next(transport(Responses(error(401, "UNAUTHENTICATED"))).events())
    assert raised.value.status == 401


def test_lists_are_read_page_by_page_as_messages():
    pages = Responses(
        httpx.Response(200, json={"nodepools": [{"id": "1", "name": "a", "generation": 2}], "next_page_token": "t"}),
        httpx.Response(200, json={"nodepools": [{"id": "2", "name": "b", "new_field": 1}]}),
    )
    api = client.Client("http://api")
    api.transport = transport(pages)
    assert [(pool.name, pool.generation) for pool in api.list_node_pools(status="Ready")] == [("a", 2), ("b", 0)]
    assert [request.url.params.get("page_token") for request in pages.requests] == [None, "t"]
    assert pages.requests[1].url.params["status"] == "Ready"


def test_every_write_method_supports_a_dry_run():
    responses = Responses(*(httpx.Response(200, json={}) for _ in range(12)))
    api = client.Client("http://api")
    api.transport = transport(responses)
    for dry_run in (True, False):
        api.create_cluster(cluster_service_pb2.NewCluster(), dry_run=dry_run)
        api.update_cluster("1", cluster_service_pb2.ClusterUpdate(), dry_run=dry_run)
        api.delete_cluster("1", dry_run=dry_run)
        api.create_node_pool("1", service_pb2.NewNodePool(), dry_run=dry_run)
        api.update_node_pool("2", service_pb2.NodePoolUpdate(), dry_run=dry_run)
        api.delete_node_pool("2", force=True, dry_run=dry_run)
    queries = [dict(request.url.params) for request in responses.requests]
    assert queries[:6] == [{"dryRun": "true"}] * 5 + [{"force": "true", "dryRun": "true"}]
    assert queries[6:] == [{}] * 5 + [{"force": "true"}]


def test_bodies_have_the_field_names_of_the_api_and_keep_zeros():
    responses = Responses(httpx.Response(200, json={}), httpx.Response(201, json={}))
    api = client.Client("http://api")
    api.transport = transport(responses)
    api.report_node_pool_status("id/1", status_pb2.StatusReport(controller_name="c", observed_generation=2))
    new = service_pb2.NewNodePool(name="a")
    new.spec.node_count = 0
    api.create_node_pool("c-1", new)
    assert responses.requests[0].url.raw_path == b"/api/v1/nodepools/id%2F1/status"
    assert json.loads(responses.requests[0].content) == {"controller_name": "c", "observed_generation": 2}
    assert json.loads(responses.requests[1].content) == {"name": "a", "spec": {"nodeCount": 0}}


@pytest.mark.parametrize("target", ["http://elsewhere/", "https://api/", "http://api:8081/", "/x"])
def test_a_redirect_is_an_error_and_the_token_is_not_forwarded(target):
    responses = Responses(httpx.Response(302, headers={"location": target}))
    with pytest.raises(errors.PlantonError, match="it redirects") as raised:
        transport(responses, token="t").request("GET", "/x")
    assert raised.value.code == errors.Code.FAILED
    assert len(responses.requests) == 1


@pytest.mark.parametrize("content", ["<html>", "[1]", "1", "null", "[" * 100_000, "\x00"])
def test_a_response_that_is_not_json_of_the_api_is_an_error(content):
    with pytest.raises(errors.PlantonError, match="is not JSON of this API") as raised:
        transport(Responses(httpx.Response(200, content=content.encode())), user="a@b").request("GET", "/x")
    assert (raised.value.code, raised.value.reason) == (errors.Code.FAILED, errors.Reason.API_UNREACHABLE)


@pytest.mark.parametrize(
    "data",
    [{}, {"nodepools": 1}, {"nodepools": [1]}, {"nodepools": None}, {"nodepools": [], "next_page_token": "same"}],
)
def test_an_invalid_list_response_is_an_error(data):
    responses = Responses(*[httpx.Response(200, json=data)] * 9)
    with pytest.raises(errors.PlantonError) as raised:
        list(transport(responses, user="a@b").items("/x", "nodepools", {}))
    assert raised.value.code == errors.Code.FAILED
    assert len(responses.requests) <= 2


@pytest.mark.parametrize(
    "envelope", [{"code": [1], "message": {"a": 1}}, {"code": 5, "violations": [1, {"field": 7}]}, {"violations": 3}]
)
def test_an_invalid_error_envelope_is_an_api_error(envelope):
    with pytest.raises(client.ApiError) as raised:
        transport(Responses(httpx.Response(400, json={"error": envelope})), user="a@b").request("GET", "/x")
    assert raised.value.status == 400


class Endless(httpx.SyncByteStream):
    """A body that does not end."""

    def __iter__(self):
        while True:
            yield b"x" * 65536


@pytest.mark.parametrize("status", [200, 500])
def test_a_response_body_is_limited(status):
    with pytest.raises(errors.PlantonError, match="more than 16 MiB"):
        transport(Responses(httpx.Response(status, stream=Endless())), user="a@b").request("DELETE", "/x")


def test_the_size_of_an_event_is_limited():
    responses = Responses(httpx.Response(200, stream=Endless()))
    with pytest.raises(errors.PlantonError, match="an event has more than 16 MiB"):
        next(transport(responses, user="a@b").events())


@pytest.mark.parametrize("line", ["data: <html>", "data: []", "data: {}"])
def test_an_invalid_event_ends_the_watch(line):
    with pytest.raises(errors.PlantonError, match="an event is not JSON with a cursor"):
        next(transport(Responses(httpx.Response(200, text=f"{line}\n\n")), user="a@b").events())


def test_a_request_has_a_deadline():
    released = threading.Event()

    def hang(_request):
        released.wait(30)
        return httpx.Response(200, json={})

    try:
        with pytest.raises(errors.PlantonError, match=r"no complete answer within 0\.1 seconds"):
            transport(hang, user="a@b", deadline=0.1).request("GET", "/x")
    finally:
        released.set()


@pytest.mark.parametrize("retry_after", ["nonsense", "Wed, 99 Oct 2026 07:28:00 GMT", "-1"])
def test_an_invalid_retry_after_uses_the_default_wait(retry_after):
    waits = []
    responses = Responses(httpx.Response(503, headers={"retry-after": retry_after}), httpx.Response(200, json={}))
    assert transport(responses, waits, user="a@b").request("GET", "/x") == {}
    assert waits == [0.2]
