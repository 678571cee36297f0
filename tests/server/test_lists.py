"""Lists: pages, cursors, filters, totals, both ways."""

import uuid

import pytest

from support import api


def names(reply):
    return [pool["name"] for pool in reply.body["nodepools"]]


@pytest.fixture
def five(client):
    """A cluster with five node pools, ``p0`` the oldest."""
    cluster = client.cluster()["id"]
    for number in range(5):
        client.pool(cluster=cluster, name=f"p{number}")
    return cluster


def test_empty_list(client):
    """A list without items says so in full."""
    assert client.call("ListNodePools").body == {"nodepools": [], "total": 0, "limit": 50, "offset": 0}
    assert client.call("ListClusters").body == {"clusters": [], "total": 0, "limit": 50, "offset": 0}


def test_newest_first(client, five):
    """The newest stands first."""
    assert names(client.call("ListNodePools", cluster_id=five)) == ["p4", "p3", "p2", "p1", "p0"]


def test_pages_by_offset(client, five):
    """A page has as many as it may, its place, and the number of all."""
    page = client.call("ListNodePools", limit=2, offset=2)
    assert names(page) == ["p2", "p1"]
    assert (page.body["total"], page.body["limit"], page.body["offset"]) == (5, 2, 2)
    assert names(client.call("ListNodePools", offset=5)) == []


def test_pages_by_cursor(client, five):
    """Cursors lead through the list once; the last page has none."""
    listed, token, pages = [], "", 0
    while pages == 0 or token:
        page = client.call("ListNodePools", limit=2, **({"page_token": token} if token else {}))
        listed += names(page)
        assert page.body["total"] == 5
        token = page.body.get("next_page_token", "")
        pages += 1
    assert (listed, pages) == (["p4", "p3", "p2", "p1", "p0"], 3)


def test_page_that_ends_with_the_list_has_no_cursor(client, five):
    """A full last page is the last one."""
    assert "next_page_token" not in client.call("ListNodePools", limit=5).body
    assert "next_page_token" in client.call("ListNodePools", limit=4).body


def test_cursor_among_inserts_and_deletions(client, five):
    """What comes and goes while somebody reads lets them neither miss nor repeat what stays."""
    first = client.call("ListNodePools", limit=2, cluster_id=five)
    client.pool(cluster=five, name="new")
    (gone,) = [pool for pool in first.body["nodepools"] if pool["name"] == "p3"]
    client.call("DeleteNodePool", id=gone["id"])
    second = client.call("ListNodePools", limit=2, cluster_id=five, page_token=first.body["next_page_token"])
    third = client.call("ListNodePools", limit=2, cluster_id=five, page_token=second.body["next_page_token"])
    assert [names(page) for page in (first, second, third)] == [["p4", "p3"], ["p2", "p1"], ["p0"]]


def test_cursor_belongs_to_its_question(client, five):
    """A cursor leads nowhere else: not with another filter, not for another user, not with an offset."""
    token = client.call("ListNodePools", limit=2).body["next_page_token"]
    for fields in ({"status": "Ready"}, {"caller": "somebody@example.com"}, {"cluster_id": five}, {"include_deleting": True}):
        reply = client.call("ListNodePools", page_token=token, **fields)
        assert (reply.status, reply.rules) == (400, [("page_token", "list.page_token")]), fields
    reply = client.call("ListNodePools", page_token=token, offset=1)
    assert (reply.status, reply.rules) == (400, [("offset", "list.offset_or_page_token")])
    for forged in ("x", "####", "é", "bnVsbA", token[:-4]):
        assert client.call("ListNodePools", page_token=forged).rules == [("page_token", "list.page_token")], forged


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"limit": 0}, ("limit", "int32.gte_lte")),
        ({"limit": 101}, ("limit", "int32.gte_lte")),
        ({"limit": -1}, ("limit", "int32.gte_lte")),
        ({"offset": -1}, ("offset", "int32.gte")),
        ({"status": "ready"}, ("status", "string.in")),
        ({"health": "ok"}, ("health", "string.in")),
        ({"platform": "gce"}, ("platform", "string.in")),
        ({"cluster_id": "no-uuid"}, ("clusterId", "string.uuid")),
    ],
)
def test_bad_questions(client, fields, rule):
    """A question out of its bounds is told by its name."""
    reply = client.call("ListNodePools", **fields)
    assert (reply.status, reply.error["code"], reply.rules) == (400, "VALIDATION_ERROR", [rule])


def test_bounds_of_limit(client, five):
    """One and a hundred are the bounds."""
    assert len(client.call("ListNodePools", limit=1).body["nodepools"]) == 1
    assert client.call("ListNodePools", limit=100).body["limit"] == 100


def test_all_that_is_wrong_with_a_question(client):
    """Everything wrong is told at once."""
    reply = client.call("ListNodePools", limit=0, offset=-1, status="x")
    assert {field for field, _ in reply.rules} == {"limit", "offset", "status"}


