"""Programs in other languages: equal messages and verdicts, and a working client of the NodePool API.

``make test-go`` and so on run them for one language. ``tests/support/languages.py`` has the table of differences, and
docs/extend/languages.md shows it.
"""

from __future__ import annotations

import base64
import json
import pathlib
import re
import sys
from typing import TYPE_CHECKING, Any

import pytest
from google.protobuf import json_format

from org.project_planton.cluster.v1 import cluster_pb2, service_pb2, status_pb2
from org.project_planton.nodepool.v1 import service_pb2 as pool_service_pb2
from planton.client import Client
from support import api_process, languages, projects, vectors

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = languages.ROOT / "docs" / "extend" / "languages.md"
VPC = """\
apiVersion: civo.project-planton.org/v1
kind: CivoVpc
metadata: {name: main, env: dev}
spec: {civoCredentialId: default, networkName: net-a, region: lon1, ipRangeCidr: 10.20.0.0/24}
"""
USER = "user@example.com"
CLUSTER = cluster_pb2.ClusterSpec(platform=cluster_pb2.ClusterPlatform(type="civo"))
POOL = {"nodeCount": 2, "platform": {"type": "civo", "civo": {"size": "g4s.kube.medium"}}}
GCP_POOL = {
    "name": "n" * 41,
    "spec": {"nodeCount": 2, "platform": {"type": "gcp", "gcp": {"machineType": "e2-small"}}},
}
NO_USER = "set PLANTON_API_USER to your email address, or PLANTON_API_TOKEN_FILE to the file of a token"
NO_REGION = "pools: $REGION does not name a region: set it to one such as lon1"
NO_COUNT = "pools: COUNT must be a number of nodes, and is "
#: Command, content of FILE, environment, and the error line. `…` stands for a text of a library or the server.
INVALID_CALLS: tuple[tuple[str, str, dict[str, str], str], ...] = (
    ("watch nonsense", "", {}, "pools: Validation failed: id: must be a valid UUID [string.uuid]"),
    ("watch 550e8400-e29b-41d4-a716-446655440000", "", {}, "pools: NodePool not found"),
    ("watch POOL", "", {"PLANTON_API_USER": ""}, f"pools: Authentication required: …; {NO_USER}"),
    ("scale POOL -3", "", {}, "pools: Validation failed: spec.nodeCount: must be greater than or equal to 0 [int32.gte]"),
    ("scale POOL two", "", {}, f'{NO_COUNT}"two"'),
    ("scale POOL 9999999999", "", {}, f'{NO_COUNT}"9999999999"'),
    ("create FILE", "nodeCount: 2", {}, "pools: FILE: …"),
    ("create FILE", '{"colour": "red"}', {}, "pools: FILE: …colour…"),
    ("create FILE", json.dumps(GCP_POOL), {}, "FILE: name … [new_node_pool.gcp_name_is_short]"),
    ("create NOWHERE", "", {}, "pools: …NOWHERE…"),
    ("validate FILE", f"{VPC}---\n{VPC}", {}, "pools: FILE: there is more than one document: put each into a file of its own"),
    ("stack-input FILE", VPC, {"CIVO_TOKEN": ""}, "pools: $CIVO_TOKEN is not set: put the token of your account there"),
    *(("stack-input FILE", VPC, {"REGION": region}, NO_REGION) for region in ("", "mars1", "1", "civo_region_unspecified")),
)


