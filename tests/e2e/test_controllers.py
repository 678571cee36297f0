"""What the API promises, the clouds get: whole paths with a server, controllers, Pulumi and the sandbox."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import datetime
import os
import pathlib
import re
import signal
import sqlite3

import pytest

from planton import client
from planton.config import settings as engine_settings
from planton.controllers import lease, observe, queue, recent, reconcile
from planton.deploy import runtime
from support import collector, controllers, serving, waiting

CLOUDS = ("civo", "digitalocean")
#: The path of requests that create node pools.
POOLS = {"civo": "/pools$", "digitalocean": "/node_pools$"}
#: The path of the list of Civo's clusters.
LISTS = "/v2/kubernetes/clusters"
#: The properties with the number of nodes of a pool.
COUNTS = ("nodeCount", "node_count")
#: What limits the number of nodes of an account.
QUOTAS = {"civo": "instance_count", "digitalocean": "droplet_limit"}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_pool_comes_up_scales_is_repaired_and_goes(tmp_path: pathlib.Path, cloud: str) -> None:
    """One command serves and controls. Nodes carry the pool's label; nothing is left in the end. Each change has a trace to the cloud."""
    with (
        collector.running() as collected,
        controllers.world(tmp_path, cloud, "--with-controllers", "--otlp-endpoint", collected.endpoint) as world,
    ):
        cluster = world.create_cluster()
        pool = world.create_pool(cluster, labels={"tier": "web"})
        path = f"/nodepools/{pool}"
        world.until_ready(path)
        assert len(world.nodes("nodepool=workers,tier=web")) == 2
        # The states are those of the controllers. Without them, the API knows its objects.
        orphans, elsewhere = ("orphans", "--provider", cloud), {"PLANTON_DATA_DIR": str(tmp_path / "other")}
        [orphan] = world.user.json(*orphans, code=3, **elsewhere)["orphans"]
        assert orphan["objectId"] == cluster
        options = ("--server", world.server.url, "--user", serving.USER["X-User-Email"])
        assert world.user.json(*orphans, *options, **elsewhere)["orphans"] == []
        metadata = world.report(path)["metadata"]
        assert (metadata["platform"], metadata["region"].lower()) == (cloud, controllers.REGIONS[cloud].lower())
        assert (metadata["active_nodes"], metadata["desired_nodes"]) == (2, 2)

        world.update_pool(pool, nodeCount=3, labels={"tier": "web"})
        world.until_ready(path, generation=2)
        assert len(world.nodes("nodepool=workers")) == 3

        world.control.outside("scale", cloud=cloud, cluster="production", pool="workers", count=1)
        waiting.until(lambda: len(world.nodes("nodepool=workers")) == 3, "the drift to be repaired")
        world.until_ready(path, generation=2)

        world.update_pool(pool, nodeCount=3, labels={"tier": "web"}, lifecycle={"deletionProtection": True})
        world.until_ready(path, generation=3)
        world.until(path, lambda _: world.conditions(path)["Ready"][0] == "True", "the protection to be applied")
        # This is refused, so the removed protection is never applied. Neither may prevent the deletion below.
        world.update_pool(pool, nodeCount=3, labels={"tier": "web"}, size="no-such-size")
        world.until(path, lambda _: world.conditions(path).get("Degraded", ("", ""))[1] == "InvalidSpec", "a refusal")
        assert len(world.nodes("nodepool=workers")) == 3

        world.server.call("DELETE", path)
        world.until_gone(path)
        assert world.nodes("nodepool=workers") == []
        # The protection changes nothing in the cloud, and the refused size nothing at all.
        assert _audited(world, path) == [
            ("SpecChange", "create", {("", "2")}),
            ("SpecChange", "update", {("2", "3")}),
            ("DriftRepair", "repair", {("1", "3")}),
            ("Deletion", "delete", set()),
        ]
        world.server.call("DELETE", f"/clusters/{cluster}")
        world.until_gone(f"/clusters/{cluster}")
        assert world.clusters() == []
        requests = world.control.requests(0, cloud)
        assert world.server.stop() == 0
        _check_traces(collected, requests)


