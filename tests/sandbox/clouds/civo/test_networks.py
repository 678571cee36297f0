"""Networks and firewalls of the simulated Civo, over HTTP with the real client's requests."""

from __future__ import annotations

from typing import Any

import pytest

from planton_sandbox.clouds.civo import firewalls, records
from support.sandbox import Sandbox

API_RULE = {
    "protocol": "tcp",
    "start_port": "",
    "end_port": "",
    "cidr": ["10.0.0.0/8"],
    "direction": "ingress",
    "action": "allow",
    "label": "api",
    "ports": "6443",
}


def _network(sandbox: Sandbox, label: str = "net-a") -> str:
    response = sandbox.call("POST", "/networks", {"label": label, "default": "", "cidr_v4": ""})
    assert (response.status, response.body["result"]) == (200, "success")
    hidden = sandbox.call("POST", "/firewalls", {"name": f"{label}-default", "network_id": response.body["id"]})
    assert hidden.body["result"] == "success"
    return str(response.body["id"])


def _firewall(sandbox: Sandbox, network: str, **more: Any) -> str:
    body = {"name": "fw-a", "network_id": network, "create_rules": False, "rules": [API_RULE], **more}
    return str(sandbox.call("POST", "/firewalls", body).body["id"])


def test_every_account_has_a_default_network_in_each_region(sandbox: Sandbox) -> None:
    """The default network exists at first use, differs between regions and accounts, and cannot be deleted."""
    london = sandbox.call("GET", "/networks").body
    assert [(item["label"], item["default"]) for item in london] == [("default", True)]
    assert sandbox.call("GET", "/networks", region="NYC1").body[0]["id"] != london[0]["id"]
    assert sandbox.call("GET", "/networks", token="sandbox-other").body[0]["id"] != london[0]["id"]
    refused = sandbox.call("DELETE", f"/networks/{london[0]['id']}")
    assert (refused.status, refused.body["code"]) == (400, "network_delete_default")


def test_the_hidden_firewall_is_deleted_with_its_network(sandbox: Sandbox) -> None:
    """It does not block the deletion."""
    key = _network(sandbox)
    assert sandbox.call("DELETE", f"/networks/{key}").body == {"result": "success"}
    missing = sandbox.call("GET", f"/networks/{key}")
    assert (missing.status, missing.body["code"]) == (404, "database_network_not_found")
    assert "net-a-default" not in [item["name"] for item in sandbox.call("GET", "/firewalls").body]


def test_a_visible_firewall_blocks_the_deletion_of_its_network(sandbox: Sandbox) -> None:
    """Such a network is in use."""
    key = _network(sandbox)
    firewall = _firewall(sandbox, key)
    assert sandbox.call("DELETE", f"/networks/{key}").status == 409
    sandbox.call("DELETE", f"/firewalls/{firewall}")
    assert sandbox.call("DELETE", f"/networks/{key}").status == 200


def test_a_cluster_blocks_the_deletion_of_its_network_and_firewall(sandbox: Sandbox) -> None:
    """The error code has the reason."""
    network = _network(sandbox)
    firewall = _firewall(sandbox, network)
    pools = [{"id": "main", "count": 1, "size": "g4s.kube.small", "taints": None}]
    body = {"name": "c1", "network_id": network, "instance_firewall": firewall, "pools": pools}
    cluster = sandbox.call("POST", "/kubernetes/clusters", body).body["id"]
    refused = sandbox.call("DELETE", f"/firewalls/{firewall}")
    assert (refused.status, refused.body["code"]) == (409, "database_firewall_inuse_by_cluster")
    refused = sandbox.call("DELETE", f"/networks/{network}")
    assert (refused.status, refused.body["code"]) == (409, "database_network_delete_with_instance")
    sandbox.call("DELETE", f"/kubernetes/clusters/{cluster}")
    while sandbox.call("GET", f"/kubernetes/clusters/{cluster}").status == 200:
        pass
    assert sandbox.call("DELETE", f"/firewalls/{firewall}").status == 200
    assert sandbox.call("DELETE", f"/networks/{network}").status == 200


def test_a_volume_outlives_its_cluster_and_blocks_the_network(sandbox: Sandbox) -> None:
    """It cannot be deleted before its cluster. A load balancer blocks nothing."""
    network = _network(sandbox)
    pools = [{"id": "main", "count": 1, "size": "g4s.kube.small"}]
    body = {"name": "c1", "network_id": network, "instance_firewall": _firewall(sandbox, network), "pools": pools}
    cluster = sandbox.call("POST", "/kubernetes/clusters", body).body["id"]
    volume = sandbox.control.outside("volume", cluster="c1", name="pvc-1")["id"]
    balancer = sandbox.control.outside("load-balancer", cluster="c1", name="lb-1")["id"]
    assert [(item["id"], item["cluster_id"]) for item in sandbox.call("GET", "/volumes").body] == [(volume, cluster)]
    assert sandbox.call("GET", "/volumes", region="NYC1").body == []
    assert sandbox.call("DELETE", f"/volumes/{volume}").status == 409
    sandbox.control.outside("delete-cluster", cluster="c1")
    refused = sandbox.call("DELETE", f"/networks/{network}")
    assert (refused.status, refused.body["code"]) == (409, "database_network_inuse_by_volumes")
    for path in (f"/volumes/{volume}", f"/loadbalancers/{balancer}"):
        assert [sandbox.call("DELETE", path).status for _ in range(2)] == [200, 404]
    assert sandbox.call("GET", "/loadbalancers").body == []


