"""What REST adds to the methods: paths, headers, bodies as text, statuses, the envelope of errors."""

import json
import logging
import uuid

import pytest

from planton_server.http import rest as transport
from planton_server.service import routes
from support import api

JSON = {"content-type": "application/json"}


def send(client, verb, path, body=None, **headers):
    """Sends a request as it stands; ``body`` is text, bytes, chunks or JSON data."""
    content = json.dumps(body) if isinstance(body, dict | list) else body
    said = {
        "x-user-email": client.user,
        **(JSON if content is not None else {}),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    request = client.server.rest.request(
        verb, path, content=content, headers={name: value for name, value in said.items() if value}
    )
    return client.server.loop.run(request)


def error(answer):
    """Returns the code of an error's envelope, which must be whole."""
    assert answer.headers["content-type"] == "application/json"
    envelope = answer.json()
    assert envelope.keys() == {"error"}
    assert {"code", "message", "details"} <= envelope["error"].keys() <= {"code", "message", "details", "violations"}
    return envelope["error"]["code"]


def rules(answer):
    assert answer.status_code == 400, answer.text
    assert error(answer) == "VALIDATION_ERROR"
    return [(each["field"], each["rule_id"]) for each in answer.json()["error"]["violations"]]


def test_walk_by_path(rest):
    """Every path of the contract with its verb and its success."""
    cluster = send(rest, "POST", "/api/v1/clusters", {"name": "c", "spec": {"platform": {"type": "gcp"}}})
    at = f"/api/v1/clusters/{cluster.json()['id']}"
    made = send(rest, "POST", f"{at}/nodepools", api.pool())
    other = send(rest, "POST", "/api/v1/nodepools", api.pool(name="other") | {"cluster_id": cluster.json()["id"]})
    assert [answer.status_code for answer in (cluster, made, other)] == [201, 201, 201]
    pool = f"/api/v1/nodepools/{made.json()['id']}"
    report = {"controller_name": "c", "observed_generation": 1}
    for verb, path, body, caller, status in (
        ("GET", "/api/v1/clusters", None, "", 200),
        ("GET", at, None, "", 200),
        ("PUT", at, {"spec": {"platform": {"type": "gcp"}}}, "", 200),
        ("GET", f"{at}/status", None, "", 200),
        ("PUT", f"{at}/status", report, api.CONTROLLER, 200),
        ("GET", f"{at}/nodepools", None, "", 200),
        ("GET", f"/api/v1/nodepools?clusterId={cluster.json()['id']}", None, "", 200),
        ("GET", pool, None, "", 200),
        ("PUT", pool, api.pool(), "", 200),
        ("GET", f"{pool}/status", None, "", 200),
        ("PUT", f"{pool}/status", report, api.CONTROLLER, 200),
        ("GET", "/api/v1/events?after=&limit=1", None, "", 200),
        ("DELETE", f"{pool}?force=true", None, "", 204),
        ("DELETE", f"{at}?force=true", None, "", 202),
    ):
        answer = send(rest, verb, path, body, x_user_email=caller or rest.user)
        assert answer.status_code == status, (verb, path, answer.text)
        assert (answer.content == b"") == (status == 204)
        if status != 204:
            assert answer.headers["content-type"] == "application/json"


def test_headers_of_a_resource(rest):
    """An answer that is a resource carries its version as an entity tag, a new one its place."""
    cluster = rest.cluster()["id"]
    made = send(rest, "POST", f"/api/v1/clusters/{cluster}/nodepools", api.pool())
    tag = made.headers["etag"]
    assert tag == f'"{made.json()["resource_version"]}"'
    assert made.headers["location"] == f"/api/v1/nodepools/{made.json()['id']}"
    read = send(rest, "GET", made.headers["location"])
    assert (read.headers["etag"], "location" in read.headers) == (tag, False)
    changed = send(rest, "PUT", made.headers["location"], api.pool(nodeCount=9), if_match=tag)
    assert changed.headers["etag"] == f'"{changed.json()["resource_version"]}"' != tag
    assert send(rest, "PUT", made.headers["location"], api.pool(nodeCount=8), if_match=tag).status_code == 412


@pytest.mark.parametrize("kind", ["clusters", "nodepools"])
def test_a_version_that_the_caller_has_is_not_sent_again(rest, kind):
    """`If-None-Match` with the current entity tag, among others, weak, or as `*`, is answered 304 until the resource changes."""
    cluster = rest.cluster()
    made = cluster if kind == "clusters" else send(rest, "POST", f"/api/v1/clusters/{cluster['id']}/nodepools", api.pool()).json()
    path, body = f"/api/v1/{kind}/{made['id']}", {"name": "renamed", "spec": made["spec"]}
    tag = send(rest, "GET", path).headers["etag"]
    for tags in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        for verb in ("GET", "HEAD"):
            answer = send(rest, verb, path, if_none_match=tags)
            assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
            assert "content-type" not in answer.headers
            assert answer.headers["x-request-id"]
    assert send(rest, "GET", path, if_none_match='"other"').status_code == 200
    # A write and a status are always answered in full.
    assert send(rest, "PUT", path, body, if_none_match="*").status_code == 200
    assert send(rest, "GET", f"{path}/status", if_none_match="*").status_code == 200
    changed = send(rest, "GET", path, if_none_match=tag)
    assert (changed.status_code, changed.json()["name"]) == (200, "renamed")


@pytest.mark.parametrize(
    "path", ["/", "/api", "/api/v1", "/api/v2/nodepools", "/api/v1/nodepools/", "/api/v1/nodepools/a/b/c", "/favicon.ico"]
)
def test_unknown_path(rest, path):
    """What there is not is told in the envelope too."""
    answer = send(rest, "GET", path)
    assert (answer.status_code, error(answer)) == (404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("verb", "path", "allow"),
    [
        ("PATCH", "/api/v1/nodepools/x", "DELETE, GET, HEAD, PUT"),
        ("DELETE", "/api/v1/nodepools", "GET, HEAD, POST"),
        ("POST", "/api/v1/nodepools/x/status", "GET, HEAD, PUT"),
        ("GET", "/api/v1/events/x/acknowledgement", "PUT"),
        ("POST", "/health", "GET, HEAD"),
    ],
)
def test_wrong_method(rest, verb, path, allow):
    """A path without this method tells those that it has."""
    answer = send(rest, verb, path)
    assert (answer.status_code, error(answer), answer.headers["allow"]) == (405, "METHOD_NOT_ALLOWED", allow)


@pytest.mark.parametrize("path", sorted({route.path for route in routes.routes()}))
def test_every_path_needs_an_identity(rest, path):
    """No method of the API answers to nobody, whatever it is asked."""
    for route in routes.routes():
        if route.path == path:
            answer = send(rest, route.verb, path.replace("{", "").replace("}", ""), x_user_email="")
            assert (answer.status_code, error(answer)) == (401, "UNAUTHENTICATED")
            assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "path", ["/api/v1/nodepools/x", "/api/v1/clusters/550e8400-e29b-41d4-a716", "/api/v1/nodepools/x/status"]
)
def test_bad_id(rest, path):
    """An id that is no UUID is told as such."""
    assert rules(send(rest, "GET", path)) == [("id", "string.uuid")]


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', "nul", '{"name": NaN}', "{} {}", b"\xff{}", "\ufeff{}", "[" * 100_000])
def test_malformed_body(rest, text):
    """What is no JSON object is refused whatever else it is."""
    assert rules(send(rest, "POST", "/api/v1/clusters", text or b""))[0][1] in {"json.malformed", "json.wrong_type"}


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ('{"name": "a", "name": "b", "spec": {"platform": {"type": "gcp"}}}', [("name", "json.duplicate_key")]),
        (
            '{"name": "a", "spec": {"infraID": "x", "infra_id": "y", "platform": {"type": "gcp"}}}',
            [("spec.infraID", "json.duplicate_key")],
        ),
        ('{"name": "a", "spec": {"platform": {"type": "gcp"}}, "sepc": 1}', [("sepc", "json.unknown_field")]),
        ('{"name": "a", "spec": {"platform": {"type": "gcp", "oracle": {}}}}', [("spec.platform.oracle", "json.unknown_field")]),
        ('{"name": 1, "spec": {"platform": {"type": "gcp"}}}', [("name", "json.wrong_type")]),
        ('{"name": "a", "spec": {"platform": ["gcp"]}}', [("spec.platform", "json.wrong_type")]),
        ('{"name": "a\\u0000", "spec": {"platform": {"type": "gcp"}}}', [("name", "json.text")]),
        ('{"name": "a", "dry_run": true, "spec": {"platform": {"type": "gcp"}}}', [("dry_run", "json.unknown_field")]),
    ],
)
def test_strict_body(rest, text, broken):
    """A field that there is not, twice, or of another type is refused, and nothing is stored."""
    assert rules(send(rest, "POST", "/api/v1/clusters", text)) == broken
    assert rest.call("ListClusters").body["total"] == 0


