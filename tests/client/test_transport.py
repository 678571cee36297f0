"""What the API's client sends, repeats and raises."""

import json
import threading

import httpx
import pytest

from org.project_planton.cluster.v1 import service_pb2 as cluster_service_pb2
from org.project_planton.cluster.v1 import status_pb2
from org.project_planton.nodepool.v1 import service_pb2
from planton import client, errors


class Answers:
    """A server that gives answers in turn and keeps the requests."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def transport(answers, waits=None, **options):
    wait = waits.append if waits is not None else lambda _: None
    return client.Transport("http://api", transport=httpx.MockTransport(answers), wait=wait, **options)


def error(status, code, **more):
    headers = {"x-request-id": "r-1"} | more.pop("headers", {})
    return httpx.Response(status, json={"error": {"code": code, "message": "no", "details": "", **more}}, headers=headers)


def test_a_user_is_named_by_the_header_and_a_token_goes_before():
    answers = Answers(httpx.Response(200, json={}), httpx.Response(200, json={}))
    transport(answers, user="a@example.com").request("GET", "/x")
    transport(answers, user="a@example.com", token="t").request("GET", "/x")
    assert answers.requests[0].headers["x-user-email"] == "a@example.com"
    assert "x-user-email" not in answers.requests[1].headers
    assert answers.requests[1].headers["authorization"] == "Bearer t"


@pytest.mark.parametrize(
    "identity", [{"token": "\u2026"}, {"token": "two words"}, {"user": "m\u00fcller@example.com"}, {"user": "a@b\n"}]
)
def test_an_identity_that_no_header_carries_is_told_and_a_token_not_shown(identity):
    with pytest.raises(errors.PlantonError) as raised:
        transport(Answers(), **identity)
    assert (raised.value.code, raised.value.reason) == (errors.Code.MISSING, errors.Reason.CREDENTIAL_MISSING)
    assert identity.get("token", "!") not in str(raised.value)
    assert "PLANTON_API_" in raised.value.hint


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8080", "localhost", "", "ftp://api", "http://", "http://[::1", "http://a:99999", "http://a b"]
)
def test_what_is_no_address_is_told_with_what_one_looks_like(url):
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
def test_an_address_may_have_the_beginning_of_all_paths(url, expected):
    answers = Answers(httpx.Response(200, json={}))
    made = client.Transport(url, transport=httpx.MockTransport(answers))
    made.request("GET", "/api/v1/nodepools")
    assert made.url == expected
    assert str(answers.requests[0].url) == f"{expected}/api/v1/nodepools"


def test_a_creation_is_repeated_under_one_key():
    answers = Answers(httpx.ReadTimeout("late"), error(503, "UNAVAILABLE"), httpx.Response(201, json={"id": "1"}))
    assert transport(answers).request("POST", "/x", {"name": "a"}) == {"id": "1"}
    keys = {request.headers["idempotency-key"] for request in answers.requests}
    assert len(answers.requests) == 3
    assert len(keys) == 1


def test_a_replacement_whose_answer_is_lost_is_not_repeated():
    answers = Answers(httpx.ReadTimeout("late"))
    with pytest.raises(errors.PlantonError) as raised:
        transport(answers).request("PUT", "/x", {})
    assert raised.value.reason == errors.Reason.API_UNREACHABLE
    assert len(answers.requests) == 1


@pytest.mark.parametrize("status", [502, 504])
def test_a_replacement_whose_answer_a_proxy_lost_is_not_repeated(status):
    answers = Answers(httpx.Response(status, text="<html>"))
    with pytest.raises(client.ApiError):
        transport(answers).request("PUT", "/x", {})
    assert len(answers.requests) == 1


@pytest.mark.parametrize(
    "lost", [httpx.ReadTimeout("late"), httpx.Response(502), httpx.Response(504)], ids=["late", "502", "504"]
)
def test_a_deletion_that_finds_nothing_after_a_lost_answer_is_done(lost):
    answers = Answers(lost, error(503, "UNAVAILABLE"), error(404, "NOT_FOUND"))
    assert transport(answers).request("DELETE", "/x") == {}
    assert len(answers.requests) == 3


@pytest.mark.parametrize(
    ("verb", "query", "before"),
    [
        ("DELETE", {}, []),
        ("DELETE", {}, [httpx.ConnectError("gone")]),
        ("DELETE", {}, [error(503, "UNAVAILABLE")]),
        ("DELETE", {"dryRun": "true"}, [httpx.ReadTimeout("late")]),
        ("GET", {}, [httpx.ReadTimeout("late")]),
    ],
)
def test_what_is_not_found_and_cannot_have_been_deleted_is_an_error(verb, query, before):
    with pytest.raises(client.ApiError) as raised:
        transport(Answers(*before, error(404, "NOT_FOUND"))).request(verb, "/x", query=query)
    assert raised.value.status == 404


def test_a_busy_server_says_when_to_come_back():
    waits = []
    answers = Answers(error(429, "RATE_LIMITED", headers={"retry-after": "7"}), httpx.Response(200, json={}))
    transport(answers, waits).request("GET", "/x")
    assert waits == [7.0]


def test_a_server_that_stays_away_is_an_error_after_four_tries():
    waits = []
    answers = Answers(*[httpx.ConnectError("gone")] * 4)
    with pytest.raises(errors.PlantonError) as raised:
        transport(answers, waits).request("GET", "/x")
    assert raised.value.code == errors.Code.FAILED
    assert "planton server start" in raised.value.hint
    assert waits == [0.2, 0.6, 1.8]


def test_a_refusal_tells_every_field_that_is_wrong():
    violations = [
        {"field": "name", "rule_id": "required", "message": "value is required"},
        {"field": "", "rule_id": "x", "message": "no"},
    ]
    with pytest.raises(client.ApiError) as raised:
        transport(Answers(error(400, "VALIDATION_ERROR", violations=violations))).request("POST", "/x", {})
    assert raised.value.message == "no\n  name: value is required [required]\n  no [x]"
    assert raised.value.code == errors.Code.INVALID
    assert raised.value.request_id == "r-1"


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [(404, "NOT_FOUND", "NOT_FOUND"), (409, "CONFLICT", "API_CONFLICT"), (401, "UNAUTHENTICATED", "CREDENTIAL_MISSING")],
)
def test_a_refusal_has_the_reason_of_its_code(status, code, reason):
    with pytest.raises(client.ApiError) as raised:
        transport(Answers(error(status, code))).request("GET", "/x")
    assert raised.value.reason == reason


def test_what_is_no_answer_of_the_api_is_told_by_its_status():
    with pytest.raises(client.ApiError, match="the server answered 500"):
        transport(Answers(httpx.Response(500, text="<html>"))).request("GET", "/x")


def event(number):
    return f"id: 0-{number}\nevent: nodepool.created\ndata: {json.dumps({'cursor': f'0-{number}'})}\n\n"


def test_events_go_on_after_a_broken_connection_where_they_stopped():
    stream = {"content-type": "text/event-stream"}
    answers = Answers(
        httpx.Response(200, text=": hello\n\n" + event(1) + event(2), headers=stream),
        httpx.ReadError("broken"),
        httpx.Response(200, text=event(3), headers=stream),
    )
    events = transport(answers).events()
    assert [next(events)["cursor"] for _ in range(3)] == ["0-1", "0-2", "0-3"]
    assert [request.headers.get("last-event-id") for request in answers.requests] == [None, "0-2", "0-2"]


def test_events_end_where_the_server_refuses():
    with pytest.raises(client.ApiError) as raised:
        next(transport(Answers(error(401, "UNAUTHENTICATED"))).events())
    assert raised.value.status == 401


def test_lists_are_read_page_by_page_as_messages():
    pages = Answers(
        httpx.Response(200, json={"nodepools": [{"id": "1", "name": "a", "generation": 2}], "next_page_token": "t"}),
        httpx.Response(200, json={"nodepools": [{"id": "2", "name": "b", "new_field": 1}]}),
    )
    api = client.Client("http://api")
    api.transport = transport(pages)
    assert [(pool.name, pool.generation) for pool in api.list_node_pools(status="Ready")] == [("a", 2), ("b", 0)]
    assert [request.url.params.get("page_token") for request in pages.requests] == [None, "t"]
    assert pages.requests[1].url.params["status"] == "Ready"


def test_a_dry_run_is_asked_for_of_everything_that_writes():
    answers = Answers(*(httpx.Response(200, json={}) for _ in range(12)))
    api = client.Client("http://api")
    api.transport = transport(answers)
    for dry_run in (True, False):
        api.create_cluster(cluster_service_pb2.NewCluster(), dry_run=dry_run)
        api.update_cluster("1", cluster_service_pb2.ClusterUpdate(), dry_run=dry_run)
        api.delete_cluster("1", dry_run=dry_run)
        api.create_node_pool("1", service_pb2.NewNodePool(), dry_run=dry_run)
        api.update_node_pool("2", service_pb2.NodePoolUpdate(), dry_run=dry_run)
        api.delete_node_pool("2", force=True, dry_run=dry_run)
    queries = [dict(request.url.params) for request in answers.requests]
    assert queries[:6] == [{"dryRun": "true"}] * 5 + [{"force": "true", "dryRun": "true"}]
    assert queries[6:] == [{}] * 5 + [{"force": "true"}]


def test_bodies_have_the_names_and_numbers_of_the_api():
    answers = Answers(httpx.Response(200, json={}), httpx.Response(201, json={}))
    api = client.Client("http://api")
    api.transport = transport(answers)
    api.report_node_pool_status("id/1", status_pb2.StatusReport(controller_name="c", observed_generation=2))
    new = service_pb2.NewNodePool(name="a")
    new.spec.node_count = 0
    api.create_node_pool("c-1", new)
    assert answers.requests[0].url.raw_path == b"/api/v1/nodepools/id%2F1/status"
    assert json.loads(answers.requests[0].content) == {"controller_name": "c", "observed_generation": 2}
    assert json.loads(answers.requests[1].content) == {"name": "a", "spec": {"nodeCount": 0}}


@pytest.mark.parametrize("target", ["http://elsewhere/", "https://api/", "http://api:8081/", "/x"])
def test_a_redirect_is_not_followed_and_the_token_goes_nowhere_else(target):
    answers = Answers(httpx.Response(302, headers={"location": target}))
    with pytest.raises(errors.PlantonError, match="it redirects") as raised:
        transport(answers, token="t").request("GET", "/x")
    assert raised.value.code == errors.Code.FAILED
    assert len(answers.requests) == 1


@pytest.mark.parametrize("content", ["<html>", "[1]", "1", "null", "[" * 100_000, "\x00"])
def test_an_answer_that_is_not_json_of_the_api_is_no_success(content):
    with pytest.raises(errors.PlantonError, match="is not JSON of this API") as raised:
        transport(Answers(httpx.Response(200, content=content.encode())), user="a@b").request("GET", "/x")
    assert (raised.value.code, raised.value.reason) == (errors.Code.FAILED, errors.Reason.API_UNREACHABLE)


@pytest.mark.parametrize(
    "data",
    [{}, {"nodepools": 1}, {"nodepools": [1]}, {"nodepools": None}, {"nodepools": [], "next_page_token": "same"}],
)
def test_a_list_of_another_shape_ends(data):
    answers = Answers(*[httpx.Response(200, json=data)] * 9)
    with pytest.raises(errors.PlantonError) as raised:
        list(transport(answers, user="a@b").items("/x", "nodepools", {}))
    assert raised.value.code == errors.Code.FAILED
    assert len(answers.requests) <= 2


@pytest.mark.parametrize(
    "envelope", [{"code": [1], "message": {"a": 1}}, {"code": 5, "violations": [1, {"field": 7}]}, {"violations": 3}]
)
def test_an_error_of_another_shape_is_an_error(envelope):
    with pytest.raises(client.ApiError) as raised:
        transport(Answers(httpx.Response(400, json={"error": envelope})), user="a@b").request("GET", "/x")
    assert raised.value.status == 400


class Endless(httpx.SyncByteStream):
    """A body that does not end."""

    def __iter__(self):
        while True:
            yield b"x" * 65536


@pytest.mark.parametrize("status", [200, 500])
def test_a_body_has_a_limit(status):
    with pytest.raises(errors.PlantonError, match="more than 16 MiB"):
        transport(Answers(httpx.Response(status, stream=Endless())), user="a@b").request("DELETE", "/x")


def test_an_event_has_a_limit():
    answers = Answers(httpx.Response(200, stream=Endless()))
    with pytest.raises(errors.PlantonError, match="an event has more than 16 MiB"):
        next(transport(answers, user="a@b").events())


@pytest.mark.parametrize("line", ["data: <html>", "data: []", "data: {}"])
def test_an_event_of_another_shape_ends_the_watch(line):
    with pytest.raises(errors.PlantonError, match="an event is not JSON with a cursor"):
        next(transport(Answers(httpx.Response(200, text=f"{line}\n\n")), user="a@b").events())


def test_a_request_has_a_deadline():
    over = threading.Event()

    def hang(_request):
        over.wait(30)
        return httpx.Response(200, json={})

    try:
        with pytest.raises(errors.PlantonError, match=r"no complete answer within 0\.1 seconds"):
            transport(hang, user="a@b", deadline=0.1).request("GET", "/x")
    finally:
        over.set()


@pytest.mark.parametrize("asked", ["nonsense", "Wed, 99 Oct 2026 07:28:00 GMT", "-1"])
def test_a_pause_that_is_none_is_the_usual_one(asked):
    waits = []
    answers = Answers(httpx.Response(503, headers={"retry-after": asked}), httpx.Response(200, json={}))
    assert transport(answers, waits, user="a@b").request("GET", "/x") == {}
    assert waits == [0.2]