@pytest.fixture(scope="session")
def results_by_file(language: languages.Language, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """The results of a language's runner for the vectors, by file."""
    folder = tmp_path_factory.mktemp("vectors")
    completed = languages.run(language.vectors, str(vectors.FOLDER), str(folder))
    assert completed.returncode == 0, completed.stderr
    return {name: json.loads((folder / f"{name}.json").read_text("utf-8")) for name in vectors.GENERATORS}


def vectors_of(name: str) -> list[dict[str, Any]]:
    """Returns the vectors of a file."""
    listed: list[dict[str, Any]] = json.loads((vectors.FOLDER / f"{name}.json").read_text("utf-8"))
    return listed


def ordered(result: dict[str, Any], vector: dict[str, Any]) -> dict[str, Any]:
    """Returns a result with the fields of its bytes in the order of their numbers: Go writes those of a oneof last."""
    if "binary" not in result:
        return result
    message = vectors.message_class(vector["message"]).FromString(base64.b64decode(result["binary"]))
    return result | {"binary": base64.b64encode(message.SerializeToString(deterministic=True)).decode()}


def expected(name: str) -> list[dict[str, Any]]:
    """Returns the expected results for the vectors of a file."""
    results = []
    for vector in vectors_of(name):
        if vector.get("unreadable"):
            results.append({"name": vector["name"], "unreadable": True})
        else:
            results.append({key: vector[key] for key in ("name", "json", "binary", "violations")} | {"same": True})
    return results


def test_the_stubs_of_the_language_are_current(language: languages.Language, request: pytest.FixtureRequest) -> None:
    """Committed stubs equal the generators' output. For the others, two runs of the generators are equal."""
    completed = languages.run((sys.executable, "tools/generate.py", "--check", request.node.callspec.params["language"]))
    assert completed.returncode == 0, completed.stdout + completed.stderr


def test_every_result_equals_that_of_python(
    language: languages.Language, results_by_file: dict[str, list[dict[str, Any]]]
) -> None:
    """Message, JSON, bytes, rule ids and field paths are equal, except for listed differences. The page shows the counts."""
    differing, counts = set(), []
    for name, results in results_by_file.items():
        expected_results = expected(name)
        assert [result["name"] for result in results] == [result["name"] for result in expected_results]
        differing_in_file = {
            f"{name}/{result['name']}"
            for result, other, vector in zip(results, expected_results, vectors_of(name), strict=True)
            if ordered(result, vector) != other
        }
        counts.append(f"{len(expected_results) - len(differing_in_file)} of {len(expected_results)}")
        differing |= differing_in_file
    assert differing == set(language.differences)
    page = DOCS.read_text("utf-8")
    assert f"| {' | '.join([language.title, *counts])} |\n" in page
    assert [reason for reason in language.differences.values() if reason not in page] == []


def test_python_reads_the_output_of_the_language(
    language: languages.Language, results_by_file: dict[str, list[dict[str, Any]]]
) -> None:
    """JSON and bytes decode to the original message."""
    for name, results in results_by_file.items():
        vectors_of_file = json.loads((vectors.FOLDER / f"{name}.json").read_text("utf-8"))
        for result, vector in zip(results, vectors_of_file, strict=True):
            if "json" in result and f"{name}/{result['name']}" not in language.differences:
                kind = vectors.message_class(vector["message"])
                original = kind.FromString(base64.b64decode(vector["binary"]))
                assert json_format.ParseDict(result["json"], kind()) == original
                assert kind.FromString(base64.b64decode(result["binary"])) == original


def test_validation_has_the_exit_codes_and_rule_ids_of_planton(language: languages.Language, tmp_path: pathlib.Path) -> None:
    """Exit code 0 means valid, 1 means violations with one line each, 2 means unreadable with one line."""
    file = tmp_path / "network.yaml"
    file.write_text(VPC, "utf-8")
    valid = languages.run(language.pools, "validate", str(file))
    assert (valid.returncode, valid.stderr) == (0, "")
    file.write_text(VPC.replace("networkName: net-a, ", "").replace("10.20.0.0/24", "x"), "utf-8")
    invalid = languages.run(language.pools, "validate", str(file))
    assert invalid.returncode == 1
    rules = sorted(re.findall(r"\[([a-z0-9_.]+)\]$", invalid.stderr, re.MULTILINE))
    assert rules == ["civo_vpc_spec.ip_range_cidr_is_ipv4_cidr", "required"], invalid.stderr
    assert all(line.startswith(f"{file}: spec.") for line in invalid.stderr.splitlines())
    unreadable = languages.run(language.pools, "validate", str(tmp_path / "none.yaml"))
    assert unreadable.returncode == 2
    assert len(unreadable.stderr.splitlines()) == 1
    assert "none.yaml" in unreadable.stderr


def test_the_stack_input_of_the_language_can_be_applied(
    language: languages.Language, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The module's standalone project applies it without the planton command line."""
    (tmp_path / "network.yaml").write_text(VPC, "utf-8")
    with projects.world(tmp_path, monkeypatch) as world:
        completed = languages.run(
            language.pools, "stack-input", str(tmp_path / "network.yaml"), CIVO_TOKEN=world.sandbox.token, REGION="lon1"
        )
        assert completed.returncode == 0, completed.stderr
        folder = world.project("vpc")
        (folder / "stack-input.json").write_text(completed.stdout, "utf-8")
        monkeypatch.chdir(folder)
        monkeypatch.delenv("CIVO_TOKEN")
        stack = world.open(folder)
        assert stack.up().outputs["cidr_block"].value == "10.20.0.0/24"
        assert "net-a" in {network["label"] for network in world.sandbox.call("GET", "/networks").body}
        stack.destroy()


def test_a_node_pool_is_created_watched_and_scaled_through_the_api(language: languages.Language, tmp_path: pathlib.Path) -> None:
    """The watch ends when a controller reports it ready. Refusals of the server are printed."""
    server = api_process.Process(f"sqlite:///{tmp_path / 'server.db'}", "--grpc-port", str(port := api_process.free_port()))
    environ = {"PLANTON_API_GRPC": f"127.0.0.1:{port}", "PLANTON_API_URL": server.url, "PLANTON_API_USER": USER}
    try:
        with Client(server.url, email=USER) as api:
            cluster = api.create_cluster(service_pb2.NewCluster(name="dev", spec=CLUSTER))
            file = tmp_path / "pool.json"
            file.write_text(json.dumps({"name": "workers", "cluster_id": cluster.id, "spec": POOL}), "utf-8")
            created = languages.run(language.pools, "create", str(file), **environ)
            assert created.returncode == 0, created.stderr
            [pool] = api.list_node_pools()
            assert json.loads(created.stdout)["id"] == pool.id
            duplicate = languages.run(language.pools, "create", str(file), **environ)
            assert (duplicate.returncode, len(duplicate.stderr.splitlines())) == (2, 1)
            assert "already exists" in duplicate.stderr
            _watch(language, environ, api, pool.id)
            scaled = languages.run(language.pools, "scale", pool.id, "5", **environ)
            assert scaled.returncode == 0, scaled.stderr
            assert api.get_node_pool(pool.id).spec.node_count == json.loads(scaled.stdout)["spec"]["nodeCount"] == 5
        file.write_text(json.dumps({"name": "Upper", "cluster_id": cluster.id, "spec": POOL}), "utf-8")
        refused = languages.run(language.pools, "create", str(file), **environ)
        assert (refused.returncode, "[string.pattern]" in refused.stderr) == (1, True), refused.stderr
    finally:
        assert server.stop() == 0


def _watch(language: languages.Language, environ: dict[str, str], api: Client, identifier: str) -> None:
    watching = languages.start(language.pools, "watch", identifier, **environ)
    assert watching.stdout is not None
    assert json.loads(watching.stdout.readline()) == {"phase": "Pending", "generation": 1}
    ready = status_pb2.Condition(type="Available", status="True", reason="NodesReady")
    api.report_node_pool_status(
        identifier, status_pb2.StatusReport(controller_name="c", observed_generation=1, conditions=[ready])
    )
    assert json.loads(watching.stdout.readline()) == {"phase": "Ready", "generation": 1}
    try:
        assert watching.wait(api_process.TIMEOUT_SECONDS) == 0
    finally:
        watching.kill()
        watching.stdout.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], str]]:
    """Starts a server; returns the environment of a client program, and the id of a node pool."""
    database = f"sqlite:///{tmp_path_factory.mktemp('server') / 'server.db'}"
    server = api_process.Process(database, "--grpc-port", str(port := api_process.free_port()))
    try:
        with Client(server.url, email=USER) as api:
            cluster = api.create_cluster(service_pb2.NewCluster(name="dev", spec=CLUSTER))
            new = json_format.ParseDict({"name": "workers", "spec": POOL}, pool_service_pb2.NewNodePool())
            identifier = api.create_node_pool(cluster.id, new).id
        yield (
            {
                "PLANTON_API_GRPC": f"127.0.0.1:{port}",
                "PLANTON_API_URL": server.url,
                "PLANTON_API_USER": USER,
                "CIVO_TOKEN": "t",
                "REGION": "lon1",
            },
            identifier,
        )
    finally:
        assert server.stop() == 0


@pytest.mark.parametrize(("command", "content", "variables", "line"), INVALID_CALLS)
def test_every_language_reports_an_error_alike(
    language: languages.Language,
    served: tuple[dict[str, str], str],
    tmp_path: pathlib.Path,
    command: str,
    content: str,
    variables: dict[str, str],
    line: str,
) -> None:
    """Each program prints the same line. The exit code is 1 for violations in a file, else 2."""
    environ, identifier = served
    names = {"POOL": identifier, "FILE": str(tmp_path / "file"), "NOWHERE": str(tmp_path / "nowhere")}
    (tmp_path / "file").write_text(content, "utf-8")
    completed = languages.run(language.pools, *(names.get(word, word) for word in command.split()), **environ | variables)
    assert (completed.returncode, completed.stdout) == (2 if line.startswith("pools: ") else 1, ""), completed.stderr
    expected = line.replace("FILE: ", f"{names['FILE']}: ").replace("NOWHERE", names["NOWHERE"])
    assert re.fullmatch(".+".join(map(re.escape, expected.split("…"))) + "\n", completed.stderr), completed.stderr