def _check_traces(collected: collector.Collector, requests: list[dict]) -> None:
    """Checks that each change in the cloud belongs to the trace of the request to the API that it is made for, or of a repair."""
    changes = [each for each in requests if each["method"] != "GET" and "kubeconfig" not in each["path"]]
    traces = {each["traceparent"][3:35] for each in changes}
    assert "" not in traces
    roots = {span.trace_id.hex(): span.name for span in collected.spans if not span.parent_span_id}
    # The cluster and the pool are created and deleted; the pool is scaled; its drift is repaired by a later look.
    made_by = sorted(roots[trace] for trace in traces)
    assert made_by == sorted(
        [
            "DELETE /api/v1/clusters/{id}",
            "DELETE /api/v1/nodepools/{id}",
            "POST /api/v1/clusters",
            "POST /api/v1/clusters/{cluster_id}/nodepools",
            "PUT /api/v1/nodepools/{id}",
            "reconcile NodePool",
        ]
    )
    post = next(trace for trace in traces if roots[trace].startswith("POST") and "nodepools" in roots[trace])
    spans = collected.of_trace(post)
    assert {"observe", "decide", "plan", "apply", "pulumi up", "report"} <= {span.name for span in spans}
    [change] = [each for each in changes if each["traceparent"][3:35] == post and re.search("pools$", each["path"])]
    by_id = {span.span_id.hex(): span for span in spans}
    lineage, above = [], change["traceparent"][36:52]
    while above:
        lineage.append(by_id[above].name)
        above = by_id[above].parent_span_id.hex()
    assert lineage[-1] == "POST /api/v1/clusters/{cluster_id}/nodepools"
    assert {"pulumi up", "apply", "reconcile NodePool"} <= set(lineage)


@pytest.mark.parametrize("cloud", CLOUDS)
def test_an_error_is_in_the_status_until_something_succeeds(tmp_path: pathlib.Path, cloud: str) -> None:
    """A quota that is too small is reported with its code; once it is raised, the pool comes up by itself."""
    with controllers.world(tmp_path, cloud) as world, controllers.controller(world, "one"):
        cluster = world.create_cluster()
        world.until_ready(f"/clusters/{cluster}")
        world.control.outside("quota", cloud=cloud, **{QUOTAS[cloud]: 1})
        path = f"/nodepools/{world.create_pool(cluster)}"
        world.until(path, lambda _: "last_error" in world.report(path), "an error")
        error = world.report(path)["last_error"]
        assert (error["error_code"], error["error_type"], error["user_actionable"]) == ("QUOTA_EXCEEDED", "Transient", True)
        assert error["details"]["action"] == "user"
        assert world.conditions(path)["Degraded"][:2] == ("True", "QuotaExceeded")
        world.control.outside("quota", cloud=cloud, **{QUOTAS[cloud]: 100})
        world.until_ready(path)
        assert "last_error" not in world.report(path)


def test_a_killed_controller_is_continued_by_another_without_duplicates(tmp_path: pathlib.Path) -> None:
    """``kill -9`` while the cloud creates the pool: its engine dies with it, and the next process finishes the same pool."""
    with controllers.world(tmp_path, "civo") as world:
        with controllers.controller(world, "one") as first:
            cluster = world.create_cluster()
            world.until_ready(f"/clusters/{cluster}")
            world.control.fault(action="hold", cloud="civo", method="POST", path=POOLS["civo"])
            path = f"/nodepools/{world.create_pool(cluster)}"
            waiting.until(world.control.struck, "the request to be held")
            first.kill()
        waiting.until(lambda: not _engines(tmp_path), "the engine to end")
        world.control.clear_faults()
        with controllers.controller(world, "two"):
            world.until_ready(path)
            assert len(world.nodes("nodepool=workers")) == 2
            [cloud_cluster] = world.clusters()
            assert [each["id"] for each in cloud_cluster["pools"]].count("workers") == 1


def test_a_suspended_controller_begins_nothing_after_its_lease(tmp_path: pathlib.Path) -> None:
    """SIGSTOP while the cloud creates the pool: its engine is ended from outside, and when it goes on its run is lost."""
    with controllers.world(tmp_path, "civo") as world, controllers.controller(world, "one") as first:
        cluster = world.create_cluster()
        world.until_ready(f"/clusters/{cluster}")
        world.control.fault(action="hold", cloud="civo", method="POST", path=POOLS["civo"])
        path = f"/nodepools/{world.create_pool(cluster)}"
        waiting.until(world.control.struck, "the request to be held")
        first.process.send_signal(signal.SIGSTOP)
        waiting.until(lambda: not _engines(tmp_path), "the engine to be ended")
        world.control.clear_faults()
        with controllers.controller(world, "two"):
            first.process.send_signal(signal.SIGCONT)
            waiting.until(lambda: re.search("lease may have ended|given to another", first.log.read_text("utf-8")), "the loss")
            world.until_ready(path)
            [cloud_cluster] = world.clusters()
            assert [each["id"] for each in cloud_cluster["pools"]].count("workers") == 1
            assert len(world.nodes("nodepool=workers")) == 2


