"""Objects of the sandbox's Kubernetes API: create, read, update, delete."""

from __future__ import annotations

import pytest

from support import kubernetes
from support.kubernetes import CORE, MERGE, Kube

MAPS = f"{CORE}/configmaps"


def _map(name: str, **data: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_a_created_object_can_be_read(kube: Kube) -> None:
    """It has an id, a time, a resource version and its namespace."""
    created = kube.call("POST", MAPS, _map("conf", a="b"))
    assert created.status == 201
    meta = created.body["metadata"]
    assert {"uid", "creationTimestamp", "resourceVersion", "managedFields"} <= set(meta)
    assert (meta["namespace"], created.body["data"]) == ("default", {"a": "b"})
    assert kube.ok("GET", f"{MAPS}/conf") == created.body


def test_a_second_object_of_a_name_is_refused(kube: Kube) -> None:
    """Reason and message are Kubernetes' own."""
    kube.ok("POST", MAPS, _map("conf"))
    assert kube.refused("POST", MAPS, _map("conf")) == (409, "AlreadyExists", 'configmaps "conf" already exists')


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (f"{MAPS}/none", 'configmaps "none" not found'),
        (f"{kubernetes.APPS}/deployments/none", 'deployments.apps "none" not found'),
        ("/apis/none/v1/things", "the server could not find the requested resource"),
    ],
)
def test_a_missing_object_is_not_found(kube: Kube, path: str, message: str) -> None:
    """The message contains resource, group and name. An unknown path has a generic message."""
    assert kube.refused("GET", path) == (404, "NotFound", message)


def test_a_generated_name_is_unique(kube: Kube) -> None:
    """``generateName`` gets a new suffix each time."""
    body = {"metadata": {"generateName": "job-"}}
    names = {kubernetes.name(kube.ok("POST", MAPS, body)) for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("job-") for name in names)


def test_an_update_with_a_stale_resource_version_is_a_conflict(kube: Kube) -> None:
    """An update with the current version succeeds."""
    old = kube.ok("POST", MAPS, _map("conf", a="1"))
    new = kube.ok("PUT", f"{MAPS}/conf", old | {"data": {"a": "2"}})
    code, reason, message = kube.refused("PUT", f"{MAPS}/conf", old | {"data": {"a": "3"}})
    assert (code, reason) == (409, "Conflict")
    assert message == (
        'Operation cannot be fulfilled on configmaps "conf": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    assert kube.ok("PUT", f"{MAPS}/conf", new | {"data": {"a": "3"}})["data"] == {"a": "3"}


def test_a_patch_without_changes_keeps_the_resource_version(kube: Kube) -> None:
    """Watchers get no event."""
    created = kube.ok("POST", MAPS, _map("conf", a="1"))
    patched = kube.ok("PATCH", f"{MAPS}/conf", {"data": {"a": "1"}}, kind=MERGE)
    assert patched["metadata"]["resourceVersion"] == created["metadata"]["resourceVersion"]


def test_a_dry_run_stores_nothing(kube: Kube) -> None:
    """With ``dryRun=All`` the response is complete, but nothing is created, changed or deleted."""
    assert kube.ok("POST", MAPS, _map("conf", a="1"), dryRun="All")["metadata"]["uid"]
    assert kube.call("GET", f"{MAPS}/conf").status == 404
    kube.ok("POST", MAPS, _map("conf", a="1"))
    assert kube.ok("PATCH", f"{MAPS}/conf", {"data": {"a": "2"}}, kind=MERGE, dryRun="All")["data"] == {"a": "2"}
    kube.ok("DELETE", f"{MAPS}/conf", dryRun="All")
    assert kube.ok("GET", f"{MAPS}/conf")["data"] == {"a": "1"}
    assert kube.refused("POST", MAPS, _map("other"), dryRun="Some")[:2] == (400, "BadRequest")


def test_a_deletion_reports_the_deleted_object(kube: Kube) -> None:
    """A second deletion is a 404."""
    created = kube.ok("POST", MAPS, _map("conf"))
    status = kube.ok("DELETE", f"{MAPS}/conf")
    assert (status["kind"], status["status"], status["details"]["uid"]) == ("Status", "Success", created["metadata"]["uid"])
    assert kube.call("DELETE", f"{MAPS}/conf").status == 404


def test_a_precondition_protects_a_recreated_object(kube: Kube) -> None:
    """The deletion names another unique id."""
    kube.ok("POST", MAPS, _map("conf"))
    body = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": "other"}}
    assert kube.refused("DELETE", f"{MAPS}/conf", body)[:2] == (409, "Conflict")


def test_an_object_with_a_finalizer_stays_after_its_deletion(kube: Kube) -> None:
    """It is removed with its last finalizer."""
    kube.ok("POST", MAPS, _map("conf") | {"metadata": {"name": "conf", "finalizers": ["example.org/keep"]}})
    kube.ok("DELETE", f"{MAPS}/conf")
    assert "deletionTimestamp" in kube.ok("GET", f"{MAPS}/conf")["metadata"]
    kube.ok("PATCH", f"{MAPS}/conf", {"metadata": {"finalizers": None}}, kind=MERGE)
    assert kube.call("GET", f"{MAPS}/conf").status == 404


def test_a_collection_is_deleted_by_selector(kube: Kube) -> None:
    """Objects that the selector does not match stay."""
    for name, tier in (("a", "x"), ("b", "x"), ("c", "y")):
        kube.ok("POST", MAPS, {"metadata": {"name": name, "labels": {"tier": tier}}})
    kube.ok("DELETE", MAPS, labelSelector="tier=x")
    assert [kubernetes.name(item) for item in kube.ok("GET", MAPS, labelSelector="tier")["items"]] == ["c"]


def test_a_secret_is_encoded_and_not_logged(kube: Kube) -> None:
    """``stringData`` becomes encoded ``data``. The sandbox's log omits both."""
    mark = kube.sandbox.control.mark()
    secret = kube.ok("POST", f"{CORE}/secrets", {"metadata": {"name": "token"}, "stringData": {"key": "s3cret-value"}})
    assert secret["data"] == {"key": "czNjcmV0LXZhbHVl"}
    assert "stringData" not in secret
    logged = str(kube.sandbox.control.requests(mark, cloud="kubernetes"))
    assert "/secrets" in logged
    assert "s3cret-value" not in logged


def test_the_status_is_changed_only_through_its_subresource(kube: Kube) -> None:
    """Other updates ignore it."""
    name = kube.nodes()[0]
    kube.ok("PATCH", f"/api/v1/nodes/{name}", {"status": {"phase": "Gone"}}, kind=MERGE)
    assert "phase" not in kube.node(name)["status"]
    kube.ok("PATCH", f"/api/v1/nodes/{name}/status", {"status": {"phase": "Gone"}}, kind=MERGE)
    assert kube.node(name)["status"]["phase"] == "Gone"


def test_an_unsupported_verb_is_refused(kube: Kube) -> None:
    """Metrics, for example, cannot be written."""
    path = "/apis/metrics.k8s.io/v1beta1/nodes"
    assert kube.refused("POST", path, {"metadata": {"name": "a"}})[:2] == (405, "MethodNotAllowed")
