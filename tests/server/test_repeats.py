"""Safe repeats and rehearsals: ``Idempotency-Key`` and ``dryRun``, both ways."""

import pytest

from support import api


def test_first_answer_comes_again(client):
    """The same request under the same key gets the first answer, and creates nothing more."""
    cluster = client.cluster()["id"]
    first = client.call("CreateNodePool", api.pool(), cluster_id=cluster, key="k1")
    again = client.call("CreateNodePool", api.pool(), cluster_id=cluster, key="k1")
    assert (again.status, again.body) == (201, first.body)
    assert client.call("ListNodePools").body["total"] == 1
    assert [event["type"] for event in client.events()] == ["cluster.created", "nodepool.created"]


def test_first_answer_comes_again_after_changes(client):
    """The first answer stays the first answer, whatever became of the resource."""
    cluster = client.cluster()["id"]
    first = client.call("CreateNodePool", api.pool(), cluster_id=cluster, key="k").body
    client.call("UpdateNodePool", api.pool(nodeCount=9), id=first["id"])
    client.call("DeleteNodePool", id=first["id"])
    assert client.call("CreateNodePool", api.pool(), cluster_id=cluster, key="k").body == first
    assert client.call("ListNodePools").body["total"] == 0


def test_key_for_another_request(client):
    """A key means one request: another body, cluster or kind under it is a conflict."""
    cluster = client.cluster()["id"]
    client.call("CreateNodePool", api.pool(), cluster_id=cluster, key="k")
    for method, body, fields in (
        ("CreateNodePool", api.pool(name="other"), {"cluster_id": cluster}),
        ("CreateNodePool", api.pool(), {"cluster_id": client.cluster()["id"]}),
        ("CreateCluster", {"name": "c", "spec": {"platform": {"type": "gcp"}}}, {}),
    ):
        reply = client.call(method, body, key="k", **fields)
        assert (reply.status, reply.error["message"]) == (409, "Idempotency-Key was used for another request"), method


def test_keys_are_each_user_s_own(client):
    """Somebody else's key is another key."""
    body = {"name": "c", "spec": {"platform": {"type": "gcp"}}}
    first = client.call("CreateCluster", body, key="shared").body
    other = client.call("CreateCluster", body, key="shared", caller=f"other-{client.user}").body
    assert first["id"] != other["id"]


def test_refused_request_keeps_no_key(client):
    """A request that failed may come again under its key, mended."""
    cluster = client.cluster()["id"]
    client.pool(cluster=cluster)
    assert client.call("CreateNodePool", api.pool(), cluster_id=cluster, key="k").status == 409
    assert client.call("CreateNodePool", api.pool(name="mended"), cluster_id=cluster, key="k").status == 201


def test_repeats_at_once(client):
    """Of repeats at the same time one creates, and all get its answer."""
    cluster = client.cluster()["id"]
    replies = client.together([("CreateNodePool", api.pool(), {"cluster_id": cluster, "key": "k"})] * 8)
    assert {reply.status for reply in replies} == {201}
    assert len({reply.body["id"] for reply in replies}) == 1
    assert client.call("ListNodePools").body["total"] == 1


def test_rehearsed_creation(client):
    """A dry run answers as if done, and nothing is there after it."""
    cluster = client.cluster()["id"]
    reply = client.call("CreateNodePool", api.pool(), cluster_id=cluster, dry_run=True, key="k")
    assert reply.status == 201
    assert (reply.body["name"], reply.body["generation"]) == ("workers", 1)
    assert client.call("GetNodePool", id=reply.body["id"]).status == 404
    assert [event["type"] for event in client.events()] == ["cluster.created"]
    assert client.call("CreateNodePool", api.pool(), cluster_id=cluster, key="k").status == 201
    reply = client.call("CreateNodePool", api.pool(), cluster_id=cluster, dry_run=True)
    assert reply.status == 409, "a rehearsal fails as the performance would"


@pytest.mark.parametrize("kind", ["Cluster", "NodePool"])
def test_rehearsed_replacement(client, kind):
    """A dry run of a replacement shows the next generation and changes nothing."""
    made = client.cluster("civo") if kind == "Cluster" else client.pool()
    spec = {"platform": {"type": "civo"}, "infraID": "x"} if kind == "Cluster" else api.pool(nodeCount=9)["spec"]
    events = client.events()
    reply = client.call(f"Update{kind}", {"spec": spec}, id=made["id"], dry_run=True)
    assert (reply.status, reply.body["generation"]) == (200, 2)
    assert client.call(f"Get{kind}", id=made["id"]).body == made
    assert client.events() == events


@pytest.mark.parametrize("force", [False, True])
def test_rehearsed_deletion(client, force):
    """A dry run of a deletion deletes nothing, the node pools of a cluster included."""
    made = client.pool()
    assert client.call("DeleteNodePool", id=made["id"], dry_run=True, force=force).status == 204
    assert client.call("DeleteCluster", id=made["cluster_id"], dry_run=True, force=force).status == (202 if force else 409)
    assert client.call("GetNodePool", id=made["id"]).body == made
    assert len(client.events()) == 2


def test_long_keys(client):
    """Whether a key is too long is no matter of chance: gRPC's own lower limit, 8 KB, makes it one up to 16 KB."""
    replies = [client.call("CreateCluster", {"name": "c"}, key="k" * 16_000) for _ in range(8)]
    assert [reply.rules for reply in replies] == [[("Idempotency-Key", "header.idempotency_key")]] * 8


@pytest.mark.parametrize(("key", "status"), [("k" * 255, 201), ("k" * 256, 400), ("k" * 8000, 400), ("a b", 400), ("", 400)])
def test_what_a_key_can_be(client, key, status):
    """Visible ASCII, as much as each database can look up."""
    reply = client.call("CreateCluster", {"name": "c", "spec": {"platform": {"type": "gcp"}}}, key=key)
    assert reply.status == status, reply.body
    if status == 400:
        assert reply.rules == [("Idempotency-Key", "header.idempotency_key")]