def test_everything_wrong_is_told_at_once(rest):
    """The text's, the schema's and the query's faults stand in one answer; the absent name comes first, in the guide's words."""
    body = {"spec": {"platform": {"type": "gcp", "gcp": {"diskSize": 5, "zones": ["a-b1-c", "d-e1-f"]}}, "nodeCount": -1}, "x": 1}
    answer = send(rest, "POST", f"/api/v1/clusters/{uuid.uuid4()}/nodepools?dryrun=1", body)
    violations = rules(answer)
    assert violations[0] == ("name", "required")
    assert {*violations[1:]} == {
        ("dryrun", "query.unknown_parameter"),
        ("x", "json.unknown_field"),
        ("spec.nodeCount", "int32.gte"),
        ("spec.platform.gcp.machineType", "required"),
        ("spec.platform.gcp.diskSize", "int32.gte_lte"),
        ("spec.platform.gcp.zones", "gcp_node_pool.zones_of_one_region"),
    }
    assert answer.json()["error"]["message"] == "Validation failed"
    assert answer.json()["error"]["details"] == "nodepool name is required"


@pytest.mark.parametrize("body", [{"spec": {}}, {"name": "", "spec": {}}, {"name": None, "spec": {}}, {}])
def test_absent_name_in_the_words_of_the_guide(rest, body):
    """Exactly the guide's words."""
    answer = send(rest, "POST", f"/api/v1/clusters/{uuid.uuid4()}/nodepools", body)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "Validation failed"
    assert answer.json()["error"]["details"] == "nodepool name is required"


