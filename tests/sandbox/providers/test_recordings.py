"""The stand-ins give the recorded answers of the official plugins.

Each file in ``recorded/`` has steps and exchanges between an engine and the official plugin, reduced to what matters. The
scripted cloud behaves like the recorded one. Only the suffixes of generated names and the order of keys may differ.
"""

from __future__ import annotations

import copy
import json
import pathlib
import re
import typing

import grpc
from google.protobuf import json_format
from pulumi.runtime.proto import provider_pb2, status_pb2

from planton_sandbox.providers import values

from . import conftest, scripted_civo, scripted_digitalocean, scripted_http

Json = typing.Any
_HERE = pathlib.Path(__file__).parent / "recorded"
_KEY = "e2bfb730-ecaa-11e6-8f88-34363bc7c4c0"
_TIMEOUTS = f'"{_KEY}":' + json.dumps(dict.fromkeys(("create", "delete", "update"), 1_800_000_000_000), separators=(",", ":"))
_CIVO = {
    "PLANNED": f'"_new_extra_shim":{{}},{_TIMEOUTS}',
    "TIMEOUTS": _TIMEOUTS,
    "URN:": "urn:pulumi:dev::demo::civo:index/",
}
_DIGITALOCEAN = {"TIMEOUTS": _KEY, "URN:": "urn:pulumi:dev::demo::digitalocean:index/"}
"""The abbreviations in the files."""
_SUFFIX = re.compile(r"-[0-9a-f]{7}$")


def _expand(item: Json, shorts: dict[str, str]) -> Json:
    """Converts a recorded value to the one on the wire."""
    if isinstance(item, dict):
        if set(item) == {"$secret"}:
            return values.Secret(_expand(item["$secret"], shorts))
        return {key: _expand(value, shorts) for key, value in item.items()}
    if isinstance(item, list):
        return [_expand(value, shorts) for value in item]
    if item == "<unknown>":
        return values.UNKNOWN
    if isinstance(item, str):
        for short, full in shorts.items():
            item = item.replace(short, full)
    return item


def _plain(item: Json, shorts: dict[str, str]) -> Json:
    """Converts an answer to the format of the recordings."""
    if isinstance(item, dict):
        if "4dabf18193072939515e22adb298388d" in item:
            return {"$secret": _plain(item["value"], shorts)}
        return {key: _plain(value, shorts) for key, value in item.items()}
    if isinstance(item, list):
        return [_plain(value, shorts) for value in item]
    if item == "04da6b54-80e4-46f7-96ec-b56ff0331ba9":
        return "<unknown>"
    if isinstance(item, str):
        for short, full in shorts.items():
            item = item.replace(full, short)
    return item


def _modulo_names(item: Json) -> Json:
    if isinstance(item, dict):
        return {key: _modulo_names(value) for key, value in item.items()}
    return _SUFFIX.sub("-", item) if isinstance(item, str) else item


def _answer(engine: conftest.Engine, exchange: Json, shorts: dict[str, str]) -> Json:
    request = {key: _expand(value, shorts) for key, value in exchange["request"].items()}
    try:
        response = engine.call(exchange["method"], **request)
    except grpc.RpcError as error:
        return {"error": _error(error, shorts)}
    return {"response": _plain(json_format.MessageToDict(response, preserving_proto_field_name=True), shorts)}


def _error(error: grpc.RpcError, shorts: dict[str, str]) -> Json:
    shown = {"code": error.code().name, "details": error.details()}
    for key, content in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            detail = provider_pb2.ErrorResourceInitFailed()
            assert status_pb2.Status.FromString(content).details[0].Unpack(detail)
            fields = _plain(json_format.MessageToDict(detail, preserving_proto_field_name=True), shorts)
            shown["status_details"] = [{"type": "pulumirpc.ErrorResourceInitFailed", **fields}]
    return _plain(shown, shorts)


def _expected(exchange: Json) -> Json:
    expected = {key: exchange[key] for key in ("response", "error") if key in exchange}
    if expected.get("error", {}).get("code") == "UNAVAILABLE":
        # The recording's proxy has its own texts; the engine showed the plugin's.
        expected["error"]["details"] = "error reading from server: EOF"
    for kind in expected.get("response", {}).get("detailedDiff", {}).values():
        kind.setdefault("kind", "ADD")
    return expected


def _resolve(item: Json, table: dict[str, Json]) -> Json:
    """Restores values that occur several times."""
    if isinstance(item, dict):
        if set(item) == {"$is"}:
            return copy.deepcopy(table[item["$is"]])
        return {key: _resolve(value, table) for key, value in item.items()}
    return [_resolve(value, table) for value in item] if isinstance(item, list) else item


