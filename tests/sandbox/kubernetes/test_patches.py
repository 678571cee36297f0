"""Patches, server-side apply, and field validation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support import kubernetes
from support.kubernetes import APPLY, APPS, CORE, JSON_PATCH, MERGE, STRATEGIC, Kube, deployment

MAPS = f"{CORE}/configmaps"
WEB = f"{APPS}/deployments/web"


def _containers(item: Any) -> dict[str, Any]:
    return {container["name"]: container for container in item["spec"]["template"]["spec"]["containers"]}


def _apply(kube: Kube, body: Any, manager: str, **query: Any) -> Any:
    return kube.ok("PATCH", WEB, body, kind=APPLY, fieldManager=manager, **query)


def test_a_merge_patch_removes_fields_with_null(kube: Kube) -> None:
    """It also adds and changes fields."""
    kube.ok("POST", MAPS, {"metadata": {"name": "conf"}, "data": {"a": "1", "b": "2"}})
    patched = kube.ok("PATCH", f"{MAPS}/conf", {"data": {"a": None, "c": "3"}}, kind=MERGE)
    assert patched["data"] == {"b": "2", "c": "3"}


def test_a_json_patch_with_a_failed_test_is_refused(kube: Kube) -> None:
    """Operations apply in order. A failed test refuses all of them."""
    kube.ok("POST", MAPS, {"metadata": {"name": "conf"}, "data": {"a": "1"}})
    operations = [
        {"op": "test", "path": "/data/a", "value": "1"},
        {"op": "add", "path": "/data/b~1c", "value": "2"},
        {"op": "move", "from": "/data/a", "path": "/data/d"},
    ]
    assert kube.ok("PATCH", f"{MAPS}/conf", operations, kind=JSON_PATCH)["data"] == {"b/c": "2", "d": "1"}
    code, reason, _ = kube.refused("PATCH", f"{MAPS}/conf", operations, kind=JSON_PATCH)
    assert (code, reason) == (422, "Invalid")


def test_the_size_of_a_patched_object_is_limited(kube: Kube) -> None:
    """A small patch with copies of copies must not create a huge object."""
    kube.ok("POST", MAPS, {"metadata": {"name": "conf"}, "data": {"a": "x" * 1000}})
    operations = [{"op": "copy", "from": "/data", "path": "/data/b"}, {"op": "copy", "from": "/data", "path": "/data/c"}] * 40
    assert kube.refused("PATCH", f"{MAPS}/conf", operations, kind=JSON_PATCH)[0] == 413


def test_a_strategic_patch_merges_lists_by_key(kube: Kube) -> None:
    """Containers are matched by name. ``$patch: delete`` removes an item. Atomic lists are replaced."""
    kube.deploy(tolerations=[{"key": "a", "operator": "Exists"}])
    extra = {"name": "side", "image": "side:1"}
    pod = {"containers": [extra, {"name": "main", "image": "nginx:2"}], "tolerations": [{"key": "b", "operator": "Exists"}]}
    patched = kube.ok("PATCH", WEB, {"spec": {"template": {"spec": pod}}}, kind=STRATEGIC)
    assert {name: container["image"] for name, container in _containers(patched).items()} == {"main": "nginx:2", "side": "side:1"}
    assert [toleration["key"] for toleration in patched["spec"]["template"]["spec"]["tolerations"]] == ["b"]
    removal = {"containers": [{"name": "side", "$patch": "delete"}]}
    assert set(_containers(kube.ok("PATCH", WEB, {"spec": {"template": {"spec": removal}}}, kind=STRATEGIC))) == {"main"}
    refused = kube.refused("PATCH", WEB, {"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}}, kind=STRATEGIC)
    assert refused[0] == 400


def test_a_strategic_patch_can_replace_maps_and_order_lists(kube: Kube) -> None:
    """The directives are ``$patch: replace`` and ``$setElementOrder``."""
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


def test_an_applied_object_has_a_manager_of_exactly_its_fields(kube: Kube) -> None:
    """Applying it a second time changes nothing."""
    body = deployment("web", 2)
    created = kube.call("PATCH", WEB, body, kind=APPLY, fieldManager="one")
    assert created.status == 201
    (entry,) = created.body["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"], entry["apiVersion"]) == ("one", "Apply", "apps/v1")
    spec = entry["fieldsV1"]["f:spec"]
    assert "f:strategy" not in spec
    assert set(spec["f:template"]["f:spec"]["f:containers"]) == {'k:{"name":"main"}'}
    settled = kube.ok("GET", WEB)
    reapplied = _apply(kube, body, "one")
    assert reapplied["metadata"]["resourceVersion"] == settled["metadata"]["resourceVersion"]


def test_apply_removes_omitted_fields(kube: Kube) -> None:
    """A field of another manager stays."""
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


def test_applying_a_field_of_another_manager_is_a_conflict(kube: Kube) -> None:
    """The conflict names manager and field. ``force`` changes the manager of the field."""
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


def test_apply_refuses_duplicate_items_of_a_list(kube: Kube) -> None:
    """The name of a container is its key in the list."""
    body = deployment("web", 1)
    body["spec"]["template"]["spec"]["containers"] *= 2
    message = kube.refused("PATCH", WEB, body, kind=APPLY, fieldManager="one")[2]
    assert message.endswith('.spec.template.spec.containers[name="main"]: duplicate entries for key')


def test_apply_reads_yaml(kube: Kube) -> None:
    """Aliases are refused: they could expand a small text to a large one."""
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: conf}\ndata: {a: '1'}\n"
    assert kube.ok("PATCH", f"{MAPS}/conf", text, kind=APPLY, fieldManager="one")["data"] == {"a": "1"}
    with_alias = b"data: {a: &a '1', b: *a}\n"
    assert kube.refused("PATCH", f"{MAPS}/conf", with_alias, kind=APPLY, fieldManager="one")[0] == 400


def test_unknown_fields_are_refused_or_warned_about(kube: Kube) -> None:
    """`fieldValidation` selects Strict or Warn. An unknown field is never stored."""
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
def test_an_invalid_deployment_is_refused_with_the_field(kube: Kube, change: dict[str, Any], message: str) -> None:
    """The status is 422 Invalid, as in Kubernetes."""
    body = deployment("web", 1)
    body["spec"] |= change
    code, reason, text = kube.refused("POST", f"{APPS}/deployments", body)
    assert (code, reason) == (422, "Invalid")
    assert text.startswith('Deployment.apps "web" is invalid: ')
    assert message in text


@pytest.mark.parametrize("body", [{"spec": {"replicas": "3"}}, {"spec": []}, {"metadata": {"labels": {"a": 1}}}])
def test_a_value_of_another_type_is_refused(kube: Kube, body: dict[str, Any]) -> None:
    """The message is that of Go's JSON decoder."""
    code, reason, text = kube.refused("POST", f"{APPS}/deployments", body)
    assert (code, reason) == (400, "BadRequest")
    assert "json: cannot unmarshal" in text


