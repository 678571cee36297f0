"""States as such: kept, taken back, renamed, forgotten, moved, unlocked; their history; states of an older release; run logs."""

from __future__ import annotations

import datetime
import gzip
import json
import pathlib
import re
import shutil
import socket
import stat
import subprocess
import sys
from typing import Any

import pytest

from support import planton as support
from support.worlds import FILE, Applied

OLDER = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "states"
DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
OLDER_PASSPHRASE = "of an older release"
NETWORK = "civovpc/net"
CLUSTER = "civokubernetescluster/dev"


def _names(planton: support.Planton, **environ: str) -> set[tuple[str, str]]:
    metadata = [item["metadata"] for item in planton.json("get", "all", **environ)["items"]]
    return {(each["name"], each["env"]) for each in metadata}


def _apply(planton: support.Planton, *manifests: dict[str, Any], **environ: str) -> str:
    file = planton.write("all.yaml", *manifests)
    planton.run("apply", "-f", file, "--yes", **environ)
    return file


def test_an_exported_state_takes_the_place_of_a_later_one(applied: Applied) -> None:
    """Only after consent; the later one is kept; the file holds no plain secret and is for one user only."""
    planton = applied(support.network())
    planton.run("state", "export", NETWORK, "--out", "old.json")
    old = planton.folder / "old.json"
    assert stat.S_IMODE(old.stat().st_mode) == 0o600
    assert planton.sandbox.token not in old.read_text("utf-8")
    assert json.loads(planton.run("state", "export", NETWORK).stdout) == json.loads(old.read_text("utf-8"))
    file = _apply(planton, support.network(networkName="other"))
    assert "--yes" in planton.run("state", "import", NETWORK, "-f", "old.json", code=5).stderr
    assert planton.actions("plan", "-f", file) == {}
    mark = planton.sandbox.control.mark()
    done = planton.json("state", "import", NETWORK, "-f", "old.json", "--yes")
    assert (done["stack"], done["resources"]) == ("planton/dev.CivoVpc.net", 1)
    kept = pathlib.Path(done["backup"])
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert planton.actions("plan", "-f", file, "--refresh=false") == {"network": "update"}
    planton.run("state", "import", NETWORK, "-f", str(kept), "--yes")
    assert planton.actions("plan", "-f", file) == {}
    assert planton.writes(mark) == []


def test_only_a_state_of_the_same_stack_takes_its_place(applied: Applied) -> None:
    """Neither that of another one nor what is none."""
    other = support.network(networkName="other", ipRangeCidr="10.50.0.0/24")
    other["metadata"]["name"] = "other"
    planton = applied(support.network(), other)
    planton.run("state", "export", "civovpc/other", "--out", "other.json")
    refused = planton.json("state", "import", NETWORK, "-f", "other.json", "--yes", code=5)
    assert refused["error"]["reason"] == "STATE_UNFIT"
    assert "planton/dev.CivoVpc.other" in refused["error"]["message"]
    planton.write("none.json", support.network())
    assert planton.json("state", "import", NETWORK, "-f", "none.json", "--yes", code=5)["error"]["reason"] == "STATE_UNFIT"
    assert planton.json("state", "import", NETWORK, "-f", "missing.json", "--yes", code=2)["error"]


def test_what_is_forgotten_stays_in_the_cloud_and_can_come_back(planton: support.Planton) -> None:
    """Even where it is protected; its state brings it back, and so does an import."""
    network = support.network()
    network["metadata"]["annotations"] = {"project-planton.org/deletion-protection": "true"}
    file = _apply(planton, network)
    mark = planton.sandbox.control.mark()
    assert planton.run("state", "forget", NETWORK, code=5).stderr.count("--yes") == 1
    done = planton.run("state", "forget", NETWORK, "--yes", "--output", "json")
    assert "protected against deletion" in done.stderr
    forgotten = json.loads(done.stdout)
    assert forgotten["forgotten"] == ["network"]
    assert _names(planton) == set()
    assert planton.json("history", NETWORK, code=1)["error"]["reason"] == "STACK_NOT_FOUND"
    planton.run("state", "import", "--stack", forgotten["stack"], "-f", forgotten["backup"], "--yes")
    assert planton.actions("plan", "-f", file) == {}
    assert planton.json("state", "forget", "--stack", forgotten["stack"], "--only", "network", "--yes")["forgotten"] == [
        "network"
    ]
    assert planton.actions("plan", "-f", file) == {"network": "create"}
    assert [each["label"] for each in planton.sandbox.control.resources()["networks"]].count("net") == 1
    assert planton.writes(mark) == []


