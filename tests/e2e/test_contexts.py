"""Contexts: backend, accounts, environment and encryption by name, for every command that looks at states or clouds."""

from __future__ import annotations

import json
import pathlib
import shlex
import stat
from typing import Any

import pytest
import yaml

from support import key_service
from support import planton as support

NETWORK = "civovpc/net"
CLUSTER = "civokubernetescluster/dev"


@pytest.fixture
def environ(planton: support.Planton) -> dict[str, str]:
    """A shell without an account, and a credentials file with two, of which one is good."""
    path = planton.folder / "credentials.yaml"
    path.write_text(
        json.dumps(
            {"acme": {"apiToken": planton.sandbox.token}, "closed": {"apiToken": "wrong", "apiEndpoint": planton.sandbox.civo}}
        ),
        "utf-8",
    )
    path.chmod(0o600)
    contexts = str(planton.folder / "contexts.yaml")
    return {"CIVO_TOKEN": "", "PLANTON_CREDENTIALS": str(path), "PLANTON_CONTEXTS": contexts}


def _env(manifest: dict[str, Any], env: str) -> dict[str, Any]:
    manifest["metadata"]["env"] = env
    return manifest


def test_contexts_are_made_listed_used_and_removed(planton: support.Planton, environ: dict[str, str]) -> None:
    """As text and as JSON; a mistake has its exit code, and nothing is written then."""
    assert planton.run("context", "list", **environ).stdout == "there are no contexts\n"
    assert planton.run("context", "current", **environ).stdout == "default\n"
    made = planton.json("context", "create", "staging", "--env", "staging", "--credential", "civo=acme", "--use", **environ)
    assert made == {"name": "staging", "current": True, "env": "staging", "credentials": {"civo": "acme"}}
    planton.run("context", "create", "production", "--backend", "s3://acme", **environ)
    file = pathlib.Path(environ["PLANTON_CONTEXTS"])
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    kept = file.read_text("utf-8")
    for wrong in (
        ("context", "create", "staging"),
        ("context", "create", "a/b"),
        ("context", "create", "a", "--credential", "civo"),
        ("context", "create", "a", "--credential", "aws=x"),
        ("context", "create", "a", "--passphrase-file", "missing"),
        ("context", "create", "a", "--secrets-provider", "rot13://x"),
        ("context", "use", "nothing"),
        ("context", "show", "nothing"),
        ("context", "delete", "nothing"),
        ("context", "delete", "default"),
        ("get", "--context", "nothing"),
    ):
        planton.run(*wrong, code=2, **environ)
    assert file.read_text("utf-8") == kept
    table = planton.run("context", "list", **environ).stdout.splitlines()
    assert table[1].split() == ["production", "s3://acme", "-", "-", "-"]
    assert table[2].split() == ["*", "staging", "-", "staging", "civo=acme", "-"]
    assert [each["current"] for each in planton.json("context", "list", **environ)] == [False, True]
    assert "credentials: civo=acme" in planton.run("context", "show", **environ).stdout
    assert planton.json("context", "current", PLANTON_CONTEXT="production", **environ) == {"name": "production"}
    assert not planton.json("context", "create", "staging", "--overwrite", **environ).get("env")
    assert planton.json("context", "use", "production", **environ)["current"]
    assert "none is current now" in planton.run("context", "delete", "production", **environ).stderr
    assert planton.run("context", "current", **environ).stdout == "default\n"


def test_a_context_says_backend_account_environment_and_passphrase(planton: support.Planton, environ: dict[str, str]) -> None:
    """Each environment has its states where its context says; what is not in the current one is not seen."""
    for name in ("staging", "prod"):
        (planton.folder / name).mkdir()
        (planton.folder / f"{name}.pass").write_text(f"of {name}", "utf-8")
        planton.run(
            *("context", "create", name, "--backend", f"file://{planton.folder / name}", "--env", name),
            *("--credential", "civo=acme", "--passphrase-file", f"{name}.pass"),
            **environ,
        )
    first = planton.write("staging.yaml", _env(support.network(), "staging"), _env(support.cluster(), "staging"))
    second = planton.write("prod.yaml", _env(support.network(networkName="p", ipRangeCidr="10.50.0.0/24"), "prod"))
    missing = planton.json("apply", "-f", first, "--yes", code=8, **environ)
    assert missing["resources"][0]["error"]["reason"] == "CREDENTIAL_MISSING"
    planton.run("apply", "-f", first, "--yes", "--context", "staging", **environ)
    planton.run("apply", "-f", second, "--yes", PLANTON_CONTEXT="prod", **environ)
    planton.run("context", "use", "prod", **environ)
    assert planton.json("get", NETWORK, **environ)["spec"]["networkName"] == "p"
    assert planton.json("get", NETWORK, "--context", "staging", **environ)["spec"]["networkName"] == "net"
    assert planton.json("get", CLUSTER, code=1, **environ)["error"]["reason"] == "STACK_NOT_FOUND"
    assert planton.json("get", "--context", "default", **environ)["items"] == []
    assert planton.json("regions", **environ)
    _kubeconfig_names_its_context(planton, environ)
    own = {**environ, "CIVO_TOKEN": planton.sandbox.token}
    planton.run("context", "create", "closed", "--credential", "civo=closed", "--use", **environ)
    third = planton.write("d.yaml", support.network(networkName="d", ipRangeCidr="10.60.0.0/24"))
    for shell in (environ, own):
        refused = planton.json("apply", "-f", third, "--yes", code=6, **shell)
        assert refused["resources"][0]["error"]["reason"] == "CLOUD_AUTH"
    [account] = refused["accounts"]
    assert (account["context"], account["source"], account["ignored"]) == ("closed", "credential closed", "CIVO_TOKEN")
    assert "CIVO_TOKEN is ignored: the context closed uses" in planton.run("regions", code=6, **own).stderr
    applied = planton.run("apply", "-f", third, "--yes", "--context", "default", **own).stdout
    assert applied.startswith(f"Account: civo, CIVO_TOKEN, {planton.sandbox.civo} (sandbox)\n")
    assert planton.sandbox.token not in applied


