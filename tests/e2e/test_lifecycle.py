"""Every Civo kind on the real engine: made, left alone, changed, drifted, repaired, imported, destroyed."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from support import planton as support
from support.worlds import FILE, Applied


def test_environment_comes_up_in_order_of_references_and_goes_in_reverse(planton: support.Planton) -> None:
    """One file in any order becomes a working cluster, and one command removes everything."""
    file = planton.write("all.yaml", support.pool(), support.cluster(), support.firewall(), support.network())
    assert "Plan: 6 to create" in planton.run("plan", "-f", file).stdout
    assert planton.actions("apply", "-f", file, "--yes").keys() >= {"network", "firewall", "cluster", "node_pool"}
    kubeconfig = planton.run("kubeconfig", "CivoKubernetesClusters/dev").stdout
    nodes = json.loads(planton.sandbox.kubectl(kubeconfig, "get", "nodes", "-o", "json").stdout)["items"]
    assert len(nodes) == 5
    labelled = planton.sandbox.kubectl(kubeconfig, "get", "nodes", "-l", "planton-resource-name=workers", "-o", "name").stdout
    assert len(labelled.split()) == 3
    outputs = planton.json("outputs", "civokubernetescluster/dev", "--show-secrets")
    assert base64.b64decode(outputs["kubeconfigB64"]).decode() == kubeconfig
    assert outputs["createdAtRfc3339"].endswith("Z")
    assert outputs["status"] == "ACTIVE"
    assert planton.actions("plan", "-f", file) == {}
    assert planton.actions("destroy", "-f", file, "--yes").keys() >= {"network", "firewall", "cluster", "node_pool"}
    remaining = planton.sandbox.control.resources()
    assert not remaining["clusters"]
    assert [each["label"] for each in remaining["networks"]] in ([], ["default"])
    assert "nothing has been applied" in planton.run("get").stdout


def test_scaling_a_pool_keeps_surviving_nodes_and_never_writes_to_the_cluster(applied: Applied) -> None:
    """3 → 5 → 2 keeps the nodes that survive; changing and destroying the pool touches only the pool."""
    planton = applied(support.network(), support.cluster())
    nodes = []
    mark = planton.sandbox.control.mark()
    for count in (3, 5, 2):
        planton.run("apply", "-f", planton.write("pool.yaml", support.pool(nodeCount=count)), "--yes")
        nodes.append(planton.json("outputs", "civokubernetesnodepools/workers")["nodeIds"])
        assert len(nodes[-1]) == count
        assert planton.actions("plan", "-f", "pool.yaml") == {}
    assert nodes[1][:3] == nodes[0]
    assert set(nodes[2]) < set(nodes[1])
    planton.run("refresh", "-f", "pool.yaml")
    assert planton.actions("plan", "-f", "pool.yaml") == {}
    planton.run("apply", "-f", planton.write("pool.yaml", support.pool(nodeCount=2, labels={"tier": "web"})), "--yes")
    planton.run("destroy", "civokubernetesnodepool/workers", "--yes")
    touched = {path for _, path in planton.writes(mark)}
    assert all("/pools" in path for path in touched), touched


def test_each_changeable_field_of_a_cluster_is_changed_in_place(applied: Applied) -> None:
    """Name, version, tags, default pool count, firewall ranges and additional pools change without a replacement."""
    planton = applied(support.network(), support.cluster())
    identity = planton.sandbox.control.resources()["clusters"][0]["id"]
    extra = [{"name": name, "size": "g4s.kube.small", "nodeCount": 1, "labels": {"pool": name}} for name in ("gpu", "web")]
    changes = [
        {"tags": ["team:a"], "defaultNodePool": {"size": "g4s.kube.small", "nodeCount": 3}},
        {"kubernetesVersion": "1.31.2-k3s1"},
        {"apiServerAllowedCidrs": ["127.0.0.1/32", "203.0.113.0/24"], "additionalNodePools": extra},
    ]
    spec: dict[str, object] = {}
    for change in changes:
        spec |= change
        actions = planton.actions("apply", "-f", planton.write("c.yaml", support.cluster(**spec)), "--yes")
        assert actions, change
        assert set(actions.values()) <= {"update", "create"}, (change, actions)
        assert planton.actions("plan", "-f", "c.yaml") == {}, change
    reordered = support.cluster(**(spec | {"additionalNodePools": extra[::-1]}))
    assert planton.actions("plan", "-f", planton.write("c.yaml", reordered)) == {}
    planton.run("apply", "-f", planton.write("p.yaml", support.pool()), "--yes")
    more = [*extra, {"name": "more", "size": "g4s.kube.small", "nodeCount": 1}]
    file = planton.write("p.yaml", support.cluster(**(spec | {"additionalNodePools": more})), support.pool())
    assert set(planton.actions("plan", "-f", file).values()) == {"create"}
    scaled = [{**extra[0], "nodeCount": 3}, extra[1]]
    cluster = support.cluster(**(spec | {"additionalNodePools": scaled}))
    assert planton.actions("apply", "-f", planton.write("c.yaml", cluster), "--yes") == {"node_pool_size-gpu": "update"}
    assert planton.json("outputs", "civokubernetescluster/dev")["clusterId"] == identity


def test_changes_that_need_a_new_cluster_are_planned_as_replacements_and_need_consent(applied: Applied) -> None:
    """CNI, applications and the default pool's size replace; without --allow-replace nothing is requested."""
    planton = applied(support.network(), support.cluster(), support.pool())
    size = {"defaultNodePool": {"size": "g4s.kube.large", "nodeCount": 2}}
    for change in ({"cni": "cilium"}, {"applications": ["metrics-server"]}, size):
        file = planton.write("c.yaml", support.cluster(**change), support.pool())
        mark = planton.sandbox.control.mark()
        refused = planton.run("apply", "-f", file, "--yes", code=5).stderr
        assert "would replace cluster" in refused
        assert "--allow-replace CivoKubernetesCluster/dev" in refused
        assert "CivoKubernetesNodePool/workers" in refused
        assert planton.writes(mark) == []
    plan = planton.run("plan", "-f", planton.write("c.yaml", support.cluster(cni="cilium"), support.pool())).stdout
    assert "clusterId: " in plan
    assert "(known after apply)" in plan
    file = planton.write("c.yaml", support.cluster(cni="cilium"))
    planton.run("apply", "-f", file, "--yes", "--allow-replace", "civokubernetescluster/dev")
    assert planton.actions("plan", "-f", file) == {}


