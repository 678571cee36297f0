"""What controllers report, and what phases, health and conditions come of it, both ways."""

import pytest

from support import api

OPERATOR_DEADLINE = 1800


def phase(client, pool):
    """Returns the phase and the reason of a node pool, as a read shows it."""
    status = client.call("GetNodePool", id=pool["id"]).body["status"]
    return status["phase"], status["reason"]


@pytest.mark.parametrize("kind", ["Cluster", "NodePool"])
def test_status_of_what_nobody_reported(client, kind):
    """The status of a new resource has its two lists, both empty."""
    made = client.cluster() if kind == "Cluster" else client.pool()
    noun = kind.lower()
    body = client.call(f"Get{kind}Status", id=made["id"]).body
    assert body == {f"{noun}_id": made["id"], "status": made["status"], "controller_status": [], "controllers": []}


@pytest.mark.parametrize("kind", ["Cluster", "NodePool"])
def test_report_is_answered_with_the_status(client, kind):
    """A report is shown as it came, under both names, with one time under both names."""
    made = client.cluster() if kind == "Cluster" else client.pool()
    metadata = {"platform": "gcp", "active_nodes": 5, "ratio": 0.5, "list": [1, "a", None, True], "nested": {"a": {}}}
    error = {"error_type": "Transient", "error_code": "E", "message": "m", "user_actionable": True, "details": ["any", 1]}
    condition = {
        "type": "Ready",
        "status": "True",
        "lastTransitionTime": "2025-10-17T10:30:00Z",
        "reason": "NodesReady",
        "message": "ok",
    }
    body = client.report(made, "c", conditions={"Ready": condition}, metadata=metadata, last_error=error).body
    (shown,) = body["controllers"]
    assert body["controller_status"] == [shown]
    assert shown["controller_name"] == "c"
    assert shown["observed_generation"] == 1
    assert shown["metadata"] == metadata
    assert shown["conditions"] == [condition | {"lastTransitionTime": "2025-10-17T10:30:00.000000Z"}]
    assert shown["last_error"] == error | {"timestamp": shown["updated_at"]}
    assert shown["updated_at"] == shown["last_updated"]
    assert client.call(f"Get{kind}Status", id=made["id"]).body == body


def test_last_error_in_either_spelling(rest):
    """A controller may write the names of an error in camelCase too."""
    error = {"errorType": "System", "errorCode": "E", "userActionable": True, "message": "m", "timestamp": "2026-01-01T00:00:00Z"}
    (shown,) = rest.report(rest.pool(), lastError=error).body["controllers"]
    assert shown["last_error"] == {
        "error_type": "System", "error_code": "E", "message": "m", "user_actionable": True, "timestamp": "2026-01-01T00:00:00.000000Z",
    }  # fmt: skip


def test_ready_without_expectations(client):
    """Where nobody is expected, who reports decides; ``Available`` goes before ``Ready``."""
    made = client.pool()
    assert phase(client, made) == ("Pending", "NotObserved")
    client.report(made, conditions={"Ready": "False"})
    assert phase(client, made) == ("Progressing", "ControllersNotReady")
    client.report(made, conditions={"Ready": "True"})
    assert phase(client, made) == ("Ready", "AllControllersReady")
    client.report(made, conditions={"Ready": "True", "Available": "Unknown"})
    assert phase(client, made)[0] == "Degraded"
    client.report(made, conditions={"Ready": "False", "Available": "True"})
    assert phase(client, made)[0] == "Ready"


def test_every_expected_controller_must_report(client):
    """On a platform with two expected controllers one is not enough."""
    made = client.pool("azure")
    client.report(made, "azure-controller", conditions={"Available": "True"})
    assert phase(client, made)[0] == "Progressing"
    assert client.call("GetNodePool", id=made["id"]).body["status"]["observedGeneration"] == 0
    client.report(made, "azure-network", conditions={"Available": "True"})
    status = client.call("GetNodePool", id=made["id"]).body["status"]
    assert (status["phase"], status["observedGeneration"]) == ("Ready", 1)


