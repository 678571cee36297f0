"""``planton nodepools`` and ``planton clusters``: their requests, and how they print responses."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from org.project_planton.cluster.v1 import audit_pb2, cluster_pb2
from org.project_planton.cluster.v1 import service_pb2 as clusters_pb2
from org.project_planton.nodepool.v1 import nodepool_pb2
from org.project_planton.nodepool.v1 import service_pb2 as node_pools_pb2
from planton import cli, client
from planton.cli import nodepools, nodepools_bodies, nodepools_output
from support import serving, waiting


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[serving.Server]:
    """A server with one cluster and one node pool, which is being deleted and has a finalizer."""
    with serving.running(tmp_path_factory.mktemp("server"), "--tick", "0") as running:
        _, pool = running.pool()
        running.call("PUT", f"/nodepools/{pool}/status", serving.REPORT)
        running.call("DELETE", f"/nodepools/{pool}")
        yield running


@pytest.fixture
def run(server: serving.Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Returns a function that runs a command and returns exit code, stdout and stderr."""
    monkeypatch.setenv("PLANTON_API_URL", server.url)
    monkeypatch.setenv("PLANTON_API_USER", "user@example.com")

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


Run = Callable[..., tuple[int, str, str]]


def test_node_pools_in_deletion_are_listed_only_on_request(run: Run) -> None:
    """The options are `--include-deleting` and the phase."""
    assert run("nodepools", "list")[1] == "there are no node pools\n"
    assert run("nodepools", "list", "--status", "Deleting", "-o", "name")[1] == "pool-1\n"
    assert run("nodepools", "list", "--include-deleting", "-o", "name")[1] == "pool-1\n"


@pytest.mark.parametrize(("status", "phase"), [("True", "Ready, paused"), ("False", "Ready")])
@pytest.mark.parametrize("kind", [nodepools_output.NODE_POOL, nodepools_output.CLUSTER])
def test_lists_show_what_is_paused(kind: nodepools_output.Kind, status: str, phase: str) -> None:
    """A forgotten pause is found there. The phase stays that of the nodes."""
    conditions = [{"type": "Ready", "status": "True"}, {"type": "Paused", "status": status}]
    spec = {"nodeCount": 2, "platform": {"type": "civo"}}
    item = {"id": "1", "name": "a", "generation": 1, "created_at": "2026-12-01T10:00:00Z", "spec": spec}
    row = kind.row(item | {"status": {"phase": "Ready", "conditions": conditions}})
    assert dict(zip(kind.header, row, strict=True))["PHASE"] == phase


def test_the_hint_of_a_missing_or_taken_name_mentions_resources_in_deletion(run: Run, tmp_path: pathlib.Path) -> None:
    """To the API such a node pool is missing, but its name is taken."""
    body = tmp_path / "pool.json"
    body.write_text(json.dumps(serving.POOL))
    for command in (("get", "pool-1"), ("status", "pool-1"), ("create", "--cluster", "cluster-1", "-f", str(body))):
        code, _, stderr = run("nodepools", *command)
        assert code != 0
        assert "it may be being deleted: planton nodepools list --include-deleting" in stderr


@pytest.mark.parametrize("command", [("nodepools", "create"), ("clusters", "create"), ("nodepools", "update", "pool-1")])
@pytest.mark.parametrize("times", [1, 2])
def test_a_manifest_instead_of_a_body_is_an_error_that_names_apply(
    run: Run, tmp_path: pathlib.Path, command: tuple[str, ...], times: int
) -> None:
    """Manifests and request bodies look alike."""
    manifest = tmp_path / "pool.yaml"
    manifest.write_text("---\napiVersion: civo.project-planton.org/v1\nkind: CivoKubernetesNodePool\n" * times)
    code, _, stderr = run(*command, "-f", str(manifest))
    assert code == 2
    assert "is a manifest" in stderr
    assert "planton apply -f" in stderr


