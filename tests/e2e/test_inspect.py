"""Commands that show what is there: they read the cloud once per account and kind, and change nothing."""

from __future__ import annotations

import signal
from typing import Any

from support import planton as support
from support import screens
from support.worlds import Applied

#: Nothing listens there.
UNREACHABLE = {"CIVO_API_URL": "http://127.0.0.1:9"}


def _paths(user: support.Planton, mark: int) -> list[str]:
    return [each["path"].partition("?")[0] for each in user.sandbox.control.requests(mark, "civo")]


def _row(user: support.Planton, *arguments: str) -> dict[str, str]:
    header, row = user.run("get", *arguments).stdout.splitlines()
    return dict(zip(header.split(), row.split(), strict=True))


def test_get_shows_the_condition_in_the_cloud_with_one_list_per_kind(applied: Applied) -> None:
    """By short name, label, column and path; drift is counted; a cloud that cannot be read is no failure."""
    user = applied(support.network(), support.cluster(), support.pool())
    mark = user.sandbox.control.mark()
    items = user.json("get")["items"]
    assert sorted(_paths(user, mark)) == ["/v2/firewalls", "/v2/kubernetes/clusters", "/v2/networks"]
    assert [each["observed"]["status"] for each in items] == ["Ready"] * 3
    assert [each["observed"]["drift"] for each in items] == [[]] * 3
    assert _row(user, "pools") | {"AGE": ""} == {
        "NAME": "workers",
        "KIND": "CivoKubernetesNodePool",
        "ENV": "dev",
        "STATUS": "Ready",
        "VERSION": "1.30.5-k3s1",
        "REGION": "lon1",
        "NODES": "3/3",
        "SIZE": "g4s.kube.medium",
        "AGE": "",
        "DRIFT": "no",
    }
    assert user.run("get", "-l", "team=shop").stdout == "nothing has been applied\n"
    assert user.run("get", "--sort-by", ".metadata.name", "-o", "name").stdout.split()[0] == "CivoKubernetesCluster/dev"
    assert user.run("get", "clusters", "-o", "jsonpath={.items[*].observed.nodes}").stdout == '{"ready": 5, "desired": 5}\n'
    user.sandbox.control.outside("scale", cluster="dev", pool="workers", count=4)
    assert _row(user, "pools")["DRIFT"] == "1"
    assert "actual_node_count: 3 → 4" in user.run("get", "pool/workers").stdout
    offline = _row(user, "pools", "--offline")
    assert (offline["STATUS"], offline["NODES"], offline["DRIFT"]) == ("Unknown", "?/3", "-")
    unreachable = user.run("get", "pools", **UNREACHABLE)
    assert "Unknown" in unreachable.stdout
    assert unreachable.stderr.count("Warning:") == 1
    user.sandbox.control.outside("delete-pool", cluster="dev", pool="workers")
    missing = _row(user, "pools")
    assert (missing["STATUS"], missing["DRIFT"]) == ("Missing", "missing")


def test_a_watch_shows_a_change_in_the_cloud(applied: Applied) -> None:
    """It ends with Ctrl-C."""
    user = applied(support.network(), support.cluster(), support.pool())
    watch = user.start("get", "pools", "--watch", "--interval", "1")
    assert watch.stdout is not None
    assert [watch.stdout.readline().split()[0] for _ in range(2)] == ["NAME", "workers"]
    user.sandbox.control.outside("scale", cluster="dev", pool="workers", count=4)
    assert watch.stdout.readline().split()[-1] == "1"
    watch.send_signal(signal.SIGINT)
    watch.communicate(timeout=support.SECONDS)
    assert watch.returncode == 130


def _methods(data: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["method"] for each in data["resources"]}


def test_drift_without_names_compares_everything_and_starts_the_engine_only_for_what_differs(applied: Applied) -> None:
    """The JSON says which resources the engine read."""
    user = applied(support.network(), support.cluster(), support.pool())
    mark = user.sandbox.control.mark()
    same = user.json("drift")
    assert _methods(same) == {"net": "list", "dev": "list", "workers": "list"}
    assert same["summary"]["byEngine"] == 0
    assert sorted(_paths(user, mark)) == ["/v2/firewalls", "/v2/kubernetes/clusters", "/v2/networks"]
    user.sandbox.control.outside("scale", cluster="dev", pool="workers", count=4)
    drift = user.json("drift", "--env", "dev", code=3)
    methods = _methods(drift)
    assert (methods["net"], methods["workers"]) == ("list", "engine")
    assert [change["resource"] for each in drift["resources"] for change in each["changes"]] == ["node_pool_size"]
    assert user.json("drift", "civovpc/net", "--full")["summary"]["byEngine"] == 1
    assert user.run("drift", "--env", "prod").stdout == "nothing has been applied\n"