def test_whoever_has_reported_counts_until_it_withdraws(client):
    """A controller that nobody expects holds a node pool back too, until it says that it has withdrawn."""
    made = client.pool("aws")
    client.report(made, "aws-controller", conditions={"Available": "True"})
    client.report(made, "another", conditions={"Available": "False"})
    assert phase(client, made)[0] == "Degraded"
    client.report(made, "another", conditions={"Available": "False", "Withdrawn": "True"})
    assert phase(client, made)[0] == "Ready"
    assert [one["controller_name"] for one in client.call("GetNodePoolStatus", id=made["id"]).body["controllers"]] == [
        "another",
        "aws-controller",
    ]


def test_new_generation_begins_anew(client):
    """A changed spec is observed by nobody yet, whatever was reported of the one before."""
    made = client.pool()
    client.report(made, conditions={"Available": "True"})
    changed = client.call("UpdateNodePool", api.pool(nodeCount=7), id=made["id"]).body
    status = changed["status"]
    assert (status["phase"], status["reason"], status["observedGeneration"]) == ("Pending", "NotObserved", 1)
    assert [condition["type"] for condition in status["conditions"]] == ["Available"]
    assert client.call("GetNodePool", id=made["id"]).body == changed
    client.report(changed, conditions={"Available": "False"})
    assert phase(client, made)[0] == "Progressing", "it was ready, but not at this generation"
    client.report(changed, conditions={"Available": "True"})
    assert phase(client, made)[0] == "Ready"


def test_report_of_an_older_generation_is_kept_and_not_observed(client):
    """A controller that lags behind is heard, and lets nothing be ready."""
    made = client.pool()
    changed = client.call("UpdateNodePool", api.pool(nodeCount=7), id=made["id"]).body
    body = client.report(made, conditions={"Available": "True"}).body
    assert body["controllers"][0]["observed_generation"] == 1
    assert (body["status"]["phase"], body["status"]["observedGeneration"]) == ("Pending", 1)
    assert client.report(changed, conditions={"Available": "True"}).body["status"]["observedGeneration"] == 2


def test_report_of_a_generation_to_come_is_refused(client):
    """Nobody observes what is not wanted yet."""
    made = client.pool()
    reply = client.report(made | {"generation": 2}, conditions={"Available": "True"})
    assert (reply.status, reply.rules) == (400, [("observed_generation", "status_report.observed_generation_exists")])
    assert client.call("GetNodePoolStatus", id=made["id"]).body["controllers"] == []


@pytest.mark.parametrize("error_type", ["Fatal", "Configuration"])
def test_permanent_error_fails(client, error_type):
    """A permanent error is the status, in the controller's words, until the controller takes it back."""
    made = client.pool()
    error = {"error_type": error_type, "error_code": "QUOTA", "message": "no cores left"}
    status = client.report(made, conditions={"Available": "True"}, last_error=error).body["status"]
    assert (status["phase"], status["reason"], status["message"]) == ("Failed", "QUOTA", "no cores left")
    assert [pool["id"] for pool in client.call("ListNodePools", health="unhealthy").body["nodepools"]] == [made["id"]]
    assert client.report(made, conditions={"Available": "True"}).body["status"]["phase"] == "Ready"


@pytest.mark.parametrize("error_type", ["Transient", "System"])
def test_passing_error_waits(client, error_type):
    """An error that may pass lets it be neither ready nor failed."""
    status = client.report(client.pool(), conditions={"Available": "True"}, last_error={"error_type": error_type}).body["status"]
    assert status["phase"] == "Progressing"


