"""The DigitalOcean stand-in with refusals, lost connections, and resources that fail or disappear."""

from __future__ import annotations

import typing

import grpc
import pytest

from . import conftest, oceans, scripted_http

Json = typing.Any


@pytest.mark.parametrize(("status", "attempts"), [(500, 5), (429, 5), (503, 5), (501, 1), (422, 1)])
def test_temporary_errors_are_retried_four_times(ocean: conftest.Scene, status: int, attempts: int) -> None:
    """The pauses double from one second. The error has the number of attempts."""
    diver = oceans.connect(ocean)
    ocean.cloud.fail("POST", "/vpcs", times=9, status=status)
    error = diver.error("Create", urn=oceans.VPC, properties={"name": "n", "region": "fra1"})
    assert ocean.cloud.lines() == ["POST /v2/vpcs"] * attempts
    assert ocean.waits == [1, 2, 4, 8][: attempts - 1]
    tail = f"; giving up after {attempts} attempt(s)" if attempts > 1 else ""
    assert f"* Error creating VPC: POST {ocean.cloud.url}/v2/vpcs: {status} boom{tail}\n" in error.details()


def test_waits_of_retries_follow_the_cloud_or_the_program(ocean: conftest.Scene) -> None:
    """Retry-After takes precedence. The maximum bounds the doubling, and zero means no retry."""
    slow = scripted_http.Refused(429, {"id": "too_many_requests", "message": "slow down"}, {"Retry-After": "7"})
    bounded = oceans.connect(ocean, httpRetryMax="3", httpRetryWaitMin="0.5", httpRetryWaitMax="1")
    ocean.cloud.fail("POST", "/vpcs", error=slow)
    ocean.cloud.fail("POST", "/vpcs", times=2)
    bounded.create(oceans.VPC, region="fra1")
    assert ocean.waits == [7, 1, 1]
    ocean.cloud.fail("POST", "/vpcs")
    error = oceans.connect(ocean, httpRetryMax="0").error("Create", urn=oceans.VPC, properties={"name": "n", "region": "fra1"})
    assert "500 boom\n" in error.details()


def test_a_dropped_connection_is_retried_even_if_that_creates_a_resource_twice(ocean: conftest.Scene) -> None:
    """The library cannot know that the first request was handled."""
    diver = oceans.connect(ocean)
    ocean.cloud.fail("GET", "", times=2, error=scripted_http.Dropped())
    identity, _, state = diver.create(oceans.VPC, region="fra1")
    assert ocean.waits == [1, 2]
    ocean.cloud.fail("GET", identity, times=9, error=scripted_http.Dropped())
    error = diver.error("Read", urn=oceans.VPC, id=identity, properties=state)
    assert f'Error reading VPC: Get "{ocean.cloud.url}/v2/vpcs/{identity}": EOF' in error.details()


def test_an_error_contains_the_request_id(ocean: conftest.Scene, diver: conftest.Engine) -> None:
    """The id comes from the body or a header. A body that is not JSON is part of the message."""
    refusal = scripted_http.Refused(401, {"id": "unauthorized", "message": "Unable to authenticate you", "request_id": "r-1"})
    plain = scripted_http.Refused(418, "teapot", {"x-request-id": "r-2"})
    for refused, text in ((refusal, '401 (request "r-1") Unable to authenticate you'), (plain, '418 (request "r-2") "teapot"')):
        ocean.cloud.fail("POST", "/vpcs", error=refused)
        assert text in diver.error("Create", urn=oceans.VPC, properties={"name": "n", "region": "fra1"}).details()


def test_the_deletion_of_a_network_in_use_is_retried_for_two_minutes(ocean: conftest.Scene, diver: conftest.Engine) -> None:
    """The pauses double from half a second to ten. The error has the cloud's message."""
    identity, _, state = diver.create(oceans.VPC, region="fra1")
    members = scripted_http.Refused(403, {"id": "forbidden", "message": "Can not delete VPC with members"})
    ocean.cloud.fail("DELETE", identity, times=99, error=members)
    error = diver.error("Delete", urn=oceans.VPC, id=identity, properties=state)
    address = f"{ocean.cloud.url}/v2/vpcs/{identity}"
    assert f"* DELETE {address}: 403 Can not delete VPC with members\n" in error.details()
    assert ocean.waits[:6] == [0.5, 1, 2, 4, 8, 10]
    assert 105 <= sum(ocean.waits) <= 120
    ocean.cloud.faults.clear()
    ocean.cloud.fail("DELETE", identity, status=409)
    diver.call("Delete", urn=oceans.VPC, id=identity, properties=state)
    missing = diver.error("Delete", urn=oceans.VPC, id=identity, properties=state)
    assert f"Error deleting VPC: DELETE {address}: 404 not found" in missing.details()


def test_a_lost_response_to_the_deletion_of_a_network_crashes_the_plugin(ocean: conftest.Scene, diver: conftest.Engine) -> None:
    """The plugin reads the status of a missing response. A new process works again."""
    identity, _, state = diver.create(oceans.VPC, region="fra1")
    ocean.cloud.fail("DELETE", identity, error=scripted_http.Dropped())
    error = diver.error("Delete", urn=oceans.VPC, id=identity, properties=state)
    assert (error.code(), error.details()) == (grpc.StatusCode.UNAVAILABLE, "error reading from server: EOF")
    diver.configure()
    assert diver.call("Read", urn=oceans.VPC, id=identity, properties=state).id == identity


