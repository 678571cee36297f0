"""The commands of the users' guide, as written there but for the host and the ids, against the server as users run it."""

import json
import pathlib
import shutil
import subprocess

import pytest

from support import api_messages, api_process

GUIDE = pathlib.Path(__file__).with_name("guide-commands.txt")
HOST, CLUSTER, POOL = "http://localhost:8080", "550e8400-e29b-41d4-a716-446655440000", "123e4567-e89b-12d3-a456-426614174000"
COMMANDS = dict(part.split("\n", 1) for part in GUIDE.read_text().removeprefix("## ").split("\n## "))
pytestmark = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("bash")), reason="the guide's commands are for bash and curl"
)


@pytest.fixture
def shell(new_url):
    """Runs a command of the guide and returns what the server answered."""
    process = api_process.Process(new_url("sqlite"))

    def run(command, pool="", cluster=""):
        written = command.replace(HOST, process.url).replace(POOL, pool or POOL).replace(CLUSTER, cluster or CLUSTER)
        done = subprocess.run(
            ["bash", "-c", written], capture_output=True, text=True, timeout=api_process.TIMEOUT_SECONDS, check=True
        )
        return json.loads(done.stdout) if done.stdout else None

    yield run
    process.stop()


def curl(verb, path, body=None):
    """Returns a command in the form of the guide's, for requests that it shows without one."""
    data = f"-H 'Content-Type: application/json' -d '{json.dumps(body)}'" if body else ""
    return f'curl -X {verb} "{HOST}{path}" -H "X-User-Email: user@example.com" {data}'


def test_workflow(shell):
    """Create, look, scale, report, list what is ready, delete: each step shows what the guide shows."""
    cluster = shell(curl("POST", "/api/v1/clusters", {"name": "c", "spec": {"platform": {"type": "gcp"}}}))["id"]
    created = shell(COMMANDS["create"], cluster=cluster)
    assert (created["name"], created["cluster_id"], created["generation"]) == ("production-workers", cluster, 1)
    assert created["created_by"] == "user@example.com"
    assert created["spec"]["autoscaling"] == {"enabled": True, "minNodes": 2, "maxNodes": 10}
    assert {"id", "resource_version", "created_at", "updated_at"} <= created.keys()
    pool = created["id"]

    status = shell(COMMANDS["status"], pool)
    assert (status["nodepool_id"], status["controller_status"]) == (pool, [])

    scaled = shell(COMMANDS["scale"], pool)
    assert (scaled["generation"], scaled["spec"]["nodeCount"], scaled["id"]) == (2, 6, pool)
    assert "autoscaling" not in scaled["spec"]
    assert shell(COMMANDS["list"]) == {"nodepools": [], "total": 0, "limit": 10, "offset": 0}

    report = json.loads(api_messages.REPORT)
    shell(curl("PUT", f"/api/v1/nodepools/{POOL}/status", report), pool)
    (shown,) = shell(COMMANDS["status"], pool)["controller_status"]
    assert {name: shown[name] for name in ("controller_name", "observed_generation", "metadata")} == {
        name: report[name] for name in ("controller_name", "observed_generation", "metadata")
    }
    assert shown["conditions"] == [report["conditions"][0] | {"lastTransitionTime": "2025-10-17T10:30:00.000000Z"}]

    ready = shell(COMMANDS["list"])
    assert [(each["id"], each["status"]["phase"]) for each in ready["nodepools"]] == [(pool, "Ready")]
    assert (ready["total"], ready["limit"], ready["offset"]) == (1, 10, 0)

    assert shell(curl("DELETE", f"/api/v1/nodepools/{POOL}?force=true"), pool) is None
    assert shell(COMMANDS["list"])["total"] == 0


def test_errors(shell):
    """The three errors of the guide, word for word."""
    assert (
        shell(curl("POST", "/api/v1/nodepools", {"spec": {}}))["error"].items()
        >= {
            "code": "VALIDATION_ERROR",
            "message": "Validation failed",
            "details": "nodepool name is required",
        }.items()
    )
    assert shell(COMMANDS["scale"]) == {"error": {"code": "NOT_FOUND", "message": "NodePool not found", "details": ""}}
    cluster = shell(curl("POST", "/api/v1/clusters", {"name": "c", "spec": {"platform": {"type": "gcp"}}}))["id"]
    shell(COMMANDS["create"], cluster=cluster)
    assert shell(COMMANDS["create"], cluster=cluster) == {
        "error": {
            "code": "CONFLICT",
            "message": "NodePool with name 'production-workers' already exists in cluster",
            "details": "",
        }
    }