def test_drift_without_names_compares_two_stacks_of_one_name(applied: Applied) -> None:
    """A manifest of the same kind, name and environment may select a stack of its own with labels."""
    user = applied(support.network())
    other = support.network(networkName="other", ipRangeCidr="10.30.0.0/24")
    labels = {"organization": "organization", "project": "shop", "stack.name": "net"}
    other["metadata"]["labels"] = {f"pulumi.project-planton.org/{label}": value for label, value in labels.items()}
    user.run("apply", "-f", user.write("other.yaml", other), "--yes")
    stacks = {each["stack"] for each in user.json("drift")["resources"]}
    assert any(stack.endswith("shop/net") for stack in stacks)
    assert len(stacks) == 2
    lines = user.run("drift").stdout.splitlines()
    assert sorted(lines) == sorted(f"CivoVpc/net (env dev) [stack {stack}]: no drift" for stack in stacks)


def test_status_describe_and_nodes_show_what_is_not_as_it_should_be(applied: Applied) -> None:
    """A healthy environment exits with 0. A node that is not ready, and drift, come first."""
    user = applied(support.network(), support.cluster(), support.pool())
    healthy = user.json("status")
    assert healthy["ok"]
    assert {each["reason"] for each in healthy["findings"]} == {"UpgradeAvailable"}
    nodes = user.json("nodes", "dev")
    assert [node["status"] for node in nodes] == ["Ready"] * 5
    assert {node["pool"] for node in nodes} > {"workers"}
    user.sandbox.control.outside("node", cluster="dev", node=nodes[0]["name"], ready=False)
    user.sandbox.control.outside("scale", cluster="dev", pool="workers", count=4)
    status = user.json("status", "--env", "dev", code=3)
    levels = [each["level"] for each in status["findings"]]
    assert levels == sorted(levels, key=["error", "warning", "note"].index)
    assert {"NodeNotReady", "Drift"} <= {each["reason"] for each in status["findings"]}
    screen = user.run("status", code=3).stdout.splitlines()
    assert screen[0].startswith("✗ CivoKubernetesCluster/dev (env dev): node ")
    assert screen[1] == "  → planton nodes cluster/dev"
    cluster = user.json("describe", "cluster/dev")
    assert [each["kind"] for each in cluster["uses"]] == ["CivoVpc"]
    assert [each["kind"] for each in cluster["usedBy"]] == ["CivoKubernetesNodePool"]
    assert cluster["history"][0]["operation"] == "apply"
    assert cluster["upgrades"]
    pool = user.run("describe", "pool/workers").stdout
    for text in ("actual_node_count: 3 → 4", "CivoKubernetesCluster/dev", "/month list price", "create node_pool"):
        assert text in pool
    listed = user.run("nodes", "dev").stdout
    assert "! Ready is False" in listed
    assert "no cluster" in user.run("nodes", "civovpc/net", code=2).stderr
    resources = [each["name"] for each in user.json("history")]
    assert resources == ["workers", "dev", "net"]


def test_a_terminal_shows_colours_and_as_many_columns_as_fit(applied: Applied) -> None:
    """120 columns show everything; 60 lose the least important ones; NO_COLOR loses the colours."""
    user = applied(support.network(), support.cluster(), support.pool())

    def shown(columns: int, *arguments: str, **environ: str) -> list[str]:
        command = user.command(*arguments)
        screen = screens.run(
            command,
            cwd=user.folder,
            env={**user.environ, "TERM": "xterm-256color", **environ},
            width=columns,
            seconds=support.SECONDS,
        )
        return [line for line in screen.raw.replace("\r", "").splitlines() if line]

    wide, narrow = shown(120, "get"), shown(60, "get", NO_COLOR="1")
    assert wide[0].split() == ["NAME", "KIND", "ENV", "STATUS", "VERSION", "REGION", "NODES", "SIZE", "AGE", "DRIFT"]
    assert "\x1b[32mReady\x1b[0m" in wide[1]
    assert narrow[0].split() == ["NAME", "KIND", "ENV", "STATUS", "NODES", "DRIFT"]
    assert all(len(line) <= 60 and "\x1b" not in line for line in narrow)
    assert "All is well." in shown(60, "status")[-1]
