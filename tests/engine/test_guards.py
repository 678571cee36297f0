"""Guards: what is believed of a plugin, and what is asked of the cloud instead."""

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
    """A cloud that knows ids and names, or cannot be asked."""

    ids: frozenset[str] = frozenset()
    names: dict[str, str] = dataclasses.field(default_factory=dict)
    known: tuple[dict[str, Any], ...] = ()
    down: bool = False
    asked: list[tuple[str, ...]] = dataclasses.field(default_factory=list)

    def exists(self, type_: str, id_: str, cluster_id: str = "") -> bool:
        self.asked.append((type_, id_, cluster_id))
        if self.down:
            raise errors.PlantonError("down", code=errors.Code.FAILED, reason=errors.Reason.CLOUD_UNREACHABLE)
        return id_ in self.ids

    def find(self, type_: str, name: str, cluster_id: str = "") -> str | None:
        self.asked.append((type_, name, cluster_id))
        return self.names.get(name)

    lists: dict[str, list[dict[str, Any]]] = dataclasses.field(default_factory=dict)
    answers: Any = None

    def __hash__(self) -> int:
        return id(self)

    def raw_list(self, noun: str) -> list[dict[str, Any]]:
        return self.lists.get(noun, [])

    def clusters(self) -> list[dict[str, str]]:
        return list(self.known)


def _resource(type_: str, name: str, id_: str = "id", **more: Any) -> dict[str, Any]:
    return {"urn": events.urn(type_, name), "type": type_, "custom": True, "id": id_, "inputs": {}, "outputs": {}, **more}


STACK = {"urn": "urn:pulumi:test::planton::pulumi:pulumi:Stack::planton-test", "type": "pulumi:pulumi:Stack", "custom": False}
PROVIDER = {"urn": events.urn("pulumi:providers:civo", "civo"), "type": "pulumi:providers:civo", "custom": True, "id": "p"}
SIZE = _resource(events.SIZE, "node_pool_size", dependencies=[events.urn(events.POOL, "node_pool")])
CLUSTER = _resource(events.CLUSTER, "cluster", "c-1")
POOL = _resource(events.POOL, "node_pool", "workers", inputs={"clusterId": "c-1"})


def _state(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"resources": [STACK, PROVIDER, *resources], **more}


def test_only_what_stands_for_something_in_the_cloud_counts() -> None:
    """Stacks, providers, dynamic resources and creations without an id are nothing to look for."""
    state = _state(CLUSTER, SIZE, _resource(events.NETWORK, "network", ""))
    assert [resource["id"] for resource in states.cloud_resources(state)] == ["c-1"]
    assert states.cloud_resources({}) == []
    assert states.cloud_resources({"resources": None}) == []


def test_what_a_refresh_has_dropped_is_noticed() -> None:
    """A resource that is missing, and a network that was read as an empty shell."""
    network = _resource(events.NETWORK, "network", "n-1", outputs={"label": "net-a"})
    shell = _resource(events.NETWORK, "network", "n-1", outputs={"label": ""})
    assert guards.dropped(_state(CLUSTER, POOL), _state(CLUSTER)) == [POOL]
    assert guards.dropped(_state(network), _state(shell)) == [network]
    assert guards.dropped(_state(network, CLUSTER), _state(CLUSTER, network)) == []
    assert guards.dropped(_state(), _state(CLUSTER)) == []


def test_the_cloud_is_asked_about_each_dropped_resource() -> None:
    """A pool is looked for in its cluster."""
    cloud: Any = Cloud(ids=frozenset({"workers"}))
    assert guards.missing([CLUSTER, POOL], cloud) == {CLUSTER["urn"]}
    assert cloud.asked == [(events.CLUSTER, "c-1", ""), (events.POOL, "workers", "c-1")]


def test_a_cloud_that_cannot_be_asked_confirms_nothing() -> None:
    """The doubt is an error, never a deletion."""
    cloud: Any = Cloud(down=True)
    with pytest.raises(errors.PlantonError):
        guards.missing([POOL], cloud)


def test_an_unbelieved_refresh_names_what_is_there_and_that_the_state_is_kept() -> None:
    """The user learns that nothing was lost and that trying again helps."""
    error = guards.not_believed(["cluster", "firewall"], "the cloud has it")
    assert error.reason is errors.Reason.REFRESH_NOT_BELIEVED
    assert str(error) == "the plugin says that cluster, firewall is gone, but the cloud has it; the state is as it was"


def test_what_the_cloud_denies_is_missing() -> None:
    """Of any type; what it has is not."""
    other = _resource(events.POOL, "node_pool-x", "x", inputs={"clusterId": "c-1"})
    cloud: Any = Cloud(ids=frozenset({"x", CLUSTER["id"]}))
    assert guards.missing([CLUSTER, POOL, other], cloud) == {POOL["urn"]}


def test_a_state_loses_a_resource_with_all_that_depends_on_it() -> None:
    """The size of a pool goes with the pool, children go with their parents, the rest and its order stay."""
    child = _resource(events.SIZE, "child", parent=SIZE["urn"])
    state = _state(CLUSTER, POOL, SIZE, child, secrets_providers={"type": "passphrase"})
    left = states.without(state, {POOL["urn"]})
    assert left == _state(CLUSTER, secrets_providers={"type": "passphrase"})
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
def test_what_the_cloud_calls_a_resource_follows_from_the_manifest(resource: str, owner: str, name: str) -> None:
    """The names are those that the modules give."""
    assert guards.cloud_name(resource, TARGETS[owner]) == name