@pytest.mark.parametrize(
    "query", ["limit=x", "limit=1.5", "limit=", "limit=1&limit=2", "force=yes", "limits=1", "offset=99999999999"]
)
def test_bad_query(rest, query):
    """A query parameter that there is not, twice, or of another type is refused."""
    ((field, rule),) = rules(send(rest, "GET", f"/api/v1/nodepools?{query}"))
    assert field == query.partition("=")[0]
    assert rule.startswith("query.")


def test_body_of_another_type(rest):
    """A body that calls itself something else is not looked at."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json"):
        answer = send(rest, "POST", "/api/v1/clusters", "{}", content_type=kind)
        assert (answer.status_code, error(answer)) == (415, "UNSUPPORTED_MEDIA_TYPE"), kind
    answer = send(
        rest,
        "POST",
        "/api/v1/clusters",
        {"name": "c", "spec": {"platform": {"type": "gcp"}}},
        content_type="Application/JSON; charset=utf-8",
    )
    assert answer.status_code == 201


@pytest.mark.parametrize("size", [transport.BODY_LIMIT, transport.BODY_LIMIT + 1])
@pytest.mark.parametrize("chunked", [False, True])
def test_size_of_a_body(rest, size, chunked):
    """A body of the limit is read, of one byte more is not, whether its length is told or not."""
    text = b'{"name": "' + b"a" * (size - 12) + b'"}'
    assert len(text) == size

    async def chunks():
        for start in range(0, size, 100_000):
            yield text[start : start + 100_000]

    answer = send(rest, "POST", "/api/v1/clusters", chunks() if chunked else text)
    expected = (400, "VALIDATION_ERROR") if size == transport.BODY_LIMIT else (413, "PAYLOAD_TOO_LARGE")
    assert (answer.status_code, error(answer)) == expected


def test_unread_rest_of_a_body_ends_the_connection(rest):
    """What is too long is not read to its end, so nothing can follow it."""
    length = str(20 * transport.BODY_LIMIT)
    answer = send(rest, "POST", "/api/v1/clusters", b"{}", content_length=length)
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")


def test_rate(private):
    """Who asks too often is told when to come back, and nobody else suffers from it."""
    server = private(rate=0.5, burst=2)
    eager, other = api.Api(server, "rest"), api.Api(server, "rest")
    answers = [send(eager, "GET", "/api/v1/nodepools") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert (error(answers[2]), answers[2].headers["retry-after"]) == ("RATE_LIMITED", "2")
    said = [[answer.headers[f"ratelimit-{name}"] for name in ("limit", "remaining", "reset")] for answer in answers]
    assert said == [["2", "1", "2"], ["2", "0", "4"], ["2", "0", "4"]]
    assert send(other, "GET", "/api/v1/nodepools").status_code == 200
    absent = send(other, "GET", f"/api/v1/nodepools/{uuid.uuid4()}")
    assert (absent.status_code, absent.headers["ratelimit-remaining"]) == (404, "0")
    server.clock.advance(2)
    assert send(eager, "GET", "/api/v1/nodepools").status_code == 200


def test_clock_that_is_put_back_locks_nobody_out(private):
    """The rate is one of time that passes, not of the time of day."""
    server = private(rate=1.0, burst=2)
    caller = api.Api(server, "rest")
    assert send(caller, "GET", "/api/v1/nodepools").status_code == 200
    server.clock.put_back(3600)
    assert send(caller, "GET", "/api/v1/nodepools").headers["ratelimit-remaining"] == "0"
    assert send(caller, "GET", "/api/v1/nodepools").status_code == 429
    server.clock.advance(1)
    assert send(caller, "GET", "/api/v1/nodepools").status_code == 200


def test_without_a_rate_nothing_is_said_of_it(rest):
    """What is not limited has no limit to tell."""
    assert not [name for name in send(rest, "GET", "/api/v1/nodepools").headers if name.startswith("ratelimit")]


def test_request_id(rest):
    """Each answer has an id: the caller's where it can be one, else a new one."""
    assert send(rest, "GET", "/api/v1/nodepools", x_request_id="my-id.1").headers["x-request-id"] == "my-id.1"
    for unfit in ("x" * 129, "a\tb", "é"):
        assert uuid.UUID(send(rest, "GET", "/nowhere", x_request_id=unfit.encode()).headers["x-request-id"])
    first, second = (send(rest, "GET", "/health").headers["x-request-id"] for _ in range(2))
    assert first != second