def _steps(name: str) -> list[tuple[str, list[Json]]]:
    steps: list[tuple[str, list[Json]]] = [("start", [])]
    table: dict[str, Json] = {}
    for entry in json.loads((_HERE / f"{name}.json").read_text(encoding="utf-8")):
        if "values" in entry:
            table = entry["values"]
        elif "step" in entry:
            steps.append((entry["step"], []))
        else:
            steps[-1][1].append(_resolve(entry, table))
    return steps


def _replay(
    scene: conftest.Scene,
    name: str,
    events: dict[str, typing.Callable[[typing.Any], None]],
    shorts: dict[str, str] = _CIVO,
    **config: str,
) -> int:
    engine = scene.connect()
    count = 0
    for step, exchanges in _steps(name):
        events.get(step, lambda _cloud: None)(scene.cloud)
        if not (exchanges and exchanges[0]["method"] == "Configure" and "error" in exchanges[0]):
            engine.configure(**config)
        for exchange in exchanges:
            if exchange["method"] == "Configure":
                exchange["request"] = {"args": {"token": "tok", "region": "LON1"}}
            answered, expected = _answer(engine, exchange, shorts), _expected(exchange)
            for kind in answered.get("response", {}).get("detailedDiff", {}).values():
                kind.setdefault("kind", "ADD")
            where = f"{name}: {step}: {exchange['method']} {exchange['request'].get('urn', '')}"
            assert _modulo_names(answered) == _modulo_names(expected), where
            count += 1
    return count


def test_checks_and_diffs_are_answered_as_recorded(scene: conftest.Scene) -> None:
    """Checks, their texts, previewed creations and all kinds of differences are the official plugin's."""
    assert _replay(scene, "checks_and_diffs", {}) == 80


def test_a_lifecycle_is_answered_as_recorded(scene: conftest.Scene) -> None:
    """Creations, refreshes, updates, failed updates, the crash, drift and deletions are the official plugin's."""
    ids = json.loads((_HERE / "lifecycle_ids.json").read_text(encoding="utf-8"))
    cluster, cloud = ids[4], scene.cloud
    cloud.supply(ids)
    lost: dict[str, Json] = {}

    def without_pool(cloud: scripted_civo.Cloud) -> None:
        lost["pools"] = list(cloud.clusters[cluster]["pools"])
        del cloud.clusters[cluster]["pools"][1:]

    def with_pool(cloud: scripted_civo.Cloud) -> None:
        cloud.clusters[cluster]["pools"] = lost["pools"]
        cloud.fail("GET", cluster)

    events = {
        "refresh pool count drift 3->4": lambda cloud: cloud.scale(cluster, "workers", 4),
        "refresh pool count back": lambda cloud: cloud.scale(cluster, "workers", 3),
        "refresh pool GET 500 once": lambda cloud: cloud.fail("GET", "/pools/workers"),
        "refresh pool missing, cluster present": without_pool,
        "refresh cluster GET 500 once": with_pool,
    }
    assert _replay(scene, "lifecycle", events) == 66


def test_imports_drift_and_lost_resources_are_answered_as_recorded(scene: conftest.Scene) -> None:
    """Imports, drift, refreshes with errors and missing resources, and refused deletions are the official plugin's."""
    cloud = scene.cloud
    seed = json.loads((_HERE / "import_and_drift_cloud.json").read_text(encoding="utf-8"))
    network, firewall, cluster = seed["ids"][0], seed["ids"][2], seed["ids"][4]
    cloud.supply(seed["ids"])
    cloud.created = seed["created"]
    client = scripted_http.Client(cloud)
    for path, body in seed["made"]:
        client.post(path.format(network=network, firewall=firewall, cluster=cluster), body)
    originals = {"networks": dict(cloud.networks), "firewalls": dict(cloud.firewalls), "clusters": dict(cloud.clusters)}

    def remove(kind: str, identity: str) -> typing.Callable[[scripted_civo.Cloud], None]:
        return lambda cloud: getattr(cloud, kind).pop(identity)

    def restore(*kinds: str) -> typing.Callable[[scripted_civo.Cloud], None]:
        return lambda cloud: [getattr(cloud, kind).update(originals[kind]) for kind in kinds] and None

    def unauthorised(cloud: scripted_civo.Cloud) -> None:
        cloud.tokens = set()

    def without_cluster(cloud: scripted_civo.Cloud) -> None:
        cloud.tokens = None
        cloud.clusters.clear()

    def lists_fail(cloud: scripted_civo.Cloud) -> None:
        cloud.faults.clear()
        cloud.fail("GET", "/networks")
        cloud.fail("GET", "/firewalls")

    events = {
        "refresh default pool drift 2->3": lambda cloud: cloud.scale(cluster, "main", 3),
        "refresh settle": lambda cloud: cloud.scale(cluster, "main", 2),
        "refresh firewall missing": remove("firewalls", firewall),
        "refresh": restore("networks", "firewalls"),
        "refresh network missing": remove("networks", network),
        "preview regions 401": unauthorised,
        "refresh cluster gone": without_cluster,
        "re-import preview": restore("networks", "firewalls", "clusters"),
        "refresh cluster 500 all": lambda cloud: cloud.fail("GET", cluster, times=9),
        "re-import": lambda cloud: cloud.faults.clear(),
        "refresh net+fw 500": lists_fail,
        "destroy with 500 on pool delete": lambda cloud: cloud.fail("DELETE", "/pools/workers"),
        "destroy when cluster already gone": remove("clusters", cluster),
    }
    assert _replay(scene, "import_and_drift", events) == 63


