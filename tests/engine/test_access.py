"""Cached credentials: when they are reused, and when new ones are fetched."""

from __future__ import annotations

import dataclasses
import datetime
import http.server
import json
import pathlib
import stat
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from planton import errors
from planton.clouds import api
from planton.config import settings
from planton.deploy import access, runtime
from planton.engine import stacks
from planton.schema import references
from planton.state import inventory
from support import mocks, world

LATER = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=7)).isoformat()
SOON = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(minutes=1)).isoformat()


def _kubeconfig(token: str, server: str = "https://192.0.2.1") -> str:
    return yaml.safe_dump(
        {
            "clusters": [{"name": "dev", "cluster": {"server": server}}],
            "users": [{"name": "dev", "user": {"token": token}}],
        }
    )


class _Cloud:
    """A cloud that issues a new token for each call."""

    address = ""

    def __init__(self, expires: str = LATER) -> None:
        self.issued = 0
        self._expires = expires

    def credential(self, _cluster: str) -> api.Credential:
        """Returns the next one."""
        self.issued += 1
        return api.credential(_kubeconfig(f"token-{self.issued}"), expires=self._expires)


@pytest.fixture
def applied() -> inventory.Applied:
    """An applied cluster."""
    manifest = mocks.target("DigitalOceanKubernetesCluster", {}, name="dev", env="dev")
    manifest.status.outputs.cluster_id = "c-1"
    key = references.Key("DigitalOceanKubernetesCluster", "dev", "dev")
    return inventory.Applied(key, stacks.StackName("planton", "dev"), manifest, 1, "", "")


class _User:
    def __init__(self, folder: pathlib.Path, applied: inventory.Applied) -> None:
        self.cloud = _Cloud()
        self._applied = applied
        chosen = settings.Settings(environ={"PLANTON_DATA_DIR": str(folder), "DIGITALOCEAN_TOKEN": "t"})
        stored = inventory.Inventory(chosen, world.TOOLS)
        open_cloud: Any = lambda *_: self.cloud  # noqa: E731
        self._run = runtime.Runtime(chosen, world.TOOLS, stored, open_cloud=open_cloud)

    def token(self, *, fresh: bool = False, is_refused: bool = False) -> str:
        """Returns the token that a command gets."""
        return access.credential(self._applied, self._run, fresh=fresh, is_refused=lambda _: is_refused).token


@pytest.fixture
def user(tmp_path: pathlib.Path, applied: inventory.Applied) -> _User:
    """A user of a cluster."""
    return _User(tmp_path, applied)


def test_a_token_is_reused_until_the_cluster_refuses_it(user: _User) -> None:
    """kubectl does not report to its plugins that a token was revoked."""
    assert [user.token(), user.token()] == ["token-1", "token-1"]
    assert user.token(is_refused=True) == "token-2"
    assert user.token() == "token-2"
    assert user.token(fresh=True) == "token-3"


def test_a_token_that_expires_soon_is_not_reused(user: _User) -> None:
    """A command that starts with a token must be able to finish with it."""
    user.cloud = _Cloud(SOON)
    assert [user.token(), user.token()] == ["token-1", "token-2"]


def test_no_credential_comes_from_an_account_that_cannot_have_the_cluster(
    tmp_path: pathlib.Path, applied: inventory.Applied
) -> None:
    """The cluster was applied to a sandbox, and the account is at the public cloud."""
    user = _User(tmp_path, dataclasses.replace(applied, endpoint="http://127.0.0.1:1"))
    with pytest.raises(errors.PlantonError) as caught:
        user.token()
    assert caught.value.reason is errors.Reason.STATE_UNFIT
    assert user.cloud.issued == 0


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"kubeconfig": 1, "expires": "x"}', '{"kubeconfig": "a", "expires": "b"}']
)
def test_a_damaged_cache_file_is_not_used(content: str, user: _User, tmp_path: pathlib.Path) -> None:
    """The token is fetched again, and only the user can read the file."""
    user.token()
    (file,) = (tmp_path / "access").glob("*.json")
    file.write_text(content, "utf-8")
    assert user.token() == "token-2"
    assert "token-2" in json.loads(file.read_text("utf-8"))["kubeconfig"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


class _Server(http.server.BaseHTTPRequestHandler):
    """An API server that accepts one token."""

    def do_GET(self) -> None:
        is_accepted = self.headers["Authorization"] == "Bearer good" and self.path == "/version"
        self.send_response(200 if is_accepted else 403 if "forbidden" in self.headers["Authorization"] else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Keeps the test output quiet."""


@pytest.fixture
def server() -> Iterator[str]:
    """Starts the API server, and returns its address."""
    running = http.server.HTTPServer(("127.0.0.1", 0), _Server)
    threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize(("token", "is_refused"), [("good", False), ("revoked", True), ("forbidden", False)])
def test_a_token_is_refused_when_the_api_server_answers_401(token: str, is_refused: bool, server: str) -> None:
    """A 403 is about permissions, not about the token."""
    assert access.is_refused(api.credential(_kubeconfig(token, server))) is is_refused


def test_a_token_is_not_refused_when_the_api_server_is_unreachable(server: str) -> None:
    """The API server may be reachable only through a proxy, so the token is used."""
    credential = api.credential(_kubeconfig("revoked", server))
    unreachable = dataclasses.replace(credential, kubeconfig=credential.kubeconfig.replace(server, "http://127.0.0.1:1"))
    assert not access.is_refused(unreachable)
