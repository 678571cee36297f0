"""Routes: what the protos say of each method, in one list."""

import pytest

from org.project_planton.cluster.v1 import cluster_pb2, credential_pb2, method_pb2
from org.project_planton.cluster.v1 import service_pb2 as clusters_pb2
from org.project_planton.nodepool.v1 import nodepool_pb2, service_pb2
from org.project_planton.work.v1 import service_pb2 as works_pb2
from planton_server.service import routes

_PAGE = ("limit", "offset", "page_token", "status", "health", "platform", "include_deleting")
_USER, _CONTROLLER, _ANY = method_pb2.CALLER_USER, method_pb2.CALLER_CONTROLLER, method_pb2.CALLER_UNSPECIFIED


@pytest.mark.parametrize(
    ("verb", "path", "method", "success", "caller", "query"),
    [
        ("POST", "/clusters", "CreateCluster", 201, _USER, ("dry_run",)),
        ("GET", "/clusters", "ListClusters", 200, _ANY, _PAGE),
        ("GET", "/clusters/{id}", "GetCluster", 200, _ANY, ()),
        ("PUT", "/clusters/{id}", "UpdateCluster", 200, _USER, ("dry_run",)),
        ("DELETE", "/clusters/{id}", "DeleteCluster", 202, _USER, ("force", "dry_run")),
        ("GET", "/clusters/{id}/status", "GetClusterStatus", 200, _ANY, ()),
        ("PUT", "/clusters/{id}/status", "ReportClusterStatus", 200, _CONTROLLER, ()),
        ("POST", "/clusters/{cluster_id}/nodepools", "CreateNodePool", 201, _USER, ("dry_run",)),
        ("POST", "/nodepools", "CreateNodePool", 201, _USER, ("dry_run",)),
        ("GET", "/clusters/{cluster_id}/nodepools", "ListNodePools", 200, _ANY, _PAGE),
        ("GET", "/nodepools", "ListNodePools", 200, _ANY, (*_PAGE, "cluster_id")),
        ("GET", "/nodepools/{id}", "GetNodePool", 200, _ANY, ()),
        ("PUT", "/nodepools/{id}", "UpdateNodePool", 200, _USER, ("dry_run",)),
        ("DELETE", "/nodepools/{id}", "DeleteNodePool", 204, _USER, ("force", "dry_run")),
        ("GET", "/nodepools/{id}/status", "GetNodePoolStatus", 200, _ANY, ()),
        ("PUT", "/nodepools/{id}/status", "ReportNodePoolStatus", 200, _CONTROLLER, ()),
        ("GET", "/events", "ListEvents", 200, _ANY, ("after", "limit")),
        ("PUT", "/events/{id}/acknowledgement", "AcknowledgeEvent", 204, _ANY, ()),
    ],
)
def test_routes_are_the_contracts(verb, path, method, success, caller, query):
    """Each route of the contract is there, with its status, its callers and its query parameters."""
    (route,) = [route for route in routes.routes() if (route.verb, route.path) == (verb, f"/api/v1{path}")]
    assert (route.method, route.success, route.caller, route.query) == (method, success, caller, query)


def test_no_two_routes_are_the_same():
    """There are thirty-two routes, and a verb and a path lead to one of them."""
    assert len({(route.verb, route.path) for route in routes.routes()}) == len(routes.routes()) == 32


def test_messages_of_a_route():
    """A route knows the classes of its request, its body and its answer."""
    create = next(route for route in routes.routes() if route.method == "CreateNodePool")
    assert create.name == "/org.project_planton.nodepool.v1.NodePoolService/CreateNodePool"
    assert (create.request, create.response) == (service_pb2.CreateNodePoolRequest, service_pb2.CreateNodePoolResponse)
    assert (create.body, create.body_class) == ("node_pool", service_pb2.NewNodePool)
    assert (create.response_body, create.answer_class) == ("node_pool", nodepool_pb2.NodePool)


def test_messages_of_a_route_without_a_body():
    """Where no field is named, there is no body, and the answer shows the whole response."""
    by_method = {route.method: route for route in routes.routes()}
    assert by_method["ListClusters"].body_class is None
    assert by_method["ListClusters"].answer_class is clusters_pb2.ListClustersResponse
    assert by_method["DeleteCluster"].answer_class is cluster_pb2.Cluster


def test_every_field_of_a_request_has_one_place():
    """Each field of a request is in the path, in the body, inside the body, or a query parameter."""
    for route in routes.routes():
        within = {field.name for field in route.body_class.DESCRIPTOR.fields} if route.body_class else set()
        places = [*route.path_fields, *route.query, *([route.body] if route.body else [])]
        assert len(places) == len(set(places)), route
        assert {field.name for field in route.request.DESCRIPTOR.fields} - set(places) <= within, route


def test_every_method_of_the_services_has_a_route():
    """No method can be called over gRPC only."""
    described = [clusters_pb2.DESCRIPTOR, credential_pb2.DESCRIPTOR, service_pb2.DESCRIPTOR, works_pb2.DESCRIPTOR]
    methods = {
        f"/{service.full_name}/{method.name}"
        for file in described
        for service in file.services_by_name.values()
        for method in service.methods
    }
    assert {route.name for route in routes.routes()} == methods