@pytest.mark.parametrize("text", ["", "- a\n", "name: a\n---\nname: b\n"])
def test_a_body_that_is_not_one_mapping_is_a_usage_error(run: Run, tmp_path: pathlib.Path, text: str) -> None:
    """The message names the file's expected form."""
    body = tmp_path / "body.yaml"
    body.write_text(text)
    code, _, stderr = run("clusters", "create", "-f", str(body))
    assert (code, "must hold one mapping" in stderr) == (2, True)


def test_a_watch_prints_the_cursor_of_each_event(server: serving.Server) -> None:
    """A watch starts with all stored events. `--after` continues after a cursor."""
    events = server.call("GET", "/events")["events"]
    cursors = [event["cursor"] for event in events]
    lines = _watched(server, lambda text: [line.rpartition("  ")[2] for line in text.splitlines()] == cursors).splitlines()
    _watched(server, lambda text: [json.loads(line) for line in text.splitlines()] == events, "-o", "json")
    printed = _watched(server, lambda text: list(yaml.safe_load_all(text)) == events, "-o", "yaml")
    assert printed.count("---\n") == len(events)
    _watched(server, lambda text: text.splitlines() == lines[-1:], "--after", cursors[-2])


def _watched(server: serving.Server, is_complete: Callable[[str], bool], *options: str) -> str:
    """Runs a watch until its output is complete, and returns the output."""
    environ = {**os.environ, "PLANTON_API_URL": server.url, "PLANTON_API_USER": "user@example.com"}

    def complete(text: str) -> str:
        try:
            return text if is_complete(text) else ""
        except (ValueError, yaml.YAMLError):  # half an event
            return ""

    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        command = [sys.executable, "-m", "planton", "nodepools", "watch", *options]
        with subprocess.Popen(command, stdout=output, env=environ) as process:
            try:
                # The descriptors share one position, so this one reads by its own offset.
                return waiting.until(
                    lambda: complete(os.pread(output.fileno(), 1 << 20, 0).decode()), f"the events of {options or 'a watch'}"
                )
            finally:
                process.kill()


@pytest.fixture
def cluster_and_pool(server: serving.Server) -> Iterator[tuple[str, str]]:
    """Creates two clusters and a node pool in the first; returns the ids of cluster and pool. Deletes both clusters afterwards."""
    clusters = [server.call("POST", "/clusters", serving.CLUSTER | {"name": name})["id"] for name in ("first", "other")]
    yield clusters[0], server.call("POST", f"/clusters/{clusters[0]}/nodepools", serving.POOL | {"name": "workers"})["id"]
    for cluster in server.call("GET", "/clusters")["clusters"]:
        if cluster["id"] in clusters:
            server.call("DELETE", f"/clusters/{cluster['id']}?force=true")


@pytest.mark.parametrize("spelling", ["cluster_id", "clusterId"])
def test_a_body_with_another_cluster_than_the_option_is_refused(
    run: Run, server: serving.Server, cluster_and_pool: tuple[str, str], tmp_path: pathlib.Path, spelling: str
) -> None:
    """The server compares them. The same cluster in both is accepted."""
    body = tmp_path / "pool.json"
    body.write_text(json.dumps(serving.POOL | {"name": "second", spelling: cluster_and_pool[0]}))
    code, _, stderr = run("nodepools", "create", "--cluster", "other", "-f", str(body))
    assert (code, "must equal the cluster_id of the path" in stderr) == (1, True), stderr
    assert [pool["name"] for pool in server.call("GET", "/nodepools")["nodepools"]] == ["workers"]
    assert run("nodepools", "create", "--cluster", "first", "-f", str(body))[0] == 0


