"""Web pages and invalid requests: all are refused, and none makes the sandbox hang or fail."""

from __future__ import annotations

import http.client
import json
import math
import random
import urllib.parse
from collections.abc import Iterator

import pytest

from support import sandbox as support
from support.sandbox import Sandbox

NAMES = (
    *("action", "path", "nth", "times", "status", "seconds", "headers"),
    *("body", "method", "cloud", "advance", "latency", "address", "x"),
)
VALUES = (
    *("drop", "status", "hold", "(", "/x$", 0, 1, -1, 1e300, math.nan, math.inf, 10**400),
    *(True, None, [], {}, {"a": "b"}, "instant", "1.2.3.4", "\x00"),
)
PATHS = (
    *("/clock", "/faults", "/client", "/requests", "/faults/1", "/faults/99999999999999999999"),
    *("/clouds/civo/scale", "/clouds/x/y", "/none"),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox for requests that must not change it."""
    with support.running(tmp_path_factory.mktemp("hostile") / "sandbox") as running:
        yield running


def send(url: str, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, dict[str, object]]:
    """Sends a request; returns status and body of the response."""
    address = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=60)
    sent_headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, sent_headers)
    response = connection.getresponse()
    return response.status, json.loads(response.read() or b"null")


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example:80"},
        {"Host": "127.0.0.1.evil.example"},
        {"Host": ""},
        {"Host": "[::1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://evil.example", "Content_Type": "text/plain"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
@pytest.mark.parametrize("port", ["control", "civo", "digitalocean", "gcp"])
def test_a_web_page_is_refused(shared: Sandbox, headers: dict[str, str], port: str) -> None:
    """This covers DNS rebinding and forms."""
    url = shared.info.control if port == "control" else shared.info.clouds[port]
    path = "/sandbox/reset" if port == "control" else "/v2/networks"
    shared.call("POST", "/networks", {"label": "existing"})
    status, body = send(url, "POST", path, '{"label": "created by a page"}', Authorization="Bearer sandbox-token", **headers)
    assert status == 403
    assert body["error"]
    labels = [network["label"] for network in shared.control.resources()["networks"]]
    assert "existing" in labels
    assert "created by a page" not in labels


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "[::1]"])
@pytest.mark.parametrize("with_port", [True, False])
def test_a_program_of_this_machine_is_accepted(shared: Sandbox, host: str, with_port: bool) -> None:
    """Every loopback name and address is accepted, and so is a page of the sandbox itself."""
    port = urllib.parse.urlsplit(shared.info.control).port
    name = f"{host}:{port}" if with_port else host
    assert send(shared.info.control, "GET", "/sandbox/health", Host=name)[0] == 200
    assert (
        send(shared.info.control, "GET", "/sandbox/health", Host=name, Origin=f"http://{name}", Sec_Fetch_Site="none")[0] == 200
    )


@pytest.mark.parametrize(
    "value",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "1e300",
        "-1",
        "-0.001",
        "9" * 400,
        '"12"',
        '"nan"',
        "true",
        "null",
        "[1]",
        "{}",
        "1e11",
    ],
)
def test_an_invalid_time_is_refused(shared: Sandbox, value: str) -> None:
    """The clock does not move."""
    _, before = send(shared.info.control, "GET", "/sandbox/clock")
    status, body = send(shared.info.control, "POST", "/sandbox/clock", f'{{"advance": {value}}}')
    assert (status, bool(body["error"])) == (400, True)
    _, after = send(shared.info.control, "GET", "/sandbox/clock")
    assert abs(float(str(after["now"])) - float(str(before["now"]))) < 3600


def test_a_clock_a_century_ahead_works(sandbox: Sandbox) -> None:
    """Certificates are valid at that time. The clock cannot move further."""
    assert send(sandbox.info.control, "POST", "/sandbox/clock", '{"advance": 3155760000}')[0] == 200
    response = sandbox.call(
        "POST", "/kubernetes/clusters", {"name": "late", "pools": [{"id": "p", "count": 1, "size": "g4s.kube.small"}]}
    )
    assert response.status == 200
    assert send(sandbox.info.control, "POST", "/sandbox/clock", '{"advance": 1}')[0] == 400


@pytest.mark.parametrize("pattern", ["(a+)+$", "(.*)*x", "(a|aa)+$"])
def test_an_expensive_pattern_blocks_nothing(sandbox: Sandbox, pattern: str) -> None:
    """Matching and other requests get a response."""
    sandbox.control.fault(path=pattern, action="drop", times=0)
    assert send(sandbox.civo, "GET", f"/v2/{'a' * 4000}!", Authorization="Bearer sandbox-token")[0] == 404
    assert sandbox.control.call("GET", "/health")["status"] == "ok"


@pytest.mark.parametrize(
    "rule",
    [
        '{"action": "drop", "path": "(a)\\\\1"}',
        '{"action": "drop", "path": 5}',
        '{"action": "drop", "method": 5}',
        '{"action": "drop", "cloud": []}',
        '{"action": "drop", "account": {}}',
        '{"action": "drop", "nth": "x"}',
        '{"action": "drop", "nth": 0}',
        '{"action": "drop", "times": -1}',
        '{"action": "drop", "times": 1.5}',
        '{"action": "slow", "seconds": NaN}',
        '{"action": "slow", "seconds": Infinity}',
        '{"action": "slow", "seconds": -1}',
        '{"action": "slow", "seconds": 1e9}',
        '{"action": "status", "status": 0}',
        '{"action": "status", "status": 100}',
        '{"action": "status", "status": 99999}',
        '{"action": "status", "headers": {"A": "b\\r\\nc: d"}}',
        '{"action": "status", "headers": {"a b": "c"}}',
        '{"action": "status", "headers": {"a": 5}}',
        '{"action": "status", "headers": []}',
        '{"action": ["drop"]}',
        "[" * 100_000,
        '{"action": "status", "body": ' + "[" * 100_000,
    ],
)
def test_an_invalid_fault_is_refused(shared: Sandbox, rule: str) -> None:
    """It is refused when it is added, not when it strikes."""
    status, body = send(shared.info.control, "POST", "/sandbox/faults", rule)
    assert (status, bool(body["error"])) == (400, True)
    assert shared.control.call("GET", "/faults")["faults"] == []
    assert shared.call("GET", "/networks").status == 200


@pytest.mark.parametrize("address", ["", "x", "1.2.3", "1.2.3.4/8", 5, None, ["1.2.3.4"]])
def test_an_invalid_address_is_refused(shared: Sandbox, address: object) -> None:
    """The error is a 400 with a message."""
    status, body = send(shared.info.control, "POST", "/sandbox/client", json.dumps({"address": address}))
    assert (status, bool(body["error"])) == (400, True)


def test_random_control_requests_do_not_stop_the_sandbox(sandbox: Sandbox) -> None:
    """The status is 200, 400, 404 or 405, and the sandbox keeps serving."""
    chance = random.Random(3)
    for _ in range(300):
        body = json.dumps({chance.choice(NAMES): chance.choice(VALUES) for _ in range(chance.randrange(5))})
        method, path = chance.choice(("POST", "DELETE", "GET", "PUT")), chance.choice(PATHS)
        status, _ = send(sandbox.info.control, method, f"/sandbox{path}", body)
        assert status in {200, 400, 404, 405}, body
    sandbox.control.clear_faults()
    assert sandbox.call("GET", "/networks").status == 200


def test_a_deep_body_is_a_bad_request(sandbox: Sandbox) -> None:
    """This holds for the simulated clouds."""
    for url in (sandbox.civo, sandbox.digitalocean):
        status, _ = send(url, "POST", "/v2/networks", "[" * 100_000, Authorization="Bearer sandbox-token")
        assert status in {400, 404}
