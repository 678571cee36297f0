"""Objects of the sandbox's Kubernetes API: create, read, update, delete."""

from __future__ import annotations

import pytest

from support import kubernetes
from support.kubernetes import CORE, MERGE, Kube

MAPS = f"{CORE}/configmaps"


def _map(name: str, **data: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def test_a_created_object_can_be_read(kube: Kube) -> None:
    """A new object has an id, a time, a resource version and its namespace, and is read as it was created."""
    created = kube.call("POST", MAPS, _map("conf", a="b"))
    assert created.status == 201
    meta = created.body["metadata"]
    assert {"uid", "creationTimestamp", "resourceVersion", "managedFields"} <= set(meta)
    assert (meta["namespace"], created.body["data"]) == ("default", {"a": "b"})
    assert kube.ok("GET", f"{MAPS}/conf") == created.body


def test_a_second_object_of_a_name_is_refused(kube: Kube) -> None:
    """The refusal has Kubernetes' own reason and words."""
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
def test_what_is_not_there_is_not_found(kube: Kube, path: str, message: str) -> None:
    """A missing object is named with its resource and group; an unknown path is not."""
    assert kube.refused("GET", path) == (404, "NotFound", message)


def test_a_generated_name_is_unique(kube: Kube) -> None:
    """``generateName`` is completed differently each time."""
    body = {"metadata": {"generateName": "job-"}}
    names = {kubernetes.name(kube.ok("POST", MAPS, body)) for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("job-") for name in names)


def test_an_update_of_an_old_version_is_a_conflict(kube: Kube) -> None:
    """An update with the resource version of an earlier state is refused, one with the present version is not."""
    old = kube.ok("POST", MAPS, _map("conf", a="1"))
    new = kube.ok("PUT", f"{MAPS}/conf", old | {"data": {"a": "2"}})
    code, reason, message = kube.refused("PUT", f"{MAPS}/conf", old | {"data": {"a": "3"}})
    assert (code, reason) == (409, "Conflict")
    assert message == (
        'Operation cannot be fulfilled on configmaps "conf": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )
    assert kube.ok("PUT", f"{MAPS}/conf", new | {"data": {"a": "3"}})["data"] == {"a": "3"}


def test_a_write_that_changes_nothing_keeps_the_version(kube: Kube) -> None:
    """A patch without effect leaves the resource version as it is."""
    created = kube.ok("POST", MAPS, _map("conf", a="1"))
    patched = kube.ok("PATCH", f"{MAPS}/conf", {"data": {"a": "1"}}, kind=MERGE)
    assert patched["metadata"]["resourceVersion"] == created["metadata"]["resourceVersion"]


def test_a_dry_run_stores_nothing(kube: Kube) -> None:
    """With ``dryRun=All`` the answer is complete, and nothing is stored, changed or deleted."""
    assert kube.ok("POST", MAPS, _map("conf", a="1"), dryRun="All")["metadata"]["uid"]
    assert kube.call("GET", f"{MAPS}/conf").status == 404
    kube.ok("POST", MAPS, _map("conf", a="1"))
    assert kube.ok("PATCH", f"{MAPS}/conf", {"data": {"a": "2"}}, kind=MERGE, dryRun="All")["data"] == {"a": "2"}
    kube.ok("DELETE", f"{MAPS}/conf", dryRun="All")
    assert kube.ok("GET", f"{MAPS}/conf")["data"] == {"a": "1"}
    assert kube.refused("POST", MAPS, _map("other"), dryRun="Some")[:2] == (400, "BadRequest")


def test_a_deletion_reports_what_it_deleted(kube: Kube) -> None:
    """The answer names the object; a second deletion finds nothing."""
    created = kube.ok("POST", MAPS, _map("conf"))
    status = kube.ok("DELETE", f"{MAPS}/conf")
    assert (status["kind"], status["status"], status["details"]["uid"]) == ("Status", "Success", created["metadata"]["uid"])
    assert kube.call("DELETE", f"{MAPS}/conf").status == 404


def test_a_precondition_protects_the_next_object_of_a_name(kube: Kube) -> None:
    """A deletion for another unique id is a conflict."""
    kube.ok("POST", MAPS, _map("conf"))
    body = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": "other"}}
    assert kube.refused("DELETE", f"{MAPS}/conf", body)[:2] == (409, "Conflict")


def test_a_finalizer_keeps_an_object(kube: Kube) -> None:
    """A deleted object with a finalizer stays until the finalizer is removed."""
    kube.ok("POST", MAPS, _map("conf") | {"metadata": {"name": "conf", "finalizers": ["example.org/keep"]}})
    kube.ok("DELETE", f"{MAPS}/conf")
    assert "deletionTimestamp" in kube.ok("GET", f"{MAPS}/conf")["metadata"]
    kube.ok("PATCH", f"{MAPS}/conf", {"metadata": {"finalizers": None}}, kind=MERGE)
    assert kube.call("GET", f"{MAPS}/conf").status == 404


def test_selected_objects_are_deleted_together(kube: Kube) -> None:
    """A deletion of a collection takes what the selector matches."""
    for name, tier in (("a", "x"), ("b", "x"), ("c", "y")):
        kube.ok("POST", MAPS, {"metadata": {"name": name, "labels": {"tier": tier}}})
    kube.ok("DELETE", MAPS, labelSelector="tier=x")
    assert [kubernetes.name(item) for item in kube.ok("GET", MAPS, labelSelector="tier")["items"]] == ["c"]


def test_a_secret_is_encoded_and_not_logged(kube: Kube) -> None:
    """``stringData`` becomes encoded ``data``, and the sandbox's log has none of it."""
    mark = kube.sandbox.control.mark()
    secret = kube.ok("POST", f"{CORE}/secrets", {"metadata": {"name": "token"}, "stringData": {"key": "s3cret-value"}})
    assert secret["data"] == {"key": "czNjcmV0LXZhbHVl"}
    assert "stringData" not in secret
    logged = str(kube.sandbox.control.requests(mark, cloud="kubernetes"))
    assert "/secrets" in logged
    assert "s3cret-value" not in logged


def test_the_status_is_no_part_of_an_update(kube: Kube) -> None:
    """A client changes the status through its subresource only."""
    name = kube.nodes()[0]
    kube.ok("PATCH", f"/api/v1/nodes/{name}", {"status": {"phase": "Gone"}}, kind=MERGE)
    assert "phase" not in kube.node(name)["status"]
    kube.ok("PATCH", f"/api/v1/nodes/{name}/status", {"status": {"phase": "Gone"}}, kind=MERGE)
    assert kube.node(name)["status"]["phase"] == "Gone"


def test_a_kind_without_a_verb_refuses_it(kube: Kube) -> None:
    """Metrics cannot be written."""
    path = "/apis/metrics.k8s.io/v1beta1/nodes"
    assert kube.refused("POST", path, {"metadata": {"name": "a"}})[:2] == (405, "MethodNotAllowed")
