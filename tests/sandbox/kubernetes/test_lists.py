"""Lists of the sandbox's Kubernetes API: selectors, pages, tables, watches, discovery."""

from __future__ import annotations

import json
import threading

import pytest

from support import kubernetes
from support.kubernetes import CORE, MERGE, TABLE, Kube

MAPS = f"{CORE}/configmaps"


def _fill(kube: Kube) -> None:
    for name, tier in (("a", "x"), ("b", "y"), ("c", "y"), ("d", "z")):
        kube.ok("POST", MAPS, {"metadata": {"name": name, "labels": {"tier": tier}}})


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("tier=y", "bc"),
        ("tier!=y,tier", "ad"),
        ("tier in (x,z)", "ad"),
        ("tier notin (x),tier", "bcd"),
        ("!tier,kubernetes.io/none", ""),
    ],
)
def test_labels_are_selected_by_equality_sets_and_existence(kube: Kube, selector: str, names: str) -> None:
    """Conditions can be combined."""
    _fill(kube)
    assert "".join(kubernetes.name(item) for item in kube.ok("GET", MAPS, labelSelector=selector)["items"]) == names


def test_pods_are_selected_by_node(kube: Kube) -> None:
    """A field that the kind does not support is refused."""
    kube.deploy(replicas=3)
    pod = kube.pods()[0]
    node = pod["spec"]["nodeName"]
    selected = kube.ok("GET", "/api/v1/pods", fieldSelector=f"spec.nodeName={node}")["items"]
    assert pod in selected
    assert {item["spec"]["nodeName"] for item in selected} == {node}
    message = kube.refused("GET", "/api/v1/pods", fieldSelector="spec.other=1")[2]
    assert message.endswith("field label not supported: spec.other")


def test_pages_contain_each_object_once(kube: Kube) -> None:
    """``limit`` and ``continue`` read a list in parts."""
    _fill(kube)
    first = kube.ok("GET", MAPS, limit=2, labelSelector="tier")
    assert first["metadata"]["remainingItemCount"] == 2
    second = kube.ok("GET", MAPS, limit=2, labelSelector="tier", **{"continue": first["metadata"]["continue"]})
    assert "continue" not in second["metadata"]
    assert [kubernetes.name(item) for item in first["items"] + second["items"]] == ["a", "b", "c", "d"]
    assert kube.refused("GET", MAPS, **{"continue": "!"})[0] == 400


def test_a_table_has_the_columns_of_its_kind(kube: Kube) -> None:
    """Each row has the metadata of its object."""
    kube.deploy(replicas=2)
    table = kube.ok("GET", f"{kubernetes.APPS}/deployments", accept=TABLE)
    assert [column["name"] for column in table["columnDefinitions"][:4]] == ["Name", "Ready", "Up-to-date", "Available"]
    assert table["rows"][0]["cells"][:4] == ["web", "2/2", 2, 2]
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


def test_every_resource_can_be_listed_in_every_form(kube: Kube) -> None:
    """Discovery, lists, tables and OpenAPI have the same resources."""
    kube.deploy(replicas=1)
    groups = [item["groupVersion"] for group in kube.ok("GET", "/apis")["groups"] for item in group["versions"]]
    listed = 0
    for base in ("/api/v1", *(f"/apis/{group}" for group in groups)):
        document = kube.ok("GET", f"/openapi/v3{base}")
        for resource in kube.ok("GET", base)["resources"]:
            if "/" in resource["name"] or "list" not in resource["verbs"]:
                continue
            listed += 1
            path = f"{base}/{resource['name']}"
            assert kube.ok("GET", path)["kind"] == f"{resource['kind']}List"
            assert kube.ok("GET", path, accept=TABLE)["kind"] == "Table"
            place = f"{base}/namespaces/{{namespace}}/{resource['name']}" if resource["namespaced"] else path
            assert place in document["paths"]
    assert listed > 30


