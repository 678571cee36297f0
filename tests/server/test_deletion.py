"""Deletion: at once, by finalisation, by force, in cascade, and not at all; both ways."""

import pytest

from support import api


def gone(client, resource):
    return client.call("GetNodePool" if "cluster_id" in resource else "GetCluster", id=resource["id"]).status == 404


def test_what_nobody_holds_is_gone_at_once(client):
    """Without a controller a deletion is done when it is answered, and the name is free."""
    made = client.pool()
    reply = client.call("DeleteNodePool", id=made["id"])
    assert (reply.status, reply.body) == (204, None)
    assert gone(client, made)
    assert client.call("DeleteNodePool", id=made["id"]).status == 404
    assert client.call("GetNodePool", id=made["id"], caller=api.CONTROLLER).status == 404
    assert client.pool(cluster=made["cluster_id"])["name"] == made["name"]


def test_cluster_is_answered_with_what_is_left(client):
    """The answer to a cluster's deletion shows it as it leaves."""
    made = client.cluster()
    reply = client.call("DeleteCluster", id=made["id"])
    assert reply.status == 202
    assert reply.body["status"]["phase"] == "Deleting"
    assert reply.body["deleted_at"] == reply.body["updated_at"] > made["updated_at"]
    assert gone(client, made)


def test_held_pool_leaves_when_its_controllers_let_go(client):
    """Until each controller reports ``Deleted``, users find nothing, controllers find it, and its name is taken."""
    made = client.pool()
    for controller in ("a", "b"):
        client.report(made, controller, conditions={"Available": "True"})
    assert client.call("DeleteNodePool", id=made["id"]).status == 204
    assert gone(client, made)
    assert client.call("GetNodePoolStatus", id=made["id"]).status == 404
    assert client.call("UpdateNodePool", api.pool(nodeCount=1), id=made["id"]).status == 404
    assert client.call("DeleteNodePool", id=made["id"]).status == 404
    assert client.call("CreateNodePool", api.pool(), cluster_id=made["cluster_id"]).status == 409
    leaving = client.call("GetNodePool", id=made["id"], caller=api.CONTROLLER).body
    assert leaving["status"]["phase"] == "Deleting"
    assert leaving["generation"] == 1
    assert leaving["deleted_at"]
    client.report(made, "a", conditions={"Deleted": "True"})
    assert client.call("GetNodePool", id=made["id"], caller=api.CONTROLLER).status == 200
    assert client.report(made, "b", conditions={"Deleted": "True"}).status == 200
    assert client.call("GetNodePool", id=made["id"], caller=api.CONTROLLER).status == 404
    assert client.pool(cluster=made["cluster_id"])["id"] != made["id"]
    assert [event["type"] for event in client.events() if event["resource"]["id"] == made["id"]] == [
        "nodepool.created", "nodepool.status_updated", "nodepool.updated", "nodepool.status_updated", "nodepool.deleted",
    ]  # fmt: skip


def test_expected_controller_holds_what_it_has_not_seen(client):
    """A controller that may be making it just now is waited for."""
    made = client.pool("aws")
    client.call("DeleteNodePool", id=made["id"])
    assert client.call("GetNodePool", id=made["id"], caller=api.CONTROLLER).body["status"]["phase"] == "Deleting"
    client.report(made, "aws-controller", conditions={"Deleted": "True"})
    assert client.call("GetNodePool", id=made["id"], caller=api.CONTROLLER).status == 404


@pytest.mark.parametrize("condition", ["Deleted", "Withdrawn"])
def test_who_has_let_go_before_is_not_waited_for(client, condition):
    """A controller that has withdrawn, or has said that it is gone, holds nothing."""
    made = client.pool()
    client.report(made, conditions={condition: "True"})
    client.call("DeleteNodePool", id=made["id"])
    assert client.call("GetNodePool", id=made["id"], caller=api.CONTROLLER).status == 404


def test_leaving_pool_is_listed_on_demand(client):
    """What is leaving stands in lists for those who ask for it, owners and controllers."""
    made = client.pool()
    client.report(made, conditions={"Available": "True"})
    client.call("DeleteNodePool", id=made["id"])
    assert client.call("ListNodePools").body["total"] == 0
    for fields in ({}, {"status": "Deleting"}, {"caller": api.CONTROLLER, "cluster_id": made["cluster_id"]}):
        body = client.call("ListNodePools", include_deleting=True, **fields).body
        assert [pool["status"]["phase"] for pool in body["nodepools"]] == ["Deleting"], fields


