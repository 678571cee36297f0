"""Requests to and answers of the simulated Google Cloud, compared strictly with Google's discovery documents."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import pathlib
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from planton_sandbox.clouds.gcp import routes
from support.sandbox import Sandbox, sandbox  # noqa: F401 - a fixture

PROJECT = "projects/sandbox-project"
PLACE = f"{PROJECT}/locations/us-central1"
CLUSTER = f"{PLACE}/clusters/c1"
POOL = f"{CLUSTER}/nodePools/workers"
ZONE = f"{PROJECT}/zones/us-central1-a"
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
}


class Document:
    """A discovery document."""

    def __init__(self, name: str) -> None:
        """Reads a document of google-api-python-client."""
        package = importlib.util.find_spec("googleapiclient.discovery_cache")
        assert package is not None
        assert package.origin is not None
        path = pathlib.Path(package.origin).parent / "documents" / f"{name}.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        self._schemas: dict[str, Any] = content["schemas"]
        self._base = content["basePath"] + content.get("servicePath", "").removeprefix(content["basePath"].lstrip("/"))
        self._methods = list(self._collect(content))

    def _collect(self, resource: dict[str, Any]) -> Iterator[tuple[str, re.Pattern[str], dict[str, Any]]]:
        for method in resource.get("methods", {}).values():
            template = method.get("flatPath") or method["path"]
            pattern = re.sub(r"\{\+?\w+\}", "[^/:]+", template.replace(".", r"\."))
            yield method["httpMethod"], re.compile(f"/?(compute/(v1|beta)/)?{pattern}"), method
        for inner in resource.get("resources", {}).values():
            yield from self._collect(inner)

    def problems(self, verb: str, path: str, body: Any, answer: Any) -> list[str]:
        """Returns how a request and its answer differ from their descriptions."""
        for method, pattern, described in self._methods:
            if method == verb and pattern.fullmatch(path):
                problems = [] if body is None else list(self._compare(described["request"], body, "request"))
                return problems + list(self._compare(described["response"], answer, "response"))
        return [f"{verb} {path} is not described"]

    def _compare(self, schema: dict[str, Any], value: Any, at: str) -> Iterator[str]:
        if "$ref" in schema:
            schema = self._schemas[schema["$ref"]]
        kind = schema.get("type", "any")
        if kind != "any" and (not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean")):
            yield f"{at}: {value!r} is no {kind}"
        elif "enum" in schema and value not in schema["enum"]:
            yield f"{at}: {value!r} is none of {schema['enum']}"
        elif kind == "array":
            for index, item in enumerate(value):
                yield from self._compare(schema["items"], item, f"{at}[{index}]")
        elif kind == "object":
            for key, item in value.items():
                described = schema.get("properties", {}).get(key) or schema.get("additionalProperties")
                if described is None:
                    yield f"{at}.{key} is not described"
                else:
                    yield from self._compare(described, item, f"{at}.{key}")


@dataclasses.dataclass
class Caller:
    """A client that records how requests and answers differ from the documents."""

    base: str
    documents: dict[str, Document]
    problems: list[str] = dataclasses.field(default_factory=list)
    requests: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def __call__(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Sends a request, compares it and the answer, and returns the answer."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": "Bearer sandbox-token", "Content-Type": "application/json"}
        request = urllib.request.Request(self.base + path, data=data, method=method, headers=headers)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            self.problems.append(f"{method} {path}: {error.code} {error.read().decode()}")
            return {}
        name = ".".join(path.lstrip("/").split("/")[:2]) if path.startswith("/compute") else f"container.{path.split('/')[1]}"
        name = "serviceusage.v1" if "/services/" in path else name
        self.requests.append((method, path))
        problems = self.documents[name].problems(method, path.partition("?")[0], body, answer)
        self.problems += [f"{method} {path}: {problem}" for problem in problems]
        return answer

    def change(self, version: str, method: str, name: str, body: dict[str, Any] | None = None) -> None:
        """Sends a change of GKE and waits for its operation."""
        operation = self(method, f"/{version}/{name}", body)
        while operation.get("status", "DONE") != "DONE":
            operation = self("GET", f"/{version}/{PLACE}/operations/{operation['name']}")


@pytest.fixture
def caller(sandbox: Sandbox) -> Caller:  # noqa: F811 - the fixture
    """A client of the simulated cloud."""
    names = ("container.v1", "container.v1beta1", "compute.v1", "compute.beta", "serviceusage.v1")
    return Caller(sandbox.info.clouds["gcp"], {name: Document(name) for name in names})


def test_the_comparison_finds_differences(caller: Caller) -> None:
    """A wrong type, an unknown field and an unknown enum are reported."""
    answer = {"nodePools": [{"name": 1, "colour": "red", "status": "FINE"}]}
    problems = caller.documents["container.v1"].problems("GET", f"/v1/{CLUSTER}/nodePools", None, answer)
    assert [problem.split(" ")[0] for problem in problems] == [
        "response.nodePools[0].name:",
        "response.nodePools[0].colour",
        "response.nodePools[0].status:",
    ]


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_every_route_of_gke_agrees_with_the_documents(caller: Caller, version: str) -> None:
    """Requests have the described fields only, and answers the described types."""
    ranges = {"useIpAliases": True, "clusterSecondaryRangeName": "pods", "servicesSecondaryRangeName": "services"}
    cluster = {
        "name": "c1",
        "initialNodeCount": 1,
        "ipAllocationPolicy": ranges,
        "privateClusterConfig": {"enablePrivateNodes": True, "masterIpv4CidrBlock": "172.16.0.0/28"},
        "releaseChannel": {"channel": "STABLE"},
        "workloadIdentityConfig": {"workloadPool": "sandbox-project.svc.id.goog"},
        "networkPolicy": {"enabled": True, "provider": "CALICO"},
        "resourceLabels": {"a": "b"},
    }
    caller.change(version, "POST", f"{PLACE}/clusters", {"cluster": cluster})
    pool = {
        "name": "workers",
        "initialNodeCount": 1,
        "config": {
            "machineType": "n1-standard-4",
            "spot": True,
            "labels": {"a": "b"},
            "taints": [{"key": "a", "value": "b", "effect": "NO_SCHEDULE"}],
            "accelerators": [{"acceleratorType": "nvidia-tesla-t4", "acceleratorCount": "1"}],
        },
        "locations": ["us-central1-a", "us-central1-b"],
        "autoscaling": {"enabled": True, "totalMinNodeCount": 1, "totalMaxNodeCount": 5},
        "nodeDrainConfig": {"pdbTimeoutDuration": "60s"},
    }
    caller.change(version, "POST", f"{CLUSTER}/nodePools", {"nodePool": pool})
    for name in (
        "serverConfig",
        "operations",
        "clusters",
        "clusters/c1",
        "clusters/c1/nodePools",
        "clusters/c1/nodePools/workers",
    ):
        caller("GET", f"/{version}/{PLACE}/{name}")
    caller.change(version, "POST", f"{POOL}:setAutoscaling", {"autoscaling": {"enabled": False}})
    caller.change(version, "POST", f"{POOL}:setManagement", {"management": {"autoRepair": True, "autoUpgrade": True}})
    caller.change(version, "POST", f"{POOL}:setSize", {"nodeCount": 2})
    caller.change(version, "PUT", POOL, {"upgradeSettings": {"strategy": "BLUE_GREEN"}})
    upgrade = caller("PUT", f"/{version}/{POOL}", {"machineType": "n1-standard-8", "diskSizeGb": "50", "labels": {"labels": {}}})
    caller("POST", f"/{version}/{PLACE}/operations/{upgrade['name']}:cancel", {})
    caller.change(version, "POST", f"{POOL}:rollback", {})
    caller("PUT", f"/{version}/{POOL}", {"machineType": "n1-standard-16"})
    caller("POST", f"/{version}/{POOL}:completeUpgrade", {})
    _settle(caller, version)
    fingerprint = caller("GET", f"/{version}/{CLUSTER}")["labelFingerprint"]
    for verb, body in (
        ("setNetworkPolicy", {"networkPolicy": {"enabled": False}}),
        ("setMaintenancePolicy", {"maintenancePolicy": {"window": {"dailyMaintenanceWindow": {"startTime": "04:00"}}}}),
        ("setLogging", {"loggingService": "none"}),
        ("setMonitoring", {"monitoringService": "none"}),
        ("setResourceLabels", {"resourceLabels": {}, "labelFingerprint": fingerprint}),
        ("setLegacyAbac", {"enabled": True}),
        ("setAddons", {"addonsConfig": {"httpLoadBalancing": {"disabled": True}}}),
        ("setLocations", {"locations": ["us-central1-a"]}),
    ):
        caller.change(version, "POST", f"{CLUSTER}:{verb}", body)
    caller.change(version, "PUT", CLUSTER, {"update": {"desiredReleaseChannel": {"channel": "REGULAR"}}})
    caller.change(version, "POST", f"{CLUSTER}:updateMaster", {"masterVersion": "1.35"})
    caller("GET", f"/{version}/{CLUSTER}")
    caller.change(version, "DELETE", POOL)
    caller.change(version, "DELETE", CLUSTER)
    caller("GET", f"/v1/{PROJECT}/services/container.googleapis.com")
    assert caller.problems == []
    _assert_all_routes(caller, f"/{version}/")


def _settle(caller: Caller, version: str) -> None:
    """Waits until nothing runs."""
    while any(item["status"] != "DONE" for item in caller("GET", f"/{version}/{PLACE}/operations")["operations"]):
        caller("GET", f"/{version}/{CLUSTER}")


def _assert_all_routes(caller: Caller, prefix: str) -> None:
    is_compute = prefix.startswith("/compute")
    listed = [route for route in routes.ROUTES if route.pattern.pattern.startswith("^/compute/") is is_compute]
    called = [
        route
        for route in listed
        if any(route.method == verb and route.pattern.match(path.partition("?")[0]) for verb, path in caller.requests)
    ]
    missing = [f"{route.method} {route.pattern.pattern}" for route in listed if route not in called]
    assert missing == []


@pytest.mark.parametrize("version", ["v1", "beta"])
def test_every_route_of_compute_engine_agrees_with_the_documents(caller: Caller, sandbox: Sandbox, version: str) -> None:  # noqa: F811
    """Lists and single resources have the described types."""
    caller.change("v1", "POST", f"{PLACE}/clusters", {"cluster": {"name": "c1", "initialNodeCount": 1}})
    for action in ("volume", "load-balancer"):
        sandbox.control.outside(action, cloud="gcp", cluster="c1", name="x")
    base = f"/compute/{version}/{PROJECT}"
    for collection in ("machineTypes", "acceleratorTypes", "subnetworks", "instances", "instanceGroupManagers"):
        caller("GET", f"{base}/aggregated/{collection}")
    zonal = ("machineTypes", "acceleratorTypes", "instanceGroupManagers", "instances", "disks")
    regional = ("subnetworks", "routers", "forwardingRules")
    places = [("zones/us-central1-a", name) for name in zonal] + [("regions/us-central1", name) for name in regional]
    for place, collection in [("", "zones"), ("", "regions"), ("global", "networks"), *places]:
        path = "/".join(part for part in (base, place, collection) if part)
        first = caller("GET", path)["items"][0]
        caller("GET", f"{path}/{first['name']}")
        if collection == "instanceGroupManagers":
            caller("POST", f"{path}/{first['name']}/listManagedInstances")
    assert caller.problems == []
    _assert_all_routes(caller, base)
