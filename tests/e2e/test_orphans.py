"""``planton orphans``: what carries planton's labels in an account, and what nothing manages."""

from __future__ import annotations

from typing import Any

from support import planton as support
from support.worlds import FILE, Applied


def _orphans(user: support.Planton, *arguments: str, code: int = 3, **environ: str) -> list[tuple[str, str]]:
    orphans: list[dict[str, Any]] = user.json("orphans", "--provider", "civo", *arguments, code=code, **environ)["orphans"]
    return [(each["role"], each["name"]) for each in orphans]


def _create_outside(user: support.Planton, name: str, tags: str) -> str:
    call = user.sandbox.call
    network = next(each["id"] for each in user.sandbox.control.resources()["networks"] if each["default"])
    firewall = call("POST", "/firewalls", {"name": f"{name}-fw", "network_id": network}).body["id"]
    pools = [{"id": "main", "count": 1, "size": "g4s.kube.small"}]
    body = {"name": name, "network_id": network, "instance_firewall": firewall, "pools": pools, "tags": tags}
    return str(call("POST", "/kubernetes/clusters", body).body["id"])


def test_what_no_state_has_is_an_orphan(applied: Applied) -> None:
    """One list per region is read, and nothing is changed. After the deletion of everything there is none."""
    user = applied(support.network(), support.cluster(), support.pool())
    mark = user.sandbox.control.mark()
    assert _orphans(user, code=0) == []
    assert "no orphans in: civo, CIVO_TOKEN" in user.run("orphans", "--provider", "civo").stdout
    read = [each["path"].partition("?")[0] for each in user.sandbox.control.requests(mark, "civo")]
    regions = len(user.json("regions", "--provider", "civo"))
    assert read.count("/v2/kubernetes/clusters") == 2 * regions
    assert user.writes(mark) == []

    # The pools of an orphan are deleted with it.
    assert _orphans(user, PLANTON_DATA_DIR=str(user.folder / "other")) == [("cluster", "dev")]
    user.run("state", "forget", "civokubernetesnodepool/workers", "--yes")
    [pool] = user.json("orphans", "--provider", "civo", code=3)["orphans"]
    assert (pool["role"], pool["resource"], pool["env"]) == ("node pool", "CivoKubernetesNodePool/workers", "dev")
    assert pool["cluster"] == user.json("outputs", "civokubernetescluster/dev")["clusterId"]
    assert (pool["region"], pool["objectId"]) == ("lon1", "")

    user.run("import", "civokubernetesnodepool/workers", "workers", "-f", FILE, "--yes")
    assert _orphans(user, code=0) == []
    user.run("destroy", "-f", FILE, "--yes")
    assert _orphans(user, code=0) == []

    _create_outside(user, "unmarked", "team:shop")
    assert _orphans(user, code=0) == []
    marked = _create_outside(user, "copy", "planton-resource:true planton-resource-name:dev")
    assert _orphans(user) == [("cluster", "copy")]
    assert marked in user.run("orphans", code=3).stdout


def test_an_account_is_needed(planton: support.Planton) -> None:
    """A list that cannot be read is an error, not an empty report."""
    none = dict.fromkeys(("CIVO_TOKEN", "DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN", "GOOGLE_OAUTH_ACCESS_TOKEN"), "")
    for arguments in ((), ("--provider", "digitalocean")):
        assert planton.json("orphans", *arguments, code=8, **none)["error"]["reason"] == "CREDENTIAL_MISSING"
    planton.sandbox.control.fault(method="GET", path="/kubernetes/clusters", action="status", status=403, body={}, times=0)
    assert planton.json("orphans", "--provider", "civo", code=6)["error"]["reason"] == "CLOUD_AUTH"