def test_a_changed_range_replaces_the_network(applied: Applied) -> None:
    """The plugin would answer with an error; here the plan says what happens."""
    planton = applied(support.network())
    file = planton.write("n.yaml", support.network(ipRangeCidr="10.30.0.0/24"))
    assert planton.actions("plan", "-f", file) == {"network": "replace"}
    planton.run("apply", "-f", file, "--yes")
    assert planton.json("outputs", "civovpc/net")["cidrBlock"] == "10.30.0.0/24"


def test_firewall_rules_and_name_change_in_place(applied: Applied) -> None:
    """Rules are added, changed and removed without a new firewall; without any rule it denies everything."""
    planton = applied(support.network(), support.firewall())
    identity = planton.json("outputs", "civofirewall/fw")["firewallId"]
    outbound = [{"protocol": "udp", "portRange": "53"}, {"protocol": "icmp"}]
    for change in ({"name": "renamed"}, {"outboundRules": outbound}, {"inboundRules": [{"protocol": "tcp"}]}):
        file = planton.write("f.yaml", support.firewall(**change))
        assert planton.actions("apply", "-f", file, "--yes") == {"firewall": "update"}, change
        assert planton.actions("plan", "-f", file) == {}
    assert planton.json("outputs", "civofirewall/fw")["firewallId"] == identity


def test_a_firewall_without_rules_can_be_made(applied: Applied) -> None:
    """It is valid upstream, and the plugin alone could not create it."""
    planton = applied(support.network())
    file = planton.write("f.yaml", support.firewall(inboundRules=[]))
    planton.run("apply", "-f", file, "--yes")
    assert planton.actions("plan", "-f", file) == {}


