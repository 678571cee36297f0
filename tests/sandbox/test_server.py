"""The running sandbox: faults, log, clock, out-of-band changes, and restarts."""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import pathlib
import stat
import time
import urllib.error
import urllib.request

import pytest

from planton_sandbox import launch
from support import sandbox as support
from support.sandbox import Sandbox

POOLS = [{"id": "main", "count": 2, "size": "g4s.kube.small", "taints": None}]


def _cluster(sandbox: Sandbox, name: str = "c1") -> str:
    key = sandbox.call("POST", "/kubernetes/clusters", {"name": name, "pools": POOLS}).body["id"]
    sandbox.call("GET", f"/kubernetes/clusters/{key}")
    return str(key)


def _status(sandbox: Sandbox, key: str) -> str:
    return str(sandbox.call("GET", f"/kubernetes/clusters/{key}").body["status"])


def test_the_nth_matching_request_fails(sandbox: Sandbox) -> None:
    """Earlier and later matching requests succeed."""
    sandbox.control.fault(method="GET", path="/networks$", nth=2, action="status", status=503, body={"reason": "no"})
    statuses = [sandbox.call("GET", "/networks").status for _ in range(3)]
    assert statuses == [200, 503, 200]
    assert sandbox.call("GET", "/regions").status == 200


