"""Responses of the simulated DigitalOcean, compared with the published OpenAPI description."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import urllib.error
import urllib.request
from typing import Any

import pytest

from planton_sandbox.clouds.digitalocean import cloud
from support import openapi
from support.digitalocean import SMALL
from support.sandbox import Sandbox, sandbox  # noqa: F401 - a fixture

pytestmark = pytest.mark.official

VARIABLE = "PLANTON_DIGITALOCEAN_OPENAPI"
# The description has "imgages" in the schema, but "images" in its examples, like the official clients.
MISSPELT = "resources.images is not described"
RULE = {"protocol": "tcp", "ports": "443", "sources": {"addresses": ["0.0.0.0/0"], "tags": ["web"]}}
OUT = {"protocol": "icmp", "destinations": {"addresses": ["::/0"]}}
TAINT = {"Key": "a", "Value": "b", "Effect": "NoSchedule"}
POOL = {"name": "main", "size": SMALL, "count": 2, "tags": ["web"], "labels": {"x": "y"}, "taints": [TAINT]}


@pytest.fixture(scope="module")
def description() -> openapi.Description:
    """The published description."""
    pytest.importorskip("jsonschema", reason="jsonschema is not installed")
    entry = os.environ.get(VARIABLE)
    if not entry:
        pytest.skip(f"no description: {VARIABLE} names no file such as specification/DigitalOcean-public.v2.yaml")
    return openapi.Description(pathlib.Path(entry))


@dataclasses.dataclass
class Caller:
    """A client that records how responses differ from the description."""

    base: str
    description: openapi.Description
    problems: list[str] = dataclasses.field(default_factory=list)
    requests: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    token: str = "sandbox-token"

    def __call__(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Sends a request, compares the response with the description, and returns the body."""
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.base + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as response:
                status, kind, text = response.status, response.headers["Content-Type"] or "", response.read().decode()
        except urllib.error.HTTPError as error:
            status, kind, text = error.code, "application/json", error.read().decode()
        content = json.loads(text) if "json" in kind and text else text
        route = path.partition("?")[0]
        self.requests.append((method, route))
        for problem in self.description.problems(method, route, status=status, body=content):
            if not problem.endswith(MISSPELT):
                self.problems.append(f"{method} {path}: {status}: {problem}")
        return content


@pytest.fixture
def caller(sandbox: Sandbox, description: openapi.Description) -> Caller:  # noqa: F811 - the fixture
    """A client of the simulated cloud."""
    return Caller(sandbox.digitalocean, description)


@pytest.mark.parametrize(
    ("status", "body", "problem"),
    [
        (200, {"vpcs": [{"name": 1}], "meta": {"total": 1}}, "$.vpcs[0].name"),
        (200, {"vpcs": [{"colour": "red"}], "meta": {"total": 1}}, "$.vpcs[].colour is not described"),
        (200, {"vpcs": []}, "'meta' is a required property"),
        (201, {"vpcs": [], "meta": {"total": 0}}, "status 201 is not described"),
        (404, {"id": "not_found"}, "'message' is a required property"),
    ],
)
def test_the_comparison_detects_differences(description: openapi.Description, status: int, body: Any, problem: str) -> None:
    """Examples are a wrong type, unknown and missing fields, and an unknown status."""
    problems = list(description.problems("GET", "/v2/vpcs", status=status, body=body))
    assert any(problem in item for item in problems), problems


def test_responses_match_the_description(caller: Caller, sandbox: Sandbox) -> None:  # noqa: F811 - the fixture
    """Every route has the documented status, and exactly the documented fields."""
    for path in ("account", "regions", "sizes", "kubernetes/options", "load_balancers", "volumes", "vpcs?page=2&per_page=4"):
        caller("GET", f"/v2/{path}")
    vpc = caller("POST", "/v2/vpcs", {"name": "v1", "region": "fra1"})["vpc"]["id"]
    key = _cluster(caller, vpc_uuid=vpc, ha=True, tags=["prod"])
    _clusters(caller, key)
    _pools(caller, key)
    _networks(caller, vpc)
    for sort in ("load-balancer", "volume", "snapshot"):
        sandbox.control.outside(sort, cloud="digitalocean", cluster="c2", name=f"of-{sort}")
    listed = {path: caller("GET", f"/v2/{path}")[path] for path in ("load_balancers", "volumes", "snapshots")}
    for word in ("selective", "dangerous"):
        caller("DELETE", f"/v2/kubernetes/clusters/{_cluster(caller)}/destroy_with_associated_resources/{word}", {})
    caller("DELETE", f"/v2/kubernetes/clusters/{key}")
    for path, items in listed.items():
        caller("DELETE", f"/v2/{path}/{items[0]['id']}")
    _deletions(caller, vpc)
    assert not caller.problems, "\n".join(caller.problems)
    missing = [
        f"{route.method} {route.pattern.pattern}"
        for route in cloud.ROUTES
        if not any(method == route.method and route.pattern.match(path) for method, path in caller.requests)
    ]
    assert missing == []


