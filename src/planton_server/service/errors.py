"""Errors of the API: one class, which each transport renders.

A code determines the HTTP status and the gRPC status. Violations name the invalid fields. This module is independent of the
transport. Callers see these
texts, so no text may name a driver, a path or a stack frame.
"""

from __future__ import annotations

import enum
import types
from typing import TYPE_CHECKING, Any, Final

from planton import errors as base

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class ErrorCode(enum.StrEnum):
    """The code of an error, for programs."""

    VALIDATION_ERROR = "VALIDATION_ERROR"
    """The request is invalid. The violations name the fields."""
    UNAUTHENTICATED = "UNAUTHENTICATED"
    """The caller is unknown."""
    FORBIDDEN = "FORBIDDEN"
    """The caller is not allowed to do this."""
    NOT_FOUND = "NOT_FOUND"
    """The resource does not exist, or belongs to another user."""
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    """The path does not support the HTTP method. The header ``Allow`` lists the supported ones."""
    CONFLICT = "CONFLICT"
    """The request conflicts with the stored state."""
    PRECONDITION_FAILED = "PRECONDITION_FAILED"
    """The header ``If-Match`` does not name the current version."""
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    """The body is too large."""
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    """The ``Content-Type`` of the body is not JSON, or the body is compressed."""
    RATE_LIMITED = "RATE_LIMITED"
    """The caller exceeds its rate limit. The header ``Retry-After`` says when to retry."""
    UNAVAILABLE = "UNAVAILABLE"
    """The server cannot answer now, for example because its database is unreachable."""
    INTERNAL = "INTERNAL"
    """The server failed. Its log has the reason, with the id of the request."""

    @property
    def http(self) -> int:
        """The HTTP status."""
        return _STATUSES[self][0]

    @property
    def grpc(self) -> str:
        """The name of the gRPC status."""
        return _STATUSES[self][1]


#: Code → HTTP status, gRPC status. A stale version is ABORTED in gRPC: the caller reads again and retries.
_STATUSES: Final = types.MappingProxyType(
    {
        ErrorCode.VALIDATION_ERROR: (400, "INVALID_ARGUMENT"),
        ErrorCode.UNAUTHENTICATED: (401, "UNAUTHENTICATED"),
        ErrorCode.FORBIDDEN: (403, "PERMISSION_DENIED"),
        ErrorCode.NOT_FOUND: (404, "NOT_FOUND"),
        ErrorCode.METHOD_NOT_ALLOWED: (405, "UNIMPLEMENTED"),
        ErrorCode.CONFLICT: (409, "ABORTED"),
        ErrorCode.PRECONDITION_FAILED: (412, "ABORTED"),
        ErrorCode.PAYLOAD_TOO_LARGE: (413, "RESOURCE_EXHAUSTED"),
        ErrorCode.UNSUPPORTED_MEDIA_TYPE: (415, "INVALID_ARGUMENT"),
        ErrorCode.RATE_LIMITED: (429, "RESOURCE_EXHAUSTED"),
        ErrorCode.UNAVAILABLE: (503, "UNAVAILABLE"),
        ErrorCode.INTERNAL: (500, "INTERNAL"),
    }
)
#: The maximum number of violations that are reported.
MAX_VIOLATIONS: Final = 100
#: The rule id of the violation that stands for the omitted ones.
TOO_MANY: Final = "json.too_many"
#: The maximum number of characters of a violation's field and message: a key of a map can be as long as a body.
_LONGEST: Final = 1000
#: A violated rule, the same type as for manifests.
Violation = base.Violation
_NO_HEADERS: Final[Mapping[str, str]] = types.MappingProxyType({})


def violation(field: str, rule_id: str, message: str) -> Violation:
    """Returns a violation of a request.

    Args:
        field: The path of the field in the canonical spelling, ``spec.taints[0].key``; empty for the whole request.
        rule_id: The id of the rule, which is part of the API.
        message: The condition that must hold.
    """
    return Violation("", 0, 0, field, message, rule_id)


