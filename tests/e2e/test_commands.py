"""The commands around apply: what they print, refuse and explain."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from support import planton as support
from support.worlds import Applied

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("spec", "text", "code"),
    [
        ({"kubernetesVersion": "1.12.0+k3s1"}, "offered: ", 1),
        ({"kubernetesVersion": "latest"}, "planton versions --provider civo", 1),
        ({"clusterName": "a%b"}, "string.civo_cluster_name", 1),
        ({"highlyAvailable": True, "autoUpgrade": True}, "spec.autoUpgrade", 5),
        ({"network": {"value": "nowhere"}}, "networks there: default", 1),
        ({"firewall": {"value": "nothing"}, "apiServerAllowedCidrs": []}, "firewalls there: ", 1),
        ({"network": {"valueFrom": {"name": "absent"}}}, "CivoVpc/absent (env dev)", 1),
    ],
)
def test_what_cannot_be_made_is_refused_at_plan(planton: support.Planton, spec: dict, text: str, code: int) -> None:
    """Each refusal says why and what there is instead, and nothing is written to the cloud."""
    manifest = support.cluster(network={"value": "default"}) | {}
    manifest["spec"] |= spec
    mark = planton.sandbox.control.mark()
    done = planton.run("apply", "-f", planton.write("c.yaml", manifest), "--yes", code=code)
    assert text in done.stderr
    assert planton.writes(mark) == []


def test_allow_unsupported_turns_one_refusal_into_a_warning(planton: support.Planton) -> None:
    """The named field is ignored with a warning; another one is still refused."""
    manifest = support.cluster(network={"value": "default"}, highlyAvailable=True, autoUpgrade=True)
    file = planton.write("c.yaml", manifest)
    assert "spec.autoUpgrade" in planton.run("plan", "-f", file, "--allow-unsupported", "highlyAvailable", code=5).stderr
    done = planton.run("plan", "-f", file, "--allow-unsupported", "spec.highlyAvailable", "--allow-unsupported", "auto_upgrade")
    assert "spec.highlyAvailable" in done.stdout
    assert "(ignored)" in done.stdout


def test_nothing_is_changed_without_consent(planton: support.Planton) -> None:
    """Without a terminal apply and destroy need --yes."""
    file = planton.write("n.yaml", support.network())
    planton.run("plan", "-f", file, "--detailed-exitcode", code=4)
    assert not [*(planton.folder / "data").glob("state/.pulumi/stacks/**/*.*")]
    assert "--yes" in planton.run("apply", "-f", file, code=5).stderr
    assert planton.json("state", "list") == []
    planton.run("apply", "-f", file, "--yes")
    assert "--yes" in planton.run("destroy", "-f", file, code=5).stderr
    assert planton.run("plan", "-f", file, "--detailed-exitcode").returncode == 0
    changed = planton.write("n.yaml", support.network(networkName="renamed"))
    planton.run("plan", "-f", changed, "--detailed-exitcode", code=4)


def test_references_to_what_is_applied_resolve_and_both_ends_are_named_where_they_do_not(applied: Applied) -> None:
    """A pool alone finds its cluster, and a circle or a resource given twice is an error."""
    planton = applied(support.network(), support.cluster())
    file = planton.write("pool.yaml", support.pool())
    shown = yaml.safe_load(planton.run("stack-input", "-f", file).stdout)
    cluster = planton.sandbox.control.resources()["clusters"][0]["id"]
    assert shown["target"]["spec"]["cluster"] == {"value": cluster}
    assert shown["provider_config"]["apiToken"] == "[redacted]"
    usable = yaml.safe_load(planton.run("stack-input", "-f", file, "--show-secrets").stdout)
    assert usable["provider_config"]["apiToken"] == planton.sandbox.token
    twice = planton.run("plan", "-f", planton.write("two.yaml", support.network(), support.network()), code=1).stderr
    assert "occurs twice" in twice
    first, second = support.network(), support.firewall()
    relation = {"kind": "CivoFirewall", "name": "fw", "type": "depends_on"}
    first["metadata"]["relationships"] = [relation]
    circle = planton.run("plan", "-f", planton.write("circle.yaml", first, second), code=1).stderr
    assert "CivoVpc/net" in circle
    assert "CivoFirewall/fw" in circle


def test_outputs_get_and_kubeconfig_show_what_was_applied(applied: Applied) -> None:
    """By plural or singular kind in any case; secrets only when asked for; a merged kubeconfig keeps what was there."""
    planton = applied(support.network(), support.cluster())
    assert (
        "did you mean 'clusterId'" in planton.run("outputs", "CivoKubernetesClusters/dev", "--field", "clusterID_", code=2).stderr
    )
    assert planton.json("outputs", "civokubernetescluster/dev")["kubeconfigB64"] == "[redacted]"
    listed = planton.run("get", "civovpcs").stdout.splitlines()
    assert len(listed) == 2
    assert "10.20.0.0/24" in planton.run("get", "CIVOVPC/net", "-o", "yaml").stdout
    assert planton.json("get")["items"][0]["kind"] == "CivoKubernetesCluster"
    assert "not been applied" in planton.run("outputs", "civovpc/other", code=1).stderr
    assert "did you mean" in planton.run("get", "civovpx", code=1).stderr
    assert planton.json("get")["source"] == "state"
    mark = planton.sandbox.control.mark()
    no_account = {"CIVO_TOKEN": "", "CIVO_API_URL": ""}
    printed = planton.run("kubeconfig", "civokubernetesclusters/dev", **no_account).stdout
    planton.run("kubeconfig", "civokubernetesclusters/dev", "--out", "dev.kubeconfig", **no_account)
    assert (planton.folder / "dev.kubeconfig").read_text() == printed
    assert [each for each in planton.sandbox.control.requests(mark) if each["cloud"] == "civo"] == []
    assert planton.run("kubeconfig", "civovpcs/net", "--out", "none", code=2).stderr.count("no cluster") == 1
    planton.run("kubeconfig", "civokubernetesclusters/dev", "--out", "none", "--merge", code=2)
    assert not (planton.folder / "none").exists()
    path = planton.folder / "kubeconfig"
    kept = {"apiVersion": "v1", "kind": "Config", "clusters": [{"name": "mine", "cluster": {}}], "users": [], "contexts": []}
    path.write_text(yaml.safe_dump(kept))
    for _ in range(2):
        planton.run("kubeconfig", "civokubernetesclusters/dev", "--merge")
    merged = yaml.safe_load(path.read_text())
    assert [each["name"] for each in merged["clusters"]] == ["mine", "dev"]
    assert merged["current-context"] == "dev"
    assert path.stat().st_mode & 0o077 == 0


def test_an_api_server_that_no_rule_opens_is_explained(applied: Applied) -> None:
    """The kubeconfig is still printed, with the reason why it will not work."""
    closed = support.firewall(inboundRules=[{"protocol": "tcp", "portRange": "443"}])
    cluster = support.cluster(firewall={"valueFrom": {"name": "fw"}}, apiServerAllowedCidrs=[])
    planton = applied(support.network())
    planton.run("apply", "-f", planton.write("c.yaml", closed, cluster), "--yes")
    done = planton.run("kubeconfig", "civokubernetescluster/dev")
    assert "API_SERVER_CLOSED" in done.stderr
    assert "opens port 6443" in done.stderr, done.stderr
    assert done.stdout.startswith("apiVersion")


def test_manifests_of_one_run_use_the_credentials_that_they_name(planton: support.Planton) -> None:
    """Two accounts in one file; an unknown credential lists the known ones; a readable file is refused."""
    credentials = planton.folder / "credentials.yaml"
    entries = {name: {"apiToken": f"sandbox-{name}", "defaultRegion": "lon1"} for name in ("one", "two")}
    credentials.write_text(yaml.safe_dump(entries))
    environ = {"PLANTON_CREDENTIALS": str(credentials)}
    networks = []
    for name in entries:
        networks.append(support.network(civoCredentialId=name))
        networks[-1]["metadata"]["name"] = name
    file = planton.write("n.yaml", *networks)
    assert "chmod 600" in planton.run("apply", "-f", file, "--yes", code=8, **environ).stderr
    credentials.chmod(0o600)
    planton.run("apply", "-f", file, "--yes", **environ)
    for name in entries:
        there = planton.sandbox.control.outside("resources", account=f"sandbox-{name}")["networks"]
        assert "net" in [each["label"] for each in there]
    unknown = planton.run(
        "plan", "-f", planton.write("u.yaml", support.network(civoCredentialId="three")), code=8, **environ
    ).stderr
    assert "one, two" in unknown


def test_what_refers_to_a_network_uses_its_credential(planton: support.Planton) -> None:
    """A cluster and a pool have no field for it: they follow the reference, also when they are given alone later."""
    credentials = planton.folder / "credentials.yaml"
    credentials.write_text(yaml.safe_dump({"one": {"apiToken": "sandbox-one", "defaultRegion": "lon1"}}))
    credentials.chmod(0o600)
    environ = {"PLANTON_CREDENTIALS": str(credentials)}
    base = planton.write("base.yaml", support.network(civoCredentialId="one"), support.cluster())
    planton.run("apply", "-f", base, "--yes", **environ)
    planton.run("apply", "-f", planton.write("pool.yaml", support.pool()), "--yes", **environ)
    there = planton.sandbox.control.outside("resources", account="sandbox-one")["clusters"]
    assert len(there[0]["pools"]) == 2
    assert not planton.sandbox.control.resources()["clusters"]
    planton.run("destroy", "civokubernetesnodepool/workers", "--yes", **environ)


def test_labels_choose_the_stack(planton: support.Planton) -> None:
    """A fully qualified name puts the state into a project of its own."""
    network = support.network()
    network["metadata"]["labels"] = {
        "pulumi.project-planton.org/organization": "organization",
        "pulumi.project-planton.org/project": "mine",
        "pulumi.project-planton.org/stack.name": "prod",
    }
    file = planton.write("n.yaml", network)
    assert planton.json("apply", "-f", file, "--yes")["resources"][0]["stack"] == "organization/mine/prod"
    assert planton.actions("plan", "-f", file) == {}
    planton.run("destroy", "-f", file, "--yes")


def test_offers_of_the_cloud_are_listed(planton: support.Planton) -> None:
    """Versions, sizes and regions as the account sees them."""
    assert any(each["version"].startswith("1.30") for each in planton.json("versions"))
    assert any(each["size"] == "g4s.kube.small" for each in planton.json("sizes"))
    assert "LON1" in planton.run("regions").stdout


def test_setup_and_doctor_say_what_is_there(planton: support.Planton) -> None:
    """Setup needs nothing where all is there; doctor says what to do where something is not."""
    assert "pulumi 3.259.0" in planton.run("setup").stdout
    assert all(each["state"] != "missing" for each in planton.json("doctor"))
    empty = {"PLANTON_CACHE_DIR": str(planton.folder / "empty"), "PATH": "/usr/bin:/bin"}
    assert "planton setup" in planton.run("doctor", code=8, **empty).stdout


def test_the_standalone_path_needs_no_account_in_the_environment(planton: support.Planton) -> None:
    """A stack input with its provider config drives the same commands."""
    file = planton.write("n.yaml", support.network())
    text = planton.run("stack-input", "-f", file, "--show-secrets").stdout
    (planton.folder / "input.yaml").write_text(text)
    bare = {"CIVO_TOKEN": "", "CIVO_REGION": "", "CIVO_API_URL": ""}
    planton.run("apply", "-i", "input.yaml", "--yes", **bare)
    assert planton.json("get", "civovpc/net")["status"]["outputs"]["networkId"]
    planton.run("destroy", "-i", "input.yaml", "--yes", **bare)


def test_against_a_real_cloud_nothing_stands_in(planton: support.Planton) -> None:
    """Where requests would leave this machine, a stand-in is not attached: the official plugin is asked for."""
    elsewhere = {"CIVO_API_URL": "https://cloud.example", "CIVO_TOKEN": "of-a-real-account"}
    done = planton.run("plan", "-f", planton.write("n.yaml", support.network()), code=8, **elsewhere)
    assert "official civo plugin" in done.stderr


def test_the_wheel_carries_all_that_it_needs(tmp_path: Path) -> None:
    """Unpacked somewhere else it validates a manifest, with no file of the checkout on its path."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path], cwd=ROOT, check=True, capture_output=True
    )
    unpacked = tmp_path / "unpacked"
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(unpacked)
    (tmp_path / "n.json").write_text(json.dumps(support.network()))
    code = "import sys, planton, org, buf; from planton import cli; print(planton.__file__); sys.exit(cli.main(['validate', 'n.json']))"
    environ = {"PYTHONPATH": str(unpacked), "PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert str(unpacked) in done.stdout