def test_a_renamed_resource_is_the_one_that_was_there(applied: Applied) -> None:
    """Its manifest with the new name and environment needs no change; the cloud is not asked to do anything."""
    planton = applied(support.network())
    mark = planton.sandbox.control.mark()
    assert planton.json("state", "move", NETWORK, "main", "--to-env", "prod", "--yes")["stack"] == "planton/prod.CivoVpc.main"
    assert _names(planton) == {("main", "prod")}
    renamed = support.network()
    renamed["metadata"] |= {"name": "main", "env": "prod"}
    file = planton.write("renamed.yaml", renamed)
    assert planton.actions("plan", "-f", file) == {}
    assert planton.writes(mark) == []
    _apply(planton, support.network(networkName="second", ipRangeCidr="10.50.0.0/24"))
    taken = planton.json("state", "move", NETWORK, "main", "--to-env", "prod", "--yes", code=5)
    assert taken["error"]["reason"] == "STATE_UNFIT"
    planton.run("destroy", "-f", file, "--yes")
    assert _names(planton) == {("net", "dev")}


def test_states_are_listed_and_shown_without_secrets(applied: Applied) -> None:
    """With what the cloud calls each resource; the kubeconfig is redacted."""
    planton = applied(support.network(), support.cluster())
    listed = {each["stack"]: each for each in planton.json("state", "list")}
    assert set(listed) == {"planton/dev.CivoVpc.net", "planton/dev.CivoKubernetesCluster.dev"}
    assert listed["planton/dev.CivoVpc.net"] | {"updated": "then"} == {
        "stack": "planton/dev.CivoVpc.net",
        "kind": "CivoVpc",
        "name": "net",
        "env": "dev",
        "resources": 1,
        "updated": "then",
        "lastOperationEnded": True,
        "lockedBy": [],
        "problem": None,
    }
    shown = planton.json("state", "show", CLUSTER)
    assert [each["name"] for each in shown["resources"]] == ["firewall", "cluster"]
    cluster = planton.sandbox.control.resources()["clusters"][0]
    assert shown["resources"][1]["id"] == cluster["id"]
    assert shown["resources"][1]["outputs"]["kubeconfig"] == "[redacted]"
    text = planton.run("state", "show", CLUSTER).stdout + planton.run("state", "list").stdout
    assert planton.sandbox.token not in text
    assert "client-key-data" not in text
    assert "-----BEGIN" not in text


def _stored(planton: support.Planton, kind: str) -> str:
    [file] = (planton.folder / "data/state/.pulumi/stacks/planton").glob(f"dev.{kind}.*.json")
    return file.read_text("utf-8")


def _frame(resource: dict[str, Any]) -> int:
    rest = {name: value for name, value in resource.items() if name not in ("inputs", "outputs")}
    return len(json.dumps(rest, separators=(",", ":")))


def test_the_state_of_a_node_pool_is_as_large_as_documented(applied: Applied) -> None:
    """A few kilobytes, a quarter when compressed. The page says how much of it is Pulumi's frame, and which resources it has."""
    planton = applied(support.network(), support.cluster(), support.pool(nodeCount=3))
    text = _stored(planton, "CivoKubernetesNodePool")
    resources = json.loads(text)["checkpoint"]["latest"]["resources"]
    [row] = re.findall(
        r"\| Civo pool of 3 nodes \| (.+) KB \| (.+) KB \| (.+) KB \|", (DOCS / "operate/state.md").read_text("utf-8")
    )
    measured = (len(text), sum(map(_frame, resources)), len(gzip.compress(text.encode())))
    assert [float(each) for each in row] == [pytest.approx(size / 1000, abs=0.4) for size in measured]
    assert sorted(each["type"].rsplit(":")[-1] for each in resources) == [
        "Apply",
        "KubernetesNodePool",
        "Manifest",
        "Resource",
        "Stack",
        "civo",
        "pulumi-python",
    ]


