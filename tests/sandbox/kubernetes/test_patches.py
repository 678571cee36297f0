"""Patches, server-side apply, and the checks of fields."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support import kubernetes
from support.kubernetes import APPLY, APPS, CORE, JSON_PATCH, MERGE, STRATEGIC, Kube, deployment

MAPS = f"{CORE}/configmaps"
WEB = f"{APPS}/deployments/web"


def _containers(item: Any) -> dict[str, Any]:
    return {one["name"]: one for one in item["spec"]["template"]["spec"]["containers"]}


def _apply(kube: Kube, body: Any, manager: str, **query: Any) -> Any:
    return kube.ok("PATCH", WEB, body, kind=APPLY, fieldManager=manager, **query)


def test_a_merge_patch_removes_with_null(kube: Kube) -> None:
    """A JSON merge patch adds, changes and removes."""
    kube.ok("POST", MAPS, {"metadata": {"name": "conf"}, "data": {"a": "1", "b": "2"}})
    patched = kube.ok("PATCH", f"{MAPS}/conf", {"data": {"a": None, "c": "3"}}, kind=MERGE)
    assert patched["data"] == {"b": "2", "c": "3"}


def test_a_json_patch_can_test_first(kube: Kube) -> None:
    """Operations apply in order; a failed test refuses all of them."""
    kube.ok("POST", MAPS, {"metadata": {"name": "conf"}, "data": {"a": "1"}})
    operations = [
        {"op": "test", "path": "/data/a", "value": "1"},
        {"op": "add", "path": "/data/b~1c", "value": "2"},
        {"op": "move", "from": "/data/a", "path": "/data/d"},
    ]
    assert kube.ok("PATCH", f"{MAPS}/conf", operations, kind=JSON_PATCH)["data"] == {"b/c": "2", "d": "1"}
    code, reason, _ = kube.refused("PATCH", f"{MAPS}/conf", operations, kind=JSON_PATCH)
    assert (code, reason) == (422, "Invalid")


def test_copies_of_copies_are_bounded(kube: Kube) -> None:
    """A small patch cannot make a huge object."""
    kube.ok("POST", MAPS, {"metadata": {"name": "conf"}, "data": {"a": "x" * 1000}})
    operations = [{"op": "copy", "from": "/data", "path": "/data/b"}, {"op": "copy", "from": "/data", "path": "/data/c"}] * 40
    assert kube.refused("PATCH", f"{MAPS}/conf", operations, kind=JSON_PATCH)[0] == 413


def test_a_strategic_patch_merges_lists_by_key(kube: Kube) -> None:
    """A container is found by name, an item with ``$patch: delete`` goes, and atomic lists are replaced."""
    kube.deploy(tolerations=[{"key": "a", "operator": "Exists"}])
    extra = {"name": "side", "image": "side:1"}
    pod = {"containers": [extra, {"name": "main", "image": "nginx:2"}], "tolerations": [{"key": "b", "operator": "Exists"}]}
    patched = kube.ok("PATCH", WEB, {"spec": {"template": {"spec": pod}}}, kind=STRATEGIC)
    assert {name: one["image"] for name, one in _containers(patched).items()} == {"main": "nginx:2", "side": "side:1"}
    assert [one["key"] for one in patched["spec"]["template"]["spec"]["tolerations"]] == ["b"]
    gone = {"containers": [{"name": "side", "$patch": "delete"}]}
    assert set(_containers(kube.ok("PATCH", WEB, {"spec": {"template": {"spec": gone}}}, kind=STRATEGIC))) == {"main"}
    refused = kube.refused("PATCH", WEB, {"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}}, kind=STRATEGIC)
    assert refused[0] == 400


def test_a_strategic_patch_can_replace_and_order(kube: Kube) -> None:
    """``$patch: replace`` replaces a map, ``$setElementOrder`` orders a list."""
    kube.ok("POST", MAPS, {"metadata": {"name": "conf"}, "data": {"a": "1"}})
    assert kube.ok("PATCH", f"{MAPS}/conf", {"data": {"$patch": "replace", "b": "2"}}, kind=STRATEGIC)["data"] == {"b": "2"}
    kube.deploy()
    order = {"$setElementOrder/containers": [{"name": "side"}, {"name": "main"}], "containers": [{"name": "side", "image": "s"}]}
    patched = kube.ok("PATCH", WEB, {"spec": {"template": {"spec": order}}}, kind=STRATEGIC)
    assert list(_containers(patched)) == ["side", "main"]


def test_an_unknown_media_type_is_refused(kube: Kube) -> None:
    """A body that is neither JSON nor YAML gets 415."""
    kube.deploy()
    assert kube.refused("PATCH", WEB, b"x", kind="text/plain")[:2] == (415, "UnsupportedMediaType")
    assert kube.refused("PATCH", WEB, {}, kind="application/json")[:2] == (415, "UnsupportedMediaType")


def test_apply_creates_and_owns(kube: Kube) -> None:
    """An applied object has one manager with exactly the applied fields; the same again changes nothing."""
    body = deployment("web", 2)
    created = kube.call("PATCH", WEB, body, kind=APPLY, fieldManager="one")
    assert created.status == 201
    (entry,) = created.body["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"], entry["apiVersion"]) == ("one", "Apply", "apps/v1")
    spec = entry["fieldsV1"]["f:spec"]
    assert "f:strategy" not in spec
    assert set(spec["f:template"]["f:spec"]["f:containers"]) == {'k:{"name":"main"}'}
    settled = kube.ok("GET", WEB)
    again = _apply(kube, body, "one")
    assert again["metadata"]["resourceVersion"] == settled["metadata"]["resourceVersion"]


def test_apply_removes_what_it_no_longer_has(kube: Kube) -> None:
    """A field that the manager leaves out goes, unless another manager has it, too."""
    body = deployment("web", 2)
    body["metadata"]["labels"] = {"mine": "1", "shared": "1"}
    _apply(kube, body, "one")
    _apply(kube, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"shared": "1"}}}, "two")
    del body["metadata"]["labels"]
    body["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "1"}]
    applied = _apply(kube, body, "one")
    assert applied["metadata"]["labels"] == {"shared": "1"}
    assert _containers(applied)["main"]["env"] == [{"name": "A", "value": "1"}]
    del body["spec"]["template"]["spec"]["containers"][0]["env"]
    main = _containers(_apply(kube, body, "one"))["main"]
    assert "env" not in main
    assert main["terminationMessagePath"] == "/dev/termination-log"


def test_apply_conflicts_with_other_managers(kube: Kube) -> None:
    """A conflict names manager and field; ``force`` takes the field over, and the other manager loses it."""
    _apply(kube, deployment("web", 2), "one")
    kube.ok("PATCH", f"{WEB}/scale", {"spec": {"replicas": 3}}, kind=MERGE, fieldManager="scaler")
    reply = kube.call("PATCH", WEB, deployment("web", 2), kind=APPLY, fieldManager="one")
    assert (reply.status, reply.body["reason"]) == (409, "Conflict")
    assert reply.body["message"] == 'Apply failed with 1 conflict: conflict with "scaler" using apps/v1: .spec.replicas'
    (cause,) = reply.body["details"]["causes"]
    assert (cause["reason"], cause["field"]) == ("FieldManagerConflict", ".spec.replicas")
    forced = _apply(kube, deployment("web", 2), "one", force="true")
    assert forced["spec"]["replicas"] == 2
    assert [entry["manager"] for entry in forced["metadata"]["managedFields"]] == ["one"]


def test_apply_reads_yaml(kube: Kube) -> None:
    """YAML is read, without aliases, which could make a small text large."""
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: '1'}\n"
    assert kube.ok("PATCH", f"{MAPS}/conf", text, kind=APPLY, fieldManager="one")["data"] == {"a": "1"}
    bomb = b"data: {a: &a '1', b: *a}\n"
    assert kube.refused("PATCH", f"{MAPS}/conf", bomb, kind=APPLY, fieldManager="one")[0] == 400


def test_unknown_fields(kube: Kube) -> None:
    """Strict validation refuses an unknown field, a warning names it, and it is never stored."""
    body = deployment("web", 1)
    body["spec"]["replica"] = 3
    path = f"{APPS}/deployments"
    message = kube.refused("POST", path, body, fieldValidation="Strict")[2]
    assert message == (
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field "spec.replica"'
    )
    warned = kube.call("POST", path, body, fieldValidation="Warn")
    assert (warned.status, warned.headers["Warning"]) == (201, '299 - "unknown field \\"spec.replica\\""')
    assert "replica" not in warned.body["spec"]
    assert ".spec.replica: field not declared in schema" in kube.refused("PATCH", WEB, body, kind=APPLY, fieldManager="one")[2]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"selector": None}, "spec.selector: Required value"),
        ({"replicas": -1}, "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
        ({"selector": {"matchLabels": {"app": "x"}}}, "`selector` does not match template `labels`"),
        ({"template": {"metadata": {"labels": {"app": "web"}}, "spec": {}}}, "spec.template.spec.containers: Required value"),
    ],
)
def test_an_invalid_deployment(kube: Kube, change: dict[str, Any], message: str) -> None:
    """Every problem is reported with its field, as 422 Invalid."""
    body = deployment("web", 1)
    body["spec"] |= change
    code, reason, text = kube.refused("POST", f"{APPS}/deployments", body)
    assert (code, reason) == (422, "Invalid")
    assert text.startswith('Deployment.apps "web" is invalid: ')
    assert message in text


@pytest.mark.parametrize("body", [{"spec": {"replicas": "3"}}, {"spec": []}, {"metadata": {"labels": {"a": 1}}}])
def test_a_field_of_a_wrong_type(kube: Kube, body: dict[str, Any]) -> None:
    """A value of another type is refused with the field's name."""
    code, reason, text = kube.refused("POST", f"{APPS}/deployments", body)
    assert (code, reason) == (400, "BadRequest")
    assert "json: cannot unmarshal" in text


