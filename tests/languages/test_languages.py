"""Programs in other languages: the same messages, the same verdicts, and a client of the NodePool API that works.

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
#: Command, content of FILE, environment, and the one line of the error; `…` is what a library or the server says.
MISTAKES: tuple[tuple[str, str, dict[str, str], str], ...] = (
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
def answers(language: languages.Language, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What a language's runner makes of the vectors, by file."""
    folder = tmp_path_factory.mktemp("vectors")
    done = languages.run(language.vectors, str(vectors.FOLDER), str(folder))
    assert done.returncode == 0, done.stderr
    return {name: json.loads((folder / f"{name}.json").read_text("utf-8")) for name in vectors.MADE}


def expected(name: str) -> list[dict[str, Any]]:
    """Returns what a runner should answer to the vectors of a file."""
    found = []
    for vector in json.loads((vectors.FOLDER / f"{name}.json").read_text("utf-8")):
        if vector.get("unreadable"):
            found.append({"name": vector["name"], "unreadable": True})
        else:
            found.append({key: vector[key] for key in ("name", "json", "binary", "violations")} | {"same": True})
    return found


def test_its_stubs_are_what_the_generators_write(language: languages.Language, request: pytest.FixtureRequest) -> None:
    """Those that are committed; of the others, two runs of the generators write the same."""
    done = languages.run((sys.executable, "tools/generate.py", "--check", request.node.callspec.params["language"]))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_verdict_is_the_same(language: languages.Language, answers: dict[str, list[dict[str, Any]]]) -> None:
    """Message, JSON, bytes, rule ids and field paths are Python's, but for the differences that are known; the page shows the counts."""
    differing, counts = set(), []
    for name, found in answers.items():
        wanted = expected(name)
        assert [one["name"] for one in found] == [one["name"] for one in wanted]
        wrong = {f"{name}/{one['name']}" for one, other in zip(found, wanted, strict=True) if one != other}
        counts.append(f"{len(wanted) - len(wrong)} of {len(wanted)}")
        differing |= wrong
    assert differing == set(language.differences)
    page = DOCS.read_text("utf-8")
    assert f"| {' | '.join([language.title, *counts])} |\n" in page
    assert [reason for reason in language.differences.values() if reason not in page] == []


def test_python_reads_what_the_language_writes(language: languages.Language, answers: dict[str, list[dict[str, Any]]]) -> None:
    """JSON and bytes become the message that they came from."""
    for name, found in answers.items():
        known = json.loads((vectors.FOLDER / f"{name}.json").read_text("utf-8"))
        for one, vector in zip(found, known, strict=True):
            if "json" in one and f"{name}/{one['name']}" not in language.differences:
                kind = vectors.message_class(vector["message"])
                meant = kind.FromString(base64.b64decode(vector["binary"]))
                assert json_format.ParseDict(one["json"], kind()) == meant
                assert kind.FromString(base64.b64decode(one["binary"])) == meant


def test_a_manifest_is_checked(language: languages.Language, tmp_path: pathlib.Path) -> None:
    """What is valid ends with 0, what breaks rules with 1 and each of them on a line, what cannot be read with 2 and one line."""
    file = tmp_path / "network.yaml"
    file.write_text(VPC, "utf-8")
    good = languages.run(language.pools, "validate", str(file))
    assert (good.returncode, good.stderr) == (0, "")
    file.write_text(VPC.replace("networkName: net-a, ", "").replace("10.20.0.0/24", "x"), "utf-8")
    bad = languages.run(language.pools, "validate", str(file))
    assert bad.returncode == 1
    rules = sorted(re.findall(r"\[([a-z0-9_.]+)\]$", bad.stderr, re.MULTILINE))
    assert rules == ["civo_vpc_spec.ip_range_cidr_is_ipv4_cidr", "required"], bad.stderr
    assert all(line.startswith(f"{file}: spec.") for line in bad.stderr.splitlines())
    unread = languages.run(language.pools, "validate", str(tmp_path / "none.yaml"))
    assert unread.returncode == 2
    assert len(unread.stderr.splitlines()) == 1
    assert "none.yaml" in unread.stderr


def test_its_stack_input_drives_the_module(
    language: languages.Language, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a command line of ours: what the language writes is what the module's project makes of it."""
    (tmp_path / "network.yaml").write_text(VPC, "utf-8")
    with projects.world(tmp_path, monkeypatch) as world:
        made = languages.run(
            language.pools, "stack-input", str(tmp_path / "network.yaml"), CIVO_TOKEN=world.sandbox.token, REGION="lon1"
        )
        assert made.returncode == 0, made.stderr
        folder = world.project("vpc")
        (folder / "stack-input.json").write_text(made.stdout, "utf-8")
        monkeypatch.chdir(folder)
        monkeypatch.delenv("CIVO_TOKEN")
        stack = world.open(folder)
        assert stack.up().outputs["cidr_block"].value == "10.20.0.0/24"
        assert "net-a" in {network["label"] for network in world.sandbox.call("GET", "/networks").body}
        stack.destroy()


def test_a_node_pool_lives_through_the_api(language: languages.Language, tmp_path: pathlib.Path) -> None:
    """It is created, watched until a controller says that it is ready, and scaled; what the server refuses is told."""
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
            again = languages.run(language.pools, "create", str(file), **environ)
            assert (again.returncode, len(again.stderr.splitlines())) == (2, 1)
            assert "already exists" in again.stderr
            _watch(language, environ, api, pool.id)
            scaled = languages.run(language.pools, "scale", pool.id, "5", **environ)
            assert scaled.returncode == 0, scaled.stderr
            assert api.get_node_pool(pool.id).spec.node_count == json.loads(scaled.stdout)["spec"]["nodeCount"] == 5
        file.write_text(json.dumps({"name": "Upper", "cluster_id": cluster.id, "spec": POOL}), "utf-8")
        wrong = languages.run(language.pools, "create", str(file), **environ)
        assert (wrong.returncode, "[string.pattern]" in wrong.stderr) == (1, True), wrong.stderr
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
    """The environment of a program that speaks to a server, and the id of a node pool there."""
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


@pytest.mark.parametrize(("command", "content", "given", "line"), MISTAKES)
def test_a_mistake_is_told_alike(
    language: languages.Language,
    served: tuple[dict[str, str], str],
    tmp_path: pathlib.Path,
    command: str,
    content: str,
    given: dict[str, str],
    line: str,
) -> None:
    """Every program says the same on one line, and ends with 1 where a file breaks rules, else with 2."""
    environ, identifier = served
    names = {"POOL": identifier, "FILE": str(tmp_path / "file"), "NOWHERE": str(tmp_path / "nowhere")}
    (tmp_path / "file").write_text(content, "utf-8")
    done = languages.run(language.pools, *(names.get(word, word) for word in command.split()), **environ | given)
    assert (done.returncode, done.stdout) == (2 if line.startswith("pools: ") else 1, ""), done.stderr
    expected = line.replace("FILE: ", f"{names['FILE']}: ").replace("NOWHERE", names["NOWHERE"])
    assert re.fullmatch(".+".join(map(re.escape, expected.split("…"))) + "\n", done.stderr), done.stderr
