"""``planton nodepools`` and ``planton clusters``: what they ask the API, and what they say of its answers."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from org.project_planton.cluster.v1 import cluster_pb2
from org.project_planton.cluster.v1 import service_pb2 as clusters_pb2
from org.project_planton.nodepool.v1 import nodepool_pb2
from org.project_planton.nodepool.v1 import service_pb2 as node_pools_pb2
from planton import cli, client
from planton.cli import nodepools, nodepools_bodies
from support import serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.Server]:
    """A server with a node pool, which somebody has deleted and a controller holds, in a cluster."""
    with serving.running(tmp_path_factory.mktemp("server"), "--tick", "0") as started:
        _, pool = started.pool()
        started.call("PUT", f"/nodepools/{pool}/status", serving.REPORT)
        started.call("DELETE", f"/nodepools/{pool}")
        yield started


@pytest.fixture
def run(server: serving.Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Runs a command, and returns its exit code and what it wrote to both streams."""
    monkeypatch.setenv("PLANTON_API_URL", server.url)
    monkeypatch.setenv("PLANTON_API_USER", "user@example.com")

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


Run = Callable[..., tuple[int, str, str]]


def test_those_that_are_being_deleted_are_listed_where_they_are_asked_for(run: Run) -> None:
    """By their phase too, and else not."""
    assert run("nodepools", "list")[1] == "there are no node pools\n"
    assert run("nodepools", "list", "--status", "Deleting", "-o", "name")[1] == "pool-1\n"
    assert run("nodepools", "list", "--include-deleting", "-o", "name")[1] == "pool-1\n"


def test_what_is_being_deleted_is_hinted_at_where_it_is_in_the_way(run: Run, tmp_path: pathlib.Path) -> None:
    """The API says that it is not there, and that its name is taken."""
    body = tmp_path / "pool.json"
    body.write_text(json.dumps(serving.POOL))
    for command in (("get", "pool-1"), ("status", "pool-1"), ("create", "--cluster", "cluster-1", "-f", str(body))):
        code, _, said = run("nodepools", *command)
        assert code != 0
        assert "it may be being deleted: planton nodepools list --include-deleting" in said


@pytest.mark.parametrize("command", [("nodepools", "create"), ("clusters", "create"), ("nodepools", "update", "pool-1")])
@pytest.mark.parametrize("times", [1, 2])
def test_a_manifest_is_sent_to_apply(run: Run, tmp_path: pathlib.Path, command: tuple[str, ...], times: int) -> None:
    """It is another way to a node pool, and looks alike."""
    manifest = tmp_path / "pool.yaml"
    manifest.write_text("---\napiVersion: civo.project-planton.org/v1\nkind: CivoKubernetesNodePool\n" * times)
    code, _, said = run(*command, "-f", str(manifest))
    assert code == 2
    assert "is a manifest" in said
    assert "planton apply -f" in said


@pytest.mark.parametrize("text", ["", "- a\n", "name: a\n---\nname: b\n"])
def test_a_body_is_one_mapping(run: Run, tmp_path: pathlib.Path, text: str) -> None:
    """Else it is a mistake of usage."""
    body = tmp_path / "body.yaml"
    body.write_text(text)
    code, _, said = run("clusters", "create", "-f", str(body))
    assert (code, "must hold one mapping" in said) == (2, True)


