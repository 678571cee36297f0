"""Access to the simulated Google Cloud: keys, access tokens, and clusters' Kubernetes APIs."""

from __future__ import annotations

import base64
import json
import pathlib
import urllib.error
import urllib.parse
import urllib.request

import pytest
from google.auth.transport import requests
from google.oauth2 import service_account

from support.gcp import PLACE, PROJECT, Gke
from support.sandbox import KUBECTL, running

SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def _token(gke: Gke) -> str:
    path = gke.sandbox.info.files["gcp"]
    made = service_account.Credentials.from_service_account_file(path, scopes=[SCOPE])
    made.refresh(requests.Request())
    return str(made.token)


def _kubeconfig(gke: Gke, cluster: str, token: str) -> str:
    shown = gke.api.get_cluster(name=cluster)
    server = {"server": f"https://{shown.endpoint}", "certificate-authority-data": shown.master_auth.cluster_ca_certificate}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": server}],
        "users": [{"name": "u", "user": {"token": token}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
    }
    return json.dumps(config)


def test_a_key_is_exchanged_for_an_access_token(gke: Gke) -> None:
    """The token opens the same account as the permanent one, until it expires."""
    gke.cluster()
    token = _token(gke)
    assert token.startswith("ya29.")
    other = Gke(gke.sandbox, token)
    assert [item.name for item in other.api.list_clusters(parent=f"projects/{PROJECT}/locations/-").clusters] == ["c1"]
    gke.sandbox.control.advance(3601)
    assert other.call("GET", f"/v1/{PLACE}/clusters").status == 401


def test_the_key_file_is_private_and_survives_a_reset(gke: Gke) -> None:
    """Only its owner can read it."""
    path = pathlib.Path(gke.sandbox.info.files["gcp"])
    assert path.stat().st_mode & 0o077 == 0
    assert json.loads(path.read_text(encoding="utf-8"))["project_id"] == PROJECT
    gke.sandbox.control.call("POST", "/reset")
    assert _token(gke)


def test_a_restart_keeps_clusters_keys_and_tokens(tmp_path: pathlib.Path) -> None:
    """The key file and an access token stay valid."""
    home = tmp_path / "home"
    with running(home) as first:
        before = Gke(first)
        path, token = before.cluster(), _token(before)
        shown, key = before.get(f"/v1/{path}"), (home / "gcp-key.json").read_text(encoding="utf-8")
    with running(home) as second:
        assert Gke(second, token).get(f"/v1/{path}") == shown
        assert (home / "gcp-key.json").read_text(encoding="utf-8") == key


def _exchange(gke: Gke, **form: str) -> tuple[int, dict[str, str]]:
    data = urllib.parse.urlencode(form).encode()
    request = urllib.request.Request(gke.sandbox.info.clouds["gcp"] + "/token", data=data)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20)
    with refused.value as error:
        return error.code, json.load(error)


def test_a_forged_request_for_a_token_is_refused(gke: Gke) -> None:
    """The log does not have it."""
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    part = base64.urlsafe_b64encode(b'{"iss": "x"}').decode().rstrip("=")
    forged = f"{part}.{part}.AAAA"
    assert _exchange(gke, grant_type=grant, assertion=forged)[1]["error"] == "invalid_grant"
    assert _exchange(gke, grant_type="password")[1]["error"] == "unsupported_grant_type"
    assert forged not in json.dumps(gke.sandbox.control.requests(cloud="gcp"))


@pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")
def test_kubectl_shows_the_nodes_of_a_pool(gke: Gke) -> None:
    """They have GKE's labels, and an access token opens the cluster."""
    path = gke.cluster()
    gke.pool(path, config={"spot": True, "labels": {"team": "a"}})
    kubeconfig = _kubeconfig(gke, path, _token(gke))
    shown = gke.sandbox.kubectl(kubeconfig, "get", "nodes", "-l", "cloud.google.com/gke-nodepool=workers", "-o", "json")
    nodes = json.loads(shown.stdout)["items"]
    assert len(nodes) == 2
    assert nodes[0]["spec"]["providerID"].startswith(f"gce://{PROJECT}/us-central1-")
    labels = nodes[0]["metadata"]["labels"]
    assert (labels["cloud.google.com/gke-spot"], labels["team"]) == ("true", "a")
    assert labels["topology.kubernetes.io/zone"] in {"us-central1-a", "us-central1-b"}
    refused = gke.sandbox.kubectl(_kubeconfig(gke, path, "other"), "get", "nodes", check=False)
    assert "Unauthorized" in refused.stderr


@pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")
def test_authorized_networks_close_the_kubernetes_api(gke: Gke) -> None:
    """A client outside them gets no connection."""
    networks = {"enabled": True, "cidr_blocks": [{"cidr_block": "192.0.2.0/24"}]}
    path = gke.cluster(master_authorized_networks_config=networks)
    kubeconfig = _kubeconfig(gke, path, gke.token)
    assert gke.sandbox.kubectl(kubeconfig, "get", "nodes", check=False).returncode != 0
    gke.sandbox.control.call("POST", "/client", {"address": "192.0.2.7"})
    assert gke.sandbox.kubectl(kubeconfig, "get", "nodes").returncode == 0