def test_errors_match_the_description(caller: Caller, sandbox: Sandbox) -> None:  # noqa: F811 - the fixture
    """This includes injected faults and refused tokens."""
    caller("GET", "/v2/kubernetes/clusters/none")
    caller("POST", "/v2/kubernetes/clusters", {"name": "c1"})
    caller("POST", "/v2/kubernetes/clusters", {"node_pools": 1, "region": "fra1", "name": "c1", "version": "latest"})
    vpcs = caller("GET", "/v2/vpcs")["vpcs"]
    caller("DELETE", f"/v2/vpcs/{vpcs[0]['id']}")
    for status in (429, 500):
        sandbox.control.fault(cloud="digitalocean", action="status", status=status)
        caller("GET", "/v2/kubernetes/clusters")
    caller.token = "wrong"
    caller("GET", "/v2/account")
    assert len(caller.requests) == 8
    assert not caller.problems, "\n".join(caller.problems)


def _cluster(caller: Caller, **more: Any) -> str:
    body = {"name": "c1", "region": "fra1", "version": "1.33.1-do.0", "node_pools": [POOL], **more}
    return str(caller("POST", "/v2/kubernetes/clusters", body)["kubernetes_cluster"]["id"])


def _clusters(caller: Caller, key: str) -> None:
    path = f"/v2/kubernetes/clusters/{key}"
    settings = {
        "name": "c2",
        "surge_upgrade": True,
        "control_plane_firewall": {"enabled": True, "allowed_addresses": ["127.0.0.1"]},
        "cluster_autoscaler_configuration": {"scale_down_unneeded_time": "1m0s", "expanders": ["priority"]},
        "routing_agent": {"enabled": True},
    }
    caller("GET", path)
    caller("PUT", path, settings)
    for part in ("", "/upgrades", "/credentials", "/kubeconfig", "/user", "/destroy_with_associated_resources"):
        caller("GET", f"{path}{part}")
    caller("GET", "/v2/kubernetes/clusters")
    caller("POST", "/v2/kubernetes/registry", {"cluster_uuids": [key]})
    caller("DELETE", "/v2/kubernetes/registry", {"cluster_uuids": [key]})
    newest = _cluster(caller, version="latest")
    caller("GET", f"/v2/kubernetes/clusters/{newest}/upgrades")
    caller("DELETE", f"/v2/kubernetes/clusters/{newest}")


def _pools(caller: Caller, key: str) -> None:
    path = f"/v2/kubernetes/clusters/{key}/node_pools"
    body = {"name": "burst", "size": SMALL, "auto_scale": True, "min_nodes": 2, "max_nodes": 4}
    pool = caller("POST", path, body)["node_pool"]["id"]
    caller("GET", path)
    caller("PUT", f"{path}/{pool}", {"name": "burst", "count": 3, "taints": []})
    nodes = caller("GET", f"{path}/{pool}")["node_pool"]["nodes"]
    caller("DELETE", f"{path}/{pool}/nodes/{nodes[0]['id']}?skip_drain=1&replace=1")
    caller("POST", f"{path}/{pool}/recycle", {"nodes": [nodes[1]["id"]]})
    caller("DELETE", f"{path}/{pool}")
    caller("POST", f"/v2/kubernetes/clusters/{key}/upgrade", {"version": "1.34"})
    caller("GET", f"/v2/kubernetes/clusters/{key}")


def _networks(caller: Caller, vpc: str) -> None:
    caller("GET", "/v2/vpcs")
    caller("GET", f"/v2/vpcs/{vpc}")
    caller("PUT", f"/v2/vpcs/{vpc}", {"name": "v2"})
    caller("PATCH", f"/v2/vpcs/{vpc}", {"description": "x"})
    caller("GET", f"/v2/vpcs/{vpc}/members")
    droplet = caller("GET", "/v2/droplets?tag_name=web")["droplets"][-1]["id"]
    caller("GET", f"/v2/droplets/{droplet}")
    caller("POST", "/v2/tags", {"name": "blue"})
    caller("GET", "/v2/tags")
    caller("GET", "/v2/tags/web")
    body = {"name": "fw", "inbound_rules": [RULE], "tags": ["web"], "droplet_ids": [droplet]}
    path = f"/v2/firewalls/{caller('POST', '/v2/firewalls', body)['firewall']['id']}"
    caller("GET", "/v2/firewalls")
    caller("GET", path)
    caller("PUT", path, {"name": "fw2", "outbound_rules": [OUT]})
    parts = {"rules": {"inbound_rules": [RULE]}, "tags": {"tags": ["blue"]}, "droplets": {"droplet_ids": [droplet]}}
    for part, more in parts.items():
        caller("POST", f"{path}/{part}", more)
        caller("DELETE", f"{path}/{part}", more)
    caller("DELETE", path)
    caller("DELETE", "/v2/tags/blue")


def _deletions(caller: Caller, vpc: str) -> None:
    for _ in range(2):
        # Refused while the cluster is being deleted. The refusal is documented too.
        caller("DELETE", f"/v2/vpcs/{vpc}")
