"""Who may do what, both ways."""

import pytest

from support import api


@pytest.mark.parametrize("method", ["GetNodePool", "UpdateNodePool", "DeleteNodePool", "GetNodePoolStatus"])
def test_foreign_pool_is_not_found(client, method):
    """What belongs to somebody else looks as if it were not there."""
    made = client.pool(caller=f"other-{client.user}")
    body = api.pool(nodeCount=9) if method == "UpdateNodePool" else None
    reply = client.call(method, body, id=made["id"])
    assert (reply.status, reply.error["message"]) == (404, "NodePool not found")
    assert client.call("GetNodePool", id=made["id"], caller=f"other-{client.user}").body == made


@pytest.mark.parametrize("method", ["GetCluster", "UpdateCluster", "DeleteCluster", "GetClusterStatus", "CreateNodePool"])
def test_foreign_cluster_is_not_found(client, method):
    """Nor can a node pool be put into somebody else's cluster."""
    made = client.cluster(caller=f"other-{client.user}")
    body = {"UpdateCluster": {"spec": made["spec"]}, "CreateNodePool": api.pool()}.get(method)
    fields = {"cluster_id": made["id"]} if method == "CreateNodePool" else {"id": made["id"]}
    reply = client.call(method, body, **fields)
    assert (reply.status, reply.error["message"]) == (404, "Cluster not found")


def test_lists_are_their_owner_s(client):
    """Lists show own resources, to controllers all."""
    other = f"other-{client.user}"
    mine, theirs = client.pool(), client.pool(caller=other)
    assert [each["id"] for each in client.call("ListNodePools").body["nodepools"]] == [mine["id"]]
    assert [each["id"] for each in client.call("ListClusters", caller=other).body["clusters"]] == [theirs["cluster_id"]]
    seen = {each["id"] for each in client.call("ListNodePools", caller=api.CONTROLLER).body["nodepools"]}
    assert {mine["id"], theirs["id"]} <= seen


@pytest.mark.parametrize(
    "method", ["CreateCluster", "CreateNodePool", "UpdateCluster", "UpdateNodePool", "DeleteCluster", "DeleteNodePool"]
)
def test_controllers_change_no_spec(client, method):
    """A controller is refused whatever changes what is wanted."""
    made = client.pool()
    cluster = client.call("GetCluster", id=made["cluster_id"]).body
    fields = {
        "CreateCluster": {},
        "CreateNodePool": {"cluster_id": cluster["id"]},
        "UpdateCluster": {"id": cluster["id"]},
        "DeleteCluster": {"id": cluster["id"]},
    }.get(method, {"id": made["id"]})
    body = {"name": "x", "spec": cluster["spec"] if method.endswith("Cluster") else made["spec"]}
    reply = client.call(method, None if method.startswith("Delete") else body, caller=api.CONTROLLER, **fields)
    assert (reply.status, reply.error["code"]) == (403, "FORBIDDEN")
    assert reply.grpc in {"", "PERMISSION_DENIED"}
    assert client.call("GetNodePool", id=made["id"]).body == made


@pytest.mark.parametrize("kind", ["Cluster", "NodePool"])
def test_users_report_no_status(client, kind):
    """A user is refused to report, own resources included."""
    made = client.cluster() if kind == "Cluster" else client.pool()
    reply = client.report(made, conditions={"Available": "True"}, caller=client.user)
    assert (reply.status, reply.error["code"]) == (403, "FORBIDDEN")
    assert client.call(f"Get{kind}", id=made["id"]).body == made


@pytest.mark.parametrize("caller", [" ", "nobody", "a@b c", "@example.com"])
def test_caller_without_a_name_is_unknown(client, caller):
    """Who gives no address is nobody."""
    reply = client.call("ListNodePools", caller=caller)
    assert (reply.status, reply.error["code"]) == (401, "UNAUTHENTICATED")
    assert reply.grpc in {"", "UNAUTHENTICATED"}
