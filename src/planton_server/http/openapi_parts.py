"""What the protos do not say of HTTP: headers, errors, ways to say who asks, and the routes beside the methods. Data for ``openapi``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from org.project_planton.cluster.v1 import method_pb2
from planton_server.service import errors
from planton_server.service.errors import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from planton_server.service import routes

_TEXT: Final = {"type": "string"}
_TIME: Final = {"type": "string", "format": "date-time"}
_HEADERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "X-Request-Id": {
        "description": "The id of the request, in the log too: the caller's own where the request has this header, else a new one.",
        "required": True,
        "schema": _TEXT,
    },
    "ETag": {
        "description": "The resource's version, to be given as `If-Match` or `If-None-Match`.",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[^"]*"$'},
    },
    "Location": {"description": "The path of what was created.", "required": True, "schema": _TEXT},
    "Retry-After": {
        "description": "Seconds after which to try again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "RateLimit-Limit": {
        "description": "Requests that the caller may make at once; on other answers too, where the server limits the rate.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    },
    "RateLimit-Remaining": {
        "description": "How many of them are left.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "RateLimit-Reset": {
        "description": "Seconds without a request after which all of them are left again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {"description": "How to say who asks.", "required": True, "schema": _TEXT},
}
_PARAMETERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "RequestId": {
        "name": "X-Request-Id",
        "in": "header",
        "description": "An id for the request; at most 128 printable characters of ASCII, else the server gives one.",
        "schema": _TEXT,
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A text of the caller's. A repetition with the same key gets the first answer again, for 24 hours; another "
        "body under the same key is a conflict.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": "The `ETag` of the version that the caller has read. Where the resource has another one by now, nothing happens.",
        "schema": {"type": "string", "pattern": r"\S"},
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The `ETag` of the version that the caller has. Where the resource still has it, the answer is 304 without a body.",
        "schema": _TEXT,
    },
    "LastEventId": {
        "name": "Last-Event-ID",
        "in": "header",
        "description": "Where a stream goes on: the id of the last event that the caller has seen. Instead of `after`.",
        "schema": _TEXT,
    },
}
_WHEN: Final[Mapping[ErrorCode, str]] = {
    ErrorCode.VALIDATION_ERROR: "The request is not valid. `violations` has everything that is wrong with it.",
    ErrorCode.UNAUTHENTICATED: "It is not known who asks.",
    ErrorCode.FORBIDDEN: "The caller may not do this: controllers edit no specs, users report no status.",
    ErrorCode.NOT_FOUND: "There is no such resource, or it is another user's.",
    ErrorCode.CONFLICT: "The name is taken, the version has passed, or something else must be done before.",
    ErrorCode.PRECONDITION_FAILED: "The resource has another version than `If-Match` names.",
    ErrorCode.PAYLOAD_TOO_LARGE: "The body is larger than 1 MiB.",
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: "The body is not JSON by its `Content-Type`.",
    ErrorCode.RATE_LIMITED: "The caller asks too often.",
    ErrorCode.INTERNAL: "The server failed. Its log says why, under the request's id.",
    ErrorCode.UNAVAILABLE: "The server cannot answer now.",
}
_ERROR_HEADERS: Final[Mapping[ErrorCode, tuple[str, ...]]] = {
    ErrorCode.UNAUTHENTICATED: ("WWW-Authenticate",),
    ErrorCode.RATE_LIMITED: ("Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"),
}


def header_parameters(route: routes.Route) -> list[dict[str, str]]:
    """Returns the request headers that a route reads."""
    names = ["RequestId"]
    if route.verb == "POST":
        names.append("IdempotencyKey")
    if _takes_version(route):
        names.append("IfMatch")
    if _gives_version(route):
        names.append("IfNoneMatch")
    if route.method == "ListEvents":
        names.append("LastEventId")
    return [{"$ref": f"#/components/parameters/{name}"} for name in names]


def success_headers(route: routes.Route) -> dict[str, Any]:
    """Returns the headers of a route's success: a resource has its version, a new one its place too."""
    names = ["X-Request-Id", *(["ETag"] if route.response_body else []), *(["Location"] if route.verb == "POST" else [])]
    return _headers(names)


def not_modified(route: routes.Route) -> dict[str, Any]:
    """Returns the 304 response for a version that the caller already has, if the route supports it."""
    if not _gives_version(route):
        return {}
    return {"304": {"description": "The caller has this version.", "headers": _headers(["X-Request-Id", "ETag"])}}


def errors_of(route: routes.Route) -> dict[str, Any]:
    """Returns the errors that a route can answer with, by status."""
    codes = [ErrorCode.VALIDATION_ERROR, ErrorCode.UNAUTHENTICATED]
    if route.caller != method_pb2.CALLER_UNSPECIFIED:
        codes.append(ErrorCode.FORBIDDEN)
    if route.path_fields or (route.body_class is not None and "cluster_id" in route.body_class.DESCRIPTOR.fields_by_name):
        codes.append(ErrorCode.NOT_FOUND)
    if route.caller == method_pb2.CALLER_USER:
        codes.append(ErrorCode.CONFLICT)
    if _takes_version(route):
        codes.append(ErrorCode.PRECONDITION_FAILED)
    if route.body:
        codes += [ErrorCode.PAYLOAD_TOO_LARGE, ErrorCode.UNSUPPORTED_MEDIA_TYPE]
    codes += [ErrorCode.RATE_LIMITED, ErrorCode.INTERNAL, ErrorCode.UNAVAILABLE]
    return {str(code.http): {"$ref": f"#/components/responses/{code}"} for code in codes}


