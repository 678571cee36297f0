"""The work queue through the API: what controllers, users and operators see of it, by all four ways."""

from __future__ import annotations

import pytest

from support import api

OTHER = "other-controller@system.local"
SUCCEEDED = {"outcome": "SUCCEEDED", "next_look": "3600s"}


def claim(client, process, platform="civo", *, limit=10, wait="0s", results=()):
    """Claims as a controller and returns the answer."""
    body = {"process": process, "version": "1", "platforms": [platform], "limit": limit, "wait": wait, "results": list(results)}
    reply = client.call("ClaimWork", body, caller=api.CONTROLLER)
    assert reply.status == 200, reply.body
    return reply.body


def result(item, **values):
    return {"id": item["id"], "epoch": item["epoch"], "generation": item["generation"], **SUCCEEDED, **values}


def finish(client, process, *results):
    """Finishes work and returns which results were accepted."""
    reply = client.call("FinishWork", {"process": process, "results": list(results)}, caller=api.CONTROLLER)
    assert reply.status == 200, reply.body
    return [one["accepted"] for one in reply.body["results"]]


def accepted(resource):
    """Returns status and reason of the condition Accepted; None without one."""
    conditions = [one for one in resource["status"]["conditions"] if one["type"] == "Accepted"]
    return (conditions[0]["status"], conditions[0]["reason"]) if conditions else None


@pytest.fixture(params=["rest", "grpc"])
def own(request, private, engine):
    """A user of a server of its own, whose work is nobody else's."""
    return api.Api(private(engine), request.param)


def test_controller_claims_and_finishes(own):
    """A created resource is work at once; a finished one when it changes."""
    assert claim(own, "p")["items"] == []
    made = own.cluster("civo")
    answer = claim(own, "p")
    assert answer["lease"] == "8s"
    [item] = answer["items"]
    assert {name: item[name] for name in ("id", "kind", "cluster_id", "platform", "account", "generation", "epoch", "attempt", "deleting")} == {
        "id": made["id"], "kind": "Cluster", "cluster_id": made["id"], "platform": "civo", "account": "", "generation": 1, "epoch": 1,
        "attempt": 0, "deleting": False,
    }  # fmt: skip
    beat = own.call("RenewWork", {"process": "p", "version": "1"}, caller=api.CONTROLLER).body
    assert beat == {"held": [{"id": made["id"], "epoch": 1, "superseded": False}], "lease": "8s"}
    own.call("UpdateCluster", {"spec": {"platform": {"type": "civo"}, "release": {"version": "1.33"}}}, id=made["id"])
    [held] = own.call("RenewWork", {"process": "p"}, caller=api.CONTROLLER).body["held"]
    assert held["superseded"]
    # A claim takes results too, and the work is due again because the resource has changed.
    answer = claim(own, "p", results=[result(item)], wait="30s")
    assert answer["results"] == [{"id": made["id"], "accepted": True}]
    [again] = answer["items"]
    assert (again["id"], again["epoch"], again["generation"]) == (made["id"], 2, 2)
    assert finish(own, "p", result(item), result(again)) == [False, True]
    assert claim(own, "p")["items"] == []


def test_waiting_claim_returns_with_new_work(own):
    """Long before its time."""
    body = {"process": "p", "platforms": ["civo"], "limit": 1, "wait": "30s"}
    waiting = own.server.loop.begin(own.calling("ClaimWork", body, caller=api.CONTROLLER))
    made = own.cluster("civo")
    [item] = waiting.result(api.TIMEOUT_SECONDS).body["items"]
    assert item["id"] == made["id"]


def test_only_controllers_claim(client):
    """A user of a loopback address may report, and still not take the work of everybody."""
    bodies = {
        "ClaimWork": {"process": "p", "platforms": ["civo"], "limit": 1},
        "RenewWork": {"process": "p"},
        "FinishWork": {
            "process": "p",
            "results": [{"id": "550e8400-e29b-41d4-a716-446655440000", "epoch": 1, "outcome": "FAILED"}],
        },
    }
    for method, body in bodies.items():
        assert client.call(method, body).status == 403