def test_a_stop_hands_the_work_back_and_a_pause_holds(tmp_path: pathlib.Path) -> None:
    """SIGTERM in the middle of a creation: the next process finishes it. Neither a pause nor a command from outside is overruled."""
    with controllers.world(tmp_path, "civo") as world:
        with controllers.controller(world, "one") as first:
            cluster = world.create_cluster()
            world.until_ready(f"/clusters/{cluster}")
            world.control.fault(action="hold", cloud="civo", method="POST", path=POOLS["civo"])
            pool = world.create_pool(cluster)
            waiting.until(world.control.struck, "the request to be held")
            assert first.stop() == 0, first.log.read_text()
        world.control.clear_faults()
        path = f"/nodepools/{pool}"
        with controllers.controller(world, "two"):
            world.until_ready(path)
            refused = world.user.json("destroy", "civokubernetesnodepool/workers", "--yes", code=5)
            assert refused["error"]["reason"] == "TAKE_OVER_REFUSED"
            world.update_pool(pool, nodeCount=3, lifecycle={"pausedUntil": "true"})
            world.until(path, lambda _: world.conditions(path).get("Paused", ("", ""))[0] == "True", "the pause")
            mark = world.control.mark()
            world.until(path, lambda _: world.conditions(path)["Available"][2] == "2 of 3 nodes are ready", "the truth")
            assert [each for each in world.control.requests(mark, "civo") if each["method"] != "GET"] == []
            world.update_pool(pool, nodeCount=3)
            world.until_ready(path, generation=3)
            world.server.call("DELETE", path)
            world.until_gone(path)


def test_what_a_deleted_cluster_leaves_in_the_cloud_is_reported(tmp_path: pathlib.Path) -> None:
    """Volumes hold data, so controllers delete none: the status names them while the cluster is deleted, and the log afterwards."""
    with controllers.world(tmp_path, "civo") as world, controllers.controller(world, "one") as running:
        path = f"/clusters/{world.create_cluster()}"
        world.until_ready(path)
        world.control.outside("volume", cluster="production", name="data-1")
        world.server.call("DELETE", path)
        world.until_gone(path)
        log = running.log.read_text("utf-8")
        assert re.search(r"is deleted; the cloud keeps and bills: volume data-1 \(\S+\)", log), log
        assert world.clusters() == []


@pytest.mark.parametrize(("workers", "number"), [("1", signal.SIGTERM), ("2", signal.SIGINT)])
def test_controllers_beside_a_server_hand_their_work_back_before_it_stops(
    tmp_path: pathlib.Path, workers: str, number: signal.Signals
) -> None:
    """A stop in the middle of a creation, also by Ctrl-C, which all processes of a terminal get: no work waits for its lease to expire."""
    with controllers.world(tmp_path, "civo", "--with-controllers", "--workers", workers) as world:
        cluster = world.create_cluster()
        world.until_ready(f"/clusters/{cluster}")
        world.control.fault(action="hold", cloud="civo", method="POST", path=POOLS["civo"])
        world.create_pool(cluster)
        waiting.until(world.control.struck, "the request to be held")
        for child in _workers(world.server.process.pid) if number is signal.SIGINT else ():
            os.kill(child, number)
        world.server.process.send_signal(number)
        assert world.server.process.wait(waiting.TIMEOUT_SECONDS) == 0, world.server.log.read_text("utf-8")
    with contextlib.closing(sqlite3.connect(tmp_path / "server.db")) as database:
        held = database.execute("SELECT id FROM work WHERE process IS NOT NULL OR error_code = 'LEASE_LOST'").fetchall()
    assert held == []


@pytest.mark.parametrize("place", ["file", "api"])
def test_a_rotated_credential_is_used_by_the_work_that_waits_for_it(tmp_path: pathlib.Path, place: str) -> None:
    """A revoked token is in the status, and never in a log; the new one in the file, or in the API, is used without a restart."""
    file, keys = tmp_path / "credentials.yaml", tmp_path / "keys"
    for each in (file, keys):
        each.touch(mode=0o600)
    keys.write_text(base64.b64encode(os.urandom(32)).decode(), "ascii")

    def write(token: str) -> None:
        if place == "file":
            file.write_text(f"acme: {{apiToken: {token}}}\n", "utf-8")
        else:
            world.server.call("PUT", "/credentials/civo/acme", {"fields": [{"name": "api_token", "value": token}]})

    with (
        controllers.world(tmp_path, "civo", "--credential-keys", str(keys)) as world,
        controllers.controller(world, "one", PLANTON_CREDENTIALS=str(file), CIVO_TOKEN="sandbox-other") as running,
    ):
        write("sandbox-acme-old")
        cluster = world.create_cluster(credential="acme")
        world.until_ready(f"/clusters/{cluster}")
        world.control.outside("rotate-token", account="sandbox-acme-old", new="sandbox-acme-new")
        path = f"/nodepools/{world.create_pool(cluster)}"
        world.until(path, lambda _: "last_error" in world.report(path), "an error")
        error = world.report(path)["last_error"]
        assert (error["error_code"], error["details"]["action"]) == ("AUTHENTICATION_FAILED", "operator")
        write("sandbox-acme-new")
        world.until_ready(path)
        assert "last_error" not in world.report(path)
        assert "sandbox-acme" not in running.log.read_text("utf-8") + world.server.log.read_text("utf-8")