def test_watching_shows_the_cursor_to_go_on_after(run: Run, server: serving.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is kept comes first; who has seen it begins after its last event."""
    told = server.call("GET", "/events")["events"]
    monkeypatch.setattr(
        client.Transport,
        "events",
        lambda self, after: iter(self.request("GET", "/api/v1/events", query={"after": after})["events"]),
    )
    lines = run("nodepools", "watch")[1].splitlines()
    assert [line.rpartition("  ")[2] for line in lines] == [event["cursor"] for event in told]
    assert [json.loads(line) for line in run("nodepools", "watch", "-o", "json")[1].splitlines()] == told
    shown = run("nodepools", "watch", "-o", "yaml")[1]
    assert list(yaml.safe_load_all(shown)) == told
    assert shown.count("---\n") == len(told)
    assert run("nodepools", "watch", "--after", lines[-2].split()[-1])[1].splitlines() == lines[-1:]


@pytest.fixture
def made(server: serving.Server) -> Iterator[tuple[str, str]]:
    """A cluster of two, and a node pool in it: their ids. Gone afterwards, both clusters."""
    clusters = [server.call("POST", "/clusters", serving.CLUSTER | {"name": name})["id"] for name in ("made", "other")]
    yield clusters[0], server.call("POST", f"/clusters/{clusters[0]}/nodepools", serving.POOL | {"name": "workers"})["id"]
    for cluster in server.call("GET", "/clusters")["clusters"]:
        if cluster["id"] in clusters:
            server.call("DELETE", f"/clusters/{cluster['id']}?force=true")


@pytest.mark.parametrize("spelling", ["cluster_id", "clusterId"])
def test_a_file_of_another_cluster_than_the_one_that_is_given_is_refused(
    run: Run, server: serving.Server, made: tuple[str, str], tmp_path: pathlib.Path, spelling: str
) -> None:
    """The server compares the two; one and the same is no contradiction."""
    body = tmp_path / "pool.json"
    body.write_text(json.dumps(serving.POOL | {"name": "second", spelling: made[0]}))
    code, _, said = run("nodepools", "create", "--cluster", "other", "-f", str(body))
    assert (code, "must equal the cluster_id of the path" in said) == (1, True), said
    assert [pool["name"] for pool in server.call("GET", "/nodepools")["nodepools"]] == ["workers"]
    assert run("nodepools", "create", "--cluster", "made", "-f", str(body))[0] == 0


@pytest.mark.parametrize(
    ("resource", "new", "update"),
    [
        (cluster_pb2.Cluster, clusters_pb2.NewCluster, clusters_pb2.ClusterUpdate),
        (nodepool_pb2.NodePool, node_pools_pb2.NewNodePool, node_pools_pb2.NodePoolUpdate),
    ],
)
def test_what_is_left_out_of_a_file_is_what_no_body_has(resource: Any, new: Any, update: Any) -> None:
    """So that nothing which the server would take, or should refuse, is dropped."""
    answered, created, replaced = (set(each.DESCRIPTOR.fields_by_name) for each in (resource, new, update))
    assert answered - created == nodepools_bodies.ANSWERED_OF_NEW
    assert answered - replaced == nodepools_bodies.ANSWERED


@pytest.mark.parametrize(("group", "name"), [("nodepools", "workers"), ("clusters", "made")])
@pytest.mark.parametrize("form", ["json", "yaml"])
def test_what_was_got_can_be_given_back_once(
    run: Run, made: tuple[str, str], tmp_path: pathlib.Path, group: str, name: str, form: str
) -> None:
    """It has the server's fields and a version: it is taken, and refused once it is stale."""
    body = tmp_path / "body"
    body.write_text(run(group, "get", name, "-o", form)[1].replace("us-central1", "us-east1"))
    code, shown, said = run(group, "update", name, "-f", str(body), "-o", "json")
    assert code == 0, said
    assert json.loads(shown)["generation"] == 2
    code, _, said = run(group, "update", name, "-f", str(body))
    assert (code, "has been changed" in said) == (5, True), said


@pytest.mark.parametrize(("group", "name", "other"), [("nodepools", "workers", "second"), ("clusters", "made", "third")])
def test_what_was_got_makes_another_and_replaces_no_other(
    run: Run, made: tuple[str, str], tmp_path: pathlib.Path, group: str, name: str, other: str
) -> None:
    """Of a new resource neither the id nor the version of the old one counts."""
    body = tmp_path / "body.yaml"
    body.write_text(run(group, "get", name)[1].replace(f"name: {name}", f"name: {other}"))
    code, shown, said = run(group, "create", "-f", str(body), "-o", "json")
    assert code == 0, said
    identifier = json.loads(shown)["id"]
    code, _, said = run(group, "update", other, "-f", str(body))
    assert (code, f"and {identifier} is to be updated" in said, "Hint: " in said) == (2, True, True), said
    run(group, "delete", identifier, "--yes")


def test_scaling_can_be_checked_alone(run: Run, made: tuple[str, str], server: serving.Server) -> None:
    """The answer is as if it were done."""
    code, shown, said = run("nodepools", "scale", "workers", "7", "--dry-run", "-o", "json")
    assert code == 0, said
    assert json.loads(shown)["spec"]["nodeCount"] == 7
    assert server.call("GET", f"/nodepools/{made[1]}")["spec"]["nodeCount"] == 3
    assert run("nodepools", "scale", "workers", "5000", "--dry-run")[0] == 1


def test_deleting_can_be_checked_alone(run: Run, made: tuple[str, str], server: serving.Server) -> None:
    """It needs no consent, and refuses what the deletion would be refused for."""
    for command in (("nodepools", "delete", "workers"), ("clusters", "delete", "made", "--force")):
        code, _, said = run(*command, "--dry-run")
        assert (code, "can be deleted" in said) == (0, True), said
    assert run("clusters", "delete", "made", "--dry-run")[0] == 5
    assert server.call("GET", f"/nodepools/{made[1]}")["status"]["phase"] == "Pending"


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_every_command_has_forms_for_programs(form: str) -> None:
    """The page about them promises it."""
    for group, kind in ((nodepools.nodepools, "nodepools"), (nodepools.clusters, "clusters")):
        for name, command in group.commands.items():
            (option,) = (one for one in command.params if one.name == "form")
            assert form in option.type.choices, f"{kind} {name}"


@pytest.mark.parametrize(("form", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_what_is_deleted_is_shown_to_programs(run: Run, made: tuple[str, str], form: str, read: Callable[[str], Any]) -> None:
    """Of a cluster what is left, of a node pool, of which nothing is left, the id."""
    assert read(run("nodepools", "delete", "workers", "--yes", "-o", form)[1]) == {"id": made[1]}
    left = read(run("clusters", "delete", "made", "--yes", "-o", form)[1])
    assert (left["id"], left["status"]["phase"]) == (made[0], "Deleting")


def test_a_cluster_with_node_pools_is_hinted_at_force(run: Run, made: tuple[str, str]) -> None:
    """The API's own words are those of its requests."""
    code, _, said = run("clusters", "delete", "made", "--yes")
    assert (code, "add --force to delete them too" in said) == (5, True), said
    assert run("clusters", "delete", "made", "--yes", "--force")[0] == 0