@pytest.mark.parametrize(("cloud", "key"), [("civo", "reason"), ("digitalocean", "message"), ("gcp", "error")])
def test_a_fault_has_the_format_of_its_cloud(sandbox: Sandbox, cloud: str, key: str) -> None:
    """A fault without a body gets the cloud's format, with the fault's headers."""
    sandbox.control.fault(cloud=cloud, action="status", status=429, headers={"Retry-After": "7"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{sandbox.info.clouds[cloud]}/v2/regions")
    assert (refused.value.code, refused.value.headers["Retry-After"]) == (429, "7")
    body = json.load(refused.value)
    assert (body[key]["message"] if cloud == "gcp" else body[key]).startswith("Fault ")


def test_json_is_read_whatever_its_content_type_is(sandbox: Sandbox) -> None:
    """curl sends it as a form, unless it is told otherwise."""
    headers = {"Authorization": "Bearer sandbox-token", "Content-Type": "application/x-www-form-urlencoded"}
    connection = http.client.HTTPConnection(sandbox.digitalocean.removeprefix("http://"))
    connection.request("POST", "/v2/tags", json.dumps({"name": "blue"}), headers)
    assert json.load(connection.getresponse())["tag"]["name"] == "blue"


def test_a_204_response_has_no_body(sandbox: Sandbox) -> None:
    """DigitalOcean responds to deletions without a body."""
    headers = {"Authorization": "Bearer sandbox-token", "Content-Type": "application/json"}
    connection = http.client.HTTPConnection(sandbox.digitalocean.removeprefix("http://"))
    connection.request("POST", "/v2/tags", json.dumps({"name": "blue"}), headers)
    assert json.load(connection.getresponse())["tag"]["name"] == "blue"
    connection.request("DELETE", "/v2/tags/blue", headers=headers)
    response = connection.getresponse()
    assert (response.status, response.read(), response.headers["Content-Length"]) == (204, b"", None)
    assert response.headers["x-request-id"]


def test_a_fault_strikes_one_account_until_it_is_removed(sandbox: Sandbox) -> None:
    """Requests of other accounts succeed."""
    sandbox.control.fault(account="sandbox-b", action="status", status=500, times=0)
    assert sandbox.call("GET", "/networks").status == 200
    assert [sandbox.call("GET", "/networks", token="sandbox-b").status for _ in range(2)] == [500, 500]
    sandbox.control.clear_faults()
    assert sandbox.call("GET", "/networks", token="sandbox-b").status == 200


@pytest.mark.parametrize(("action", "is_created"), [("drop", False), ("drop_after", True), ("timeout", False)])
def test_a_cut_connection_is_an_error_for_the_client(sandbox: Sandbox, action: str, is_created: bool) -> None:
    """Only with drop_after the request was handled."""
    sandbox.control.fault(method="POST", path="/networks$", action=action, seconds=0.05)
    with pytest.raises((urllib.error.URLError, http.client.HTTPException, ConnectionError)):
        sandbox.call("POST", "/networks", {"label": "a"})
    labels = [item["label"] for item in sandbox.control.resources()["networks"]]
    assert ("a" in labels) is is_created
    assert sandbox.control.requests()[-1]["status"] == 0


def test_a_slow_request_is_handled_after_its_delay(sandbox: Sandbox) -> None:
    """The status is that of a normal request."""
    sandbox.control.fault(path="/networks$", action="slow", seconds=0.1)
    started = time.monotonic()
    assert sandbox.call("GET", "/networks").status == 200
    assert time.monotonic() - started >= 0.1


def test_a_held_request_is_handled_when_its_fault_is_removed(sandbox: Sandbox) -> None:
    """Before that, it changes nothing."""
    rule = sandbox.control.fault(method="POST", path="/networks$", action="hold")
    with concurrent.futures.ThreadPoolExecutor() as threads:
        pending = threads.submit(sandbox.call, "POST", "/networks", {"label": "a"})
        while not sandbox.control.call("GET", "/faults")["faults"][0]["struck"]:
            assert not pending.done()
        assert "a" not in [item["label"] for item in sandbox.control.resources()["networks"]]
        sandbox.control.call("DELETE", f"/faults/{rule}")
        assert pending.result().status == 200
    assert "a" in [item["label"] for item in sandbox.control.resources()["networks"]]


def test_an_invalid_control_request_is_an_error_with_a_reason(sandbox: Sandbox) -> None:
    """The status is 400."""
    for body in ({"action": "explode"}, {"action": "drop", "colour": "red"}, {"action": "drop", "path": "("}):
        with pytest.raises(launch.LaunchError, match="400"):
            sandbox.control.call("POST", "/faults", body)
    with pytest.raises(launch.LaunchError, match="No cluster 'x'"):
        sandbox.control.outside("delete-cluster", cluster="x")


def test_the_log_has_no_tokens(sandbox: Sandbox) -> None:
    """Each request is logged with method, path, query, body, status and account, without secrets."""
    mark = sandbox.control.mark()
    sandbox.call("PUT", "/networks/none", {"label": "a", "api_token": "sandbox-secret"})
    entry = sandbox.control.requests(mark)[0]
    assert (entry["method"], entry["path"], entry["status"]) == ("PUT", "/v2/networks/none", 404)
    assert entry["body"] == {"region": "LON1", "label": "a", "api_token": "[redacted]"}
    assert len(entry["account"]) == 36
    assert sandbox.token not in json.dumps(sandbox.control.requests())


def test_out_of_band_changes_are_visible_in_the_api(sandbox: Sandbox) -> None:
    """Out-of-band changes scale and relabel pools, upgrade clusters, and delete resources."""
    key = _cluster(sandbox)
    sandbox.control.outside("scale", cluster="c1", count=3)
    sandbox.control.outside("relabel", cluster="c1", pool="main", labels={"x": "y"})
    sandbox.control.outside("upgrade", cluster="c1", version="1.31.2-k3s1")
    shown = sandbox.call("GET", f"/kubernetes/clusters/{key}").body
    required = shown["required_pools"][0]
    assert (required["count"], required["labels"], shown["kubernetes_version"]) == (3, {"x": "y"}, "1.31.2-k3s1")
    firewall = next(item for item in sandbox.call("GET", "/firewalls").body if item["id"] == shown["firewall_id"])
    sandbox.control.outside("delete-firewall", firewall=firewall["name"])
    sandbox.call("POST", f"/kubernetes/clusters/{key}/pools", {"id": "a", "count": 1, "size": "g4s.kube.small"})
    sandbox.control.outside("delete-pool", cluster="c1", pool="a")
    assert sandbox.call("GET", f"/kubernetes/clusters/{key}/pools/a").status == 404
    sandbox.control.outside("delete-cluster", cluster=key)
    assert sandbox.control.resources()["clusters"] == []


def test_an_out_of_band_change_cannot_delete_the_last_pool(sandbox: Sandbox) -> None:
    """Clients rely on a cluster having at least one pool."""
    _cluster(sandbox)
    with pytest.raises(launch.LaunchError, match="last pool"):
        sandbox.control.outside("delete-pool", cluster="c1", pool="main")


def test_the_clock_moves_only_on_request(sandbox: Sandbox) -> None:
    """With realistic latency, nothing happens until the clock moves."""
    sandbox.control.latency("realistic")
    key = _cluster(sandbox)
    assert _status(sandbox, key) == "BUILDING"
    sandbox.control.advance(100)
    assert _status(sandbox, key) == "ACTIVE"


def test_a_restart_keeps_resources_and_urls(tmp_path: pathlib.Path) -> None:
    """The kubeconfigs stay valid too."""
    home = tmp_path / "home"
    with support.running(home) as first:
        key = _cluster(first)
        before = first.call("GET", f"/kubernetes/clusters/{key}").body
        assert stat.S_IMODE((home / "sandbox.json").stat().st_mode) == 0o600
        assert stat.S_IMODE((home / "state.json").stat().st_mode) == 0o600
    assert not (home / "sandbox.json").exists()
    with support.running(home) as second:
        assert (second.civo, second.info.control) == (first.civo, first.info.control)
        assert second.call("GET", f"/kubernetes/clusters/{key}").body == before


def test_a_reset_empties_the_clouds(sandbox: Sandbox) -> None:
    """The log is emptied too."""
    _cluster(sandbox)
    sandbox.control.call("POST", "/reset")
    assert sandbox.control.resources()["clusters"] == []
    assert sandbox.control.requests() == []


def test_a_malformed_request_is_a_400(sandbox: Sandbox) -> None:
    """The body is JSON, like that of every error."""
    for body in ({"name": "c", "pools": "x"}, {"name": "c", "pools": [1]}, {"name": "c", "pools": [{"size": []}]}):
        assert sandbox.call("POST", "/kubernetes/clusters", body).status == 400