STARTED = 1_000_000.0


def _record(**more: Any) -> journal.Record:
    return journal.Record("apply", STARTED, failed=True, **more)


def test_only_what_the_state_does_not_have_is_a_candidate() -> None:
    """Dynamic resources, resources of the state and other names are none."""
    pools = [{"id": "web", "size": "small"}, {"id": "workers", "size": "small"}]
    cloud: Any = Cloud(lists={"civo:index/kubernetesCluster:KubernetesCluster": [{"id": "c-1", "name": "prod", "pools": pools}]})
    names = {"cluster": (events.CLUSTER, "prod"), "node_pool-web": (events.POOL, "web"), "node_pool-gone": (events.POOL, "gone")}
    suspects = {events.urn(type_, name): journal.Creation(cloud_name) for name, (type_, cloud_name) in names.items()}
    suspects[events.urn(events.SIZE, "node_pool_size-web")] = journal.Creation("")
    found = guards.candidates(_record(), suspects, _state(CLUSTER), TARGETS["cluster"], cloud, now=STARTED)
    assert [(each.urn, each.id, each.is_ours) for each in found] == [(events.urn(events.POOL, "node_pool-web"), "web", False)]


@pytest.mark.parametrize("cluster", [{"id": "c-9", "name": "prod"}, {"id": "prod", "name": "x"}])
def test_a_pool_is_looked_for_in_the_cluster_that_its_manifest_means(cluster: dict[str, str]) -> None:
    """By the cluster's name or id, and in no other cluster."""
    pool, sent = {"id": "workers", "size": "small"}, journal.Creation("workers", {"label": "workers", "size": "small"})
    listed = ({**cluster, "pools": [pool]}, {"id": "other", "name": "other", "pools": [pool]})
    cloud: Any = Cloud(known=listed, lists={"civo:index/kubernetesCluster:KubernetesCluster": list(listed)})
    urn = events.urn(events.POOL, "node_pool")
    [found] = guards.candidates(_record(before={urn: ()}), {urn: sent}, _state(), TARGETS["node_pool"], cloud, now=STARTED)
    assert found.is_ours
    assert guards.import_id(found, cluster["id"]) == f"{cluster['id']}:workers"


def test_a_state_can_get_a_resource_of_which_only_the_id_is_known() -> None:
    """Its provider is that of the stack, and a refresh reads the rest."""
    urn = events.urn(events.NETWORK, "network")
    sent = {urn: journal.Creation("net", {"label": "net"})}
    added = guards.with_adopted(_state(), {urn: "n-1"}, sent)["resources"][-1]
    assert (added["id"], added["inputs"], added["outputs"]) == ("n-1", {"__defaults": [], "label": "net"}, {})
    assert (added["provider"], added["parent"]) == (f"{PROVIDER['urn']}::p", STACK["urn"])


def test_a_pending_creation_is_known_by_the_name_that_it_began_with() -> None:
    """The manifest may say another one by now."""
    network = {"urn": events.urn(events.NETWORK, "network"), "inputs": {"label": "old"}}
    cluster = {"urn": events.urn(events.CLUSTER, "cluster"), "inputs": {"name": "prod"}}
    state = {"pending_operations": [{"type": "creating", "resource": network}, {"type": "updating", "resource": cluster}]}
    assert guards.creating(state) == {network["urn"]: journal.Creation("old", {"label": "old"})}


def test_pending_operations_and_half_done_updates_are_seen_in_the_state() -> None:
    """Both make the next run look at the cloud first."""
    assert states.pending({}) == []
    assert states.pending({"pending_operations": [{"type": "creating"}]}) == [{"type": "creating"}]
    assert not states.half_updated(_state(CLUSTER))
    assert states.half_updated(_state(CLUSTER | {"initErrors": ["boom"]}))


def test_rules_that_a_refresh_has_shuffled_get_their_fields_back() -> None:
    """The plugin's order is another one than the manifest's, and a rule took the place of one without ports."""
    icmp, tcp = ({"protocol": protocol, "cidrs": ["0.0.0.0/0"], "action": "allow"} for protocol in ("icmp", "tcp"))
    outputs = [icmp | {"portRange": "", "label": ""}, tcp | {"portRange": "22", "label": "ssh", "cidrs": ["0.0.0.0/0", "::/0"]}]
    shuffled = _resource(events.FIREWALL, "firewall", inputs={"egressRules": [icmp, tcp]}, outputs={"egressRules": outputs})
    mended = guards.with_whole_rules(_state(shuffled))
    assert mended is not None
    assert mended["resources"][-1]["inputs"] == {"egressRules": [icmp, outputs[1]]}
    assert guards.with_whole_rules(mended) is None


def test_rules_that_the_cloud_has_changed_are_left_alone() -> None:
    """Another protocol, or another number of rules, is drift and nothing to put back."""
    rule = {"protocol": "tcp", "cidrs": ["0.0.0.0/0"], "action": "allow"}
    for known in ([rule | {"protocol": "udp", "portRange": "22"}], [], [rule, rule | {"portRange": "22"}]):
        firewall = _resource(events.FIREWALL, "firewall", inputs={"ingressRules": [rule]}, outputs={"ingressRules": known})
        assert guards.with_whole_rules(_state(firewall)) is None