class ApiError(Exception):
    """An error of the API.

    Attributes:
        code: The code.
        message: A short text.
        details: The details of this error; may be empty.
        violations: The violated rules, for an invalid request.
        headers: HTTP headers of the answer, e.g. ``Retry-After``.
        grpc: The name of the gRPC status: that of the code, unless a narrower one fits.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        details: str = "",
        violations: Sequence[Violation] = (),
        headers: Mapping[str, str] = _NO_HEADERS,
        grpc: str = "",
    ) -> None:
        super().__init__(f"{message}: {details}" if details else message)
        self.code = code
        self.message = message
        self.details = details
        self.violations = tuple(violations)
        self.headers = headers
        self.grpc = grpc or code.grpc

    @property
    def http(self) -> int:
        """The HTTP status."""
        return self.code.http

    def envelope(self) -> dict[str, Any]:
        """Returns the error as JSON data, the body of the answer."""
        error: dict[str, Any] = {"code": self.code.value, "message": self.message, "details": self.details}
        if self.violations:
            error["violations"] = [
                {"field": each.path, "rule_id": each.rule_id, "message": each.message} for each in self.violations
            ]
        return {"error": error}


def more_than(shown: int) -> Violation:
    """Returns the violation that stands for those after the first ``shown`` ones."""
    return violation("", TOO_MANY, f"there are more than {shown} violations; the rest is not shown")


def invalid(violations: Sequence[Violation], *, noun: str = "") -> ApiError:
    """Returns the error of an invalid request. Its details show the first violation.

    Args:
        violations: The violations; at least one.
        noun: The noun of the resource, ``nodepool`` or ``cluster``. A missing name is shown first, as ``nodepool name is required``.
    """
    shown = [_shortened(each) for each in violations if each.rule_id != TOO_MANY]
    ordered = sorted(shown, key=lambda each: not (noun and _is_absent_name(each)))
    first = ordered[0]
    if len(shown) < len(violations) or len(shown) > MAX_VIOLATIONS:
        ordered = [*ordered[:MAX_VIOLATIONS], more_than(MAX_VIOLATIONS)]
    if noun and _is_absent_name(first):
        details = f"{noun} name is required"
    else:
        details = f"{first.path}: {first.message}" if first.path else first.message
    return ApiError(ErrorCode.VALIDATION_ERROR, "Validation failed", details=details, violations=ordered)


def _is_absent_name(each: Violation) -> bool:
    return each.rule_id == "required" and each.path.rpartition(".")[2] == "name"


def _shortened(each: Violation) -> Violation:
    return violation(_cut(each.path), each.rule_id, _cut(each.message))


def _cut(text: str) -> str:
    return f"{text[:_LONGEST]}…" if len(text) > _LONGEST else text


def bad_field(field: str, rule_id: str, message: str) -> ApiError:
    """Returns the error of a request with one invalid field."""
    return invalid([violation(field, rule_id, message)])


def malformed(details: str) -> ApiError:
    """Returns the error of a request that is not one of HTTP."""
    return ApiError(ErrorCode.VALIDATION_ERROR, "Validation failed", details=details)


def unknown_path() -> ApiError:
    """Returns the error of a path without a route."""
    return ApiError(ErrorCode.NOT_FOUND, "this path does not exist", details="/docs lists the paths")


def not_found(kind: str) -> ApiError:
    """Returns the error of a missing resource. ``kind`` is ``NodePool``, ``Cluster`` or ``Event``."""
    return ApiError(ErrorCode.NOT_FOUND, f"{kind} not found")


def already_exists(message: str) -> ApiError:
    """Returns the error of a name that another resource has."""
    return ApiError(ErrorCode.CONFLICT, message, grpc="ALREADY_EXISTS")


def conflict(message: str, *, details: str = "") -> ApiError:
    """Returns the error of a write to a stale version, or of an idempotency key that belongs to another request."""
    return ApiError(ErrorCode.CONFLICT, message, details=details)


def failed_precondition(message: str, *, details: str = "") -> ApiError:
    """Returns the error of an operation that needs another one first: delete the node pools, remove the protection."""
    return ApiError(ErrorCode.CONFLICT, message, details=details, grpc="FAILED_PRECONDITION")


def precondition_failed(current: str) -> ApiError:
    """Returns the error of an ``If-Match`` that names another version than the ``current`` one."""
    return ApiError(
        ErrorCode.PRECONDITION_FAILED,
        "Precondition failed",
        details=f"If-Match does not name the current version ({current}); read the resource and retry",
    )


def unauthenticated(details: str = "") -> ApiError:
    """Returns the error of an unknown caller."""
    return ApiError(ErrorCode.UNAUTHENTICATED, "Authentication required", details=details, headers={"WWW-Authenticate": "Bearer"})


def forbidden(details: str) -> ApiError:
    """Returns the error of a caller that is not allowed to do this."""
    return ApiError(ErrorCode.FORBIDDEN, "Not allowed", details=details)


def method_not_allowed(allowed: Sequence[str]) -> ApiError:
    """Returns the error of a path that supports other HTTP methods only."""
    listed = ", ".join(sorted(allowed))
    return ApiError(ErrorCode.METHOD_NOT_ALLOWED, "Method not allowed", details=f"allowed: {listed}", headers={"Allow": listed})


def too_large(limit: int) -> ApiError:
    """Returns the error of a body of more than ``limit`` bytes."""
    return ApiError(
        ErrorCode.PAYLOAD_TOO_LARGE,
        "Body too large",
        details=f"send at most {limit:,} bytes",
        headers={"Connection": "close"},
    )


def unsupported_media_type() -> ApiError:
    """Returns the error of a body whose ``Content-Type`` is not JSON."""
    return ApiError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "Unsupported media type", details="Content-Type must be application/json")


def unsupported_encoding() -> ApiError:
    """Returns the error for a body with a ``Content-Encoding``."""
    return ApiError(
        ErrorCode.UNSUPPORTED_MEDIA_TYPE,
        "Unsupported media type",
        details="the body must be sent without Content-Encoding",
        headers={"Accept-Encoding": "identity"},
    )


def rate_limited(retry_after: int, headers: Mapping[str, str] = _NO_HEADERS) -> ApiError:
    """Returns the error of a caller that exceeds its rate limit.

    Args:
        retry_after: The seconds after which to retry.
        headers: Header fields that describe the rate limit.
    """
    return ApiError(
        ErrorCode.RATE_LIMITED,
        "Too many requests",
        details=f"retry in {retry_after} s",
        headers={"Retry-After": str(retry_after), **headers},
    )


def too_many_streams(most: int) -> ApiError:
    """Returns the error of a caller that has the maximum number of streams."""
    return ApiError(
        ErrorCode.RATE_LIMITED,
        "Too many streams",
        details=f"at most {most} at the same time: close one, or retry in 10 s",
        headers={"Retry-After": "10"},
    )


def unavailable(*, retry_after: int = 1) -> ApiError:
    """Returns the error of a server that cannot answer now. ``retry_after`` is in seconds."""
    return ApiError(
        ErrorCode.UNAVAILABLE,
        "Service unavailable",
        details=f"retry in {retry_after} s",
        headers={"Retry-After": str(retry_after)},
    )


def internal(request_id: str = "") -> ApiError:
    """Returns the error of an unexpected failure. The log explains it, with the id of the request."""
    return ApiError(ErrorCode.INTERNAL, "Internal error", details=f"request {request_id}" if request_id else "")