@pytest.mark.parametrize(
    ("status", "text"),
    [
        ({"state": "error", "message": "no capacity"}, "no capacity"),
        ({"state": "provisioning"}, "Timeout waiting to create cluster"),
        ({"state": "deleting"}, 'Error trying to read cluster state: unknown cluster state "deleting"'),
    ],
)
def test_a_cluster_that_does_not_start_is_missing_from_the_state(
    ocean: conftest.Scene, diver: conftest.Engine, status: Json, text: str
) -> None:
    """The cloud has the cluster, but the error has no id: the official plugin does the same, after half an hour at most."""
    ocean.cloud.before = lambda _request: [cluster.update(status=status) for cluster in ocean.cloud.clusters.values()] and None
    error = diver.error("Create", urn=oceans.CLUSTER, properties=oceans.CREATED)
    assert error.details().endswith(f"* Error creating Kubernetes cluster: {text}\n\n")
    assert not oceans.is_kept(error)
    assert len(ocean.cloud.clusters) == 1
    assert sum(ocean.waits) <= 1820


def test_a_pool_whose_nodes_do_not_start_is_missing_from_the_state(ocean: conftest.Scene, diver: conftest.Engine) -> None:
    """The create fails after half an hour, and the error has no id."""
    cluster, _, _ = oceans.cluster(diver)

    def stuck(_request: scripted_http.Request) -> None:
        for pool in ocean.cloud.clusters[cluster]["node_pools"]:
            for node in pool["nodes"]:
                node["status"] = {"state": "provisioning"}

    ocean.cloud.before, pool = stuck, {"clusterId": cluster, "name": "p", "size": "s-1", "nodeCount": 1}
    ocean.waits.clear()
    error = diver.error("Create", urn=oceans.POOL, properties=pool)
    assert error.details().endswith("* Error creating Kubernetes node pool: Timeout waiting to create nodepool\n\n")
    assert (oceans.is_kept(error), len(ocean.waits)) == (False, 182)


def test_a_resource_that_cannot_be_read_after_its_creation_is_kept(ocean: conftest.Scene, diver: conftest.Engine) -> None:
    """The error has the id, so the resource is not orphaned."""
    ocean.cloud.fail("GET", "/credentials")
    error = diver.error("Create", urn=oceans.CLUSTER, properties=oceans.CREATED)
    assert "Unable to fetch Kubernetes credentials: GET" in error.details()
    assert oceans.is_kept(error)


@pytest.mark.parametrize("missing", ["status", "maintenance_policy"])
def test_an_incomplete_response_crashes_the_plugin(ocean: conftest.Scene, diver: conftest.Engine, missing: str) -> None:
    """The plugin reads a field that the real cloud always sends."""
    identity, _, state = oceans.cluster(diver)
    del ocean.cloud.clusters[identity][missing]
    assert diver.error("Read", urn=oceans.CLUSTER, id=identity, properties=state).code() == grpc.StatusCode.UNAVAILABLE


def test_a_refresh_removes_only_missing_resources_from_the_state(ocean: conftest.Scene, diver: conftest.Engine) -> None:
    """A 500 fails the refresh for every kind of resource. A 404 removes the resource."""
    cluster, _, state = oceans.cluster(diver)
    pool = oceans.pool(diver, cluster)
    rules = diver.create(oceans.FIREWALL, inboundRules=[oceans.RULE])
    network = diver.create(oceans.VPC, region="fra1")
    resources = (
        (oceans.CLUSTER, cluster, state),
        (oceans.POOL, pool[0], pool[2]),
        (oceans.FIREWALL, rules[0], rules[2]),
        (oceans.VPC, network[0], network[2]),
    )
    for urn, identity, properties in resources:
        ocean.cloud.fail("GET", identity)
        assert "500 boom" in diver.error("Read", urn=urn, id=identity, properties=properties).details()
    for items in (ocean.cloud.clusters, ocean.cloud.firewalls, ocean.cloud.vpcs):
        items.clear()
    assert [diver.call("Read", urn=urn, id=identity, properties=properties).id for urn, identity, properties in resources] == [
        ""
    ] * 4


def test_an_update_of_a_missing_cluster_has_no_id(ocean: conftest.Scene, diver: conftest.Engine) -> None:
    """The PUT of a missing cluster is ignored, but then the update has no state."""
    identity, inputs, state = oceans.cluster(diver)
    ocean.cloud.clusters.clear()
    error = diver.error("Update", urn=oceans.CLUSTER, id=identity, olds=state, news={**inputs, "name": "other"})
    assert error.details() == f"expected non-empty ID for new state during Update of {oceans.CLUSTER}"


def test_deleting_a_missing_resource_differs_by_kind(ocean: conftest.Scene, diver: conftest.Engine) -> None:
    """A missing cluster counts as deleted. A missing pool or firewall is an error."""
    cluster, _, state = oceans.cluster(diver)
    pool, _, properties = oceans.pool(diver, cluster)
    rules, _, _ = diver.create(oceans.FIREWALL, inboundRules=[oceans.RULE])
    ocean.cloud.clusters.clear()
    ocean.cloud.firewalls.clear()
    diver.call("Delete", urn=oceans.CLUSTER, id=cluster, properties=state)
    assert "Unable to delete node pool DELETE" in diver.error("Delete", urn=oceans.POOL, id=pool, properties=properties).details()
    assert "Error deleting firewall: DELETE" in diver.error("Delete", urn=oceans.FIREWALL, id=rules).details()
