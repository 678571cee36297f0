"""The stand-ins give the recorded responses of the official plugins.

Each file in ``recorded/`` has steps with exchanges between an engine and the official plugin, reduced to relevant fields.
The scripted cloud behaves like the recorded one. Only suffixes of generated names and the order of keys may differ.
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
    """Converts a response to the format of the recordings."""
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


def _without_suffixes(item: Json) -> Json:
    """Removes the suffixes of generated names."""
    if isinstance(item, dict):
        return {key: _without_suffixes(value) for key, value in item.items()}
    return _SUFFIX.sub("-", item) if isinstance(item, str) else item


def _call(engine: conftest.Engine, exchange: Json, shorts: dict[str, str]) -> Json:
    request = {key: _expand(value, shorts) for key, value in exchange["request"].items()}
    try:
        response = engine.call(exchange["method"], **request)
    except grpc.RpcError as error:
        return {"error": _error(error, shorts)}
    return {"response": _plain(json_format.MessageToDict(response, preserving_proto_field_name=True), shorts)}


def _error(error: grpc.RpcError, shorts: dict[str, str]) -> Json:
    fields = {"code": error.code().name, "details": error.details()}
    for key, content in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            detail = provider_pb2.ErrorResourceInitFailed()
            assert status_pb2.Status.FromString(content).details[0].Unpack(detail)
            detail_fields = _plain(json_format.MessageToDict(detail, preserving_proto_field_name=True), shorts)
            fields["status_details"] = [{"type": "pulumirpc.ErrorResourceInitFailed", **detail_fields}]
    return _plain(fields, shorts)


def _expected(exchange: Json) -> Json:
    expected = {key: exchange[key] for key in ("response", "error") if key in exchange}
    if expected.get("error", {}).get("code") == "UNAVAILABLE":
        # The recording's proxy has its own texts. The engine reported the plugin's.
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
            actual, expected = _call(engine, exchange, shorts), _expected(exchange)
            for kind in actual.get("response", {}).get("detailedDiff", {}).values():
                kind.setdefault("kind", "ADD")
            where = f"{name}: {step}: {exchange['method']} {exchange['request'].get('urn', '')}"
            assert _without_suffixes(actual) == _without_suffixes(expected), where
            count += 1
    return count


def test_checks_and_diffs_at_civo_equal_the_recording(scene: conftest.Scene) -> None:
    """The recording has checks with their texts, previewed creates, and all kinds of differences."""
    assert _replay(scene, "checks_and_diffs", {}) == 80


def test_a_lifecycle_at_civo_equals_the_recording(scene: conftest.Scene) -> None:
    """The recording has creates, refreshes, updates, failed updates, the crash, drift and deletions."""
    ids = json.loads((_HERE / "lifecycle_ids.json").read_text(encoding="utf-8"))
    cluster, cloud = ids[4], scene.cloud
    cloud.supply(ids)
    removed: dict[str, Json] = {}

    def remove_pools(cloud: scripted_civo.Cloud) -> None:
        removed["pools"] = list(cloud.clusters[cluster]["pools"])
        del cloud.clusters[cluster]["pools"][1:]

    def restore_pools(cloud: scripted_civo.Cloud) -> None:
        cloud.clusters[cluster]["pools"] = removed["pools"]
        cloud.fail("GET", cluster)

    events = {
        "refresh pool count drift 3->4": lambda cloud: cloud.scale(cluster, "workers", 4),
        "refresh pool count back": lambda cloud: cloud.scale(cluster, "workers", 3),
        "refresh pool GET 500 once": lambda cloud: cloud.fail("GET", "/pools/workers"),
        "refresh pool missing, cluster present": remove_pools,
        "refresh cluster GET 500 once": restore_pools,
    }
    assert _replay(scene, "lifecycle", events) == 66


def test_imports_drift_and_missing_resources_at_civo_equal_the_recording(scene: conftest.Scene) -> None:
    """The recording has imports, drift, refreshes with errors and missing resources, and refused deletions."""
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

    def revoke_tokens(cloud: scripted_civo.Cloud) -> None:
        cloud.tokens = set()

    def remove_clusters(cloud: scripted_civo.Cloud) -> None:
        cloud.tokens = None
        cloud.clusters.clear()

    def fail_lists(cloud: scripted_civo.Cloud) -> None:
        cloud.faults.clear()
        cloud.fail("GET", "/networks")
        cloud.fail("GET", "/firewalls")

    events = {
        "refresh default pool drift 2->3": lambda cloud: cloud.scale(cluster, "main", 3),
        "refresh settle": lambda cloud: cloud.scale(cluster, "main", 2),
        "refresh firewall missing": remove("firewalls", firewall),
        "refresh": restore("networks", "firewalls"),
        "refresh network missing": remove("networks", network),
        "preview regions 401": revoke_tokens,
        "refresh cluster gone": remove_clusters,
        "re-import preview": restore("networks", "firewalls", "clusters"),
        "refresh cluster 500 all": lambda cloud: cloud.fail("GET", cluster, times=9),
        "re-import": lambda cloud: cloud.faults.clear(),
        "refresh net+fw 500": fail_lists,
        "destroy with 500 on pool delete": lambda cloud: cloud.fail("DELETE", "/pools/workers"),
        "destroy when cluster already gone": remove("clusters", cluster),
    }
    assert _replay(scene, "import_and_drift", events) == 63


def _replay_digitalocean(
    scene: conftest.Scene, name: str, events: dict[str, typing.Callable[[scripted_digitalocean.Cloud], None]]
) -> int:
    shorts = {**_DIGITALOCEAN, "CLOUD": scene.cloud.url}
    return _replay(scene, f"digitalocean_{name}", events, shorts, httpRetryMax="0")


def _recorded_clouds() -> Json:
    return json.loads((_HERE / "digitalocean_clouds.json").read_text(encoding="utf-8"))


def test_checks_and_diffs_at_digitalocean_equal_the_recording(ocean: conftest.Scene) -> None:
    """The recording has checks with their texts, previewed creates, and all kinds of differences."""
    assert _replay_digitalocean(ocean, "checks_and_diffs", {}) == 57


def test_a_lifecycle_at_digitalocean_equals_the_recording(ocean: conftest.Scene) -> None:
    """The recording has creates, refreshes, updates, a failed update and its effects, drift and deletions."""
    seed = _recorded_clouds()["lifecycle"]
    ocean.cloud.restart(seed)
    (cluster,) = seed["ids"]["cluster"]
    workers = seed["ids"]["pool"][2]
    limit = scripted_http.Refused(422, {"id": "unprocessable_entity", "message": "limit"})
    in_use = scripted_http.Refused(403, {"id": "forbidden", "message": "Can not delete VPC with members"})

    def remove_pools(cloud: scripted_digitalocean.Cloud) -> None:
        cloud.clusters[cluster]["node_pools"].remove(cloud.pool(cluster, "workers"))

    events = {
        "up pool count 422": lambda cloud: cloud.fail("PUT", workers, error=limit),
        "refresh pool missing": remove_pools,
        "refresh cluster 500": lambda cloud: cloud.fail("GET", cluster),
        "destroy": lambda cloud: cloud.fail("DELETE", seed["ids"]["vpc"][0], error=in_use),
    }
    assert _replay_digitalocean(ocean, "lifecycle", events) == 85


def test_imports_at_digitalocean_equal_the_recording(ocean: conftest.Scene) -> None:
    """The recording has imports, the plans after them, and refused imports."""
    clouds = _recorded_clouds()

    def restart(name: str, *tags: str) -> str:
        cloud = ocean.cloud
        cloud.restart(clouds[name])
        client = scripted_http.Client(cloud)
        vpc = client.post("/v2/vpcs", {"name": "iv", "region": "fra1", "ip_range": "10.11.0.0/20"})["vpc"]
        main = {"name": "main", "size": "s-2vcpu-4gb", "count": 2, "tags": ["dp", *tags], "labels": {"tier": "web"}}
        fields = {"name": "ic", "region": "fra1", "version": "1.33.1-do.0", "tags": ["prod"], "vpc_uuid": vpc["id"]}
        body = {**fields, "node_pools": [main], "auto_upgrade": False, "surge_upgrade": True}
        cluster = client.post("/v2/kubernetes/clusters", body)["kubernetes_cluster"]["id"]
        taint = {"Key": "k", "Value": "v", "Effect": "NoSchedule"}
        workers = {"name": "workers", "size": "s-2vcpu-4gb", "count": 3, "labels": {"a": "b"}, "taints": [taint]}
        client.post(f"/v2/kubernetes/clusters/{cluster}/node_pools", workers)
        return cluster

    def remove_other_pools(cloud: scripted_digitalocean.Cloud) -> None:
        (cluster,) = cloud.clusters.values()
        del cluster["node_pools"][1:]

    restart("tagged", scripted_digitalocean.DEFAULT_TAG)
    events = {
        "import preview (untagged, two pools)": lambda _cloud: restart("untagged"),
        "import preview (untagged, one pool; pool import = default pool id)": remove_other_pools,
    }
    assert _replay_digitalocean(ocean, "imports", events) == 34
    (pool,) = next(iter(ocean.cloud.clusters.values()))["node_pools"]
    assert pool["tags"][-1] == scripted_digitalocean.DEFAULT_TAG
