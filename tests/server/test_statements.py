"""What requests cost the database, both ways."""

import pytest

from support import api


@pytest.fixture
def cost(client):
    """Returns how many statements read and write for a call."""

    def counted(method, body=None, **fields):
        store = client.server.store
        before = store.reads, store.writes
        reply = client.call(method, body, **fields)
        assert reply.status < 300, reply.body
        return store.reads - before[0], store.writes - before[1]

    return counted


def test_reads_write_nothing(client, cost):
    """A resource costs one statement, its status one, a list two, whatever is on it; none writes."""
    cluster = client.cluster()
    made = [client.pool(cluster=cluster["id"], name=f"p{number}") for number in range(60)]
    for resource in made[:3]:
        client.report(resource, conditions={"Available": "True"})
    for kind, resource in (("Cluster", cluster), ("NodePool", made[0])):
        assert cost(f"Get{kind}", id=resource["id"]) == (1, 0)
        assert cost(f"Get{kind}Status", id=resource["id"]) == (1, 0)
        assert cost(f"List{kind}s") == (2, 0)
    assert cost("ListNodePools", limit=100, cluster_id=cluster["id"], status="Ready", platform="gcp") == (2, 0)
    token = client.call("ListNodePools", limit=5).body["next_page_token"]
    assert cost("ListNodePools", page_token=token) == (2, 0)
    assert cost("ListNodePools", offset=50) == (2, 0)
    for fields in ({}, {"offset": 50}, {"platform": "aws", "status": "Ready"}):
        assert cost("ListNodePools", cluster_id=client.cluster()["id"], **fields) == (2, 0)
    assert cost("ListNodePools", cluster_id=cluster["id"], offset=90) == (2, 0)
    assert cost("ListEvents") == (1, 0)


def test_writes(client, cost):
    """A change costs at most what the contract allows, and its repeat less."""
    cluster = client.cluster()["id"]
    assert cost("CreateNodePool", api.pool(), cluster_id=cluster) <= (0, 2)
    assert cost("CreateCluster", {"name": client.user.partition("@")[0], "spec": {"platform": {"type": "gcp"}}}) <= (0, 2)
    assert cost("CreateNodePool", api.pool(name="b"), cluster_id=cluster, key="k") <= (0, 3)
    assert cost("CreateNodePool", api.pool(name="b"), cluster_id=cluster, key="k") == (1, 1)
    made = client.pool(cluster=cluster, name="c")
    assert cost("UpdateNodePool", api.pool(name="c", nodeCount=9), id=made["id"]) <= (0, 3)
    assert cost("UpdateNodePool", api.pool(name="c", nodeCount=9), id=made["id"]) == (0, 1)
    report = {"controller_name": "c", "observed_generation": 2, "conditions": [{"type": "Ready", "status": "True"}]}
    assert cost("ReportNodePoolStatus", report, id=made["id"], caller=api.CONTROLLER) <= (0, 5)
    assert cost("ReportNodePoolStatus", report, id=made["id"], caller=api.CONTROLLER) <= (0, 3)