def test_filters(client):
    """Filters by phase, health, cloud and cluster, alone and together; the total is that of the filter."""
    ready, degraded = client.pool("civo"), client.pool("civo")
    client.pool("aws")
    for pool in (ready, degraded):
        assert client.report(pool, conditions={"Available": "True"}).status == 200
    assert client.report(degraded, conditions={"Available": "False"}).status == 200

    def ids(**fields):
        body = client.call("ListNodePools", **fields).body
        assert body["total"] == len(body["nodepools"])
        return {pool["id"] for pool in body["nodepools"]}

    assert ids(status="Ready") == ids(health="healthy") == {ready["id"]}
    assert ids(status="Degraded") == ids(health="unhealthy") == {degraded["id"]}
    assert len(ids(health="unknown")) == 1
    assert ids(platform="civo") == {ready["id"], degraded["id"]}
    assert ids(platform="civo", status="Degraded", health="unhealthy", cluster_id=degraded["cluster_id"]) == {degraded["id"]}
    assert ids(status="Degraded", health="healthy") == set()
    assert ids(cluster_id=ready["cluster_id"], status="Degraded") == set()
    assert len(ids()) == 3


def test_filters_of_clusters(client):
    """Clusters are filtered as node pools are."""
    cluster = client.cluster("digitalocean")
    client.cluster("civo")
    client.report(cluster, conditions={"Ready": "True"})
    for fields in ({"status": "Ready"}, {"health": "healthy"}, {"platform": "digitalocean"}):
        assert [each["id"] for each in client.call("ListClusters", **fields).body["clusters"]] == [cluster["id"]]


def test_list_in_a_cluster_that_is_not_there(client):
    """A cluster that is absent, somebody else's or being deleted is not found, on whatever page; controllers see the latter two."""
    foreign = client.pool(caller="somebody@example.com")["cluster_id"]
    leaving = client.cluster("aws")
    assert client.call("DeleteCluster", id=leaving["id"]).status == 202
    for cluster in (str(uuid.uuid4()), foreign, leaving["id"]):
        for fields in ({}, {"offset": 5}, {"include_deleting": True}, {"status": "Ready"}):
            reply = client.call("ListNodePools", cluster_id=cluster, **fields)
            assert (reply.status, reply.error["message"]) == (404, "Cluster not found")
            assert reply.grpc in {"", "NOT_FOUND"}
    assert client.call("ListNodePools", cluster_id=str(uuid.uuid4()), caller=api.CONTROLLER).status == 404
    assert client.call("ListNodePools", cluster_id=foreign, caller=api.CONTROLLER).body["total"] == 1
    assert client.call("ListNodePools", cluster_id=leaving["id"], caller=api.CONTROLLER).body["total"] == 0


def test_empty_page_in_a_cluster_that_is_there(client, five):
    """Nothing to show is no error: no node pool at all, none that fits, none so far down; the total is right."""
    empty = client.cluster()["id"]
    assert client.call("ListNodePools", cluster_id=empty).body["total"] == 0
    assert client.call("ListNodePools", cluster_id=five, platform="aws").body["total"] == 0
    beyond = client.call("ListNodePools", cluster_id=five, platform="gcp", offset=9)
    assert (names(beyond), beyond.body["total"]) == ([], 5)


def test_filter_by_a_cluster_that_is_not_there(server):
    """In the query it is a filter as others are, which nothing fits: absent and somebody else's look the same."""
    client = api.Api(server, "rest")
    foreign = client.pool(caller="somebody@example.com")["cluster_id"]
    for cluster in (str(uuid.uuid4()), foreign):
        ask = server.rest.get("/api/v1/nodepools", params={"clusterId": cluster}, headers={"x-user-email": client.user})
        answer = server.loop.run(ask)
        assert (answer.status_code, answer.json()["total"]) == (200, 0)


def test_user_data_is_in_no_list(client):
    """What a node runs when it starts is answered to who reads the one node pool, and stands in no list."""
    made = client.pool("aws", cloud={"userData": "#!/bin/sh secret-word"})
    assert client.call("GetNodePool", id=made["id"]).body["spec"]["platform"]["aws"]["userData"] == "#!/bin/sh secret-word"
    for caller in ("", api.CONTROLLER):
        (pool,) = [one for one in client.call("ListNodePools", caller=caller).body["nodepools"] if one["id"] == made["id"]]
        assert pool["spec"]["platform"]["aws"] == {"instanceType": "m5.xlarge"}
    client.call("UpdateNodePool", api.pool("aws", cloud={"userData": "secret-word 2"}), id=made["id"])
    assert "secret-word" not in str(client.events())
    assert "secret-word" not in str(client.call("GetNodePoolStatus", id=made["id"]).body)