def test_deadline(client):
    """What is not ready in time has failed, until it is ready; a new generation has a new deadline."""
    made = client.pool("aws")
    client.server.clock.advance(OPERATOR_DEADLINE)
    status = client.report(made, "aws-controller", conditions={"Available": "False"}).body["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "DeadlineExceeded")
    changed = client.call("UpdateNodePool", api.pool("aws", nodeCount=7), id=made["id"]).body
    assert changed["status"]["phase"] == "Pending"
    client.server.clock.advance(OPERATOR_DEADLINE - 60)
    assert client.report(changed, "aws-controller", conditions={"Available": "False"}).body["status"]["phase"] == "Progressing"
    client.server.clock.advance(61)
    assert client.report(changed, "aws-controller", conditions={"Available": "False"}).body["status"]["phase"] == "Failed"
    assert client.report(changed, "aws-controller", conditions={"Available": "True"}).body["status"]["phase"] == "Ready"
    client.server.clock.advance(OPERATOR_DEADLINE)
    assert client.report(changed, "aws-controller", conditions={"Available": "False"}).body["status"]["phase"] == "Degraded"


def test_no_deadline_where_nobody_is_expected(client):
    """Where no controller is expected, nothing fails by waiting."""
    made = client.pool("gcp")
    client.server.clock.advance(10 * OPERATOR_DEADLINE)
    assert client.report(made, conditions={"Available": "False"}).body["status"]["phase"] == "Progressing"


def test_transition_time_moves_with_the_status_of_a_condition(client):
    """The time of a condition is that of its last change, not of its last report; the API gives it where the report has none."""
    made = client.pool()

    def time(status, **more):
        body = client.report(made, conditions={"Ready": {"type": "Ready", "status": status, **more}}).body
        (of_controller,) = body["controllers"][0]["conditions"]
        (of_all,) = body["status"]["conditions"]
        assert of_controller["lastTransitionTime"] == of_all["lastTransitionTime"]
        return of_all["lastTransitionTime"], of_all["message"], body["controllers"][0]["updated_at"]

    first, _, now = time("False", message="a")
    assert first == now
    second, message, now = time("False", message="b", lastTransitionTime="2025-01-01T00:00:00Z")
    assert (second, message) == (first, "b")
    assert now > first
    third, _, now = time("True")
    assert third == now > first
    assert time("False", lastTransitionTime="2025-01-01T00:00:00Z")[0] == "2025-01-01T00:00:00.000000Z"


def test_report_that_changes_nothing_writes_no_new_version(client):
    """A repeated report is noted, and neither a version nor an event."""
    made = client.pool()
    client.report(made, conditions={"Available": "True"})
    before, events = client.call("GetNodePool", id=made["id"]).body, client.events()
    client.report(made, conditions={"Available": "True"}, metadata={"active_nodes": 3})
    assert client.call("GetNodePool", id=made["id"]).body == before
    assert client.events() == events


def test_report_of_a_changed_status_is_a_version_and_no_generation(client):
    """What is observed changes the version, so that a cache notices, and not the generation."""
    made = client.pool()
    client.report(made, conditions={"Available": "True"})
    now = client.call("GetNodePool", id=made["id"]).body
    assert now["resource_version"] != made["resource_version"]
    assert now["generation"] == 1
    assert now["updated_at"] > made["updated_at"]
    assert now["status"]["lastUpdateTime"] == now["updated_at"]


def test_report_of_a_replacement_that_is_done(client):
    """Once it is ready, a replacement is required no longer."""
    made = client.pool()
    changed = client.call("UpdateNodePool", api.pool(cloud={"spot": True}), id=made["id"]).body
    during = client.report(changed, conditions={"Available": "False"}).body["status"]["conditions"]
    assert [condition["type"] for condition in during] == ["Available", "ReplacementRequired"]
    assert during[1]["lastTransitionTime"] == changed["updated_at"]
    after = client.report(changed, conditions={"Available": "True"}).body["status"]["conditions"]
    assert [condition["type"] for condition in after] == ["Available"]


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ({"controller_name": ""}, [("controller_name", "required")]),
        ({"observed_generation": 0}, [("observed_generation", "required")]),
        ({"observed_generation": -1}, [("observed_generation", "int64.gt")]),
        ({"conditions": [{"type": "A", "status": "true"}]}, [("conditions[0].status", "string.in")]),
        ({"conditions": [{"status": "True"}]}, [("conditions[0].type", "required")]),
        (
            {"conditions": [{"type": "A", "status": "True"}] * 2},
            [("conditions", "status_report.conditions_have_different_types")],
        ),
        ({"last_error": {"error_type": "fatal"}}, [("last_error.error_type", "string.in")]),
        ({"last_error": {"message": "m"}}, [("last_error.error_type", "required")]),
    ],
)
def test_bad_reports(client, change, rules):
    """A report that says nothing certain is refused, by field and rule."""
    made = client.pool()
    body = {"controller_name": "c", "observed_generation": 1, "conditions": []} | change
    reply = client.call("ReportNodePoolStatus", body, id=made["id"], caller=api.CONTROLLER)
    assert (reply.status, reply.rules) == (400, rules)
    assert client.call("GetNodePoolStatus", id=made["id"]).body["controllers"] == []