def test_an_immutable_field(kube: Kube) -> None:
    """A selector cannot change."""
    kube.deploy()
    labels = {"app": "other"}
    change = {"spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}}
    assert "spec.selector: Invalid value: " in kube.refused("PATCH", WEB, change, kind=MERGE)[2]


def test_a_body_without_bounds_is_refused(kube: Kube) -> None:
    """Bodies, objects and depths have limits, and the API goes on."""
    large = {"metadata": {"name": "large"}, "data": {"a": "x" * (2 * 1024 * 1024)}}
    assert kube.refused("POST", MAPS, large)[:2] == (413, "RequestEntityTooLarge")
    larger = json.dumps({"data": {"a": "x" * (3 * 1024 * 1024 + 1)}}).encode()
    assert kube.refused("POST", MAPS, larger)[:2] == (413, "RequestEntityTooLarge")
    deep = b'{"metadata":' * 500 + b"{}" + b"}" * 500
    assert kube.refused("POST", MAPS, deep)[0] == 400
    assert kube.refused("POST", MAPS, b"[1]")[0] == 400
    assert kube.ok("GET", MAPS)["items"]


def test_typed_go_clients_send_protobuf(kube: Kube) -> None:
    """A Secret in Protobuf, as Helm stores its releases, is read; what is not read is refused, so that nothing is lost."""

    def field(number: int, value: bytes) -> bytes:
        assert len(value) < 128
        return bytes([number << 3 | 2, len(value)]) + value

    def envelope(kind: bytes, message: bytes) -> bytes:
        return b"k8s\x00" + field(1, field(1, b"v1") + field(2, kind)) + field(2, message)

    meta = field(1, b"release") + field(11, field(1, b"owner") + field(2, b"helm"))
    secret = field(1, meta) + field(2, field(1, b"key") + field(2, b"value")) + field(3, b"helm.sh/release.v1")
    kind = "application/vnd.kubernetes.protobuf"
    created = kube.ok("POST", f"{CORE}/secrets", envelope(b"Secret", secret), kind=kind)
    assert (created["data"], created["type"]) == ({"key": "dmFsdWU="}, "helm.sh/release.v1")
    assert created["metadata"]["labels"] == {"owner": "helm"}
    for unread in (envelope(b"CronJob", b""), envelope(b"Secret", secret + field(9, b"new"))):
        assert kube.refused("POST", f"{CORE}/secrets", unread, kind=kind)[:2] == (415, "UnsupportedMediaType")
    for broken in (b"", b"k8s\x00\xff\xff", envelope(b"Secret", b"\x0a\x7f")):
        assert kube.call("POST", f"{CORE}/secrets", broken, kind=kind).status in (400, 415, 422)


def test_managers_of_other_writes(kube: Kube) -> None:
    """A patch belongs to the manager that it names, or to the client's program."""
    kube.ok("POST", MAPS, {"metadata": {"name": "conf"}, "data": {"a": "1"}}, agent="kubectl/v1 (linux)")
    kube.ok("PATCH", f"{MAPS}/conf", {"data": {"b": "1"}}, kind=MERGE, fieldManager="other")
    owned = {one["manager"]: one["fieldsV1"] for one in kube.ok("GET", f"{MAPS}/conf")["metadata"]["managedFields"]}
    assert owned == {"kubectl": {"f:data": {"f:a": {}}}, "other": {"f:data": {"f:b": {}}}}
    assert kubernetes.name(kube.ok("GET", f"{MAPS}/conf")) == "conf"