def _workers(parent: int) -> list[int]:
    """Returns the workers of a server: its children in the same process group."""
    listed = pathlib.Path(f"/proc/{parent}/task/{parent}/children").read_text("utf-8").split()
    return [int(child) for child in listed if os.getpgid(int(child)) == os.getpgid(parent)]


def _engines(folder: pathlib.Path) -> list[str]:
    """Returns the engines of controllers whose data is in a folder."""
    commands = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            environ = (process / "environ").read_bytes()
            if b"PLANTON_PROCESS=" in environ and str(folder).encode() in environ:
                commands.append((process / "comm").read_text("utf-8").strip())
        except OSError:
            continue
    return [name for name in commands if name.startswith("pulumi")]


def test_looks_at_what_is_as_desired_share_lists_and_start_no_engine(tmp_path: pathlib.Path) -> None:
    """A cluster and its pools, in an interval: one list of each sort from the cloud and one from Kubernetes, no change, no report."""
    with controllers.world(tmp_path, "civo") as world:
        settings = engine_settings.Settings(environ=world.user.environ)
        held = lease.Lease()
        held.renewed(lease.clock(), 3600)
        with runtime.working(settings) as working, client.Client(world.server.url, email="test@system.local") as api:
            reconciler = reconcile.Reconciler(api, observe.Observer(working))

            def run(reconciler: reconcile.Reconciler, kind: str, path: str) -> datetime.timedelta | None:
                work = queue.Work(path, kind, cluster, "civo", 1)
                done = reconciler.run(work, dataclasses.replace(settings, interruption=lease.Interruption(held)))
                return done.next_look

            cluster = world.create_cluster()
            pools = [world.create_pool(cluster, name) for name in ("workers", "builders")]
            resources = [("Cluster", cluster), *(("NodePool", pool) for pool in pools)]
            for kind, id_ in resources:
                run(reconciler, kind, id_)
            before = [world.status(f"/nodepools/{pool}") for pool in pools]
            assert [each["status"]["phase"] for each in before] == ["Ready", "Ready"]

            def refuse(action: str, *_: object, **__: object) -> None:
                raise AssertionError(f"nothing must change, and this would {action}")

            seconds = [0.0]
            shared = [recent.Recent(60.0, clock=lambda: seconds[0]) for _ in range(2)]
            mark = world.control.mark()
            steady = reconcile.Reconciler(api, observe.Observer(working, *shared), act=refuse)
            for kind, id_ in resources:
                run(steady, kind, id_)
                seconds[0] += 25.0
            requests = [(each["method"], each["path"].partition("?")[0]) for each in world.control.requests(mark)]
            kubeconfig = f"{LISTS}/{world.clusters()[0]['id']}"
            assert sorted(requests) == [("GET", path) for path in ("/api/v1/nodes", "/v2/firewalls", LISTS, kubeconfig)]
            assert [world.status(f"/nodepools/{pool}") for pool in pools] == before

            # A cloud that demands a pause is not asked again for any resource of the account.
            world.control.fault(action="status", status=429, times=0, cloud="civo", path=LISTS, headers={"Retry-After": "90"})
            mark = world.control.mark()
            limited = reconcile.Reconciler(api, observe.Observer(working), act=refuse)
            looks = [run(limited, kind, id_) for kind, id_ in resources]
            asked = [each["path"].partition("?")[0] for each in world.control.requests(mark, "civo")]
            assert asked.count(LISTS) == 1
            assert [look.total_seconds() for look in looks if look] == [90.0, 90.0, 90.0]


def _audited(world: controllers.World, path: str) -> list[tuple[str, str, set[tuple[str, str]]]]:
    """Returns cause, action and both numbers of nodes of the actions that succeeded, the oldest first. Drains are left out."""
    events = world.server.call("GET", f"{path}/events")["events"]
    assert {each["outcome"] for each in events} == {"Succeeded"}
    made = []
    for each in reversed(events):
        assert each["process"]
        assert each["requested_by"] == ("" if each["cause"] == "DriftRepair" else "user@example.com")
        counts = {(change["before"], change["after"]) for change in each["changes"] if change["field"] in COUNTS}
        if each["action"] != "drain":
            made.append((each["cause"], each["action"], counts))
    return made