def _replay_digitalocean(
    scene: conftest.Scene, name: str, events: dict[str, typing.Callable[[scripted_digitalocean.Cloud], None]]
) -> int:
    shorts = {**_DIGITALOCEAN, "CLOUD": scene.cloud.url}
    return _replay(scene, f"digitalocean_{name}", events, shorts, httpRetryMax="0")


def _known_clouds() -> Json:
    return json.loads((_HERE / "digitalocean_clouds.json").read_text(encoding="utf-8"))


def test_checks_and_diffs_of_digitalocean_are_answered_as_recorded(ocean: conftest.Scene) -> None:
    """Checks, their texts, previewed creations and all kinds of differences are the official plugin's."""
    assert _replay_digitalocean(ocean, "checks_and_diffs", {}) == 57


def test_a_lifecycle_on_digitalocean_is_answered_as_recorded(ocean: conftest.Scene) -> None:
    """Creations, refreshes, updates, a failed update and its effects, drift and deletions are the official plugin's."""
    known = _known_clouds()["lifecycle"]
    ocean.cloud.become(known)
    (cluster,) = known["ids"]["cluster"]
    workers = known["ids"]["pool"][2]
    limit = scripted_http.Refused(422, {"id": "unprocessable_entity", "message": "limit"})
    in_use = scripted_http.Refused(403, {"id": "forbidden", "message": "Can not delete VPC with members"})

    def without_pool(cloud: scripted_digitalocean.Cloud) -> None:
        cloud.clusters[cluster]["node_pools"].remove(cloud.pool(cluster, "workers"))

    events = {
        "up pool count 422": lambda cloud: cloud.fail("PUT", workers, error=limit),
        "refresh pool missing": without_pool,
        "refresh cluster 500": lambda cloud: cloud.fail("GET", cluster),
        "destroy": lambda cloud: cloud.fail("DELETE", known["ids"]["vpc"][0], error=in_use),
    }
    assert _replay_digitalocean(ocean, "lifecycle", events) == 85


def test_imports_from_digitalocean_are_answered_as_recorded(ocean: conftest.Scene) -> None:
    """Imports, the plans after them, and refused imports are the official plugin's."""
    clouds = _known_clouds()

    def seed(which: str, *tags: str) -> str:
        cloud, known = ocean.cloud, clouds[which]
        cloud.become(known)
        client = scripted_http.Client(cloud)
        vpc = client.post("/v2/vpcs", {"name": "iv", "region": "fra1", "ip_range": "10.11.0.0/20"})["vpc"]
        main = {"name": "main", "size": "s-2vcpu-4gb", "count": 2, "tags": ["dp", *tags], "labels": {"tier": "web"}}
        made = {"name": "ic", "region": "fra1", "version": "1.33.1-do.0", "tags": ["prod"], "vpc_uuid": vpc["id"]}
        body = {**made, "node_pools": [main], "auto_upgrade": False, "surge_upgrade": True}
        cluster = client.post("/v2/kubernetes/clusters", body)["kubernetes_cluster"]["id"]
        taint = {"Key": "k", "Value": "v", "Effect": "NoSchedule"}
        workers = {"name": "workers", "size": "s-2vcpu-4gb", "count": 3, "labels": {"a": "b"}, "taints": [taint]}
        client.post(f"/v2/kubernetes/clusters/{cluster}/node_pools", workers)
        return cluster

    def one_pool(cloud: scripted_digitalocean.Cloud) -> None:
        (cluster,) = cloud.clusters.values()
        del cluster["node_pools"][1:]

    seed("tagged", scripted_digitalocean.DEFAULT_TAG)
    events = {
        "import preview (untagged, two pools)": lambda _cloud: seed("untagged"),
        "import preview (untagged, one pool; pool import = default pool id)": one_pool,
    }
    assert _replay_digitalocean(ocean, "imports", events) == 34
    (pool,) = next(iter(ocean.cloud.clusters.values()))["node_pools"]
    assert pool["tags"][-1] == scripted_digitalocean.DEFAULT_TAG