def test_the_selector_of_a_deployment_is_immutable(kube: Kube) -> None:
    """The error names the field."""
    kube.deploy()
    labels = {"app": "other"}
    change = {"spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}}
    assert "spec.selector: Invalid value: " in kube.refused("PATCH", WEB, change, kind=MERGE)[2]


def test_size_and_depth_of_a_body_are_limited(kube: Kube) -> None:
    """The API keeps serving other requests."""
    large = {"metadata": {"name": "large"}, "data": {"a": "x" * (2 * 1024 * 1024)}}
    assert kube.refused("POST", MAPS, large)[:2] == (413, "RequestEntityTooLarge")
    larger = json.dumps({"data": {"a": "x" * (3 * 1024 * 1024 + 1)}}).encode()
    assert kube.refused("POST", MAPS, larger)[:2] == (413, "RequestEntityTooLarge")
    deep = b'{"metadata":' * 500 + b"{}" + b"}" * 500
    assert kube.refused("POST", MAPS, deep)[0] == 400
    assert kube.refused("POST", MAPS, b"[1]")[0] == 400
    assert kube.ok("GET", MAPS)["items"]


def test_typed_go_clients_send_protobuf(kube: Kube) -> None:
    """Helm stores releases as Secrets in Protobuf. Unsupported kinds and fields are refused, so that no data is lost."""

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
    for unsupported in (envelope(b"CronJob", b""), envelope(b"Secret", secret + field(9, b"new"))):
        assert kube.refused("POST", f"{CORE}/secrets", unsupported, kind=kind)[:2] == (415, "UnsupportedMediaType")
    for invalid in (b"", b"k8s\x00\xff\xff", envelope(b"Secret", b"\x0a\x7f")):
        assert kube.call("POST", f"{CORE}/secrets", invalid, kind=kind).status in (400, 415, 422)


def test_the_manager_of_a_write_is_the_named_one_or_the_client(kube: Kube) -> None:
    """The client's name comes from its user agent."""
    kube.ok("POST", MAPS, {"metadata": {"name": "conf"}, "data": {"a": "1"}}, agent="kubectl/v1 (linux)")
    kube.ok("PATCH", f"{MAPS}/conf", {"data": {"b": "1"}}, kind=MERGE, fieldManager="other")
    owned = {entry["manager"]: entry["fieldsV1"] for entry in kube.ok("GET", f"{MAPS}/conf")["metadata"]["managedFields"]}
    assert owned == {"kubectl": {"f:data": {"f:a": {}}}, "other": {"f:data": {"f:b": {}}}}
    assert kubernetes.name(kube.ok("GET", f"{MAPS}/conf")) == "conf"
