"""Credentials in the API: users store them, nobody but the controller of the cloud reads a value, and the database has none."""

from __future__ import annotations

import base64
import os
import pathlib
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from planton import cli
from planton_server import auth
from planton_server.service import contexts
from planton_server.store import engines, tables
from support import api

TOKEN = {"fields": [{"name": "api_token", "value": "the-secret-token"}]}
PLACE = {"platform": "civo", "name": "acme"}


def key() -> str:
    """Returns a new key."""
    return base64.b64encode(os.urandom(32)).decode()


@pytest.fixture
def keys(tmp_path: pathlib.Path) -> Callable[..., str]:
    """Returns a function that writes keys into the server's file, and returns its path."""
    file = tmp_path / "keys"
    file.touch(mode=0o600)

    def write(*lines: str) -> str:
        file.write_text("\n".join(lines), "ascii")
        return str(file)

    return write


@pytest.fixture(params=["sqlite-rest", "postgresql-grpc"])
def own(request, private, keys) -> api.Api:
    """A user of a server with one key."""
    engine, door = request.param.split("-")
    return api.Api(private(engine, policy=contexts.Policy(credential_keys=keys(key()))), door)


def cluster_of(own: api.Api, name: str = "acme", caller: str = "") -> str:
    """Creates a cluster that names a credential, and returns its id."""
    return own.cluster(
        "civo", caller=caller, spec={"platform": {"type": "civo", "civo": {"region": "LON1", "credential": name}}}
    )["id"]


def read(own: api.Api, cluster: str, caller: str = api.CONTROLLER) -> api.Reply:
    return own.call("GetClusterCredential", id=cluster, caller=caller)


def test_a_stored_credential_is_listed_without_its_value_and_read_by_controllers(own: api.Api) -> None:
    """It belongs to its user, and to the clusters of this user."""
    stored = own.call("SetCredential", TOKEN, **PLACE).body
    assert {name: stored[name] for name in ("platform", "name", "fields")} == PLACE | {"fields": ["api_token"]}
    assert own.call("ListCredentials").body == {"credentials": [stored]}
    assert read(own, cluster_of(own)).body == PLACE | TOKEN
    other = "other@example.com"
    assert own.call("ListCredentials", caller=other).body in ({"credentials": []}, None)
    assert read(own, cluster_of(own, caller=other)).status == 404
    assert read(own, own.cluster("civo")["id"]).status == 404


def test_a_new_value_replaces_the_old_one_and_a_deleted_one_is_gone(own: api.Api) -> None:
    """The next read of a controller has the new value."""
    first, cluster = own.call("SetCredential", TOKEN, **PLACE).body, cluster_of(own)
    rotated = {"fields": [{"name": "api_token", "value": "new"}, {"name": "default_region", "value": "lon1"}]}
    second = own.call("SetCredential", rotated, **PLACE).body
    assert (second["created_at"], second["updated_at"] > first["updated_at"]) == (first["created_at"], True)
    assert read(own, cluster).body == PLACE | rotated
    assert own.call("DeleteCredential", **PLACE).status == 204
    assert own.call("DeleteCredential", **PLACE).status == 404
    assert read(own, cluster).status == 404


def test_no_user_reads_a_value(own: api.Api, private, keys) -> None:
    """Not even the owner of a server on a loopback address, who may report status."""
    own.call("SetCredential", TOKEN, **PLACE)
    assert read(own, cluster_of(own), caller=own.user).status == 403
    loopback = api.Api(
        private(trust=auth.Trust(header=True, owners_report=True), policy=contexts.Policy(credential_keys=keys(key()))), "rest"
    )
    loopback.call("SetCredential", TOKEN, **PLACE)
    assert read(loopback, cluster_of(loopback), caller=loopback.user).status == 403