@pytest.mark.parametrize(
    ("resource", "new", "update"),
    [
        (cluster_pb2.Cluster, clusters_pb2.NewCluster, clusters_pb2.ClusterUpdate),
        (nodepool_pb2.NodePool, node_pools_pb2.NewNodePool, node_pools_pb2.NodePoolUpdate),
    ],
)
def test_only_read_only_fields_are_removed_from_a_file(resource: Any, new: Any, update: Any) -> None:
    """Every other field reaches the server, which accepts or refuses it."""
    read, created, updated = (set(each.DESCRIPTOR.fields_by_name) for each in (resource, new, update))
    assert read - created == nodepools_bodies.ANSWERED_OF_NEW
    assert read - updated == nodepools_bodies.ANSWERED


@pytest.mark.parametrize(("group", "name"), [("nodepools", "workers"), ("clusters", "first")])
@pytest.mark.parametrize("form", ["json", "yaml"])
def test_the_output_of_get_is_valid_for_one_update(
    run: Run, cluster_and_pool: tuple[str, str], tmp_path: pathlib.Path, group: str, name: str, form: str
) -> None:
    """It contains the resource version, so the second update is stale and refused."""
    body = tmp_path / "body"
    body.write_text(run(group, "get", name, "-o", form)[1].replace("us-central1", "us-east1"))
    code, printed, stderr = run(group, "update", name, "-f", str(body), "-o", "json")
    assert code == 0, stderr
    assert json.loads(printed)["generation"] == 2
    code, _, stderr = run(group, "update", name, "-f", str(body))
    assert (code, "has been changed" in stderr) == (5, True), stderr


@pytest.mark.parametrize(("group", "name", "other"), [("nodepools", "workers", "second"), ("clusters", "first", "third")])
def test_the_output_of_get_can_create_a_resource_but_not_update_another(
    run: Run, cluster_and_pool: tuple[str, str], tmp_path: pathlib.Path, group: str, name: str, other: str
) -> None:
    """A create ignores id and version. An update of another resource is refused."""
    body = tmp_path / "body.yaml"
    body.write_text(run(group, "get", name)[1].replace(f"name: {name}", f"name: {other}"))
    code, printed, stderr = run(group, "create", "-f", str(body), "-o", "json")
    assert code == 0, stderr
    identifier = json.loads(printed)["id"]
    code, _, stderr = run(group, "update", other, "-f", str(body))
    assert (code, f"and {identifier} is to be updated" in stderr, "Hint: " in stderr) == (2, True, True), stderr
    run(group, "delete", identifier, "--yes")


def test_a_dry_run_of_scaling_changes_nothing(run: Run, cluster_and_pool: tuple[str, str], server: serving.Server) -> None:
    """The response is that of a real request."""
    code, printed, stderr = run("nodepools", "scale", "workers", "7", "--dry-run", "-o", "json")
    assert code == 0, stderr
    assert json.loads(printed)["spec"]["nodeCount"] == 7
    assert server.call("GET", f"/nodepools/{cluster_and_pool[1]}")["spec"]["nodeCount"] == 3
    assert run("nodepools", "scale", "workers", "5000", "--dry-run")[0] == 1


def test_a_dry_run_of_a_deletion_deletes_nothing(run: Run, cluster_and_pool: tuple[str, str], server: serving.Server) -> None:
    """It needs no approval, and fails for the same reasons as the deletion."""
    for command in (("nodepools", "delete", "workers"), ("clusters", "delete", "first", "--force")):
        code, _, stderr = run(*command, "--dry-run")
        assert (code, "can be deleted" in stderr) == (0, True), stderr
    assert run("clusters", "delete", "first", "--dry-run")[0] == 5
    assert server.call("GET", f"/nodepools/{cluster_and_pool[1]}")["status"]["phase"] == "Pending"


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_every_command_has_json_and_yaml_output(form: str) -> None:
    """The documentation promises it."""
    for group, kind in ((nodepools.nodepools, "nodepools"), (nodepools.clusters, "clusters")):
        for name, command in group.commands.items():
            (option,) = (parameter for parameter in command.params if parameter.name == "form")
            assert form in option.type.choices, f"{kind} {name}"