def test_owner_that_may_report_may_not_claim(private, engine):
    """As in the guide's walk-through on a loopback address."""
    from planton_server import auth  # only this test needs it

    owner = api.Api(private(engine, trust=auth.Trust(header=True, owners_report=True)), "rest")
    assert owner.call("ClaimWork", {"process": "p", "platforms": ["civo"], "limit": 1}).status == 403
    assert owner.report(owner.pool(), caller=owner.user).status == 200


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ({"platforms": ["civo"]}, ("process", "required")),
        ({"process": "p"}, ("platforms", "required")),
        ({"process": "p", "platforms": ["ibm"]}, ("platforms[0]", "string.in")),
        ({"process": "p", "platforms": ["civo", "civo"]}, ("platforms", "repeated.unique")),
        ({"process": "p", "platforms": ["civo"], "wait": "31s"}, ("wait", "claim.wait_range")),
        ({"process": "-p", "platforms": ["civo"]}, ("process", "string.pattern")),
        (
            {"process": "p", "platforms": ["civo"], "results": [{"id": "550e8400-e29b-41d4-a716-446655440000", "epoch": 1, "outcome": "DONE"}]},
            ("results[0].outcome", "string.in"),
        ),
    ],
)  # fmt: skip
def test_invalid_claims(client, body, rule):
    """Each names the field and the rule."""
    reply = client.call("ClaimWork", body, caller=api.CONTROLLER)
    assert reply.status == 400
    assert rule in reply.rules


@pytest.mark.parametrize("text", ["1", "1m", "s", "-1", "1.0000000001s", "999999999999s", 1, None])
def test_durations_are_seconds(rest, text):
    """As text with an s; null is none at all."""
    body = {"process": "p", "platforms": ["civo"], "limit": 0, "wait": text}
    reply = rest.call("ClaimWork", body, caller=api.CONTROLLER)
    assert reply.status == (200 if text is None else 400)
    assert text is None or reply.rules == [("wait", "json.wrong_type")]


def test_failed_work_is_listed_and_retried(own):
    """Dead work shows its error and its attempts to its owner, and to nobody else."""
    made = own.cluster("civo")
    for _ in range(5):
        [item] = claim(own, "p")["items"]
        error = {"code": "QUOTA_EXCEEDED", "message": "24 of 24"}
        assert finish(own, "p", result(item, outcome="FAILED", next_look="0s", error=error)) == [True]
    assert claim(own, "p")["items"] == []
    [shown] = own.call("ListWork", state="dead").body["items"]
    assert {name: shown.get(name) for name in ("id", "kind", "name", "state", "attempt", "error", "process", "done_generation")} == {
        "id": made["id"], "kind": "Cluster", "name": made["name"], "state": "dead", "attempt": 5,
        "error": {"code": "QUOTA_EXCEEDED", "message": "24 of 24"}, "process": "", "done_generation": 0,
    }  # fmt: skip
    assert "since" in shown
    assert "due" not in shown
    stranger = "stranger@example.com"
    assert own.call("ListWork", caller=stranger).body["items"] == []
    assert own.call("RetryWork", id=made["id"], caller=stranger).status == 404
    retried = own.call("RetryWork", id=made["id"])
    assert (retried.status, retried.body["state"], retried.body["attempt"]) == (200, "waiting", 0)
    [item] = claim(own, "p")["items"]
    assert item["id"] == made["id"]
    [running] = own.call("ListWork", state="running", platform="civo", kind="Cluster").body["items"]
    assert running["process"] == "p"
    assert own.call("RetryWork", id=made["id"], caller=api.CONTROLLER).body["state"] == "running"
    assert finish(own, "p", result(item)) == [True]
    assert [each["id"] for each in claim(own, "p")["items"]] == [made["id"]]


def test_list_has_pages(own):
    """Each work is on one of them."""
    made = {own.cluster("civo")["id"] for _ in range(5)}
    ids, token = [], ""
    while True:
        page = own.call("ListWork", limit=2, **({"page_token": token} if token else {})).body
        ids += [item["id"] for item in page["items"]]
        token = page.get("next_page_token", "")
        if not token:
            break
    assert sorted(ids) == sorted(made)
    assert own.call("ListWork", page_token="x").rules == [("page_token", "string.uuid")]


def test_processes_are_listed(own):
    """With their clouds and the number of their runs."""
    own.cluster("civo")
    claim(own, "p")
    [process] = own.call("ListProcesses").body["processes"]
    assert {name: process[name] for name in ("id", "version", "platforms", "alive", "running")} == {
        "id": "p", "version": "1", "platforms": ["civo"], "alive": True, "running": 1,
    }  # fmt: skip


