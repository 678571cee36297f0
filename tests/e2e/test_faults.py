"""What happens when the cloud, the plugin, the engine or the user fails in the middle."""

from __future__ import annotations

import json
import os
import pathlib
import signal

import pytest

from support import planton as support
from support import waiting
from support.worlds import FILE, Applied


def seen(planton: support.Planton, since: int, method: str, path: str) -> bool:
    """Return whether a request has come."""
    return any((each["method"], each["path"]) == (method, path) for each in planton.sandbox.control.requests(since, "civo"))


@pytest.mark.parametrize("killed", ["planton", "planton and the engine"])
def test_kill_in_the_middle_of_a_creation_makes_nothing_twice(applied: Applied, killed: str) -> None:
    """The next apply says what was interrupted, adopts the cluster that was made, and goes on."""
    planton = applied(support.network())
    file = planton.write("c.yaml", support.cluster())
    planton.sandbox.control.fault(method="POST", path="/v2/kubernetes/clusters$", action="hold")
    mark = planton.sandbox.control.mark()
    process = planton.start("apply", "-f", file, "--yes")
    waiting.until(planton.sandbox.control.struck, "the creation of the cluster")
    assert pending(planton, "cluster")
    # The parent first: it would still write down that its engine was killed.
    others = children(process.pid) if killed != "planton" else []
    for each in (process.pid, *others):
        os.kill(each, signal.SIGKILL)
    process.wait()
    planton.sandbox.control.clear_faults()
    waiting.until(lambda: seen(planton, mark, "POST", "/v2/kubernetes/clusters"), "the request")
    again = planton.run("apply", "-f", file, "--yes")
    assert "was interrupted" in again.stderr
    assert "adopting" in again.stderr
    assert len(planton.sandbox.control.resources()["clusters"]) == 1
    assert [path for method, path in planton.writes(mark) if method == "POST"].count("/v2/kubernetes/clusters") == 1
    assert planton.actions("plan", "-f", file) == {}
    planton.run("destroy", "-f", file, "--yes")
    assert not planton.sandbox.control.resources()["clusters"]


def pending(planton: support.Planton, resource: str) -> bool:
    """Return whether the engine has written down that it is creating a resource."""
    states = (planton.folder / "data" / "state").rglob("*Cluster.dev.json")
    return any('"pending_operations"' in text and f"::{resource}" in text for text in map(pathlib.Path.read_text, states))


