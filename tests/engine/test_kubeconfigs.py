"""Kubeconfigs from clouds: which fields are copied, and which never are."""

from __future__ import annotations

import base64
import json
import pathlib
from typing import Any

import pytest
import yaml

from planton import errors
from planton.clouds import kubeconfigs
from planton.clouds.civo import client as civo
from planton.clouds.digitalocean import client as digitalocean
from planton.config import settings
from planton.engine import stacks, toolchain
from planton.state import inventory
from support import answers

PEM = base64.b64encode(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").decode()
CLUSTER = {"server": "https://192.0.2.1:6443", "certificate-authority-data": PEM}
EXEC = {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": ["-c", "touch /tmp/x"]}


def _config(user: object, cluster: object = None, **more: object) -> str:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "dev", "cluster": CLUSTER if cluster is None else cluster}],
        "users": [{"name": "admin", "user": user}],
        "contexts": [{"name": "dev", "context": {"cluster": "dev", "user": "admin", "namespace": "kube-system"}}],
        "current-context": "dev",
        "extensions": [{"name": "x", "extension": {"a": 1}}],
        **more,
    }
    return yaml.safe_dump(config)


@pytest.mark.parametrize(
    "user", [{"token": "abc"}, {"client-certificate-data": PEM, "client-key-data": PEM}], ids=["token", "certificate"]
)
def test_only_address_certificates_and_token_of_a_kubeconfig_are_copied(user: dict[str, str]) -> None:
    """Programs, local files, proxies and insecure TLS settings are removed."""
    hostile_user = user | {
        "exec": EXEC,
        "auth-provider": {"name": "gcp", "config": {"cmd-path": "sh"}},
        "tokenFile": "/etc/passwd",
        "client-key": "/etc/shadow",
        "username": "a",
        "password": "b",
        "as": "system:admin",
    }
    hostile_cluster = CLUSTER | {
        "insecure-skip-tls-verify": True,
        "certificate-authority": "/etc/passwd",
        "proxy-url": "http://192.0.2.2",
        "tls-server-name": "x",
    }
    text = kubeconfigs.parse(_config(hostile_user, hostile_cluster)).text()
    assert yaml.safe_load(text) == {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "dev", "cluster": CLUSTER}],
        "users": [{"name": "admin", "user": user}],
        "contexts": [{"name": "dev", "context": {"cluster": "dev", "user": "admin"}}],
        "current-context": "dev",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (_config({"exec": EXEC}), "no token and no certificate"),
        (_config({"client-certificate-data": PEM}), "no token and no certificate"),
        (_config({"token": "a\nb"}), "its token is not one"),
        (_config({"token": 7}), "its token is not one"),
        (_config({"client-key-data": "!"}), "its client-key-data is not a text in base64"),
        (_config({"token": "a"}, {"server": "file:///etc/passwd"}), "its server is not one"),
        (_config({"token": "a"}, {"server": "https://a\x1b]52"}), "its server is not one"),
        (_config({"token": "a"}, {}), "no address"),
        (_config([]), "it is not YAML"),
        (_config({"token": "a"}, clusters=[]), "it is not YAML"),
        ("", "it is not YAML"),
        ("<html>proxy</html>", "it is not YAML"),
        ("{" * 5000, "it is not YAML"),
        ("x" * 2_000_000, "it is not YAML"),
        ("!!python/object/apply:os.system ['true']", "it is not YAML"),
    ],
)
def test_an_invalid_kubeconfig_is_an_error_of_the_cloud(text: str, message: str) -> None:
    """The message does not repeat the kubeconfig, which may contain a token."""
    with pytest.raises(errors.PlantonError, match=message) as caught:
        kubeconfigs.parse(text)
    assert (caught.value.code, caught.value.reason) == (errors.Code.FAILED, errors.Reason.CLOUD_FAILED)