def test_failure_of_the_server(private, caplog):
    """An unexpected error is answered with the request's id, and without its own text; the log has the text, once."""
    server = private()
    server.store.failure = ValueError("/secret/path: driver's own words")
    rest = api.Api(server, "rest")
    answer = send(rest, "GET", "/api/v1/nodepools", x_request_id="the-id")
    assert (answer.status_code, error(answer)) == (500, "INTERNAL")
    assert answer.headers["x-request-id"] == "the-id"
    assert "the-id" in answer.text
    assert "secret" not in answer.text
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "the-id" in record.getMessage()
    assert "driver's own words" in str(record.exc_info[1])


def test_client_that_leaves_in_the_middle_of_a_body(rest, caplog):
    """It is counted as that, and nothing has failed."""
    caplog.set_level(logging.INFO)
    events = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    sent = []

    async def receive():
        return events.pop(0)

    async def send_on(event):
        sent.append(event)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": "/api/v1/clusters",
        "raw_path": b"/api/v1/clusters", "query_string": b"", "root_path": "", "scheme": "http",
        "headers": [(b"x-user-email", rest.user.encode()), (b"content-length", b"9")], "client": ("127.0.0.1", 1), "server": ("api", 80),
    }  # fmt: skip
    rest.server.loop.run(rest.server.app(scope, receive, send_on))
    assert sent[0]["status"] == 499
    (line,) = [record.facts for record in caplog.records if hasattr(record, "facts")]
    assert (line["status"], line["route"]) == (499, "/api/v1/clusters")
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize(
    ("name", "values", "code", "status"),
    [
        ("X-User-Email", ("user@example.com", api.CONTROLLER), "UNAUTHENTICATED", 401),
        ("Authorization", ("Bearer a", "Bearer b"), "UNAUTHENTICATED", 401),
        ("If-Match", ('"1"', '"2"'), "VALIDATION_ERROR", 400),
        ("Idempotency-Key", ("a", "b"), "VALIDATION_ERROR", 400),
    ],
)
def test_header_that_comes_twice(rest, name, values, code, status):
    """Behind a proxy that adds its header to its client's nobody can choose who to be."""
    caller = [] if status == 401 else [("X-User-Email", rest.user)]
    said = [*caller, *((name, value) for value in values)]
    answer = rest.server.loop.run(rest.server.rest.get("/api/v1/nodepools", headers=said))
    assert (answer.status_code, error(answer)) == (status, code)