def test_labels_and_names_are_unique(sandbox: Sandbox) -> None:
    """A second network or firewall with the same name is a conflict."""
    network = _network(sandbox)
    response = sandbox.call("POST", "/networks", {"label": "net-a"})
    assert (response.status, response.body["code"]) == (409, "database_network_exists")
    _firewall(sandbox, network)
    response = sandbox.call("POST", "/firewalls", {"name": "fw-a", "network_id": network})
    assert (response.status, response.body["code"]) == (409, "database_firewall_duplicate_name")


def test_an_update_of_a_network_changes_label_and_name_servers(sandbox: Sandbox) -> None:
    """All other fields stay."""
    key = _network(sandbox)
    body = {"label": "net-b", "nameservers_v4": ["9.9.9.9"]}
    assert sandbox.call("PUT", f"/networks/{key}", body).body["label"] == "net-b"
    shown = sandbox.call("GET", f"/networks/{key}").body
    assert (shown["label"], shown["nameservers_v4"]) == ("net-b", ["9.9.9.9"])


def test_ports_of_rules_are_returned_verbatim(sandbox: Sandbox) -> None:
    """Start and end are returned too. Rules are added and removed one by one."""
    firewall = _firewall(sandbox, _network(sandbox))
    shown = next(item for item in sandbox.call("GET", "/firewalls").body if item["id"] == firewall)
    rule = shown["rules"][0]
    assert (rule["ports"], rule["start_port"], rule["end_port"]) == ("6443", "6443", "6443")
    body = {"protocol": "tcp", "ports": "80-90", "cidr": ["0.0.0.0/0"], "direction": "ingress", "action": "allow"}
    added = sandbox.call("POST", f"/firewalls/{firewall}/rules", body).body
    assert (added["ports"], added["start_port"], added["end_port"]) == ("80-90", "80", "90")
    sandbox.call("DELETE", f"/firewalls/{firewall}/rules/{rule['id']}")
    remaining = sandbox.call("GET", f"/firewalls/{firewall}/rules").body
    assert [item["id"] for item in remaining] == [added["id"]]


def test_default_rules_open_everything(sandbox: Sandbox) -> None:
    """A firewall without rules is open, unless the request excludes default rules."""
    network = _network(sandbox)
    for name, more, count in (("open", {}, 6), ("closed", {"create_rules": False}, 0)):
        key = sandbox.call("POST", "/firewalls", {"name": name, "network_id": network, **more}).body["id"]
        assert len(sandbox.call("GET", f"/firewalls/{key}").body["rules"]) == count


@pytest.mark.parametrize(
    ("ports", "cidr", "action", "client", "open_"),
    [
        ("6443", "0.0.0.0/0", "allow", "127.0.0.1", True),
        ("6000-7000", "0.0.0.0/0", "allow", "127.0.0.1", True),
        ("443", "0.0.0.0/0", "allow", "127.0.0.1", False),
        ("6443", "10.0.0.0/8", "allow", "127.0.0.1", False),
        ("6443", "10.0.0.0/8", "allow", "10.1.2.3", True),
        ("6443", "0.0.0.0/0", "deny", "127.0.0.1", False),
        ("6443", "nonsense", "allow", "127.0.0.1", False),
    ],
)
def test_a_firewall_admits_allowed_clients(ports: str, cidr: str, action: str, client: str, open_: bool) -> None:
    """A port is open to a client if a rule allows both and none denies them."""
    start, _, end = ports.partition("-")
    rule = records.Rule(
        id="r",
        protocol="tcp",
        ports=ports,
        start_port=start,
        end_port=end or start,
        cidr=[cidr],
        direction="ingress",
        action=action,
    )
    firewall = records.Firewall(id="f", account="a", region="LON1", network="n", name="f", hidden=False, rules=[rule])
    assert firewalls.admits(firewall, port=6443, client=client) is open_


@pytest.mark.parametrize("rule", [{"ports": "0-70000"}, {"ports": "x"}, {"protocol": "sctp"}, {"action": "maybe"}])
def test_invalid_rules_are_refused(sandbox: Sandbox, rule: dict[str, str]) -> None:
    """The response has the cloud's error code."""
    response = sandbox.call("POST", "/firewalls", {"name": "f", "rules": [{**API_RULE, **rule}]})
    assert (response.status, response.body["code"]) == (400, "database_firewall_rules_invalid_params")


def test_the_lists_contain_the_documented_entries(sandbox: Sandbox) -> None:
    """The lists are regions, versions, sizes and applications."""
    assert "LON1" in [item["code"] for item in sandbox.call("GET", "/regions").body]
    versions = {item["version"] for item in sandbox.call("GET", "/kubernetes/versions").body}
    assert {"1.29.0-k3s1", "1.30.5-k3s1"} <= versions
    assert {"g4s.kube.large", "g4g.kube.small"} <= {item["name"] for item in sandbox.call("GET", "/sizes").body}
    assert "metrics-server" in [item["name"] for item in sandbox.call("GET", "/kubernetes/applications").body]


def test_networks_have_a_second_path(sandbox: Sandbox) -> None:
    """They are also below /v2/vpc. An unknown path is a 404 in JSON."""
    assert sandbox.call("GET", "/vpc/networks").body == sandbox.call("GET", "/networks").body
    response = sandbox.call("GET", "/nothing")
    assert (response.status, response.body["code"]) == (404, "not_found")