def test_manual_scaling_is_found_and_repaired(applied: Applied) -> None:
    """Scenario 1 of the architecture page, on the default pool and on a pool of its own."""
    planton = applied(support.network(), support.cluster(), support.pool())
    file = FILE
    planton.sandbox.control.outside("scale", cluster="dev", pool="workers", count=5)
    default = planton.sandbox.control.resources()["clusters"][0]["pools"][0]["id"]
    planton.sandbox.control.outside("scale", cluster="dev", pool=default, count=4)
    mark = planton.sandbox.control.mark()
    drifted = planton.json("drift", "-f", file, code=3)["resources"]
    paths = {
        each["path"]: (each["old"], each["new"]) for one in drifted for change in one["changes"] for each in change["differences"]
    }
    assert paths == {"pools.nodeCount": (2, 4), "node_count": (3, 5)}
    assert planton.writes(mark) == []
    planton.run("apply", "-f", file, "--yes", "--refresh")
    assert planton.actions("drift", "-f", file) == {}
    assert len(planton.json("outputs", "civokubernetesnodepool/workers")["nodeIds"]) == 3


def test_an_upgrade_made_elsewhere_is_accepted_by_following_it(applied: Applied) -> None:
    """Scenario 2: after the manifest says the new version, an apply changes nothing."""
    planton = applied(support.network(), support.cluster())
    planton.write("c.yaml", support.cluster())
    planton.sandbox.control.outside("upgrade", cluster="dev", version="1.31.2-k3s1")
    assert planton.actions("drift", "-f", "c.yaml", code=3) == {"cluster": "update"}
    planton.run("refresh", "-f", "c.yaml")
    file = planton.write("c.yaml", support.cluster(kubernetesVersion="1.31.2+k3s1"))
    assert planton.actions("plan", "-f", file) == {}


def test_a_cluster_deleted_elsewhere_is_found_and_made_anew(applied: Applied) -> None:
    """Scenario 3: drift reports it, a refresh believes the cloud, an apply with consent recreates the cluster."""
    planton = applied(support.network(), support.cluster())
    file = planton.write("c.yaml", support.cluster())
    planton.sandbox.control.outside("delete-cluster", cluster="dev")
    planton.sandbox.control.advance(600)
    assert planton.actions("drift", "-f", file, code=3) == {"cluster": "delete"}
    assert "! cluster is missing from the cloud and would be recreated" in planton.run("plan", "-f", file).stdout
    refused = planton.run("apply", "-f", file, "--yes", code=5).stderr
    assert "would recreate cluster; nothing was changed" in refused
    assert planton.sandbox.control.resources()["clusters"] == []
    planton.run("apply", "-f", file, "--yes", "--allow-replace", "CivoKubernetesCluster/dev")
    assert len(planton.sandbox.control.resources()["clusters"]) == 1
    assert planton.actions("plan", "-f", file) == {}


def test_a_pool_deleted_elsewhere_blocks_nothing(applied: Applied) -> None:
    """The plugin alone would fail for ever; here refresh, apply and destroy work."""
    planton = applied(support.network(), support.cluster(), support.pool())
    file = planton.write("p.yaml", support.pool())
    planton.sandbox.control.outside("delete-pool", cluster="dev", pool="workers")
    planton.sandbox.control.advance(600)
    assert planton.actions("drift", "-f", FILE, code=3) == {"node_pool": "delete"}
    planton.run("refresh", "civokubernetesnodepool/workers")
    planton.run("apply", "-f", file, "--yes")
    assert len(planton.json("outputs", "civokubernetesnodepool/workers")["nodeIds"]) == 3
    planton.sandbox.control.outside("delete-pool", cluster="dev", pool="workers")
    planton.sandbox.control.advance(600)
    planton.run("destroy", "-f", FILE, "--yes")
    assert not planton.sandbox.control.resources()["clusters"]


@pytest.mark.parametrize("spec", [{}, {"ipRangeCidr": ""}], ids=["range", "no range"])
@pytest.mark.parametrize("command", [("refresh",), ("destroy", "--yes"), ("apply", "--yes")], ids=lambda command: command[0])
def test_a_network_deleted_elsewhere_blocks_nothing(applied: Applied, spec: dict[str, Any], command: tuple[str, ...]) -> None:
    """The plugin reads it as empty texts and then fails for ever; here drift, refresh, apply and destroy work."""
    planton = applied(support.network(**spec))
    planton.sandbox.control.outside("delete-network", network="net")
    if command[0] == "apply":
        planton.run(*command, "-f", planton.write("n.yaml", support.network(**spec, networkName="renamed")))
        assert "renamed" in [each["label"] for each in planton.sandbox.control.resources()["networks"]]
        return
    assert planton.actions("drift", "-f", FILE, code=3) == {"network": "delete"}
    planton.run(*command, "-f", FILE)
    planton.run("apply", "-f", FILE, "--yes")
    assert "net" in [each["label"] for each in planton.sandbox.control.resources()["networks"]]