def test_unserved_platform_says_so_at_once(own):
    """In the answer to a create, a get and a list; a process that claims changes it, without a write for each resource."""
    before = own.pool("civo")
    assert accepted(before) == ("False", "NoController")
    claim(own, "p", limit=0)
    assert accepted(own.call("GetNodePool", id=before["id"]).body) == ("Unknown", "NotObserved")
    assert accepted(own.pool("civo")) == ("Unknown", "NotObserved")
    assert {accepted(one) for one in own.call("ListNodePools").body["nodepools"]} == {("Unknown", "NotObserved")}
    assert accepted(own.call("GetNodePoolStatus", id=before["id"]).body) == ("Unknown", "NotObserved")
    # Where the operator expects a controller that has no process, nothing is known.
    assert accepted(own.pool("aws")) is None
    assert own.call("GetNodePool", id=before["id"]).body["resource_version"] == before["resource_version"]


def test_reported_resource_has_the_conditions_of_its_controllers(own):
    """Whether or not they take part in the work queue."""
    made = own.pool("gcp")
    own.report(made, conditions={"Available": "True"})
    assert accepted(own.call("GetNodePool", id=made["id"]).body) is None


def test_claimed_resource_is_deleted_by_its_controller(own):
    """It may have been created in the cloud, even if no report says so."""
    made = own.pool("civo")
    claimed = {item["id"]: item for item in claim(own, "p")["items"]}
    above = claimed[made["cluster_id"]]
    answer = claim(own, "p", results=[result(above)])
    [item] = answer["items"]
    assert item["id"] == made["id"]
    assert own.call("DeleteNodePool", id=made["id"]).status == 204
    [held] = own.call("RenewWork", {"process": "p"}, caller=api.CONTROLLER).body["held"]
    assert held["superseded"]
    [item] = claim(own, "p", results=[result(item)])["items"]
    assert (item["id"], item["deleting"]) == (made["id"], True)
    assert own.call("GetNodePool", id=made["id"], caller=api.CONTROLLER).body["status"]["phase"] == "Deleting"
    assert own.report(made, conditions={"Deleted": "True"}).status == 200
    assert own.call("GetNodePool", id=made["id"], caller=api.CONTROLLER).status == 404
    # Its work is gone with it.
    assert finish(own, "p", result(item)) == [False]
    assert own.call("ListWork", kind="NodePool").body["items"] == []


def test_resource_that_nobody_has_claimed_is_deleted_at_once(own):
    """There is nothing in the cloud."""
    made = own.pool("civo")
    assert own.call("DeleteNodePool", id=made["id"]).status == 204
    assert own.call("GetNodePool", id=made["id"], caller=api.CONTROLLER).status == 404
    assert own.call("DeleteCluster", id=made["cluster_id"]).status == 202
    assert claim(own, "p")["items"] == []


def test_force_waits_for_the_controller_that_has_claimed_the_resource(own):
    """What it may have created in the cloud must not stay behind; the answer is that of a deletion without force."""
    made = own.pool("civo")
    [above] = claim(own, "p", limit=1)["items"]
    [item] = claim(own, "p", results=[result(above)])["items"]
    assert item["id"] == made["id"]
    for _ in range(2):
        assert own.call("DeleteNodePool", id=made["id"], force=True).status == 204
        pool = own.call("GetNodePool", id=made["id"], caller=api.CONTROLLER).body
        assert (pool["status"]["phase"], "force" in pool["status"]["message"]) == ("Deleting", True)
    assert own.call("GetNodePool", id=made["id"]).status == 404
    [item] = claim(own, "p", results=[result(item)])["items"]
    assert item["deleting"]
    assert own.report(made, conditions={"Deleted": "True"}).status == 200
    assert own.call("GetNodePool", id=made["id"], caller=api.CONTROLLER).status == 404


def test_force_waits_for_nobody_where_no_controller_has_claimed_or_none_is_alive(own):
    """A claim alone is no reason to wait: a process of another cloud, or one whose lease has ended, deletes nothing."""
    unclaimed = own.pool("civo")
    assert [item["kind"] for item in claim(own, "p", limit=1)["items"]] == ["Cluster"]
    assert own.call("DeleteNodePool", id=unclaimed["id"], force=True).status == 204
    assert own.call("GetNodePool", id=unclaimed["id"], caller=api.CONTROLLER).status == 404
    claimed = own.cluster("gcp")
    assert [item["id"] for item in claim(own, "q", "gcp")["items"]] == [claimed["id"]]
    # The process does not serve the cloud any longer.
    claim(own, "q", "aws")
    assert own.call("DeleteCluster", id=claimed["id"], force=True).status == 202
    assert own.call("GetCluster", id=claimed["id"], caller=api.CONTROLLER).status == 404