def test_a_lock_is_removed_when_its_holder_is_gone(applied: Applied) -> None:
    """Not while it runs, unless that is demanded; another one's lock is shown in the list."""
    planton = applied(support.network())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as holder:
        lock = _lock(planton, socket.gethostname(), holder.pid)
        assert planton.json("state", "list")[0]["lockedBy"] == [f"process {holder.pid} on {socket.gethostname()}"]
        assert planton.json("state", "unlock", NETWORK, "--yes", code=7)["error"]["reason"] == "STACK_LOCKED"
        assert lock.exists()
        assert planton.json("state", "unlock", NETWORK, "--yes", "--force")["unlocked"]
        assert not lock.exists()
        assert not planton.json("state", "unlock", NETWORK, "--yes")["unlocked"]
        lock = _lock(planton, "elsewhere", holder.pid)
    changed = planton.write("changed.yaml", support.network(networkName="other"))
    failed = planton.run("apply", "-f", changed, "--yes", code=7)
    assert "elsewhere" in failed.stderr + failed.stdout
    assert "planton state unlock" in failed.stderr + failed.stdout
    assert "--yes" in planton.run("state", "unlock", NETWORK, code=5).stderr
    planton.run("state", "unlock", NETWORK, "--yes")
    planton.run("apply", "-f", changed, "--yes")


def _lock(planton: support.Planton, host: str, process: int) -> pathlib.Path:
    folder = planton.folder / "data/state/.pulumi/locks/organization/planton/dev.CivoVpc.net"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "5f7e7f4e-3a80-4bd2-9d6d-3e0c0a9a9f60.json"
    content = {"pid": process, "username": "ann", "hostname": host, "timestamp": datetime.datetime.now(datetime.UTC).isoformat()}
    path.write_text(json.dumps(content), "utf-8")
    return path