def test_the_sandbox_uses_no_context(planton: support.Planton, environ: dict[str, str]) -> None:
    """Its shell uses neither the backend nor the credential of the current context; whoever names one there is stopped."""
    path = planton.folder / "credentials.yaml"
    path.write_text('{"real": {"apiToken": "of-a-real-account"}}', "utf-8")
    (planton.folder / "elsewhere").mkdir()
    planton.run(
        *("context", "create", "real", "--credential", "civo=real", "--use"),
        *("--backend", f"file://{planton.folder / 'elsewhere'}"),
        **environ,
    )
    home = str(planton.sandbox.home)
    lines = planton.run("sandbox", "env", "--home", home, **environ).stdout.splitlines()
    shell = environ | {line.removeprefix("export ").split("=")[0]: shlex.split(line)[1].partition("=")[2] for line in lines}
    assert shell["PLANTON_CONTEXT"] == "default"
    file = planton.write("net.yaml", support.network())
    applied = planton.json("apply", "-f", file, "--yes", **shell)
    assert [(each["source"], each["sandbox"]) for each in applied["accounts"]] == [("CIVO_TOKEN", True)]
    assert list((planton.folder / "elsewhere").iterdir()) == []
    mark = planton.sandbox.control.mark()
    stopped = planton.json("apply", "-f", file, "--yes", "--context", "real", code=8, **shell)
    assert stopped["resources"][0]["error"]["reason"] == "CREDENTIAL_INVALID"
    assert "takes precedence in this shell" in planton.run("context", "use", "real", **shell).stderr
    assert planton.sandbox.control.requests(mark) == []
    unset = planton.run("sandbox", "env", "--unset", **environ).stdout
    assert set(unset.split()[1:]) == {line.removeprefix("export ").split("=")[0] for line in lines}


def _kubeconfig_names_its_context(planton: support.Planton, environ: dict[str, str]) -> None:
    """It goes on meaning the same cluster when another context is the current one."""
    text = planton.run("kubeconfig", CLUSTER, "--exec", "--context", "staging", **environ).stdout
    asked = yaml.safe_load(text)["users"][0]["user"]["exec"]
    arguments = [*asked["args"]]
    assert arguments[arguments.index("--context") + 1] == "staging"
    credential = arguments[arguments.index("credential") :]
    assert json.loads(planton.run(*credential, **environ).stdout)["kind"] == "ExecCredential"


def test_a_key_service_takes_the_place_of_the_passphrase(planton: support.Planton, environ: dict[str, str]) -> None:
    """For stacks that are made in the context, and for those that are migrated to it; who may not use the key reads nothing."""
    environ = {**environ, "CIVO_TOKEN": planton.sandbox.token}
    planton.run("apply", "-f", planton.write("net.yaml", support.network()), "--yes", **environ)
    planton.run("context", "create", "keys", "--secrets-provider", key_service.KEY, "--use", **environ)
    with_key = {**environ, **key_service.variables()}
    file = planton.write("all.yaml", support.network(), support.cluster())
    planton.run("apply", "-f", file, "--yes", **with_key)
    # The first operation of a stack creates its key. Pulumi does not start only for that.
    assert planton.logged("run: pulumi stack init") == 0
    kubeconfig = planton.run("kubeconfig", CLUSTER, **with_key).stdout
    assert "clusters:" in kubeconfig
    assert _encryption(planton, CLUSTER, with_key) == "cloud"
    assert _encryption(planton, NETWORK, with_key) == "passphrase"
    planton.run("outputs", CLUSTER, "--show-secrets", code=6, **(with_key | key_service.variables("x")))
    moved = planton.json("state", "migrate", "--secrets-provider", key_service.KEY, "--yes", **with_key)
    assert {each["stack"].split(".")[1]: each["migrated"] for each in moved["stacks"]} == {
        "CivoKubernetesCluster": False,
        "CivoVpc": True,
    }
    assert _encryption(planton, NETWORK, with_key) == "cloud"
    (planton.folder / "back.pass").write_text("back again", "utf-8")
    planton.run("state", "migrate", "--passphrase-file", "back.pass", "--yes", **with_key)
    assert _encryption(planton, CLUSTER, with_key) == "passphrase"
    back = {**environ, "PLANTON_CONTEXT": "default", "PULUMI_CONFIG_PASSPHRASE_FILE": str(planton.folder / "back.pass")}
    assert planton.run("kubeconfig", CLUSTER, **back).stdout == kubeconfig
    planton.run("destroy", "-f", file, "--yes", **back)


def _encryption(planton: support.Planton, resource: str, environ: dict[str, str]) -> str:
    deployment = json.loads(planton.run("state", "export", resource, **environ).stdout)["deployment"]
    return str(deployment["secrets_providers"]["type"])
