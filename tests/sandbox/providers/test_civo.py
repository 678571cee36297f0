"""The Civo stand-in beyond the recordings: requests, waits, separate connections, the crash, functions, updates."""

from __future__ import annotations

import json
import threading
import typing
from concurrent import futures

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from planton_sandbox.providers import values
from support import waiting

from . import conftest

Json = typing.Any
_URN = "urn:pulumi:dev::demo::civo:index/{0}::x"
_NETWORK = _URN.format("network:Network")
_FIREWALL = _URN.format("firewall:Firewall")
_CLUSTER = _URN.format("kubernetesCluster:KubernetesCluster")
_POOL = _URN.format("kubernetesNodePool:KubernetesNodePool")
_RULE = {"action": "allow", "cidrs": ["0.0.0.0/0"], "portRange": "6443"}


def _dict(struct: Json) -> Json:
    return values.decode(struct)


def _pool(engine: conftest.Engine, cluster: str, **news: Json) -> tuple[str, Json, Json]:
    properties = {"clusterId": cluster, "label": "workers", "nodeCount": 3, "size": "g4s.kube.small", **news}
    return engine.create(_POOL, **properties)


def _create_all(engine: conftest.Engine, **pool: Json) -> tuple[str, str, str]:
    """Creates a network, a firewall and a cluster; returns their ids."""
    network, _, _ = engine.create(_NETWORK, label="net")
    firewall, _, _ = engine.create(_FIREWALL, networkId=network, createDefaultRules=False, ingressRules=[_RULE])
    default = {"label": "main", "nodeCount": 2, "size": "g4s.kube.small", **pool}
    cluster, _, _ = engine.create(_CLUSTER, networkId=network, firewallId=firewall, pools=default)
    return network, firewall, cluster


def test_configure_reads_the_regions_with_the_plugins_headers(scene: conftest.Scene) -> None:
    """It is one request, with the official client's headers."""
    scene.connect().configure(token="secret", region="NYC1")  # not a secret
    (request,) = scene.cloud.requests
    assert (request.line, request.query) == ("GET /v2/regions", {"region": "NYC1"})
    assert request.headers["Authorization"] == "bearer secret"
    assert request.headers["User-Agent"] == "terraform-provider-civo/dev civogo/v0.3.89"
    assert request.headers["Content-Encoding"] == "gzip"


