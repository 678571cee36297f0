"""The audit of controllers, through the API: what they record, and what users read."""

from __future__ import annotations

import uuid

import pytest

from support import api

RECORD = {
    "controller_name": "planton-gcp",
    "process": "worker-1",
    "generation": 1,
    "action": "scale",
    "cause": "Autoscaling",
    "reason": "from 2 to 3 nodes: the processor is busy",
    "outcome": "Started",
    "changes": [{"resource": "node_pool", "action": "update", "field": "count", "before": "2", "after": "3"}],
}


def record(client, made, identifier="", **values):
    """Records an action as a controller, and returns the reply."""
    kind = "NodePool" if "cluster_id" in made else "Cluster"
    event_id = identifier or str(uuid.uuid4())
    return client.call(f"Record{kind}Event", RECORD | values, caller=api.CONTROLLER, id=made["id"], event_id=event_id)


def listed(client, made, **query):
    kind = "NodePool" if "cluster_id" in made else "Cluster"
    return client.call(f"List{kind}Events", id=made["id"], **query)


@pytest.mark.parametrize("kind", ["Cluster", "NodePool"])
def test_an_action_is_recorded_twice_and_listed_once(client, kind):
    """Who, when, why, before and after; the end is written into the same entry."""
    made = client.cluster() if kind == "Cluster" else client.pool()
    identifier = str(uuid.uuid4())
    begun = record(client, made, identifier).body
    assert {name: begun[name] for name in RECORD} == RECORD
    assert (begun["id"], begun["kind"], begun["name"], begun["resource_id"]) == (identifier, kind, made["name"], made["id"])
    assert begun["cluster_id"] == made.get("cluster_id", made["id"])
    assert (begun["recorded_by"], begun["requested_by"], "ended_at" in begun) == (api.CONTROLLER, "", False)
    ended = record(client, made, identifier, outcome="Failed", error="the quota is 2").body
    assert ended == begun | {"outcome": "Failed", "error": "the quota is 2", "ended_at": ended["ended_at"]}
    assert ended["ended_at"] > begun["created_at"]
    assert listed(client, made).body == {"events": [ended]}


@pytest.mark.parametrize(
    ("cause", "is_users"),
    [("SpecChange", True), ("Deletion", True), ("Rollout", True), ("DriftRepair", False), ("Remediation", False)],
)
def test_a_requested_action_names_its_user(rest, cause, is_users):
    """A controller that repairs acts by itself."""
    assert record(rest, rest.pool(), cause=cause).body["requested_by"] == (rest.user if is_users else "")


def test_an_ended_action_stays_as_it_is(client):
    """Neither a late repetition nor another controller changes the audit."""
    made, identifier = client.pool(), str(uuid.uuid4())
    record(client, made, identifier)
    other = record(client, made, identifier, outcome="Failed", controller_name="another").body
    assert (other["outcome"], other["controller_name"]) == ("Started", "planton-gcp")
    ended = record(client, made, identifier, outcome="Succeeded").body
    assert record(client, made, identifier, outcome="Started", changes=[]).body == ended
    # The same id on another resource is another action.
    second = client.pool()
    assert record(client, second, identifier).body["outcome"] == "Started"
    assert listed(client, made).body["events"] == [ended]


def test_the_list_has_pages_newest_first(client):
    """A cursor belongs to one list."""
    made, other = client.pool(), client.pool()
    ids = [record(client, made).body["id"] for _ in range(5)][::-1]
    first = listed(client, made, limit=2).body
    second = listed(client, made, limit=2, page_token=first["next_page_token"]).body
    last = listed(client, made, limit=2, page_token=second["next_page_token"]).body
    assert [event["id"] for page in (first, second, last) for event in page["events"]] == ids
    assert "next_page_token" not in last
    for token in ("x", first["next_page_token"]):
        reply = listed(client, other, page_token=token)
        assert (reply.status, reply.rules) == (400, [("page_token", "list.page_token")])


def test_the_audit_outlives_its_resource(client):
    """Its owner reads it by the id; nobody else does."""
    made = client.pool()
    begun = record(client, made, cause="Deletion", action="delete", outcome="Succeeded").body
    client.call("DeleteNodePool", id=made["id"], force=True)
    assert client.call("GetNodePool", id=made["id"]).status == 404
    assert listed(client, made).body["events"] == [begun]
    assert client.call("ListNodePoolEvents", id=made["id"], caller=api.CONTROLLER).body["events"] == [begun]
    for reply in (
        client.call("ListNodePoolEvents", id=made["id"], caller="somebody@example.com"),
        client.call("ListNodePoolEvents", id=str(uuid.uuid4())),
        client.call("ListClusterEvents", id=made["id"]),
        record(client, made),
    ):
        assert (reply.status, reply.error["code"]) == (404, "NOT_FOUND")


def test_only_controllers_record(client):
    """Not even the owner writes into the audit."""
    made = client.pool()
    reply = client.call("RecordNodePoolEvent", RECORD, id=made["id"], event_id=str(uuid.uuid4()))
    assert (reply.status, reply.error["code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    ("values", "rule"),
    [
        ({"generation": 2}, ("generation", "audit_record.generation_exists")),
        ({"reason": "a\u001b[2Jb"}, ("reason", "audit_record.control_characters")),
        ({"cause": "Boredom"}, ("cause", "string.in")),
        ({"action": "Two words"}, ("action", "string.pattern")),
    ],
)
def test_invalid_records_are_refused(client, values, rule):
    """Nothing is stored."""
    made = client.pool()
    reply = record(client, made, **values)
    assert (reply.status, reply.rules) == (400, [rule])
    assert listed(client, made).body["events"] == []


def test_a_record_has_a_limit_of_size(rest):
    """A list of a hundred records must stay readable."""
    change = {"resource": "r", "action": "update", "after": "x" * 2048}
    assert record(rest, rest.pool(), changes=[change] * 40).rules == [("", "audit_record.size")]