def test_force_waits_for_nobody(client):
    """By force a held node pool goes at once, be it leaving already or not."""
    held = client.pool("aws")
    assert client.call("DeleteNodePool", id=held["id"], force=True).status == 204
    leaving = client.pool("aws")
    client.call("DeleteNodePool", id=leaving["id"])
    assert client.call("DeleteNodePool", id=leaving["id"], force=True).status == 204
    for pool in (held, leaving):
        assert client.call("GetNodePool", id=pool["id"], caller=api.CONTROLLER).status == 404


def test_cluster_with_pools_stays_without_force(client):
    """A cluster is not deleted over its node pools."""
    made = client.pool()
    reply = client.call("DeleteCluster", id=made["cluster_id"])
    assert (reply.status, reply.error["code"], reply.error["message"]) == (409, "CONFLICT", "Cluster has node pools")
    assert reply.grpc in {"", "FAILED_PRECONDITION"}
    assert client.call("GetCluster", id=made["cluster_id"]).body["status"]["phase"] == "Pending"


def test_cascade(client):
    """By force the node pools go with their cluster, each with its event, before the cluster's."""
    made = [client.pool("aws")]
    made += [client.pool("aws", cluster=made[0]["cluster_id"], name=f"p{number}") for number in range(2)]
    client.report(made[0], conditions={"Available": "True"})
    assert client.call("DeleteCluster", id=made[0]["cluster_id"], force=True).status == 202
    for pool in made:
        assert client.call("GetNodePoolStatus", id=pool["id"], caller=api.CONTROLLER).status == 404
    events = [(event["type"], event["resource"]["id"]) for event in client.events()][-4:]
    assert {*events[:3]} == {("nodepool.deleted", pool["id"]) for pool in made}
    assert events[3] == ("cluster.deleted", made[0]["cluster_id"])


def test_leaving_cluster_takes_no_pools(client):
    """Nothing new begins in a cluster that is being deleted."""
    cluster = client.cluster("aws")
    assert client.call("DeleteCluster", id=cluster["id"]).body["status"]["phase"] == "Deleting"
    reply = client.call("CreateNodePool", api.pool("aws"), cluster_id=cluster["id"])
    assert (reply.status, reply.error["message"]) == (404, "Cluster not found")
    client.report(cluster, "aws-cluster-controller", conditions={"Deleted": "True"})
    assert client.call("GetCluster", id=cluster["id"], caller=api.CONTROLLER).status == 404


@pytest.mark.parametrize("force", [False, True])
def test_protection(client, force):
    """What is protected stays, also by force, until the protection is lifted."""
    made = client.pool(lifecycle={"deletionProtection": True})
    reply = client.call("DeleteNodePool", id=made["id"], force=force)
    assert (reply.status, reply.error["message"]) == (409, "NodePool is protected by lifecycle.deletionProtection")
    client.call("UpdateNodePool", api.pool(), id=made["id"])
    assert client.call("DeleteNodePool", id=made["id"], force=force).status == 204


def test_protection_of_clusters(client):
    """A protected cluster stays; so does a cluster with a protected node pool, and nothing of it goes."""
    spec = {"platform": {"type": "gcp"}, "lifecycle": {"deletionProtection": True}}
    cluster = client.cluster(spec=spec)
    assert (
        client.call("DeleteCluster", id=cluster["id"], force=True).error["message"]
        == "Cluster is protected by lifecycle.deletionProtection"
    )
    other = client.pool(name="unprotected")
    client.pool(cluster=other["cluster_id"], name="protected", lifecycle={"deletionProtection": True})
    reply = client.call("DeleteCluster", id=other["cluster_id"], force=True)
    assert (reply.status, reply.error["message"]) == (409, "NodePool 'protected' is protected by lifecycle.deletionProtection")
    assert client.call("ListNodePools", cluster_id=other["cluster_id"]).body["total"] == 2


def test_labels_that_look_like_protection_protect_nothing(client):
    """Only the field protects, whatever else has its name."""
    made = client.pool("aws", labels={"deletionProtection": "true"}, cloud={"userData": '"deletionProtection":true'})
    assert client.call("DeleteCluster", id=made["cluster_id"], force=True).status == 202
