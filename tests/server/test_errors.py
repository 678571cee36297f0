"""Errors: one envelope, one status for each transport."""

import grpc
import pytest

from planton_server.service import errors

CONSTRUCTED = [
    (errors.bad_field("spec.nodeCount", "int32.gte", "must be at least 0"), 400, "INVALID_ARGUMENT"),
    (errors.unauthenticated(), 401, "UNAUTHENTICATED"),
    (errors.forbidden("controllers do not edit specs"), 403, "PERMISSION_DENIED"),
    (errors.not_found("NodePool"), 404, "NOT_FOUND"),
    (errors.method_not_allowed(["PUT", "GET"]), 405, "UNIMPLEMENTED"),
    (errors.already_exists("NodePool with name 'a' already exists in cluster"), 409, "ALREADY_EXISTS"),
    (errors.conflict("the version has passed"), 409, "ABORTED"),
    (errors.failed_precondition("the cluster has node pools"), 409, "FAILED_PRECONDITION"),
    (errors.precondition_failed("7"), 412, "ABORTED"),
    (errors.too_large(1_048_576), 413, "RESOURCE_EXHAUSTED"),
    (errors.unsupported_media_type(), 415, "INVALID_ARGUMENT"),
    (errors.rate_limited(3), 429, "RESOURCE_EXHAUSTED"),
    (errors.unavailable(), 503, "UNAVAILABLE"),
    (errors.internal("r-1"), 500, "INTERNAL"),
]


@pytest.mark.parametrize(("error", "http", "status"), CONSTRUCTED, ids=lambda value: str(value)[:30])
def test_each_error_has_a_status_for_each_transport(error, http, status):
    """An error's code fixes its HTTP status; its gRPC status is one that gRPC knows."""
    assert (error.http, error.grpc) == (http, status)
    assert status in grpc.StatusCode.__members__


def test_every_code_can_be_constructed():
    """No code is left without a constructor."""
    assert {error.code for error, _, _ in CONSTRUCTED} == set(errors.ErrorCode)


def test_envelope_of_not_found_is_the_guides():
    """The envelope has a code, a message and a text of details, and no violations where there are none."""
    expected = {"error": {"code": "NOT_FOUND", "message": "NodePool not found", "details": ""}}
    assert errors.not_found("NodePool").envelope() == expected


def test_absent_name_comes_first_and_is_named_as_in_the_guide():
    """Whatever else is wrong, an absent name is told first, with its noun."""
    violations = [
        errors.violation("spec.platform.type", "required", "value is required"),
        errors.violation("name", "required", "value is required"),
    ]
    error = errors.invalid(violations, noun="nodepool")
    assert error.envelope()["error"] == {
        "code": "VALIDATION_ERROR",
        "message": "Validation failed",
        "details": "nodepool name is required",
        "violations": [
            {"field": "name", "rule_id": "required", "message": "value is required"},
            {"field": "spec.platform.type", "rule_id": "required", "message": "value is required"},
        ],
    }


def test_absent_name_inside_a_request_message_is_told_the_same():
    """Over gRPC the path of the name begins with the request's field."""
    violations = [errors.violation("cluster.name", "required", "value is required")]
    assert errors.invalid(violations, noun="cluster").details == "cluster name is required"


def test_details_name_the_first_violation():
    """Without an absent name the order stays, and the first violation is told with its path."""
    violations = [
        errors.violation("spec.taints[1].key", "string.label_key", "must be a label key"),
        errors.violation("name", "string.max_len", "must be at most 63 characters"),
    ]
    error = errors.invalid(violations, noun="nodepool")
    assert error.details == "spec.taints[1].key: must be a label key"
    assert error.violations == tuple(violations)


def test_details_of_a_violation_of_the_whole_request_have_no_path():
    """A violation that belongs to no field is told by its message alone."""
    assert errors.bad_field("", "json.malformed", "is not JSON").details == "is not JSON"


@pytest.mark.parametrize(
    ("error", "headers"),
    [
        (errors.method_not_allowed(["PUT", "GET"]), {"Allow": "GET, PUT"}),
        (errors.rate_limited(3), {"Retry-After": "3"}),
        (errors.unavailable(retry_after=2), {"Retry-After": "2"}),
        (errors.unauthenticated(), {"WWW-Authenticate": "Bearer"}),
        (errors.not_found("Cluster"), {}),
    ],
)
def test_headers_say_what_to_do_next(error, headers):
    """What a client can do about an error stands in the header that HTTP has for it."""
    assert error.headers == headers


def test_text_of_an_error_has_its_message_and_details():
    """What a log shows of an error is its message, and its details where it has some."""
    assert str(errors.not_found("Cluster")) == "Cluster not found"
    assert str(errors.forbidden("users do not report status")) == "Not allowed: users do not report status"
