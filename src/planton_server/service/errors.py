"""What the API answers when it cannot do what it is asked: one class, whose code every transport renders its own way.

A code fixes the HTTP status and the gRPC status; the violations say which fields are wrong. Nothing here knows a transport, and no text
may name a driver, a path or a stack frame: callers see what stands here.
"""

from __future__ import annotations

import enum
import types
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class ErrorCode(enum.StrEnum):
    """The name of a trouble in the envelope, for programs."""

    VALIDATION_ERROR = "VALIDATION_ERROR"
    """The request is not valid; the violations say where."""
    UNAUTHENTICATED = "UNAUTHENTICATED"
    """The caller is not known."""
    FORBIDDEN = "FORBIDDEN"
    """The caller is known and may not do this."""
    NOT_FOUND = "NOT_FOUND"
    """There is no such resource, or it belongs to another user."""
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    """The path has no such method; the header ``Allow`` lists those that it has."""
    CONFLICT = "CONFLICT"
    """The request contradicts what is stored."""
    PRECONDITION_FAILED = "PRECONDITION_FAILED"
    """The header ``If-Match`` names another version than the stored one."""
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    """The body is larger than the server reads."""
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    """The ``Content-Type`` of the body is not JSON, or the body is compressed."""
    RATE_LIMITED = "RATE_LIMITED"
    """The caller asks too often; the header ``Retry-After`` says when to come back."""
    UNAVAILABLE = "UNAVAILABLE"
    """The server cannot answer now, for example because its database is gone."""
    INTERNAL = "INTERNAL"
    """The server failed; its log has the reason under the request's id."""

    @property
    def http(self) -> int:
        """The HTTP status."""
        return _STATUSES[self][0]

    @property
    def grpc(self) -> str:
        """The name of the gRPC status."""
        return _STATUSES[self][1]


#: Code → HTTP status, gRPC status. A stale version is ABORTED in gRPC: the caller reads anew and tries again.
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
#: A request with more faults than this is not meant for this API; the rest would not help.
MAX_VIOLATIONS: Final = 100
#: The rule of the violation that says that there are more.
TOO_MANY: Final = "json.too_many"
#: Characters of a violation's field and message that are shown; a key of a map can be as long as a body.
_LONGEST: Final = 1000
_NO_HEADERS: Final[Mapping[str, str]] = types.MappingProxyType({})


class FieldViolation(NamedTuple):
    """A part of a request that is not as it must be.

    Attributes:
        field: Its path in the canonical spelling, ``spec.taints[0].key``; empty for the whole request.
        rule_id: The rule's id, which is part of the API.
        message: What must hold.
    """

    field: str
    rule_id: str
    message: str