def test_hostile_names_are_replaced() -> None:
    """They become names of contexts and are printed."""
    text = _config({"token": "a"}).replace("name: dev", 'name: "a\\e]52;c;x\\a"')
    assert kubeconfigs.parse(text).name == "cluster"


@pytest.mark.parametrize(
    "response",
    [
        "<html>",
        [],
        [1],
        {"kubernetes_cluster": 1},
        {"kubernetes_cluster": {"region": 1, "name": 2}, "server": "x"},
        {"kubeconfig": "x"},
        {"kubeconfig": {"a": 1}},
        {"pages": "many", "items": [1]},
        {"items": 1},
        {"options": [], "links": 1},
        7,
    ],
    ids=str,
)
@pytest.mark.parametrize("cloud", [civo, digitalocean])
def test_a_response_of_another_shape_is_an_error_of_the_cloud(cloud: Any, response: object) -> None:
    """Every read returns a value or ends with exit code 6."""
    with answers.serving("") as server:
        server.usual = (200, json.dumps(response))
        account = civo.Cloud("t", "LON1", server.url) if cloud is civo else digitalocean.Cloud("t", server.url)
        _read_everything(account)


def _read_everything(account: Any) -> None:
    reads = [
        account.clusters,
        account.versions,
        account.sizes,
        account.regions,
        lambda: account.building("a"),
        lambda: account.exists("a:KubernetesNodePool", "b", "c"),
        lambda: account.exists("a:KubernetesNodePool", "b"),
        lambda: account.find("a:KubernetesCluster", "b"),
        lambda: account.find("a:KubernetesNodePool", "b", "c"),
        lambda: account.names("cluster"),
        lambda: account.names("network"),
        lambda: account.credential("a"),
    ]
    for read in reads:
        try:
            read()
        except errors.PlantonError as error:
            assert error.code is errors.Code.FAILED


@pytest.mark.parametrize(
    ("kind", "field"), [("CivoKubernetesCluster", "kubeconfig_b64"), ("DigitalOceanKubernetesCluster", "kubeconfig")]
)
def test_the_kubeconfig_in_a_state_is_cleaned(kind: str, field: str, tmp_path: pathlib.Path) -> None:
    """A plugin stores the kubeconfig as the cloud sent it. An unusable one is omitted."""
    config = settings.Settings(environ={"PLANTON_DATA_DIR": str(tmp_path)})
    # A command line that reports the outputs in a file.
    pulumi = tmp_path / "pulumi"
    pulumi.write_text(f"#!/bin/sh\nexec /bin/cat {tmp_path}/outputs\n", "utf-8")
    pulumi.chmod(0o755)
    resources = inventory.Inventory(config, toolchain.Toolchain(pulumi, tmp_path, frozenset()))
    manifest = {"kind": kind, "metadata": {"name": "dev", "env": "dev"}}
    latest = {"resources": [{"type": "pulumi:pulumi:Stack", "outputs": {"manifest": json.dumps(manifest), "cluster_id": "c-1"}}]}
    applied = resources.understand(stacks.StackName("planton", f"dev.{kind}.dev"), latest)
    state = tmp_path / "state" / ".pulumi" / "stacks" / "planton" / f"dev.{kind}.dev.json"
    state.parent.mkdir(parents=True)
    state.write_text(json.dumps({"version": 3, "checkpoint": {"latest": latest}}), "utf-8")
    assert applied is not None
    for text, expected in (
        (_config({"token": "a", "exec": EXEC}), kubeconfigs.parse(_config({"token": "a"})).text()),
        (_config({"exec": EXEC}), ""),
        ("<html>", ""),
    ):
        raw = {"cluster_id": "c-1", field: base64.b64encode(text.encode()).decode()}
        (tmp_path / "outputs").write_text(json.dumps(raw), "utf-8")
        outputs: Any = resources.outputs(applied)
        assert base64.b64decode(getattr(outputs, field)).decode() == expected
        assert outputs.cluster_id == "c-1"
