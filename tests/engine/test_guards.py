"""Guards: reports of a plugin that the cloud has to confirm."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from planton import errors
from planton.engine import states
from planton.recovery import guards
from planton.state import journal
from support import events, mocks


@dataclasses.dataclass
class Cloud:
    """A cloud with ids and names, or an unreachable one."""

    ids: frozenset[str] = frozenset()
    names: dict[str, str] = dataclasses.field(default_factory=dict)
    listed: tuple[dict[str, Any], ...] = ()
    down: bool = False
    requests: list[tuple[str, ...]] = dataclasses.field(default_factory=list)

    def exists(self, type_: str, id_: str, cluster_id: str = "") -> bool:
        self.requests.append((type_, id_, cluster_id))
        if self.down:
            raise errors.PlantonError("down", reason=errors.Reason.CLOUD_UNREACHABLE)
        return id_ in self.ids

    def find(self, type_: str, name: str, cluster_id: str = "") -> str | None:
        self.requests.append((type_, name, cluster_id))
        return self.names.get(name)

    lists: dict[str, list[dict[str, Any]]] = dataclasses.field(default_factory=dict)
    answers: Any = None

    def __hash__(self) -> int:
        return id(self)

    def raw_list(self, noun: str) -> list[dict[str, Any]]:
        return self.lists.get(noun, [])

    def clusters(self) -> list[dict[str, str]]:
        return list(self.listed)


def _resource(type_: str, name: str, id_: str = "id", **more: Any) -> dict[str, Any]:
    return {"urn": events.urn(type_, name), "type": type_, "custom": True, "id": id_, "inputs": {}, "outputs": {}, **more}


STACK = {"urn": "urn:pulumi:test::planton::pulumi:pulumi:Stack::planton-test", "type": "pulumi:pulumi:Stack", "custom": False}
PROVIDER = {"urn": events.urn("pulumi:providers:civo", "civo"), "type": "pulumi:providers:civo", "custom": True, "id": "p"}
SIZE = _resource(events.SIZE, "node_pool_size", dependencies=[events.urn(events.POOL, "node_pool")])
CLUSTER = _resource(events.CLUSTER, "cluster", "c-1")
POOL = _resource(events.POOL, "node_pool", "workers", inputs={"clusterId": "c-1"})


def _state(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resources": [STACK, PROVIDER, *resources], **more}


def test_only_resources_with_an_id_in_the_cloud_are_cloud_resources() -> None:
    """Stacks, providers, dynamic resources and creations without an id are skipped."""
    state = _state(CLUSTER, SIZE, _resource(events.NETWORK, "network", ""))
    assert [resource["id"] for resource in states.cloud_resources(state)] == ["c-1"]
    assert states.cloud_resources({}) == []
    assert states.cloud_resources({"resources": None}) == []


def test_a_resource_that_a_refresh_dropped_is_detected() -> None:
    """A network without a label is dropped too: the plugin read an empty shell."""
    network = _resource(events.NETWORK, "network", "n-1", outputs={"label": "net-a"})
    shell = _resource(events.NETWORK, "network", "n-1", outputs={"label": ""})
    assert guards.dropped(_state(CLUSTER, POOL), _state(CLUSTER)) == [POOL]
    assert guards.dropped(_state(network), _state(shell)) == [network]
    assert guards.dropped(_state(network, CLUSTER), _state(CLUSTER, network)) == []
    assert guards.dropped(_state(), _state(CLUSTER)) == []


def test_each_dropped_resource_is_looked_up_in_the_cloud() -> None:
    """A pool is looked up in its cluster."""
    cloud: Any = Cloud(ids=frozenset({"workers"}))
    assert guards.missing([CLUSTER, POOL], cloud) == {CLUSTER["urn"]}
    assert cloud.requests == [(events.CLUSTER, "c-1", ""), (events.POOL, "workers", "c-1")]


def test_an_unreachable_cloud_confirms_no_deletion() -> None:
    """The lookup fails instead of reporting the resource as missing."""
    cloud: Any = Cloud(down=True)
    with pytest.raises(errors.PlantonError):
        guards.missing([POOL], cloud)


def test_a_rejected_refresh_names_the_resources_and_keeps_the_state() -> None:
    """The message tells the user that the state is unchanged."""
    error = guards.not_believed(["cluster", "firewall"], "the cloud has it")
    assert error.reason is errors.Reason.REFRESH_NOT_BELIEVED
    assert str(error) == "the plugin says that cluster, firewall is gone, but the cloud has it; the state is as it was"


def test_resources_that_the_cloud_does_not_have_are_missing() -> None:
    """Clusters and pools are checked by their ids."""
    other = _resource(events.POOL, "node_pool-x", "x", inputs={"clusterId": "c-1"})
    cloud: Any = Cloud(ids=frozenset({"x", CLUSTER["id"]}))
    assert guards.missing([CLUSTER, POOL, other], cloud) == {POOL["urn"]}


def test_a_resource_is_removed_from_the_state_with_its_dependants() -> None:
    """Dependants and children are removed. All other resources keep their order."""
    child = _resource(events.SIZE, "child", parent=SIZE["urn"])
    state = _state(CLUSTER, POOL, SIZE, child, secrets_providers={"type": "passphrase"})
    remaining = states.without(state, {POOL["urn"]})
    assert remaining == _state(CLUSTER, secrets_providers={"type": "passphrase"})
    assert len(state["resources"]) == 6


def _target(kind: str, **spec: Any) -> Any:
    return mocks.target(kind, spec)


TARGETS = {
    "network": _target("CivoVpc", networkName="net-a"),
    "firewall": _target("CivoFirewall", name="fw-a"),
    "cluster": _target("CivoKubernetesCluster", clusterName="prod"),
    "node_pool": _target("CivoKubernetesNodePool", nodePoolName="workers", cluster={"value": "prod"}),
}


@pytest.mark.parametrize(
    ("resource", "owner", "name"),
    [
        ("network", "network", "net-a"),
        ("firewall", "firewall", "fw-a"),
        ("cluster", "cluster", "prod"),
        ("firewall", "cluster", "prod-firewall"),
        ("node_pool-web", "cluster", "web"),
        ("node_pool", "node_pool", "workers"),
    ],
)
def test_the_cloud_name_of_a_resource_follows_from_the_manifest(resource: str, owner: str, name: str) -> None:
    """The modules use the same names."""
    assert guards.cloud_name(resource, TARGETS[owner]) == name


STARTED = 1_000_000.0


def _record(**more: Any) -> journal.Record:
    return journal.Record("apply", STARTED, failed=True, **more)


def test_only_a_resource_missing_from_the_state_is_a_candidate() -> None:
    """Dynamic resources, resources in the state and other names are not candidates."""
    pools = [{"id": "web", "size": "small"}, {"id": "workers", "size": "small"}]
    cloud: Any = Cloud(lists={"civo:index/kubernetesCluster:KubernetesCluster": [{"id": "c-1", "name": "prod", "pools": pools}]})
    names = {
        "cluster": (events.CLUSTER, "prod"),
        "node_pool-web": (events.POOL, "web"),
        "node_pool-missing": (events.POOL, "missing"),
    }
    suspects = {events.urn(type_, name): journal.Creation(cloud_name) for name, (type_, cloud_name) in names.items()}
    suspects[events.urn(events.SIZE, "node_pool_size-web")] = journal.Creation("")
    candidates = guards.candidates(_record(), suspects, _state(CLUSTER), TARGETS["cluster"], cloud, now=STARTED)
    assert [(each.urn, each.id, each.is_ours) for each in candidates] == [
        (events.urn(events.POOL, "node_pool-web"), "web", False)
    ]


@pytest.mark.parametrize("cluster", [{"id": "c-9", "name": "prod"}, {"id": "prod", "name": "x"}])
def test_a_pool_is_looked_up_in_the_cluster_of_its_manifest(cluster: dict[str, str]) -> None:
    """The manifest names the cluster by name or id. No other cluster is searched."""
    pool, sent = {"id": "workers", "size": "small"}, journal.Creation("workers", {"label": "workers", "size": "small"})
    clusters = ({**cluster, "pools": [pool]}, {"id": "other", "name": "other", "pools": [pool]})
    cloud: Any = Cloud(listed=clusters, lists={"civo:index/kubernetesCluster:KubernetesCluster": list(clusters)})
    urn = events.urn(events.POOL, "node_pool")
    [candidate] = guards.candidates(_record(before={urn: ()}), {urn: sent}, _state(), TARGETS["node_pool"], cloud, now=STARTED)
    assert candidate.is_ours
    assert guards.import_id(candidate, cluster["id"]) == f"{cluster['id']}:workers"


def test_a_resource_is_adopted_into_the_state_by_its_id() -> None:
    """It gets the provider of the stack. A refresh reads the outputs."""
    urn = events.urn(events.NETWORK, "network")
    sent = {urn: journal.Creation("net", {"label": "net"})}
    added = guards.with_adopted(_state(), {urn: "n-1"}, sent)["resources"][-1]
    assert (added["id"], added["inputs"], added["outputs"]) == ("n-1", {"__defaults": [], "label": "net"}, {})
    assert (added["provider"], added["parent"]) == (f"{PROVIDER['urn']}::p", STACK["urn"])


def test_a_protection_that_only_the_state_has_is_as_it_was_sent() -> None:
    """The plugin of Google Cloud protects what it imports, and would refuse to delete what an interrupted apply created."""
    urn, provider = "urn:pulumi:s::p::gcp:container/cluster:Cluster::cluster", {"urn": "urn:gcp", "id": "g"}
    state = _state()
    state["resources"].append({**provider, "type": "pulumi:providers:gcp"})
    sent = {urn: journal.Creation("dev", {"name": "dev", "deletionProtection": False})}
    added = guards.with_adopted(state, {urn: "projects/p/locations/l/clusters/dev"}, sent)["resources"][-1]
    assert added["outputs"] == {"deletionProtection": False}


def test_a_pending_creation_keeps_the_name_of_its_request() -> None:
    """The manifest may contain another name by now."""
    network = {"urn": events.urn(events.NETWORK, "network"), "inputs": {"label": "old"}}
    cluster = {"urn": events.urn(events.CLUSTER, "cluster"), "inputs": {"name": "prod"}}
    state = {"pending_operations": [{"type": "creating", "resource": network}, {"type": "updating", "resource": cluster}]}
    assert guards.creating(state) == {network["urn"]: journal.Creation("old", {"label": "old"})}


def test_pending_operations_and_half_done_updates_are_detected_in_the_state() -> None:
    """After both, the next run refreshes first."""
    assert states.pending({}) == []
    assert states.pending({"pending_operations": [{"type": "creating"}]}) == [{"type": "creating"}]
    assert not states.half_updated(_state(CLUSTER))
    assert states.half_updated(_state(CLUSTER | {"initErrors": ["boom"]}))


def test_firewall_rules_shuffled_by_a_refresh_get_their_fields_back() -> None:
    """The plugin's order differs from the manifest's. A rule took the place of one without ports."""
    icmp, tcp = ({"protocol": protocol, "cidrs": ["0.0.0.0/0"], "action": "allow"} for protocol in ("icmp", "tcp"))
    outputs = [icmp | {"portRange": "", "label": ""}, tcp | {"portRange": "22", "label": "ssh", "cidrs": ["0.0.0.0/0", "::/0"]}]
    shuffled = _resource(events.FIREWALL, "firewall", inputs={"egressRules": [icmp, tcp]}, outputs={"egressRules": outputs})
    corrected = guards.with_whole_rules(_state(shuffled))
    assert corrected is not None
    assert corrected["resources"][-1]["inputs"] == {"egressRules": [icmp, outputs[1]]}
    assert guards.with_whole_rules(corrected) is None


def test_firewall_rules_changed_in_the_cloud_are_not_corrected() -> None:
    """Another protocol, or another number of rules, is drift."""
    rule = {"protocol": "tcp", "cidrs": ["0.0.0.0/0"], "action": "allow"}
    for rules in ([rule | {"protocol": "udp", "portRange": "22"}], [], [rule, rule | {"portRange": "22"}]):
        firewall = _resource(events.FIREWALL, "firewall", inputs={"ingressRules": [rule]}, outputs={"ingressRules": rules})
        assert guards.with_whole_rules(_state(firewall)) is None