def children(parent: int) -> list[int]:
    """Return the processes below one, deepest last."""
    pids = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, ppid = int(entry.parent.name), int(entry.read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
        if ppid == parent:
            pids += [pid, *children(pid)]
    return pids


@pytest.mark.parametrize(
    "signals",
    [(signal.SIGINT,), (signal.SIGTERM, signal.SIGTERM), (signal.SIGHUP, signal.SIGHUP), (signal.SIGINT, signal.SIGTERM)],
    ids=lambda signals: "+".join(each.name for each in signals),
)
def test_a_signal_saves_what_was_done_and_the_next_run_resumes(applied: Applied, signals: tuple[signal.Signals, ...]) -> None:
    """Exit code 130, one line, no lock and nothing pending, and the same command ends in the wanted state.

    A runner that ends a job sends SIGTERM more than once, and a shell repeats SIGHUP: that must not end the engine at once.
    """
    planton = applied(support.network())
    file = planton.write("c.yaml", support.cluster())
    planton.sandbox.control.fault(method="POST", path="/v2/kubernetes/clusters$", action="hold")
    process = planton.start("apply", "-f", file, "--yes")
    waiting.until(planton.sandbox.control.struck, "the creation of the cluster")
    for each in signals:
        process.send_signal(each)
    assert process.stderr is not None
    stderr = ""
    while "Ctrl-C again" not in stderr and (line := process.stderr.readline()):
        stderr += line
    waiting.until(lambda: planton.logged(support.INTERRUPTED), "the engine to receive the interruption")
    planton.sandbox.control.clear_faults()
    stderr += process.communicate(timeout=waiting.TIMEOUT_SECONDS)[1]
    assert "Traceback" not in stderr
    assert process.returncode == 130, stderr
    assert [each["name"] for each in planton.sandbox.control.resources()["firewalls"]].count("dev-firewall") == 1
    assert stderr.count("Ctrl-C again") == 1
    state = planton.folder / "data" / "state" / ".pulumi"
    assert list(state.glob("locks/*/*/*/*.json")) == []
    assert not pending(planton, "cluster")
    planton.run("apply", "-f", file, "--yes")
    there = planton.sandbox.control.resources()
    assert len(there["clusters"]) == [each["name"] for each in there["firewalls"]].count("dev-firewall") == 1
    assert planton.actions("plan", "-f", file) == {}


def test_an_answer_that_is_lost_does_not_lose_the_cluster(applied: Applied) -> None:
    """The cloud made it and the connection was cut: the next apply adopts it."""
    planton = applied(support.network())
    file = planton.write("c.yaml", support.cluster())
    planton.sandbox.control.fault(method="POST", path="/v2/kubernetes/clusters$", action="drop_after")
    planton.run("apply", "-f", file, "--yes", code=6)
    again = planton.run("apply", "-f", file, "--yes")
    assert "adopting" in again.stderr
    assert len(planton.sandbox.control.resources()["clusters"]) == 1
    assert planton.actions("plan", "-f", file) == {}


def test_what_is_adopted_is_planned_and_needs_consent(planton: support.Planton) -> None:
    """Recovery itself changes nothing: without --yes the cloud and the state stay as they are."""
    file = planton.write("n.yaml", support.network())
    planton.sandbox.control.fault(method="POST", path="/v2/networks$", action="drop_after")
    planton.run("apply", "-f", file, "--yes", code=6)
    mark = planton.sandbox.control.mark()
    for _ in range(2):
        refused = planton.run("apply", "-f", file, code=5)
        assert "import network" in refused.stdout
    assert planton.writes(mark) == []
    planton.run("apply", "-f", file, "--yes")
    assert planton.actions("plan", "-f", file) == {}
    assert [each["label"] for each in planton.sandbox.control.resources()["networks"]].count("net") == 1


def test_an_orphan_is_found_although_the_manifest_has_another_name_by_now(planton: support.Planton) -> None:
    """It is adopted and renamed, not left behind beside a second one."""
    planton.sandbox.control.fault(method="POST", path="/v2/networks$", action="drop_after")
    planton.run("apply", "-f", planton.write("n.yaml", support.network()), "--yes", code=6)
    file = planton.write("n.yaml", support.network(networkName="renamed"))
    planton.run("apply", "-f", file, "--yes")
    assert planton.actions("plan", "-f", file) == {}
    labels = [each["label"] for each in planton.sandbox.control.resources()["networks"]]
    assert sorted(labels) == ["default", "renamed"]


def test_an_orphan_goes_with_a_destroy(planton: support.Planton) -> None:
    """What was made without being recorded does not stay behind."""
    file = planton.write("n.yaml", support.network())
    planton.sandbox.control.fault(method="POST", path="/v2/networks$", action="drop_after")
    planton.run("apply", "-f", file, "--yes", code=6)
    planton.run("destroy", "-f", file, "--yes")
    assert [each["label"] for each in planton.sandbox.control.resources()["networks"]] == ["default"]


def test_a_damaged_state_says_how_to_put_it_right(applied: Applied) -> None:
    """A full disk can cut a state file short; its copy is beside it."""
    planton = applied(support.network())
    file = "n.yaml"
    planton.run("apply", "-f", planton.write("n.yaml", support.network(nameservers=["10.0.0.2"])), "--yes")
    state = next((planton.folder / "data" / "state").rglob("*CivoVpc.net.json"))
    state.write_text(state.read_text()[:1000])
    refused = planton.run("apply", "-f", file, "--yes", code=6).stderr
    assert f"cp {state}.bak {state}" in refused
    state.write_bytes(state.with_name(f"{state.name}.bak").read_bytes())
    planton.run("refresh", "-f", file)
    planton.run("apply", "-f", file, "--yes")
    assert planton.actions("plan", "-f", file) == {}


def test_a_failed_update_is_followed_by_a_refresh(applied: Applied) -> None:
    """The plugin writes planned values into the state of a failed update; reverting the manifest must change nothing."""
    planton = applied(support.network(), support.cluster())
    planton.sandbox.control.fault(method="PUT", path="/v2/kubernetes/clusters/[^/]+$", action="status", status=500)
    grown = {"defaultNodePool": {"size": "g4s.kube.small", "nodeCount": 4}}
    planton.run("apply", "-f", planton.write("d.yaml", support.cluster(**grown)), "--yes", code=6)
    mark = planton.sandbox.control.mark()
    planton.run("apply", "-f", FILE, "--yes")
    assert planton.writes(mark) == []
    pools = planton.sandbox.control.resources()["clusters"][0]["pools"]
    assert pools[0]["count"] == 2


@pytest.mark.parametrize("times", [1, 0])
def test_a_refresh_that_meets_errors_never_drops_a_resource(applied: Applied, times: int) -> None:
    """The plugin drops what it could not read; the engine asks the cloud itself, and puts the state back."""
    planton = applied(support.network(), support.cluster())
    file = planton.write("c.yaml", support.cluster())
    planton.sandbox.control.fault(method="GET", path="/v2/kubernetes/clusters/[^/]+$", action="status", status=500, times=times)
    refused = planton.run("refresh", "-f", file, code=6).stderr
    assert "cluster is gone" in refused
    planton.sandbox.control.clear_faults()
    mark = planton.sandbox.control.mark()
    assert planton.actions("plan", "-f", file) == {}
    assert planton.writes(mark) == []


def test_a_network_that_the_list_omits_for_a_moment_is_not_forgotten(applied: Applied) -> None:
    """The plugin reads it as empty texts; the state must survive."""
    planton = applied(support.network())
    file = FILE
    planton.sandbox.control.fault(method="GET", path="/v2/networks$", action="status", status=200, body=[])
    planton.run("refresh", "-f", file)
    planton.sandbox.control.clear_faults()
    mark = planton.sandbox.control.mark()
    assert planton.actions("plan", "-f", file) == {}
    assert planton.writes(mark) == []


ERRORS = [
    (
        {
            "method": "POST",
            "path": "/v2/kubernetes/clusters$",
            "status": 403,
            "body": {"code": "quota_limit_reached", "reason": "quota"},
        },
        "CLOUD_QUOTA_REACHED",
        "higher quota",
    ),
    (
        {"method": "GET", "path": "/v2/regions$", "status": 401, "body": {"result": "requires_authentication"}, "times": 0},
        "CLOUD_AUTH",
        "token",
    ),
]


@pytest.mark.parametrize(("fault", "reason", "advice"), ERRORS, ids=[each[1] for each in ERRORS])
def test_errors_of_the_cloud_are_explained(applied: Applied, fault: dict, reason: str, advice: str) -> None:
    """Each has the cloud's own text, a reason, and what to do."""
    planton = applied(support.network())
    planton.sandbox.control.fault(action="status", **fault)
    file = planton.write("c.yaml", support.cluster())
    done = planton.run("apply", "-f", file, "--yes", "--output", "json", code=6)
    errors = [each["error"] for each in json.loads(done.stdout)["resources"] if each.get("error")]
    assert errors[0]["reason"] == reason, errors
    assert advice in errors[0]["hint"], errors
    assert planton.sandbox.token not in done.stdout + done.stderr


def test_a_name_that_exists_is_explained_with_the_way_to_import_it(applied: Applied) -> None:
    """The error names the import command, before anything is changed."""
    planton = applied(support.network(), support.cluster())
    other = support.cluster(firewall={"value": "dev-firewall"}, apiServerAllowedCidrs=[]) | {
        "metadata": {"name": "other", "env": "dev"}
    }
    mark = planton.sandbox.control.mark()
    done = planton.run("apply", "-f", planton.write("o.yaml", other), "--yes", code=1)
    assert planton.writes(mark) == []
    [cluster] = planton.sandbox.control.resources()["clusters"]
    assert f"planton import CivoKubernetesCluster/other {cluster['id']}" in done.stdout + done.stderr


def test_a_cluster_that_stays_in_building_is_given_up_after_the_timeout(applied: Applied) -> None:
    """The command ends with advice, and a later apply goes on with the same cluster."""
    planton = applied(support.network())
    planton.sandbox.control.outside("stuck", count=1)
    file = planton.write("c.yaml", support.cluster())
    done = planton.run("apply", "-f", file, "--yes", "--timeout", "0.1", code=6)
    assert "BUILDING" in done.stdout + done.stderr
    planton.sandbox.control.outside("unstuck")
    planton.run("apply", "-f", file, "--yes")
    assert len(planton.sandbox.control.resources()["clusters"]) == 1
    assert planton.actions("plan", "-f", file) == {}


def test_two_applies_of_one_stack_do_not_meet(applied: Applied) -> None:
    """The second names who holds the stack, or waits when told to."""
    planton = applied(support.network())
    file = planton.write("n.yaml", support.network(networkName="renamed"))
    planton.sandbox.control.fault(method="PUT", path="/v2/networks/[^/]+$", action="hold")
    first = planton.start("apply", "-f", file, "--yes")
    waiting.until(planton.sandbox.control.struck, "the first apply")
    second = planton.write("m.yaml", support.network(networkName="other"))
    refused = planton.run("apply", "-f", second, "--yes", code=7)
    assert "apply by" in refused.stdout + refused.stderr
    patient = planton.start("apply", "-f", second, "--yes", "--lock-timeout", f"{waiting.TIMEOUT_SECONDS:g}")
    assert patient.stderr is not None
    assert any("waiting for apply by" in line for line in patient.stderr)
    planton.sandbox.control.clear_faults()
    for process in (first, patient):
        _, stderr = process.communicate(timeout=waiting.TIMEOUT_SECONDS)
        assert process.returncode == 0, stderr
    assert "other" in [each["label"] for each in planton.sandbox.control.resources()["networks"]]


def test_no_secret_is_in_plain_state_logs_or_output(applied: Applied) -> None:
    """Neither the token nor the kubeconfig is readable anywhere in the data folder."""
    planton = applied(support.network())
    done = planton.run("apply", "-f", planton.write("c.yaml", support.cluster()), "--yes")
    kubeconfig = planton.run("kubeconfig", "civokubernetescluster/dev").stdout
    key = next(line.split(":", 1)[1].strip() for line in kubeconfig.splitlines() if "client-key-data" in line or "token" in line)
    for path in (planton.folder / "data").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert planton.sandbox.token.encode() not in content, path
            assert key.encode() not in content, path
    assert planton.sandbox.token not in done.stdout + done.stderr
    assert key not in done.stdout + done.stderr
    assert (planton.folder / "data" / "passphrase").stat().st_mode & 0o077 == 0


def test_a_rotated_token_replaces_nothing_and_destroy_uses_the_new_one(applied: Applied) -> None:
    """The account stays the same, only its token changes; with the old one nothing would work."""
    planton = applied(support.network(), support.cluster())
    file = FILE
    planton.sandbox.control.outside("rotate-token", new="sandbox-rotated")
    rotated = {"CIVO_TOKEN": "sandbox-rotated"}
    actions = {
        change["resource"]: change["action"]
        for one in planton.json("plan", "-f", file, **rotated)["resources"]
        for change in one["changes"]
    }
    assert set(actions.values()) <= {"update"}, actions
    planton.run("drift", "-f", file, **rotated)
    planton.run("destroy", "-f", file, "--yes", **rotated)
    assert not planton.sandbox.control.outside("resources", account="sandbox-rotated")["clusters"]