def test_a_folder_whose_cluster_was_deleted_elsewhere_comes_back_with_one_apply(applied: Applied) -> None:
    """What referred to the cluster is made anew with it, although its reference leads nowhere for a while."""
    planton = applied(support.network(), support.cluster(), support.pool())
    file = planton.write("all.yaml", support.cluster(), support.pool())
    planton.sandbox.control.outside("delete-cluster", cluster="dev")
    planton.sandbox.control.advance(600)
    assert planton.actions("drift", "-f", file, code=3) == {"cluster": "delete", "node_pool": "delete"}
    refused = planton.run("apply", "-f", file, "--yes", code=5)
    assert "would recreate cluster; CivoKubernetesNodePool/workers (env dev) refer to it" in refused.stderr
    planton.run("apply", "-f", file, "--yes", "--allow-replace", "CivoKubernetesCluster/dev")
    assert planton.actions("plan", "-f", file) == {}
    clusters = planton.sandbox.control.resources()["clusters"]
    assert [pool["count"] for pool in clusters[0]["pools"]] == [2, 3]
    planton.sandbox.control.outside("delete-cluster", cluster="dev")
    planton.sandbox.control.advance(600)
    planton.run("destroy", "-f", file, "--yes")


def test_existing_resources_are_imported_and_the_next_plan_is_empty(planton: support.Planton) -> None:
    """What was made by hand comes under the care of manifests without being made again."""
    made = {"label": "net", "cidr_v4": "10.20.0.0/24"}
    network = planton.sandbox.call("POST", "/networks", made).body["id"]
    rule = {
        "protocol": "tcp",
        "ports": "6443",
        "cidr": ["127.0.0.1/32"],
        "direction": "ingress",
        "action": "allow",
        "label": "api",
    }
    body = {"name": "fw", "network_id": network, "create_rules": False, "rules": [rule]}
    firewall = planton.sandbox.call("POST", "/firewalls", body).body["id"]
    body = {
        "name": "dev",
        "network_id": network,
        "instance_firewall": firewall,
        "kubernetes_version": "1.30.5-k3s1",
        "pools": [{"id": "main", "count": 2, "size": "g4s.kube.small"}],
    }
    cluster = planton.sandbox.call("POST", "/kubernetes/clusters", body).body["id"]
    planton.sandbox.call(
        "POST", f"/kubernetes/clusters/{cluster}/pools", {"id": "workers", "count": 3, "size": "g4s.kube.medium"}
    )
    cluster_manifest = support.cluster(firewall={"valueFrom": {"name": "fw"}}, apiServerAllowedCidrs=[])
    file = planton.write("all.yaml", support.network(), support.firewall(), cluster_manifest, support.pool())
    for resource, id_ in (("civovpc/net", network), ("civofirewall/fw", firewall), ("civokubernetescluster/dev", cluster)):
        planton.run("import", resource, id_, "-f", file, "--yes")
    planton.run("import", "civokubernetesnodepool/workers", "workers", "-f", file, "--yes")
    assert planton.actions("plan", "-f", file) == {}
    assert planton.json("outputs", "civokubernetescluster/dev")["clusterId"] == cluster
    remaining = planton.sandbox.control.resources()
    assert len(remaining["clusters"]) == 1


def test_an_autoscaled_pool_is_left_to_the_autoscaler(applied: Applied) -> None:
    """node_count is only the initial size; later applies and drift leave the number alone."""
    planton = applied(support.network(), support.cluster())
    file = planton.write("p.yaml", support.pool(autoScale=True, minNodes=1, maxNodes=30))
    warned = planton.run("apply", "-f", file, "--yes").stdout
    assert "autoscaler" in warned
    assert "more than 20" in warned
    planton.sandbox.control.outside("scale", cluster="dev", pool="workers", count=6)
    assert planton.actions("drift", "-f", file) == {}
    file = planton.write("p.yaml", support.pool(autoScale=True, maxNodes=30, labels={"a": "b"}))
    planton.run("apply", "-f", file, "--yes", "--refresh")
    pools = planton.sandbox.control.resources()["clusters"][0]["pools"]
    assert next(each["count"] for each in pools if each["id"] == "workers") == 6