def test_states_move_to_another_backend_and_passphrase(applied: Applied) -> None:
    """Nothing is lost on the way, the source stays as it is, and the same command goes on where one was cut off."""
    planton = applied(support.network(), support.cluster(), passphrase=True)
    file = FILE
    kubeconfig = planton.run("kubeconfig", CLUSTER).stdout
    source = _content(planton.folder / "data" / "state")
    passphrase = planton.folder / "new-passphrase"
    passphrase.write_text("of the new backend", "utf-8")
    target = f"file://{planton.folder / 'elsewhere'}"
    (planton.folder / "elsewhere").mkdir()
    move = ("state", "migrate", "--to", target, "--passphrase-file", "new-passphrase", "--yes")
    planton.run("state", "migrate", NETWORK, *move[2:])
    assert planton.run("state", "migrate", *move[2:-1], code=5).stderr.count("--yes") == 1
    done = planton.json(*move)
    assert {each["stack"]: each["migrated"] for each in done["stacks"]} == {
        "planton/dev.CivoVpc.net": False,
        "planton/dev.CivoKubernetesCluster.dev": True,
    }
    assert _content(planton.folder / "data" / "state") == source
    new = {"PULUMI_BACKEND_URL": target, "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase)}
    assert planton.run("kubeconfig", CLUSTER, **new).stdout == kubeconfig
    assert planton.run("plan", "-f", file, "--detailed-exitcode", **new)
    refused = planton.run("outputs", CLUSTER, "--show-secrets", code=8, PULUMI_BACKEND_URL=target)
    assert "passphrase" in refused.stderr
    for path in (planton.folder / "elsewhere").rglob("*"):
        assert not path.is_file() or planton.sandbox.token not in path.read_text("utf-8")
    changed = _apply(planton, support.network(networkName="other"), support.cluster(), **new)
    assert planton.json(*move, code=5)["error"]["reason"] == "STATE_UNFIT"
    planton.run("destroy", "-f", changed, "--yes", **new)


def _content(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in (folder / ".pulumi" / "stacks").rglob("*.json")}


def test_a_passphrase_is_changed_where_the_states_are(applied: Applied) -> None:
    """Afterwards the new one opens them, and the old one opens only the copies that were kept."""
    planton = applied(support.network(), support.cluster(), passphrase=True)
    file = FILE
    kubeconfig = planton.run("kubeconfig", CLUSTER).stdout
    (planton.folder / "new-passphrase").write_text("of now on", "utf-8")
    change = ("state", "migrate", "--passphrase-file", "new-passphrase", "--yes")
    done = planton.run(*change)
    assert "planton context create NAME --passphrase-file" in done.stderr
    new = {"PULUMI_CONFIG_PASSPHRASE_FILE": str(planton.folder / "new-passphrase")}
    assert planton.run("kubeconfig", CLUSTER, **new).stdout == kubeconfig
    assert "no changes" in planton.run("plan", "-f", file, "--detailed-exitcode", **new).stdout.lower()
    assert planton.json("outputs", CLUSTER, "--show-secrets", code=8)["error"]["reason"] == "CREDENTIAL_MISSING"
    assert {each["error"]["reason"] for each in planton.json("plan", "-f", file, code=8)["resources"]} >= {"CREDENTIAL_MISSING"}
    assert [each["migrated"] for each in planton.json(*change, **new)["stacks"]] == [False, False]
    kept = sorted((planton.folder / "data" / "backups").glob("*.json"))
    assert len(kept) == 2
    copy = str(next(path for path in kept if "Cluster" in path.name))
    assert planton.json("state", "import", CLUSTER, "-f", copy, "--yes", code=8, **new)["error"]["reason"] == "CREDENTIAL_MISSING"
    planton.run("state", "import", CLUSTER, "-f", copy, "--yes")
    assert planton.run("kubeconfig", CLUSTER).stdout == kubeconfig
    assert [each["migrated"] for each in planton.json(*change)["stacks"]] == [True, False]
    planton.run("destroy", "-f", file, "--yes", **new)


def test_a_stack_that_was_only_planned_changes_its_passphrase(applied: Applied) -> None:
    """It has no encryption yet; the next apply uses the new passphrase."""
    planton = applied(passphrase=True)
    file = planton.write("n.yaml", support.network())
    planton.run("plan", "-f", file)
    (planton.folder / "new-passphrase").write_text("from now on", "utf-8")
    planton.run("state", "migrate", "--passphrase-file", "new-passphrase", "--yes")
    new = {"PULUMI_CONFIG_PASSPHRASE_FILE": str(planton.folder / "new-passphrase")}
    planton.run("apply", "-f", file, "--yes", **new)
    assert [each["error"]["reason"] for each in planton.json("plan", "-f", file, code=8)["resources"]] == ["CREDENTIAL_MISSING"]
    planton.run("destroy", "-f", file, "--yes", **new)


def test_history_says_who_did_what(applied: Applied) -> None:
    """Newest first, with what was to change and how it ended; another environment's is not meant."""
    planton = applied(support.network())
    _apply(planton, support.network(networkName="other"))
    planton.sandbox.control.fault(method="PUT", path="/networks", status=500, action="status", body={"code": "boom"}, times=0)
    planton.run("apply", "-f", planton.write("a.yaml", support.network(networkName="third")), "--yes", code=6)
    entries = planton.json("history", NETWORK)
    applied = [each for each in entries if each["operation"] == "apply"]
    assert [each["result"] for each in applied] == ["failed", "succeeded", "succeeded"]
    assert applied[1]["changes"] == ["update network (label: net → other)"]
    assert applied[2]["changes"] == ["create network"]
    assert all(each["user"].endswith(f"@{socket.gethostname()}") and each["ended"] >= each["started"] for each in entries)
    assert len(planton.json("history", NETWORK, "-n", "1")) == 1
    table = planton.run("history", NETWORK).stdout
    assert table.splitlines()[0].split() == ["TIME", "USER", "OPERATION", "RESULT", "CHANGES"]
    assert planton.json("history", NETWORK, "--env", "prod", code=1)["error"]["reason"] == "STACK_NOT_FOUND"


def test_what_failed_half_way_at_first_is_listed_and_can_be_destroyed(applied: Applied) -> None:
    """By its name alone, on a machine that knows nothing of the operation too, and although a destroy fails first."""
    planton = applied(support.network())
    file = planton.write("c.yaml", support.cluster())
    planton.sandbox.control.fault(method="POST", path="/kubernetes/clusters$", status=500, action="status", body={"code": "boom"})
    planton.run("apply", "-f", file, "--yes", code=6)
    shutil.rmtree(planton.folder / "data" / "runs")
    assert _names(planton) == {("net", "dev"), ("dev", "dev")}
    assert "Incomplete" in planton.run("get", CLUSTER).stdout
    for command in ("outputs", "kubeconfig", "credential"):
        assert "no outputs" in planton.run(command, CLUSTER, code=1).stderr
    planton.sandbox.control.fault(method="DELETE", path="/firewalls", status=500, action="status", body={"code": "boom"}, times=0)
    planton.run("destroy", CLUSTER, "--yes", code=6)
    assert "Incomplete" in planton.run("get", CLUSTER).stdout
    assert planton.json("state", "move", CLUSTER, "new", "--yes", code=5)["error"]["reason"] == "STATE_UNFIT"
    planton.sandbox.control.clear_faults()
    planton.run("destroy", CLUSTER, "--yes")
    assert _names(planton) == {("net", "dev")}
    assert [each["name"] for each in planton.sandbox.control.resources()["firewalls"] if each["name"] == "dev-firewall"] == []


def test_what_failed_half_way_at_first_goes_on(applied: Applied) -> None:
    """The same manifest is applied again, and nothing is made twice."""
    planton = applied(support.network())
    file = planton.write("c.yaml", support.cluster())
    planton.sandbox.control.fault(method="POST", path="/kubernetes/clusters$", status=500, action="status", body={"code": "boom"})
    planton.run("apply", "-f", file, "--yes", code=6)
    shutil.rmtree(planton.folder / "data" / "runs")
    assert planton.actions("plan", "-f", file) == {"cluster": "create"}
    planton.run("apply", "-f", file, "--yes")
    assert "Incomplete" not in planton.run("get").stdout
    assert planton.actions("plan", "-f", file) == {}


def test_states_of_an_older_release_are_read_changed_and_destroyed(planton: support.Planton) -> None:
    """They need no change because a newer release looks at them; what is new in them comes with the next apply."""
    environ = {"PULUMI_CONFIG_PASSPHRASE": OLDER_PASSPHRASE}
    resources = {
        "network": (NETWORK, support.network()),
        "cluster": (CLUSTER, support.cluster()),
        "pool": ("civokubernetesnodepool/workers", support.pool()),
    }
    file = _apply(planton, *(manifest for _, manifest in resources.values()), **environ)
    ids: dict[str, str] = {}
    for name, (resource, _) in resources.items():
        ids |= _same_ids(OLDER / f"{name}.json", json.loads(planton.run("state", "export", resource, **environ).stdout))
    for name, (resource, _) in resources.items():
        text = (OLDER / f"{name}.json").read_text("utf-8")
        assert "stackTrace" in text
        assert "planton:index:Manifest" not in text
        for old, new in ids.items():
            text = text.replace(old, new)
        text = text.replace("http://sandbox.invalid", planton.sandbox.civo)
        (planton.folder / f"{name}.json").write_text(text, "utf-8")
        planton.run("state", "import", resource, "-f", f"{name}.json", "--yes", **environ)
    assert _names(planton, **environ) == {("net", "dev"), ("dev", "dev"), ("workers", "dev")}
    assert "clusters:" in planton.run("kubeconfig", CLUSTER, **environ).stdout
    assert "0 to" not in planton.run("plan", "-f", file, "--detailed-exitcode", **environ).stdout
    planton.run("refresh", "-f", file, **environ)
    scaled = planton.write("all.yaml", support.network(), support.cluster(), support.pool(nodeCount=4))
    done = planton.json("apply", "-f", scaled, "--yes", **environ)
    assert {change["resource"] for each in done["resources"] for change in each["changes"]} == {"node_pool_size"}
    exported = planton.run("state", "export", "civokubernetesnodepool/workers", **environ).stdout
    assert "planton:index:Manifest" in exported
    planton.run("destroy", "-f", scaled, "--yes", **environ)
    assert _names(planton, **environ) == set()


def _same_ids(older: pathlib.Path, newer: dict[str, Any]) -> dict[str, str]:
    """What an older state calls a resource of the cloud → what this sandbox calls it."""
    olds, news = _ids(json.loads(older.read_text("utf-8"))), _ids(newer)
    return {old: news[name] for name, old in olds.items() if ":" not in old and old != news[name]}


def _ids(state: dict[str, Any]) -> dict[str, str]:
    """The ids of a state's resources, and of the default pool of its cluster, by where they stand in it."""
    resources = state["deployment"]["resources"]
    default = {f"{each['urn']} pool": (each.get("outputs") or {}).get("pools", {}).get("label", "") for each in resources}
    return {name: id_ for name, id_ in (default | {each["urn"]: each.get("id", "") for each in resources}).items() if id_}


def test_a_data_folder_may_have_any_name(planton: support.Planton) -> None:
    """Also one with characters that mean something in URLs."""
    environ = {"PLANTON_DATA_DIR": str(planton.folder / "50% #1?")}
    file = _apply(planton, support.network(), **environ)
    assert _names(planton, **environ) == {("net", "dev")}
    assert planton.json("state", "list", **environ)[0]["resources"] == 1
    planton.run("destroy", "-f", file, "--yes", **environ)
    assert _names(planton, **environ) == set()
    assert not planton.run("get", **environ).stderr


@pytest.mark.parametrize("debug", ["", "1"])
def test_a_log_says_what_happened_and_no_secret(applied: Applied, debug: str) -> None:
    """Its path is the last line when a command fails; only this user may read it."""
    planton = applied(support.network())
    passphrase = (planton.folder / "data" / "passphrase").read_text("utf-8").strip()
    environ = {"PULUMI_CONFIG_PASSPHRASE": passphrase, "PLANTON_DEBUG": debug}
    file = _apply(planton, support.cluster(), **environ)
    kubeconfig = planton.run("kubeconfig", CLUSTER, **environ).stdout
    keys = [line.split(":", 1)[1].strip() for line in kubeconfig.splitlines() if "-data:" in line or "token:" in line]
    planton.sandbox.control.fault(method="PUT", path="/networks", status=500, action="status", body={"code": "boom"}, times=0)
    failed = planton.run("apply", "-f", planton.write("a.yaml", support.network(networkName="b")), "--yes", code=6, **environ)
    word, _, path = failed.stderr.splitlines()[-1].partition(": ")
    assert word == "details"
    log = pathlib.Path(path).read_text("utf-8")
    assert log.startswith("planton apply -f a.yaml --yes\n")
    assert "An error occurred while renaming the network" in log
    assert "run: pulumi up" in log
    logs = list((planton.folder / "data" / "logs").glob("*.log"))
    assert len(logs) >= 3
    for each in logs:
        assert stat.S_IMODE(each.stat().st_mode) == 0o600
        written = each.read_text("utf-8")
        assert [secret for secret in (planton.sandbox.token, passphrase, *keys) if secret in written] == []
    assert "details:" not in planton.run("validate", file).stderr
    assert "details:" not in planton.run("get", "civovpc/nothing", code=1, **environ).stderr


def test_one_damaged_state_stops_no_command_on_another_stack(applied: Applied) -> None:
    """It is reported with its path; its own commands fail and say what to do."""
    planton = applied(support.network())
    file = FILE
    other = planton.write(
        "other.yaml", support.manifest("CivoVpc", "other", **support.network()["spec"] | {"networkName": "other"})
    )
    planton.run("apply", "-f", other, "--yes")
    damaged = next((planton.folder / "data" / "state").rglob("*CivoVpc.other.json"))
    whole = damaged.read_text("utf-8")
    for content in ("", whole[: len(whole) // 2]):
        damaged.write_text(content, "utf-8")
        listed = planton.run("get", "--output", "json")
        assert [each["metadata"]["name"] for each in json.loads(listed.stdout)["items"]] == ["net"]
        assert str(damaged) in listed.stderr
        for command in (("plan", "-f", file), ("drift", "-f", file), ("drift", NETWORK), ("outputs", NETWORK)):
            planton.run(*command)
        planton.run("apply", "-f", file, "--yes")
        assert {each["stack"]: bool(each["problem"]) for each in planton.json("state", "list")} == {
            "planton/dev.CivoVpc.net": False,
            "planton/dev.CivoVpc.other": True,
        }
        for command in (("plan", "-f", other), ("outputs", "civovpcs/other"), ("destroy", "civovpcs/other", "--yes")):
            failed = planton.run(*command, code=6)
            assert str(damaged) in failed.stderr + failed.stdout
    damaged.write_text(whole, "utf-8")
    assert planton.actions("plan", "-f", other) == {}


def test_a_damaged_lock_is_named_listed_and_removed(applied: Applied) -> None:
    """A power cut leaves an empty file; who held the stack is then not known."""
    planton = applied(support.network())
    lock = _lock(planton, "elsewhere", 1)
    lock.write_text("", "utf-8")
    changed = planton.write("changed.yaml", support.network(networkName="other"))
    failed = planton.json("apply", "-f", changed, "--yes", code=7)["resources"][0]["error"]
    assert failed["reason"] == "STACK_LOCKED"
    assert str(lock) in failed["message"]
    assert str(lock) in planton.json("state", "list")[0]["lockedBy"][0]
    assert planton.json("state", "unlock", NETWORK, "--yes")["unlocked"]
    assert not lock.exists()
    planton.run("apply", "-f", changed, "--yes")


def test_a_lock_without_a_state_is_found_by_name(planton: support.Planton) -> None:
    """A first apply that was killed on another machine leaves only that."""
    lock = _lock(planton, "elsewhere", 1)
    failed = planton.run("apply", "-f", planton.write("n.yaml", support.network()), "--yes", code=7)
    assert "elsewhere" in failed.stderr + failed.stdout
    assert planton.json("state", "list")[0]["stack"] == "planton/dev.CivoVpc.net"
    assert planton.json("state", "unlock", NETWORK, "--yes")["unlocked"]
    assert not lock.exists()
    _apply(planton, support.network())