def test_configure_warns_about_a_token_that_is_an_argument(scene: conftest.Scene) -> None:
    """The official plugin logs it with the engine."""
    logged: list[tuple[int, str]] = []

    class Host(engine_pb2_grpc.EngineServicer):
        def Log(self, request: Json, _context: Json) -> Json:  # noqa: N802  # the protocol's name
            logged.append((request.severity, request.message))
            return empty_pb2.Empty()

    server = grpc.server(futures.ThreadPoolExecutor(1))
    engine_pb2_grpc.add_EngineServicer_to_server(Host(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    engine = scene.connect()
    engine.call("Attach", address=f"127.0.0.1:{port}")
    engine.configure()
    server.stop(None).wait()
    [(severity, text)] = logged
    assert severity == engine_pb2.WARNING
    assert text.startswith('provider config warning: The "token" attribute is deprecated.')


def test_connections_do_not_share_credentials_or_regions(scene: conftest.Scene) -> None:
    """Two providers of one program keep their own token and region, in any order of configuration."""
    first, second = scene.connect(), scene.connect()
    first.configure(token="a", region="LON1")  # not a secret
    second.configure(token="b", region="NYC1")  # not a secret
    scene.cloud.lines()
    first.create(_NETWORK, label="one")
    second.create(_NETWORK, label="two")
    sent = [(request.headers["Authorization"], (request.body or {}).get("region")) for request in scene.cloud.requests]
    assert sent[0] == ("bearer a", "LON1")
    assert sent[3] == ("bearer b", "NYC1")


def test_creates_send_the_plugins_requests_with_its_waits(scene: conftest.Scene, engine: conftest.Engine) -> None:
    """The order of the requests is the plugin's too."""
    network, _, cluster = _create_all(engine)
    _pool(engine, cluster)
    at = f"/v2/kubernetes/clusters/{cluster}"
    assert scene.cloud.lines() == [
        *("POST /v2/networks", "POST /v2/firewalls", "GET /v2/networks"),
        *("POST /v2/firewalls", "GET /v2/firewalls", "GET /v2/firewalls"),
        *("GET /v2/firewalls", "POST /v2/kubernetes/clusters", f"GET {at}", f"GET {at}"),
        *(f"GET {at}", f"POST {at}/pools", f"GET {at}", f"GET {at}", f"GET {at}/pools/workers"),
    ]
    assert scene.waits == [3, 3, 10]
    assert network in scene.cloud.networks


def test_creates_send_the_plugins_bodies(scene: conftest.Scene, engine: conftest.Engine) -> None:
    """Empty optional fields are omitted. Empty taints are null in a cluster and a list in a pool."""
    network, firewall, cluster = _create_all(engine)
    _pool(engine, cluster, labels={"role": "gpu"})
    posts = {request.path: request.body for request in scene.cloud.requests if request.method == "POST"}
    body = posts["/v2/kubernetes/clusters"]
    assert body.pop("name").startswith("x-")
    pool = {"id": "main", "count": 2, "size": "g4s.kube.small", "taints": None}
    assert body == {"region": "LON1", "network_id": network, "pools": [pool], "instance_firewall": firewall}
    added = {"region": "LON1", "id": "workers", "count": 3, "size": "g4s.kube.small", "labels": {"role": "gpu"}}
    assert posts[f"/v2/kubernetes/clusters/{cluster}/pools"] == {**added, "taints": []}
    assert posts["/v2/firewalls"]["create_rules"] is False
    rule = {"protocol": "tcp", "start_port": "", "end_port": "", "cidr": ["0.0.0.0/0"], "direction": "ingress"}
    assert posts["/v2/firewalls"]["rules"] == [{**rule, "action": "allow", "ports": "6443"}]


def test_changing_the_node_count_ends_every_call_of_its_connection_only(scene: conftest.Scene, engine: conftest.Engine) -> None:
    """The crash loses a create that has already been sent. Another connection continues."""
    _, _, cluster = _create_all(engine)
    other = scene.connect()
    other.configure()
    identity, inputs, state = _pool(engine, cluster)
    sent, go = threading.Event(), threading.Event()

    def hold(request: Json) -> None:
        if request.method == "POST" and (request.body or {}).get("id") == "second":
            scene.cloud.before = lambda _request: None
            sent.set()
            go.wait(waiting.TIMEOUT_SECONDS)

    scene.cloud.before = hold
    second = {"clusterId": cluster, "label": "second", "nodeCount": 1, "size": "g4s.kube.small"}
    pending = engine.future("Create", urn=_POOL, properties=second)
    assert sent.wait(waiting.TIMEOUT_SECONDS)
    changed = {**inputs, "nodeCount": 5}
    scene.cloud.lines()
    error = engine.error("Update", urn=_POOL, id=identity, olds=state, news=changed)
    assert (error.code(), error.details()) == (grpc.StatusCode.UNAVAILABLE, "error reading from server: EOF")
    with pytest.raises(grpc.RpcError) as lost:
        pending.result()
    assert lost.value.code() == grpc.StatusCode.UNAVAILABLE
    assert scene.cloud.lines() == [f"GET /v2/kubernetes/clusters/{cluster}"]
    go.set()
    assert engine.error("Read", urn=_POOL, id=identity).code() == grpc.StatusCode.UNAVAILABLE
    assert other.call("Read", urn=_POOL, id=identity, properties=state).id == "workers"
    engine.configure()
    assert engine.call("Read", urn=_POOL, id=identity, properties=state).id == "workers"
    assert [pool["id"] for pool in scene.cloud.clusters[cluster]["pools"]] == ["main", "workers", "second"]


def test_labels_of_the_default_pool_are_a_perpetual_difference(scene: conftest.Scene, engine: conftest.Engine) -> None:
    """The labels are never in the state, so each update sends a PUT and the next plan shows them again."""
    network, firewall, _ = _create_all(engine)
    pool = {"label": "main", "nodeCount": 2, "size": "g4s.kube.small", "labels": {"a": "b"}}
    properties = {"networkId": network, "firewallId": firewall, "pools": pool}
    identity, inputs, state = engine.create(_CLUSTER, **properties)
    for _ in range(2):
        diff = engine.call("Diff", urn=_CLUSTER, id=identity, olds=state, news=inputs)
        assert sorted(diff.detailedDiff) == ["pools.labels", "pools.labels.a"]
        scene.cloud.lines()
        updated = engine.call("Update", urn=_CLUSTER, id=identity, olds=state, news=inputs)
        assert [line for line in scene.cloud.lines() if line.startswith("PUT")] == [f"PUT /v2/kubernetes/clusters/{identity}"]
        state = _dict(updated.properties)


def test_clearing_all_labels_of_a_pool_is_a_perpetual_difference(scene: conftest.Scene, engine: conftest.Engine) -> None:
    """The PUT has no labels, so the cloud keeps them and the state gets them back."""
    _, _, cluster = _create_all(engine)
    identity, inputs, state = _pool(engine, cluster, labels={"role": "w"})
    bare = {key: value for key, value in inputs.items() if key != "labels"}
    updated = engine.call("Update", urn=_POOL, id=identity, olds=state, news=bare)
    (body,) = [request.body for request in scene.cloud.requests if request.method == "PUT"]
    assert body == {"taints": None, "region": "LON1"}
    assert _dict(updated.properties)["labels"] == {"role": "w"}


def test_a_changed_rule_is_deleted_and_created_again(scene: conftest.Scene, engine: conftest.Engine) -> None:
    """Unchanged rules keep their ids. The others are deleted, then created."""
    network, _, _ = engine.create(_NETWORK, label="net")
    web = {**_RULE, "portRange": "80"}
    properties = {"networkId": network, "createDefaultRules": False, "ingressRules": [_RULE, web]}
    identity, inputs, state = engine.create(_FIREWALL, **properties)
    (unchanged, removed) = (rule["id"] for rule in scene.cloud.firewalls[identity]["rules"])
    scene.cloud.lines()
    changed = {**inputs, "ingressRules": [inputs["ingressRules"][0], {**web, "protocol": "tcp", "portRange": "443"}]}
    engine.call("Update", urn=_FIREWALL, id=identity, olds=state, news=changed)
    at = f"/v2/firewalls/{identity}/rules"
    assert scene.cloud.lines() == [f"GET {at}", f"DELETE {at}/{removed}", f"POST {at}", "GET /v2/firewalls"]
    assert scene.cloud.firewalls[identity]["rules"][0]["id"] == unchanged


def test_deletions_send_the_plugins_requests_with_its_waits(scene: conftest.Scene, engine: conftest.Engine) -> None:
    """Cluster, firewall and network have fixed waits."""
    network, firewall, cluster = _create_all(engine)
    scene.waits.clear()
    scene.cloud.lines()
    for urn, identity in ((_CLUSTER, cluster), (_FIREWALL, firewall), (_NETWORK, network)):
        engine.call("Delete", urn=urn, id=identity)
    at = f"/v2/kubernetes/clusters/{cluster}"
    assert scene.cloud.lines() == [
        *(f"DELETE {at}", f"GET {at}"),
        *("GET /v2/firewalls", f"DELETE /v2/firewalls/{firewall}"),
        *(f"DELETE /v2/networks/{network}", f"GET /v2/networks/{network}"),
    ]
    assert scene.waits == [10, 3, 5]


def test_a_failed_cluster_is_kept_in_the_state(scene: conftest.Scene, engine: conftest.Engine) -> None:
    """The error has the status and the id, so the cluster is not orphaned."""
    network, firewall, cluster = _create_all(engine)
    scene.cloud.before = lambda _request: [cluster.update(status="ERROR") for cluster in scene.cloud.clusters.values()] and None
    pool = {"label": "main", "nodeCount": 2, "size": "g4s.kube.small"}
    news = {"name": "bad", "networkId": network, "firewallId": firewall, "pools": pool}
    error = engine.error("Create", urn=_CLUSTER, properties=news)
    assert "unexpected state 'ERROR', wanted target 'ACTIVE'" in error.details()
    assert any(key == "grpc-status-details-bin" for key, _ in error.trailing_metadata())
    assert len(scene.cloud.clusters) == 2


def test_a_cluster_stuck_in_building_fails_after_an_hour_of_waits(scene: conftest.Scene, engine: conftest.Engine) -> None:
    """The hour counts the plugin's pauses, so a caller that skips them does not hang."""
    network, firewall, _ = _create_all(engine)
    scene.cloud.before = lambda _request: (
        [cluster.update(status="BUILDING") for cluster in scene.cloud.clusters.values()] and None
    )
    pool = {"label": "main", "nodeCount": 2, "size": "g4s.kube.small"}
    news = {"name": "slow", "networkId": network, "firewallId": firewall, "pools": pool}
    error = engine.error("Create", urn=_CLUSTER, properties=news)
    assert "(last state: 'BUILDING', timeout: 1h0m0s)" in error.details()


def _invoke(engine: conftest.Engine, name: str, /, **args: Json) -> Json:
    return engine.invoke(f"civo:index/{name}:{name}", **args)


def test_functions_find_resources_by_id_or_part_of_a_name(engine: conftest.Engine) -> None:
    """The official functions accept parts of names too."""
    network, firewall, cluster = _create_all(engine)
    assert _invoke(engine, "getNetwork", label="net")["id"] == network
    assert _invoke(engine, "getNetwork", id=network)["label"] == "net"
    assert _invoke(engine, "getFirewall", id=firewall)["networkId"] == network
    match = _invoke(engine, "getKubernetesCluster", name="X-")
    assert (match["id"], match["pools"][0]["label"]) == (cluster, "main")


def test_functions_filter_and_sort_lists(engine: conftest.Engine) -> None:
    """Filters and sort orders name fields."""
    small = [{"key": "cpu", "values": ["1"]}]
    assert [size["name"] for size in _invoke(engine, "getSize", filters=small)["sizes"]] == ["g4s.kube.small"]
    newest = [{"key": "version", "direction": "desc"}]
    k3s = [{"key": "type", "values": ["K3S"]}, {"key": "version", "values": ["1.3"], "matchBy": "substring"}]
    versions = _invoke(engine, "getKubernetesVersion", filters=k3s, sorts=newest)["versions"]
    assert [version["label"] for version in versions] == ["v1.31.0-k3s1", "v1.30.5-k3s1"]
    assert _invoke(engine, "getRegion")["regions"] == [{"code": "LON1", "name": "London 1", "country": "uk", "default": True}]


@pytest.mark.parametrize(
    ("name", "args", "text"),
    [
        (
            "getNetwork",
            {"label": "zz"},
            "[ERR] failed to retrive network: ZeroMatchesError: unable to find zz, zero matches",
        ),
        ("getFirewall", {"name": "-"}, "unable to find - because there were multiple matches"),
        ("getKubernetesCluster", {}, "one of `id,name` must be specified"),
        ("getSize", {"filters": [{"key": "mood", "values": ["1"]}]}, "expected filter.0.key to be one of"),
    ],
)
def test_functions_fail_with_the_plugins_texts(engine: conftest.Engine, name: str, args: Json, text: str) -> None:
    """The error names the missing resource."""
    _create_all(engine)
    engine.create(_NETWORK, label="another")
    response = None
    try:
        response = engine.call("Invoke", tok=f"civo:index/{name}:{name}", args=args)
    except grpc.RpcError as error:
        assert text in error.details()
    else:
        assert any(text in failure.reason for failure in response.failures)


def test_the_schema_names_everything_that_can_be_imported(scene: conftest.Scene) -> None:
    """The schema has each resource's inputs and outputs, and every referenced type."""
    document = json.loads(scene.connect().call("GetSchema").schema)
    cluster = document["resources"]["civo:index/kubernetesCluster:KubernetesCluster"]
    assert cluster["requiredInputs"] == ["firewallId", "pools"]
    assert cluster["properties"]["kubeconfig"]["secret"] is True
    text = json.dumps(document)
    for token in document["types"]:
        assert f"#/types/{token}" in text
    assert set(document["resources"]) == {urn.split("::")[2] for urn in (_NETWORK, _FIREWALL, _CLUSTER, _POOL)}


def test_an_unreachable_cloud_removes_a_network_from_the_state(scene: conftest.Scene, engine: conftest.Engine) -> None:
    """This happens in a refresh. The official plugin has the same error."""
    identity, inputs, state = engine.create(_NETWORK, label="net")
    scene.cloud.stop()
    assert engine.call("Read", urn=_NETWORK, id=identity, properties=state, inputs=inputs).id == ""
    error = engine.error("Create", urn=_NETWORK, properties={"label": "b"})
    assert "[ERR] failed to create network: TimeoutError: problem connecting to the API" in error.details()
