"""Events: what they say, in which order, from which cursor, to whom; both ways."""

import uuid

import pytest

from support import api


def test_life_of_a_pool(client):
    """Each change is one event, in order, with the generation that it made."""
    made = client.pool()
    client.call("UpdateNodePool", api.pool(nodeCount=4), id=made["id"])
    client.report(made | {"generation": 2}, conditions={"Available": "True"})
    client.call("DeleteNodePool", id=made["id"], force=True)
    events = client.events()
    assert [(event["type"], event["generation"], event["actor"]) for event in events] == [
        ("cluster.created", 1, client.user),
        ("nodepool.created", 1, client.user),
        ("nodepool.updated", 2, client.user),
        ("nodepool.status_updated", 2, api.CONTROLLER),
        ("nodepool.deleted", 2, client.user),
    ]
    assert events[1]["resource"] == {"kind": "NodePool", "id": made["id"], "cluster_id": made["cluster_id"], "name": "workers"}
    assert events[0]["resource"]["kind"] == "Cluster"
    assert events[0]["resource"]["id"] == events[0]["resource"]["cluster_id"] == made["cluster_id"]
    assert events[1]["time"] == made["created_at"]
    assert len({uuid.UUID(event["id"]) for event in events}) == 5
    assert "replacement" not in events[2]


def test_life_of_a_cluster(client):
    """A cluster has its events; of its status there is none."""
    made = client.cluster("civo")
    client.call("UpdateCluster", {"spec": {"platform": {"type": "civo"}, "infraID": "x"}}, id=made["id"])
    client.report(made | {"generation": 2}, conditions={"Available": "True"})
    client.call("DeleteCluster", id=made["id"], force=True)
    assert [(event["type"], event["generation"]) for event in client.events()] == [
        ("cluster.created", 1),
        ("cluster.updated", 2),
        ("cluster.deleted", 2),
    ]


def test_cursor(client):
    """From each cursor on come the later events, and at the end none; the end's cursor stays."""
    cluster = client.cluster()["id"]
    for number in range(4):
        client.pool(cluster=cluster, name=f"p{number}")
    whole = client.events()
    for index, event in enumerate(whole):
        assert client.events(after=event["cursor"]) == whole[index + 1 :]
    page = client.call("ListEvents", limit=2).body
    assert (page["events"], page["next_cursor"]) == (whole[:2], whole[1]["cursor"])
    end = client.call("ListEvents", after=whole[-1]["cursor"]).body
    assert end == {"events": [], "next_cursor": whole[-1]["cursor"]}
    assert client.call("ListEvents", caller=f"nobody-{client.user}").body == {"events": [], "next_cursor": ""}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"after": "x"}, "after"),
        ({"after": "1"}, "after"),
        ({"after": "-1--1"}, "after"),
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
    ],
)
def test_bad_questions(client, fields, field):
    """A cursor that none is, or a limit out of its bounds, is told."""
    reply = client.call("ListEvents", **fields)
    assert (reply.status, [name for name, _ in reply.rules]) == (400, [field])


def test_events_are_their_owner_s(client):
    """An owner sees events of own resources, controllers see all."""
    mine = client.pool()
    theirs = client.pool(caller=f"other-{client.user}")
    ids = {event["resource"]["cluster_id"] for event in client.events()}
    assert ids == {mine["cluster_id"]}
    start = client.events()[0]["cursor"]
    seen = {event["resource"]["id"] for event in client.events(caller=api.CONTROLLER, after=start)}
    assert {mine["id"], theirs["id"]} <= seen


def test_acknowledgement(client):
    """A deletion is acknowledged by its owner or a controller, as often as they like; by nobody else."""
    made = client.pool()
    client.call("DeleteNodePool", id=made["id"])
    event = client.events()[-1]
    assert client.call("AcknowledgeEvent", id=event["id"], caller=f"other-{client.user}").status == 404
    for caller in (client.user, api.CONTROLLER, client.user):
        reply = client.call("AcknowledgeEvent", id=event["id"], caller=caller)
        assert (reply.status, reply.body) == (204, None)
    reply = client.call("AcknowledgeEvent", id=str(uuid.uuid4()))
    assert (reply.status, reply.error["message"]) == (404, "Event not found")
    assert client.call("AcknowledgeEvent", id="x").rules == [("id", "string.uuid")]


def test_failed_change_tells_nothing(client):
    """What was not done is not told."""
    made = client.pool()
    before = client.events()
    client.call("CreateNodePool", api.pool(), cluster_id=made["cluster_id"])
    client.call("UpdateNodePool", api.pool("aws"), id=made["id"])
    client.call("DeleteCluster", id=made["cluster_id"])
    client.report(made | {"generation": 5})
    assert client.events() == before