@pytest.mark.parametrize(("form", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_a_deletion_prints_the_cluster_or_the_id_of_the_node_pool(
    run: Run, cluster_and_pool: tuple[str, str], form: str, read: Callable[[str], Any]
) -> None:
    """A deleted cluster still exists in the phase Deleting. A deleted node pool does not."""
    assert read(run("nodepools", "delete", "workers", "--yes", "-o", form)[1]) == {"id": cluster_and_pool[1]}
    cluster = read(run("clusters", "delete", "first", "--yes", "-o", form)[1])
    assert (cluster["id"], cluster["status"]["phase"]) == (cluster_and_pool[0], "Deleting")


def test_deleting_a_cluster_with_node_pools_hints_at_force(run: Run, cluster_and_pool: tuple[str, str]) -> None:
    """The API's message names a request parameter, not the option."""
    code, _, stderr = run("clusters", "delete", "first", "--yes")
    assert (code, "add --force to delete them too" in stderr) == (5, True), stderr
    assert run("clusters", "delete", "first", "--yes", "--force")[0] == 0


@pytest.fixture
def audited(server: serving.Server, cluster_and_pool: tuple[str, str]) -> str:
    """A node pool with two actions of a controller. Returns its id."""
    pool = cluster_and_pool[1]
    with client.Client(server.url, email="controller@system.local") as controller:
        for number, (cause, error) in enumerate((("SpecChange", ""), ("Autoscaling", "quota\nexceeded"))):
            record = audit_pb2.AuditRecord(
                controller_name="planton-gcp",
                process="worker-1",
                generation=1,
                action="update",
                cause=cause,
                reason=f"reason {number}",
                outcome="Failed" if error else "Succeeded",
                error=error,
                changes=[audit_pb2.AuditChange(resource="node_pool", action="update", field="count", before="2", after="3")],
            )
            controller.record_node_pool_event(pool, str(uuid.uuid4()), record)
        assert [each.cause for each in controller.list_node_pool_events(pool)] == ["Autoscaling", "SpecChange"]
    return pool


def test_events_show_when_who_why_and_both_values(run: Run, audited: str) -> None:
    """The oldest action comes first, each change on its line; texts of clouds are escaped."""
    code, shown, _ = run("nodepools", "events", "workers")
    header, first, change, last, _ = shown.splitlines()
    assert (code, header.split()) == (0, ["TIME", "ACTION", "CAUSE", "USER", "PROCESS", "OUTCOME", "CHANGE"])
    assert first.split()[1:] == ["update", "SpecChange", "user@example.com", "worker-1", "Succeeded", "reason", "0"]
    assert change.strip() == "update node_pool: count 2 → 3"
    assert last.endswith("reason 1: quota\\nexceeded")
    assert last.split()[3:6] == ["-", "worker-1", "Failed"]


@pytest.mark.parametrize(("form", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_events_are_data_of_any_length(run: Run, audited: str, form: str, read: Callable[[str], Any]) -> None:
    """With the names of the API, the newest first."""
    both = read(run("nodepools", "events", "workers", "-o", form)[1])["events"]
    assert [each["cause"] for each in both] == ["Autoscaling", "SpecChange"]
    assert both[0]["changes"] == [{"resource": "node_pool", "action": "update", "field": "count", "before": "2", "after": "3"}]
    assert read(run("nodepools", "events", audited, "--limit", "1", "-o", form)[1])["events"] == both[:1]


def test_events_of_a_resource_that_nobody_has_changed(run: Run, cluster_and_pool: tuple[str, str]) -> None:
    """It is no error; a missing resource is one."""
    assert run("clusters", "events", "first")[1] == "controllers have changed nothing\n"
    assert run("clusters", "events", cluster_and_pool[1])[0] == 1
    assert run("nodepools", "events", "first", "--watch", "-o", "json")[0] == 2