def test_head(rest):
    """HEAD is GET without the body."""
    made = rest.pool()
    answer = send(rest, "HEAD", f"/api/v1/nodepools/{made['id']}")
    assert (answer.status_code, answer.headers["etag"]) == (200, f'"{made["resource_version"]}"')


def test_head_of_the_events(rest):
    """A stream has no end that somebody who wants no body could wait for."""
    answer = send(rest, "HEAD", "/api/v1/events", accept="text/event-stream")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/health", "/api/v1/health"])
def test_health(rest, path):
    """Health says what the contract says, to anybody."""
    answer = send(rest, "GET", path, x_user_email="")
    body = answer.json()
    assert (answer.status_code, body["status"], body["components"]["database"]["status"]) == (200, "healthy", "healthy")
    assert {"service", "version", "timestamp"} <= body.keys()


@pytest.mark.parametrize("path", ["/info", "/api/v1/info"])
def test_info(rest, path):
    """Info says what runs here, to anybody."""
    assert {"service", "version", "environment", "api_version"} <= send(rest, "GET", path, x_user_email="").json().keys()


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/ready", "application/json"), ("/openapi.json", "application/json"), ("/docs", "text/html"), ("/metrics", "text/plain")],
)
def test_documents(rest, path, kind):
    """What is beside the methods is there for anybody, each in its form."""
    answer = send(rest, "GET", path, x_user_email="")
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, kind)
    assert answer.content


def test_log_has_no_secret(rest, caplog):
    """What a node runs when it starts, and a token, stand in no line of the log, be the request good or bad."""
    caplog.set_level(logging.DEBUG)
    body = api.pool("aws", cloud={"userData": "the-user-data"})
    cluster = rest.cluster("aws")["id"]
    for changed, status in ((body, 201), (body, 409), (body | {"x": 1}, 400)):
        answer = send(rest, "POST", f"/api/v1/clusters/{cluster}/nodepools", changed)
        assert answer.status_code == status
        assert status == 201 or "the-user-data" not in answer.text
    send(rest, "GET", "/api/v1/nodepools", authorization="Bearer the-token")
    text = "".join(str(record.__dict__) for record in caplog.records if record.name.startswith("planton"))
    assert cluster in text or rest.user in text
    assert "the-user-data" not in text
    assert "the-token" not in text


def test_log_line_of_a_request(rest, caplog):
    """A request's line says who asked for what, and how it went."""
    caplog.set_level(logging.INFO)
    made = rest.pool()
    facts = [record.facts for record in caplog.records if hasattr(record, "facts")]
    (line,) = [one for one in facts if one["route"].endswith("/nodepools")]
    assert (line["status"], line["caller"], line["subject"], line["generation"]) == (201, rest.user, made["id"], 1)