def test_a_forced_cluster_waits_with_the_node_pools_that_were_claimed(own):
    """The others are deleted at once. A protected one keeps all."""
    claimed = own.pool("civo", name="claimed")
    [above] = claim(own, "p", limit=1)["items"]
    [item] = claim(own, "p", results=[result(above)])["items"]
    fresh = own.pool("civo", cluster=claimed["cluster_id"], name="fresh")
    answer = own.call("DeleteCluster", id=claimed["cluster_id"], force=True)
    assert (answer.status, answer.body["status"]["phase"]) == (202, "Deleting")
    assert "force" in answer.body["status"]["message"]
    assert own.call("GetNodePool", id=fresh["id"], caller=api.CONTROLLER).status == 404
    for method, id_ in (("GetNodePool", claimed["id"]), ("GetCluster", claimed["cluster_id"])):
        assert own.call(method, id=id_, caller=api.CONTROLLER).body["status"]["phase"] == "Deleting"
    due = claim(own, "p", limit=1, results=[result(item)])["items"]
    assert due[0]["deleting"]


def test_a_cluster_that_is_reported_deleted_stays_until_its_last_node_pool_has_gone(own):
    """A controller of one's own may be early. The cluster then goes with the pool, whose event comes first."""
    pool = own.pool("civo")
    cluster = own.call("GetCluster", id=pool["cluster_id"]).body
    [above] = claim(own, "p", limit=1)["items"]
    claim(own, "p", results=[result(above)])
    assert own.call("DeleteCluster", id=cluster["id"], force=True).status == 202
    assert own.report(cluster, "own", conditions={"Deleted": "True"}).status == 200
    leaving = own.call("GetCluster", id=cluster["id"], caller=api.CONTROLLER).body
    assert leaving["status"]["phase"] == "Deleting"
    assert own.report(pool, conditions={"Deleted": "True"}).status == 200
    for method, id_ in (("GetNodePool", pool["id"]), ("GetCluster", cluster["id"])):
        assert own.call(method, id=id_, caller=api.CONTROLLER).status == 404
    assert [each["type"] for each in own.events()][-2:] == ["nodepool.deleted", "cluster.deleted"]


def test_a_cluster_without_a_report_stays_when_its_last_node_pool_goes(own):
    """Its controller has claimed it, and has not said what exists in the cloud."""
    pool = own.pool("civo")
    [above] = claim(own, "p", limit=1)["items"]
    claim(own, "p", results=[result(above)])
    assert own.call("DeleteCluster", id=pool["cluster_id"], force=True).status == 202
    assert own.report(pool, conditions={"Deleted": "True"}).status == 200
    assert own.call("GetCluster", id=pool["cluster_id"], caller=api.CONTROLLER).body["status"]["phase"] == "Deleting"


def test_a_protected_claimed_node_pool_keeps_its_cluster_against_force(own):
    """As one that nobody has claimed."""
    pool = own.pool("civo", lifecycle={"deletionProtection": True})
    [above] = claim(own, "p", limit=1)["items"]
    claim(own, "p", results=[result(above)])
    assert own.call("DeleteCluster", id=pool["cluster_id"], force=True).status == 409
    assert own.call("GetNodePool", id=pool["id"]).body["status"]["phase"] != "Deleting"


def test_writes_cost_no_further_statement(client):
    """The work of a resource is queued in its own statement."""
    store = client.server.store
    cluster = client.cluster("civo")
    before = store.reads, store.writes
    client.pool("civo", cluster=cluster["id"])
    assert (store.reads - before[0], store.writes - before[1]) <= (0, 2)


def test_idle_queue_costs_few_statements(own):
    """However much work there is, and however many works are claimed and finished together.

    A process sends a heartbeat every 2 seconds. While it waits, the server looks every 0.2 seconds at most. So 10,000 looks over
    10 minutes take a claim every 0.2 seconds and 17 results a second: at most 5 * (6 + 1) + 17 + 2 statements a second.
    """
    store = own.server.store
    for _ in range(12):
        own.cluster("civo")
    claim(own, "p", limit=0)

    def cost(call):
        before = store.reads + store.writes
        answered = call()
        return answered, store.reads + store.writes - before

    few, cost_of_few = cost(lambda: claim(own, "p", limit=1)["items"])
    many, cost_of_many = cost(lambda: claim(own, "p", limit=4)["items"])
    assert (len(few), len(many)) == (1, 4)
    # With the BEGIN and the COMMIT of two transactions on PostgreSQL.
    assert cost_of_few == cost_of_many <= 6
    assert cost(lambda: finish(own, "p", *map(result, [*few, *many]))) == ([True] * 5, 1)
    assert cost(lambda: own.call("RenewWork", {"process": "p"}, caller=api.CONTROLLER))[1] <= 3