def test_the_database_has_no_value_and_a_moved_row_is_refused(own: api.Api) -> None:
    """A reader of a backup learns nothing, and a writer cannot give a user the account of another one."""
    own.call("SetCredential", TOKEN, **PLACE)
    cluster = cluster_of(own, "another")
    engine = engines.blocking(own.server.url)
    with engine.begin() as connection:
        [row] = connection.execute(sa.select(tables.CREDENTIALS)).all()
        assert "the-secret-token" not in repr(row)
        connection.execute(sa.update(tables.CREDENTIALS).values(name="another"))
    engine.dispose()
    reply = read(own, cluster)
    assert (reply.status, reply.error["details"]) == (409, "it was changed in the database")


def test_keys_are_rotated_without_a_restart(own: api.Api, keys) -> None:
    """The first key encrypts. A credential names its key, so that an old one can be removed when nothing names it."""
    old, new = key(), key()
    keys(old)
    first, cluster = own.call("SetCredential", TOKEN, **PLACE).body, cluster_of(own)
    keys(new, old)
    assert read(own, cluster).body == PLACE | TOKEN
    second = own.call("SetCredential", TOKEN, **PLACE).body
    assert second["key"] != first["key"]
    keys(new)
    assert read(own, cluster).body == PLACE | TOKEN
    keys(old)
    assert f"the key {second['key']} is not in" in read(own, cluster).error["details"]


def test_all_credentials_get_the_first_key(own: api.Api, keys, capsys: pytest.CaptureFixture[str]) -> None:
    """Then the old key is not needed any longer. Without it, nothing is changed."""
    old, new = key(), key()
    file = keys(old)
    own.call("SetCredential", TOKEN, **PLACE)
    cluster = cluster_of(own)
    command = ("server", "rotate-keys", "--database-url", own.server.url, "--credential-keys", file)
    keys(new)
    assert cli.main(command) == 8
    assert "the key" in capsys.readouterr().err
    keys(new, old)
    assert cli.main(command) == 0
    keys(new)
    assert read(own, cluster).body == PLACE | TOKEN
    assert cli.main((*command, "-o", "json")) == 0
    assert capsys.readouterr().out.endswith('{"changed": 0}\n')


@pytest.mark.parametrize("content", ["", "x", base64.b64encode(b"short").decode()])
def test_a_server_without_a_usable_key_stores_nothing(own: api.Api, keys, content: str) -> None:
    """The error names the file and what it must have."""
    file = keys(content)
    reply = own.call("SetCredential", TOKEN, **PLACE)
    assert (reply.status, reply.error["details"]) == (409, f"{file} must have a key on each line, 32 bytes in base64")
    pathlib.Path(file).chmod(0o644)
    assert own.call("SetCredential", TOKEN, **PLACE).error["details"] == f"other users may read {file}: chmod 600 {file}"


def test_a_server_without_keys_says_which_option_it_needs(rest: api.Api) -> None:
    """Encryption is never left out."""
    reply = rest.call("SetCredential", TOKEN, **PLACE)
    assert (reply.status, reply.error["details"]) == (409, "the server has no keys: start it with --credential-keys FILE")


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ([{"name": "api_endpoint", "value": "http://10.0.0.1"}], ("fields", "credential_value.has_no_address")),
        ([*TOKEN["fields"], *TOKEN["fields"]], ("fields", "credential_value.fields_have_different_names")),
        ([], ("fields", "required")),
    ],
)
def test_invalid_values_are_refused_without_repeating_them(own: api.Api, fields, rule) -> None:
    """A user must not send controllers, with a token, to an address of theirs."""
    reply = own.call("SetCredential", {"fields": fields}, **PLACE)
    assert (reply.status, reply.rules) == (400, [rule])
    assert "the-secret-token" not in str(reply.body)


def test_a_user_has_a_limited_number_of_credentials(private, keys) -> None:
    """The list has one page."""
    own = api.Api(private(policy=contexts.Policy(credential_keys=keys(key()))), "rest")
    for number in range(100):
        assert own.call("SetCredential", TOKEN, platform="civo", name=f"c{number}").status == 200
    assert own.call("SetCredential", TOKEN, platform="civo", name="more").status == 409
    assert own.call("SetCredential", TOKEN, platform="civo", name="c1").status == 200
    assert len(own.call("ListCredentials").body["credentials"]) == 100