class ApiError(Exception):
    """An answer that is not a success.

    Attributes:
        code: What kind of trouble it is.
        message: The trouble in a few words, the same for each of its kind.
        details: More about this one; may be empty.
        violations: What is wrong with the request, field by field.
        headers: HTTP headers that the answer carries, e.g. ``Retry-After``.
        grpc: The name of the gRPC status: the code's own, unless a narrower one fits.
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        details: str = "",
        violations: Sequence[FieldViolation] = (),
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
        """Returns the body of the answer, as JSON data."""
        error: dict[str, Any] = {"code": self.code.value, "message": self.message, "details": self.details}
        if self.violations:
            error["violations"] = [violation._asdict() for violation in self.violations]
        return {"error": error}


def more_than(shown: int) -> FieldViolation:
    """Returns what stands after the violations that are shown, where there are more."""
    return FieldViolation("", TOO_MANY, f"there are more than {shown} violations; the rest is not shown")


def invalid(violations: Sequence[FieldViolation], *, noun: str = "") -> ApiError:
    """Returns the error of a request that is not valid: what is wrong, as far as it helps, the first of it in words.

    Args:
        violations: What is wrong; at least one.
        noun: What the request is about, ``nodepool`` or ``cluster``; an absent name is told as ``nodepool name is required``, first.
    """
    told = [_shortened(violation) for violation in violations if violation.rule_id != TOO_MANY]
    ordered = sorted(told, key=lambda violation: not (noun and _is_absent_name(violation)))
    first = ordered[0]
    if len(told) < len(violations) or len(told) > MAX_VIOLATIONS:
        ordered = [*ordered[:MAX_VIOLATIONS], more_than(MAX_VIOLATIONS)]
    if noun and _is_absent_name(first):
        details = f"{noun} name is required"
    else:
        details = f"{first.field}: {first.message}" if first.field else first.message
    return ApiError(ErrorCode.VALIDATION_ERROR, "Validation failed", details=details, violations=ordered)


def _is_absent_name(violation: FieldViolation) -> bool:
    return violation.rule_id == "required" and violation.field.rpartition(".")[2] == "name"


def _shortened(violation: FieldViolation) -> FieldViolation:
    cut = (f"{text[:_LONGEST]}…" if len(text) > _LONGEST else text for text in (violation.field, violation.message))
    return FieldViolation(next(cut), violation.rule_id, next(cut))


def bad_field(field: str, rule_id: str, message: str) -> ApiError:
    """Returns the error of a request of which one field is wrong."""
    return invalid([FieldViolation(field, rule_id, message)])


def not_found(kind: str) -> ApiError:
    """Returns the error of a resource that is not there; ``kind`` is ``NodePool``, ``Cluster``, ``Event``."""
    return ApiError(ErrorCode.NOT_FOUND, f"{kind} not found")


def already_exists(message: str) -> ApiError:
    """Returns the error of a name that is taken."""
    return ApiError(ErrorCode.CONFLICT, message, grpc="ALREADY_EXISTS")


def conflict(message: str, *, details: str = "") -> ApiError:
    """Returns the error of a write to a version that has passed, or of an idempotency key that is used for something else."""
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
    """Returns the error of a caller who is not known."""
    return ApiError(ErrorCode.UNAUTHENTICATED, "Authentication required", details=details, headers={"WWW-Authenticate": "Bearer"})


def forbidden(details: str) -> ApiError:
    """Returns the error of a caller who may not do this."""
    return ApiError(ErrorCode.FORBIDDEN, "Not allowed", details=details)


def method_not_allowed(allowed: Sequence[str]) -> ApiError:
    """Returns the error of a path that has other methods than the one asked for."""
    listed = ", ".join(sorted(allowed))
    return ApiError(ErrorCode.METHOD_NOT_ALLOWED, "Method not allowed", details=f"allowed: {listed}", headers={"Allow": listed})


def too_large(limit: int) -> ApiError:
    """Returns the error of a body of more than ``limit`` bytes."""
    return ApiError(
        ErrorCode.PAYLOAD_TOO_LARGE,
        "Body too large",
        details=f"at most {limit:,} bytes are read",
        headers={"Connection": "close"},
    )


def unsupported_media_type() -> ApiError:
    """Returns the error of a body that is not JSON by its header."""
    return ApiError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, "Unsupported media type", details="Content-Type must be application/json")


def unsupported_encoding() -> ApiError:
    """Returns the error for a body with a ``Content-Encoding``."""
    return ApiError(
        ErrorCode.UNSUPPORTED_MEDIA_TYPE,
        "Unsupported media type",
        details="the body must be sent without Content-Encoding",
        headers={"Accept-Encoding": "identity"},
    )


def rate_limited(retry_after: int, left: Mapping[str, str] = _NO_HEADERS) -> ApiError:
    """Returns the error of a caller who asks too often and may come back after so many seconds.

    Args:
        retry_after: The seconds.
        left: Header fields that say how often it may ask.
    """
    return ApiError(
        ErrorCode.RATE_LIMITED,
        "Too many requests",
        details=f"try again in {retry_after} s",
        headers={"Retry-After": str(retry_after), **left},
    )


def too_many_streams(most: int) -> ApiError:
    """Returns the error of a caller who has as many streams as one may have."""
    return ApiError(
        ErrorCode.RATE_LIMITED,
        "Too many streams",
        details=f"at most {most} at once: end one, or try again in 10 s",
        headers={"Retry-After": "10"},
    )


def unavailable(*, retry_after: int = 1) -> ApiError:
    """Returns the error of a server that cannot answer now; it may be asked again after so many seconds."""
    return ApiError(ErrorCode.UNAVAILABLE, "Service unavailable", details="try again", headers={"Retry-After": str(retry_after)})


def internal(request_id: str = "") -> ApiError:
    """Returns the error of a failure that the log explains under the request's id."""
    return ApiError(ErrorCode.INTERNAL, "Internal error", details=f"request {request_id}" if request_id else "")