def _takes_version(route: routes.Route) -> bool:
    return route.verb in ("PUT", "DELETE") and route.caller == method_pb2.CALLER_USER


def _gives_version(route: routes.Route) -> bool:
    return route.verb == "GET" and bool(route.response_body)


def components(schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what the document refers to: schemas of messages, errors, headers, and the ways to say who asks."""
    return {
        "schemas": {**dict(sorted(schemas.items())), "Error": _error()},
        "responses": {code.value: _error_response(code, text) for code, text in _WHEN.items()},
        "parameters": dict(_PARAMETERS),
        "headers": dict(_HEADERS),
        "securitySchemes": {
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "A token that `planton server token` made, or a JWT of the OIDC provider that the server trusts.",
            },
            "userEmail": {
                "type": "apiKey",
                "in": "header",
                "name": "X-User-Email",
                "description": "The user's email address. Believed only on a loopback address and from a proxy that the server is "
                "told to trust.",
            },
        },
    }


def _headers(names: list[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _error_response(code: ErrorCode, text: str) -> dict[str, Any]:
    shown = _EXAMPLES.get(code) or errors.ApiError(code, text).envelope()
    schema = {
        "allOf": [{"$ref": "#/components/schemas/Error"}],
        "properties": {"error": {"properties": {"code": {"const": code.value}}}},
    }
    return {
        "description": text,
        "headers": _headers(["X-Request-Id", *_ERROR_HEADERS.get(code, ())]),
        "content": {"application/json": {"schema": schema, "example": shown}},
    }


def _error() -> dict[str, Any]:
    violation = {
        "type": "object",
        "properties": {
            "field": {"type": "string", "description": "The field's path, `spec.taints[0].key`; empty for the whole request."},
            "rule_id": {"type": "string", "description": "The rule's id; stable."},
            "message": {"type": "string", "description": "What must hold."},
        },
        "required": ["field", "rule_id", "message"],
    }
    properties = {
        "code": {"type": "string", "enum": [code.value for code in ErrorCode]},
        "message": {"type": "string", "description": "The trouble in a few words."},
        "details": {"type": "string", "description": "More about it; may be empty."},
        "violations": {"type": "array", "items": violation, "minItems": 1, "description": "What is wrong, field by field."},
    }
    error = {"type": "object", "properties": properties, "required": ["code", "message", "details"]}
    return {
        "type": "object",
        "description": "What every error answers.",
        "properties": {"error": error},
        "required": ["error"],
    }


_EXAMPLES: Final[Mapping[ErrorCode, dict[str, Any]]] = {
    ErrorCode.VALIDATION_ERROR: errors.invalid(
        [errors.FieldViolation("name", "required", "value is required")], noun="nodepool"
    ).envelope(),
    ErrorCode.NOT_FOUND: errors.not_found("NodePool").envelope(),
    ErrorCode.CONFLICT: errors.already_exists("NodePool with name 'production-workers' already exists in cluster").envelope(),
}


def root_paths() -> dict[str, Any]:
    """Returns the routes beside the methods. They need no identity."""
    well, info = _object(_HEALTH), _object(dict.fromkeys(("service", "version", "environment", "api_version"), _TEXT))
    return {
        "/health": {"get": _root("getHealth", "Says whether the server is well", well, unwell=True)},
        "/api/v1/health": {"get": _root("getHealthOfVersion", "Says whether the server is well", well, unwell=True)},
        "/ready": {"get": _root("getReady", "Says whether the server takes requests", _object({"status": _TEXT}), unwell=True)},
        "/info": {"get": _root("getInfo", "Says what the server is", info)},
        "/api/v1/info": {"get": _root("getInfoOfVersion", "Says what the server is", info)},
        "/metrics": {"get": _root("getMetrics", "Returns the server's numbers for Prometheus", _TEXT, "text/plain")},
        "/openapi.json": {"get": _root("getOpenApi", "Returns this document", {"type": "object"})},
        "/docs": {"get": _root("getDocs", "Shows this document as a page", _TEXT, "text/html")},
    }


_HEALTH: Final[Mapping[str, Any]] = {
    "status": {"type": "string", "enum": ["healthy", "unhealthy"]},
    "service": _TEXT,
    "version": _TEXT,
    "timestamp": _TIME,
    "components": {
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "properties": {"status": {"type": "string", "enum": ["healthy", "unhealthy", "off"]}, "reason": _TEXT},
            "required": ["status"],
        },
    },
}


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(properties)}


def _root(
    name: str, summary: str, schema: Mapping[str, Any], kind: str = "application/json", *, unwell: bool = False
) -> dict[str, Any]:
    answer = {"headers": _headers(["X-Request-Id"]), "content": {kind: {"schema": schema}}}
    found: dict[str, Any] = {"200": {"description": "It is so.", **answer}}
    if unwell:
        found["503"] = {"description": "The database cannot be reached.", **answer}
    return {
        "operationId": name,
        "tags": ["Server"],
        "summary": summary,
        "security": [],
        "responses": found | {"500": {"$ref": f"#/components/responses/{ErrorCode.INTERNAL}"}},
    }