def test_every_reference_of_the_openapi_document_resolves(kube: Kube) -> None:
    """The documents also contain the merge keys of lists."""
    index = kube.ok("GET", "/openapi/v3")["paths"]
    for entry in index.values():
        document = kube.ok("GET", entry["serverRelativeURL"])
        schemas = document["components"]["schemas"]
        text = json.dumps(document)
        references = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
        assert references <= set(schemas)
    containers = kube.ok("GET", "/openapi/v3/apis/apps/v1")["components"]["schemas"]["io.k8s.types.PodSpec"]["properties"][
        "containers"
    ]
    assert containers["x-kubernetes-patch-merge-key"] == "name"
    assert containers["x-kubernetes-list-map-keys"] == ["name"]


def test_the_openapi_v2_document_is_valid_and_empty(kube: Kube) -> None:
    """kubectl reads it before it applies a list of objects. The server validates the fields."""
    assert kube.ok("GET", "/openapi/v2")["swagger"] == "2.0"
    reply = kube.call("GET", "/openapi/v2", accept="application/com.github.proto-openapi.spec.v2@v1.0+protobuf")
    assert reply.headers["Content-Type"] == "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
    assert reply.body.encode() == b"\x0a\x032.0\x12\x19\x0a\x0aKubernetes\x12\x0bunversioned"


def _watch(kube: Kube, count: int, **query: object) -> tuple[threading.Thread, list[dict[str, object]]]:
    """Starts to watch config maps in a thread that ends after ``count`` events."""
    events: list[dict[str, object]] = []
    connection = kube.connect()
    path = "&".join(f"{key}={value}" for key, value in {"watch": "1", **query}.items())
    connection.request("GET", f"{MAPS}?{path}", headers={"Accept": "application/json"})
    response = connection.getresponse()

    def read() -> None:
        while len(events) < count and (line := response.readline()):
            events.append(json.loads(line))
        connection.close()

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread, events


def _types_and_names(events: list[dict[str, object]]) -> list[tuple[object, str]]:
    return [(event["type"], kubernetes.name(event["object"])) for event in events]


def test_a_watch_reports_every_change_once_and_in_order(kube: Kube) -> None:
    """It starts at a resource version. A selector turns changes into additions and deletions."""
    version = kube.ok("GET", MAPS)["metadata"]["resourceVersion"]
    thread, events = _watch(kube, 4, resourceVersion=version, labelSelector="tier=x")
    kube.ok("POST", MAPS, {"metadata": {"name": "a", "labels": {"tier": "x"}}})
    kube.ok("POST", MAPS, {"metadata": {"name": "b", "labels": {"tier": "y"}}})
    kube.ok("PATCH", f"{MAPS}/a", {"metadata": {"labels": {"tier": "y"}}}, kind=MERGE)
    kube.ok("PATCH", f"{MAPS}/b", {"metadata": {"labels": {"tier": "x"}}}, kind=MERGE)
    kube.ok("DELETE", f"{MAPS}/b")
    thread.join(30)
    assert _types_and_names(events) == [("ADDED", "a"), ("DELETED", "a"), ("ADDED", "b"), ("DELETED", "b")]


def test_a_watch_can_start_with_the_existing_objects(kube: Kube) -> None:
    """With ``sendInitialEvents`` they come first, followed by a bookmark."""
    kube.ok("POST", MAPS, {"metadata": {"name": "a", "labels": {"tier": "x"}}})
    query = {"sendInitialEvents": "true", "allowWatchBookmarks": "true", "resourceVersionMatch": "NotOlderThan"}
    thread, events = _watch(kube, 2, labelSelector="tier", **query)
    thread.join(30)
    assert [event["type"] for event in events] == ["ADDED", "BOOKMARK"]
    assert events[1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}  # type: ignore[index]


def test_a_watch_from_an_expired_version_is_refused(kube: Kube) -> None:
    """The client has to list the objects again."""
    assert kube.refused("GET", MAPS, watch=1, resourceVersion=5)[:2] == (410, "Expired")
